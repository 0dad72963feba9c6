/*
 * bisect_bed.h - a branch of commits of which one is at fault, for contract tests of
 * re-measuring and bisection.
 *
 *     branch_of(12, 7);                          the seventh of twelve
 *     f->effect = branch_effect;
 *     int64_t sub = branch_measured(f, "\"det\"");
 *     branch_follow(f, sub);                     the submission is a track's point from now on
 *     json_t *b = bisected(f, 1, "done");        works until it has come to that
 */
#ifndef FOLDWATCH_TEST_BISECT_BED_H
#define FOLDWATCH_TEST_BISECT_BED_H

#include "server/test/fake_agent.h"

#define BRANCH_TREE  "https://example.org/linux.git"
#define BRANCH_CASES "\"fork/order=0,size=16M\",\"fork/order=9,size=16M\""

struct branch {
	int commits, culprit;
	int second;   /* where the second half of the change comes; 0: all at once */
	double size;  /* of the change */
	bool rebased; /* all patches but the culprit's and the third were there before */
	int same_as;  /* this one's binary ... */
	int same;     /* ... is what this one builds to; 0: none */
	int point;    /* a point of the track in between, which has no number; 0: none */
	bool walked;  /* that point is what the look before found */
};
extern struct branch branch;

void branch_of(int commits, int culprit);
/* Commit i of 0 (the good end) to `commits`, and its name in the server's own submissions:
 * valid until the sixteenth call after. */
const char *branch_commit(int i);
const char *branch_name(int i);

/* For struct fake. */
double branch_effect(const char *name);
bool branch_bad(const char *name);
const char *branch_binary(const char *name);

/* The bad end against the good one; done when it returns. `more` as fields behind. */
int64_t branch_measured(struct fake *f, const char *boards, const char *more);
/* Makes it a point of a track, with the server stopped meanwhile. */
void branch_follow(struct fake *f, int64_t sub);
/* Answers the open walk of the newest bisection, the same way. */
void branch_walked(struct fake *f);

/* The alert, once a step of it has these words; the fake agent works meanwhile. */
json_t *alert_told(struct fake *f, int64_t alert, const char *words);
/* Its bisection once it is in that state. */
json_t *bisected(struct fake *f, int64_t alert, const char *state);
/* The alert as it is now. */
json_t *alert_now(struct fake *f, int64_t alert);

#endif
