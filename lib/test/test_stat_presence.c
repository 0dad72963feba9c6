/* What showed in some boots: when is it gone? Known answers, and how often it is said too
 * early. */
#include "lib/stat/presence.h"

#include "lib/mem.h"

#include <gsl/gsl_rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include <cmocka.h>

static void near(double a, double b)
{
	if (!(fabs(a - b) <= 1e-12))
		fail_msg("%.17g is not %.17g", a, b);
}

static void chances(void **state)
{
	(void)state;
	near(stat_still_there(1, 1, 0), 1);
	near(stat_still_there(1, 1, 1), .25);   /* .5/2 */
	near(stat_still_there(1, 1, 2), .125);  /* 1.5/3 of it */
	near(stat_still_there(7, 7, 1), .0625); /* .5/8 */
	near(stat_still_there(4, 5, 3), .25 * 2.5 / 7 * 3.5 / 8);
	/* Against the gamma functions that it is a quotient of. */
	near(stat_still_there(1, 5, 31),
	     exp(lgamma(4.5 + 31) - lgamma(4.5) + lgamma(6) - lgamma(6 + 31)));
	assert_true(isnan(stat_still_there(0, 5, 1)));
	assert_true(isnan(stat_still_there(6, 5, 1)));
	assert_true(isnan(stat_still_there(0, 0, 0)));
	/* It ends, however many there are. */
	assert_true(stat_still_there(5, 5, 1000000) < 1e-20);
}

static void boots(void **state)
{
	const struct {
		size_t showed, boots, want;
	} x[] = {
	        {1, 1, 5},
	        {2, 2, 3},
	        {5, 5, 3},
	        {7, 7, 3},
	        {1000, 1000, STAT_GONE_MIN},
	        {4, 5, 3},
	        {3, 7, 8},
	        {2, 7, 15},
	        {1, 5, 31},
	        {1, 7, 43},
	        {2, 21, 47},
	        {1, 30, 190},
	        {1, 40, STAT_GONE_MAX},
	        {1, 100000, STAT_GONE_MAX},
	        {0, 5, 0},
	        {0, 0, 0},
	        {6, 5, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(x); i++) {
		size_t m = stat_gone_after(x[i].showed, x[i].boots);

		if (m != x[i].want)
			fail_msg("%zu of %zu: %zu, not %zu", x[i].showed, x[i].boots, m, x[i].want);
		if (m <= STAT_GONE_MIN || m >= STAT_GONE_MAX)
			continue;
		assert_true(stat_still_there(x[i].showed, x[i].boots, m) < STAT_GONE_CHANCE);
		assert_true(stat_still_there(x[i].showed, x[i].boots, m - 1) >= STAT_GONE_CHANCE);
	}
}

enum { POINT_BOOTS = 7, ROWS = 20, TRACKS = 1000 };

/* A fault that stays, in points of seven boots: `rows` times it shows, and then there is a
 * row without it. How many of them are taken for its end; *once: how many would be where
 * one point without it is an end. The first of them follows from what was looked for, the
 * point that showed it first, and is told apart. */
static size_t called_gone(gsl_rng *rng, double rate, size_t rows, size_t *once)
{
	size_t showed = 0, n = 0, wrong = 0;

	*once = 0;
	for (size_t row = 0; row < rows; row++) {
		size_t without = 0, now = 0, need = 0;
		bool gone = false;

		while (!now) {
			for (size_t i = 0; i < POINT_BOOTS; i++)
				now += gsl_rng_uniform(rng) < rate;
			without += POINT_BOOTS;
			if (now || !showed)
				continue;
			need = need ? need : stat_gone_after(showed, n);
			*once += without == POINT_BOOTS;
			wrong += !gone && without >= need;
			gone |= without >= need;
		}
		/* Before it was ever seen nothing is counted. */
		n += showed ? without : POINT_BOOTS;
		showed += now;
	}
	return wrong;
}

static void too_early(void **state)
{
	const double rate[] = {.05, .1, .2, .3, .5, .8, 1};
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rate); i++) {
		size_t first = 0, wrong = 0, would = 0, once;

		for (size_t t = 0; t < TRACKS; t++)
			first += called_gone(rng, rate[i], 2, &once);
		for (size_t t = 0; t < TRACKS; t++) {
			wrong += called_gone(rng, rate[i], 1 + ROWS, &once);
			would += once;
		}
		print_message("shows in %3.0f %%: %4.1f %% of first rows, %4.1f %% of all are "
		              "taken for its end; by one point without it %4.1f %%\n",
		              rate[i] * 100, 100. * (double)first / TRACKS,
		              100. * (double)wrong / (TRACKS * ROWS),
		              100. * (double)would / (TRACKS * ROWS));
		assert_true((double)first <= .15 * TRACKS);
		assert_true((double)wrong <= .08 * TRACKS * ROWS);
	}
	gsl_rng_free(rng);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(chances),
	        cmocka_unit_test(boots),
	        cmocka_unit_test(too_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
