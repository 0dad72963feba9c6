/* quota.c - limits against what is used. */
#include "server/quota.h"

#include "lib/clock.h"
#include "server/store_job.h"

#include <math.h>
#include <stdio.h>

const char *const quota_name[QUOTAS] = {"submissions", "jobs", "boots", "bytes"};
const char *const quota_what[QUOTAS] = {"open submissions", "jobs that wait", "boots in 24 hours",
                                        "bytes of uploads"};

/* Asked again after that where nothing says when a quota is free. */
#define SOON_S 600
#define LATE_S 86400

enum err quota_limits(struct db *db, int64_t token, const struct server_conf *conf,
                      int64_t limit[QUOTAS], struct why *w)
{
	const int64_t preset[QUOTAS] = {conf->quota_submissions, conf->quota_jobs,
	                                conf->quota_boots, conf->quota_bytes};
	enum err e = store_quota_limits(db, token, limit, w);

	for (int i = 0; e == OK && i < QUOTAS; i++)
		if (limit[i] == NONE)
			limit[i] = preset[i];
	return e;
}

/* So many jobs after each other, by how long the last ones took; and that as words that
 * end a sentence, where it is known. */
static enum err jobs_s(struct db *db, int64_t jobs, int64_t *out, char words[64], struct why *w)
{
	double each, all;
	char span[32];
	enum err e = store_job_seconds(db, "boot", NULL, &each, w);

	all = isnan(each) ? SOON_S : each * (double)jobs;
	*out = all < 60 ? 60 : all > LATE_S ? LATE_S : (int64_t)ceil(all);
	words[0] = '\0';
	if (e == OK && !isnan(each)) {
		clock_words(*out * NS_PER_S, span, sizeof(span));
		snprintf(words, 64, ": %s%s", all > LATE_S ? "not before " : "perhaps in ", span);
	}
	return e;
}

static enum err spent(struct db *db, struct quota_ask *a, enum quota which, int64_t used,
                      int64_t limit, struct why *w)
{
	int64_t over = used + a->more[which] - limit, free_ms = NONE;
	char how[160], when[24], words[64];
	enum err e = OK;

	switch (which) {
	case QUOTA_SUBMISSIONS:
		e = jobs_s(db, 1, &a->retry_after_s, words, w);
		snprintf(how, sizeof(how), "one is free when a submission ends or is cancelled");
		break;
	case QUOTA_JOBS:
		e = jobs_s(db, over, &a->retry_after_s, words, w);
		snprintf(how, sizeof(how), "it is free when %lld of those that wait are done%s",
		         (long long)over, words);
		break;
	case QUOTA_BOOTS:
		e = store_quota_boots_free(db, a->label, over, a->now_ms, &free_ms, w);
		/* Some are still to be laid out: they will count from then on. */
		if (free_ms == NONE)
			free_ms = a->now_ms + QUOTA_BOOTS_MS;
		a->retry_after_s = (free_ms - a->now_ms + 999) / 1000;
		clock_iso(free_ms, when, sizeof(when));
		snprintf(how, sizeof(how), "%lld are free at %s", (long long)over, when);
		break;
	default:
		a->retry_after_s = LATE_S;
		snprintf(how, sizeof(how),
		         "what is stored stays, so it is free when the operator allows more");
	}
	return e != OK ? e
	               : err_set(w, ERR_BUSY,
	                         "the quota of \"%s\" is spent: %lld of %lld %s are used and this"
	                         " needs %lld; %s",
	                         a->label, (long long)used, (long long)limit, quota_what[which],
	                         (long long)a->more[which], how);
}

enum err quota_check(struct db *db, struct quota_ask *a, struct why *w)
{
	int64_t limit[QUOTAS], used[QUOTAS] = {0};
	enum err e;

	if (a->exempt)
		return OK;
	e = quota_limits(db, a->token, a->conf, limit, w);
	if (e == OK)
		e = store_quota_used(db, a->label, a->now_ms, used, w);
	for (int i = 0; e == OK && i < QUOTAS; i++) {
		if (!limit[i] || !a->more[i] || used[i] <= limit[i] - a->more[i])
			continue;
		if (a->more[i] > limit[i])
			return err_set(w, ERR_UNPROCESSABLE,
			               "this alone needs %lld %s, and the quota of \"%s\" is %lld",
			               (long long)a->more[i], quota_what[i], a->label,
			               (long long)limit[i]);
		e = spent(db, a, (enum quota)i, used[i], limit[i], w);
	}
	return e;
}
