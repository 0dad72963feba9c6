/* store_release.c - SQL for tips held against a release. */
#include "server/store_release.h"

enum err store_release_due(struct db *db, struct pool *p, struct releases *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT t.id, p.position, t.release, t.tree, p.commit_id, t.request, t.config,"
	            " t.toolchain, t.submitter, p.submission_id FROM track t JOIN track_point p"
	            " ON p.track_id = t.id AND p.position = (SELECT q.position FROM track_point q"
	            " JOIN comparison c ON c.submission_id = q.submission_id AND c.complete = 1"
	            " WHERE q.track_id = t.id AND q.kind = 'tip' ORDER BY q.position DESC LIMIT 1)"
	            " WHERE t.state = 'active' AND t.release IS NOT NULL AND NOT EXISTS"
	            " (SELECT 1 FROM track_release r WHERE r.track_id = t.id"
	            " AND r.position = p.position AND r.release = t.release) ORDER BY t.id");
	enum err e;

	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*(struct release *)pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)) =
		        (struct release){.track = db_int(q, 0),
		                         .position = db_int(q, 1),
		                         .release = col_str(q, 2, p),
		                         .submission = NONE,
		                         .tree = col_str(q, 3, p),
		                         .commit = col_str(q, 4, p),
		                         .request = col_str(q, 5, p),
		                         .config = col_str(q, 6, p),
		                         .toolchain = col_str(q, 7, p),
		                         .submitter = col_str(q, 8, p),
		                         .own = db_int(q, 9)};
	db_done(q);
	return e;
}

enum err store_release_put(struct db *db, const struct release *r, int64_t now_ms, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "INSERT INTO track_release (track_id, position, release,"
	                                   " submission_id, why, at_ms) VALUES (?1, ?2, ?3, ?4, ?5,"
	                                   " ?6)");

	db_bind_int(q, 1, r->track);
	db_bind_int(q, 2, r->position);
	db_bind_text(q, 3, r->release);
	bind_opt(q, 4, r->submission);
	db_bind_text(q, 5, r->why);
	db_bind_int(q, 6, now_ms);
	return db_run(q, w);
}

static enum err read_one(struct db_stmt *q, struct pool *p, struct release *out, bool *found,
                         struct why *w)
{
	enum err e = db_step(q, w);

	*found = e == OK && db_has_row(q);
	if (*found)
		*out = (struct release){.track = db_int(q, 0),
		                        .position = db_int(q, 1),
		                        .release = col_str(q, 2, p),
		                        .submission = opt_int(q, 3),
		                        .why = col_str(q, 4, p)};
	db_done(q);
	return e;
}

enum err store_release_of(struct db *db, int64_t submission, struct pool *p, struct release *out,
                          bool *found, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT track_id, position, release, submission_id, why"
	                       " FROM track_release WHERE submission_id = ?1");

	db_bind_int(q, 1, submission);
	return read_one(q, p, out, found, w);
}

enum err store_release_newest(struct db *db, int64_t track, struct pool *p, struct release *out,
                              bool *found, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT track_id, position, release, submission_id, why"
	                       " FROM track_release WHERE track_id = ?1 ORDER BY position DESC,"
	                       " at_ms DESC LIMIT 1");

	db_bind_int(q, 1, track);
	return read_one(q, p, out, found, w);
}

enum err store_release_steps(struct db *db, const struct release *r, const char *release_commit,
                             const char *board, const char *case_text, const char *metric,
                             double *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT c.change FROM history h JOIN history_change c ON c.history_id = h.id"
	            " WHERE h.track_id = ?1 AND h.board = ?2 AND h.case_text = ?3"
	            " AND h.metric = ?4 AND c.class = 'step' AND c.change IS NOT NULL"
	            " AND c.position <= ?5 AND c.position > coalesce((SELECT max(t.position)"
	            " FROM track_point t WHERE t.track_id = ?1 AND t.commit_id = ?6"
	            " AND t.position < ?5), 0)");
	enum err e;

	*out = 1;
	db_bind_int(q, 1, r->track);
	db_bind_text(q, 2, board);
	db_bind_text(q, 3, case_text);
	db_bind_text(q, 4, metric);
	db_bind_int(q, 5, r->position);
	db_bind_text(q, 6, release_commit);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*out *= 1 + db_real(q, 0);
	db_done(q);
	return e;
}
