/* What a followed branch's points make of alerts: late ones, ones that come back, quiet ones. */
#include "server/test/track_bed.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A track is woken each minute; whoever cannot wait looks. */
static void filled(struct fake *f, int64_t id, size_t points)
{
	int64_t end = clock_mono_ns() + 30 * NS_PER_S;
	size_t done = 0;

	while (done < points) {
		json_t *t, *list;

		followed_look(f, id);
		fake_work(f);
		t = followed_get(f, id);
		list = json_object_get(t, "points");
		done = 0;
		for (size_t i = 0; i < json_array_size(list); i++)
			done += str_eq(str_at(json_array_get(list, i), "state"), "done");
		if (done < points && clock_mono_ns() > end)
			fail_msg("%zu of %zu points are measured", done, points);
		json_decref(t);
		sleep_ms(100);
	}
}

static double slow_since_c(const char *name)
{
	return str_eq(name, followed_name('c')) || str_eq(name, followed_name('d')) ? .02 : 0;
}

/* What is measured late between two points is the cause of what they showed, not another. */
static void holes_make_no_alert(void **state)
{
	struct fake *f = *state;
	int64_t id = followed_add(f, "");
	json_t *t;
	const json_t *steps;
	bool told = false;

	followed_settled(f, id, "a");
	followed.branch = "abcd";
	f->effect = slow_since_c;
	followed_look(f, id);
	filled(f, id, 4);
	t = fake_get(f, "/api/v1/alerts?kind=slower");
	assert_int_equal(json_array_size(at(t, "alerts")), 1);
	assert_string_equal(str_at(t, "alerts.0.kernel.name"), followed_name('d'));
	json_decref(t);
	t = fake_get(f, "/api/v1/alerts/1");
	steps = at(t, "steps");
	for (size_t i = 0; i < json_array_size(steps); i++)
		told |= strstr(str_at(json_array_get(steps, i), "why"), followed_name('c')) &&
		        strstr(str_at(json_array_get(steps, i), "why"), "shows it as well");
	assert_true(told);
	json_decref(t);
}

/* What measures a case of a point by itself is of the point's branch, for whoever mutes it
 * or is told of it. */
static void a_part_is_of_the_branch(void **state)
{
	struct fake *f = *state;
	int64_t id = followed_add_body(f,
	                               "{\"tree\":\"" TRACK_TREE
	                               "\",\"branch\":\"master\",\"boards\":[\"det\"],"
	                               "\"cases\":[\"" TRACK_CASE "\",\"fork/order=0,size=16M\"],"
	                               "\"plan\":{\"boots\":6}}"),
	        sub;
	char path[96];
	json_t *t;

	followed_settled(f, id, "a");
	followed.branch = "ab";
	followed_look(f, id);
	t = followed_until(f, id, "b<a a");
	sub = int_at(t, "points.0.submission");
	json_decref(t);
	t = fake_get(f, "/api/v1/alerts");
	assert_int_equal(json_array_size(at(t, "alerts")), 0);
	json_decref(t);
	/* It was too small to be seen there. */
	f->slow_kernel = followed_name('b');
	snprintf(path, sizeof(path), "/api/v1/submissions/%lld/boots", (long long)sub);
	assert_int_equal(ask_json(f->d, "POST", path, f->d->admin, "{\"cases\":[\"fork/*\"]}", &t),
	                 201);
	sub = int_at(t, "id");
	json_decref(t);
	while (fake_work(f))
		;
	json_decref(fake_await(f, sub, "done"));
	t = fake_get(f, "/api/v1/alerts?kind=slower");
	assert_int_equal(json_array_size(at(t, "alerts")), 1);
	assert_string_equal(str_at(t, "alerts.0.kernel.ref"), "master");
	assert_int_equal(int_at(t, "alerts.0.submission"), sub);
	json_decref(t);
	/* The track has the points that it had. */
	followed_settled(f, id, "b<a a");
}

static const char *quiet_state(struct fake *f, const char *says)
{
	static char state[32];
	json_t *o = fake_get(f, "/api/v1/alerts?kind=missing"), *a;

	state[0] = '\0';
	if (json_array_size(at(o, "alerts"))) {
		snprintf(state, sizeof(state), "%s", str_at(o, "alerts.0.state"));
		a = fake_get(f, "/api/v1/alerts/1");
		if (says && !strstr(str_at(a, "steps.0.why"), says))
			fail_msg("\"%s\" does not say \"%s\"", str_at(a, "steps.0.why"), says);
		json_decref(a);
	}
	json_decref(o);
	return state;
}

/* A case that had numbers and has none any more. */
static void a_quiet_case(void **state)
{
	static const char *const branches[] = {"a", "ab", "abc", "abcd", "abcde"};
	static const char *const points[] = {"a", "b<a a", "c<b b<a a", "d<c c<b b<a a",
	                                     "e<d d<c c<b b<a a"};
	static const char *const states[] = {"", "", "", "new", "recovered"};
	struct fake *f = *state;
	json_t *o = NULL;

	assert_int_equal(followed_post(f, 0, NULL,
	                               "{\"tree\":\"" TRACK_TREE
	                               "\",\"branch\":\"master\",\"boards\":[\"det\"],"
	                               "\"cases\":[\"" TRACK_CASE "\",\"munmap/order=9,size=16M\"],"
	                               "\"plan\":{\"boots\":6}}",
	                               &o),
	                 201);
	json_decref(o);
	for (size_t i = 0; i < ARRAY_SIZE(branches); i++) {
		int64_t end = clock_mono_ns() + 15 * NS_PER_S;

		f->skip_order9 = i > 0 && i < 4;
		followed.branch = branches[i];
		followed_look(f, 1);
		followed_settled(f, 1, points[i]);
		while (!str_eq(quiet_state(f,
		                           "munmap/order=9,size=16M on det has had no number for "
		                           "3 points"),
		               states[i])) {
			if (clock_mono_ns() > end)
				fail_msg("behind \"%s\" it is \"%s\"", followed.branch,
				         quiet_state(f, NULL));
			followed_look(f, 1);
			fake_work(f);
			sleep_ms(100);
		}
	}
}

static double slow_b_and_d(const char *name)
{
	return str_eq(name, followed_name('b')) || str_eq(name, followed_name('d')) ? .02 : 0;
}

/* Two binaries, in turn. */
static const char *two_binaries(const char *name)
{
	return slow_b_and_d(name) > 0 ? "slower" : "faster";
}

/* A change that is reverted, and applied again, is one alert with a long story. */
static void flaps(void **state)
{
	static const char *const branches[] = {"a", "ab", "abc", "abcd"};
	static const char *const points[] = {"a", "b<a a", "c<b b<a a", "d<c c<b b<a a"};
	static const char *const states[] = {NULL, "confirmed", "recovered", "new"};
	struct fake *f = *state;
	int64_t id = followed_add(f, "");

	f->effect = slow_b_and_d;
	f->binary = two_binaries;
	for (size_t i = 0; i < ARRAY_SIZE(branches); i++) {
		json_t *t;
		const char *now;

		followed.branch = branches[i];
		followed_look(f, id);
		followed_settled(f, id, points[i]);
		for (int64_t end = clock_mono_ns() + 15 * NS_PER_S; states[i];) {
			fake_work(f);
			t = fake_get(f, "/api/v1/alerts?kind=slower");
			assert_true(json_array_size(at(t, "alerts")) <= 1);
			now = str_at(t, "alerts.0.state");
			/* It is measured again at once, and so may be confirmed by now. */
			if (now && (str_eq(now, states[i]) ||
			            (str_eq(states[i], "new") && str_eq(now, "confirmed")))) {
				json_decref(t);
				break;
			}
			if (clock_mono_ns() > end)
				fail_msg("behind \"%s\" it is %s", followed.branch,
				         now ? now : "none");
			json_decref(t);
			sleep_ms(50);
		}
	}
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, followed_setup, fake_teardown)
	const struct CMUnitTest tests[] = {
	        T(holes_make_no_alert),
	        T(a_part_is_of_the_branch),
	        T(a_quiet_case),
	        T(flaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
