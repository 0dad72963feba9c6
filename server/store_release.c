/* store_release.c - SQL for tips held against a release. */
#include "server/store_release.h"

static enum err read_one(struct db_stmt *q, struct pool *p, struct release *out, bool *found,
                         struct why *w)
{
	enum err e = db_step(q, w);

	*found = e == OK && db_has_row(q);
	if (*found)
		*out = (struct release){.track = db_int(q, 0),
		                        .position = db_int(q, 1),
		                        .release = col_str(q, 2, p),
		                        .submission = db_int(q, 3)};
	db_done(q);
	return e;
}

enum err store_release_of(struct db *db, int64_t submission, struct pool *p, struct release *out,
                          bool *found, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT t.id, x.position, coalesce(t.release, ''), x.release_id"
	                       " FROM track_point x JOIN track t ON t.id = x.track_id"
	                       " WHERE x.release_id = ?1 ORDER BY x.position DESC LIMIT 1");

	db_bind_int(q, 1, submission);
	return read_one(q, p, out, found, w);
}

enum err store_release_newest(struct db *db, int64_t track, struct pool *p, struct release *out,
                              bool *found, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT t.id, x.position, coalesce(t.release, ''), x.release_id"
	                       " FROM track_point x JOIN track t ON t.id = x.track_id"
	                       " WHERE x.release_id > 0 AND x.track_id = ?1"
	                       " ORDER BY x.release_id DESC LIMIT 1");

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
	            " AND c.position <= ?5 AND c.position > coalesce((SELECT max(t.position + 0)"
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
