/* lib/stat: a run's number, a boot's, std_rel, the replicate check. */
#include "lib/mem.h"
#include "lib/stat/number.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void close_to(double got, double want)
{
	if (!(fabs(got - want) <= 1e-12 * fmax(1, fabs(want))))
		fail_msg("got %.17g, want %.17g", got, want);
}

static void run_leaves_warmup_out(void **state)
{
	static const int64_t s[] = {9999, 10, 14, 11, 13, 1000};
	struct stat_run r = stat_run_number(s, 6, 1);

	(void)state;
	assert_int_equal(r.iterations, 5);
	close_to(r.median, 13);
	close_to(r.mean, 209.6);
	r = stat_run_number(s, 5, 1); /* an even count */
	close_to(r.median, 12);
	close_to(r.mean, 12);
	r = stat_run_number(s, 2, 1);
	close_to(r.median, 10);
	close_to(r.mean, 10);
	r = stat_run_number(s, 6, 0);
	close_to(r.median, 13.5);
}

static void run_of_nothing(void **state)
{
	static const int64_t s[] = {1, 2};
	struct stat_run r = stat_run_number(s, 2, 2);

	(void)state;
	assert_int_equal(r.iterations, 0);
	assert_true(isnan(r.median) && isnan(r.mean));
	r = stat_run_number(s, 2, 100);
	assert_int_equal(r.iterations, 0);
	r = stat_run_number(NULL, 0, 0);
	assert_true(isnan(r.median) && isnan(r.mean));
}

static void run_of_large_counts(void **state)
{
	/* above 2^32, and a sum above 2^63 */
	static const int64_t s[] = {INT64_C(4611686018427387904), INT64_C(4611686018427387904),
	                            INT64_C(4611686018427387904)};
	struct stat_run r = stat_run_number(s, 3, 0);

	(void)state;
	close_to(r.median, 4611686018427387904.0);
	close_to(r.mean, 4611686018427387904.0);
}

static void medians_leave_the_input(void **state)
{
	static const double x[] = {5, 1, 4, 2, 3};

	(void)state;
	close_to(stat_median(x, 5), 3);
	close_to(x[0], 5);
	close_to(stat_median(x, 4), 3);
	assert_true(isnan(stat_median(x, 0)));
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Few and many distinct values, in every order that a pivot may meet. */
static void medians_are_those_of_sorted_values(void **state)
{
	double x[257], sorted[257];
	unsigned int seed = 1, shape;
	size_t n, i;

	(void)state;
	for (n = 1; n <= 257; n++)
		for (shape = 0; shape < 6; shape++) {
			for (i = 0; i < n; i++) {
				seed = seed * 1103515245 + 12345;
				x[i] = shape == 0   ? seed >> 8
				       : shape == 1 ? seed >> 30
				       : shape == 2 ? (double)i
				       : shape == 3 ? (double)(n - i)
				       : shape == 4 ? (double)(i < n / 2 ? i : n - i)
				                    : 7;
			}
			memcpy(sorted, x, sizeof(x));
			qsort(sorted, n, sizeof(*sorted), ascending);
			assert_true(stat_median(x, n) == (sorted[(n - 1) / 2] + sorted[n / 2]) / 2);
		}
}

static void spread_is_relative_to_its_own_mean(void **state)
{
	static const double x[] = {98, 100, 102};

	(void)state;
	close_to(stat_mean(x, 3), 100);
	close_to(stat_sd(x, 3), 2);
	close_to(stat_std_rel(x, 3), 0.02);
	close_to(stat_boot_number(x, 2), 99);
	assert_true(isnan(stat_std_rel(x, 1)));
	assert_true(isnan(stat_std_rel(x, 0)));
	assert_true(isnan(stat_sd(x, 1)));
	assert_true(isnan(stat_mean(x, 0)));
	close_to(stat_std_rel((double[]){7, 7}, 2), 0);
	assert_true(isnan(stat_std_rel((double[]){0, 0}, 2)));
	assert_true(isnan(stat_std_rel((double[]){1, NAN}, 2)));
}

static void replicates_agree_in_every_sample(void **state)
{
	static const int64_t a[] = {3, 1, 2}, b[] = {3, 1, 7};
	size_t at = 99;

	(void)state;
	assert_true(stat_replicates_agree(a, 3, a, 3, &at));
	assert_false(stat_replicates_agree(a, 3, b, 3, &at));
	assert_int_equal(at, 2);
	assert_false(stat_replicates_agree(a, 3, a, 2, &at));
	assert_int_equal(at, 2);
	assert_false(stat_replicates_agree(a, 2, a, 3, NULL));
	assert_true(stat_replicates_agree(NULL, 0, NULL, 0, &at));
	assert_false(stat_replicates_agree(NULL, 0, a, 1, &at));
	assert_int_equal(at, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(run_leaves_warmup_out),
	        cmocka_unit_test(run_of_nothing),
	        cmocka_unit_test(run_of_large_counts),
	        cmocka_unit_test(medians_leave_the_input),
	        cmocka_unit_test(medians_are_those_of_sorted_values),
	        cmocka_unit_test(spread_is_relative_to_its_own_mean),
	        cmocka_unit_test(replicates_agree_in_every_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
