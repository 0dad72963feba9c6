/*
 * store_quota.h - limits of tokens, and what their labels use.
 * Conventions as in store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_QUOTA_H
#define FOLDWATCH_SERVER_STORE_QUOTA_H

#include "server/store_util.h"

enum quota { QUOTA_SUBMISSIONS, QUOTA_JOBS, QUOTA_BOOTS, QUOTA_BYTES, QUOTAS };

#define QUOTA_BOOTS_MS INT64_C(86400000) /* boots are counted for so long */

/* A token's own limits: NONE where the configuration's hold, 0: no limit. */
enum err store_quota_limits(struct db *db, int64_t token, int64_t limit[QUOTAS], struct why *w);
enum err store_quota_set(struct db *db, int64_t token, const int64_t limit[QUOTAS], const char *by,
                         int64_t now_ms, struct why *w);

/* Of submissions that are not laid out yet the boots they may begin with count as waiting
 * and as asked for. */
enum err store_quota_used(struct db *db, const char *submitter, int64_t now_ms,
                          int64_t used[QUOTAS], struct why *w);
/* When `count` boots of the last 24 hours will be older than that; NONE: those that are
 * laid out are not so many. */
enum err store_quota_boots_free(struct db *db, const char *submitter, int64_t count, int64_t now_ms,
                                int64_t *free_ms, struct why *w);

#endif
