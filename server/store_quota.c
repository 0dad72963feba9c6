/* store_quota.c - SQL for quotas. */
#include "server/store_quota.h"

enum err store_quota_limits(struct db *db, int64_t token, int64_t limit[QUOTAS], struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT submissions, jobs, boots, bytes FROM token_quota"
	                                   " WHERE token_id = ?1 ORDER BY id DESC LIMIT 1");
	enum err e;

	db_bind_int(q, 1, token);
	e = db_step(q, w);
	for (int i = 0; i < QUOTAS; i++)
		limit[i] = e == OK && db_has_row(q) ? opt_int(q, i) : NONE;
	db_done(q);
	return e;
}

enum err store_quota_set(struct db *db, int64_t token, const int64_t limit[QUOTAS], const char *by,
                         int64_t now_ms, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "INSERT INTO token_quota (token_id, submissions, jobs,"
	                                   " boots, bytes, by_whom, at_ms)"
	                                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");

	db_bind_int(q, 1, token);
	for (int i = 0; i < QUOTAS; i++)
		bind_opt(q, 2 + i, limit[i]);
	db_bind_text(q, 6, by);
	db_bind_int(q, 7, now_ms);
	return db_run(q, w);
}

/* What the server asks for by itself, or for whoever looks into an alert, spends nothing of
 * its submitter's. */
#define OWN_OF(id) " AND NOT EXISTS (SELECT 1 FROM alert_work w WHERE w.submission_id = " id ")"

enum err store_quota_used(struct db *db, const char *submitter, int64_t now_ms,
                          int64_t used[QUOTAS], struct why *w)
{
	struct db_stmt *q;
	int64_t asked = 0;
	enum err e;

	q = db_prepare(db, "SELECT count(*), coalesce(sum(CASE planned WHEN 0 THEN asked_boots"
	                   " ELSE 0 END), 0) FROM submission WHERE ended_ms IS NULL"
	                   " AND submitter = ?1" OWN_OF("submission.id"));
	db_bind_text(q, 1, submitter);
	e = db_step(q, w);
	if (e == OK) {
		used[QUOTA_SUBMISSIONS] = db_int(q, 0);
		asked = db_int(q, 1);
	}
	db_done(q);
	if (e != OK)
		return e;
	q = db_prepare(db, "SELECT count(*) FROM job WHERE state = 'queued' AND submitter = ?1"
	                   " AND kind <> 'walk'" OWN_OF("job.submission_id"));
	db_bind_text(q, 1, submitter);
	e = db_run_int(q, &used[QUOTA_JOBS], w);
	if (e != OK)
		return e;
	q = db_prepare(db, "SELECT count(*) FROM job WHERE kind = 'boot' AND submitter = ?1"
	                   " AND created_ms > ?2" OWN_OF("job.submission_id"));
	db_bind_text(q, 1, submitter);
	db_bind_int(q, 2, now_ms - QUOTA_BOOTS_MS);
	e = db_run_int(q, &used[QUOTA_BOOTS], w);
	if (e != OK)
		return e;
	used[QUOTA_JOBS] += asked;
	used[QUOTA_BOOTS] += asked;
	q = db_prepare(db, "SELECT coalesce(sum(bytes), 0) FROM artifact WHERE by_whom = ?1");
	db_bind_text(q, 1, submitter);
	return db_run_int(q, &used[QUOTA_BYTES], w);
}

enum err store_quota_boots_free(struct db *db, const char *submitter, int64_t count, int64_t now_ms,
                                int64_t *free_ms, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT created_ms FROM job WHERE kind = 'boot'"
	            " AND submitter = ?1 AND created_ms > ?2" OWN_OF(
	                    "job.submission_id") " ORDER BY created_ms LIMIT 1 OFFSET ?3");
	enum err e;

	db_bind_text(q, 1, submitter);
	db_bind_int(q, 2, now_ms - QUOTA_BOOTS_MS);
	db_bind_int(q, 3, count > 0 ? count - 1 : 0);
	e = db_step(q, w);
	*free_ms = e == OK && db_has_row(q) ? db_int(q, 0) + QUOTA_BOOTS_MS : NONE;
	db_done(q);
	return e;
}
