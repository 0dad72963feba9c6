/* Looks: Benjamini-Hochberg by its authors' example, what a look does to a cell,
 * and a simulation of whole comparisons with correlated cells. */
#include "lib/mem.h"
#include "lib/stat/looks.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void benjamini_and_hochbergs_example(void **state)
{
	/* J. R. Statist. Soc. B 57 (1995), section 4.1: four are rejected at .05 */
	static const double p[] = {.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344,
	                           .0459, .3240, .4262, .5719, .6528, .7590, 1};
	double turned[15];
	bool rejected[15] = {0};

	(void)state;
	for (size_t i = 0; i < 15; i++)
		turned[i] = p[14 - i];
	assert_int_equal(stat_bh(turned, 15, .05, rejected), 4);
	for (size_t i = 0; i < 15; i++)
		assert_true(rejected[i] == (i > 10));
}

static void what_is_rejected_stays(void **state)
{
	double first[] = {.001, .5, NAN, .9}, second[] = {.7, .004, NAN, .9};
	bool rejected[4] = {0};

	(void)state;
	assert_int_equal(stat_bh(first, 4, .01, rejected), 1);
	assert_int_equal(stat_bh(second, 4, .025, rejected), 2);
	assert_true(rejected[0] && rejected[1] && !rejected[2] && !rejected[3]);
	assert_int_equal(stat_bh(NULL, 0, .05, NULL), 0);
}

static void looks_by_boots(void **state)
{
	static const size_t done[] = {0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(done); i++)
		assert_int_equal(stat_looks_done(i), done[i]);
	assert_true(fabs(stat_look[0].q + stat_look[1].q + stat_look[2].q - .05) < 1e-12);
}

/* Boots of one cell: `n` of them about `level`, with the spread given. */
static struct stat_result cell(double level, double spread, size_t n)
{
	static const double shape[10] = {-1, .2, .8, -.6, 1, -.4, .1, .5, -.9, .3};
	double base[10], other[10];
	struct stat_side b = {.median = base, .n = n}, o = {.median = other, .n = n};
	struct stat_rule rule = stat_rule_default();
	struct stat_result r;

	for (size_t i = 0; i < n; i++) {
		base[i] = 1000 * (1 + spread * shape[i]);
		other[i] = 1000 * (1 + spread * shape[(i + 3) % n]) * level;
	}
	stat_compare_boots(&b, &o, &rule, &r);
	return r;
}

static void one_cell_among_many(void **state)
{
	struct stat_rule rule = stat_rule_default();
	struct stat_result cells[30];
	struct stat_result *at[30];
	bool rejected[30] = {0};

	(void)state;
	for (size_t i = 0; i < 30; i++) {
		cells[i] = cell(1, .002, 3);
		at[i] = &cells[i];
	}
	/* p about .01: a verdict alone, none among thirty */
	cells[0] = cell(1.0125, .0033, 3);
	assert_int_equal(cells[0].verdict, VERDICT_SLOWER);
	assert_true(stat_p(&cells[0]) > .001 && stat_p(&cells[0]) < .05);
	stat_looked(at, 30, 0, &rule, rejected);
	assert_int_equal(cells[0].verdict, VERDICT_UNSURE);
	assert_non_null(strstr(cells[0].why, "not among this many cells"));
	assert_true(cells[0].level == .95);
	/* nothing is the same before the last look */
	assert_int_equal(cells[1].verdict, VERDICT_UNSURE);

	cells[0] = cell(1.05, .001, 3);
	for (size_t i = 1; i < 30; i++)
		cells[i] = cell(1, .002, 3);
	stat_looked(at, 30, 0, &rule, rejected);
	assert_int_equal(cells[0].verdict, VERDICT_SLOWER);
	assert_true(rejected[0] && !rejected[1]);
	assert_true(fabs(cells[0].level - (1 - .01 / 30)) < 1e-12);

	/* the last look: what is not different is the same, and 0 stays rejected */
	for (size_t i = 0; i < 30; i++)
		cells[i] = cell(i ? 1 : 1.05, .002, 10);
	stat_looked(at, 30, 2, &rule, rejected);
	assert_int_equal(cells[0].verdict, VERDICT_SLOWER);
	assert_int_equal(cells[1].verdict, VERDICT_SAME);
	assert_true(cells[1].level == .95);
}

static void cells_without_interval_are_left_alone(void **state)
{
	struct stat_rule rule = stat_rule_default();
	struct stat_result two = cell(1.5, .001, 2), none;
	struct stat_result *at[] = {&two, &none};
	bool rejected[2] = {0};

	(void)state;
	stat_no_number(&none, VERDICT_SKIP, "no zram here");
	stat_looked(at, 2, 0, &rule, rejected);
	assert_int_equal(two.verdict, VERDICT_UNSURE);
	assert_int_equal(none.verdict, VERDICT_SKIP);
	assert_string_equal(none.why, "no zram here");
	assert_true(!rejected[0] && !rejected[1]);
}

/* ---- whole comparisons */

enum { CELLS = 36, BOOTS = 10, ROUNDS = 400 };

struct outcome {
	double alarmed;    /* comparisons with any false rejection */
	double false_rate; /* mean of false rejections / rejections */
	double found;      /* of the cells that differ */
	double missed;     /* selected intervals without the truth, of the selected */
	double same_wrong; /* `same` for a cell that differs by tau and more */
	double boots;      /* a kernel, until all is decided or the looks are spent */
};

/* y of every cell of one boot: a part that all cells share, and their own. */
static void boot(gsl_rng *rng, const double *effect, double *y)
{
	double shared = gsl_ran_gaussian(rng, .003);

	for (size_t c = 0; c < CELLS; c++)
		y[c] = 1e6 * exp(effect[c] + shared + gsl_ran_gaussian(rng, .004));
}

static bool decided(const struct stat_result *r)
{
	return r->verdict == VERDICT_SLOWER || r->verdict == VERDICT_FASTER;
}

static struct outcome simulate(gsl_rng *rng, size_t different, double size)
{
	static const double none[CELLS];
	struct stat_rule rule = stat_rule_default();
	struct outcome o = {0};
	double effect[CELLS] = {0}, selected = 0;

	for (size_t c = 0; c < different; c++)
		effect[c] = c % 2 ? -size : size;
	for (int turn = 0; turn < ROUNDS; turn++) {
		double base[CELLS][BOOTS], other[CELLS][BOOTS], y[CELLS];
		struct stat_result cells[CELLS];
		struct stat_result *at[CELLS];
		bool rejected[CELLS] = {0};
		size_t wrong = 0, right = 0, done = 0, have = 0;

		for (size_t look = 0; look < STAT_LOOKS && done < CELLS; look++) {
			for (; have < stat_look[look].boots; have++) {
				boot(rng, none, y);
				for (size_t c = 0; c < CELLS; c++)
					base[c][have] = y[c];
				boot(rng, effect, y);
				for (size_t c = 0; c < CELLS; c++)
					other[c][have] = y[c];
			}
			done = 0;
			for (size_t c = 0; c < CELLS; c++) {
				struct stat_side b = {.median = base[c], .n = have};
				struct stat_side n = {.median = other[c], .n = have};

				stat_compare_boots(&b, &n, &rule, &cells[c]);
				at[c] = &cells[c];
			}
			stat_looked(at, CELLS, look, &rule, rejected);
			for (size_t c = 0; c < CELLS; c++)
				done += decided(&cells[c]);
		}
		o.boots += (double)have;
		for (size_t c = 0; c < CELLS; c++) {
			bool truth = effect[c] != 0;

			right += rejected[c] && truth;
			wrong += rejected[c] && !truth;
			o.same_wrong += truth && cells[c].verdict == VERDICT_SAME;
			if (rejected[c]) {
				double change = expm1(effect[c]);

				selected++;
				o.missed += cells[c].low > change || cells[c].high < change;
			}
		}
		o.alarmed += wrong > 0;
		if (wrong + right)
			o.false_rate += (double)wrong / (double)(wrong + right);
		o.found += (double)right;
	}
	o.alarmed /= ROUNDS;
	o.false_rate /= ROUNDS;
	o.found /= different ? ROUNDS * (double)different : 1;
	o.same_wrong /= different ? ROUNDS * (double)different : 1;
	o.missed /= selected ? selected : 1;
	o.boots /= ROUNDS;
	print_message("# %zu of %d cells differ by %.1f%%: any false %.3f, false rate %.3f, found "
	              "%.3f, interval off %.3f, wrongly the same %.3f, boots %.1f\n",
	              different, CELLS, 100 * size, o.alarmed, o.false_rate, o.found, o.missed,
	              o.same_wrong, o.boots);
	return o;
}

static void false_discoveries_are_bounded(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct outcome none, some, half;

	(void)state;
	gsl_rng_set(rng, 1995);
	none = simulate(rng, 0, 0);
	some = simulate(rng, 4, .02);
	half = simulate(rng, 18, .015);
	gsl_rng_free(rng);
	/* With no difference anywhere, any rejection is a false one. */
	assert_true(none.alarmed <= .075);
	assert_true(some.false_rate <= .06);
	assert_true(half.false_rate <= .06);
	assert_true(some.found >= .95 && half.found >= .8);
	assert_true(some.missed <= .07 && half.missed <= .07);
	assert_true(some.same_wrong <= .01 && half.same_wrong <= .01);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(benjamini_and_hochbergs_example),
	        cmocka_unit_test(what_is_rejected_stays),
	        cmocka_unit_test(looks_by_boots),
	        cmocka_unit_test(one_cell_among_many),
	        cmocka_unit_test(cells_without_interval_are_left_alone),
	        cmocka_unit_test(false_discoveries_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
