/* The search for the patches of a series that matter, over the real server: prefixes
 * between marks are booted until every effect stands between two neighbours. */
#include "server/test/search_bed.h"

#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Two patches that matter, in different cases, one for the worse and one for the better. */
static void two_patches_of_25(void **state)
{
	struct fake *f = *state;
	json_t *s, *c;
	int used;

	slow_from = 7;
	fast_from = 18;
	s = measured(f, MARKS, PLAIN);
	assert_int_equal(effects_of(s), 2);
	expect_effect(s, 0, UNMAP, "slower", 7, 7);
	expect_effect(s, 1, FORK, "faster", 18, 18);
	assert_string_equal(str_at(s, "series.search.effects.0.kernel"), "p07");
	assert_string_equal(str_at(s, "series.search.effects.0.against"), "p06");
	assert_true(json_is_null(at(s, "series.search.effects.0.why")));
	/* 12 patches, then 8: three halvings each. */
	assert_int_equal(steps_of(s), 6);
	assert_string_equal(str_at(s, "series.search.state"), "done");
	assert_int_equal(int_at(s, "series.search.steps_max"), 10);
	used = boots_of(s);
	assert_int_equal(used, (4 + 6) * EACH);
	assert_int_equal(int_at(s, "series.search.boots.made"), used);
	assert_int_equal(int_at(s, "series.search.boots.search"), 6 * EACH);
	assert_int_equal(int_at(s, "series.search.boots.all"), (1 + SERIES) * EACH);
	assert_int_equal(int_at(s, "series.search.intervals.0.steps"), 3);
	assert_int_equal(int_at(s, "series.search.intervals.1.effects"), 1);
	assert_int_equal(int_at(s, "series.search.intervals.2.steps"), 0);
	assert_non_null(strstr(str_at(s, "series.search.intervals.2.why"), "take each other back"));
	assert_true(json_is_true(at(s, "series.patches.6.booted")));
	assert_true(json_is_false(at(s, "series.patches.0.booted")));
	c = fake_comparison(f, int_at(s, "id"));
	assert_true(json_is_true(at(c, "complete")));
	assert_true(fake_noted(c, "patch 7: +2.00 % in " UNMAP " on det, p07 against p06"));
	assert_true(fake_noted(c, "patch 18: -3.00 % in " FORK " on det, p18 against p17"));
	assert_true(fake_noted(c, "6 prefixes of 25 booted beside marks and tip"));
	json_decref(c);
	json_decref(s);
}

/* The same with every prefix booted: the same patches, and what it costs. */
static void every_prefix(void **state)
{
	struct fake *f = *state;
	json_t *s;

	slow_from = 7;
	fast_from = 18;
	s = measured(f, ",\"all\":true" MARKS, PLAIN);
	assert_int_equal(effects_of(s), 2);
	expect_effect(s, 0, UNMAP, "slower", 7, 7);
	expect_effect(s, 1, FORK, "faster", 18, 18);
	assert_string_equal(str_at(s, "series.search.state"), "off");
	assert_int_equal(boots_of(s), (1 + SERIES) * EACH);
	json_decref(s);
}

static void marks_only(void **state)
{
	struct fake *f = *state;
	json_t *s;

	slow_from = 7;
	s = measured(f, MARKS ",\"steps\":0", PLAIN);
	assert_int_equal(effects_of(s), 1);
	expect_effect(s, 0, UNMAP, "slower", 1, 12);
	assert_string_equal(str_at(s, "series.search.effects.0.why"),
	                    "marks and tip alone are booted");
	assert_string_equal(str_at(s, "series.search.state"), "off");
	assert_int_equal(boots_of(s), 4 * EACH);
	json_decref(s);
}

/* As far as they reach: what is left says so. */
static void steps_that_run_out(void **state)
{
	struct fake *f = *state;
	json_t *s;

	slow_from = 7;
	s = measured(f, MARKS ",\"steps\":2", PLAIN);
	assert_int_equal(steps_of(s), 2);
	assert_int_equal(effects_of(s), 1);
	expect_effect(s, 0, UNMAP, "slower", 7, 9);
	assert_string_equal(str_at(s, "series.search.effects.0.why"),
	                    "the 2 steps that the search may take are taken");
	json_decref(s);
}

static void nothing_to_look_for(void **state)
{
	struct fake *f = *state;
	json_t *s = measured(f, MARKS, PLAIN);

	assert_int_equal(effects_of(s), 0);
	assert_int_equal(steps_of(s), 0);
	assert_int_equal(boots_of(s), 4 * EACH);
	assert_string_equal(str_at(s, "series.search.state"), "done");
	json_decref(s);
	/* What one patch does, another of the same interval takes back. */
	slow_from = 3;
	slow_until = 9;
	s = measured(f, MARKS, PLAIN ",\"reuse\":false");
	assert_int_equal(steps_of(s), 0);
	assert_non_null(strstr(str_at(s, "series.search.intervals.0.why"), "take each other back"));
	json_decref(s);
}

static const char *two_binaries(const char *name)
{
	return patches_in(name) >= 9 ? "new" : "old";
}

/* Of equal binaries nothing is booted: the hashes say which patch it is. */
static void equal_binaries(void **state)
{
	struct fake *f = *state;
	json_t *s;

	slow_from = 9;
	f->binary = two_binaries;
	s = measured(f, MARKS, PLAIN);
	assert_int_equal(effects_of(s), 1);
	expect_effect(s, 0, UNMAP, "slower", 9, 9);
	assert_string_equal(str_at(s, "series.search.effects.0.kernel"), "basic");
	assert_int_equal(steps_of(s), 0);
	json_decref(s);
}

static const char *some_binaries(const char *name)
{
	int n = patches_in(name);

	/* 3 is 20 again, 7 to 12 are one. */
	return n == 3 ? "batch" : n >= 7 && n <= 12 ? "basic" : name;
}

static void a_step_that_is_measured_already(void **state)
{
	struct fake *f = *state;
	json_t *s;

	slow_from = 2;
	f->binary = some_binaries;
	s = measured(f, MARKS, PLAIN);
	assert_int_equal(effects_of(s), 1);
	expect_effect(s, 0, UNMAP, "slower", 2, 2);
	/* Of 12 patches 7 are left, of these 3; the first prefix is booted as another. */
	assert_int_equal(steps_of(s), 3);
	assert_string_equal(str_at(s, "series.search.steps.0.kernel"), "p03");
	assert_int_equal(int_at(s, "series.search.steps.0.boots"), 0);
	assert_int_equal(boots_of(s), (4 + 2) * EACH);
	json_decref(s);
}

/* A prefix in the middle that is not there is stepped over; only right beside the patch
 * does it matter. */
static void unbuildable(void **state)
{
	struct fake *f = *state;
	json_t *s;

	slow_from = 7;
	f->build_fails = "p06";
	s = measured(f, MARKS, PLAIN);
	assert_int_equal(effects_of(s), 1);
	expect_effect(s, 0, UNMAP, "slower", 6, 7);
	assert_string_equal(str_at(s, "series.search.effects.0.kernel"), "p07");
	assert_string_equal(str_at(s, "series.search.effects.0.against"), "p05");
	assert_non_null(strstr(str_at(s, "series.search.effects.0.why"), "could be built"));
	json_decref(s);
	slow_from = 3;
	s = measured(f, MARKS, PLAIN ",\"reuse\":false");
	expect_effect(s, 0, UNMAP, "slower", 3, 3);
	json_decref(s);
}

static void unbootable(void **state)
{
	struct fake *f = *state;
	json_t *s;

	slow_from = 3;
	f->bad_kernel = "p06";
	f->bad_class = "kernel";
	f->bad_boots = -1;
	s = measured(f, MARKS, PLAIN);
	assert_int_equal(effects_of(s), 1);
	expect_effect(s, 0, UNMAP, "slower", 3, 3);
	assert_string_equal(str_at(s, "series.search.steps.0.kernel"), "p06");
	json_decref(s);
}

/* A board in trouble never decides: no other prefix is tried instead. */
static void infra(void **state)
{
	struct fake *f = *state;
	json_t *s;

	slow_from = 3;
	f->bad_kernel = "p06";
	f->bad_class = "infra";
	f->bad_boots = -1;
	s = measured(f, MARKS, PLAIN);
	assert_int_equal(steps_of(s), 1);
	assert_int_equal(effects_of(s), 1);
	expect_effect(s, 0, UNMAP, "slower", 1, 12);
	assert_true(str_starts(str_at(s, "series.search.effects.0.why"),
	                       "boots of p06 did not take place: "));
	json_decref(s);
}

/* Each half is under what is worth a verdict: no patch is blamed. */
static void patches_that_add_up(void **state)
{
	struct fake *f = *state;
	json_t *s;

	half_from = 4;
	s = measured(f, MARKS, PLAIN);
	assert_int_equal(effects_of(s), 1);
	expect_effect(s, 0, FORK, "slower", 1, 12);
	assert_non_null(strstr(str_at(s, "series.search.effects.0.why"), "add up"));
	assert_int_equal(steps_of(s), 1);
	json_decref(s);
}

/* Its relinks are built first. */
static void with_layouts(void **state)
{
	struct fake *f = *state;
	json_t *s;

	slow_from = 2;
	f->patches = 5;
	s = measured(f, ",\"marks\":{\"four\":4}",
	             ",\"plan\":{\"boots\":6,\"layouts\":3},\"validate\":false");
	assert_int_equal(effects_of(s), 1);
	expect_effect(s, 0, UNMAP, "slower", 2, 2);
	/* Six phases in three layouts, and one twice. */
	assert_int_equal(int_at(s, "series.search.steps.0.boots"), 19);
	json_decref(s);
}

/* On a board with noise a step gets the boots that the looks have come to, and no look
 * of its own. */
static void with_noise(void **state)
{
	struct fake *f = *state;
	int64_t id;
	char *text;
	json_t *s;

	slow_from = 3;
	f->noise = .001;
	fake_announce(f, true);
	text = xasprintf("{\"title\":\"s\",\"series\":{" TREE ",\"bundle\":\"%s\"" MARKS "},"
	                 "\"boards\":[\"hw\"],\"cases\":[\"" UNMAP "\"],\"validate\":false}",
	                 search_bundle);
	id = fake_submit(f, text);
	free(text);
	s = search_worked(f, id, "done");
	assert_int_equal(effects_of(s), 1);
	expect_effect(s, 0, UNMAP, "slower", 3, 3);
	for (size_t i = 0; i < steps_of(s); i++)
		assert_int_equal(int_at(json_array_get(at(s, "series.search.steps"), i), "boots"),
		                 boots_of(s) / (4 + (int)steps_of(s)));
	json_decref(s);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, search_setup, fake_teardown)
	const struct CMUnitTest tests[] = {
	        T(two_patches_of_25),
	        T(every_prefix),
	        T(marks_only),
	        T(steps_that_run_out),
	        T(nothing_to_look_for),
	        T(equal_binaries),
	        T(a_step_that_is_measured_already),
	        T(unbuildable),
	        T(unbootable),
	        T(infra),
	        T(patches_that_add_up),
	        T(with_layouts),
	        T(with_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
