/* Layouts as a level above boots, with known answers; and what happens to false
 * alarms where layouts differ, simulated with the shipped code: sd of layout 1 %,
 * of boot 0.3 %, equal kernels, a nominal 5 %. */
#include "lib/stat/layout.h"

#include "lib/mem.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 4000, L_MAX = 8, PHASES = 8 };

#define SD_LAYOUT .01
#define SD_BOOT   .003

static void test_floor(void **state)
{
	static const double a[] = {1, 2, 3}, b[] = {5, 5.2}, one[] = {9}, odd[] = {1, NAN};
	struct stat_floor f = {0};

	(void)state;
	assert_true(isnan(stat_floor(&f, 1)));
	stat_floor_add(&f, one, 1);
	stat_floor_add(&f, odd, 2);
	stat_floor_add(&f, NULL, 0);
	assert_true(isnan(stat_floor(&f, 3)));
	stat_floor_add(&f, a, 3);
	stat_floor_add(&f, b, 2);
	assert_float_equal(f.ss, 2.02, 1e-12);
	assert_float_equal(f.df, 3, 0);
	/* t(.975, 3) = 3.182446; s = sqrt(2.02 / 3) */
	assert_float_equal(stat_floor(&f, 1), expm1(3.1824463 * sqrt(2.02 / 3) * sqrt(2)), 1e-6);
	assert_float_equal(stat_floor(&f, 4), expm1(3.1824463 * sqrt(2.02 / 3) * sqrt(.5)), 1e-6);
	assert_true(isnan(stat_floor(&f, 0)));
	/* Layouts that make no difference are a floor of 0, which is known. */
	f = (struct stat_floor){0};
	stat_floor_add(&f, (const double[]){7, 7, 7}, 3);
	assert_true(stat_floor(&f, 3) == 0);
}

static void test_units(void **state)
{
	/* Two boots each of three layouts: values are geometric means. */
	static const double base[] = {100, 100, 110, 110, 120, 120};
	static const double other[] = {110, 110, 121, 121, 132, 132};
	static const double collapsed[] = {100, 110, 120}, raised[] = {110, 121, 132};
	static const int64_t layout[] = {0, 0, 1, 1, 2, 2}, two[] = {0, 0, 0, 1, 1, 1};
	struct stat_rule rule = stat_rule_default();
	struct stat_side b = {.median = base, .n = 6}, o = {.median = other, .n = 6};
	struct stat_side cb = {.median = collapsed, .n = 3}, co = {.median = raised, .n = 3};
	struct stat_result r, expect;

	(void)state;
	assert_int_equal(stat_common_layouts(&b, layout, &o, layout), 3);
	assert_int_equal(stat_common_layouts(&b, layout, &o, two), 2);
	stat_compare_layouts(&b, layout, &o, layout, &rule, &r);
	stat_compare_boots(&cb, &co, &rule, &expect);
	assert_float_equal(r.change, .1, 1e-9);
	assert_float_equal(r.low, expect.low, 1e-9);
	assert_float_equal(r.high, expect.high, 1e-9);
	assert_int_equal(r.base_n, 3);
	assert_int_equal(r.verdict, expect.verdict);
	if (expect.needed > 0)
		assert_int_equal(r.needed, 2 * expect.needed);
	/* Six boots, but of two layouts. */
	stat_compare_layouts(&b, two, &o, two, &rule, &r);
	assert_int_equal(r.verdict, VERDICT_UNSURE);
	assert_true(isnan(r.low));
	assert_non_null(strstr(r.why, "2 layouts of each kernel"));
	/* No boots, and a number without a logarithm. */
	b.n = 0;
	stat_compare_layouts(&b, layout, &o, layout, &rule, &r);
	assert_int_equal(r.verdict, VERDICT_INVALID);
	b = (struct stat_side){.median = (const double[]){100, 0, 1, 1, 1, 1}, .n = 6};
	stat_compare_layouts(&b, layout, &o, layout, &rule, &r);
	assert_int_equal(r.verdict, VERDICT_INVALID);
}

static void test_phases(void **state)
{
	double base[3 * PHASES], other[3 * PHASES];
	int64_t phase[3 * PHASES], layout[3 * PHASES];
	struct stat_side b = {.median = base, .phase = phase, .n = 3 * PHASES};
	struct stat_side o = {.median = other, .phase = phase, .n = 3 * PHASES};
	struct stat_rule rule = stat_rule_default();
	struct stat_result r;
	size_t i;

	(void)state;
	/* Layout l is l % slower for the one and 2l % for the other: 2 % in the mean. */
	for (i = 0; i < 3 * PHASES; i++) {
		phase[i] = (int64_t)i % PHASES;
		layout[i] = (int64_t)i / PHASES;
		base[i] = 1000 * (1 + .001 * (double)phase[i]) * exp(.01 * (double)layout[i]);
		other[i] = base[i] * exp(.01 + .01 * (double)layout[i]);
	}
	stat_compare_phases_layouts(&b, layout, &o, layout, &rule, &r);
	assert_float_equal(r.change, expm1(.02), 1e-9);
	assert_int_equal(r.base_n, PHASES);
	assert_int_equal(r.verdict, VERDICT_SLOWER);
	/* One that only the baseline has does not count. */
	o.n = 2 * PHASES;
	stat_compare_phases_layouts(&b, layout, &o, layout, &rule, &r);
	assert_float_equal(r.change, expm1(.015), 1e-9);
	/* A phase without one of its layouts is left out. */
	o.n = 2 * PHASES - 1;
	stat_compare_phases_layouts(&b, layout, &o, layout, &rule, &r);
	assert_float_equal(r.change, expm1(.015), 1e-9);
	assert_int_equal(r.base_n, PHASES - 1);
	/* None in common; no boots. */
	b.n = PHASES;
	o.median += 2 * PHASES;
	o.n = PHASES;
	stat_compare_phases_layouts(&b, layout, &o, layout + 2 * PHASES, &rule, &r);
	assert_int_equal(r.verdict, VERDICT_INVALID);
	assert_non_null(strstr(r.why, "in all their layouts"));
	o.n = 0;
	stat_compare_phases_layouts(&b, layout, &o, layout, &rule, &r);
	assert_int_equal(r.verdict, VERDICT_INVALID);
}

struct kernel {
	double y[L_MAX * PHASES], ln[L_MAX];
};

/* `boots` in each of `layouts`; phases have no spread of their own but the boot's. */
static void draw(gsl_rng *rng, size_t layouts, size_t boots, struct kernel *k)
{
	for (size_t l = 0; l < layouts; l++) {
		double luck = gsl_ran_gaussian(rng, SD_LAYOUT);

		k->ln[l] = 0;
		for (size_t b = 0; b < boots; b++) {
			double y = 10 + luck + gsl_ran_gaussian(rng, SD_BOOT);

			k->y[l * boots + b] = exp(y);
			k->ln[l] += y / (double)boots;
		}
	}
}

/* How often equal kernels get an interval without 0: boots, and layouts, as units. */
static void noise(gsl_rng *rng, size_t layouts, size_t boots, double *by_boot, double *by_layout)
{
	static struct kernel a, b;
	int64_t layout[L_MAX * PHASES];
	struct stat_rule rule = stat_rule_default();
	struct stat_side sa = {.median = a.y, .n = layouts * boots};
	struct stat_side sb = {.median = b.y, .n = layouts * boots};
	size_t i;

	for (i = 0; i < sa.n; i++)
		layout[i] = (int64_t)(i / boots);
	*by_boot = *by_layout = 0;
	for (i = 0; i < ROUNDS; i++) {
		struct stat_result r;

		draw(rng, layouts, boots, &a);
		draw(rng, layouts, boots, &b);
		stat_compare_boots(&sa, &sb, &rule, &r);
		*by_boot += (r.low > 0 || r.high < 0) / (double)ROUNDS;
		stat_compare_layouts(&sa, layout, &sb, layout, &rule, &r);
		*by_layout += (r.low > 0 || r.high < 0) / (double)ROUNDS;
	}
	print_message("# %zu layouts of %zu boots: boots as the unit %.3f, layouts %.3f\n", layouts,
	              boots, *by_boot, *by_layout);
}

static void test_false_alarms(void **state)
{
	static const struct {
		size_t layouts, boots;
	} plans[] = {{3, 1}, {3, 2}, {3, 3}, {5, 2}, {8, 2}};
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	size_t i;

	(void)state;
	gsl_rng_set(rng, 5);
	for (i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		double boot, layout;

		noise(rng, plans[i].layouts, plans[i].boots, &boot, &layout);
		assert_true(layout < .065);
		if (plans[i].boots == 1)
			assert_float_equal(boot, layout, 1e-9);
		else
			assert_true(boot > .1);
	}
	gsl_rng_free(rng);
}

/* The deterministic board: what layouts leave is no noise to the phases, which
 * alone call nearly every pair of equal kernels different; the floor holds 5 %. */
static void test_floor_alarms(void **state)
{
	static struct kernel a, b;
	static const size_t layouts[] = {1, 2, 3, 8};
	int64_t layout[L_MAX * PHASES], phase[L_MAX * PHASES];
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	size_t i, at;

	(void)state;
	gsl_rng_set(rng, 6);
	for (at = 0; at < sizeof(layouts) / sizeof(layouts[0]); at++) {
		size_t n = layouts[at];
		struct stat_side sa = {.median = a.y, .phase = phase, .n = n * PHASES};
		struct stat_side sb = {.median = b.y, .phase = phase, .n = n * PHASES};
		double without = 0, with = 0;

		for (i = 0; i < n * PHASES; i++) {
			layout[i] = (int64_t)(i / PHASES);
			phase[i] = (int64_t)(i % PHASES);
		}
		for (i = 0; i < ROUNDS; i++) {
			struct stat_rule rule = stat_rule_default();
			struct stat_floor f = {0};
			struct stat_result r;

			draw(rng, n, PHASES, &a);
			draw(rng, n, PHASES, &b);
			rule.tau = .001;
			stat_compare_phases_layouts(&sa, layout, &sb, layout, &rule, &r);
			without += (r.verdict == VERDICT_SLOWER || r.verdict == VERDICT_FASTER) /
			           (double)ROUNDS;
			stat_floor_add(&f, a.ln, n);
			stat_floor_add(&f, b.ln, n);
			rule.tau = stat_tau(.001, stat_floor(&f, n));
			stat_compare_phases_layouts(&sa, layout, &sb, layout, &rule, &r);
			with += (r.verdict == VERDICT_SLOWER || r.verdict == VERDICT_FASTER) /
			        (double)ROUNDS;
		}
		print_message("# %zu layouts in %d phases: without a floor %.3f, with it %.3f\n", n,
		              PHASES, without, with);
		assert_true(without > .5);
		if (n > 1)
			assert_true(with < .065);
		else
			assert_float_equal(with, without,
			                   1e-9); /* none is known: said, not hidden */
	}
	gsl_rng_free(rng);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_floor),        cmocka_unit_test(test_units),
	        cmocka_unit_test(test_phases),       cmocka_unit_test(test_false_alarms),
	        cmocka_unit_test(test_floor_alarms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
