/*
 * bisections_judge.h - what a bisection's submission came to: for bisections_step.c.
 */
#ifndef FOLDWATCH_SERVER_BISECTIONS_JUDGE_H
#define FOLDWATCH_SERVER_BISECTIONS_JUDGE_H

#include "lib/stat/sprt.h"
#include "server/alert_work.h"
#include "server/store_bisect.h"

/* Boots of a step, look by look; 0: they are spent. */
int64_t judge_boots(bool deterministic, int64_t asked);
/* Of the ends. */
int64_t judge_boots_ends(bool deterministic);
/* Of an end that shows a fault now and then, to learn how often. */
#define JUDGE_BOOTS_FAULT 5

enum judged_as {
	JUDGED_GOOD,
	JUDGED_BAD,
	JUDGED_SKIP,  /* it cannot be told, and never will */
	JUDGED_MORE,  /* more boots may tell */
	JUDGED_INFRA, /* to be asked again */
	JUDGED_STOP,  /* somebody cancelled it, or its baseline cannot be had */
};

struct judgement {
	enum judged_as as;
	const char *why; /* always */
	bool midway;
	int64_t used;              /* NONE */
	double llr, level, spread; /* NAN */
	const char *binary;        /* of the commit; NULL: it was not built */
	/* Of the ends alone. */
	const char *good_binary;
	int64_t need;
	double rate;
};

/* The bad side (position 1) of an ended submission against its good one. `alpha`: of each
 * answer. */
enum err judge_ends(struct db *db, struct pool *p, const struct bisection *b, const char *signature,
                    int64_t sub, struct judgement *out, struct why *w);
/* Of the ends that are measured: *why they cannot be told apart by as many boots as a step
 * may have; NULL: they can. */
enum err judge_reach(struct db *db, struct pool *p, const struct bisection *b, double alpha,
                     const char **why, struct why *w);
enum err judge_step(struct db *db, struct pool *p, const struct bisection *b, const char *signature,
                    const struct bisection_step *s, double alpha, struct judgement *out,
                    struct why *w);
enum err judge_proof(struct db *db, struct pool *p, const struct bisection *b,
                     const char *signature, int64_t sub, struct judgement *out, struct why *w);

#endif
