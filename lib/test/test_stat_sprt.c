/* The sequential test of a bisection's steps: known answers, and what it costs and errs. */
#include "lib/stat/sprt.h"
#include "lib/test/simulate.h"

#include "lib/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct sprt_rule rule = {.alpha = .01, .beta = .01, .floor = .001};

static void near(double a, double b, double by)
{
	if (!(fabs(a - b) <= by))
		fail_msg("%.12g is not %.12g", a, b);
}

static void bounds(void **state)
{
	(void)state;
	near(stat_sprt_upper(&rule), log(99), 1e-12);
	near(stat_sprt_lower(&rule), -log(99), 1e-12);
	near(stat_sprt_sure(0), .5, 1e-12);
	near(stat_sprt_sure(log(99)), .99, 1e-12);
	near(stat_sprt_sure(-log(99)), .99, 1e-12);
}

/* y = d exactly, of two phases: sum d^2 / (2 floor^2). */
static void phases(void **state)
{
	const double good[] = {1000, 1100, 1210}, bad[] = {1020, 1122, 1234.2};
	double d = log(1.02), mid[3];
	struct sprt s;

	(void)state;
	s = stat_sprt_phases(good, bad, bad, 2, &rule);
	assert_int_equal(s.answer, SPRT_BAD);
	near(s.llr, 2 * d * d / (2 * .001 * .001), 1e-6);
	near(s.level, 1, 1e-9);
	assert_false(s.between);
	s = stat_sprt_phases(good, bad, good, 2, &rule);
	assert_int_equal(s.answer, SPRT_GOOD);
	near(s.llr, -2 * d * d / (2 * .001 * .001), 1e-6);
	near(s.level, 0, 1e-9);
	/* Half of it is neither, and which half decides. */
	for (size_t i = 0; i < 3; i++)
		mid[i] = good[i] * exp(d * .6);
	s = stat_sprt_phases(good, bad, mid, 3, &rule);
	assert_true(s.between);
	assert_int_equal(s.answer, SPRT_BAD);
	near(s.level, .6, 1e-9);
	for (size_t i = 0; i < 3; i++)
		mid[i] = good[i] * exp(d * .3);
	s = stat_sprt_phases(good, bad, mid, 3, &rule);
	assert_true(s.between);
	assert_int_equal(s.answer, SPRT_GOOD);
	/* What moves the text alone is no part of the change. */
	for (size_t i = 0; i < 3; i++)
		mid[i] = good[i] * 1.0005;
	s = stat_sprt_phases(good, bad, mid, 3, &rule);
	assert_false(s.between);
	assert_int_equal(s.answer, SPRT_GOOD);
	/* A change as small as the floor is not told in two phases. */
	for (size_t i = 0; i < 3; i++)
		mid[i] = good[i] * 1.001;
	s = stat_sprt_phases(good, mid, mid, 2, &rule);
	assert_int_equal(s.answer, SPRT_OPEN);
	near(s.llr, 1, .01);
}

static void boots(void **state)
{
	/* ln: 0, .01, .02 and .1, .11, .12 and .1, .12: SS = .0006, nu = 5 */
	double good[3], bad[3], x[2] = {exp(.1), exp(.12)};
	struct sprt s;
	double v = 1. / 2 + 1. / 3;

	(void)state;
	for (int i = 0; i < 3; i++) {
		good[i] = exp(i * .01);
		bad[i] = exp(.1 + i * .01);
	}
	s = stat_sprt_boots(good, 3, bad, 3, x, 2, &rule);
	near(s.level, 1, 1e-9);
	near(s.llr, -3 * log(.0006 / (.0006 + .01 / v)), 1e-9);
	assert_int_equal(s.answer, SPRT_BAD);
	near(s.sd, sqrt(.0006 / 5), 1e-9);
	{
		struct sprt_rule lucky = rule;

		lucky.shift = .05; /* the change is two of them */
		v += .05 * .05 * 5 / .0006;
		s = stat_sprt_boots(good, 3, bad, 3, x, 2, &lucky);
		near(s.llr, -3 * log(.0006 / (.0006 + .01 / v)), 1e-9);
		assert_int_equal(s.answer, SPRT_OPEN);
	}
	s = stat_sprt_boots(bad, 3, good, 3, x, 2, &rule);
	assert_int_equal(s.answer, SPRT_GOOD);
	near(s.level, 0, 1e-9);
}

static void nothing_to_tell_from(void **state)
{
	const double one[] = {1, 1, 1}, odd[] = {1, 0, 1}, inf[] = {1, INFINITY, 1},
	             two[] = {2, 2, 2};

	(void)state;
	assert_true(isnan(stat_sprt_phases(one, two, one, 0, &rule).llr));
	assert_true(isnan(stat_sprt_phases(one, one, two, 3, &rule).llr));
	assert_true(isnan(stat_sprt_phases(one, odd, one, 3, &rule).llr));
	assert_true(isnan(stat_sprt_phases(one, two, inf, 3, &rule).llr));
	assert_true(isnan(stat_sprt_boots(one, 1, two, 3, one, 3, &rule).llr));
	assert_true(isnan(stat_sprt_boots(one, 3, two, 3, one, 0, &rule).llr));
	assert_true(isnan(stat_sprt_boots(one, 3, one, 3, two, 3, &rule).llr));
	assert_true(isnan(stat_sprt_boots(one, 3, odd, 3, two, 3, &rule).llr));
	assert_int_equal(stat_sprt_boots(one, 3, one, 3, two, 3, &rule).answer, SPRT_OPEN);
}

/* Boots as simulate.h makes them; looks at 3, 6 and 10, as a bisection's step has. */
struct cost {
	int wrong, unsure, between, tries;
	double boots;
};

static struct cost cost_of(gsl_rng *rng, double effect, double truth, size_t ends, int tries)
{
	static const size_t look[] = {3, 6, 10};
	const struct sprt_rule r = {.alpha = .01 / 4, .beta = .01 / 4, .floor = .001};
	struct cost c = {.tries = tries};

	for (int t = 0; t < tries; t++) {
		struct sim_kernel good, bad, x;
		struct sprt s = {0};

		simulate(rng, ends, 0, &good);
		simulate(rng, ends, effect, &bad);
		simulate(rng, SIM_BOOTS_MAX, truth * effect, &x);
		for (size_t i = 0; i < ARRAY_SIZE(look) && s.answer == SPRT_OPEN; i++)
			s = stat_sprt_boots(good.boot, ends, bad.boot, ends, x.boot, look[i], &r);
		c.boots += (double)s.n / tries;
		c.unsure += s.answer == SPRT_OPEN;
		c.between += s.between;
		c.wrong += s.answer != SPRT_OPEN && (s.answer == SPRT_BAD) != (truth > .5);
	}
	return c;
}

static void simulation(void **state)
{
	static const double effect[] = {.01, .015, .02, .03, .05};
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	(void)state;
	gsl_rng_set(rng, 20);
	for (size_t ends = 3; ends <= 10; ends += 7) {
		for (size_t i = 0; i < ARRAY_SIZE(effect); i++) {
			struct cost good = cost_of(rng, effect[i], 0, ends, 2000);
			struct cost bad = cost_of(rng, effect[i], 1, ends, 2000);

			print_message("ends of %zu boots, %.1f %%: wrong %.2f %%, unsure %.1f %%, "
			              "boots %.1f\n",
			              ends, effect[i] * 100, (good.wrong + bad.wrong) / 40.,
			              (good.unsure + bad.unsure) / 40.,
			              (good.boots + bad.boots) / 2);
			/* The ends may be as far off as the boot in question. */
			assert_true(good.wrong + bad.wrong <= (ends == 3 ? 40 : 20));
			if (effect[i] >= .03) {
				assert_true(good.unsure + bad.unsure <= 40);
				assert_true(good.boots + bad.boots <= 10);
			}
		}
	}
	{
		struct cost half = cost_of(rng, .05, .45, 10, 2000);

		print_message("45 %% of 5.0 %%: between %.1f %%, boots %.1f\n", half.between / 20.,
		              half.boots);
		assert_true(half.between >= 1000);
	}
	gsl_rng_free(rng);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(bounds),     cmocka_unit_test(phases),
	        cmocka_unit_test(boots),      cmocka_unit_test(nothing_to_tell_from),
	        cmocka_unit_test(simulation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
