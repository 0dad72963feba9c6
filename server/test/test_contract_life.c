/*
 * The life of a submission over the real server: resolve, build, boot, verdict,
 * reuse, cancel, and what happens when parts of it fail.
 */
#include "server/test/fake_agent.h"

#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TREE "\"tree\":\"https://example.org/linux.git\",\"ref\":\"v6.12\""

static const char two_kernels[] =
        "{\"title\":\"on against off\",\"kernels\":["
        "{\"name\":\"base\"," TREE ",\"config\":\"contpte-n\"},"
        "{\"name\":\"slow\"," TREE ",\"config\":\"contpte-y\"}],"
        "\"baseline\":\"base\",\"boards\":[\"det\"],"
        "\"cases\":[\"fork/order=0,size=256M\",\"fork/order=9,size=256M\"],"
        "\"plan\":{\"boots\":8,\"runs\":2,\"iterations\":5,\"warmup\":1}}";

/* ---- all is well */

static void check_slower(const json_t *c)
{
	size_t i;

	assert_int_equal(json_array_size(at(c, "cells")), 2);
	assert_int_equal(json_array_size(at(c, "rows")), 4);
	for (i = 0; i < 2; i++) {
		const json_t *x = json_array_get(at(c, "cells"), i);

		assert_string_equal(str_at(x, "kernel"), "slow");
		assert_string_equal(str_at(x, "board"), "det");
		assert_string_equal(str_at(x, "metric"), "instructions");
		assert_string_equal(str_at(x, "statistic"), "median");
		assert_string_equal(str_at(x, "verdict"), "slower");
		assert_true(num_at(x, "change") > 0.0199 && num_at(x, "change") < 0.0201);
		assert_true(num_at(x, "low") <= num_at(x, "change"));
		assert_true(num_at(x, "high") >= num_at(x, "change"));
		assert_int_equal(int_at(x, "boots"), 8);
		assert_int_equal(int_at(x, "invalid_boots"), 0);
		assert_int_equal(int_at(x, "runs"), 16);
	}
}

static void whole_life(void **state)
{
	struct fake *f = *state;
	json_t *s, *c, *lease, *out;
	int64_t sub, before = -1;
	int i;

	fake_announce(f, false);
	sub = fake_submit(f, two_kernels);
	s = fake_await(f, sub, "resolving");
	assert_int_equal(int_at(s, "progress.boots_total"), 18);
	assert_int_equal(int_at(s, "memory_bytes"), (2LL << 30) + (256 << 20));
	assert_int_equal(json_array_size(at(s, "jobs")), 1);
	json_decref(s);

	/* One tree and ref, one look-up. */
	lease = fake_claim(f, "[\"resolve\"]", "[]");
	assert_string_equal(str_at(lease, "kind"), "resolve");
	assert_int_equal(strlen(str_at(lease, "domain")), 16);
	assert_string_equal(str_at(lease, "spec.ref"), "v6.12");
	json_decref(fake_do(f, lease));
	json_decref(lease);
	s = fake_await(f, sub, "building");
	assert_int_equal(strlen(str_at(s, "kernels.0.commit")), 40);
	assert_string_equal(str_at(s, "kernels.1.subject"), "a commit");
	json_decref(s);

	for (i = 0; i < 2; i++) {
		assert_null(fake_claim(f, "[\"boot\"]", "[\"det\"]"));
		lease = fake_claim(f, "[\"build\"]", "[]");
		assert_string_equal(str_at(lease, "spec.name"), i ? "slow" : "base");
		assert_non_null(strstr(str_at(lease, "spec.config.text"), "CONFIG_MMU=y"));
		assert_true(json_is_false(at(lease, "spec.config.whole")));
		json_decref(fake_do(f, lease));
		json_decref(lease);
	}
	json_decref(fake_await(f, sub, "booting"));

	/* A B | B A (again) | A B | B A ... */
	for (i = 0; i < 18; i++) {
		int row = i / 2, second = i % 2;

		lease = fake_claim(f, "[\"boot\"]", "[\"det\"]");
		assert_non_null(lease);
		assert_string_equal(str_at(lease, "spec.name"),
		                    (row + second) % 2 ? "slow" : "base");
		assert_int_equal(int_at(lease, "spec.replicate"), row == 1);
		assert_int_equal(int_at(lease, "spec.phase"), row < 2 ? 0 : row - 1);
		assert_int_equal(strlen(str_at(lease, "spec.nonce")), 16);
		if (row == 0)
			assert_int_equal(int_at(lease, "spec.phase_pages"), 7);
		if (row >= 2 && second == 0)
			assert_true(int_at(lease, "spec.phase_pages") > before);
		before = int_at(lease, "spec.phase_pages");
		/* The board is busy: no second job for it. */
		assert_null(fake_claim(f, "[\"boot\"]", "[\"det\"]"));
		out = fake_do(f, lease);
		assert_string_equal(str_at(out, "state"), "done");
		json_decref(out);
		json_decref(lease);
	}
	s = fake_await(f, sub, "done");
	assert_int_equal(int_at(s, "progress.boots_done"), 18);
	assert_int_equal(int_at(s, "progress.cases_done"), 36);
	assert_non_null(str_at(s, "ended"));
	json_decref(s);
	c = fake_comparison(f, sub);
	assert_true(json_is_true(at(c, "complete")));
	check_slower(c);
	json_decref(c);
	c = fake_get(f, "/api/v1/comparisons/latest");
	assert_int_equal(int_at(c, "submission"), sub);
	json_decref(c);
}

static void texts(void **state)
{
	struct fake *f = *state;
	static const char *const formats[] = {"csv", "markdown", "text"};
	static const char *const has[] = {"\r\n", "|", "more instructions"};
	struct reply_raw r;
	int64_t sub;
	size_t i;

	fake_announce(f, false);
	sub = fake_submit(f, two_kernels);
	fake_work(f);
	json_decref(fake_await(f, sub, "done"));
	for (i = 0; i < 3; i++) {
		char path[128];

		snprintf(path, sizeof(path), "/api/v1/comparisons/%lld?format=%s", (long long)sub,
		         formats[i]);
		assert_int_equal(ask(f->d, "GET", path, NULL, NULL, NULL, 0, &r), 200);
		assert_non_null(strstr(r.body, has[i]));
		assert_non_null(strstr(r.body, "slow"));
		reply_raw_release(&r);
	}
	assert_int_equal(ask(f->d, "GET", "/api/v1/comparisons/latest?table=reply", NULL,
	                     "Accept: text/plain\r\n", NULL, 0, &r),
	                 200);
	assert_non_null(strstr(r.body, "mean_rel"));
	reply_raw_release(&r);
	expect_error(f->d, "GET", "/api/v1/comparisons/1?format=pdf", NULL, NULL, 400, "input",
	             "format");
	expect_error(f->d, "GET", "/api/v1/comparisons/1?table=nice", NULL, NULL, 400, "input",
	             "table");
	expect_error(f->d, "GET", "/api/v1/comparisons/999", NULL, NULL, 404, "not_found", "999");
}

static void a_second_time_takes_nothing(void **state)
{
	struct fake *f = *state;
	json_t *s, *c;
	int64_t sub;

	fake_announce(f, false);
	json_decref(fake_await(f, fake_submit(f, two_kernels), "resolving"));
	assert_int_equal(fake_work(f), 1 + 2 + 18);
	sub = fake_submit(f, two_kernels);
	assert_int_equal(fake_work(f), 1);
	s = fake_await(f, sub, "done");
	assert_int_equal(int_at(s, "progress.boots_done"), 18);
	json_decref(s);
	c = fake_comparison(f, sub);
	check_slower(c);
	json_decref(c);
}

/* ---- parts that fail */

static void a_build_that_fails(void **state)
{
	struct fake *f = *state;
	json_t *s, *c;
	int64_t sub;

	f->build_fails = "slow";
	fake_announce(f, false);
	sub = fake_submit(f, two_kernels);
	assert_int_equal(fake_work(f), 3);
	s = fake_await(f, sub, "failed");
	assert_non_null(strstr(str_at(s, "why"), "expected ';'"));
	assert_string_equal(str_at(s, "kernels.1.state"), "failed");
	json_decref(s);
	/* Asked for again, it is built again: a person's retry is no silent one. */
	f->build_fails = NULL;
	sub = fake_submit(f, two_kernels);
	assert_int_equal(fake_work(f), 1 + 1 + 18);
	json_decref(fake_await(f, sub, "done"));
	c = fake_comparison(f, 1);
	assert_string_equal(str_at(c, "cells.0.verdict"), "invalid");
	assert_non_null(strstr(str_at(c, "cells.0.why"), "expected ';'"));
	json_decref(c);
}

static void faults_in_the_log(void **state)
{
	struct fake *f = *state;
	json_t *c, *b;
	char path[64];
	int64_t sub;

	f->bad_kernel = "slow";
	f->bad_boots = 3; /* phase 0, its replicate, phase 1 */
	fake_announce(f, false);
	sub = fake_submit(f, two_kernels);
	assert_int_equal(fake_work(f), 1 + 2 + 18);
	json_decref(fake_await(f, sub, "done"));
	c = fake_comparison(f, sub);
	assert_int_equal(int_at(c, "cells.0.boots"), 6);
	assert_int_equal(int_at(c, "cells.0.invalid_boots"), 3);
	assert_int_equal(json_array_size(at(c, "thrown_out")), 3);
	assert_non_null(strstr(str_at(c, "thrown_out.0.why"), "Bad page state"));
	snprintf(path, sizeof(path), "/api/v1/boots/%lld",
	         (long long)int_at(c, "thrown_out.0.boot"));
	b = fake_get(f, path);
	assert_true(json_is_false(at(b, "valid")));
	assert_int_equal(int_at(b, "faults.0.line"), 7);
	/* Its runs are facts all the same. */
	assert_int_equal(json_array_size(at(b, "runs")), 4);
	assert_string_equal(str_at(b, "env.guest.cmdline"),
	                    "foldwatch.nonce=________________ foldwatch.phase=____");
	json_decref(b);
	json_decref(c);
}

static void a_kernel_that_panics(void **state)
{
	struct fake *f = *state;
	json_t *c, *o;
	int64_t sub;

	f->bad_kernel = "slow";
	f->bad_class = "kernel";
	f->bad_boots = -1;
	fake_announce(f, false);
	sub = fake_submit(f, two_kernels);
	/* Its other seven boots are not tried. */
	assert_int_equal(fake_work(f), 1 + 2 + 9 + 2);
	json_decref(fake_await(f, sub, "done"));
	c = fake_comparison(f, sub);
	assert_string_equal(str_at(c, "cells.0.verdict"), "invalid");
	assert_non_null(strstr(str_at(c, "cells.0.why"), "Bad page state"));
	assert_true(json_is_null(at(c, "cells.0.change")));
	json_decref(c);
	o = fake_get(f, "/api/v1/jobs?state=cancelled");
	assert_int_equal(json_array_size(at(o, "jobs")), 7);
	json_decref(o);
	o = fake_get(f, "/api/v1/boards/det");
	assert_string_equal(str_at(o, "state"), "active");
	json_decref(o);
}

static void replicates_that_differ(void **state)
{
	struct fake *f = *state;
	json_t *o, *c;
	int64_t sub;

	f->drift = true;
	fake_announce(f, false);
	sub = fake_submit(f, two_kernels);
	fake_work(f);
	sleep_ms(1500); /* the worker looks once a second */
	fake_work(f);
	json_decref(fake_await(f, sub, "done"));
	c = fake_comparison(f, sub);
	assert_string_equal(str_at(c, "cells.0.verdict"), "invalid");
	assert_non_null(strstr(str_at(c, "cells.0.why"), "not deterministic"));
	assert_non_null(strstr(str_at(c, "thrown_out.0.why"), "samples[0]"));
	json_decref(c);
	o = fake_get(f, "/api/v1/boards/det");
	/* Its health check failed too: the replicate of that differs as well. */
	assert_string_equal(str_at(o, "state"), "quarantined");
	json_decref(o);
	expect_error(f->d, "POST", "/api/v1/submissions", f->submit, two_kernels, 422,
	             "unprocessable", "quarantined");
	/* Mended: an admin resumes, the check passes, nothing of the old is reused. */
	f->drift = false;
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/boards/det/resume", f->d->admin,
	                          "{\"why\":\"mended\"}", &o),
	                 200);
	assert_string_equal(str_at(o, "state"), "quarantined");
	json_decref(o);
	assert_int_equal(fake_work(f), 2);
	o = fake_get(f, "/api/v1/boards/det");
	assert_string_equal(str_at(o, "state"), "active");
	assert_string_equal(str_at(o, "events.0.event"), "healthy");
	json_decref(o);
	sub = fake_submit(f, two_kernels);
	assert_int_equal(fake_work(f), 1 + 18);
	c = fake_await(f, sub, "done");
	json_decref(c);
}

static void skipped_cases(void **state)
{
	struct fake *f = *state;
	json_t *c;
	int64_t sub;

	f->skip_order9 = true;
	fake_announce(f, false);
	sub = fake_submit(f, two_kernels);
	fake_work(f);
	json_decref(fake_await(f, sub, "done"));
	c = fake_comparison(f, sub);
	assert_string_equal(str_at(c, "cells.0.verdict"), "slower");
	assert_string_equal(str_at(c, "cells.1.verdict"), "skip");
	assert_string_equal(str_at(c, "cells.1.why"), "no such order here");
	json_decref(c);
}

static void cancelling(void **state)
{
	struct fake *f = *state;
	json_t *lease, *o;
	char path[80];
	int64_t sub;

	fake_announce(f, false);
	sub = fake_submit(f, two_kernels);
	lease = fake_claim(f, "[\"resolve\"]", "[]");
	json_decref(fake_do(f, lease));
	json_decref(lease);
	lease = fake_claim(f, "[\"build\"]", "[]");
	snprintf(path, sizeof(path), "/api/v1/submissions/%lld/cancel", (long long)sub);
	assert_int_equal(ask_json(f->d, "POST", path, f->submit, "", &o), 200);
	assert_string_equal(str_at(o, "state"), "cancelled");
	json_decref(o);
	snprintf(path, sizeof(path), "/api/v1/jobs/%lld/lease", (long long)int_at(lease, "id"));
	assert_int_equal(ask_json(f->d, "PUT", path, f->agent, "{\"attempt\":1}", &o), 200);
	assert_true(json_is_true(at(o, "cancel")));
	json_decref(o);
	o = fake_do(f, lease);
	assert_string_equal(str_at(o, "state"), "cancelled");
	json_decref(o);
	json_decref(lease);
	assert_int_equal(fake_work(f), 0);
	/* What was cancelled is built again for the next. */
	sub = fake_submit(f, two_kernels);
	assert_int_equal(fake_work(f), 1 + 2 + 18);
	json_decref(fake_await(f, sub, "done"));
}

/* A build that two wait for survives the cancelling of who asked first. */
static void cancelling_what_others_wait_for(void **state)
{
	struct fake *f = *state;
	json_t *lease, *o;
	int64_t first, second;

	fake_announce(f, false);
	first = fake_submit(f, two_kernels);
	json_decref(fake_do(f, lease = fake_claim(f, "[\"resolve\"]", "[]")));
	json_decref(lease);
	second = fake_submit(f, two_kernels);
	json_decref(fake_do(f, lease = fake_claim(f, "[\"resolve\"]", "[]")));
	json_decref(lease);
	lease = fake_claim(f, "[\"build\"]", "[]");
	assert_int_equal(first, 1);
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/submissions/1/cancel", f->submit, "", &o),
	                 200);
	json_decref(o);
	o = fake_do(f, lease);
	assert_string_equal(str_at(o, "state"), "done");
	json_decref(o);
	json_decref(lease);
	assert_int_equal(fake_work(f), 1 + 18);
	json_decref(fake_await(f, second, "done"));
	json_decref(fake_await(f, first, "cancelled"));
}

static void waiting_says_for_what(void **state)
{
	static const char body[] =
	        "{\"title\":\"t\",\"kernels\":[{\"name\":\"a\",\"tree\":\"%s\",\"ref\":\"r\","
	        "\"toolchain\":\"%s\"}],\"boards\":[\"det\"],\"cases\":[\"fork/"
	        "order=0,size=16M\"]}";
	struct fake *f = *state;
	json_t *o;
	char *text;
	int64_t sub;

	fake_announce(f, false);
	text = xasprintf("%.*s%s%s%s%s", (int)(strstr(body, "%s") - body), body, "git://h/x",
	                 "\",\"ref\":\"r\",\"toolchain\":\"", "gcc", strstr(body, "\"}],"));
	sub = fake_submit(f, text);
	free(text);
	o = fake_await(f, sub, "resolving");
	assert_non_null(strstr(str_at(o, "why"), "git://h/x"));
	assert_non_null(strstr(str_at(o, "kernels.0.why"), "git://h/x"));
	json_decref(o);
	assert_null(fake_claim(f, "[\"resolve\"]", "[]"));
	text = xasprintf("%.*s%s%s%s%s", (int)(strstr(body, "%s") - body), body, "https://h/x",
	                 "\",\"ref\":\"r\",\"toolchain\":\"", "clang-99", strstr(body, "\"}],"));
	sub = fake_submit(f, text);
	free(text);
	assert_int_equal(fake_work(f), 1);
	o = fake_await(f, sub, "resolving");
	assert_non_null(strstr(str_at(o, "why"), "clang-99"));
	json_decref(o);
}

static void an_end_is_expected(void **state)
{
	struct fake *f = *state;
	json_t *o, *lease;
	char path[64];
	int64_t sub;

	fake_announce(f, false);
	sub = fake_submit(f, two_kernels);
	o = fake_await(f, sub, "resolving");
	assert_true(json_is_null(at(o, "progress.expected_end_s")));
	json_decref(o);
	fake_work(f);
	json_decref(fake_await(f, sub, "done"));
	sub = fake_submit(f, two_kernels);
	o = fake_await(f, sub, "resolving");
	assert_true(json_is_number(at(o, "progress.expected_end_s")));
	json_decref(o);
	/* One that outlives its like is expected to end when it says how far it is. */
	lease = fake_claim(f, "[\"resolve\"]", "[]");
	sleep_ms(1500);
	o = fake_await(f, sub, "resolving");
	assert_true(json_is_null(at(o, "progress.expected_end_s")));
	json_decref(o);
	snprintf(path, sizeof(path), "/api/v1/jobs/%lld/lease", (long long)int_at(lease, "id"));
	assert_int_equal(ask_json(f->d, "PUT", path, f->agent,
	                          "{\"attempt\":1,\"progress\":{\"step\":\"fetch\",\"done\":1,"
	                          "\"total\":4}}",
	                          &o),
	                 200);
	json_decref(o);
	o = fake_await(f, sub, "resolving");
	assert_true(num_at(o, "progress.expected_end_s") > 3 * 1.4);
	json_decref(o);
	json_decref(lease);
}

static void images(void **state)
{
	struct fake *f = *state;
	char a[65], b[65], *body;
	json_t *s, *c;
	int64_t sub;

	fake_announce(f, false);
	fake_image(f, 1, a);
	fake_image(f, 2, b);
	body = xasprintf(
	        "{\"title\":\"images\",\"kernels\":[{\"name\":\"a\",\"image\":\"%s\"},"
	        "{\"name\":\"slow\",\"image\":\"%s\"}],\"cases\":[\"fork/order=0,size=16M\"]}",
	        a, b);
	sub = fake_submit(f, body);
	/* A vDSO's build-id stands beside the kernel's: only a boot tells which is which. */
	s = fake_await(f, sub, "booting");
	assert_true(json_is_null(at(s, "kernels.0.build_id")));
	json_decref(s);
	assert_int_equal(fake_work(f), 18);
	s = fake_await(f, sub, "done");
	assert_string_equal(str_at(s, "kernels.0.build_id"),
	                    "0101010101010101010101010101010101010101");
	assert_string_equal(str_at(s, "baseline"), "a");
	json_decref(s);
	c = fake_comparison(f, sub);
	assert_string_equal(str_at(c, "cells.0.verdict"), "slower");
	json_decref(c);
	free(body);
}

static void boards_that_are_noisy(void **state)
{
	struct fake *f = *state;
	char a[65], b[65], *body;
	json_t *c, *o;
	int64_t sub;

	fake_announce(f, true);
	fake_image(f, 1, a);
	fake_image(f, 2, b);
	body = xasprintf("{\"title\":\"images\",\"kernels\":[{\"name\":\"a\",\"image\":\"%s\"},"
	                 "{\"name\":\"slow\",\"image\":\"%s\"}],\"boards\":[\"label:fast\"],"
	                 "\"cases\":[\"fork/order=0,size=16M\"],\"threshold\":0.005}",
	                 a, b);
	sub = fake_submit(f, body);
	assert_int_equal(fake_work(f), 6);
	json_decref(fake_await(f, sub, "done"));
	c = fake_comparison(f, sub);
	assert_string_equal(str_at(c, "cells.0.board"), "hw");
	assert_string_equal(str_at(c, "cells.0.verdict"), "slower");
	assert_int_equal(int_at(c, "cells.0.boots"), 3);
	json_decref(c);
	o = fake_get(f, "/api/v1/submissions/latest/samples?case=fork/order=0,size=16M&board=hw");
	assert_int_equal(json_array_size(at(o, "rows")), 6);
	assert_int_equal(json_array_size(at(o, "rows.0.samples")), 6);
	assert_string_equal(str_at(o, "rows.0.kernel"), "a");
	json_decref(o);
	free(body);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fake_setup, fake_teardown)
	const struct CMUnitTest tests[] = {
	        T(whole_life),
	        T(texts),
	        T(a_second_time_takes_nothing),
	        T(a_build_that_fails),
	        T(faults_in_the_log),
	        T(a_kernel_that_panics),
	        T(replicates_that_differ),
	        T(skipped_cases),
	        T(cancelling),
	        T(cancelling_what_others_wait_for),
	        T(waiting_says_for_what),
	        T(an_end_is_expected),
	        T(images),
	        T(boards_that_are_noisy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
