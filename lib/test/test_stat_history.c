/* Change points: the segmentation against trying every cut, and what the whole
 * says of series whose truth is known. */
#include "lib/mem.h"
#include "lib/stat/history.h"
#include "lib/stat/segment.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static gsl_rng *rng;

static int setup(void **state)
{
	(void)state;
	rng = gsl_rng_alloc(gsl_rng_mt19937);
	gsl_rng_set(rng, 20250610);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	gsl_rng_free(rng);
	return 0;
}

/* ---- the segmentation */

/* Sum of squares by its definition. */
static double sse(const double *y, size_t from, size_t until)
{
	double mean = 0, sum = 0;

	for (size_t i = from; i < until; i++)
		mean += y[i] / (double)(until - from);
	for (size_t i = from; i < until; i++)
		sum += (y[i] - mean) * (y[i] - mean);
	return sum;
}

/* Optimal partitioning, every place tried. */
static double best_cost(const double *y, size_t n, double penalty, size_t least)
{
	double *f = xcalloc(n + 1, sizeof(*f)), cost;

	for (size_t t = 1; t <= n; t++) {
		f[t] = INFINITY;
		for (size_t s = 0; s + least <= t; s++) {
			double c = sse(y, s, t) + f[s] + (s ? penalty : 0);

			f[t] = c < f[t] ? c : f[t];
		}
	}
	cost = f[n];
	free(f);
	return cost;
}

static double cost_of(const double *y, size_t n, double penalty, const size_t *cut, size_t cuts)
{
	double c = penalty * (double)cuts;

	for (size_t i = 0; i <= cuts; i++)
		c += sse(y, i ? cut[i - 1] : 0, i < cuts ? cut[i] : n);
	return c;
}

static void segmentation_is_the_best(void **state)
{
	(void)state;
	for (int turn = 0; turn < 400; turn++) {
		double y[80], level = 0, penalty = .5 + 12 * gsl_rng_uniform(rng);
		size_t n = 2 + gsl_rng_uniform_int(rng, 79), cut[80], cuts, from = 0;
		size_t least = 1 + gsl_rng_uniform_int(rng, 5);

		for (size_t i = 0; i < n; i++) {
			if (gsl_rng_uniform(rng) < .1)
				level = 5 * gsl_rng_uniform(rng);
			y[i] = level + gsl_ran_gaussian(rng, turn % 4 ? 1 : 0);
			if (turn % 5 == 0) /* ties */
				y[i] = round(y[i]);
		}
		cuts = stat_segment(y, n, penalty, least, cut);
		for (size_t i = 0; i <= cuts; i++) {
			size_t until = i < cuts ? cut[i] : n;

			assert_true(cuts == 0 || until - from >= least);
			from = until;
		}
		if (n < 2 * least)
			assert_int_equal(cuts, 0);
		else
			assert_true(fabs(cost_of(y, n, penalty, cut, cuts) -
			                 best_cost(y, n, penalty, least)) < 1e-8);
	}
}

static void sums_are_those_of_the_points(void **state)
{
	double y[] = {1e6 + 1, 1e6 + 3, 1e6 + 5, 1e6 + 4}, slope;
	struct stat_sums s;

	(void)state;
	stat_sums_make(&s, y, 4);
	assert_true(fabs(stat_sums_mean(&s, 0, 3) - (1e6 + 3)) < 1e-9);
	assert_true(fabs(stat_sums_sse(&s, 0, 3) - 8) < 1e-9);
	assert_true(stat_sums_line(&s, 0, 3, &slope) < 1e-9);
	assert_true(fabs(slope - 2) < 1e-9);
	stat_sums_release(&s);
}

/* ---- series */

static void noise(double *x, size_t n, double level, double sd)
{
	for (size_t i = 0; i < n; i++)
		x[i] = level * exp(gsl_ran_gaussian(rng, sd));
}

static void a_step_is_found_where_it_is(void **state)
{
	struct stat_history h;
	double x[200];

	(void)state;
	noise(x, 120, 1000, .005);
	noise(x + 120, 80, 1050, .005);
	stat_history(x, 200, .01, &h);
	assert_int_equal(h.changes, 1);
	assert_int_equal(h.change[0].index, 120);
	assert_true(fabs(h.change[0].before / 1000 - 1) < .002);
	assert_true(fabs(h.change[0].after / 1050 - 1) < .002);
	assert_true(fabs(h.change[0].change - .05) < .003);
	assert_true(h.change[0].score < 1e-6);
	assert_false(h.change[0].transient);
	assert_int_equal(h.class, CLASS_STEP);
	assert_false(h.suspected);
	stat_history_release(&h);
}

static void below_the_threshold_is_no_change(void **state)
{
	struct stat_history h;
	double x[200];

	(void)state;
	noise(x, 100, 1000, .0005);
	noise(x + 100, 100, 1006, .0005);
	stat_history(x, 200, .01, &h);
	assert_int_equal(h.changes, 0);
	stat_history_release(&h);
	stat_history(x, 200, .005, &h);
	assert_int_equal(h.changes, 1);
	assert_int_equal(h.change[0].index, 100);
	stat_history_release(&h);
}

/* One false alarm in a thousand points is what other methods give. */
static void noise_alone_gives_nothing(void **state)
{
	size_t alarms = 0, classes = 0, outliers = 0;

	(void)state;
	for (int round = 0; round < 100; round++) {
		struct stat_history h;
		double x[400];

		noise(x, 400, 1000, .02);
		stat_history(x, 400, .01, &h);
		alarms += h.changes;
		outliers += h.outliers;
		classes += h.class != CLASS_STEADY;
		stat_history_release(&h);
	}
	print_message("# white noise, 40,000 points: %zu changes, %zu outliers, %zu of 100 not "
	              "steady\n",
	              alarms, outliers, classes);
	assert_true(alarms <= 4);
	assert_true(classes <= 3);
}

/* phi = .6: levels wander, and that is no change. */
static void correlated_noise_gives_little(void **state)
{
	size_t alarms = 0;

	(void)state;
	for (int round = 0; round < 100; round++) {
		struct stat_history h;
		double x[400], e = 0;

		for (size_t i = 0; i < 400; i++) {
			e = .6 * e + gsl_ran_gaussian(rng, .01);
			x[i] = 1000 * exp(e);
		}
		stat_history(x, 400, .01, &h);
		if (round == 0)
			assert_true(h.phi > .3 && h.phi < .85);
		alarms += h.changes;
		stat_history_release(&h);
	}
	print_message("# autocorrelation .6, 40,000 points: %zu changes\n", alarms);
	assert_true(alarms <= 40);
}

static void outliers_are_told_and_change_nothing(void **state)
{
	struct stat_history h;
	double x[100];

	(void)state;
	noise(x, 100, 1000, .003);
	x[30] = 1200;
	x[71] = 700;
	stat_history(x, 100, .01, &h);
	assert_int_equal(h.changes, 0);
	assert_int_equal(h.outliers, 2);
	assert_int_equal(h.outlier[0], 30);
	assert_int_equal(h.outlier[1], 71);
	assert_int_equal(h.class, CLASS_STEADY);
	stat_history_release(&h);
}

static void an_excursion_is_transient(void **state)
{
	struct stat_history h;
	double x[120];

	(void)state;
	noise(x, 120, 1000, .003);
	noise(x + 60, 5, 1100, .003);
	stat_history(x, 120, .01, &h);
	assert_int_equal(h.changes, 2);
	assert_int_equal(h.change[0].index, 60);
	assert_int_equal(h.change[1].index, 65);
	assert_true(h.change[0].transient && h.change[1].transient);
	assert_int_equal(h.class, CLASS_TRANSIENT);
	stat_history_release(&h);
	/* eight points of it are a level of their own */
	noise(x + 60, 8, 1100, .003);
	stat_history(x, 120, .01, &h);
	assert_int_equal(h.changes, 2);
	assert_false(h.change[0].transient);
	assert_int_equal(h.class, CLASS_STEP);
	stat_history_release(&h);
}

static void a_slope_is_drift(void **state)
{
	struct stat_history h;
	double x[200];

	(void)state;
	for (size_t i = 0; i < 200; i++)
		x[i] = 1000 * (1 + .0005 * (double)i) * exp(gsl_ran_gaussian(rng, .003));
	stat_history(x, 200, .01, &h);
	assert_int_equal(h.class, CLASS_DRIFT);
	stat_history_release(&h);
}

/* The scale is one for all points, so the restless part may look like levels;
 * the class says what it is. */
static void a_spread_that_grows_is_variance(void **state)
{
	size_t found = 0, changes = 0;

	(void)state;
	for (int turn = 0; turn < 50; turn++) {
		struct stat_history h;
		double x[200];

		noise(x, 100, 1000, .003);
		noise(x + 100, 100, 1000, .012);
		stat_history(x, 200, .01, &h);
		found += h.class == CLASS_VARIANCE;
		changes += h.changes;
		stat_history_release(&h);
	}
	print_message("# four times the spread: %zu of 50 told, %zu changes\n", found, changes);
	assert_true(found >= 45);
	assert_true(changes <= 25);
}

/* Boots of two kinds, by chance: q90 of the steps sees both. */
static void two_modes_are_no_changes(void **state)
{
	struct stat_history h;
	double x[300];

	(void)state;
	for (size_t i = 0; i < 300; i++)
		x[i] = (gsl_rng_uniform(rng) < .5 ? 1000 : 1060) * exp(gsl_ran_gaussian(rng, .002));
	stat_history(x, 300, .01, &h);
	assert_int_equal(h.changes, 0);
	stat_history_release(&h);
}

static void numbers_without_logarithm(void **state)
{
	struct stat_history h;
	double x[80];

	(void)state;
	for (size_t i = 0; i < 80; i++)
		x[i] = (i < 40 ? -5 : 7) + gsl_ran_gaussian(rng, .2);
	stat_history(x, 80, .01, &h);
	assert_false(h.logs);
	assert_int_equal(h.changes, 1);
	assert_int_equal(h.change[0].index, 40);
	assert_true(fabs(h.change[0].before + 5) < .2);
	assert_true(fabs(h.change[0].change - 12. / 5) < .2);
	stat_history_release(&h);
	for (size_t i = 0; i < 80; i++)
		x[i] = i < 40 ? 0 : 1;
	stat_history(x, 80, .01, &h);
	assert_int_equal(h.changes, 1);
	assert_int_equal(h.change[0].index, 40);
	assert_true(isnan(h.change[0].change));
	stat_history_release(&h);
}

static void exact_series(void **state)
{
	struct stat_history h;
	double x[64];

	(void)state;
	for (size_t i = 0; i < 64; i++)
		x[i] = 12345;
	stat_history(x, 64, .01, &h);
	assert_int_equal(h.changes, 0);
	assert_int_equal(h.outliers, 0);
	assert_int_equal(h.class, CLASS_STEADY);
	assert_true(h.level == 12345 || fabs(h.level - 12345) < 1e-6);
	stat_history_release(&h);
	/* to the digit, then 2 % more: no noise hides it */
	for (size_t i = 50; i < 64; i++)
		x[i] = 12592;
	stat_history(x, 64, .01, &h);
	assert_int_equal(h.changes, 1);
	assert_int_equal(h.change[0].index, 50);
	stat_history_release(&h);
}

static void short_series(void **state)
{
	double x[7] = {1, 2, 3, 4, 5, 6, 7};

	(void)state;
	for (size_t n = 0; n <= 7; n++) {
		struct stat_history h;

		stat_history(x, n, .01, &h);
		assert_int_equal(h.changes, 0);
		assert_int_equal(h.class, CLASS_STEADY);
		assert_true(isnan(h.level) == (n == 0));
		stat_history_release(&h);
	}
}

static void the_newest_point_makes_suspicion(void **state)
{
	struct stat_history h;
	double x[60];

	(void)state;
	noise(x, 60, 1000, .003);
	x[59] = 1040;
	stat_history(x, 60, .01, &h);
	assert_true(h.suspected);
	assert_int_equal(h.changes, 0);
	stat_history_release(&h);
}

static void the_window_is_the_newest_points(void **state)
{
	double *x = xcalloc(5000, sizeof(*x));
	struct stat_history h;

	(void)state;
	noise(x, 2000, 900, .003);
	noise(x + 2000, 2800, 1000, .003);
	noise(x + 4800, 200, 1030, .003);
	x[4790] = 2000;
	stat_history_newest(x, 5000, .01, &h);
	assert_int_equal(h.changes, 1);
	assert_int_equal(h.change[0].index, 4800);
	assert_int_equal(h.outliers, 1);
	assert_int_equal(h.outlier[0], 4790);
	stat_history_release(&h);
	stat_history(x, 5000, .01, &h);
	assert_int_equal(h.changes, 2);
	assert_int_equal(h.change[0].index, 2000);
	stat_history_release(&h);
	free(x);
}

/* Scaling a series changes nothing but its levels. */
static void units_do_not_matter(void **state)
{
	double x[150], scaled[150];
	struct stat_history a, b;

	(void)state;
	noise(x, 90, 1000, .004);
	noise(x + 90, 60, 970, .004);
	for (size_t i = 0; i < 150; i++)
		scaled[i] = x[i] * 1e6;
	stat_history(x, 150, .01, &a);
	stat_history(scaled, 150, .01, &b);
	assert_int_equal(a.changes, 1);
	assert_int_equal(b.changes, 1);
	assert_int_equal(a.change[0].index, b.change[0].index);
	assert_true(fabs(a.change[0].change - b.change[0].change) < 1e-9);
	stat_history_release(&a);
	stat_history_release(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(segmentation_is_the_best),
	        cmocka_unit_test(sums_are_those_of_the_points),
	        cmocka_unit_test(a_step_is_found_where_it_is),
	        cmocka_unit_test(below_the_threshold_is_no_change),
	        cmocka_unit_test(noise_alone_gives_nothing),
	        cmocka_unit_test(correlated_noise_gives_little),
	        cmocka_unit_test(outliers_are_told_and_change_nothing),
	        cmocka_unit_test(an_excursion_is_transient),
	        cmocka_unit_test(a_slope_is_drift),
	        cmocka_unit_test(a_spread_that_grows_is_variance),
	        cmocka_unit_test(two_modes_are_no_changes),
	        cmocka_unit_test(numbers_without_logarithm),
	        cmocka_unit_test(exact_series),
	        cmocka_unit_test(short_series),
	        cmocka_unit_test(the_newest_point_makes_suspicion),
	        cmocka_unit_test(the_window_is_the_newest_points),
	        cmocka_unit_test(units_do_not_matter),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
