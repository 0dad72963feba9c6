/* store_change.c - SQL for where histories change. */
#include "server/store_history.h"

enum err store_history_phases(struct db *db, const struct history *h, const struct history_point *x,
                              struct pool *p, struct phase_numbers *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT b.phase, avg(r.median), avg(r.mean) FROM submission_boot s JOIN boot b"
	            " ON b.id = s.boot_id JOIN run_stat r ON r.boot_id = b.id JOIN bench_case c"
	            " ON c.id = r.case_id WHERE s.submission_id = ?1 AND b.kernel_id = ?2"
	            " AND b.board = ?3 AND b.env_id = ?4 AND c.text = ?5 AND b.metric = ?6"
	            " AND b.valid = 1 AND b.replicate = 0 AND b.phase IS NOT NULL"
	            " AND NOT EXISTS (SELECT 1 FROM boot_void v WHERE v.submission_id = ?1"
	            " AND v.boot_id = b.id) GROUP BY b.phase ORDER BY b.phase");
	enum err e;

	db_bind_int(q, 1, x->c.submission);
	db_bind_int(q, 2, x->c.kernel);
	db_bind_text(q, 3, h->key.board);
	db_bind_text(q, 4, h->key.env_id);
	db_bind_text(q, 5, h->key.case_text);
	db_bind_text(q, 6, h->key.metric);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*(struct phase_number *)pool_push(p, (void **)&out->at, &out->count,
		                                  sizeof(*out->at)) =
		        (struct phase_number){db_int(q, 0), db_real(q, 1), db_real(q, 2)};
	db_done(q);
	return e;
}

enum err store_change_put(struct db *db, const struct history_change *c, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO history_change (history_id, position, class, before, after,"
	            " change, low, high, score) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
	            " ON CONFLICT (history_id, position) DO UPDATE SET class = ?3, before = ?4,"
	            " after = ?5, change = ?6, low = ?7, high = ?8, score = ?9");

	db_bind_int(q, 1, c->history);
	db_bind_int(q, 2, c->position);
	db_bind_text(q, 3, c->class);
	db_bind_real(q, 4, c->before);
	db_bind_real(q, 5, c->after);
	bind_num(q, 6, c->change);
	bind_num(q, 7, c->low);
	bind_num(q, 8, c->high);
	bind_num(q, 9, c->score);
	return db_run(q, w);
}

enum err store_change_class(struct db *db, int64_t history, int64_t position, const char *class,
                            struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE history_change SET class = ?3"
	                                   " WHERE history_id = ?1 AND position = ?2");

	db_bind_int(q, 1, history);
	db_bind_int(q, 2, position);
	db_bind_text(q, 3, class);
	return db_run(q, w);
}

enum err store_change_drop(struct db *db, int64_t history, int64_t from, int64_t until,
                           struct why *w)
{
	struct db_stmt *q = db_prepare(db, "DELETE FROM history_change WHERE history_id = ?1"
	                                   " AND position >= ?2 AND position <= ?3");

	db_bind_int(q, 1, history);
	db_bind_int(q, 2, from);
	db_bind_int(q, 3, until);
	return db_run(q, w);
}

void history_change_row(struct db_stmt *q, struct pool *p, struct history_change *out)
{
	*out = (struct history_change){.history = db_int(q, 0),
	                               .position = db_int(q, 1),
	                               .class = col_str(q, 2, p),
	                               .before = db_real(q, 3),
	                               .after = db_real(q, 4),
	                               .change = opt_num(q, 5),
	                               .low = opt_num(q, 6),
	                               .high = opt_num(q, 7),
	                               .score = opt_num(q, 8)};
}

static enum err read_changes(struct db_stmt *q, struct pool *p, struct history_changes *out,
                             struct why *w)
{
	enum err e;

	while ((e = db_step(q, w)) == OK && db_has_row(q))
		history_change_row(q, p,
		                   pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)));
	db_done(q);
	return e;
}

enum err store_change_around(struct db *db, int64_t history, int64_t position, int64_t before,
                             int64_t after, struct pool *p, struct history_changes *out,
                             struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT " HISTORY_CHANGE " FROM history_change x"
	                                   " WHERE history_id = ?1 AND position < ?2"
	                                   " ORDER BY position DESC LIMIT ?3");
	enum err e;

	history_bind_around(q, history, position, before);
	e = read_changes(q, p, out, w);
	for (size_t i = 0; i < out->count / 2; i++) {
		struct history_change x = out->at[i];

		out->at[i] = out->at[out->count - 1 - i];
		out->at[out->count - 1 - i] = x;
	}
	if (e != OK)
		return e;
	q = db_prepare(db, "SELECT " HISTORY_CHANGE " FROM history_change x WHERE history_id = ?1"
	                   " AND position >= ?2 ORDER BY position LIMIT ?3");
	history_bind_around(q, history, position, after);
	return read_changes(q, p, out, w);
}
