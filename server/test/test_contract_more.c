/* Boots that are added to a submission which is done, over the real server. */
#include "server/test/fake_agent.h"
#include "server/test/rebuilt.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOTE "boots were added after the looks"

static int setup(void **state)
{
	fake_setup(state);
	fake_announce(*state, true);
	return 0;
}

static int64_t submit(struct fake *f, const char *board, const char *plan)
{
	char a[65], b[65], c[65], *body;
	int64_t sub;

	fake_image(f, 1, a);
	fake_image(f, 2, b);
	fake_image(f, 3, c);
	body = xasprintf("{\"title\":\"images\",\"kernels\":[{\"name\":\"base\",\"image\":\"%s\"},"
	                 "{\"name\":\"slow\",\"image\":\"%s\"},{\"name\":\"other\",\"image\":"
	                 "\"%s\"}],\"boards\":[\"%s\"],\"cases\":[\"fork/order=0,size=16M\"],"
	                 "\"plan\":{%s}}",
	                 a, b, c, board, plan);
	sub = fake_submit(f, body);
	free(body);
	return sub;
}

static char *path_of(int64_t sub)
{
	return xasprintf("/api/v1/submissions/%lld/boots", (long long)sub);
}

static void more(struct fake *f, int64_t sub, const char *body)
{
	char *path = path_of(sub);
	json_t *o;

	assert_int_equal(ask_json(f->d, "POST", path, f->submit, body, &o), 200);
	assert_string_equal(str_at(o, "state"), "booting");
	json_decref(o);
	free(path);
}

static void refused(struct fake *f, int64_t sub, const char *token, const char *body, int status,
                    const char *code, const char *has)
{
	char *path = path_of(sub);

	expect_error(f->d, "POST", path, token, body, status, code, has);
	free(path);
}

/* Until it is done, with all looks that it asks for. */
static json_t *done(struct fake *f, int64_t sub)
{
	int64_t until = clock_mono_ns() + 20 * NS_PER_S;
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/submissions/%lld", (long long)sub);
	while (clock_mono_ns() < until) {
		json_t *s;

		fake_work(f);
		s = fake_get(f, path);
		if (strcmp(str_at(s, "state"), "done") == 0) {
			json_decref(s);
			return fake_comparison(f, sub);
		}
		json_decref(s);
		sleep_ms(20);
	}
	fail_msg("submission %lld does not end", (long long)sub);
	return NULL;
}

static const json_t *cell(const json_t *c, const char *kernel)
{
	const json_t *one;
	size_t i;

	json_array_foreach (json_object_get(c, "cells"), i, one)
		if (strcmp(json_str(one, "kernel", ""), kernel) == 0)
			return one;
	fail_msg("there is no cell of \"%s\"", kernel);
	return NULL;
}

static void expect_text(struct fake *f, int64_t sub, const char *has)
{
	char *path =
	        xasprintf("/api/v1/comparisons/%lld?format=text&table=summary", (long long)sub);
	struct reply_raw r;

	ask(f->d, "GET", path, NULL, NULL, NULL, 0, &r);
	assert_int_equal(r.status, 200);
	if (!strstr(r.body, has))
		fail_msg("there is no \"%s\" in:\n%s", has, r.body);
	reply_raw_release(&r);
	free(path);
}

/* Further phases, of the kernel that was chosen and of the baseline. */
static void phases(void **state)
{
	struct fake *f = *state;
	int64_t sub = submit(f, "det", "\"boots\":6");
	json_t *c = done(f, sub), *lease;

	assert_int_equal(int_at(cell(c, "slow"), "boots"), 6);
	assert_false(fake_noted(c, NOTE));
	json_decref(c);
	more(f, sub, "{\"boots\":2,\"kernels\":[\"slow\"]}");
	lease = fake_claim(f, "[\"boot\"]", "[\"det\"]");
	assert_int_equal(int_at(lease, "spec.phase"), 6);
	assert_int_equal(int_at(lease, "spec.phase_pages"), 29);
	json_decref(fake_do(f, lease));
	json_decref(lease);
	/* While they run the comparison is not complete, and says why. */
	for (int turns = 0; turns < 200; turns++) {
		c = fake_comparison(f, sub);
		if (json_is_false(at(c, "complete")))
			break;
		json_decref(c);
		sleep_ms(20);
	}
	assert_true(fake_noted(c, "det: 2 " NOTE));
	json_decref(c);
	f->claimed = 0;
	c = done(f, sub);
	assert_int_equal(f->claimed, 3);
	assert_true(json_is_true(at(c, "complete")));
	assert_int_equal(int_at(cell(c, "slow"), "boots"), 8);
	assert_int_equal(int_at(cell(c, "other"), "boots"), 6);
	assert_string_equal(str_at(cell(c, "slow"), "verdict"), "slower");
	assert_true(fake_noted(c, "det: 2 " NOTE));
	json_decref(c);
	/* Once more: the phases behind those, of all. */
	more(f, sub, "{\"boots\":1}");
	f->claimed = 0;
	c = done(f, sub);
	assert_int_equal(f->claimed, 3);
	assert_int_equal(int_at(cell(c, "slow"), "boots"), 9);
	assert_int_equal(int_at(cell(c, "other"), "boots"), 7);
	assert_true(fake_noted(c, "det: 3 " NOTE));
	json_decref(c);
}

/* A board with noise: all boots count, in no look, and the intervals are plain. */
static void after_the_looks(void **state)
{
	struct fake *f = *state;
	int64_t sub = submit(f, "hw", "");
	json_t *c = done(f, sub), *alerts;

	/* "other" is equal to the baseline, so all looks are spent. */
	assert_int_equal(int_at(cell(c, "other"), "boots"), 10);
	json_decref(c);
	expect_text(f, sub, "at 95% to");
	alerts = fake_get(f, "/api/v1/alerts");
	more(f, sub, "{\"boots\":5,\"boards\":[\"hw\",\"hw\"],\"kernels\":[\"other\"]}");
	c = done(f, sub);
	assert_int_equal(int_at(cell(c, "other"), "boots"), 15);
	assert_int_equal(int_at(cell(c, "slow"), "boots"), 10);
	expect_text(f, sub, "at 95%.");
	assert_true(fake_noted(c, "hw: 5 " NOTE));
	json_decref(c);
	/* Nothing is told of it. */
	c = fake_get(f, "/api/v1/alerts");
	assert_true(json_equal(c, alerts));
	json_decref(c);
	json_decref(alerts);
}

static void cancelled_it_is_done(void **state)
{
	struct fake *f = *state;
	int64_t sub = submit(f, "det", "\"boots\":6");
	char *path = xasprintf("/api/v1/submissions/%lld/cancel", (long long)sub);
	json_t *c = done(f, sub);

	json_decref(c);
	more(f, sub, "{\"boots\":4}");
	assert_int_equal(ask_json(f->d, "POST", path, f->submit, "{}", NULL), 200);
	c = done(f, sub);
	assert_true(json_is_true(at(c, "complete")));
	assert_int_equal(int_at(cell(c, "slow"), "boots"), 6);
	assert_true(fake_noted(c, "did not take place"));
	json_decref(c);
	free(path);
}

static void what_cannot_be(void **state)
{
	static const struct {
		const char *body, *code, *has;
		int status;
	} bad[] = {
	        {"{}", "input", "boots", 400},
	        {"{\"boots\":0}", "input", "boots", 400},
	        {"{\"boots\":33}", "input", "boots", 400},
	        {"{\"boots\":-1}", "input", "boots", 400},
	        {"{\"boots\":1.5}", "input", "boots", 400},
	        {"{\"boots\":1,\"boards\":[]}", "input", "boards", 400},
	        {"{\"boots\":1,\"boards\":[7]}", "input", "boards[0]: expected a string", 400},
	        {"{\"boots\":1,\"kernels\":[null]}", "input", "kernels[0]: expected a string", 400},
	        {"{\"boots\":1,\"boards\":[\"hw\"]}", "unprocessable", "has no board \"hw\"", 422},
	        {"{\"boots\":1,\"kernels\":[\"slow\",\"x\"]}", "unprocessable",
	         "kernels[1]: submission 1 compares no kernel \"x\"", 422},
	        {"{\"boots\":1,\"runs\":2}", "input", "runs", 400},
	        {"{\"boots\":27}", "unprocessable", "expected 26 more at most", 422},
	        {"", "input", NULL, 400},
	};
	struct fake *f = *state;
	int64_t sub = submit(f, "det", "\"boots\":6");
	char *path = xasprintf("/api/v1/jobs?submission=%lld", (long long)sub), *bob;
	json_t *before, *after, *o;

	refused(f, sub, f->submit, "{\"boots\":1}", 409, "conflict", "submission 1 is booting");
	refused(f, 99, f->submit, "{\"boots\":1}", 404, "not_found", "99");
	json_decref(done(f, sub));
	before = fake_get(f, path);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refused(f, sub, f->submit, bad[i].body, bad[i].status, bad[i].code, bad[i].has);
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/tokens", f->d->admin,
	                          "{\"role\":\"submit\",\"label\":\"bob\"}", &o),
	                 201);
	bob = xstrdup(str_at(o, "token"));
	json_decref(o);
	refused(f, sub, bob, "{\"boots\":1}", 403, "denied", "another submitter's");
	refused(f, sub, NULL, "{\"boots\":1}", 401, "auth", NULL);
	assert_int_equal(ask_json(f->d, "PUT", "/api/v1/tokens/2/quota", f->d->admin,
	                          "{\"boots\":23}", NULL),
	                 200);
	refused(f, sub, f->submit, "{\"boots\":2}", 429, "busy", "21 of 23 boots in 24 hours");
	/* Nothing of it is there. */
	after = fake_get(f, path);
	assert_true(json_equal(before, after));
	json_decref(before);
	json_decref(after);
	/* An admin's are nobody's quota. */
	free(bob);
	free(path);
	path = path_of(sub);
	assert_int_equal(ask_json(f->d, "POST", path, f->d->admin, "{\"boots\":26}", NULL), 200);
	free(path);
	json_decref(done(f, sub));
	refused(f, sub, f->d->admin, "{\"boots\":1}", 422, "unprocessable", "expected 0 more");
}

/* ---- some of the cases */

#define TWO_CASES "[\"fork/order=0,size=16M\",\"munmap/order=0,size=16M\"]"

static int64_t submit_two(struct fake *f, const char *boards, const char *more_of_it)
{
	char a[65], b[65], c[65], *body;
	int64_t sub;

	fake_image(f, 1, a);
	fake_image(f, 2, b);
	fake_image(f, 3, c);
	body = xasprintf("{\"title\":\"images\",\"kernels\":[{\"name\":\"base\",\"image\":\"%s\"},"
	                 "{\"name\":\"slow\",\"image\":\"%s\"},{\"name\":\"other\",\"image\":"
	                 "\"%s\"}],\"boards\":%s,\"cases\":" TWO_CASES "%s}",
	                 a, b, c, boards, more_of_it);
	sub = fake_submit(f, body);
	free(body);
	return sub;
}

/* The id of the submission that is made. */
static int64_t part(struct fake *f, int64_t sub, const char *key, const char *body, int status)
{
	char *path = path_of(sub), *head = xasprintf("Idempotency-Key: %s\r\n", key ? key : "");
	struct reply_raw r;
	json_t *o;
	int64_t id;

	ask(f->d, "POST", path, f->submit, key ? head : "Content-Type: application/json\r\n", body,
	    strlen(body), &r);
	assert_int_equal(r.status, status);
	o = json_loads(r.body, 0, NULL);
	assert_non_null(o);
	assert_int_equal(int_at(o, "part_of"), sub);
	id = int_at(o, "id");
	json_decref(o);
	reply_raw_release(&r);
	free(head);
	free(path);
	return id;
}

static json_t *shown(struct fake *f, int64_t sub)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/submissions/%lld", (long long)sub);
	return fake_get(f, path);
}

/* Until the comparison has such a note. */
static void wait_note(struct fake *f, int64_t sub, const char *has)
{
	int64_t until = clock_mono_ns() + 20 * NS_PER_S;

	for (;;) {
		json_t *c = fake_comparison(f, sub);
		bool there = fake_noted(c, has);

		json_decref(c);
		if (there)
			return;
		if (clock_mono_ns() > until)
			fail_msg("no note \"%s\"", has);
		sleep_ms(20);
	}
}

static void some_cases(void **state)
{
	struct fake *f = *state;
	int64_t sub = submit_two(f, "[\"det\",\"hw\"]", ",\"plan\":{\"runs\":2,\"iterations\":7}"),
	        id, again;
	json_t *before = done(f, sub), *c, *o, *jobs;
	size_t claimed;

	/* Half of the plan, one kernel and the baseline, one board. */
	id = part(f, sub, NULL,
	          "{\"cases\":[\"fork/*\",\"fork/size=16M,order=0\"],\"kernels\":[\"slow\"],"
	          "\"boards\":[\"det\"],\"boots\":6}",
	          201);
	assert_int_not_equal(id, sub);
	o = shown(f, id);
	assert_string_equal(str_at(o, "title"), "1 case of submission 1 again, by itself");
	assert_int_equal(json_array_size(at(o, "kernels")), 2);
	assert_int_equal(json_array_size(at(o, "cases")), 1);
	assert_int_equal(json_array_size(at(o, "boards")), 1);
	assert_string_equal(str_at(o, "state"), "booting"); /* nothing to resolve or to build */
	assert_string_equal(str_at(o, "baseline"), "base");
	assert_int_equal(int_at(o, "plan.iterations"), 7);
	json_decref(o);
	/* What the agent is given runs that case and nothing else. */
	o = fake_claim(f, "[\"boot\"]", "[\"det\"]");
	assert_non_null(strstr(str_at(o, "spec.plan"), "fork/order=0,size=16M runs=2"));
	assert_null(strstr(str_at(o, "spec.plan"), "munmap"));
	json_decref(fake_do(f, o));
	json_decref(o);
	c = done(f, id);
	assert_int_equal(json_array_size(at(c, "cells")), 1);
	assert_int_equal(int_at(cell(c, "slow"), "boots"), 6);
	assert_string_equal(str_at(cell(c, "slow"), "verdict"), "slower");
	assert_true(fake_noted(c, "chosen from the 2 cases of submission 1"));
	assert_false(fake_noted(c, NOTE));
	json_decref(c);
	/* No boot of it is counted there, and both say so. */
	wait_note(f, sub, "submission 2 measures 1 of the 2 cases again");
	c = fake_comparison(f, sub);
	assert_true(json_equal(at(c, "cells"), at(before, "cells")));
	assert_true(json_is_true(at(c, "complete")));
	json_decref(c);
	json_decref(before);
	o = shown(f, sub);
	assert_int_equal(int_at(o, "parts.0"), id);
	assert_string_equal(str_at(o, "state"), "done");
	json_decref(o);
	/* Once more: the board repeats to the digit, so the boots are there already. */
	f->claimed = 0;
	again = part(
	        f, sub, "k",
	        "{\"cases\":[\"fork/*\"],\"kernels\":[\"slow\"],\"boards\":[\"det\"],\"boots\":6}",
	        201);
	json_decref(done(f, again));
	assert_int_equal(f->claimed, 0);
	assert_int_equal(part(f, sub, "k",
	                      "{\"cases\":[\"fork/*\"],\"kernels\":[\"slow\"],\"boards\":[\"det\"],"
	                      "\"boots\":6}",
	                      200),
	                 again);
	/* On a board with noise each time is a measurement of its own. */
	for (int i = 0; i < 2; i++) {
		f->claimed = 0;
		id = part(f, sub, NULL,
		          "{\"cases\":[\"munmap/*\"],\"kernels\":[\"slow\"],\"boards\":[\"hw\"],"
		          "\"boots\":4}",
		          201);
		c = done(f, id);
		claimed = (size_t)f->claimed;
		assert_int_equal(claimed, 8);
		assert_int_equal(int_at(cell(c, "slow"), "boots"), 4);
		json_decref(c);
	}
	jobs = shown(f, sub);
	assert_int_equal(json_array_size(at(jobs, "parts")), 4);
	json_decref(jobs);
	/* One cause, one alert, however often it is measured. */
	jobs = fake_get(f, "/api/v1/alerts?kind=slower");
	assert_int_equal(json_array_size(at(jobs, "alerts")), 1);
	json_decref(jobs);
}

static void parts_that_cannot_be(void **state)
{
	static const struct {
		const char *body, *code, *has;
		int status;
	} bad[] = {
	        {"{\"cases\":[]}", "input", "cases", 400},
	        {"{\"cases\":\"fork/*\"}", "input", "cases", 400},
	        {"{\"cases\":[7]}", "input", "cases[0]: expected a string", 400},
	        {"{\"cases\":[\"fork/*\",\"nosuch/order=0\"]}", "input", "cases[1]: ", 400},
	        {"{\"cases\":[\"fork/order=9,size=16M\"]}", "unprocessable",
	         "cases[0]: submission 1 has no case \"fork/order=9,size=16M\"", 422},
	        {"{\"cases\":[\"exit/*\"]}", "unprocessable", "has no case \"exit/*\"", 422},
	        {"{\"cases\":[\"*****\"]}", "input", "at most", 400},
	        {"{\"cases\":[\"*\"]}", "unprocessable", "these are all cases", 422},
	        {"{\"cases\":[\"fork/*\"],\"boots\":5}", "unprocessable",
	         "on \"det\" that takes 6 boots", 422},
	        {"{\"cases\":[\"fork/*\"],\"boots\":33}", "input", "boots", 400},
	        {"{\"cases\":[\"fork/*\"],\"kernels\":[\"x\"]}", "unprocessable",
	         "compares no kernel \"x\"", 422},
	        {"{\"cases\":[\"fork/*\"],\"boards\":[\"hw\"]}", "unprocessable",
	         "has no board \"hw\"", 422},
	};
	struct fake *f = *state;
	int64_t sub = submit_two(f, "[\"det\"]", "");
	json_t *list;
	int64_t id;

	refused(f, sub, f->submit, "{\"cases\":[\"fork/*\"]}", 409, "conflict", "is booting");
	json_decref(done(f, sub));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refused(f, sub, f->submit, bad[i].body, bad[i].status, bad[i].code, bad[i].has);
	assert_int_equal(ask_json(f->d, "PUT", "/api/v1/tokens/2/quota", f->d->admin,
	                          "{\"boots\":30}", NULL),
	                 200);
	refused(f, sub, f->submit, "{\"cases\":[\"fork/*\"]}", 429, "busy", "boots in 24 hours");
	list = fake_get(f, "/api/v1/submissions");
	assert_int_equal(json_array_size(at(list, "submissions")), 1);
	json_decref(list);
	assert_int_equal(
	        ask_json(f->d, "PUT", "/api/v1/tokens/2/quota", f->d->admin, "{\"boots\":0}", NULL),
	        200);
	id = part(f, sub, "one", "{\"cases\":[\"fork/*\"]}", 201);
	json_decref(done(f, id));
	/* A key is of one request. */
	{
		char *path = path_of(sub);
		struct reply_raw r;

		ask(f->d, "POST", path, f->submit, "Idempotency-Key: one\r\n",
		    "{\"cases\":[\"munmap/*\"]}", strlen("{\"cases\":[\"munmap/*\"]}"), &r);
		assert_int_equal(r.status, 409);
		reply_raw_release(&r);
		free(path);
	}
}

static void part_rebuilt(void **state)
{
	static const char *const queries[] = {
	        "SELECT submission_id || board || kernel || boots || verdict FROM cell"
	        " ORDER BY submission_id, pos",
	        "SELECT submission_id || text FROM cell_note ORDER BY submission_id, pos",
	};
	struct fake *f = *state;
	int64_t sub = submit_two(f, "[\"det\"]", ""), id;

	json_decref(done(f, sub));
	id = part(f, sub, NULL, "{\"cases\":[\"fork/*\"]}", 201);
	json_decref(done(f, id));
	wait_note(f, sub, "submission 2 measures");
	daemon_expect_rebuilt(f->d, queries, ARRAY_SIZE(queries), "submission 2 measures");
	daemon_start(f->d);
}

/* From the facts alone it comes out the same. */
static void rebuilt(void **state)
{
	static const char *const queries[] = {
	        "SELECT board || kernel || boots || verdict || coalesce(low, '-') || "
	        "coalesce(level, '-') FROM cell ORDER BY submission_id, pos",
	        "SELECT text FROM cell_note ORDER BY submission_id, pos",
	};
	struct fake *f = *state;
	int64_t sub = submit(f, "hw", "");

	json_decref(done(f, sub));
	more(f, sub, "{\"boots\":2}");
	json_decref(done(f, sub));
	daemon_expect_rebuilt(f->d, queries, ARRAY_SIZE(queries), NOTE);
	daemon_start(f->d);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, fake_teardown)
	const struct CMUnitTest tests[] = {
	        T(phases),  T(after_the_looks), T(cancelled_it_is_done), T(what_cannot_be),
	        T(rebuilt), T(some_cases),      T(parts_that_cannot_be), T(part_rebuilt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
