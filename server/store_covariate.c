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
