/* The pool: its prior from kernels drawn with a known one, and what it does to
 * a comparison. */
#include "lib/mem.h"
#include "lib/stat/pool.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sf_psi.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void trigamma_is_inverted(void **state)
{
	(void)state;
	/* psi'(1) = pi^2 / 6, psi'(2) = pi^2 / 6 - 1, psi'(1/2) = pi^2 / 2 */
	assert_true(fabs(stat_trigamma_inverse(M_PI * M_PI / 6) - 1) < 1e-9);
	assert_true(fabs(stat_trigamma_inverse(M_PI * M_PI / 6 - 1) - 2) < 1e-9);
	assert_true(fabs(stat_trigamma_inverse(M_PI * M_PI / 2) - .5) < 1e-9);
	for (double y = 1e-2; y < 1e5; y *= 3)
		assert_true(fabs(stat_trigamma_inverse(gsl_sf_psi_1(y)) / y - 1) < 1e-6);
}

/* Variances of n kernels with `df` each, of a prior (d0, s0^2); d0 0: all alike. */
static void draw(gsl_rng *rng, double *s2, double *dfs, size_t n, double df, double d0, double s02)
{
	for (size_t i = 0; i < n; i++) {
		double sigma2 = d0 > 0 ? d0 * s02 / gsl_ran_chisq(rng, d0) : s02;

		s2[i] = sigma2 * gsl_ran_chisq(rng, df) / df;
		dfs[i] = df;
	}
}

static void a_known_prior_is_found(void **state)
{
	enum { N = 20000 };
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	double *s2 = xcalloc(N, sizeof(*s2)), *df = xcalloc(N, sizeof(*df));
	struct stat_pool p;

	(void)state;
	gsl_rng_set(rng, 2004);
	draw(rng, s2, df, N, 4, 8, 2.5e-5);
	p = stat_pool(s2, df, N);
	assert_int_equal(p.kernels, N);
	assert_true(p.df > 7 && p.df < 9);
	assert_true(fabs(p.s2 / 2.5e-5 - 1) < .03);
	/* all alike: as many df as are allowed */
	draw(rng, s2, df, N, 2, 0, 4e-6);
	p = stat_pool(s2, df, N);
	assert_true(p.df == STAT_POOL_DF_MAX);
	assert_true(fabs(p.s2 / 4e-6 - 1) < .03);
	free(s2);
	free(df);
	gsl_rng_free(rng);
}

static void what_tells_nothing_is_left_out(void **state)
{
	double s2[] = {1e-5, 0, NAN, 2e-5, -1, 1.5e-5, INFINITY, 3e-5};
	double df[] = {2, 2, 2, 2, 2, 2, 2, 0};
	struct stat_pool p = stat_pool(s2, df, ARRAY_SIZE(s2));

	(void)state;
	assert_int_equal(p.kernels, 3);
	assert_true(isfinite(p.s2) && p.df > 0);
	p = stat_pool(s2, df, 5);
	assert_int_equal(p.kernels, 2);
	assert_true(isnan(p.s2) && p.df == 0);
	p = stat_pool(NULL, NULL, 0);
	assert_true(isnan(p.s2) && p.df == 0);
}

static void never_below_the_own(void **state)
{
	const struct stat_pool p = {.s2 = 4e-6, .df = 10, .kernels = 9};
	const struct stat_pool none = {.s2 = NAN, .df = 0, .kernels = 2};
	double s2, df;
	bool used;

	(void)state;
	stat_pooled(&p, 1e-6, 2, &s2, &df, &used);
	assert_true(used && df == 12);
	assert_true(fabs(s2 - 42e-6 / 12) < 1e-18);
	stat_pooled(&p, 9e-6, 2, &s2, &df, &used);
	assert_true(!used && df == 2 && s2 == 9e-6);
	stat_pooled(&none, 9e-6, 2, &s2, &df, &used);
	assert_true(!used && df == 2 && s2 == 9e-6);
}

static void a_comparison_with_a_pool(void **state)
{
	const double base[] = {1000, 1001, 1000.5}, other[] = {1020, 1021.5, 1019.5};
	const struct stat_pool p = {.s2 = 25e-6, .df = 20, .kernels = 9};
	struct stat_side b = {.median = base, .n = 3}, o = {.median = other, .n = 3};
	struct stat_rule rule = stat_rule_default();
	struct stat_result own, pooled;

	(void)state;
	stat_compare_boots(&b, &o, &rule, &own);
	rule.pool = &p;
	stat_compare_boots(&b, &o, &rule, &pooled);
	assert_true(own.change == pooled.change);
	assert_false(own.pooled);
	assert_true(pooled.pooled);
	/* (20 * 25e-6 + 2 * s2) / 22 for both, over 3 boots each */
	assert_true(fabs(pooled.se - sqrt(2. / 3 * 25e-6 * 20 / 22)) < 2e-5);
	assert_true(fabs(pooled.df - 44) < .1);
	assert_true(pooled.low < own.low);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(trigamma_is_inverted),
	        cmocka_unit_test(a_known_prior_is_found),
	        cmocka_unit_test(what_tells_nothing_is_left_out),
	        cmocka_unit_test(never_below_the_own),
	        cmocka_unit_test(a_comparison_with_a_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
