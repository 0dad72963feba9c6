/* lib/stat/plan: how many boots, and variance by level. Known answers were
 * computed with SciPy 1.10 or by hand. */
#include "lib/mem.h"
#include "lib/stat/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NEAR(got, want) near_(got, want, __LINE__)
static void near_(double got, double want, int line)
{
	if (!(fabs(got - want) <= 1e-9 * fmax(1e-6, fabs(want))))
		fail_msg("line %d: got %.17g, want %.17g", line, got, want);
}

static void detectable_effect(void **state)
{
	(void)state;
	NEAR(stat_detectable(0.005, 5, .95, .8, false), 0.010103140824864283);
	NEAR(stat_detectable(0.005, 10, .95, .8, false), 0.006625403918944226);
	NEAR(stat_detectable(0.01, 6, .95, .9, false), 0.020786471605464454);
	NEAR(stat_detectable(0.002, 8, .95, .8, true), 0.0023056304804858563);
	NEAR(stat_detectable(0, 8, .95, .8, true), 0);
	assert_true(isnan(stat_detectable(0.01, 1, .95, .8, false)));
	assert_true(isnan(stat_detectable(NAN, 5, .95, .8, false)));
	assert_true(isnan(stat_detectable(-1, 5, .95, .8, false)));
}

static void boots_needed(void **state)
{
	(void)state;
	assert_int_equal(stat_boots_needed(0.005, .01, .95, .8, false, 3), 6);
	assert_int_equal(stat_boots_needed(0.005, .01, .95, .9, false, 3), 7);
	assert_int_equal(stat_boots_needed(0.02, .01, .95, .8, false, 3), 65);
	assert_int_equal(stat_boots_needed(0.0005, .01, .95, .8, false, 3), 3);
	assert_int_equal(stat_boots_needed(0.0012, .001, .95, .8, true, 6), 14);
	assert_int_equal(stat_boots_needed(0, .01, .95, .8, false, 3), 3);
	assert_int_equal(stat_boots_needed(0, .01, .95, .8, false, 0), 2);
	assert_int_equal(stat_boots_needed(10, .01, .95, .8, false, 3), -1);
	assert_int_equal(stat_boots_needed(NAN, .01, .95, .8, false, 3), -1);
	assert_int_equal(stat_boots_needed(.01, 0, .95, .8, false, 3), -1);
	assert_int_equal(stat_boots_needed(.01, NAN, .95, .8, false, 3), -1);
}

static void levels_by_hand(void **state)
{
	/* 2 boots x 2 runs x 2 iterations; run means 2 6 | 11 13, boot means 4 12 */
	static const double x[] = {1, 3, 5, 7, 10, 12, 13, 13};
	struct stat_levels l;

	(void)state;
	stat_levels(&(struct stat_design){2, 2, 2, x}, &l);
	NEAR(l.mean, 8);
	NEAR(l.s2[0], (2 + 2 + 2 + 0) / 4.); /* 1.5 */
	NEAR(l.s2[1], (8 + 2) / 2.);         /* 5 */
	NEAR(l.s2[2], 32);
	NEAR(l.t2[0], 1.5);
	NEAR(l.t2[1], 5 - 1.5 / 2);
	NEAR(l.t2[2], 32 - 5 / 2.);
	NEAR(l.var_mean, 32 / 2.); /* the sum telescopes to S_3^2 / R */
}

static void levels_clamped_and_absent(void **state)
{
	/* run means equal: the level between shows less than chance would */
	static const double x[] = {1, 3, 3, 1, 2, 4, 4, 2};
	struct stat_levels l;

	(void)state;
	stat_levels(&(struct stat_design){2, 2, 2, x}, &l);
	assert_true(l.s2[1] == 0);
	assert_true(l.t2[1] == 0);
	stat_levels(&(struct stat_design){4, 1, 2, x}, &l);
	assert_true(isnan(l.s2[1]) && isnan(l.t2[1]) && isnan(l.t2[2]));
	NEAR(l.s2[2], 1 / 3.); /* means 2 2 3 3 */
	NEAR(l.var_mean, 1 / 12.);
	stat_levels(&(struct stat_design){0, 2, 2, x}, &l);
	assert_true(isnan(l.mean) && isnan(l.var_mean));
	stat_levels(&(struct stat_design){1, 1, 1, x}, &l);
	NEAR(l.mean, 1);
	assert_true(isnan(l.var_mean));
}

static void best_repetitions(void **state)
{
	static const double cost[] = {.1, 1, 16};
	struct stat_levels l = {.t2 = {9, 1, 4}};
	size_t it, runs;

	(void)state;
	stat_best_repetitions(&l, cost, 1000, &it, &runs);
	assert_int_equal(it, 10);  /* sqrt(10 * 9) = 9.49 */
	assert_int_equal(runs, 2); /* sqrt(16 / 4) */
	stat_best_repetitions(&l, cost, 5, &it, &runs);
	assert_int_equal(it, 5);
	l.t2[1] = 0; /* runs do not differ: iterations at most, one run */
	stat_best_repetitions(&l, cost, 50, &it, &runs);
	assert_int_equal(it, 50);
	assert_int_equal(runs, 1);
	l.t2[2] = NAN;
	stat_best_repetitions(&l, cost, 50, &it, &runs);
	assert_int_equal(runs, 50);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(detectable_effect), cmocka_unit_test(boots_needed),
	        cmocka_unit_test(levels_by_hand),    cmocka_unit_test(levels_clamped_and_absent),
	        cmocka_unit_test(best_repetitions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
