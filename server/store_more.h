/*
 * store_more.h - boots that are added to a submission which is done.
 * Conventions as in store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_MORE_H
#define FOLDWATCH_SERVER_STORE_MORE_H

#include "server/store_submission.h"

/* Boots of a kernel that were laid on a board, whatever became of them: the first phase
 * that is free. */
enum err store_more_laid(struct db *db, int64_t sub, const char *board, int64_t *count,
                         struct why *w);
enum err store_more_add(struct db *db, int64_t sub, const char *board, int64_t first, int64_t boots,
                        const char *by, int64_t now_ms, struct why *w);
/* In all, on that board; NULL: on any. 0: none were added. */
enum err store_more_boots(struct db *db, int64_t sub, const char *board, int64_t *boots,
                          struct why *w);
/* When the newest of them were asked for; NONE: there are none. */
enum err store_more_at(struct db *db, int64_t sub, int64_t *at_ms, struct why *w);
/* done -> booting, and its comparison is not complete any more. */
enum err store_more_reopen(struct db *db, int64_t sub, struct why *w);

/* A part of it was made: its comparison is computed anew, to name it. */
enum err store_more_part(struct db *db, int64_t sub, struct why *w);
/* Its parts, oldest first, and of how many cases each is. */
struct part {
	int64_t id, cases;
};
struct parts {
	struct part *at;
	size_t count;
};
enum err store_more_parts(struct db *db, int64_t sub, struct pool *p, struct parts *out,
                          struct why *w);

#endif
