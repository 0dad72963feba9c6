/* Alerts of a followed branch that end by themselves, and those that may not. */
#include "server/test/track_bed.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OTHER_CASE "fork/order=0,size=16M"
#define CASES      "\"" TRACK_CASE "\",\"" OTHER_CASE "\""

/* Letters of commits that are slower, and of those that show a fault; in so many boots
 * from now on. */
static const char *slow, *faulty;
static int shows;

static bool among(const char *letters, const char *name)
{
	for (; *letters; letters++)
		if (strstr(name, followed_name(*letters)))
			return true;
	return false;
}

static double effect(const char *name)
{
	return among(slow, name) ? .02 : 0;
}

static bool bad(const char *name)
{
	return among(faulty, name) && (shows > 0 ? shows-- > 0 : shows < 0);
}

static int setup(void **state)
{
	struct fake *f;

	followed_setup(state);
	f = *state;
	slow = faulty = "";
	shows = -1;
	f->effect = effect;
	f->bad = bad;
	f->faults = json_pack(
	        "[{s:i,s:s,s:s,s:s,s:b}]", "line", 7, "kind", "warning", "function", "foo_probe",
	        "text", "WARNING: CPU: 0 PID: 1 at drivers/foo.c:9 foo_probe+0x4/0x60", "fatal", 0);
	f->fault_console = f->console;
	return 0;
}

static int teardown(void **state)
{
	struct fake *f = *state;

	json_decref((json_t *)f->faults);
	return fake_teardown(state);
}

static json_t *alert(struct fake *f, int64_t id)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/alerts/%lld", (long long)id);
	return fake_get(f, path);
}

static void is(struct fake *f, int64_t id, const char *state)
{
	json_t *a = alert(f, id);

	assert_string_equal(str_at(a, "state"), state);
	json_decref(a);
}

static bool over(const json_t *a)
{
	const char *state =
	        json_is_null(at(a, "bisection")) ? "done" : str_at(a, "bisection.state");

	return str_eq(state, "done") || str_eq(state, "gave_up") || str_eq(state, "cancelled");
}

/* Works until the alert is in that state and its bisection, if it has one, has ended. */
static json_t *becomes(struct fake *f, int64_t id, const char *state)
{
	int64_t end = clock_mono_ns() + 15 * NS_PER_S;

	for (;;) {
		json_t *a;

		fake_work(f);
		a = alert(f, id);
		if (str_eq(str_at(a, "state"), state) && over(a))
			return a;
		if (clock_mono_ns() > end) {
			char *text = json_dumps(a, JSON_COMPACT);

			fail_msg("alert %lld is no %s: %s", (long long)id, state, text);
		}
		json_decref(a);
		sleep_ms(20);
	}
}

/* One that recovered says by which commit. */
static void recovers(struct fake *f, int64_t id, char letter)
{
	json_t *a = becomes(f, id, "recovered"), *last;

	last = json_array_get(at(a, "steps"), json_array_size(at(a, "steps")) - 1);
	for (size_t i = 0; i < json_array_size(at(a, "steps")); i++)
		if (str_eq(str_at(json_array_get(at(a, "steps"), i), "to"), "recovered"))
			last = json_array_get(at(a, "steps"), i);
	if (!strstr(str_at(last, "why"), followed_name(letter)))
		fail_msg("its step says: %s", str_at(last, "why"));
	assert_null(str_at(last, "by"));
	json_decref(a);
}

static void point(struct fake *f, int64_t id, const char *branch, const char *want)
{
	followed.branch = branch;
	followed_look(f, id);
	followed_settled(f, id, want);
}

static int64_t follow(struct fake *f, const char *boards, const char *cases)
{
	char *body = xasprintf("{\"tree\":\"" TRACK_TREE "\",\"branch\":\"master\",\"boards\":[%s],"
	                       "\"cases\":[%s],\"plan\":{\"boots\":6}}",
	                       boards, cases);
	int64_t id = followed_add_body(f, body);

	free(body);
	followed_settled(f, id, "a");
	return id;
}

static void back_at_its_level(void **state)
{
	struct fake *f = *state;
	int64_t id = follow(f, "\"det\"", CASES);

	slow = "b";
	point(f, id, "ab", "b<a a");
	json_decref(becomes(f, 1, "confirmed"));
	/* One of the two cases is slower still. */
	slow = "c";
	f->effect_case = OTHER_CASE;
	point(f, id, "abc", "c<b b<a a");
	is(f, 1, "confirmed");
	slow = "";
	point(f, id, "abcd", "d<c c<b b<a a");
	recovers(f, 1, 'd');
}

/* What fills a hole is well, and the tip is not. */
static void well_in_between(void **state)
{
	struct fake *f = *state;
	int64_t id = follow(f, "\"det\"", CASES);

	slow = "b";
	point(f, id, "ab", "b<a a");
	json_decref(becomes(f, 1, "confirmed"));
	slow = "bd";
	point(f, id, "abcd", "d<b c<b b<a a");
	is(f, 1, "confirmed");
	point(f, id, "abcde", "e<d d<b c<b b<a a");
	recovers(f, 1, 'e');
}

static void other_environment(void **state)
{
	struct fake *f = *state;
	int64_t id = follow(f, "\"det\"", CASES);

	slow = "b";
	point(f, id, "ab", "b<a a");
	json_decref(becomes(f, 1, "confirmed"));
	f->qemu = "8.0";
	slow = "";
	point(f, id, "abc", "c<b b<a a");
	is(f, 1, "confirmed");
	point(f, id, "abcd", "d<b c<b b<a a");
	is(f, 1, "confirmed");
}

static void fault_gone(void **state)
{
	struct fake *f = *state;
	int64_t id;

	fake_announce(f, true);
	id = follow(f, "\"det\",\"hw\"", CASES);
	faulty = "b";
	point(f, id, "ab", "b<a a");
	json_decref(becomes(f, 1, "new"));
	/* One of the two boards shows it still. */
	faulty = "c";
	f->bad_metric = "ns";
	point(f, id, "abc", "c<a b<a a");
	is(f, 1, "new");
	faulty = "";
	point(f, id, "abcd", "d<c c<a b<a a");
	recovers(f, 1, 'd');
	/* It comes back with what is written since. */
	faulty = "e";
	point(f, id, "abcde", "e<d d<c c<a b<a a");
	json_decref(becomes(f, 1, "new"));
}

/* Steps that led to that state. */
static int times(struct fake *f, int64_t id, const char *state)
{
	json_t *a = alert(f, id);
	int n = 0;

	for (size_t i = 0; i < json_array_size(at(a, "steps")); i++) {
		const json_t *s = json_array_get(at(a, "steps"), i);

		n += str_eq(str_at(s, "to"), state) && !str_eq(str_at(s, "from"), state);
	}
	json_decref(a);
	return n;
}

/* One that shows in one boot of seven is not gone where one point does not show it. */
static void rare_fault(void **state)
{
	struct fake *f = *state;
	int64_t id = follow(f, "\"det\"", CASES);

	faulty = "bdf";
	shows = 1;
	point(f, id, "ab", "b<a a");
	json_decref(becomes(f, 1, "new"));
	point(f, id, "abc", "c<b b<a a");
	is(f, 1, "new");
	shows = 1;
	point(f, id, "abcd", "d<c c<b b<a a");
	point(f, id, "abcde", "e<d d<c c<b b<a a");
	shows = 1;
	point(f, id, "abcdef", "f<e e<d d<c c<b b<a a");
	point(f, id, "abcdefg", "g<f f<e e<d d<c c<b b<a a");
	json_decref(becomes(f, 1, "new"));
	assert_int_equal(times(f, 1, "new"), 1);
	assert_int_equal(times(f, 1, "recovered"), 0);
}

/* The row of boots without it may lie across several points. */
static void row_of_points(void **state)
{
	struct fake *f = *state;
	int64_t id = follow(f, "\"det\"", CASES);

	faulty = "b";
	shows = 3;
	point(f, id, "ab", "b<a a");
	json_decref(becomes(f, 1, "new"));
	/* Three of seven ask for eight boots. */
	point(f, id, "abc", "c<b b<a a");
	is(f, 1, "new");
	point(f, id, "abcd", "d<c c<b b<a a");
	point(f, id, "abcde", "e<d d<c c<b b<a a");
	recovers(f, 1, 'e');
	assert_int_equal(times(f, 1, "recovered"), 1);
}

/* Boots of an environment that never showed it do not count. */
static void fault_elsewhere(void **state)
{
	struct fake *f = *state;
	int64_t id = follow(f, "\"det\"", CASES);

	faulty = "b";
	point(f, id, "ab", "b<a a");
	json_decref(becomes(f, 1, "new"));
	f->qemu = "8.0";
	faulty = "";
	point(f, id, "abc", "c<a b<a a");
	point(f, id, "abcd", "d<a c<a b<a a");
	is(f, 1, "new");
	f->qemu = NULL;
	point(f, id, "abcde", "e<d d<a c<a b<a a");
	recovers(f, 1, 'e');
}

/* A hole's commit is built late, and older than the fix. */
static void hole_shows_it(void **state)
{
	struct fake *f = *state;
	int64_t id = follow(f, "\"det\"", CASES);
	json_t *o = NULL;

	faulty = "b";
	point(f, id, "ab", "b<a a");
	json_decref(becomes(f, 1, "new"));
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/alerts/1/fix", f->submit,
	                          "{\"why\":\"reverted\"}", &o),
	                 200);
	json_decref(o);
	faulty = "c";
	point(f, id, "abcd", "d<a c<a b<a a");
	is(f, 1, "fixed");
	faulty = "e";
	point(f, id, "abcde", "e<d d<a c<a b<a a");
	json_decref(becomes(f, 1, "new"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(back_at_its_level, setup, teardown),
	        cmocka_unit_test_setup_teardown(well_in_between, setup, teardown),
	        cmocka_unit_test_setup_teardown(other_environment, setup, teardown),
	        cmocka_unit_test_setup_teardown(fault_gone, setup, teardown),
	        cmocka_unit_test_setup_teardown(rare_fault, setup, teardown),
	        cmocka_unit_test_setup_teardown(row_of_points, setup, teardown),
	        cmocka_unit_test_setup_teardown(fault_elsewhere, setup, teardown),
	        cmocka_unit_test_setup_teardown(hole_shows_it, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
