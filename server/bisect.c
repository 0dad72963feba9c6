#include "server/bisect.h"

#include <math.h>

static struct bisect_next bounds(const struct bisect_commit *c, size_t n)
{
	struct bisect_next x = {.bad = n};

	for (size_t i = n; i >= 1; i--)
		if (c[i - 1].answer == BISECT_BAD)
			x.bad = i;
	for (size_t i = 1; i < x.bad; i++)
		if (c[i - 1].answer == BISECT_GOOD)
			x.good = i;
	return x;
}

struct bisect_next bisect_next(const struct bisect_commit *c, size_t n)
{
	struct bisect_next x = bounds(c, n);
	double all = 0, before = 0, best = INFINITY;

	for (size_t i = x.good + 1; i <= x.bad; i++)
		all += c[i - 1].weight;
	/* A test of i tells the culprits up to i from those behind it. */
	for (size_t i = x.good + 1; i < x.bad; i++) {
		double off;

		before += c[i - 1].weight;
		off = fabs(before - all / 2);
		if (c[i - 1].answer == BISECT_OPEN && off < best) {
			best = off;
			x.test = i;
		}
	}
	return x;
}

unsigned int bisect_steps(const struct bisect_commit *c, size_t n)
{
	struct bisect_next x = bounds(c, n);
	double all = 0, bits = 0;

	for (size_t i = x.good + 1; i <= x.bad; i++)
		all += c[i - 1].weight;
	for (size_t i = x.good + 1; i <= x.bad; i++)
		bits -= c[i - 1].weight / all * log2(c[i - 1].weight / all);
	/* Rounding in the sum is no step. */
	return bits > 1e-9 ? (unsigned int)ceil(bits - 1e-9) : 0;
}

unsigned int bisect_halves(size_t n)
{
	unsigned int steps = 0;

	for (size_t left = 1; left < n; left *= 2)
		steps++;
	return steps;
}
