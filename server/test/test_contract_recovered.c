/* Alerts of a followed branch that end by themselves, and those that may not. */
#include "server/test/alert_bed.h"

#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One that recovered says by which commit. */
static void recovers(struct fake *f, int64_t id, char letter)
{
	json_t *a = NULL;
	const char *why;

	json_decref(bed_becomes(f, id, "recovered"));
	why = bed_why(f, id, "recovered", &a);
	if (!strstr(why, followed_name(letter)))
		fail_msg("its step says: %s", why);
	json_decref(a);
}

static void back_at_its_level(void **state)
{
	struct fake *f = *state;
	int64_t id = bed_follow(f, "\"det\"", BED_CASES);

	bed.slow = "b";
	bed_grows(f, id, "ab", "b<a a");
	json_decref(bed_becomes(f, 1, "confirmed"));
	/* One of the two cases is slower still. */
	bed.slow = "c";
	f->effect_case = BED_OTHER;
	bed_grows(f, id, "abc", "c<b b<a a");
	bed_is(f, 1, "confirmed");
	bed.slow = "";
	bed_grows(f, id, "abcd", "d<c c<b b<a a");
	recovers(f, 1, 'd');
}

/* What fills a hole is well, and the tip is not. */
static void well_in_between(void **state)
{
	struct fake *f = *state;
	int64_t id = bed_follow(f, "\"det\"", BED_CASES);

	bed.slow = "b";
	bed_grows(f, id, "ab", "b<a a");
	json_decref(bed_becomes(f, 1, "confirmed"));
	bed.slow = "bd";
	bed_grows(f, id, "abcd", "d<b c<b b<a a");
	bed_is(f, 1, "confirmed");
	bed_grows(f, id, "abcde", "e<d d<b c<b b<a a");
	recovers(f, 1, 'e');
}

static void other_environment(void **state)
{
	struct fake *f = *state;
	int64_t id = bed_follow(f, "\"det\"", BED_CASES);

	bed.slow = "b";
	bed_grows(f, id, "ab", "b<a a");
	json_decref(bed_becomes(f, 1, "confirmed"));
	f->qemu = "8.0";
	bed.slow = "";
	bed_grows(f, id, "abc", "c<b b<a a");
	bed_is(f, 1, "confirmed");
	bed_grows(f, id, "abcd", "d<b c<b b<a a");
	bed_is(f, 1, "confirmed");
}

static void fault_gone(void **state)
{
	struct fake *f = *state;
	int64_t id;

	fake_announce(f, true);
	id = bed_follow(f, "\"det\",\"hw\"", BED_CASES);
	bed.faulty = "b";
	bed_grows(f, id, "ab", "b<a a");
	json_decref(bed_becomes(f, 1, "new"));
	/* One of the two boards shows it still. */
	bed.faulty = "c";
	f->bad_metric = "ns";
	bed_grows(f, id, "abc", "c<a b<a a");
	bed_is(f, 1, "new");
	bed.faulty = "";
	bed_grows(f, id, "abcd", "d<c c<a b<a a");
	recovers(f, 1, 'd');
	/* It comes back with what is written since. */
	bed.faulty = "e";
	bed_grows(f, id, "abcde", "e<d d<c c<a b<a a");
	json_decref(bed_becomes(f, 1, "new"));
}

/* One that shows in one boot of seven is not gone where one point does not show it. */
static void rare_fault(void **state)
{
	struct fake *f = *state;
	int64_t id = bed_follow(f, "\"det\"", BED_CASES);

	bed.faulty = "bdf";
	bed.shows = 1;
	bed_grows(f, id, "ab", "b<a a");
	json_decref(bed_becomes(f, 1, "new"));
	bed_grows(f, id, "abc", "c<b b<a a");
	bed_is(f, 1, "new");
	bed.shows = 1;
	bed_grows(f, id, "abcd", "d<c c<b b<a a");
	bed_grows(f, id, "abcde", "e<d d<c c<b b<a a");
	bed.shows = 1;
	bed_grows(f, id, "abcdef", "f<e e<d d<c c<b b<a a");
	bed_grows(f, id, "abcdefg", "g<f f<e e<d d<c c<b b<a a");
	json_decref(bed_becomes(f, 1, "new"));
	assert_int_equal(bed_times(f, 1, "new"), 1);
	assert_int_equal(bed_times(f, 1, "recovered"), 0);
}

/* The row of boots without it may lie across several points. */
static void row_of_points(void **state)
{
	struct fake *f = *state;
	int64_t id = bed_follow(f, "\"det\"", BED_CASES);

	bed.faulty = "b";
	bed.shows = 3;
	bed_grows(f, id, "ab", "b<a a");
	json_decref(bed_becomes(f, 1, "new"));
	/* Three of seven ask for eight boots, and for more where the bisection made some. */
	bed_grows(f, id, "abc", "c<b b<a a");
	bed_is(f, 1, "new");
	bed_grows(f, id, "abcd", "d<c c<b b<a a");
	bed_grows(f, id, "abcde", "e<d d<c c<b b<a a");
	json_decref(bed_becomes(f, 1, "recovered"));
	assert_int_equal(bed_times(f, 1, "recovered"), 1);
}

/* Boots of an environment that never showed it do not count. */
static void fault_elsewhere(void **state)
{
	struct fake *f = *state;
	int64_t id = bed_follow(f, "\"det\"", BED_CASES);

	bed.faulty = "b";
	bed_grows(f, id, "ab", "b<a a");
	json_decref(bed_becomes(f, 1, "new"));
	f->qemu = "8.0";
	bed.faulty = "";
	bed_grows(f, id, "abc", "c<a b<a a");
	bed_grows(f, id, "abcd", "d<a c<a b<a a");
	bed_is(f, 1, "new");
	f->qemu = NULL;
	bed_grows(f, id, "abcde", "e<d d<a c<a b<a a");
	recovers(f, 1, 'e');
}

/* A hole's commit is built late, and older than the fix. */
static void hole_shows_it(void **state)
{
	struct fake *f = *state;
	int64_t id = bed_follow(f, "\"det\"", BED_CASES);
	json_t *o = NULL;

	bed.faulty = "b";
	bed_grows(f, id, "ab", "b<a a");
	json_decref(bed_becomes(f, 1, "new"));
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/alerts/1/fix", f->submit,
	                          "{\"why\":\"reverted\"}", &o),
	                 200);
	json_decref(o);
	bed.faulty = "c";
	bed_grows(f, id, "abcd", "d<a c<a b<a a");
	bed_is(f, 1, "fixed");
	bed.faulty = "e";
	bed_grows(f, id, "abcde", "e<d d<a c<a b<a a");
	json_decref(bed_becomes(f, 1, "new"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(back_at_its_level, bed_setup, bed_teardown),
	        cmocka_unit_test_setup_teardown(well_in_between, bed_setup, bed_teardown),
	        cmocka_unit_test_setup_teardown(other_environment, bed_setup, bed_teardown),
	        cmocka_unit_test_setup_teardown(fault_gone, bed_setup, bed_teardown),
	        cmocka_unit_test_setup_teardown(rare_fault, bed_setup, bed_teardown),
	        cmocka_unit_test_setup_teardown(row_of_points, bed_setup, bed_teardown),
	        cmocka_unit_test_setup_teardown(fault_elsewhere, bed_setup, bed_teardown),
	        cmocka_unit_test_setup_teardown(hole_shows_it, bed_setup, bed_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
