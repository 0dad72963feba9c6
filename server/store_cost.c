/* store_cost.c - SQL for what jobs took. */
#include "server/store_cost.h"

static enum err read_jobs(struct db_stmt *q, struct pool *p, struct cost_jobs *out, struct why *w)
{
	enum err e;

	out->count = 0;
	while ((e = db_step(q, w)) == OK && db_has_row(q) && out->count < COST_JOBS)
		out->at[out->count++] = (struct cost_job){.seconds = db_real(q, 0),
		                                          .plan = p ? col_str(q, 1, p) : NULL};
	db_done(q);
	return e;
}

enum err store_cost_builds(struct db *db, const char *config_sha256, struct cost_jobs *out,
                           struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, config_sha256
	                    ? "SELECT (j.ended_ms - j.started_ms) / 1000.0 FROM kernel k"
	                      " JOIN job j ON j.kernel_id = k.id AND j.kind = 'build'"
	                      " WHERE k.config_sha256 = ?1 AND j.state = 'done'"
	                      " ORDER BY k.id DESC LIMIT ?2"
	                    : "SELECT (ended_ms - started_ms) / 1000.0 FROM job"
	                      " WHERE kind = 'build' AND state = 'done' ORDER BY id DESC LIMIT ?2");

	if (config_sha256)
		db_bind_text(q, 1, config_sha256);
	db_bind_int(q, 2, COST_JOBS);
	return read_jobs(q, NULL, out, w);
}

enum err store_cost_resolves(struct db *db, struct cost_jobs *out, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT (ended_ms - started_ms) / 1000.0 FROM job"
	                                   " WHERE kind = 'resolve' AND state = 'done'"
	                                   " ORDER BY id DESC LIMIT ?1");

	db_bind_int(q, 1, COST_JOBS);
	return read_jobs(q, NULL, out, w);
}

/* Plans are compared among so many of the board's newest boots. */
#define BOOTS_LOOKED_AT 2000

enum err store_cost_boots(struct db *db, const char *board, const char *plan, struct pool *p,
                          struct cost_jobs *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT t.seconds, s.plan FROM (SELECT id, submission_id,"
	            " (ended_ms - started_ms) / 1000.0 AS seconds FROM job WHERE board = ?1"
	            " AND state = 'done' AND purpose = 'work' ORDER BY id DESC LIMIT ?4) t"
	            " JOIN submission s ON s.id = t.submission_id WHERE ?2 IS NULL OR s.plan = ?2"
	            " ORDER BY t.id DESC LIMIT ?3");

	db_bind_text(q, 1, board);
	db_bind_text(q, 2, plan);
	db_bind_int(q, 3, COST_JOBS);
	db_bind_int(q, 4, BOOTS_LOOKED_AT);
	return read_jobs(q, p, out, w);
}

enum err store_cost_commit(struct db *db, const char *tree, const char *ref, struct pool *p,
                           const char **commit, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT commit_id FROM submission_kernel WHERE tree = ?1 AND ref = ?2"
	            " AND commit_id IS NOT NULL AND base_of IS NULL ORDER BY submission_id DESC "
	            "LIMIT 1");
	enum err e;

	db_bind_text(q, 1, tree);
	db_bind_text(q, 2, ref);
	e = db_step(q, w);
	*commit = e == OK && db_has_row(q) ? col_str(q, 0, p) : NULL;
	db_done(q);
	return e;
}
