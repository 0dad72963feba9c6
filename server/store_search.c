/* store_search.c - SQL for the search for the patches of a series that matter. */
#include "server/store_search.h"

enum err store_search_step_add(struct db *db, int64_t sub, const struct search_step *s,
                               int64_t now_ms, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO series_step (submission_id, number, position, low, high, laid,"
	            " at_ms) SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, 0, ?5"
	            " FROM series_step WHERE submission_id = ?1");
	enum err e;

	db_bind_int(q, 1, sub);
	db_bind_int(q, 2, s->position);
	db_bind_int(q, 3, s->low);
	db_bind_int(q, 4, s->high);
	db_bind_int(q, 5, now_ms);
	e = db_run(q, w);
	if (e != OK)
		return e;
	/* Resolving: its relinks are looked up, or built. */
	q = db_prepare(db, "UPDATE submission_kernel SET built_only = 0, searched = 1,"
	                   " state = CASE WHEN (SELECT layouts FROM submission WHERE id = ?1) > 1"
	                   " THEN 'resolving' ELSE state END"
	                   " WHERE submission_id = ?1 AND patches = ?2 AND built_only = 1");
	db_bind_int(q, 1, sub);
	db_bind_int(q, 2, s->position);
	return db_run(q, w);
}

enum err store_search_laid(struct db *db, int64_t sub, int64_t number, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "UPDATE series_step SET laid = 1"
	                                   " WHERE submission_id = ?1 AND number = ?2");

	db_bind_int(q, 1, sub);
	db_bind_int(q, 2, number);
	return db_run(q, w);
}

enum err store_search_steps(struct db *db, int64_t sub, struct pool *p, struct search_steps *out,
                            struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT s.number, s.position, s.low, s.high, s.laid, s.at_ms, k.name,"
	            " (SELECT count(*) FROM job j WHERE j.submission_id = s.submission_id"
	            " AND j.kind = 'boot' AND j.purpose = 'work' AND j.name = k.name"
	            " AND j.state IN ('done', 'failed'))"
	            " FROM series_step s JOIN submission_kernel k"
	            " ON k.submission_id = s.submission_id AND k.patches = s.position"
	            " AND k.searched = 1 WHERE s.submission_id = ?1 ORDER BY s.number");
	enum err e;

	db_bind_int(q, 1, sub);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct search_step *s =
		        pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		*s = (struct search_step){.number = db_int(q, 0),
		                          .position = db_int(q, 1),
		                          .low = db_int(q, 2),
		                          .high = db_int(q, 3),
		                          .laid = db_int(q, 4) != 0,
		                          .at_ms = db_int(q, 5),
		                          .kernel = col_str(q, 6, p),
		                          .boots = db_int(q, 7)};
		out->waiting += !s->laid;
	}
	db_done(q);
	return e;
}

enum err store_search_boots(struct db *db, int64_t sub, struct search_boots *out, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT count(*) FROM job WHERE submission_id = ?1"
	                                   " AND kind = 'boot' AND purpose = 'work'"
	                                   " AND state IN ('done', 'failed')");
	enum err e;

	db_bind_int(q, 1, sub);
	e = db_run_int(q, &out->made, w);
	if (e != OK)
		return e;
	q = db_prepare(db, "SELECT coalesce(max(t.n), 0) FROM (SELECT count(*) AS n"
	                   " FROM submission_boot s JOIN boot b ON b.id = s.boot_id JOIN kernel k"
	                   " ON k.id = b.kernel_id WHERE s.submission_id = ?1"
	                   " GROUP BY coalesce(k.family, k.key)) t");
	db_bind_int(q, 1, sub);
	return db_run_int(q, &out->per_kernel, w);
}

static enum err add_effect(struct db *db, int64_t sub, int64_t last_boot,
                           const struct search_effects *l, size_t pos, struct why *w)
{
	const struct search_effect *x = &l->at[pos];
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO series_effect (submission_id, pos, board, case_text, metric,"
	            " kernel, against, first, last, verdict, change, low, high, why, last_boot)"
	            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)");

	db_bind_int(q, 1, sub);
	db_bind_int(q, 2, (int64_t)pos);
	db_bind_text(q, 3, x->board);
	db_bind_text(q, 4, x->case_text);
	db_bind_text(q, 5, x->metric);
	db_bind_text(q, 6, x->kernel);
	db_bind_text(q, 7, x->against);
	db_bind_int(q, 8, x->first);
	db_bind_int(q, 9, x->last);
	db_bind_text(q, 10, x->verdict);
	bind_num(q, 11, x->change);
	bind_num(q, 12, x->low);
	bind_num(q, 13, x->high);
	db_bind_text(q, 14, x->why);
	db_bind_int(q, 15, last_boot);
	return db_run(q, w);
}

enum err store_search_effects_set(struct db *db, int64_t sub, int64_t last_boot,
                                  const struct search_effects *l, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "DELETE FROM series_effect WHERE submission_id = ?1");
	enum err e;

	db_bind_int(q, 1, sub);
	e = db_run(q, w);
	for (size_t i = 0; e == OK && i < l->count; i++)
		e = add_effect(db, sub, last_boot, l, i, w);
	return e;
}

enum err store_search_effects(struct db *db, int64_t sub, struct pool *p,
                              struct search_effects *out, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT board, case_text, metric, kernel, against, verdict, first,"
	                       " last, change, low, high, why FROM series_effect"
	                       " WHERE submission_id = ?1 ORDER BY pos");
	enum err e;

	db_bind_int(q, 1, sub);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		*(struct search_effect *)pool_push(p, (void **)&out->at, &out->count,
		                                   sizeof(*out->at)) =
		        (struct search_effect){.board = col_str(q, 0, p),
		                               .case_text = col_str(q, 1, p),
		                               .metric = col_str(q, 2, p),
		                               .kernel = col_str(q, 3, p),
		                               .against = col_str(q, 4, p),
		                               .verdict = col_str(q, 5, p),
		                               .first = db_int(q, 6),
		                               .last = db_int(q, 7),
		                               .change = opt_num(q, 8),
		                               .low = opt_num(q, 9),
		                               .high = opt_num(q, 10),
		                               .why = col_str(q, 11, p)};
	db_done(q);
	return e;
}

enum err store_search_clear(struct db *db, struct why *w)
{
	return db_run(db_prepare(db, "DELETE FROM series_effect"), w);
}
