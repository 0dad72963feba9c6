/* Branches that are followed: what goes wrong, what stops, what is refused. */
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

static json_t *with_why(struct fake *f, int64_t id, const char *words)
{
	int64_t end = clock_mono_ns() + 10 * NS_PER_S;

	for (;;) {
		json_t *t;

		fake_work(f);
		t = followed_get(f, id);
		if (words ? str_at(t, "why") && strstr(str_at(t, "why"), words) : !str_at(t, "why"))
			return t;
		if (clock_mono_ns() > end)
			fail_msg("why: %s", str_at(t, "why") ? str_at(t, "why") : "-");
		json_decref(t);
		sleep_ms(20);
	}
}

static void looks_that_fail(void **state)
{
	struct fake *f = *state;
	int64_t id = followed_add(f, "");
	json_t *t;

	followed_settled(f, id, "a");
	f->walk_fails = "tree \"" TRACK_TREE "\" has no branch or tag \"master\"";
	followed.branch = "ab";
	followed_look(f, id);
	t = with_why(f, id, "has no branch");
	assert_false(json_is_true(at(t, "looking")));
	assert_string_equal(str_at(t, "state"), "active");
	json_decref(t);
	f->walk_fails = NULL;
	followed_look(f, id);
	followed_settled(f, id, "b<a a");
	json_decref(with_why(f, id, NULL));

	/* What is nobody's fault is tried again, three times. */
	f->walk_fails = "its host does not answer";
	f->walk_class = "infra";
	followed_look(f, id);
	json_decref(with_why(f, id, "does not answer"));
}

static void nobody_may_fetch(void **state)
{
	struct fake *f = *state;
	json_t *o = NULL;
	int64_t id;

	assert_int_equal(
	        followed_post(f, 0, NULL,
	                      "{\"tree\":\"git://example.org/x\",\"branch\":\"master\"," TRACK_REST
	                      "}",
	                      &o),
	        201);
	id = int_at(o, "id");
	json_decref(o);
	json_decref(with_why(f, id, "no agent that builds may fetch"));
}

/* The commit does not build: the next is held against what stood before it. */
static void broken_commit(void **state)
{
	struct fake *f = *state;
	int64_t id = followed_add(f, ",\"mode\":\"all\"");

	followed_settled(f, id, "a");
	f->build_fails = followed_name('b');
	followed.branch = "abc";
	followed_look(f, id);
	followed_settled(f, id, "c<a b<a! a");
}

static void board_is_away(void **state)
{
	struct fake *f = *state;
	int64_t id = followed_add(f, "");
	json_t *o = NULL, *t;

	followed_settled(f, id, "a");
	assert_int_equal(ask_json(f->d, "PUT", "/api/v1/agents/a", f->agent,
	                          "{\"version\":\"1\",\"builds\":true,\"bench\":\"beef\","
	                          "\"toolchains\":[{\"name\":\"gcc\",\"compiler\":\"gcc 12\"}],"
	                          "\"trees\":[\"https:\"],\"boards\":[]}",
	                          &o),
	                 200);
	json_decref(o);
	followed.branch = "ab";
	followed_look(f, id);
	t = with_why(f, id, "no longer offers board");
	assert_string_equal(str_at(t, "points.0.state"), "waiting");
	json_decref(t);
	fake_announce(f, false);
	followed_look(f, id);
	followed_settled(f, id, "b<a a");
	json_decref(with_why(f, id, NULL));
}

/* The server asks for nothing on behalf of one who may not. */
static void token_is_revoked(void **state)
{
	struct fake *f = *state;
	int64_t id = followed_add(f, "");
	json_t *o = NULL, *list;
	char *again, path[64];

	followed_settled(f, id, "a");
	ask_json(f->d, "GET", "/api/v1/tokens", f->d->admin, NULL, &list);
	for (size_t i = 0; i < json_array_size(at(list, "tokens")); i++) {
		const json_t *x = json_array_get(at(list, "tokens"), i);

		snprintf(path, sizeof(path), "/api/v1/tokens/%lld", (long long)int_at(x, "id"));
		if (!str_eq(str_at(x, "role"), "submit"))
			continue;
		assert_int_equal(ask_json(f->d, "DELETE", path, f->d->admin, NULL, &o), 200);
		json_decref(o);
	}
	json_decref(list);
	followed.branch = "ab";
	snprintf(path, sizeof(path), "/api/v1/tracks/%lld/look", (long long)id);
	assert_int_equal(ask_json(f->d, "POST", path, f->d->admin, NULL, &o), 200);
	json_decref(o);
	json_decref(with_why(f, id, "no token of \"test submit\" may submit any more"));
	followed_settled(f, id, "a");
	/* Another of that name takes over. */
	again = daemon_token(f->d, "submit", NULL);
	free(f->submit);
	f->submit = again;
	followed_look(f, id);
	followed_settled(f, id, "b<a a");
	json_decref(with_why(f, id, NULL));
}

static void stopped(void **state)
{
	struct fake *f = *state;
	int64_t id = followed_add(f, "");
	json_t *o = NULL;

	followed_settled(f, id, "a");
	assert_int_equal(followed_post(f, id, "pause", "{\"why\":\"a freeze\"}", &o), 200);
	assert_string_equal(str_at(o, "state"), "paused");
	assert_string_equal(str_at(o, "why"), "a freeze");
	assert_non_null(str_at(o, "stopped_by"));
	assert_true(json_is_null(at(o, "next_look")));
	json_decref(o);
	followed.branch = "ab";
	assert_int_equal(followed_post(f, id, "look", NULL, &o), 409);
	json_decref(o);
	fake_work(f);
	sleep_ms(1200);
	followed_settled(f, id, "a");
	assert_int_equal(followed_post(f, id, "resume", NULL, &o), 200);
	assert_string_equal(str_at(o, "state"), "active");
	json_decref(o);
	followed_settled(f, id, "b<a a");
	assert_int_equal(followed_post(f, id, "resume", NULL, &o), 409);
	json_decref(o);
	assert_int_equal(followed_post(f, id, "end", "{\"why\":\"merged\"}", &o), 200);
	assert_string_equal(str_at(o, "state"), "ended");
	json_decref(o);
	assert_int_equal(followed_post(f, id, "pause", "{\"why\":\"x\"}", &o), 409);
	json_decref(o);
	/* Another may follow it now. */
	assert_int_not_equal(followed_add(f, ""), id);
	o = fake_get(f, "/api/v1/tracks?state=open");
	assert_int_equal(json_array_size(at(o, "tracks")), 1);
	json_decref(o);
	o = fake_get(f, "/api/v1/tracks?limit=1");
	assert_int_equal(json_array_size(at(o, "tracks")), 1);
	assert_false(json_is_null(at(o, "next")));
	json_decref(o);
}

/* Killed at once after each thing that is asked: nothing is lost, nothing done twice. */
static void killed(void **state)
{
	struct fake *f = *state;
	int64_t id = followed_add(f, ",\"mode\":\"all\"");
	json_t *lease, *o, *t;

	for (int i = 0; i < 3; i++) {
		daemon_kill(f->d);
		daemon_start(f->d);
	}
	followed_settled(f, id, "a");
	followed.branch = "abcd";
	followed_look(f, id);
	daemon_kill(f->d);
	daemon_start(f->d);
	for (;;) {
		lease = fake_claim(f, "[\"walk\"]", "[]");
		if (lease)
			break;
		sleep_ms(20);
	}
	o = fake_do(f, lease);
	json_decref(o);
	json_decref(lease);
	daemon_kill(f->d);
	daemon_start(f->d);
	t = followed_until(f, id, "d<c c<b b<a a");
	json_decref(t);
	o = fake_get(f, "/api/v1/submissions");
	assert_int_equal(json_array_size(at(o, "submissions")), 4);
	json_decref(o);
}

static void bad(void **state)
{
	static const struct {
		const char *body;
		int status;
		const char *code, *says;
	} all[] = {
	        {"{}", 400, "input", "tree: missing"},
	        {"{\"tree\":\"" TRACK_TREE "\"," TRACK_REST "}", 400, "input", "branch: missing"},
	        {"{\"tree\":\"ext::x\",\"branch\":\"m\"," TRACK_REST "}", 400, "input",
	         "tree: expected"},
	        {"{\"tree\":\"" TRACK_TREE "\",\"branch\":\"-x\"," TRACK_REST "}", 400, "input",
	         "branch: \"-x\""},
	        {"{\"tree\":\"" TRACK_TREE
	         "\",\"branch\":\"0123456789012345678901234567890123456789\"," TRACK_REST "}",
	         400, "input", "a commit does not move"},
	        {TRACK_BODY ",\"every_s\":59}", 400, "input", "every_s"},
	        {TRACK_BODY ",\"every_s\":604801}", 400, "input", "every_s"},
	        {TRACK_BODY ",\"every_s\":1e3}", 400, "input", "every_s"},
	        {TRACK_BODY ",\"mode\":\"some\"}", 400, "input", "mode"},
	        {TRACK_BODY ",\"kernels\":[]}", 400, "input", "kernels"},
	        {TRACK_BODY ",\"threshold\":2}", 400, "input", "threshold: expected a fraction"},
	        {TRACK_BODY ",\"release\":\"a..b\"}", 400, "input", "release: "},
	        {TRACK_BODY ",\"priority\":101}", 400, "input", "priority"},
	        {TRACK_BODY ",\"config\":\"no-such-set\"}", 422, "unprocessable", "config: "},
	        {TRACK_BODY ",\"config\":7}", 400, "input", "config: expected"},
	        {TRACK_BODY ",\"toolchain\":\"a b\"}", 400, "input", "toolchain: "},
	        {"{\"tree\":\"" TRACK_TREE "\",\"branch\":\"m\",\"cases\":[\"fork/order=99\"]}",
	         400, "input", "cases[0]"},
	        {"{\"tree\":\"" TRACK_TREE "\",\"branch\":\"m\",\"cases\":[]}", 400, "input",
	         "cases"},
	        {"{\"tree\":\"" TRACK_TREE "\",\"branch\":\"m\",\"cases\":[\"" TRACK_CASE
	         "\"],\"boards\":[\"none\"]}",
	         422, "unprocessable", "boards[0]: there is no board \"none\""},
	        {"{\"tree\":\"" TRACK_TREE "\",\"branch\":\"m\",\"cases\":[\"" TRACK_CASE
	         "\"],\"boards\":[\"det\"],\"plan\":{\"boots\":5}}",
	         422, "unprocessable", "plan.boots: a verdict on \"det\" takes 6 boots"},
	        {"{\"tree\":\"" TRACK_TREE "\",\"branch\":\"m\xff\"," TRACK_REST "}", 400, "input",
	         NULL},
	};
	struct fake *f = *state;
	int64_t id = followed_add(f, "");
	json_t *o;
	char says[64];

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		expect_error(f->d, "POST", "/api/v1/tracks", f->submit, all[i].body, all[i].status,
		             all[i].code, all[i].says);
	snprintf(says, sizeof(says), "track %lld", (long long)id);
	expect_error(f->d, "POST", "/api/v1/tracks", f->submit, TRACK_BODY "}", 409, "conflict",
	             says);
	expect_error(f->d, "POST", "/api/v1/tracks", f->agent, TRACK_BODY "}", 403, "denied", NULL);
	expect_error(f->d, "GET", "/api/v1/tracks/99", NULL, NULL, 404, "not_found", "track 99");
	expect_error(f->d, "GET", "/api/v1/tracks?state=x", NULL, NULL, 400, "input", "state");
	expect_error(f->d, "POST", "/api/v1/tracks/99/look", f->submit, "{}", 404, "not_found",
	             NULL);
	expect_error(f->d, "POST", "/api/v1/tracks/1/pause", f->submit, "{}", 400, "input", "why");
	expect_error(f->d, "POST", "/api/v1/tracks/1/pause", f->submit, "{\"why\":\"  \"}", 400,
	             "input", "why");
	expect_error(f->d, "POST", "/api/v1/tracks/1/pause", f->submit,
	             "{\"why\":\"x\",\"until\":\"2001-01-01\"}", 422, "unprocessable", "is over");
	expect_error(f->d, "POST", "/api/v1/tracks/1/pause", f->submit,
	             "{\"why\":\"x\",\"until\":\"soon\"}", 400, "input", "YYYY-MM-DD");
	o = fake_get(f, "/api/v1/tracks");
	assert_int_equal(json_array_size(at(o, "tracks")), 1);
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(looks_that_fail, followed_setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(nobody_may_fetch, followed_setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(broken_commit, followed_setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(board_is_away, followed_setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(token_is_revoked, followed_setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(stopped, followed_setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(killed, followed_setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(bad, followed_setup, fake_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
