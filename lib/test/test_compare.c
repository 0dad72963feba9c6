/* lib/compare: building a comparison, its notes and its exit code. */
#include "lib/compare.h"
#include "lib/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct cmp *two_kernels(void)
{
	struct cmp *c = cmp_new();

	c->baseline = cmp_add_kernel(c, "base");
	cmp_add_kernel(c, "new");
	cmp_add_board(c, "altra");
	cmp_add_metric(c, "ns");
	return c;
}

static struct cmp_cell *cell(struct cmp *c, const char *case_, size_t kernel, enum verdict v,
                             double change)
{
	struct cmp_cell *x = cmp_add_cell(c, 0, cmp_add_case(c, case_), 0, kernel);

	x->verdict = v;
	x->change = change;
	return x;
}

static bool noted(const struct cmp *c, const char *part)
{
	for (size_t i = 0; i < c->notes; i++)
		if (strstr(c->note[i], part))
			return true;
	return false;
}

static void names_are_added_once(void **state)
{
	struct cmp *c = two_kernels();

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < 100; i++) {
			char *name = xasprintf("fork/order=%zu", i);

			assert_int_equal(cmp_add_case(c, name), i);
			free(name);
		}
	}
	assert_int_equal(c->cases, 100);
	assert_int_equal(cmp_add_kernel(c, "new"), 1);
	assert_int_equal(cmp_add_board(c, "altra"), 0);
	assert_int_equal(cmp_add_metric(c, "instructions"), 1);
	assert_true(cmp_counts_instructions(c, 1));
	assert_false(cmp_counts_instructions(c, 0));
	cmp_free(c);
	cmp_free(NULL);
}

static void new_cells_hold_nothing(void **state)
{
	struct cmp *c = two_kernels();
	struct cmp_cell *x = cmp_add_cell(c, 0, cmp_add_case(c, "fork/order=0"), 0, 1);

	(void)state;
	assert_true(isnan(x->mean) && isnan(x->change) && isnan(x->low) && isnan(x->std_rel));
	assert_int_equal(x->verdict, VERDICT_INVALID);
	assert_int_equal(x->needed, -1);
	cmp_free(c);
}

static void results_are_copied(void **state)
{
	struct cmp *c = two_kernels();
	struct cmp_cell *x = cmp_add_cell(c, 0, cmp_add_case(c, "fork/order=0"), 0, 1);
	struct stat_result r;

	(void)state;
	stat_same_image(&r);
	cmp_cell_result(x, &r);
	assert_true(x->change == 0);
	assert_int_equal(x->verdict, VERDICT_SAME);
	assert_string_equal(x->why, "the two images are one binary");
	r.why[0] = '\0';
	r.needed = 7;
	cmp_cell_result(x, &r);
	assert_null(x->why);
	assert_int_equal(x->needed, 7);
	cmp_free(c);
}

static void notes_say_what_is_not_known(void **state)
{
	struct cmp *c = two_kernels();

	(void)state;
	cell(c, "fork/order=0,size=1G", 1, VERDICT_SLOWER, .03);
	cell(c, "fork/order=9,size=1G", 1, VERDICT_SLOWER, .03)->skewed = true;
	cmp_standard_notes(c);
	assert_true(noted(c, "altra: no floor is known yet, tau is the threshold alone"));
	assert_true(noted(c, "altra: each kernel was linked in a single layout"));
	assert_true(noted(c, "altra: 1 order-0 verdict under 5% rests on a single layout"));
	assert_true(noted(c, "1 cell is skewed"));
	assert_false(noted(c, "self-reported"));
	assert_int_equal(c->notes, 4);
	cmp_standard_notes(c);
	assert_int_equal(c->notes, 4); /* each once */
	cmp_free(c);

	c = two_kernels();
	cell(c, "fork/order=0", 1, VERDICT_SLOWER, .03)->layouts = 4;
	c->cell[0].floor = .004;
	c->kernel[1].self_reported = true;
	cmp_standard_notes(c);
	assert_int_equal(c->notes, 1);
	assert_string_equal(c->note[0], "new: self-reported, no agent saw it boot");
	cmp_free(c);

	/* large, emulated, or another order: no such caution; skip is no verdict */
	c = two_kernels();
	cell(c, "fork/size=1G,order=0", 1, VERDICT_FASTER, -.25);
	cell(c, "fork/order=01", 1, VERDICT_FASTER, -.02);
	cell(c, "fork/order=2", 1, VERDICT_SKIP, NAN);
	cmp_standard_notes(c);
	assert_false(noted(c, "order-0"));
	cell(c, "munmap/size=1G,order=0", 1, VERDICT_FASTER, -.02);
	cmp_standard_notes(c);
	assert_true(noted(c, "order-0"));
	cmp_free(c);
}

static void the_row_above(void **state)
{
	struct cmp *c = cmp_new();

	(void)state;
	cmp_add_kernel(c, "a");
	c->baseline = cmp_add_kernel(c, "base");
	cmp_add_kernel(c, "b");
	assert_int_equal(cmp_previous(c, 1), 1);
	assert_int_equal(cmp_previous(c, 0), 1);
	assert_int_equal(cmp_previous(c, 2), 0);
	cmp_free(c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_row_above),
	        cmocka_unit_test(names_are_added_once),
	        cmocka_unit_test(new_cells_hold_nothing),
	        cmocka_unit_test(results_are_copied),
	        cmocka_unit_test(notes_say_what_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
