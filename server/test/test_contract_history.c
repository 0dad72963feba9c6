/* Histories over the real server: what the API says, and a rebuild. */
#include "server/test/point_bed.h"
#include "server/test/rebuilt.h"
#include "server/test/shape.h"

#include "lib/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void has(const char *text, const char *word)
{
	if (!text || !strstr(text, word))
		fail_msg("there is no \"%s\" in:\n%s", word, text ? text : "(nothing)");
}

static void a_track_of_five(void **state)
{
	static const char *const queries[] = {
	        "SELECT h.board || h.env_id || h.case_text || h.config || h.points || h.class"
	        " || coalesce(h.level, '-') || x.position || ' ' || x.value || x.boots || x.carried"
	        " || x.kernel_id || coalesce(x.against, '-') || x.last_boot FROM history h"
	        " JOIN history_point x ON x.history_id = h.id ORDER BY h.board, h.env_id,"
	        " h.case_text, x.position",
	        "SELECT h.board || h.case_text || x.position || x.class || x.before || x.after"
	        " || x.change || coalesce(x.low, '-') || coalesce(x.score, '-') FROM history h"
	        " JOIN history_change x ON x.history_id = h.id ORDER BY h.board, h.case_text,"
	        " x.position",
	        "SELECT position || ' ' || board || boot_id || why FROM history_fault"
	        " ORDER BY position, board, boot_id",
	};
	struct fake *f = *state;
	struct point pts[5] = {
	        {.ref = "p1"}, {.ref = "p2"}, {.ref = "slow-3"}, {.ref = "slow-4"}, {.ref = "p5"}};
	struct points x = {.at = pts, .n = 5};
	json_t *o;

	fake_announce(f, true);
	for (size_t i = 0; i < 5; i++)
		pts[i].submission =
		        point_submit(f, i ? pts[i - 1].ref : NULL, pts[i].ref, "\"det\",\"hw\"");
	points_follow(f, &x);
	f->bad_kernel = "p5";
	f->bad_boots = -1;
	fake_work(f);
	for (size_t i = 0; i < 5; i++)
		json_decref(fake_await(f, pts[i].submission, "done"));

	o = fake_get(f, "/api/v1/tracks/1/histories");
	assert_int_equal(json_array_size(at(o, "histories")), 4);
	assert_string_equal(str_at(o, "histories.0.board"), "det");
	assert_string_equal(str_at(o, "histories.0.case"), POINT_CASE);
	assert_string_equal(str_at(o, "histories.0.config"), "contpte-y");
	assert_int_equal(int_at(o, "histories.0.points"), 4);
	assert_int_equal(int_at(o, "histories.0.last.position"), 4);
	assert_int_equal(int_at(o, "histories.0.change.position"), 3);
	assert_true(fabs(num_at(o, "histories.0.change.change") - .02) < .001);
	assert_true(json_is_null(at(o, "release")));
	json_decref(o);

	o = fake_get(f, "/api/v1/tracks/1/history" POINT_QUERY);
	assert_int_equal(int_at(o, "total"), 4);
	assert_true(json_is_false(at(o, "bucketed")));
	assert_int_equal(json_array_size(at(o, "points")), 4);
	assert_string_equal(str_at(o, "points.0.subject"), "a commit");
	assert_int_equal(int_at(o, "points.0.boots"), 6);
	assert_true(num_at(o, "points.0.value") == num_at(o, "points.0.shown"));
	assert_int_equal(json_array_size(at(o, "changes")), 1);
	assert_string_equal(str_at(o, "changes.0.class"), "step");
	assert_true(num_at(o, "changes.0.low") > .015);
	assert_true(json_is_null(at(o, "changes.0.score")));
	/* Six boots and phase 0 again, each with the line. */
	assert_true(json_array_size(at(o, "faults")) >= 1);
	assert_int_equal(int_at(o, "faults.0.position"), 5);
	has(str_at(o, "faults.0.why"), "Bad page state");
	assert_true(num_at(o, "segments.0.scale") == 1);
	json_decref(o);

	o = fake_get(f, "/api/v1/tracks/1/history" POINT_QUERY "&buckets=2");
	assert_true(json_is_true(at(o, "bucketed")));
	assert_int_equal(json_array_size(at(o, "buckets")), 3);
	assert_int_equal(json_array_size(at(o, "points")), 0);
	assert_true(num_at(o, "buckets.2.min") == num_at(o, "buckets.2.max"));
	json_decref(o);
	o = fake_get(f, "/api/v1/tracks/1/history" POINT_QUERY "&from=2&until=3");
	assert_int_equal(json_array_size(at(o, "points")), 2);
	assert_int_equal(int_at(o, "total"), 2);
	json_decref(o);
	o = fake_get(f, "/api/v1/tracks/1/history" POINT_QUERY "&from=100");
	assert_int_equal(json_array_size(at(o, "segments")), 0);
	json_decref(o);

	expect_error(f->d, "GET", "/api/v1/tracks/2/histories", NULL, NULL, 404, "not_found",
	             "track 2");
	expect_error(f->d, "GET", "/api/v1/tracks/2/history" POINT_QUERY, NULL, NULL, 404,
	             "not_found", "track 2");
	expect_error(f->d, "GET", "/api/v1/tracks/1/history?board=det", NULL, NULL, 400, "input",
	             "case");
	expect_error(f->d, "GET", "/api/v1/tracks/1/history?case=fork/order=99", NULL, NULL, 400,
	             "input", "case");
	expect_error(f->d, "GET", "/api/v1/tracks/1/history?case=" POINT_CASE, NULL, NULL, 400,
	             "input", "det, instructions, contpte-y; hw, ns, contpte-y");
	expect_error(f->d, "GET", "/api/v1/tracks/1/history" POINT_QUERY "&metric=ns", NULL, NULL,
	             404, "not_found", "no such history");
	expect_error(f->d, "GET", "/api/v1/tracks/1/history" POINT_QUERY "&from=5&until=3", NULL,
	             NULL, 400, "input", "from");
	expect_error(f->d, "GET", "/api/v1/tracks/1/history" POINT_QUERY "&from=-1", NULL, NULL,
	             400, "input", "from");
	expect_error(f->d, "GET", "/api/v1/tracks/1/history" POINT_QUERY "&buckets=0", NULL, NULL,
	             400, "input", "buckets");
	expect_error(f->d, "GET", "/api/v1/tracks/1/history" POINT_QUERY "&buckets=NaN", NULL, NULL,
	             400, "input", "buckets");
	expect_error(f->d, "GET",
	             "/api/v1/tracks/1/history" POINT_QUERY "&until=99999999999999999999", NULL,
	             NULL, 400, "input", "until");

	daemon_expect_rebuilt(f->d, queries, ARRAY_SIZE(queries), "step");
	daemon_start(f->d);
}

/* The third was compared with the first, before the second was measured: the step is
 * between neighbours all the same, with the interval that their boots give. */
static void neighbours_that_nobody_compared(void **state)
{
	struct fake *f = *state;
	struct point pts[3] = {{.ref = "p1"}, {.ref = "slow-2"}, {.ref = "slow-3"}};
	struct points x = {.at = pts, .n = 3};
	json_t *o;

	fake_announce(f, false);
	pts[0].submission = point_submit(f, NULL, "p1", "\"det\"");
	pts[2].submission = point_submit(f, "p1", "slow-3", "\"det\"");
	pts[1].submission = point_submit(f, "p1", "slow-2", "\"det\"");
	points_follow(f, &x);
	fake_work(f);
	for (size_t i = 0; i < 3; i++)
		json_decref(fake_await(f, pts[i].submission, "done"));
	o = fake_get(f, "/api/v1/tracks/1/history" POINT_QUERY);
	assert_int_equal(json_array_size(at(o, "points")), 3);
	assert_int_equal(json_array_size(at(o, "changes")), 1);
	assert_int_equal(int_at(o, "changes.0.position"), 2);
	json_decref(o);
	/* And one that really is there. */
	pts[0] = (struct point){.ref = "p5"};
	pts[1] = (struct point){.ref = "slow-6"};
	pts[1].submission = point_submit(f, "p1", "slow-6", "\"det\"");
	pts[0].submission = point_submit(f, "slow-3", "p5", "\"det\"");
	x.n = 2;
	points_follow(f, &x);
	fake_work(f);
	for (size_t i = 0; i < 2; i++)
		json_decref(fake_await(f, pts[i].submission, "done"));
	o = fake_get(f, "/api/v1/tracks/1/history" POINT_QUERY "&from=5");
	assert_int_equal(json_array_size(at(o, "changes")), 1);
	assert_int_equal(int_at(o, "changes.0.position"), 5);
	assert_true(num_at(o, "changes.0.low") > .015 && num_at(o, "changes.0.high") < .025);
	json_decref(o);
}

#define with(test) cmocka_unit_test_setup_teardown(test, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        with(a_track_of_five),
	        with(neighbours_that_nobody_compared),
	};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
