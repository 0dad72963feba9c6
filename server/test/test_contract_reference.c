/* The reference over the real server: its nights, and how they chain the segments of a
 * history. */
#include "server/test/point_bed.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"

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

static void announce(struct fake *f, const char *qemu)
{
	char *text = xasprintf(
	        "{\"version\":\"1\",\"builds\":true,\"bench\":\"beef\",\"toolchains\":[{\"name\":"
	        "\"gcc\",\"compiler\":\"gcc 12\"}],\"trees\":[\"https:\"],\"boards\":[{\"name\":"
	        "\"det\",\"kind\":\"qemu\",\"profile\":\"deterministic\",\"labels\":[\"virtual\"],"
	        "\"metric\":\"instructions\",\"deterministic\":true,\"emulated\":true,"
	        "\"untrusted\":true,\"capabilities\":{},\"description\":\"qemu %s, icount\"}]}",
	        qemu);

	f->qemu = qemu;
	assert_int_equal(ask_json(f->d, "PUT", "/api/v1/agents/a", f->agent, text, NULL), 200);
	free(text);
}

#define REFERENCE                                                                           \
	"{\"kernel\":{\"tree\":\"" POINT_TREE "\",\"ref\":"                                 \
	"\"0123456789012345678901234567890123456789\",\"config\":\"contpte-y\"},\"cases\":" \
	"[\"" POINT_CASE "\",\"" POINT_OTHER "\"]}"

static json_t *reference_of(struct fake *f, int64_t but)
{
	int64_t until = clock_mono_ns() + 20 * NS_PER_S;

	for (;;) {
		json_t *o = fake_get(f, "/api/v1/boards/det");
		const json_t *r = at(o, "reference");

		if (json_int(r, "submission", 0) && json_int(r, "submission", 0) != but &&
		    str_eq(str_at(r, "state"), "done"))
			return o;
		json_decref(o);
		if (clock_mono_ns() > until)
			fail_msg("the reference is not measured");
		fake_work(f);
		sleep_ms(50);
	}
}

static size_t submissions(struct fake *f)
{
	json_t *o = fake_get(f, "/api/v1/submissions?limit=500");
	size_t n = json_array_size(at(o, "submissions"));

	json_decref(o);
	return n;
}

static void a_new_environment_goes_on(void **state)
{
	struct fake *f = *state;
	struct point pts[2] = {{.ref = "p1"}, {.ref = "p2"}}, third = {.ref = "p3"};
	struct points x = {.at = pts, .n = 2}, more = {.at = &third, .n = 1};
	int64_t first;
	size_t n;
	json_t *o;

	announce(f, "7.2");
	assert_int_equal(ask_json(f->d, "PUT", "/api/v1/reference", f->d->admin, REFERENCE, &o),
	                 200);
	assert_int_equal(int_at(o, "hour"), 2);
	json_decref(o);
	o = reference_of(f, 0);
	assert_int_equal(int_at(o, "reference.missed"), 0);
	first = int_at(o, "reference.submission");
	json_decref(o);
	pts[0].submission = point_submit(f, NULL, "p1", "\"det\"");
	pts[1].submission = point_submit(f, "p1", "p2", "\"det\"");
	points_follow(f, &x);
	fake_work(f);
	json_decref(fake_await(f, pts[1].submission, "done"));
	/* Once a night, however often it is looked at. */
	n = submissions(f);
	sleep_ms(2500);
	assert_int_equal(submissions(f), n);

	/* Another QEMU: the reference is asked for at once. */
	announce(f, "9.1");
	o = reference_of(f, first);
	json_decref(o);
	third.submission = point_submit(f, "p2", "p3", "\"det\"");
	more.track = x.track;
	points_follow(f, &more);
	fake_work(f);
	json_decref(fake_await(f, third.submission, "done"));
	o = fake_get(f, "/api/v1/tracks/1/history" POINT_QUERY);
	assert_int_equal(json_array_size(at(o, "segments")), 2);
	/* The fake board's numbers are the same in both. */
	assert_true(num_at(o, "segments.0.scale") == 1);
	assert_true(num_at(o, "segments.1.scale") == 1);
	assert_int_equal(int_at(o, "segments.1.first"), 2);
	assert_int_equal(json_array_size(at(o, "points")), 4);
	json_decref(o);
	o = fake_get(f, "/api/v1/tracks/1/histories");
	assert_int_equal(json_array_size(at(o, "histories")), 4);
	json_decref(o);

	o = fake_get(f, "/api/v1/reference");
	assert_int_equal(json_array_size(at(o, "references")), 1);
	assert_string_equal(str_at(o, "boards.0.board"), "det");
	json_decref(o);
	assert_int_equal(ask_json(f->d, "DELETE", "/api/v1/reference", f->d->admin, NULL, &o), 200);
	assert_true(json_is_string(at(o, "ended")));
	json_decref(o);
	expect_error(f->d, "DELETE", "/api/v1/reference", f->d->admin, NULL, 404, "not_found",
	             "for all boards");
	expect_error(f->d, "DELETE", "/api/v1/reference?board=x", f->d->admin, NULL, 404,
	             "not_found", "boards \"x\"");
	o = fake_get(f, "/api/v1/boards/det");
	assert_true(json_is_null(at(o, "reference")));
	json_decref(o);
}

static void without_a_reference_a_border_is_a_mark(void **state)
{
	struct fake *f = *state;
	struct point pts[2] = {{.ref = "p1"}, {.ref = "p2"}};
	struct points x = {.at = pts, .n = 2};
	char *out;
	json_t *o;

	announce(f, "7.2");
	pts[0].submission = point_submit(f, NULL, "p1", "\"det\"");
	fake_work(f);
	json_decref(fake_await(f, pts[0].submission, "done"));
	announce(f, "9.1");
	pts[1].submission = point_submit(f, "p1", "p2", "\"det\"");
	points_follow(f, &x);
	fake_work(f);
	json_decref(fake_await(f, pts[1].submission, "done"));
	/* The first one's comparison stood before it was a point; a rebuild finds it. */
	daemon_stop(f->d);
	assert_int_equal(daemon_run(f->d, (const char *const[]){"rebuild", NULL}, &out), 0);
	free(out);
	daemon_start(f->d);
	o = fake_get(f, "/api/v1/tracks/1/history" POINT_QUERY);
	assert_int_equal(json_array_size(at(o, "segments")), 2);
	assert_true(json_is_null(at(o, "segments.0.scale")));
	assert_true(num_at(o, "points.0.value") == num_at(o, "points.0.shown"));
	json_decref(o);
}

static void bad_references(void **state)
{
	static const struct {
		const char *body, *has;
		int status;
	} bad[] = {
	        {"{}", "kernel", 400},
	        {"{\"kernel\":{},\"cases\":[\"" POINT_CASE "\"]}", "kernel.ref", 400},
	        {"{\"kernel\":{\"tree\":\"" POINT_TREE
	         "\",\"ref\":\"master\"},\"cases\":[\"" POINT_CASE "\"]}",
	         "a whole commit id", 400},
	        {"{\"kernel\":{\"name\":\"x\",\"image\":\"y\"},\"cases\":[\"" POINT_CASE "\"]}",
	         "kernel.name", 400},
	        {"{\"kernel\":{\"image\":\"y\"},\"cases\":[\"" POINT_CASE "\"]}",
	         "kernel.image: expected 64", 400},
	        {"{\"kernel\":{\"image\":"
	         "\"0123456789012345678901234567890123456789012345678901234567"
	         "890123\"},\"cases\":[\"" POINT_CASE "\"]}",
	         "there is no artifact", 422},
	        {"{\"kernel\":{\"tree\":\"" POINT_TREE
	         "\",\"ref\":\"0123456789012345678901234567890123456789\"},\"cases\":[]}",
	         "cases", 400},
	        {"{\"kernel\":{\"tree\":\"" POINT_TREE
	         "\",\"ref\":\"0123456789012345678901234567890123456789\"},\"cases\":[\"fork\"]}",
	         "cases[0]", 400},
	        {"{\"kernel\":{\"tree\":\"" POINT_TREE
	         "\",\"ref\":\"0123456789012345678901234567890123456789\"},\"cases\":[\"" POINT_CASE
	         "\"],\"hour\":24}",
	         "hour", 400},
	        {"{\"kernel\":{\"tree\":\"" POINT_TREE
	         "\",\"ref\":\"0123456789012345678901234567890123456789\"},\"cases\":[\"" POINT_CASE
	         "\"],\"board\":\"\"}",
	         "board", 400},
	        {"{\"kernel\":[],\"cases\":[\"" POINT_CASE "\"],\"odd\":1}", "kernel", 400},
	};
	struct fake *f = *state;
	json_t *o;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_error(f->d, "PUT", "/api/v1/reference", f->d->admin, bad[i].body,
		             bad[i].status, bad[i].status == 400 ? "input" : "unprocessable",
		             bad[i].has);
	expect_error(f->d, "PUT", "/api/v1/reference", f->submit, REFERENCE, 403, "denied", NULL);
	o = fake_get(f, "/api/v1/reference");
	assert_int_equal(json_array_size(at(o, "references")), 0);
	json_decref(o);
}

/* A board that is away: told, and made up for when it is back. */
static void a_board_that_is_away(void **state)
{
	struct fake *f = *state;
	int64_t until = clock_mono_ns() + 20 * NS_PER_S;
	json_t *o;

	announce(f, "7.2");
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/boards/det/drain", f->d->admin,
	                          "{\"why\":\"a new fan\"}", NULL),
	                 200);
	assert_int_equal(ask_json(f->d, "PUT", "/api/v1/reference", f->d->admin, REFERENCE, NULL),
	                 200);
	for (;; sleep_ms(50)) {
		o = fake_get(f, "/api/v1/boards/det");
		if (str_at(o, "reference.why"))
			break;
		json_decref(o);
		assert_true(clock_mono_ns() < until);
	}
	has(str_at(o, "reference.why"), "drained: a new fan");
	assert_true(json_is_null(at(o, "reference.submission")));
	json_decref(o);
	assert_int_equal(submissions(f), 0);
	assert_int_equal(
	        ask_json(f->d, "POST", "/api/v1/boards/det/resume", f->d->admin, "{}", NULL), 200);
	o = reference_of(f, 0);
	assert_true(json_is_null(at(o, "reference.why")));
	json_decref(o);
}

#define with(test) cmocka_unit_test_setup_teardown(test, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        with(a_new_environment_goes_on),
	        with(without_a_reference_a_border_is_a_mark),
	        with(bad_references),
	        with(a_board_that_is_away),
	};

	return cmocka_run_group_tests_name("reference", tests, NULL, NULL);
}
