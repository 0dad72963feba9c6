/* Re-measuring and bisection: what persons ask for, what comes between, and kill -9. */
#include "server/test/bisect_bed.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REMEASURE "/api/v1/alerts/1/remeasure"
#define BISECTION "/api/v1/alerts/1/bisection"

static void has(const char *text, const char *word)
{
	if (!text || !strstr(text, word))
		fail_msg("there is no \"%s\" in:\n%s", word, text ? text : "(nothing)");
}

static json_t *sent(struct fake *f, const char *method, const char *path, const char *body,
                    int status)
{
	json_t *o = NULL;
	int got = ask_json(f->d, method, path, f->submit, body, &o);

	if (got != status) {
		char *text = json_dumps(o, JSON_ENCODE_ANY);

		fail_msg("%s %s: %d %s", method, path, got, text);
	}
	return o;
}

static size_t open_jobs(struct fake *f)
{
	json_t *o = fake_get(f, "/api/v1/jobs?state=queued");
	size_t n = json_array_size(at(o, "jobs"));

	json_decref(o);
	return n;
}

static int64_t slow_branch(struct fake *f, int commits, int culprit)
{
	branch_of(commits, culprit);
	f->effect = branch_effect;
	fake_announce(f, false);
	return branch_measured(f, "\"det\"", "");
}

/* ---- on request */

static void remeasured_on_request(void **state)
{
	struct fake *f = *state;
	json_t *o;

	slow_branch(f, 12, 7);
	fake_work(f);
	o = alert_now(f, 1);
	assert_int_equal(json_array_size(at(o, "work")), 0); /* of no track */
	json_decref(o);
	json_decref(sent(f, "POST", REMEASURE, "{\"why\":\"is it so?\"}", 200));
	expect_error(f->d, "POST", REMEASURE, f->submit, NULL, 409, "conflict",
	             "re-measured already, in submission 2");
	o = fake_get(f, "/api/v1/submissions/2");
	assert_int_equal(int_at(o, "priority"), 10);
	assert_true(json_is_false(at(o, "reuse")));
	assert_int_equal(int_at(o, "plan.layouts"), 2);
	json_decref(o);
	o = alert_told(f, 1, "re-measured, submission 2");
	assert_string_equal(str_at(o, "state"), "confirmed");
	has(str_at(o, "steps.1.why"), "is it so?");
	assert_non_null(str_at(o, "steps.1.by"));
	assert_string_equal(str_at(o, "work.0.state"), "done");
	assert_true(json_is_null(at(o, "bisection"))); /* of no track */
	json_decref(o);
	/* And again, now that it has ended; what is gone is told. */
	f->effect = NULL;
	json_decref(sent(f, "POST", REMEASURE, NULL, 200));
	o = alert_told(f, 1, "re-measured, submission 3");
	assert_string_equal(str_at(o, "state"), "not_reproduced");
	has(str_at(o, "steps.6.why"), "was +2.00 %, is +0.00 %");
	json_decref(o);
}

static void refusals(void **state)
{
	struct fake *f = *state;
	json_t *o;

	slow_branch(f, 12, 7);
	expect_error(f->d, "POST", "/api/v1/alerts/9/remeasure", f->submit, NULL, 404, "not_found",
	             "no alert 9");
	expect_error(f->d, "POST", REMEASURE, NULL, NULL, 401, "auth", NULL);
	expect_error(f->d, "POST", REMEASURE, f->agent, NULL, 403, "denied", NULL);
	expect_error(f->d, "POST", REMEASURE, f->submit, "{\"why\":\"\"}", 400, "input", "why");
	expect_error(f->d, "POST", REMEASURE, f->submit, "{\"why\":\" \"}", 400, "input", "blanks");
	expect_error(f->d, "POST", REMEASURE, f->submit, "{\"boots\":3}", 400, "input", "boots");
	expect_error(f->d, "POST", REMEASURE, f->submit, "[1", 400, "input", NULL);
	expect_error(f->d, "GET", BISECTION, NULL, NULL, 404, "not_found", "never bisected");
	expect_error(f->d, "GET", "/api/v1/alerts/9/bisection", NULL, NULL, 404, "not_found",
	             "no alert 9");
	expect_error(f->d, "DELETE", BISECTION, f->submit, NULL, 404, "not_found",
	             "never bisected");
	expect_error(f->d, "POST", BISECTION, f->submit, "{\"why\":1}", 400, "input", "why");
	o = sent(f, "POST", "/api/v1/alerts/1/dismiss", "{\"why\":\"meant so\"}", 200);
	json_decref(o);
	expect_error(f->d, "POST", REMEASURE, f->submit, NULL, 409, "conflict", "dismissed");
	expect_error(f->d, "POST", BISECTION, f->submit, NULL, 409, "conflict", "dismissed");
}

/* Prebuilt images are measured again; between two of them are no commits. */
static void images(void **state)
{
	struct fake *f = *state;
	char one[65], two[65], *body;
	json_t *o;

	fake_announce(f, false);
	fake_image(f, 1, one);
	fake_image(f, 2, two);
	body = xasprintf("{\"title\":\"t\",\"kernels\":[{\"name\":\"base\",\"image\":\"%s\"},"
	                 "{\"name\":\"slow\",\"image\":\"%s\"}],\"boards\":[\"det\"],"
	                 "\"cases\":[" BRANCH_CASES "]}",
	                 one, two);
	fake_submit(f, body);
	free(body);
	fake_work(f);
	json_decref(fake_await(f, 1, "done"));
	expect_error(f->d, "POST", BISECTION, f->submit, NULL, 422, "unprocessable",
	             "no two commits of one tree");
	json_decref(sent(f, "POST", REMEASURE, NULL, 200));
	o = alert_told(f, 1, "re-measured, submission 2: 18 boots, 1 layout of each kernel");
	assert_string_equal(str_at(o, "state"), "confirmed");
	json_decref(o);
}

/* Of no track: its commits are walked, its ends measured afresh. */
static void bisected_on_request(void **state)
{
	struct fake *f = *state;
	json_t *o, *b;

	slow_branch(f, 12, 12);
	b = sent(f, "POST", BISECTION, "{\"why\":\"which one?\"}", 201);
	assert_string_equal(str_at(b, "state"), "walking");
	assert_non_null(str_at(b, "by"));
	json_decref(b);
	expect_error(f->d, "POST", BISECTION, f->submit, NULL, 409, "conflict", "already");
	branch_walked(f);
	b = bisected(f, 1, "done");
	assert_string_equal(str_at(b, "culprit.commit"), branch_commit(12));
	o = fake_get(f, "/api/v1/submissions/2");
	has(str_at(o, "title"), "both ends");
	assert_true(json_is_false(at(o, "reuse")));
	json_decref(o);
	json_decref(b);
	o = alert_now(f, 1);
	has(str_at(o, "steps.1.why"), "which one?");
	assert_string_equal(str_at(o, "state"), "new"); /* a bisection confirms nothing by itself */
	json_decref(o);
	expect_error(f->d, "DELETE", BISECTION, f->submit, NULL, 409, "conflict", "done already");
}

/* ---- what comes between */

static void not_reproduced(void **state)
{
	struct fake *f = *state;
	int64_t sub = slow_branch(f, 12, 7);
	json_t *o;

	f->effect = NULL;
	branch_follow(f, sub);
	o = alert_told(f, 1, "re-measured, submission 2");
	assert_string_equal(str_at(o, "state"), "not_reproduced");
	assert_true(json_is_null(at(o, "bisection")));
	assert_int_equal(json_array_size(at(o, "work")), 1);
	json_decref(o);
}

/* The change was there when it was measured again, and is not when the ends are. */
static void ends_that_do_not_differ(void **state)
{
	struct fake *f = *state;
	json_t *b;

	slow_branch(f, 12, 7);
	json_decref(sent(f, "POST", BISECTION, NULL, 201));
	f->effect = NULL;
	branch_walked(f);
	b = bisected(f, 1, "gave_up");
	has(str_at(b, "why"), "the ends do not differ as the alert says: same in fork/order=");
	assert_true(json_is_null(at(b, "culprit")));
	json_decref(b);
}

static void cancelled_and_begun_again(void **state)
{
	struct fake *f = *state;
	json_t *b, *o;

	branch_follow(f, slow_branch(f, 12, 7));
	json_decref(alert_told(f, 1, "bisection begins"));
	b = sent(f, "DELETE", BISECTION, NULL, 200);
	assert_string_equal(str_at(b, "state"), "cancelled");
	json_decref(b);
	assert_int_equal(open_jobs(f), 0);
	o = alert_now(f, 1);
	assert_string_equal(str_at(o, "state"), "confirmed");
	has(str_at(o, "steps.5.why"), "bisection cancelled: on request");
	json_decref(o);
	/* Not by itself again; by a person from the start. */
	fake_work(f);
	json_decref(bisected(f, 1, "cancelled"));
	json_decref(sent(f, "POST", BISECTION, NULL, 201));
	b = bisected(f, 1, "done");
	assert_string_equal(str_at(b, "culprit.commit"), branch_commit(7));
	json_decref(b);
}

/* Nobody waits for its walk any more, so no agent does it. */
static void cancelled_while_walking(void **state)
{
	struct fake *f = *state;
	json_t *b;

	slow_branch(f, 12, 7);
	b = sent(f, "POST", BISECTION, NULL, 201);
	assert_string_equal(str_at(b, "state"), "walking");
	json_decref(b);
	assert_int_equal(open_jobs(f), 1);
	b = sent(f, "DELETE", BISECTION, NULL, 200);
	assert_string_equal(str_at(b, "state"), "cancelled");
	json_decref(b);
	assert_int_equal(open_jobs(f), 0);
}

static void dismissed_while_measured(void **state)
{
	struct fake *f = *state;
	json_t *o;

	slow_branch(f, 12, 7);
	json_decref(sent(f, "POST", REMEASURE, NULL, 200));
	assert_true(open_jobs(f) > 0);
	o = sent(f, "POST", "/api/v1/alerts/1/dismiss", "{\"why\":\"meant so\"}", 200);
	assert_string_equal(str_at(o, "state"), "dismissed");
	assert_string_equal(str_at(o, "work.0.state"), "cancelled");
	has(str_at(o, "steps.3.why"), "re-measuring is cancelled, submission 2: the alert was "
	                              "dismissed");
	json_decref(o);
	assert_int_equal(open_jobs(f), 0);
}

static void dismissed_while_bisected(void **state)
{
	struct fake *f = *state;
	json_t *o;

	branch_follow(f, slow_branch(f, 12, 7));
	json_decref(alert_told(f, 1, "bisection begins"));
	json_decref(sent(f, "POST", "/api/v1/alerts/1/dismiss", "{\"why\":\"meant so\"}", 200));
	o = bisected(f, 1, "cancelled");
	has(str_at(o, "why"), "the alert was dismissed");
	json_decref(o);
	assert_int_equal(open_jobs(f), 0);
	o = alert_now(f, 1);
	for (size_t i = 0; i < json_array_size(at(o, "work")); i++)
		assert_string_not_equal(str_at(json_array_get(at(o, "work"), i), "state"), "open");
	json_decref(o);
}

static size_t works_of(struct fake *f, const char *purpose)
{
	json_t *o = alert_now(f, 1);
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(at(o, "work")); i++)
		n += strcmp(str_at(json_array_get(at(o, "work"), i), "purpose"), purpose) == 0;
	json_decref(o);
	return n;
}

/* Whatever goes wrong with boards decides nothing: the step is asked for again. */
static void infra_trouble(void **state)
{
	struct fake *f = *state;
	char name[16];
	json_t *b;

	branch_of(12, 7);
	f->effect = branch_effect;
	fake_announce(f, false);
	snprintf(name, sizeof(name), "%s", branch_name(6));
	f->bad_kernel = name; /* the first step's */
	f->bad_class = "infra";
	f->bad_boots = 12; /* all attempts of its three boots */
	branch_follow(f, branch_measured(f, "\"det\"", ""));
	b = bisected(f, 1, "done");
	assert_string_equal(str_at(b, "culprit.commit"), branch_commit(7));
	assert_int_equal(f->bad_boots, 0);
	assert_int_equal(int_at(b, "table.0.position"), 6);
	assert_string_equal(str_at(b, "table.0.outcome"), "good");
	assert_int_equal(int_at(b, "table.0.boots"), 3);
	assert_int_equal(works_of(f, "step"), (size_t)int_at(b, "steps") + 1);
	json_decref(b);
}

/* A person stops a step: nobody knows the answer, and the search ends. */
static void a_step_is_cancelled(void **state)
{
	struct fake *f = *state;
	char path[64];
	json_t *b;

	branch_follow(f, slow_branch(f, 12, 7));
	json_decref(alert_told(f, 1, "bisection begins"));
	/* The ends have their boots; nobody builds the step's commit. */
	for (bool builds = false; !builds;) {
		json_t *lease = fake_claim(f, "[\"resolve\"]", "[]"), *o;

		if (lease)
			json_decref(fake_do(f, lease));
		json_decref(lease);
		o = fake_get(f, "/api/v1/jobs?state=queued");
		for (size_t i = 0; i < json_array_size(at(o, "jobs")); i++) {
			const json_t *j = json_array_get(at(o, "jobs"), i);

			builds |= strcmp(str_at(j, "kind"), "build") == 0;
			if (builds)
				snprintf(path, sizeof(path), "/api/v1/submissions/%lld/cancel",
				         (long long)int_at(j, "submission"));
		}
		json_decref(o);
		sleep_ms(5);
	}
	json_decref(sent(f, "POST", path, NULL, 200));
	b = bisected(f, 1, "gave_up");
	has(str_at(b, "why"), "was cancelled");
	json_decref(b);
}

/* No board to ask for: it waits, and says for what. */
static void a_board_that_is_away(void **state)
{
	struct fake *f = *state;
	json_t *o = NULL, *b;

	slow_branch(f, 12, 7);
	assert_int_equal(ask_json(f->d, "PUT", "/api/v1/agents/a", f->agent,
	                          "{\"version\":\"1\",\"builds\":true,\"bench\":\"beef\","
	                          "\"toolchains\":[{\"name\":\"gcc\",\"compiler\":\"gcc 12\"}],"
	                          "\"trees\":[\"https:\"],\"boards\":[]}",
	                          &o),
	                 200);
	json_decref(o);
	expect_error(f->d, "POST", REMEASURE, f->submit, NULL, 422, "unprocessable",
	             "no longer offers board");
	json_decref(sent(f, "POST", BISECTION, NULL, 201));
	branch_walked(f);
	for (int64_t until = clock_mono_ns() + 20 * NS_PER_S;;) {
		b = bisected(f, 1, "ends");
		if (str_at(b, "why"))
			break;
		json_decref(b);
		if (clock_mono_ns() > until)
			fail_msg("it does not say what it waits for");
		sleep_ms(20);
	}
	has(str_at(b, "why"), "waits: ");
	has(str_at(b, "why"), "no longer offers board \"det\"");
	json_decref(b);
}

/* Two points of two branches with one culprit, on two boards: each finds it for itself. */
static void two_at_once(void **state)
{
	struct fake *f = *state;
	json_t *b;
	int64_t one, two;

	branch_of(12, 7);
	branch.size = .05;
	f->effect = branch_effect;
	fake_announce(f, true);
	one = branch_measured(f, "\"det\"", "");
	branch.commits = 9;
	two = branch_measured(f, "\"hw\"", "");
	branch_follow(f, two);
	branch.commits = 12;
	branch_follow(f, one);
	b = bisected(f, 1, "done");
	assert_string_equal(str_at(b, "culprit.commit"), branch_commit(7));
	assert_string_equal(str_at(b, "board"), "det");
	assert_int_equal(int_at(b, "commits"), 12);
	json_decref(b);
	b = bisected(f, 2, "done");
	assert_string_equal(str_at(b, "culprit.commit"), branch_commit(7));
	assert_string_equal(str_at(b, "board"), "hw");
	assert_int_equal(int_at(b, "commits"), 9);
	json_decref(b);
}

/* ---- kill -9 */

static int64_t number_of(struct fake *f)
{
	json_t *o = NULL;
	int64_t n = 0;

	if (ask_json(f->d, "GET", BISECTION, NULL, NULL, &o) == 200)
		n = 1000 * (int64_t)strlen(str_at(o, "state")) + int_at(o, "steps") * 10 +
		    !json_is_null(at(o, "submission"));
	json_decref(o);
	return n;
}

/* Killed whenever it has moved, and after each job: it ends as it does unharmed. */
static void killed_between_any_two_steps(void **state)
{
	struct fake *f = *state;
	int64_t until = clock_mono_ns() + 60 * NS_PER_S, seen = -1;
	int kills = 0, leases = 0;
	json_t *o, *b;
	bool done = false;

	branch_follow(f, slow_branch(f, 12, 7));
	while (!done) {
		json_t *lease = fake_claim(f, "[\"resolve\",\"build\",\"boot\"]", "[\"det\"]");
		int64_t now;

		if (lease)
			json_decref(fake_do(f, lease));
		json_decref(lease);
		now = number_of(f);
		if (now != seen || (lease && ++leases % 4 == 0)) {
			daemon_kill(f->d);
			daemon_start(f->d);
			kills++;
		}
		seen = now;
		o = alert_now(f, 1);
		done = json_is_object(at(o, "bisection")) &&
		       strcmp(str_at(o, "bisection.state"), "done") == 0;
		json_decref(o);
		if (clock_mono_ns() > until)
			fail_msg("it does not end");
		if (!lease)
			sleep_ms(5);
	}
	b = bisected(f, 1, "done");
	print_message("%d kills: %lld steps, %lld boots\n", kills, (long long)int_at(b, "steps"),
	              (long long)int_at(b, "boots"));
	assert_string_equal(str_at(b, "culprit.commit"), branch_commit(7));
	assert_int_equal(int_at(b, "steps"), 3);
	assert_int_equal(int_at(b, "boots"), 9);
	json_decref(b);
	o = alert_now(f, 1);
	assert_int_equal(json_array_size(at(o, "steps")), 6);
	json_decref(o);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fake_setup, fake_teardown)
	const struct CMUnitTest tests[] = {
	        T(remeasured_on_request),
	        T(refusals),
	        T(images),
	        T(bisected_on_request),
	        T(not_reproduced),
	        T(ends_that_do_not_differ),
	        T(cancelled_and_begun_again),
	        T(cancelled_while_walking),
	        T(dismissed_while_measured),
	        T(dismissed_while_bisected),
	        T(infra_trouble),
	        T(a_step_is_cancelled),
	        T(a_board_that_is_away),
	        T(two_at_once),
	        T(killed_between_any_two_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
