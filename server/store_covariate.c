/* store_covariate.c - SQL for what hardware counted beside the time. */
#include "server/store_covariate.h"

enum err store_covariate_rows(struct db *db, int64_t submission, struct pool *p,
                              struct covariate_rows *out, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "SELECT r.boot_id, r.case_id, r.evidence FROM submission_boot s"
	            " JOIN boot b ON b.id = s.boot_id AND b.metric = 'ns' AND b.valid = 1"
	            " JOIN run r ON r.boot_id = b.id AND r.state = 'valid'"
	            " WHERE s.submission_id = ?1 AND r.evidence LIKE '%\"covariates\"%'"
	            " ORDER BY r.boot_id, r.case_id, r.number");
	enum err e;

	db_bind_int(q, 1, submission);
	while ((e = db_step(q, w)) == OK && db_has_row(q)) {
		struct covariate_row *r =
		        pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at));

		r->boot = db_int(q, 0);
		r->case_id = db_int(q, 1);
		r->evidence = col_str(q, 2, p);
	}
	db_done(q);
	return e;
}

enum err store_covariate_add(struct db *db, const struct cmp *c, size_t pos, struct why *w)
{
	const struct cmp_covariate *x = &c->covariate[pos];
	struct db_stmt *q = db_prepare(db, "INSERT INTO cell_covariate (submission_id, pos, cell,"
	                                   " name, base_mean, mean, change, last_boot) VALUES (?1,"
	                                   " ?2, ?3, ?4, ?5, ?6, ?7, ?8)");

	db_bind_int(q, 1, c->submission);
	db_bind_int(q, 2, (int64_t)pos);
	db_bind_int(q, 3, (int64_t)x->cell);
	db_bind_text(q, 4, x->name);
	bind_num(q, 5, x->base);
	bind_num(q, 6, x->mean);
	bind_num(q, 7, x->change);
	db_bind_int(q, 8, c->last_fact);
	return db_run(q, w);
}

enum err store_covariate_load(struct db *db, struct cmp *c, struct why *w)
{
	struct db_stmt *q = db_prepare(db, "SELECT cell, name, base_mean, mean, change"
	                                   " FROM cell_covariate WHERE submission_id = ?1"
	                                   " ORDER BY pos");
	enum err e;

	db_bind_int(q, 1, c->submission);
	while ((e = db_step(q, w)) == OK && db_has_row(q))
		cmp_add_covariate(c, (size_t)db_int(q, 0), db_text(q, 1), opt_num(q, 2),
		                  opt_num(q, 3), opt_num(q, 4));
	db_done(q);
	return e;
}
