/* store_work.c - SQL for what the server does by itself for alerts. */
#include "server/store_work.h"

/* After one in vain. */
#define AGAIN_MS (INT64_C(10) * 60 * 1000)

enum err store_work_add(struct db *db, const struct alert_work *x, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO alert_work (submission_id, alert_id, purpose, why, by_whom, board,"
	            " case_text, metric, before, state, begun_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
	            " ?7, ?8, ?9, 'open', ?10)");

	db_bind_int(q, 1, x->submission);
	db_bind_int(q, 2, x->alert);
	db_bind_text(q, 3, x->purpose);
	db_bind_text(q, 4, x->why);
	db_bind_text(q, 5, x->by);
	db_bind_text(q, 6, x->board);
	db_bind_text(q, 7, x->case_text);
	db_bind_text(q, 8, x->metric);
	bind_num(q, 9, x->before);
	db_bind_int(q, 10, x->begun_ms);
	return db_run(q, w);
}

enum err store_work_end(struct db *db, int64_t submission, const char *state, int64_t stands,
                        int64_t now_ms, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE alert_work SET state = ?2, stands = ?3,"
	                                   " ended_ms = ?4 WHERE submission_id = ?1"
	                                   " AND state = 'open'");

	db_bind_int(q, 1, submission);
	db_bind_text(q, 2, state);
	bind_opt(q, 3, stands);
	db_bind_int(q, 4, now_ms);
	return db_run(q, w);
}

#define WORK                                                                               \
	"SELECT submission_id, alert_id, purpose, why, by_whom, board, case_text, metric," \
	" before, state, stands, begun_ms, ended_ms FROM alert_work"

static void work_row(struct db_stmt *q, struct pool *p, struct alert_work *x)
{
	*x = (struct alert_work){.submission = db_int(q, 0),
	                         .alert = db_int(q, 1),
	                         .purpose = col_str(q, 2, p),
	                         .why = col_str(q, 3, p),
	                         .by = col_str(q, 4, p),
	                         .board = col_str(q, 5, p),
	                         .case_text = col_str(q, 6, p),
	                         .metric = col_str(q, 7, p),
	                         .before = opt_num(q, 8),
	                         .state = col_str(q, 9, p),
	                         .stands = opt_int(q, 10),
	                         .begun_ms = db_int(q, 11),
	                         .ended_ms = opt_int(q, 12)};
}

enum err store_work_of_sub(struct db *db, int64_t submission, struct pool *p,
                           struct alert_work *out, struct why *w)
{
	struct db_stmt *q = db_prepare(db, WORK " WHERE submission_id = ?1");
	enum err e;

	*out = (struct alert_work){0};
	db_bind_int(q, 1, submission);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		work_row(q, p, out);
	db_done(q);
	return e;
}

enum err store_work_of_alert(struct db *db, int64_t alert, struct pool *p, struct alert_works *out,
                             struct why *w)
{
	struct db_stmt *q = db_prepare(db, WORK " WHERE alert_id = ?1 ORDER BY submission_id");
	enum err e;

	db_bind_int(q, 1, alert);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		work_row(q, p, pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)));
	db_done(q);
	return e;
}

enum err store_work_ended(struct db *db, struct pool *p, struct ids *out, struct why *w)
{
	return read_ids(db_prepare(db, "SELECT x.submission_id FROM alert_work x JOIN submission s"
	                               " ON s.id = x.submission_id WHERE x.state = 'open'"
	                               " AND x.purpose = 'remeasure' AND s.ended_ms IS NOT NULL"
	                               " ORDER BY x.submission_id"),
	                p, out, w);
}

enum err store_work_wanted(struct db *db, int64_t now_ms, struct pool *p, struct ids *out,
                           struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT a.id FROM alert a WHERE a.state = 'new' AND a.kind = 'slower'"
	            " AND EXISTS (SELECT 1 FROM track_point t WHERE t.submission_id ="
	            " a.submission_id) AND NOT EXISTS (SELECT 1 FROM alert_work x"
	            " WHERE x.alert_id = a.id AND x.purpose = 'remeasure'"
	            " AND (x.state IN ('open', 'cancelled') OR x.ended_ms > ?1))"
	            " AND (SELECT count(*) FROM alert_work x WHERE x.alert_id = a.id"
	            " AND x.purpose = 'remeasure') < 3 ORDER BY a.id");

	db_bind_int(q, 1, now_ms - AGAIN_MS);
	return read_ids(q, p, out, w);
}

enum err store_work_cell(struct db *db, int64_t submission, const char *board,
                         const char *case_text, const char *kernel, struct pool *p,
                         struct work_cell *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT change, low, high, tau, floor, boots, layouts, verdict, why FROM cell"
	            " WHERE submission_id = ?1 AND board = ?2 AND case_text = ?3 AND kernel = ?4"
	            " ORDER BY pos LIMIT 1");
	enum err e;

	*out = (struct work_cell){
	        .change = NAN, .low = NAN, .high = NAN, .tau = NAN, .floor = NAN, .boots = -1};
	db_bind_int(q, 1, submission);
	db_bind_text(q, 2, board);
	db_bind_text(q, 3, case_text);
	db_bind_text(q, 4, kernel);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		*out = (struct work_cell){.change = opt_num(q, 0),
		                          .low = opt_num(q, 1),
		                          .high = opt_num(q, 2),
		                          .tau = opt_num(q, 3),
		                          .floor = opt_num(q, 4),
		                          .boots = db_int(q, 5),
		                          .layouts = db_int(q, 6),
		                          .verdict = col_str(q, 7, p),
		                          .why = col_str(q, 8, p)};
	db_done(q);
	return e;
}

enum err store_work_cells(struct db *db, int64_t submission, const char *kernel, struct pool *p,
                          struct alert_cells *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT c.board, c.case_text, c.metric, c.verdict, c.base_mean, c.mean,"
	            " c.change, c.low, c.high, c.boots, coalesce(b.emulated, 0) FROM cell c"
	            " LEFT JOIN board b ON b.name = c.board WHERE c.submission_id = ?1"
	            " AND c.kernel = ?2 AND c.verdict IN ('slower', 'faster')"
	            " ORDER BY c.verdict DESC, abs(c.change) DESC, c.pos");
	enum err e;

	db_bind_int(q, 1, submission);
	db_bind_text(q, 2, kernel);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*(struct alert_cell *)pool_push(p, (void **)&out->at, &out->count,
		                                sizeof(*out->at)) =
		        (struct alert_cell){.submission = submission,
		                            .boot = NONE,
		                            .board = col_str(q, 0, p),
		                            .case_text = col_str(q, 1, p),
		                            .metric = col_str(q, 2, p),
		                            .verdict = col_str(q, 3, p),
		                            .base_mean = opt_num(q, 4),
		                            .mean = opt_num(q, 5),
		                            .change = opt_num(q, 6),
		                            .low = opt_num(q, 7),
		                            .high = opt_num(q, 8),
		                            .boots = opt_int(q, 9),
		                            .mute = NONE,
		                            .emulated = db_int(q, 10) != 0};
	db_done(q);
	return e;
}

enum err store_work_boots(struct db *db, int64_t submission, int64_t kernel, int64_t *boots,
                          struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT count(*) FROM submission_boot s JOIN boot b ON b.id = s.boot_id"
	            " JOIN kernel k ON k.id = b.kernel_id WHERE s.submission_id = ?1"
	            " AND s.reused = 0 AND (?2 IS NULL OR k.id = ?2"
	            " OR k.family = (SELECT f.key FROM kernel f WHERE f.id = ?2))");

	db_bind_int(q, 1, submission);
	bind_opt(q, 2, kernel);
	return db_run_int(q, boots, w);
}

enum err store_work_admin(struct db *db, const char *label, bool *is, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT count(*) FROM token WHERE label = ?1"
	                                   " AND role = 'admin' AND revoked_ms IS NULL");
	int64_t n = 0;
	enum err e;

	db_bind_text(q, 1, label);
	e = db_run_int(q, &n, w);
	*is = n > 0;
	return e;
}
