/*
 * store_util.h - what all store_*.c share: values that may be absent, and answers that are
 * nothing but ids.
 */
#ifndef FOLDWATCH_SERVER_STORE_UTIL_H
#define FOLDWATCH_SERVER_STORE_UTIL_H

#include "server/db.h"
#include "server/pool.h"

#include <math.h>
#include <stdint.h>

/* An integer column that holds NULL. Reals use NAN, strings NULL. */
#define NONE INT64_MIN

static inline void bind_opt(struct db_stmt *s, int at, int64_t v)
{
	if (v == NONE)
		db_bind_null(s, at);
	else
		db_bind_int(s, at, v);
}

static inline void bind_num(struct db_stmt *s, int at, double v)
{
	if (isnan(v))
		db_bind_null(s, at);
	else
		db_bind_real(s, at, v);
}

static inline int64_t opt_int(struct db_stmt *s, int col)
{
	return db_is_null(s, col) ? NONE : db_int(s, col);
}

static inline double opt_num(struct db_stmt *s, int col)
{
	return db_is_null(s, col) ? NAN : db_real(s, col);
}

static inline const char *col_str(struct db_stmt *s, int col, struct pool *p)
{
	return pool_str(p, db_text(s, col));
}

struct ids {
	int64_t *at;
	size_t count;
};
/* Both end the statement. The first column of all rows, appended. */
enum err read_ids(struct db_stmt *q, struct pool *p, struct ids *out, struct why *w);
/* Of the first row; NONE: there is no row, or it did not work. */
enum err read_id(struct db_stmt *q, int64_t *id, struct why *w);

#endif
