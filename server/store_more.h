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
/* done -> booting, and its comparison is not complete any more. */
enum err store_more_reopen(struct db *db, int64_t sub, struct why *w);

#endif
