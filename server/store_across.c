/* store_across.c - SQL for environments that a comparison reaches across. */
#include "server/store_across.h"

enum err store_across_add(struct db *db, const struct cmp *c, size_t pos, struct why *w)
{
	const struct cmp_across *x = &c->across[pos];
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO cell_across (submission_id, pos, board, kernel, field, one,"
	            " other, last_boot) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");

	db_bind_int(q, 1, c->submission);
	db_bind_int(q, 2, (int64_t)pos);
	db_bind_text(q, 3, c->board[x->board].name);
	db_bind_text(q, 4, c->kernel[x->kernel].name);
	db_bind_text(q, 5, x->field);
	db_bind_text(q, 6, x->one);
	db_bind_text(q, 7, x->other);
	db_bind_int(q, 8, c->last_fact);
	return db_run(q, w);
}

enum err store_across_load(struct db *db, struct cmp *c, struct why *w)
{
	struct db_stmt *q =
	        db_prepare(db, "SELECT board, kernel, field, one, other FROM cell_across"
	                       " WHERE submission_id = ?1 ORDER BY pos");
	enum err e;

	db_bind_int(q, 1, c->submission);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		cmp_add_across(c, cmp_add_board(c, db_text(q, 0)), cmp_add_kernel(c, db_text(q, 1)),
		               db_text(q, 2), db_text(q, 3), db_text(q, 4));
	db_done(q);
	return e;
}
