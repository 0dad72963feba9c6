/* The search for the patches of a series that matter, over the real server: prefixes
 * between marks are booted until every effect stands between two neighbours. */
#include "server/test/fake_agent.h"
#include "server/test/rebuilt.h"

#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TREE   "\"tree\":\"https://example.org/linux.git\",\"base\":\"v6.12\""
#define UNMAP  "munmap/order=0,size=16M"
#define FORK   "fork/order=0,size=16M"
#define MARKS  ",\"marks\":{\"basic\":12,\"batch\":20}"
#define EACH   7 /* boots of a kernel: six phases, one of them twice */
#define BOOTS  ",\"plan\":{\"boots\":6}"
#define PLAIN  BOOTS ",\"validate\":false"
#define SERIES 25

static char bundle[65];
/* From which patch on a case is how much slower: what the prefixes below are made of. */
static int slow_from, slow_until, fast_from, half_from;

static int patches_in(const char *name)
{
	if (strcmp(name, "base") == 0)
		return 0;
	if (strcmp(name, "basic") == 0)
		return 12;
	if (strcmp(name, "batch") == 0)
		return 20;
	if (strcmp(name, "four") == 0)
		return 4;
	if (strcmp(name, "tip") == 0)
		return SERIES;
	return atoi(name + 1);
}

static double effect(const char *name, const char *case_text)
{
	int n = patches_in(name);
	double e = 0;

	if (strcmp(case_text, UNMAP) == 0 && slow_from && n >= slow_from &&
	    (!slow_until || n < slow_until))
		e += .02;
	if (strcmp(case_text, FORK) == 0 && fast_from && n >= fast_from)
		e -= .03;
	/* Two of them, each under a verdict, which together are one. */
	if (strcmp(case_text, FORK) == 0 && half_from)
		e += .0006 * ((n >= half_from) + (n >= half_from + 5));
	return e;
}

static int setup(void **state)
{
	struct fake *f;

	fake_setup(state);
	f = *state;
	fake_announce(f, false);
	fake_put(f, "a bundle", 8, bundle);
	f->patches = SERIES;
	f->effect_on = effect;
	slow_from = slow_until = fast_from = half_from = 0;
	return 0;
}

static int64_t submit(struct fake *f, const char *series, const char *rest)
{
	char *text = xasprintf("{\"title\":\"s\",\"series\":{" TREE ",\"bundle\":\"%s\"%s},"
	                       "\"boards\":[\"det\"],\"cases\":[\"" UNMAP "\",\"" FORK "\"]%s}",
	                       bundle, series, rest);
	int64_t id = fake_submit(f, text);

	free(text);
	return id;
}

static json_t *shown(struct fake *f, int64_t id)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/submissions/%lld", (long long)id);
	return fake_get(f, path);
}

/* Until it is in that state: a step is asked for when the one before is judged. */
static json_t *worked(struct fake *f, int64_t id, const char *state)
{
	for (int i = 0; i < 400; i++, sleep_ms(10)) {
		json_t *s;
		bool is;

		fake_work(f);
		s = shown(f, id);
		is = strcmp(str_at(s, "state"), state) == 0;
		if (is)
			return s;
		json_decref(s);
	}
	fail_msg("submission %lld is not %s", (long long)id, state);
	return NULL;
}

static json_t *measured(struct fake *f, const char *series, const char *rest)
{
	return worked(f, submit(f, series, rest), "done");
}

static int boots_of(const json_t *s)
{
	const json_t *jobs = at(s, "jobs");
	int n = 0;

	for (size_t i = 0; i < json_array_size(jobs); i++)
		n += strcmp(str_at(json_array_get(jobs, i), "kind"), "boot") == 0;
	return n;
}

static void expect_effect(const json_t *s, size_t i, const char *case_text, const char *verdict,
                          int first, int last)
{
	const json_t *x = json_array_get(at(s, "series.search.effects"), i);

	if (!x)
		fail_msg("there is no effect %zu", i);
	assert_string_equal(str_at(x, "case"), case_text);
	assert_string_equal(str_at(x, "verdict"), verdict);
	assert_int_equal(int_at(x, "first"), first);
	assert_int_equal(int_at(x, "last"), last);
}

static size_t effects_of(const json_t *s)
{
	return json_array_size(at(s, "series.search.effects"));
}

static size_t steps_of(const json_t *s)
{
	return json_array_size(at(s, "series.search.steps"));
}

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
	                 bundle);
	id = fake_submit(f, text);
	free(text);
	s = worked(f, id, "done");
	assert_int_equal(effects_of(s), 1);
	expect_effect(s, 0, UNMAP, "slower", 3, 3);
	for (size_t i = 0; i < steps_of(s); i++)
		assert_int_equal(int_at(json_array_get(at(s, "series.search.steps"), i), "boots"),
		                 boots_of(s) / (4 + (int)steps_of(s)));
	json_decref(s);
}

/* Works until the search has begun and a boot of it is done. */
static void begin_searching(struct fake *f, int64_t id)
{
	for (int i = 0; i < 400; i++) {
		json_t *s = shown(f, id), *lease;
		bool searching =
		        strcmp(json_str(at(s, "series.search"), "state", ""), "searching") == 0;

		json_decref(s);
		lease = fake_claim(f, "[\"resolve\",\"build\",\"boot\"]", "[\"det\"]");
		if (lease) {
			json_decref(fake_do(f, lease));
			json_decref(lease);
		} else {
			sleep_ms(10);
		}
		if (searching && lease)
			return;
	}
	fail_msg("no search has begun");
}

static void cancelled(void **state)
{
	struct fake *f = *state;
	int64_t id;
	json_t *s, *c;
	char path[64];
	size_t steps;

	slow_from = 7;
	id = submit(f, MARKS, PLAIN);
	begin_searching(f, id);
	snprintf(path, sizeof(path), "/api/v1/submissions/%lld/cancel", (long long)id);
	assert_int_equal(ask_json(f->d, "POST", path, f->submit, NULL, &s), 200);
	json_decref(s);
	s = worked(f, id, "cancelled");
	steps = steps_of(s);
	assert_string_equal(str_at(s, "series.search.state"), "stopped");
	/* What the marks came to stands. */
	expect_effect(s, 0, UNMAP, "slower", 1, 12);
	json_decref(s);
	sleep_ms(1200);
	assert_int_equal(fake_work(f), 0);
	s = shown(f, id);
	assert_int_equal(steps_of(s), steps);
	json_decref(s);
	c = fake_comparison(f, id);
	assert_true(json_is_false(at(c, "complete")));
	json_decref(c);
}

/* Steps are facts: a server that is killed goes on where it was. */
static void killed(void **state)
{
	static const char *const derived[] = {
	        "SELECT submission_id || ' ' || pos || ' ' || case_text || ' ' || verdict || ' ' ||"
	        " first || ' ' || last || ' ' || coalesce(why, '') || ' ' || change || ' ' ||"
	        " last_boot FROM series_effect ORDER BY submission_id, pos",
	        "SELECT text FROM cell_note ORDER BY submission_id, pos",
	};
	struct fake *f = *state;
	int64_t id;
	json_t *s;

	slow_from = 7;
	fast_from = 18;
	id = submit(f, MARKS, PLAIN);
	for (int i = 0; i < 3; i++) {
		begin_searching(f, id);
		daemon_kill(f->d);
		daemon_start(f->d);
	}
	s = worked(f, id, "done");
	assert_int_equal(effects_of(s), 2);
	expect_effect(s, 0, UNMAP, "slower", 7, 7);
	expect_effect(s, 1, FORK, "faster", 18, 18);
	assert_int_equal(steps_of(s), 6);
	assert_int_equal(boots_of(s), (4 + 6) * EACH);
	json_decref(s);
	daemon_expect_rebuilt(f->d, derived, 2, "7 7");
	daemon_start(f->d);
}

/* The next version: what did not change has its kernels and boots, those of the search
 * too, so that it finds the same for nothing; what changed is pointed out. */
static void the_next_version(void **state)
{
	struct fake *f = *state;
	int64_t first;
	json_t *s;

	slow_from = 7;
	s = measured(f, MARKS, PLAIN);
	first = int_at(s, "id");
	json_decref(s);
	f->version = 1;
	f->changed = 22;
	s = measured(f, MARKS, PLAIN);
	expect_effect(s, 0, UNMAP, "slower", 7, 7);
	assert_int_equal(steps_of(s), 3);
	/* The tip alone is new. */
	assert_int_equal(boots_of(s), EACH);
	assert_int_equal(int_at(s, "series.search.boots.search"), 0);
	assert_int_equal(int_at(s, "series.patches.6.earlier.submission"), first);
	assert_int_equal(json_array_size(at(s, "series.changes")), 0);
	json_decref(s);
	/* Built anew, the same patches are as fast as the base. */
	f->version = 2;
	slow_from = 0;
	s = measured(f, MARKS, PLAIN ",\"reuse\":false,\"rebuild\":true");
	assert_int_equal(effects_of(s), 0);
	assert_int_equal(json_array_size(at(s, "series.changes")), 2);
	assert_string_equal(str_at(s, "series.changes.0.kernel"), "basic");
	assert_string_equal(str_at(s, "series.changes.1.kernel"), "batch");
	assert_string_equal(str_at(s, "series.changes.1.was"), "slower");
	assert_string_equal(str_at(s, "series.changes.1.is"), "same");
	assert_int_equal(int_at(s, "series.changes.1.submission"), first + 1);
	json_decref(s);
}

/* An alert's bisection takes what the search found. */
static void a_bisection_has_it(void **state)
{
	struct fake *f = *state;
	json_t *s, *o;
	char path[64];

	slow_from = 7;
	s = measured(f, MARKS, PLAIN);
	o = fake_get(f, "/api/v1/alerts");
	assert_int_equal(json_array_size(at(o, "alerts")), 1);
	snprintf(path, sizeof(path), "/api/v1/alerts/%lld/bisection",
	         (long long)int_at(o, "alerts.0.id"));
	json_decref(o);
	assert_true(ask_json(f->d, "POST", path, f->submit, "{}", &o) < 300);
	json_decref(o);
	o = fake_get(f, path);
	assert_int_equal(int_at(o, "commits"), 1);
	assert_string_equal(str_at(o, "bad"), str_at(s, "series.patches.6.commit"));
	assert_string_equal(str_at(o, "good"), str_at(s, "series.patches.5.commit"));
	json_decref(o);
	json_decref(s);
}

static void bad_bodies(void **state)
{
	static const struct {
		const char *series, *says;
	} bad[] = {
	        {",\"steps\":-1", "series.steps"},
	        {",\"steps\":64", "series.steps"},
	        {",\"steps\":1e3", "series.steps"},
	        {",\"steps\":99999999999999999999", "99999"},
	        {",\"steps\":\"2\"", "series.steps"},
	        {",\"steps\":[]", "series.steps"},
	        {",\"steps\":true", "series.steps"},
	        {",\"all\":true,\"steps\":3", "nothing to search"},
	};
	struct fake *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_t *o = NULL;
		char *text = xasprintf("{\"title\":\"s\",\"series\":{" TREE
		                       ",\"bundle\":\"%s\"%s},\"boards\":[\"det\"],"
		                       "\"cases\":[\"" FORK "\"]}",
		                       bundle, bad[i].series);
		int status = ask_json(f->d, "POST", "/api/v1/submissions", f->submit, text, &o);

		if (status != 400 || (i != 3 && !strstr(str_at(o, "error.message"), bad[i].says)))
			fail_msg("%zu: %d %s", i, status,
			         status == 201 ? "" : str_at(o, "error.message"));
		json_decref(o);
		free(text);
	}
	json_decref(measured(f, ",\"all\":true,\"steps\":0", PLAIN));
	json_decref(measured(f, ",\"steps\":null", PLAIN));
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, fake_teardown)
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
	        T(cancelled),
	        T(killed),
	        T(the_next_version),
	        T(a_bisection_has_it),
	        T(bad_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
