/* A tip held against the release, over the real server. */
#include "server/test/point_bed.h"

#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void has(const char *text, const char *word)
{
	if (!text || !strstr(text, word))
		fail_msg("there is no \"%s\" in:\n%s", word, text ? text : "(nothing)");
}

/* The comparison of the newest point with the release, which the server asks for. */
static int64_t held(struct fake *f)
{
	int64_t id = 0;

	for (int i = 0; !id; i++) {
		json_t *o = fake_get(f, "/api/v1/tracks/1");

		if (json_is_integer(at(o, "points.0.release")))
			id = int_at(o, "points.0.release");
		json_decref(o);
		assert_true(i < 1000);
		sleep_ms(20);
	}
	fake_work(f);
	json_decref(fake_await(f, id, "done"));
	return id;
}

static void measured(struct fake *f, struct points *x, const char *before)
{
	struct point *own = (struct point *)x->at;

	for (size_t i = 0; i < x->n; i++)
		own[i].submission =
		        point_submit(f, i ? own[i - 1].ref : before, own[i].ref, "\"det\"");
	points_follow(f, x);
	fake_work(f);
	for (size_t i = 0; i < x->n; i++)
		json_decref(fake_await(f, own[i].submission, "done"));
	own[x->n - 1].release = held(f);
}

static void what_creeps_is_told_once(void **state)
{
	struct fake *f = *state;
	struct point pts[2] = {{.ref = "slow-1"}, {.ref = "slow-2"}}, third = {.ref = "slow-3"};
	struct points x = {.at = pts, .n = 2, .release = "v6.11"}, more = {.at = &third, .n = 1};
	json_t *o;

	fake_announce(f, false);
	measured(f, &x, NULL);
	o = fake_get(f, "/api/v1/alerts");
	assert_int_equal(json_array_size(at(o, "alerts")), 1);
	has(str_at(o, "alerts.0.title"), "master: 2.0");
	has(str_at(o, "alerts.0.title"), "than v6.11 in fork/");
	has(str_at(o, "alerts.0.title"), "without a step, and 1 more");
	/* Whether the first point was held as well, before there was the second. */
	assert_true(str_eq(str_at(o, "alerts.0.state"), "new") ||
	            str_eq(str_at(o, "alerts.0.state"), "confirmed"));
	assert_int_equal(int_at(o, "alerts.0.cells.0.submission"), pts[1].release);
	json_decref(o);
	o = fake_get(f, "/api/v1/tracks/1/histories");
	assert_string_equal(str_at(o, "release.release"), "v6.11");
	assert_int_equal(int_at(o, "release.submission"), pts[1].release);
	assert_int_equal(int_at(o, "release.position"), 2);
	json_decref(o);

	/* The next tip brings its cells up to date, and no alert of its own. */
	more.track = x.track;
	measured(f, &more, "slow-2");
	o = fake_get(f, "/api/v1/alerts");
	assert_int_equal(json_array_size(at(o, "alerts")), 1);
	assert_int_equal(int_at(o, "alerts.0.cells.0.submission"), third.release);
	json_decref(o);
	/* And one that is as fast as the release ends it. */
	third = (struct point){.ref = "p4"};
	measured(f, &more, "slow-3");
	o = fake_get(f, "/api/v1/alerts");
	assert_string_equal(str_at(o, "alerts.0.state"), "recovered");
	json_decref(o);
}

/* A step that was told is no creep. */
static void a_step_is_no_creep(void **state)
{
	struct fake *f = *state;
	struct point pts[2] = {{.ref = "p1"}, {.ref = "slow-2"}};
	struct points x = {.at = pts, .n = 2, .release = "v6.11"};
	json_t *o;

	fake_announce(f, false);
	measured(f, &x, NULL);
	o = fake_get(f, "/api/v1/alerts");
	assert_int_equal(json_array_size(at(o, "alerts")), 1);
	has(str_at(o, "alerts.0.title"), "slow-2: ");
	json_decref(o);
}

#define with(test) cmocka_unit_test_setup_teardown(test, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        with(what_creeps_is_told_once),
	        with(a_step_is_no_creep),
	};

	return cmocka_run_group_tests_name("release", tests, NULL, NULL);
}
