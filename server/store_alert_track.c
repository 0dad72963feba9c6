/* store_alert_track.c - alerts, and the points of the tracks that they came of. */
#include "server/store_alert_track.h"

enum err store_alert_point(struct db *db, int64_t submission, struct pool *p,
                           struct measured_point *out, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT x.track_id, x.position, x.commit_id, NOT EXISTS (SELECT 1"
	                       " FROM track_point l JOIN submission s ON s.id = l.submission_id"
	                       " WHERE l.track_id = x.track_id AND l.position > x.position"
	                       " AND s.state = 'done') FROM track_point x"
	                       " WHERE x.submission_id = ?1 ORDER BY x.position DESC LIMIT 1");
	enum err e;

	*out = (struct measured_point){.track = NONE};
	db_bind_int(q, 1, submission);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		*out = (struct measured_point){.track = db_int(q, 0),
		                               .position = db_int(q, 1),
		                               .commit = col_str(q, 2, p),
		                               .newest = db_int(q, 3) != 0};
	db_done(q);
	return e;
}

static enum err around(struct db_stmt *q, const struct measured_point *at, struct pool *p,
                       struct ids *out, struct why *w)
{
	db_bind_int(q, 1, at->track);
	db_bind_int(q, 2, at->position);
	return read_ids(q, p, out, w);
}

enum err store_alert_before(struct db *db, const struct measured_point *at, struct pool *p,
                            struct ids *out, struct why *w)
{
	/* By its commit: whoever measured it first, another track or a person. */
	struct db_stmt *q = db_prepare(
	        db, "SELECT a.id FROM alert a WHERE a.kind = 'slower'"
	            " AND a.state IN ('new','confirmed','acknowledged') AND EXISTS (SELECT 1"
	            " FROM submission_kernel k JOIN track_point t ON t.commit_id = k.commit_id"
	            " WHERE k.submission_id = a.submission_id AND k.name = a.kernel"
	            " AND t.track_id = ?1 AND t.position < ?2 AND t.submission_id IS NOT NULL)"
	            " ORDER BY a.id");

	return around(q, at, p, out, w);
}

enum err store_alert_spanning(struct db *db, const struct measured_point *at, struct pool *p,
                              struct ids *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT DISTINCT a.id FROM track_point t"
	            " JOIN alert a ON a.submission_id = t.submission_id"
	            " JOIN submission s ON s.id = a.submission_id"
	            " JOIN submission_kernel k ON k.submission_id = s.id AND k.pos = s.baseline"
	            " JOIN track_point b ON b.track_id = ?1 AND b.commit_id = k.commit_id"
	            " WHERE t.track_id = ?1 AND t.position > ?2 AND b.position < ?2"
	            " AND a.kind = 'slower' ORDER BY a.id");

	return around(q, at, p, out, w);
}

enum err store_alert_left(struct db *db, int64_t track, struct pool *p, struct ids *out,
                          struct why *w)
{
	/* What has crept in is told for a track and a release: no other track has it. */
	struct db_stmt *q = db_prepare(
	        db, "SELECT a.id FROM alert a WHERE a.kind = 'slower'"
	            " AND a.state IN ('new','confirmed','acknowledged') AND (EXISTS (SELECT 1"
	            " FROM track_point x WHERE x.release_id = a.submission_id AND x.track_id = ?1)"
	            " OR (EXISTS (SELECT 1 FROM track_point x JOIN track t ON t.id = x.track_id"
	            " JOIN track o ON o.tree = t.tree AND o.branch = t.branch"
	            " WHERE x.submission_id = a.submission_id AND o.id = ?1)"
	            " AND NOT EXISTS (SELECT 1 FROM track t JOIN track o ON o.tree = t.tree"
	            " AND o.branch = t.branch WHERE t.id = ?1 AND o.state <> 'ended')))"
	            " ORDER BY a.id");

	db_bind_int(q, 1, track);
	return read_ids(q, p, out, w);
}

enum err store_alert_level(struct db *db, int64_t submission, const char *kernel, const char *board,
                           const char *case_text, const char *metric, double *out, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT base_mean FROM cell WHERE submission_id = ?1 AND kernel = ?2"
	                       " AND board = ?3 AND case_text = ?4 AND metric = ?5");
	enum err e;

	*out = NAN;
	db_bind_int(q, 1, submission);
	db_bind_text(q, 2, kernel);
	db_bind_text(q, 3, board);
	db_bind_text(q, 4, case_text);
	db_bind_text(q, 5, metric);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		*out = opt_num(q, 0);
	db_done(q);
	return e;
}

enum err store_alert_one_env(struct db *db, int64_t one, int64_t other, const char *board, bool *is,
                             struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT count(*) FROM (SELECT DISTINCT b.env_id, b.board_identity"
	                       " FROM submission_boot s JOIN boot b ON b.id = s.boot_id"
	                       " WHERE s.submission_id IN (?1, ?2) AND b.board = ?3 AND b.valid = 1"
	                       " AND b.purpose = 'work') AS envs");
	int64_t envs = 0;
	enum err e;

	db_bind_int(q, 1, one);
	db_bind_int(q, 2, other);
	db_bind_text(q, 3, board);
	e = db_run_int(q, &envs, w);
	*is = envs == 1;
	return e;
}

enum err store_alert_behind(struct db *db, int64_t track, int64_t kernel, int64_t before_ms,
                            bool *is, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT count(*) FROM (SELECT 1 AS one FROM kernel k JOIN track_point x"
	            " ON x.commit_id = k.commit_id JOIN track o ON o.id = x.track_id"
	            " JOIN track t ON t.tree = o.tree AND t.branch = o.branch"
	            " JOIN submission s ON s.id = x.submission_id WHERE k.id = ?2 AND t.id = ?1"
	            " AND o.id <> ?1 AND s.ended_ms <= ?3 LIMIT 1) AS y");
	int64_t n = 0;
	enum err e;

	db_bind_int(q, 1, track);
	db_bind_int(q, 2, kernel);
	db_bind_int(q, 3, before_ms);
	e = db_run_int(q, &n, w);
	*is = n > 0;
	return e;
}

enum err store_alert_backward(struct db *db, int64_t submission, bool *is, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT (SELECT count(*) FROM alert_work WHERE submission_id = ?1)"
	                       " + (SELECT count(*) FROM track_point WHERE submission_id = ?1"
	                       " AND filled = 1)");
	int64_t n = 0;
	enum err e;

	db_bind_int(q, 1, submission);
	e = db_run_int(q, &n, w);
	*is = n > 0;
	return e;
}
