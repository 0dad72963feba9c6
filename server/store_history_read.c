/* store_history_read.c - SQL for histories as they are shown. */
#include "server/store_history.h"

enum err store_history_faults_put(struct db *db, const struct trackpoint *t, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "DELETE FROM history_fault WHERE track_id = ?1"
	                                   " AND position = ?2");
	enum err e;

	db_bind_int(q, 1, t->track);
	db_bind_int(q, 2, t->position);
	e = db_run(q, w);
	if (e != OK || t->submission == NONE)
		return e;
	q = db_prepare(db, "INSERT INTO history_fault (track_id, board, position, boot_id,"
	                   " submission_id, why, signature) SELECT ?1, x.board, ?2, x.boot_id, ?3,"
	                   " x.why, x.signature FROM cell_thrown x JOIN submission_kernel k"
	                   " ON k.submission_id = x.submission_id AND k.name = x.kernel"
	                   " JOIN comparison m ON m.submission_id = ?3 AND m.complete = 1"
	                   " WHERE x.submission_id = ?3 AND k.commit_id = ?4"
	                   " ON CONFLICT DO NOTHING");
	db_bind_int(q, 1, t->track);
	db_bind_int(q, 2, t->position);
	db_bind_int(q, 3, t->submission);
	db_bind_text(q, 4, t->commit);
	return db_run(q, w);
}

enum err store_history_read(struct db *db, int64_t history, int64_t from, int64_t until,
                            int64_t most, struct pool *p, struct history_showns *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db,
	        "SELECT " HISTORY_POINT ", t.commit_id, (SELECT k.subject FROM submission_kernel k"
	        " WHERE k.submission_id = x.submission_id AND k.kernel_id = x.kernel_id"
	        " ORDER BY k.pos LIMIT 1), t.kind, t.rebased, t.seen_ms FROM history h"
	        " JOIN history_point x ON x.history_id = h.id JOIN track_point t"
	        " ON t.track_id = h.track_id AND t.position = x.position WHERE h.id = ?1"
	        " AND x.position >= ?2 AND x.position <= ?3 ORDER BY x.position DESC LIMIT ?4");
	enum err e;

	db_bind_int(q, 1, history);
	db_bind_int(q, 2, from);
	db_bind_int(q, 3, until);
	db_bind_int(q, 4, most);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct history_shown *x =
		        pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		history_point_row(q, &x->x);
		x->commit = col_str(q, 15, p);
		x->subject = col_str(q, 16, p);
		x->kind = col_str(q, 17, p);
		x->rebased = db_int(q, 18) != 0;
		x->seen_ms = db_int(q, 19);
	}
	db_done(q);
	for (size_t i = 0; i < out->count / 2; i++) {
		struct history_shown x = out->at[i];

		out->at[i] = out->at[out->count - 1 - i];
		out->at[out->count - 1 - i] = x;
	}
	return e;
}

enum err store_history_extent(struct db *db, int64_t history, int64_t from, int64_t until,
                              int64_t most, int64_t *first, int64_t *last, int64_t *n,
                              struct why *w)
{
	/* The two ends are two looks into the key; the count stops at `most`. */
	struct db_stmt *q = db_prepare(
	        db, "SELECT coalesce((SELECT min(position) FROM history_point WHERE history_id = ?1"
	            " AND position >= ?2 AND position <= ?3), 0), coalesce((SELECT max(position)"
	            " FROM history_point WHERE history_id = ?1 AND position >= ?2"
	            " AND position <= ?3), 0), (SELECT count(*) FROM (SELECT 1 AS one"
	            " FROM history_point WHERE history_id = ?1 AND position >= ?2"
	            " AND position <= ?3 LIMIT ?4) AS x)");
	enum err e;

	*first = *last = *n = 0;
	db_bind_int(q, 1, history);
	db_bind_int(q, 2, from);
	db_bind_int(q, 3, until);
	db_bind_int(q, 4, most);
	e = db_step(q, w);
	if (e == OK && db_has_row(q)) {
		*first = db_int(q, 0);
		*last = db_int(q, 1);
		*n = db_int(q, 2);
	}
	db_done(q);
	return e;
}

enum err store_history_bucket(struct db *db, int64_t history, struct history_bucket *b,
                              struct why *w)
{
	bool whole = b->from % HISTORY_BLOCK == 0 && b->until % HISTORY_BLOCK == HISTORY_BLOCK - 1;
	struct db_stmt *q =
	        whole ? db_prepare(db, "SELECT coalesce(sum(points), 0), min(low), max(high),"
	                               " sum(total) / sum(points) FROM history_block"
	                               " WHERE history_id = ?1 AND block >= ?2 AND block <= ?3")
	              : db_prepare(db, "SELECT count(*), min(value), max(value), avg(value)"
	                               " FROM history_point WHERE history_id = ?1"
	                               " AND position >= ?2 AND position <= ?3");
	enum err e;

	db_bind_int(q, 1, history);
	db_bind_int(q, 2, whole ? b->from / HISTORY_BLOCK : b->from);
	db_bind_int(q, 3, whole ? b->until / HISTORY_BLOCK : b->until);
	e = db_step(q, w);
	if (e == OK && db_has_row(q)) {
		b->n = db_int(q, 0);
		b->min = opt_num(q, 1);
		b->max = opt_num(q, 2);
		b->mean = opt_num(q, 3);
	}
	db_done(q);
	return e;
}

enum err store_history_changed(struct db *db, int64_t history, int64_t from, int64_t until,
                               bool outliers, int64_t most, struct pool *p,
                               struct change_showns *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db,
	        "SELECT " HISTORY_CHANGE ", t.commit_id, (SELECT k.subject FROM submission_kernel k"
	        " WHERE k.submission_id = o.submission_id AND k.kernel_id = o.kernel_id"
	        " ORDER BY k.pos LIMIT 1), o.submission_id FROM history_change x JOIN history h"
	        " ON h.id = x.history_id JOIN history_point o ON o.history_id = x.history_id"
	        " AND o.position = x.position JOIN track_point t ON t.track_id = h.track_id"
	        " AND t.position = x.position WHERE x.history_id = ?1 AND x.position >= ?2"
	        " AND x.position <= ?3 AND (?4 = 1 OR x.class <> 'outlier')"
	        " ORDER BY x.position DESC LIMIT ?5");
	enum err e;

	db_bind_int(q, 1, history);
	db_bind_int(q, 2, from);
	db_bind_int(q, 3, until);
	db_bind_int(q, 4, outliers);
	db_bind_int(q, 5, most);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct change_shown *x =
		        pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		history_change_row(q, p, &x->x);
		x->commit = col_str(q, 9, p);
		x->subject = col_str(q, 10, p);
		x->submission = db_int(q, 11);
	}
	db_done(q);
	return e;
}

enum err store_history_faults(struct db *db, int64_t track, const char *board, int64_t from,
                              int64_t until, int64_t most, struct pool *p,
                              struct history_faults *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT f.position, f.boot_id, f.submission_id, t.commit_id,"
	            " (SELECT k.subject FROM submission_kernel k WHERE k.submission_id ="
	            " f.submission_id AND k.commit_id = t.commit_id ORDER BY k.pos LIMIT 1), f.why,"
	            " f.signature FROM history_fault f JOIN track_point t ON t.track_id ="
	            " f.track_id AND t.position = f.position WHERE f.track_id = ?1"
	            " AND f.board = ?2 AND f.position >= ?3 AND f.position <= ?4"
	            " ORDER BY f.position DESC, f.boot_id DESC LIMIT ?5");
	enum err e;

	db_bind_int(q, 1, track);
	db_bind_text(q, 2, board);
	db_bind_int(q, 3, from);
	db_bind_int(q, 4, until);
	db_bind_int(q, 5, most);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*(struct history_fault *)pool_push(p, (void **)&out->at, &out->count,
		                                   sizeof(*out->at)) =
		        (struct history_fault){.position = db_int(q, 0),
		                               .boot = db_int(q, 1),
		                               .submission = db_int(q, 2),
		                               .commit = col_str(q, 3, p),
		                               .subject = col_str(q, 4, p),
		                               .why = col_str(q, 5, p),
		                               .signature = col_str(q, 6, p)};
	db_done(q);
	return e;
}
