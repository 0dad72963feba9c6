/*
 * store_covariate.h - the evidence of valid runs that has covariates, and what a
 * comparison made of it. Conventions as in store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_COVARIATE_H
#define FOLDWATCH_SERVER_STORE_COVARIATE_H

#include "lib/compare.h"
#include "server/store_util.h"

struct covariate_row {
	int64_t boot, case_id;
	const char *evidence; /* JSON */
};
struct covariate_rows {
	struct covariate_row *at;
	size_t count;
};
/* Of the boots that answer a submission, in order of boot, case, number. */
enum err store_covariate_rows(struct db *db, int64_t submission, struct pool *p,
                              struct covariate_rows *out, struct why *w);

/* One of a comparison's, of those that it counts; and all of them, into one that has its
 * cells. */
enum err store_covariate_add(struct db *db, const struct cmp *c, size_t pos, struct why *w);
enum err store_covariate_load(struct db *db, struct cmp *c, struct why *w);

#endif
