/*
 * store_cost.h - how long jobs took that are like those to come.
 * Conventions as in store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_COST_H
#define FOLDWATCH_SERVER_STORE_COST_H

#include "server/store_util.h"

/* Of the newest jobs that were done: how long the agent had each. */
#define COST_JOBS 32

struct cost_job {
	double seconds;
	const char *plan; /* of a boot: its submission's */
};
struct cost_jobs {
	struct cost_job at[COST_JOBS];
	size_t count;
};

/* Of kernels with that configuration; NULL: with any. */
enum err store_cost_builds(struct db *db, const char *config_sha256, struct cost_jobs *out,
                           struct why *w);
/* On that board; with that plan, or NULL: with any. */
enum err store_cost_boots(struct db *db, const char *board, const char *plan, struct pool *p,
                          struct cost_jobs *out, struct why *w);
enum err store_cost_resolves(struct db *db, struct cost_jobs *out, struct why *w);
/* What a ref of a tree was when somebody's kernel was resolved last; NULL: never. */
enum err store_cost_commit(struct db *db, const char *tree, const char *ref, struct pool *p,
                           const char **commit, struct why *w);

#endif
