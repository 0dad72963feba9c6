/*
 * quota.h - how much a token may ask for.
 *
 * A token of role submit has four limits, its own or the configuration's; an admin's has
 * none. What is used belongs to the label, as everything does that somebody submitted.
 * Asked inside the transaction that would use more:
 *
 *     struct quota_ask a = {.label = who, .token = id, .conf = &srv->conf, .now_ms = now};
 *     a.more[QUOTA_BOOTS] = 96;
 *     e = quota_check(db, &a, w);        ERR_BUSY, with the sentence and a.retry_after_s
 */
#ifndef FOLDWATCH_SERVER_QUOTA_H
#define FOLDWATCH_SERVER_QUOTA_H

#include "server/server.h"
#include "server/store_quota.h"

struct quota_ask {
	const char *label;
	int64_t token;
	bool exempt;
	const struct server_conf *conf;
	int64_t now_ms;
	int64_t more[QUOTAS];  /* what would be used beside what is */
	int64_t retry_after_s; /* answered with ERR_BUSY */
};

/* Words of JSON, and of a sentence. */
extern const char *const quota_name[QUOTAS];
extern const char *const quota_what[QUOTAS];

/* Limits that hold: 0 where there is none. */
enum err quota_limits(struct db *db, int64_t token, const struct server_conf *conf,
                      int64_t limit[QUOTAS], struct why *w);
/* ERR_BUSY where a quota is spent; ERR_UNPROCESSABLE for what a limit can never hold. */
enum err quota_check(struct db *db, struct quota_ask *a, struct why *w);

#endif
