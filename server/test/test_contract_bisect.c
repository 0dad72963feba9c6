/* Bisection by the server itself: of a track, on boards of both kinds, with what may come
 * between. */
#include "server/test/bisect_bed.h"

#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void has(const char *text, const char *word)
{
	if (!text || !strstr(text, word))
		fail_msg("there is no \"%s\" in:\n%s", word, text ? text : "(nothing)");
}

static void alerts_are(struct fake *f, size_t n)
{
	json_t *o = fake_get(f, "/api/v1/alerts");

	assert_int_equal(json_array_size(at(o, "alerts")), n);
	json_decref(o);
}

static void print_found(const char *what, const json_t *b)
{
	print_message("%s: %lld commits, %lld steps, %lld boots; plain %lld, every commit %lld; "
	              "confidence %.6f\n",
	              what, (long long)int_at(b, "commits"), (long long)int_at(b, "steps"),
	              (long long)int_at(b, "boots"), (long long)int_at(b, "boots_plain"),
	              (long long)int_at(b, "boots_every"), json_number_value(at(b, "confidence")));
}

static void is_culprit(const json_t *b, int i)
{
	assert_string_equal(str_at(b, "culprit.commit"), branch_commit(i));
	assert_string_equal(str_at(b, "culprit.author"), "A. Author <a@example.org>");
}

/* From a point of a track to the culprit with nobody asking. */
/* Boots that count for the submitter. */
static int64_t spent(struct fake *f)
{
	json_t *o = NULL;
	int64_t n = -1;

	assert_int_equal(ask_json(f->d, "GET", "/api/v1/quota", f->submit, NULL, &o), 200);
	for (size_t i = 0; i < json_array_size(at(o, "quotas")); i++)
		if (str_eq(str_at(json_array_get(at(o, "quotas"), i), "name"), "boots"))
			n = int_at(json_array_get(at(o, "quotas"), i), "used");
	json_decref(o);
	return n;
}

static void a_track_by_itself(void **state)
{
	struct fake *f = *state;
	json_t *b, *o;
	int64_t sub, own;

	branch_of(12, 7);
	f->effect = branch_effect;
	fake_announce(f, false);
	sub = branch_measured(f, "\"det\"", "");
	o = alert_now(f, 1);
	assert_string_equal(str_at(o, "state"), "new");
	assert_true(json_is_null(at(o, "bisection")));
	json_decref(o);
	own = spent(f);
	assert_true(own > 0);
	branch_follow(f, sub);
	b = bisected(f, 1, "done");
	assert_int_equal(spent(f), own);
	print_found("deterministic", b);
	is_culprit(b, 7);
	assert_int_equal(int_at(b, "commits"), 12);
	assert_true(int_at(b, "steps") <= 4);
	/* Two phases and the replicate each: the good end is there already. */
	assert_true(int_at(b, "boots") <= 3 * int_at(b, "steps"));
	assert_true(int_at(b, "boots") * 2 < int_at(b, "boots_plain"));
	assert_true(num_at(b, "confidence") > .99);
	assert_int_equal(json_array_size(at(b, "or")), 0);
	assert_true(json_is_false(at(b, "shared")));
	for (size_t i = 0; i < json_array_size(at(b, "table")); i++) {
		const json_t *s = json_array_get(at(b, "table"), i);
		bool bad = int_at(s, "position") >= 7;

		assert_string_equal(str_at(s, "outcome"), bad ? "bad" : "good");
		assert_true(bad == (num_at(s, "llr") > 0));
		assert_true(num_at(s, "level") > (bad ? .9 : -.1));
		assert_true(num_at(s, "level") < (bad ? 1.1 : .1));
		assert_int_equal(int_at(s, "used"), 2);
		has(str_at(s, "why"), "of the way from good to bad in 2 phases");
	}
	json_decref(b);
	/* One alert, with its story; the steps' submissions made none. */
	alerts_are(f, 1);
	o = alert_now(f, 1);
	assert_string_equal(str_at(o, "state"), "confirmed");
	assert_string_equal(str_at(o, "bisection.culprit.subject"), "mm: commit 7");
	has(str_at(o, "steps.1.why"), "re-measuring begins");
	has(str_at(o, "steps.2.why"), "measured again, and worse again: 2 of 2 cells");
	has(str_at(o, "steps.3.why"), "34 boots, 2 layouts of each kernel");
	has(str_at(o, "steps.3.why"), "was +2.00 %, is +2.00 %");
	has(str_at(o, "steps.4.why"), "bisection begins: 12 commits");
	has(str_at(o, "steps.5.why"), "bisected: ");
	has(str_at(o, "steps.5.why"), "mm: commit 7 (A. Author <a@example.org>)");
	assert_string_equal(str_at(o, "work.0.purpose"), "remeasure");
	assert_string_equal(str_at(o, "work.1.purpose"), "ends");
	json_decref(o);
	/* The ends were the re-measuring's boots. */
	o = fake_get(f, "/api/v1/submissions/3");
	has(str_at(o, "title"), "both ends");
	for (size_t i = 0; i < json_array_size(at(o, "jobs")); i++)
		assert_string_not_equal(str_at(json_array_get(at(o, "jobs"), i), "kind"), "boot");
	json_decref(o);
}

/* A board whose boots differ by half a percent. */
static void a_board_with_noise(void **state)
{
	struct fake *f = *state;
	json_t *b;

	branch_of(12, 5);
	branch.size = .04;
	f->effect = branch_effect;
	f->noise = .005;
	fake_announce(f, true);
	branch_follow(f, branch_measured(f, "\"hw\"", ""));
	b = bisected(f, 1, "done");
	print_found("with noise", b);
	is_culprit(b, 5);
	for (size_t i = 0; i < json_array_size(at(b, "table")); i++)
		assert_true(int_at(json_array_get(at(b, "table"), i), "used") >= 3);
	json_decref(b);
}

/* What does not build is passed over; beside the culprit it stays in question. */
static void commits_that_do_not_build(void **state)
{
	struct fake *f = *state;
	char name[16];
	json_t *b;

	branch_of(12, 7);
	f->effect = branch_effect;
	snprintf(name, sizeof(name), "%s", branch_name(6));
	f->build_fails = name;
	fake_announce(f, false);
	branch_follow(f, branch_measured(f, "\"det\"", ""));
	b = bisected(f, 1, "done");
	is_culprit(b, 7);
	assert_int_equal(json_array_size(at(b, "or")), 1);
	assert_string_equal(str_at(b, "or.0.subject"), "mm: commit 6");
	has(str_at(b, "why"), "it or one of the 1 commit before it, which could not be told apart");
	assert_string_equal(str_at(b, "table.0.outcome"), "skip");
	has(str_at(b, "table.0.why"), "expected ';'");
	json_decref(b);
}

/* One that a force-push took away is passed over, and so is one that does not boot. */
static void commits_that_cannot_be_had_or_booted(void **state)
{
	struct fake *f = *state;
	char lost[48], name[16];
	json_t *b;

	branch_of(12, 8);
	f->effect = branch_effect;
	snprintf(lost, sizeof(lost), "%s", branch_commit(6));
	f->lost = lost;
	snprintf(name, sizeof(name), "%s", branch_name(5));
	f->bad_kernel = name;
	f->bad_class = "boot";
	f->bad_boots = -1;
	fake_announce(f, false);
	branch_follow(f, branch_measured(f, "\"det\"", ""));
	b = bisected(f, 1, "done");
	is_culprit(b, 8);
	assert_int_equal(int_at(b, "table.0.position"), 6);
	assert_string_equal(str_at(b, "table.0.outcome"), "skip");
	has(str_at(b, "table.0.why"), "the tree has no such commit");
	assert_int_equal(int_at(b, "table.0.boots"), 0);
	assert_int_equal(int_at(b, "table.1.position"), 5);
	assert_string_equal(str_at(b, "table.1.outcome"), "skip");
	has(str_at(b, "table.1.why"), "boots were thrown out");
	json_decref(b);
}

/* Of a rebased stack what is new in it is looked at first. */
static void a_rebased_stack(void **state)
{
	struct fake *f = *state;
	json_t *b;

	branch_of(64, 50);
	branch.rebased = true;
	f->effect = branch_effect;
	fake_announce(f, false);
	branch_follow(f, branch_measured(f, "\"det\"", ""));
	b = bisected(f, 1, "done");
	print_found("rebased", b);
	is_culprit(b, 50);
	assert_int_equal(int_at(b, "commits"), 64);
	json_decref(b);
}

/* The good end is what the alert's kernel was held against: a point in between that came
 * to no number, or came late, is one of the candidates. */
static void a_point_in_between(void **state)
{
	struct fake *f = *state;
	json_t *b;

	branch_of(12, 3);
	branch.point = 6;
	f->effect = branch_effect;
	fake_announce(f, false);
	branch_follow(f, branch_measured(f, "\"det\"", ""));
	b = bisected(f, 1, "done");
	is_culprit(b, 3);
	assert_int_equal(int_at(b, "commits"), 12);
	json_decref(b);
}

/* Then what lies between was seen in two looks, and is walked once more. */
static void a_point_of_another_look(void **state)
{
	struct fake *f = *state;
	json_t *b;

	branch_of(12, 3);
	branch.point = 6;
	branch.walked = true;
	f->effect = branch_effect;
	fake_announce(f, false);
	branch_follow(f, branch_measured(f, "\"det\"", ""));
	b = bisected(f, 1, "walking");
	assert_string_equal(str_at(b, "good"), branch_commit(0));
	json_decref(b);
	branch_walked(f);
	b = bisected(f, 1, "done");
	is_culprit(b, 3);
	json_decref(b);
}

/* Two commits each add half. */
static void a_change_in_two_halves(void **state)
{
	struct fake *f = *state;
	json_t *b;

	branch_of(12, 4);
	branch.second = 9;
	f->effect = branch_effect;
	fake_announce(f, false);
	branch_follow(f, branch_measured(f, "\"det\"", ""));
	b = bisected(f, 1, "done");
	assert_true(json_is_true(at(b, "shared")));
	assert_true(json_is_true(at(b, "table.0.midway")));
	has(str_at(b, "table.0.why"), "several commits share the change");
	has(str_at(b, "why"), "several commits share the change");
	/* 1 % of 2.01 % is on the good side of the half, or not: one of the two in any case. */
	assert_true(strcmp(str_at(b, "culprit.commit"), branch_commit(9)) == 0 ||
	            strcmp(str_at(b, "culprit.commit"), branch_commit(4)) == 0);
	json_decref(b);
}

static void the_same_binary_is_not_booted(void **state)
{
	struct fake *f = *state;
	json_t *b, *o;
	char path[64];

	branch_of(12, 7);
	branch.same = 6;
	branch.same_as = 0;
	f->effect = branch_effect;
	f->binary = branch_binary;
	fake_announce(f, false);
	branch_follow(f, branch_measured(f, "\"det\"", ""));
	b = bisected(f, 1, "done");
	is_culprit(b, 7);
	assert_int_equal(int_at(b, "table.0.position"), 6);
	assert_string_equal(str_at(b, "table.0.outcome"), "good");
	assert_int_equal(int_at(b, "table.0.boots"), 0);
	assert_int_equal(int_at(b, "table.0.used"), 0);
	has(str_at(b, "table.0.why"), "which is good: it was not booted");
	snprintf(path, sizeof(path), "/api/v1/submissions/%lld",
	         (long long)int_at(b, "table.0.submission"));
	o = fake_get(f, path);
	assert_string_equal(str_at(o, "state"), "done");
	json_decref(o);
	json_decref(b);
}

static void one_commit_needs_no_step(void **state)
{
	struct fake *f = *state;
	json_t *b;

	branch_of(1, 1);
	f->effect = branch_effect;
	fake_announce(f, false);
	branch_follow(f, branch_measured(f, "\"det\"", ""));
	b = bisected(f, 1, "done");
	is_culprit(b, 1);
	assert_int_equal(int_at(b, "steps"), 0);
	assert_int_equal(int_at(b, "boots"), 0);
	assert_int_equal(int_at(b, "proof"), 2); /* the re-measuring */
	assert_true(json_is_null(at(b, "confidence")));
	json_decref(b);
}

static json_t *a_fault(void)
{
	return json_pack(
	        "[{s:i,s:s,s:s,s:s,s:b}]", "line", 7, "kind", "warning", "function", "foo_probe",
	        "text", "WARNING: CPU: 0 PID: 1 at drivers/foo.c:9 foo_probe+0x4/0x60", "fatal", 0);
}

static void a_fault_by_presence(void **state)
{
	struct fake *f = *state;
	json_t *faults = a_fault(), *b;

	branch_of(12, 4);
	f->faults = faults;
	f->fault_console = f->console;
	f->bad = branch_bad;
	fake_announce(f, false);
	branch_follow(f, branch_measured(f, "\"det\"", ""));
	b = bisected(f, 1, "done");
	print_found("a fault", b);
	is_culprit(b, 4);
	assert_true(json_is_null(at(b, "case")));
	for (size_t i = 0; i < json_array_size(at(b, "table")); i++) {
		const json_t *s = json_array_get(at(b, "table"), i);

		has(str_at(s, "why"), int_at(s, "position") >= 4 ? "boots showed it" : "none of");
	}
	json_decref(b);
	alerts_are(f, 1);
	json_decref(faults);
}

static int turn;

static bool every_second_time(const char *name)
{
	return branch_bad(name) && turn++ % 2;
}

/* A fault that half of the boots show: the good answers take more of them. */
static void a_fault_now_and_then(void **state)
{
	struct fake *f = *state;
	json_t *faults = a_fault(), *b;

	branch_of(12, 9);
	turn = 0;
	f->faults = faults;
	f->fault_console = f->console;
	f->bad = every_second_time;
	fake_announce(f, false);
	branch_follow(f, branch_measured(f, "\"det\"", ""));
	b = bisected(f, 1, "done");
	print_found("a fault now and then", b);
	is_culprit(b, 9);
	assert_true(num_at(b, "confidence") > .6); /* no more than five boots a step */
	for (size_t i = 0; i < json_array_size(at(b, "table")); i++) {
		const json_t *s = json_array_get(at(b, "table"), i);

		if (int_at(s, "position") < 9)
			assert_true(int_at(s, "used") >= 5 && num_at(s, "llr") < -1.5);
		else
			assert_true(json_is_null(at(s, "llr")));
	}
	json_decref(b);
	json_decref(faults);
}

/* ---- a series */

static int series_culprit;

/* Patches as fake_agent.c makes their commits; the tip has them all. */
static double series_effect(const char *name)
{
	char text[64], hex[65];

	if (strcmp(name, "tip") == 0)
		return .02;
	for (int i = 1; i <= 8; i++) {
		snprintf(text, sizeof(text), "commit %d of v0", i);
		hash_block(text, strlen(text), hex);
		if (strncmp(hex, name, 12) == 0)
			return i >= series_culprit ? .02 : 0;
	}
	return 0;
}

/* Its prefixes are built already, and a mark that was measured halves it beforehand. */
static void a_series(void **state)
{
	struct fake *f = *state;
	char bundle[65], *body;
	json_t *b = NULL, *o;

	series_culprit = 6;
	f->effect = series_effect;
	f->patches = 8;
	fake_announce(f, false);
	fake_put(f, "a bundle", 8, bundle);
	body = xasprintf(
	        "{\"title\":\"s\",\"series\":{\"tree\":\"" BRANCH_TREE
	        "\",\"base\":\"v6.12\",\"bundle\":\"%s\",\"marks\":{\"three\":3},\"steps\":0},"
	        "\"boards\":[\"det\"],\"cases\":[" BRANCH_CASES "],\"validate\":false}",
	        bundle);
	fake_submit(f, body);
	free(body);
	fake_work(f);
	json_decref(fake_await(f, 1, "done"));
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/alerts/1/bisection", f->submit, NULL, &b),
	                 201);
	assert_string_equal(str_at(b, "state"), "ends");
	assert_int_equal(int_at(b, "commits"), 5);
	json_decref(b);
	b = bisected(f, 1, "done");
	print_found("a series", b);
	assert_string_equal(str_at(b, "culprit.subject"), "mm: patch 6");
	for (size_t i = 0; i < json_array_size(at(b, "table")); i++) {
		char path[64];

		snprintf(path, sizeof(path), "/api/v1/submissions/%lld",
		         (long long)int_at(json_array_get(at(b, "table"), i), "submission"));
		o = fake_get(f, path);
		for (size_t n = 0; n < json_array_size(at(o, "jobs")); n++)
			assert_string_equal(str_at(json_array_get(at(o, "jobs"), n), "kind"),
			                    "boot");
		json_decref(o);
	}
	json_decref(b);
	/* Measured again as a person asks for it: its tip is in no tree. */
	assert_int_equal(
	        ask_json(f->d, "POST", "/api/v1/alerts/1/remeasure", f->submit, NULL, NULL), 200);
	o = alert_told(f, 1, "re-measured, submission");
	assert_string_equal(str_at(o, "state"), "confirmed");
	json_decref(o);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fake_setup, fake_teardown)
	const struct CMUnitTest tests[] = {
	        T(a_track_by_itself),
	        T(a_board_with_noise),
	        T(commits_that_do_not_build),
	        T(commits_that_cannot_be_had_or_booted),
	        T(a_rebased_stack),
	        T(a_point_in_between),
	        T(a_point_of_another_look),
	        T(a_change_in_two_halves),
	        T(the_same_binary_is_not_booted),
	        T(one_commit_needs_no_step),
	        T(a_fault_by_presence),
	        T(a_fault_now_and_then),
	        T(a_series),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
