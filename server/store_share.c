/* store_share.c - SQL for lanes and usage. */
#include "server/store_share.h"

#include "lib/mem.h"

#include <math.h>

enum err store_lane_add(struct db *db, const char *board, const char *submitter, int64_t urgency,
                        struct why *w)
{
	struct db_stmt *q = db_prepare(db, "INSERT INTO lane (board, submitter, urgency, begun_ms)"
	                                   " VALUES (coalesce(?1, ''), ?2, ?3, 0)"
	                                   " ON CONFLICT (board, submitter, urgency) DO NOTHING");

	db_bind_text(q, 1, board);
	db_bind_text(q, 2, submitter);
	db_bind_int(q, 3, urgency);
	return db_run(q, w);
}

enum err store_lane_begun(struct db *db, const char *board, const char *submitter, int64_t urgency,
                          int64_t now_ms, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE lane SET begun_ms = ?4 WHERE"
	                                   " board = coalesce(?1, '') AND submitter = ?2"
	                                   " AND urgency = ?3 AND begun_ms < ?4");

	db_bind_text(q, 1, board);
	db_bind_text(q, 2, submitter);
	db_bind_int(q, 3, urgency);
	db_bind_int(q, 4, now_ms);
	return db_run(q, w);
}

/* ---- usage */

/* NAN: nothing. A job that took no time was there all the same. */
static double warmed(double heat, int64_t started_ms, int64_t ended_ms, bool put_back)
{
	double at = (double)ended_ms / (double)USAGE_HALF_MS;
	double ms = ended_ms > started_ms ? (double)(ended_ms - started_ms) : 1;
	double sum = (isnan(heat) ? 0 : exp2(heat - at)) + (put_back ? -ms : ms);

	return sum < 0.5 ? NAN : at + log2(sum);
}

static enum err heat_of(struct db *db, const char *board, const char *submitter, double *heat,
                        struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT heat FROM usage WHERE board = coalesce(?1, '')"
	                                   " AND submitter = ?2");
	enum err e;

	db_bind_text(q, 1, board);
	db_bind_text(q, 2, submitter);
	e = db_step(q, w);
	*heat = e == OK && db_has_row(q) ? db_real(q, 0) : NAN;
	db_done(q);
	return e;
}

static enum err set_heat(struct db *db, const char *board, const char *submitter, double heat,
                         struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, isnan(heat) ? "DELETE FROM usage WHERE board = coalesce(?1, '')"
	                          " AND submitter = ?2"
	                        : "INSERT INTO usage (board, submitter, heat)"
	                          " VALUES (coalesce(?1, ''), ?2, ?3)"
	                          " ON CONFLICT (board, submitter) DO UPDATE SET heat = ?3");

	db_bind_text(q, 1, board);
	db_bind_text(q, 2, submitter);
	if (!isnan(heat))
		db_bind_real(q, 3, heat);
	return db_run(q, w);
}

enum err store_usage_add(struct db *db, const char *board, const char *submitter,
                         int64_t started_ms, int64_t ended_ms, bool put_back, struct why *w)
{
	double heat;
	enum err e = heat_of(db, board, submitter, &heat, w);

	return e == OK ? set_heat(db, board, submitter,
	                          warmed(heat, started_ms, ended_ms, put_back), w)
	               : e;
}

/* ---- rebuild */

/* As store_job.c counts them: what ended with an agent, but for what was not the
 * submitter's fault. Added one by one in the order in which they ended, the sums come
 * out the same. */
static enum err rebuild_usage(struct db *db, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT coalesce(board, ''), submitter, started_ms, ended_ms FROM job"
	            " WHERE submitter <> '' AND kind <> 'walk' AND started_ms IS NOT NULL AND "
	            "(state = 'done'"
	            " OR (state = 'failed' AND class <> 'infra')"
	            " OR (state = 'cancelled' AND class IS NULL))"
	            " ORDER BY 1, submitter, ended_ms, id");
	struct pool *p = pool_new();
	const char *board = NULL, *submitter = NULL;
	double heat = NAN;
	enum err e;

	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		if (!str_eq(board, db_text(q, 0)) || !str_eq(submitter, db_text(q, 1))) {
			if (submitter)
				e = set_heat(db, board, submitter, heat, w);
			if (e != OK)
				break;
			board = col_str(q, 0, p);
			submitter = col_str(q, 1, p);
			heat = NAN;
		}
		heat = warmed(heat, db_int(q, 2), db_int(q, 3), false);
	}
	db_done(q);
	if (e == OK && submitter)
		e = set_heat(db, board, submitter, heat, w);
	pool_free(p);
	return e;
}

enum err store_share_rebuild(struct db *db, struct why *w)
{
	enum err e = db_run(db_prepare(db, "DELETE FROM usage"), w);

	if (e == OK)
		e = db_run(db_prepare(db, "DELETE FROM lane"), w);
	if (e == OK)
		e = db_run(db_prepare(db, "INSERT INTO lane (board, submitter, urgency, begun_ms)"
		                          " SELECT coalesce(board, ''), submitter, urgency,"
		                          " max(coalesce(started_ms, 0)) FROM job"
		                          " GROUP BY coalesce(board, ''), submitter, urgency"),
		           w);
	return e == OK ? rebuild_usage(db, w) : e;
}
