/* store_point.c - SQL for the points of tracks. */
#include "server/store_track.h"

#include "lib/mem.h"

/* The kernel of a point's submission that is its commit, and the baseline there. */
#define POINT                                                                                \
	"SELECT x.position, x.commit_id, x.kind, x.walk_id, x.walk_position, x.rebased,"     \
	" x.filled, x.submission_id, x.release_id, x.note, x.seen_ms,"                       \
	" coalesce(c.subject, k.subject), c.author, s.state, s.ended_ms, k.name,"            \
	" CASE WHEN b.pos <> k.pos THEN b.name END,"                                         \
	" CASE WHEN b.pos <> k.pos THEN coalesce(b.commit_id, b.ref) END,"                   \
	" kk.section_hash, CASE WHEN b.pos <> k.pos THEN bk.section_hash END, s.why"         \
	" FROM track_point x"                                                                \
	" LEFT JOIN walk_commit c ON c.walk_id = x.walk_id AND c.position = x.walk_position" \
	" LEFT JOIN submission s ON s.id = x.submission_id"                                  \
	" LEFT JOIN submission_kernel k ON k.submission_id = s.id AND k.ref = x.commit_id"   \
	" AND k.validates IS NULL"                                                           \
	" LEFT JOIN submission_kernel b ON b.submission_id = s.id AND b.pos = s.baseline"    \
	" LEFT JOIN kernel kk ON kk.id = k.kernel_id LEFT JOIN kernel bk ON bk.id = b.kernel_id"

static void point_row(struct db_stmt *q, struct pool *p, struct track_point *x)
{
	const char *own = col_str(q, 18, p), *base = col_str(q, 19, p);

	*x = (struct track_point){.position = db_int(q, 0),
	                          .commit = col_str(q, 1, p),
	                          .kind = col_str(q, 2, p),
	                          .walk = db_int(q, 3),
	                          .walk_position = opt_int(q, 4),
	                          .rebased = db_int(q, 5) != 0,
	                          .filled = db_int(q, 6) != 0,
	                          .submission = opt_int(q, 7),
	                          .release = opt_int(q, 8),
	                          .note = col_str(q, 9, p),
	                          .seen_ms = db_int(q, 10),
	                          .subject = col_str(q, 11, p),
	                          .author = col_str(q, 12, p),
	                          .sub_state = col_str(q, 13, p),
	                          .ended_ms = opt_int(q, 14),
	                          .name = col_str(q, 15, p),
	                          .base_name = col_str(q, 16, p),
	                          .base_commit = col_str(q, 17, p),
	                          .sub_why = col_str(q, 20, p),
	                          .hashed = own && base,
	                          .same = own && str_eq(own, base)};
}

/* What lies before a point that came, and before the one behind it: it may only shrink. */
static enum err measure_holes(struct db *db, int64_t track, int64_t position, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "UPDATE track_point SET hole = (SELECT count(*) FROM walk_commit c"
	            " WHERE c.walk_id = track_point.walk_id AND c.mainline = 1"
	            " AND c.position < track_point.walk_position AND c.position >"
	            " track_point.walk_position - track_point.position + (SELECT max(o.position)"
	            " FROM track_point o WHERE o.track_id = ?1"
	            " AND o.position < track_point.position))"
	            " WHERE track_id = ?1 AND rebased = 0 AND (position = ?2 OR position ="
	            " (SELECT min(n.position) FROM track_point n WHERE n.track_id = ?1"
	            " AND n.position > ?2))");

	db_bind_int(q, 1, track);
	db_bind_int(q, 2, position);
	return db_run(q, w);
}

enum err store_point_add(struct db *db, int64_t track, const struct track_point *x, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO track_point (track_id, position, commit_id, kind, walk_id,"
	            " walk_position, rebased, filled, note, seen_ms, submission_id)"
	            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
	enum err e;

	db_bind_int(q, 1, track);
	db_bind_int(q, 2, x->position);
	db_bind_text(q, 3, x->commit);
	db_bind_text(q, 4, x->kind);
	db_bind_int(q, 5, x->walk);
	bind_opt(q, 6, x->walk_position);
	db_bind_int(q, 7, x->rebased);
	db_bind_int(q, 8, x->filled);
	db_bind_text(q, 9, x->note);
	db_bind_int(q, 10, x->seen_ms);
	bind_opt(q, 11, x->submission);
	e = db_run(q, w);
	return e == OK ? measure_holes(db, track, x->position, w) : e;
}

static enum err read_points(struct db_stmt *q, struct pool *p, struct track_points *out,
                            struct why *w)
{
	enum err e;

	while ((e = db_step(q, w)) == OK && db_has_row(q))
		point_row(q, p, pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)));
	db_done(q);
	return e;
}

static enum err read_one(struct db_stmt *q, struct pool *p, struct track_point *out, struct why *w)
{
	enum err e = db_step(q, w);

	*out = (struct track_point){.position = NONE};
	if (e == OK && db_has_row(q))
		point_row(q, p, out);
	db_done(q);
	return e;
}

enum err store_point_list(struct db *db, int64_t track, int64_t before, int64_t limit,
                          struct pool *p, struct track_points *out, struct why *w)
{
	struct db_stmt *q = db_prepare(db, POINT " WHERE x.track_id = ?1 AND x.position < ?2"
	                                         " ORDER BY x.position DESC LIMIT ?3");

	db_bind_int(q, 1, track);
	db_bind_int(q, 2, before);
	db_bind_int(q, 3, limit);
	return read_points(q, p, out, w);
}

enum err store_point_count(struct db *db, int64_t track, int64_t *count, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT count(*) FROM track_point WHERE track_id = ?1");

	db_bind_int(q, 1, track);
	return db_run_int(q, count, w);
}

enum err store_point_waiting(struct db *db, int64_t track, int64_t limit, struct pool *p,
                             struct track_points *out, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, POINT " WHERE x.track_id = ?1 AND x.submission_id IS NULL"
	                             " ORDER BY x.position LIMIT ?2");

	db_bind_int(q, 1, track);
	db_bind_int(q, 2, limit);
	return read_points(q, p, out, w);
}

enum err store_point_before(struct db *db, int64_t track, int64_t position, bool measured,
                            struct pool *p, struct track_point *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, POINT " WHERE x.track_id = ?1 AND x.position < ?2 AND (?3 = 0 OR EXISTS"
	                  " (SELECT 1 FROM cell n WHERE n.submission_id = x.submission_id AND"
	                  " n.kernel = k.name AND n.mean IS NOT NULL))"
	                  " ORDER BY x.position DESC LIMIT 1");

	db_bind_int(q, 1, track);
	db_bind_int(q, 2, position);
	db_bind_int(q, 3, measured);
	return read_one(q, p, out, w);
}

enum err store_point_submit(struct db *db, int64_t track, int64_t position, int64_t sub,
                            struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE track_point SET submission_id = ?3"
	                                   " WHERE track_id = ?1 AND position = ?2");

	db_bind_int(q, 1, track);
	db_bind_int(q, 2, position);
	db_bind_int(q, 3, sub);
	return db_run(q, w);
}

enum err store_point_release(struct db *db, int64_t track, int64_t position, int64_t sub,
                             struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE track_point SET release_id = ?3"
	                                   " WHERE track_id = ?1 AND position = ?2");

	db_bind_int(q, 1, track);
	db_bind_int(q, 2, position);
	db_bind_int(q, 3, sub);
	return db_run(q, w);
}

enum err store_point_filled(struct db *db, int64_t track, int64_t since_ms, int64_t *count,
                            struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT count(*) FROM track_point WHERE track_id = ?1"
	                                   " AND filled = 1 AND seen_ms > ?2");

	db_bind_int(q, 1, track);
	db_bind_int(q, 2, since_ms);
	return db_run_int(q, count, w);
}

enum err store_point_idle(struct db *db, int64_t track, int64_t since_ms, bool *idle, struct why *w)
{
	/* From what is open, which is little, to its points, of which there are many: CROSS
	 * JOIN keeps that order. */
	struct db_stmt *q = db_prepare(
	        db, "SELECT CASE WHEN EXISTS (SELECT 1 FROM track_point x"
	            " WHERE x.submission_id IS NULL AND x.track_id = ?1)"
	            " OR EXISTS (SELECT 1 FROM submission s CROSS JOIN track_point x"
	            " WHERE s.ended_ms IS NULL AND x.submission_id = s.id AND x.track_id = ?1)"
	            " THEN 0 WHEN EXISTS (SELECT 1 FROM submission_board b"
	            " WHERE b.submission_id = (SELECT x.submission_id FROM track_point x"
	            " WHERE x.track_id = ?1 ORDER BY x.position DESC LIMIT 1)"
	            " AND (EXISTS (SELECT 1 FROM job j WHERE j.board = b.board"
	            " AND j.state IN ('queued', 'leased'))"
	            " OR EXISTS (SELECT 1 FROM job j JOIN submission_board o"
	            " ON o.submission_id = j.submission_id AND o.board = b.board"
	            " WHERE j.state = 'leased' AND j.board IS NULL)"
	            " OR EXISTS (SELECT 1 FROM submission s CROSS JOIN submission_board o"
	            " CROSS JOIN track_point f WHERE s.ended_ms IS NULL AND s.created_ms > ?2"
	            " AND o.submission_id = s.id AND o.board = b.board"
	            " AND f.submission_id = s.id AND f.filled = 1))) THEN 0 ELSE 1 END");
	int64_t is = 0;
	enum err e;

	db_bind_int(q, 1, track);
	db_bind_int(q, 2, since_ms);
	e = db_run_int(q, &is, w);
	*idle = is != 0;
	return e;
}

enum err store_point_hole(struct db *db, int64_t track, struct pool *p, struct track_point *out,
                          struct why *w)
{
	/* Of a point and the one before it, both found by one walk or the later by the next:
	 * what lies between are commits of the later's walk. The largest is an index's end; only
	 * its own commits are read. */
	struct db_stmt *q = db_prepare(
	        db, "SELECT b.position - b.walk_position + c.position, c.commit_id, b.walk_id,"
	            " c.position FROM (SELECT h.track_id, h.position, h.walk_id, h.walk_position,"
	            " h.position - (SELECT max(o.position) FROM track_point o"
	            " WHERE o.track_id = h.track_id AND o.position < h.position) AS apart"
	            " FROM track_point h WHERE h.track_id = ?1 AND h.hole > 0"
	            " ORDER BY h.hole DESC, h.position DESC LIMIT 1) AS b"
	            " JOIN walk_commit c ON c.walk_id = b.walk_id AND c.mainline = 1"
	            " AND c.position < b.walk_position AND c.position > b.walk_position - b.apart"
	            " ORDER BY abs(2 * c.position - 2 * b.walk_position + b.apart), c.position"
	            " LIMIT 1");
	enum err e;

	*out = (struct track_point){.position = NONE};
	db_bind_int(q, 1, track);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		*out = (struct track_point){.position = db_int(q, 0),
		                            .commit = col_str(q, 1, p),
		                            .kind = "commit",
		                            .walk = db_int(q, 2),
		                            .walk_position = db_int(q, 3),
		                            .filled = true,
		                            .submission = NONE,
		                            .release = NONE};
	db_done(q);
	return e;
}

enum err store_point_unreleased(struct db *db, int64_t track, struct pool *p,
                                struct track_point *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, POINT " WHERE x.track_id = ?1 AND x.position = (SELECT o.position"
	                  " FROM track_point o JOIN submission d ON d.id = o.submission_id"
	                  " WHERE o.track_id = ?1 AND o.kind = 'tip' AND d.state = 'done'"
	                  " ORDER BY o.position DESC LIMIT 1)"
	                  " AND x.release_id IS NULL");

	db_bind_int(q, 1, track);
	return read_one(q, p, out, w);
}

enum err store_point_times(struct db *db, int64_t track, struct point_times *out, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT s.ended_ms, s.ended_ms - x.seen_ms FROM track_point x"
	                       " JOIN submission s ON s.id = x.submission_id WHERE x.track_id = ?1"
	                       " AND x.filled = 0 AND x.kind <> 'base' AND s.ended_ms IS NOT NULL"
	                       " ORDER BY x.position DESC LIMIT ?2");
	enum err e;

	/* They are measured one after another: the newest are the last that ended. */
	*out = (struct point_times){.last_ms = NONE, .oldest_ms = NONE};
	db_bind_int(q, 1, track);
	db_bind_int(q, 2, (int64_t)ARRAY_SIZE(out->took_ms));
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		if (!out->count)
			out->last_ms = db_int(q, 0);
		out->took_ms[out->count++] = db_int(q, 1);
	}
	db_done(q);
	if (e != OK)
		return e;
	q = db_prepare(db, "SELECT min(x.seen_ms) FROM track_point x LEFT JOIN submission s"
	                   " ON s.id = x.submission_id WHERE x.track_id = ?1 AND x.filled = 0"
	                   " AND s.ended_ms IS NULL AND x.position > coalesce((SELECT o.position"
	                   " FROM track_point o JOIN submission d ON d.id = o.submission_id"
	                   " WHERE o.track_id = ?1 AND o.filled = 0 AND d.ended_ms IS NOT NULL"
	                   " ORDER BY o.position DESC LIMIT 1), 0)");
	db_bind_int(q, 1, track);
	e = db_step(q, w);
	if (e == OK && db_has_row(q))
		out->oldest_ms = opt_int(q, 0);
	db_done(q);
	return e;
}

enum err store_point_verdicts(struct db *db, int64_t sub, const char *kernel,
                              store_verdict_fn *each, void *ctx, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT verdict, count(*) FROM cell"
	                                   " WHERE submission_id = ?1 AND kernel = ?2"
	                                   " GROUP BY verdict ORDER BY verdict");
	enum err e;

	db_bind_int(q, 1, sub);
	db_bind_text(q, 2, kernel);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		each(ctx, db_text(q, 0), db_int(q, 1));
	db_done(q);
	return e;
}

/* "+ 0": from the open alerts of faults to their points, not from all points. */
enum err store_point_quiet(struct db *db, int64_t track, int64_t points, struct pool *p,
                           struct quiet_cells *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "WITH newest AS (SELECT h.board, h.case_text, max((SELECT max(x.position)"
	            " FROM history_point x WHERE x.history_id = h.id)) AS position FROM history h"
	            " WHERE h.track_id = ?1 AND h.points > 0 GROUP BY h.board, h.case_text)"
	            " SELECT n.board, n.case_text, (SELECT count(*) FROM track_point t"
	            " JOIN submission s ON s.id = t.submission_id WHERE t.track_id = ?1"
	            " AND t.position > n.position AND t.kind <> 'base' AND s.state = 'done')"
	            " AS behind FROM newest n WHERE NOT EXISTS (SELECT 1 FROM alert a"
	            " WHERE a.kind = 'fault' AND a.state IN ('new', 'confirmed', 'acknowledged')"
	            " AND EXISTS (SELECT 1 FROM track_point t WHERE t.submission_id ="
	            " a.submission_id AND t.track_id + 0 = ?1)) ORDER BY behind DESC, n.board,"
	            " n.case_text");
	enum err e;

	*out = (struct quiet_cells){0};
	db_bind_int(q, 1, track);
	while ((e = db_step(q, w)) == OK && db_has_row(q) && db_int(q, 2) >= points) {
		if (!out->count++) {
			out->board = col_str(q, 0, p);
			out->case_text = col_str(q, 1, p);
			out->points = db_int(q, 2);
		}
	}
	db_done(q);
	return e;
}
