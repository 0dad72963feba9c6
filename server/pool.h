/*
 * pool.h - memory that is freed at once, for the rows of one request.
 *
 *     struct pool *p = pool_new();
 *     e = store_job_list(db, &filter, p, &jobs, &w);
 *     ...
 *     pool_free(p);
 *
 * Store functions put every row, string and array that they answer into the
 * pool they are given, so that callers free nothing else.
 */
#ifndef FOLDWATCH_SERVER_POOL_H
#define FOLDWATCH_SERVER_POOL_H

#include <stddef.h>

struct pool;

struct pool *pool_new(void);
void pool_free(struct pool *p); /* NULL is fine */
/* Zeroed, aligned for anything. */
void *pool_alloc(struct pool *p, size_t bytes);
char *pool_str(struct pool *p, const char *s); /* NULL gives NULL */
char *pool_strn(struct pool *p, const char *s, size_t n);
char *pool_fmt(struct pool *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void *pool_copy(struct pool *p, const void *data, size_t len);
/* One more zeroed element at the end of an array that grows in the pool:
 *     struct job *j = pool_push(p, (void **)&list->at, &list->count, sizeof(*j)); */
void *pool_push(struct pool *p, void **array, size_t *count, size_t size);

#endif
