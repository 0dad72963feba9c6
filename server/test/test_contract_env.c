/*
 * Environments over the real server: a board that changes in the middle of a
 * submission, or between two, is not compared with what it was; unless asked for,
 * and then every cell says so.
 */
#include "server/test/fake_agent.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TREE  "\"tree\":\"https://example.org/linux.git\",\"ref\":\"v6.12\""
#define CASES "\"cases\":[\"fork/order=0,size=256M\",\"fork/order=9,size=256M\"]"
#define BODY(more)                                                                               \
	"{\"title\":\"env\",\"kernels\":[{\"name\":\"base\"," TREE ",\"config\":\"contpte-n\"}," \
	"{\"name\":\"slow\"," TREE ",\"config\":\"contpte-y\"}],\"baseline\":\"base\"," CASES    \
	"," more "}"
#define HW_4 "\"boards\":[\"hw\"],\"plan\":{\"boots\":4}"
#define DET  "\"boards\":[\"det\"],\"plan\":{\"boots\":4}"

static int setup(void **state)
{
	fake_setup(state);
	fake_announce(*state, true);
	return 0;
}

static json_t *get(struct fake *f, const char *what, int64_t sub, const char *query)
{
	char path[128];

	snprintf(path, sizeof(path), "/api/v1/%s/%lld%s", what, (long long)sub, query);
	return fake_get(f, path);
}

#define REPLICATES (-2)

/* Does jobs, in the order they come; before boot n (counted from 0), or for replicates
 * alone, the board gets another QEMU. */
static void work(struct fake *f, int64_t sub, int n, const char *qemu)
{
	int64_t until = clock_mono_ns() + 20 * NS_PER_S;
	int boots = 0;

	while (clock_mono_ns() < until) {
		json_t *lease =
		        fake_claim(f, "[\"resolve\",\"build\",\"boot\"]", "[\"det\",\"hw\"]");
		json_t *s;
		bool done;

		if (lease) {
			bool boot = strcmp(str_at(lease, "kind"), "boot") == 0;

			if (n == REPLICATES && boot)
				f->qemu = int_at(lease, "spec.replicate") ? qemu : NULL;
			else if (boot && boots++ == n)
				f->qemu = qemu;
			json_decref(fake_do(f, lease));
			json_decref(lease);
			continue;
		}
		s = get(f, "submissions", sub, "");
		done = strcmp(str_at(s, "state"), "done") == 0;
		json_decref(s);
		if (done)
			return;
		usleep(20000);
	}
	fail_msg("submission %lld does not end", (long long)sub);
}

static char *text_of(struct fake *f, int64_t sub, const char *query)
{
	char path[128];
	struct reply_raw r;
	char *text;

	snprintf(path, sizeof(path), "/api/v1/comparisons/%lld?format=%s", (long long)sub, query);
	assert_int_equal(ask(f->d, "GET", path, NULL, NULL, NULL, 0, &r), 200);
	text = xstrdup(r.body);
	reply_raw_release(&r);
	return text;
}

static void has(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("no \"%s\" in:\n%s", what, text);
}

static void has_not(const char *text, const char *what)
{
	if (strstr(text, what))
		fail_msg("\"%s\" in:\n%s", what, text);
}

/* A B B A A B B A; from the third boot on it is another board. */
static void a_board_that_changes_in_the_middle(void **state)
{
	struct fake *f = *state;
	int64_t sub = fake_submit(f, BODY(HW_4));
	json_t *c, *again;
	char *text;

	work(f, sub, 2, "9.1");
	c = get(f, "comparisons", sub, "");
	for (size_t i = 0; i < 2; i++) {
		const json_t *x = json_array_get(at(c, "cells"), i);

		assert_string_equal(str_at(x, "verdict"), "slower");
		assert_int_equal(int_at(x, "boots"), 3);
		assert_int_equal(int_at(x, "invalid_boots"), 1);
		assert_int_equal(json_array_size(at(x, "across")), 0);
	}
	assert_int_equal(json_array_size(at(c, "thrown_out")), 2);
	has(str_at(c, "thrown_out.0.why"),
	    "its environment is not that of the baseline's other boots: board.qemu is \"9.1\""
	    " there, \"7.2\" here");
	has(str_at(c, "thrown_out.1.why"), "its environment is not that of the baseline's boots:");
	text = text_of(f, sub, "text");
	has_not(text, "different environments");
	has(text, "3/4");
	free(text);

	/* Asked for afterwards: flagged everywhere, and nothing of it is stored. */
	again = get(f, "comparisons", sub, "?across=true");
	for (size_t i = 0; i < 2; i++) {
		const json_t *x = json_array_get(at(again, "cells"), i);

		assert_int_equal(int_at(x, "boots"), 4);
		assert_int_equal(json_array_size(at(x, "across")), 1);
		assert_string_equal(str_at(x, "across.0.field"), "board.qemu");
		assert_string_equal(str_at(x, "across.0.one"), "9.1");
		assert_string_equal(str_at(x, "across.0.other"), "7.2");
	}
	json_decref(again);
	again = get(f, "comparisons", sub, "");
	assert_true(json_equal(c, again));
	json_decref(again);
	json_decref(c);
}

static void every_table_is_flagged(void **state)
{
	static const char *const tables[] = {"reply", "commit", "cover", "summary"};
	struct fake *f = *state;
	int64_t sub = fake_submit(f, BODY(HW_4 ",\"across_environments\":true"));
	json_t *c;
	char *text;

	work(f, sub, 2, "9.1");
	c = get(f, "comparisons", sub, "");
	assert_int_equal(int_at(c, "cells.0.boots"), 4);
	assert_int_equal(json_array_size(at(c, "thrown_out")), 0);
	assert_string_equal(str_at(c, "cells.1.across.0.field"), "board.qemu");
	json_decref(c);
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		char query[64];

		snprintf(query, sizeof(query), "text&table=%s", tables[i]);
		text = text_of(f, sub, query);
		has(text, "boots of different environments are");
		free(text);
		snprintf(query, sizeof(query), "markdown&table=%s", tables[i]);
		text = text_of(f, sub, query);
		has(text, "boots of different environments are");
		free(text);
	}
	text = text_of(f, sub, "csv");
	has(text, "board.qemu: 9.1 -> 7.2");
	free(text);
	c = get(f, "submissions", sub, "");
	assert_true(json_is_true(at(c, "across_environments")));
	json_decref(c);
}

/* All of one kernel's boots were made before the board changed: there is nothing to
 * compare, and the reason names what changed. */
static void a_kernel_that_is_wholly_apart(void **state)
{
	struct fake *f = *state;
	int64_t sub;
	json_t *c;
	char *text;

	sub = fake_submit(f, BODY("\"boards\":[\"hw\"],\"plan\":{\"boots\":1}"));
	work(f, sub, 1, "9.1");
	c = get(f, "comparisons", sub, "");
	for (size_t i = 0; i < 2; i++) {
		const json_t *x = json_array_get(at(c, "cells"), i);

		assert_string_equal(str_at(x, "verdict"), "invalid");
		has(str_at(x, "why"), "its environment is not that of the baseline's boots:"
		                      " board.qemu is \"7.2\" there, \"9.1\" here");
		assert_true(json_is_null(at(x, "change")));
		assert_int_equal(int_at(x, "boots"), 0);
	}
	json_decref(c);
	text = text_of(f, sub, "text&table=reply");
	has(text, "invalid");
	free(text);
}

/* A phase booted twice on two boards proves nothing, and is nobody's fault. */
static void replicates_of_two_environments(void **state)
{
	struct fake *f = *state;
	int64_t sub = fake_submit(f, BODY(DET));
	json_t *b, *c;

	f->drift = true;
	work(f, sub, REPLICATES, "9.1");
	b = fake_get(f, "/api/v1/boards/det");
	assert_string_equal(str_at(b, "state"), "active");
	json_decref(b);
	c = get(f, "comparisons", sub, "");
	assert_int_equal(int_at(c, "cells.0.boots"), 4);
	json_decref(c);
}

/* What stands from before the change is no answer to a later question. */
static void reuse_is_of_the_present_environment(void **state)
{
	struct fake *f = *state;
	int64_t one = fake_submit(f, BODY(HW_4)), two, three;
	json_t *s;

	work(f, one, -1, NULL);
	two = fake_submit(f, BODY(HW_4));
	work(f, two, -1, NULL);
	s = get(f, "submissions", two, "");
	assert_int_equal(int_at(s, "progress.jobs_total"), 1); /* the commit's */
	json_decref(s);
	/* Another question makes it known that the board has changed... */
	f->qemu = "9.1";
	three = fake_submit(f, BODY("\"reuse\":false," HW_4));
	work(f, three, -1, NULL);
	/* ... and boots of both environments stand: only the later ones are taken. */
	two = fake_submit(f, BODY(HW_4));
	work(f, two, -1, NULL);
	s = get(f, "comparisons", two, "");
	assert_int_equal(json_array_size(at(s, "thrown_out")), 0);
	assert_true(int_at(s, "last_boot") > 8);
	json_decref(s);
}

static void cell_has(struct fake *f, const char *base, const char *slow, const char *why)
{
	json_t *c;
	int64_t sub;
	char *text;

	f->covariates = base;
	f->covariates_slow = slow;
	sub = fake_submit(f, BODY("\"reuse\":false," HW_4));
	work(f, sub, -1, NULL);
	c = get(f, "comparisons", sub, "");
	text = text_of(f, sub, "text&table=reply");
	if (why) {
		has(str_at(c, "cells.0.why"), why);
		has(text, "layout suspected");
	} else {
		has_not(text, "layout suspected");
	}
	free(text);
	json_decref(c);
}

/* Time that differs, by 2 %, and what the counters say to it. */
static void covariates(void **state)
{
	struct fake *f = *state;
	json_t *c;
	char *text;

	cell_has(f, "{\"windows\":5,\"instructions\":1000000,\"cycles\":2000000}",
	         "{\"windows\":5,\"instructions\":1000100,\"cycles\":2060000}",
	         "layout suspected: instructions +0.01%, cycles +3.00%");
	c = fake_get(f, "/api/v1/comparisons/1");
	assert_string_equal(str_at(c, "cells.0.verdict"), "slower");
	assert_int_equal(json_array_size(at(c, "cells.0.covariates")), 2);
	assert_string_equal(str_at(c, "cells.0.covariates.1.name"), "cycles");
	assert_true(num_at(c, "cells.0.covariates.1.base_mean") == 2000000);
	assert_true(num_at(c, "cells.0.covariates.1.mean") == 2060000);
	json_decref(c);
	text = text_of(f, 1, "csv");
	has(text, ",across,covariates,footnotes\r\n");
	has(text,
	    ",instructions: 1000000 -> 1000100 (+0.01 %); cycles: 2000000 -> 2060000 (+3.00 %),");
	free(text);
	/* More instructions explain more cycles. */
	cell_has(f, "{\"instructions\":1000000,\"cycles\":2000000}",
	         "{\"instructions\":1020000,\"cycles\":2060000}", NULL);
	/* Cycles within tau; nothing counted; what is no count. */
	cell_has(f, "{\"instructions\":1000000,\"cycles\":2000000}",
	         "{\"instructions\":1000000,\"cycles\":2010000}", NULL);
	cell_has(f, "{\"why\":\"no counters here\"}", "{\"why\":\"no counters here\"}", NULL);
	cell_has(f, "{\"instructions\":1000000,\"cycles\":0}",
	         "{\"instructions\":\"many\",\"cycles\":-5}", NULL);
	cell_has(f, "[1,2]", "null", NULL);
}

static bool is_covariate(const json_t *c, size_t i, const char *name, double base, double mean)
{
	char *path = xasprintf("cells.0.covariates.%zu", i);
	const json_t *v = at(c, path);

	free(path);
	return strcmp(str_at(v, "name"), name) == 0 && num_at(v, "base_mean") == base &&
	       num_at(v, "mean") == mean;
}

/* Functions by their names, as a kernel has them: one that a run does not name was not
 * called in it; a kernel that has none of them counts nothing. */
static void calls(void **state)
{
	struct fake *f = *state;
	int64_t sub;
	json_t *c;
	char *text;

	f->covariates = "{\"why\":\"no counters here\"},\"calls\":{\"windows\":5,"
	                "\"contpte_wrprotect_ptes\":4096}";
	f->covariates_slow = "{\"why\":\"no counters here\"},\"calls\":{\"windows\":5,"
	                     "\"contpte_set_ptes\":16,\"contpte_wrprotect_ptes\":4096}";
	sub = fake_submit(f, BODY("\"reuse\":false," HW_4));
	work(f, sub, -1, NULL);
	c = get(f, "comparisons", sub, "");
	assert_int_equal(json_array_size(at(c, "cells.0.covariates")), 2);
	assert_true(is_covariate(c, 0, "contpte_wrprotect_ptes", 4096, 4096));
	assert_true(is_covariate(c, 1, "contpte_set_ptes", 0, 16));
	json_decref(c);
	f->covariates = "null,\"calls\":{\"why\":\"this kernel has no function contpte_*\"}";
	sub = fake_submit(f, BODY("\"reuse\":false," HW_4));
	work(f, sub, -1, NULL);
	c = get(f, "comparisons", sub, "");
	assert_int_equal(json_array_size(at(c, "cells.0.covariates")), 2);
	assert_true(json_is_null(at(c, "cells.0.covariates.0.base_mean")));
	json_decref(c);
	text = text_of(f, sub, "csv");
	has(text, ": absent -> ");
	free(text);
}

static void boots_tell_and_differ(void **state)
{
	struct fake *f = *state;
	int64_t sub = fake_submit(f, BODY(HW_4));
	json_t *b;
	struct reply_raw r;

	work(f, sub, 2, "9.1");
	b = fake_get(f, "/api/v1/boots/1");
	assert_string_equal(str_at(b, "env.board.qemu"), "7.2");
	assert_string_equal(str_at(b, "env.bench"), "beef");
	assert_int_equal(int_at(b, "traits.guest.page_size"), 4096);
	assert_int_equal(strlen(str_at(b, "env_id")), 64);
	assert_null(json_object_get(b, "differs"));
	json_decref(b);
	b = fake_get(f, "/api/v1/boots/1?against=4");
	assert_int_equal(json_array_size(at(b, "differs")), 1);
	assert_string_equal(str_at(b, "differs.0.field"), "board.qemu");
	json_decref(b);
	b = fake_get(f, "/api/v1/boots/1?against=1");
	assert_int_equal(json_array_size(at(b, "differs")), 0);
	json_decref(b);
	assert_int_equal(ask(f->d, "GET", "/api/v1/boots/1?against=99", NULL, NULL, NULL, 0, &r),
	                 404);
	reply_raw_release(&r);
	assert_int_equal(ask(f->d, "GET", "/api/v1/boots/1?against=x", NULL, NULL, NULL, 0, &r),
	                 400);
	reply_raw_release(&r);
	assert_int_equal(
	        ask(f->d, "GET", "/api/v1/comparisons/1?across=yes", NULL, NULL, NULL, 0, &r), 400);
	reply_raw_release(&r);
	assert_int_equal(ask(f->d, "POST", "/api/v1/submissions", f->submit, NULL,
	                     BODY(HW_4 ",\"across_environments\":1"),
	                     strlen(BODY(HW_4 ",\"across_environments\":1")), &r),
	                 400);
	reply_raw_release(&r);
}

int main(void)
{
#define with(t) cmocka_unit_test_setup_teardown(t, setup, fake_teardown)
	const struct CMUnitTest tests[] = {
	        with(a_board_that_changes_in_the_middle),
	        with(every_table_is_flagged),
	        with(a_kernel_that_is_wholly_apart),
	        with(replicates_of_two_environments),
	        with(reuse_is_of_the_present_environment),
	        with(covariates),
	        with(calls),
	        with(boots_tell_and_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
