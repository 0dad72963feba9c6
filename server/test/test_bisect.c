/* Which commit is next: halves, weights, what cannot be told, what contradicts. */
#include "server/bisect.h"

#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MAX 600

static struct bisect_commit c[MAX];

static void blank(size_t n)
{
	for (size_t i = 0; i < n; i++)
		c[i] = (struct bisect_commit){.weight = 1};
}

/* Walks to the end; how many steps. skip[i]: position i cannot be told. */
static size_t walk(size_t n, size_t culprit, const bool *skip, struct bisect_next *out)
{
	size_t steps = 0;

	while ((*out = bisect_next(c, n)).test) {
		size_t at = out->test;

		assert_true(at > out->good && at < out->bad);
		assert_int_equal(c[at - 1].answer, BISECT_OPEN);
		c[at - 1].answer = skip && skip[at] ? BISECT_SKIP
		                   : at >= culprit  ? BISECT_BAD
		                                    : BISECT_GOOD;
		steps++;
		assert_true(steps <= n);
	}
	return steps;
}

static void every_culprit_of_every_length(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 70; n++) {
		for (size_t culprit = 1; culprit <= n; culprit++) {
			struct bisect_next x;
			size_t steps;

			blank(n);
			assert_int_equal(bisect_steps(c, n), bisect_halves(n));
			steps = walk(n, culprit, NULL, &x);
			assert_int_equal(x.bad, culprit);
			assert_int_equal(x.good, culprit - 1);
			assert_true(steps <= bisect_halves(n));
		}
	}
	assert_int_equal(bisect_halves(1), 0);
	assert_int_equal(bisect_halves(2), 1);
	assert_int_equal(bisect_halves(12), 4);
	assert_int_equal(bisect_halves(4097), 13);
}

static void one_is_the_culprit_at_once(void **state)
{
	struct bisect_next x;

	(void)state;
	blank(1);
	x = bisect_next(c, 1);
	assert_int_equal(x.test, 0);
	assert_int_equal(x.bad, 1);
	assert_int_equal(bisect_steps(c, 1), 0);
}

/* Whatever cannot be told, the culprit is in what is left, and no commit that could be told
 * is in the range but its last. */
static void skips(void **state)
{
	static bool skip[MAX];

	(void)state;
	srand(7);
	for (int round = 0; round < 3000; round++) {
		size_t n = 1 + (size_t)rand() % 40, culprit = 1 + (size_t)rand() % n;
		struct bisect_next x;

		blank(n);
		for (size_t i = 1; i <= n; i++)
			skip[i] = i < n && rand() % 3 == 0;
		walk(n, culprit, skip, &x);
		assert_true(culprit > x.good && culprit <= x.bad);
		for (size_t i = x.good + 1; i < x.bad; i++)
			assert_true(skip[i]);
	}
	/* A neighbour is tried, and a culprit beside the gap is found for itself. */
	blank(12);
	assert_int_equal(bisect_next(c, 12).test, 6);
	c[5].answer = BISECT_SKIP;
	assert_int_equal(bisect_next(c, 12).test, 5);
	c[4].answer = BISECT_GOOD;
	assert_int_equal(bisect_next(c, 12).test, 8);
}

static void weights(void **state)
{
	struct bisect_next x;
	size_t steps;

	(void)state;
	/* Of a rebased stack the new patches are looked at first. */
	blank(64);
	for (size_t i = 0; i < 64; i++)
		c[i].weight = i == 20 || i == 40 ? 1 : .01;
	assert_int_equal(bisect_steps(c, 64), 3);
	steps = walk(64, 21, NULL, &x);
	assert_int_equal(x.bad, 21);
	assert_true(steps <= 5);
	/* And an old one is found all the same. */
	for (size_t culprit = 1; culprit <= 64; culprit++) {
		blank(64);
		for (size_t i = 0; i < 64; i++)
			c[i].weight = i == 20 || i == 40 ? 1 : .01;
		walk(64, culprit, NULL, &x);
		assert_int_equal(x.bad, culprit);
	}
}

static void contradictions(void **state)
{
	struct bisect_next x;

	(void)state;
	blank(10);
	c[2].answer = BISECT_BAD;
	c[6].answer = BISECT_GOOD;
	x = bisect_next(c, 10);
	assert_int_equal(x.bad, 3);
	assert_int_equal(x.good, 0);
	assert_int_equal(x.test, 1);
	c[9].answer = BISECT_SKIP; /* the bad end is bad */
	c[2].answer = BISECT_OPEN;
	x = bisect_next(c, 10);
	assert_int_equal(x.bad, 10);
	assert_int_equal(x.good, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_culprit_of_every_length),
	        cmocka_unit_test(one_is_the_culprit_at_once),
	        cmocka_unit_test(skips),
	        cmocka_unit_test(weights),
	        cmocka_unit_test(contradictions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
