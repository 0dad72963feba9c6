/*
 * bisect.h - which commit is looked at next. Pure: an array in, an index out.
 *
 * Position 0 is the good end, 1 to n the candidates, oldest first; n is bad. One of them is
 * the culprit: what is before it is good, it and what follows is bad. Each has a weight, how
 * suspect it is (a patch that the old stack held as well is less so). The next commit halves
 * the weight that is left, so that as few steps as can be expected are needed. One that
 * cannot be told (it does not build, or does not boot) is passed over, and what is left
 * between is halved by a neighbour; where only such are left, the culprit is one of a range.
 */
#ifndef FOLDWATCH_SERVER_BISECT_H
#define FOLDWATCH_SERVER_BISECT_H

#include <stdbool.h>
#include <stddef.h>

enum bisect_answer { BISECT_OPEN, BISECT_GOOD, BISECT_BAD, BISECT_SKIP };

struct bisect_commit {
	enum bisect_answer answer;
	double weight; /* above 0 */
};

struct bisect_next {
	size_t good, bad; /* positions: the last that is good, the first that is bad */
	size_t test;      /* position of the next step; 0: there is none, the culprit is one of
	                     good + 1 .. bad */
};

/* c[0] is position 1. The bad end counts as bad, whatever stands there. Answers that
 * contradict each other: the first that is bad, and the last good before it, stand. */
struct bisect_next bisect_next(const struct bisect_commit *c, size_t n);

/* Steps that are to be expected from here on, were every commit to be told: the entropy of
 * the weights, rounded up. */
unsigned int bisect_steps(const struct bisect_commit *c, size_t n);

/* Steps of a bisection by halves, whatever the weights: log2 n, rounded up. */
unsigned int bisect_halves(size_t n);

#endif
