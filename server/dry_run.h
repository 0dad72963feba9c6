/*
 * dry_run.h - what a submission would do and cost, told without storing it.
 *
 *     e = submit_read(&who, p, body, &x, w);       all that can be wrong is found here
 *     e = dry_run(db, p, &x, &d, w);
 *
 * What stands already is found by the keys by which the schedule finds it. A ref that is
 * no commit id is taken to be what it was when it was resolved last. Times are medians of
 * the newest jobs that are like those to come, their range the 10 % and 90 % quantiles:
 *
 *     build       of kernels with this configuration, else of any
 *     boot        on this board with this very plan; else on this board, in seconds for a
 *                 unit of the plan (dry_run.c), with twice the range
 *
 * Without any, a guess, and it is called one.
 */
#ifndef FOLDWATCH_SERVER_DRY_RUN_H
#define FOLDWATCH_SERVER_DRY_RUN_H

#include "server/submit.h"

struct span_s { /* seconds */
	double low, expected, high;
};

struct dry_board {
	const char *name;
	int64_t boots, reused; /* all of them, and those that stand */
	struct span_s each, all;
	const char *basis;
	bool guess;
};

struct dry_run {
	int64_t resolves, builds, known; /* kernels to be built, and those that stand */
	struct span_s build;             /* of all builds, resolves with them */
	const char *basis;
	bool guess;
	struct dry_board *board;
	size_t boards;
	struct span_s total;   /* of agents and boards, added up */
	struct span_s elapsed; /* boards work side by side */
	struct texts notes;
};

enum err dry_run(struct db *db, struct pool *p, const struct wanted *x, struct dry_run *out,
                 struct why *w);
/* docs/api.md's DRY RUN of it; `body` as it came (show_dry_run.c). */
json_t *show_dry_run(const struct wanted *x, const struct dry_run *d, const json_t *body);

#endif
