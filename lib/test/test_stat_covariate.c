/* What hardware counted: changes and the suspicion of layout, by known answers. */
#include "lib/stat/covariate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void changes(void **state)
{
	(void)state;
	assert_true(fabs(stat_covariate_change(200, 210) - 0.05) < 1e-12);
	assert_true(fabs(stat_covariate_change(200, 150) + 0.25) < 1e-12);
	assert_true(isnan(stat_covariate_change(0, 1)));
	assert_true(isnan(stat_covariate_change(1, 0)));
	assert_true(isnan(stat_covariate_change(NAN, 1)));
	assert_true(isnan(stat_covariate_change(1, NAN)));
}

static void suspicion(void **state)
{
	(void)state;
	assert_true(stat_layout_suspected(0, 0.02, 0.01));
	assert_true(stat_layout_suspected(-0.001, -0.02, 0.01));
	assert_true(stat_layout_suspected(0.001, 0.02, 0.01));
	assert_false(stat_layout_suspected(0.0011, 0.02, 0.01));
	assert_false(stat_layout_suspected(0, 0.01, 0.01));
	assert_false(stat_layout_suspected(NAN, 0.02, 0.01));
	assert_false(stat_layout_suspected(0, NAN, 0.01));
	assert_false(stat_layout_suspected(0, 0.02, NAN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(changes), cmocka_unit_test(suspicion)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
