/*
 * Leases, fencing, retries, quarantine, logs, results that are no results,
 * imports and rebuilding, over the real server.
 */
#include "server/test/fake_agent.h"

#include "lib/buf.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define BOOT "[\"boot\"]"
#define DET  "[\"det\"]"

static int setup(void **state)
{
	fake_setup(state);
	fake_announce(*state, true);
	return 0;
}

/* Two prebuilt images: boots at once. */
static int64_t submit_images(struct fake *f, const char *board, int boots, bool reuse)
{
	char a[65], b[65], *body;
	int64_t sub;

	fake_image(f, 1, a);
	fake_image(f, 2, b);
	body = xasprintf("{\"title\":\"images\",\"kernels\":[{\"name\":\"base\",\"image\":\"%s\"},"
	                 "{\"name\":\"slow\",\"image\":\"%s\"}],\"boards\":[\"%s\"],\"cases\":["
	                 "\"fork/order=0,size=16M\"],\"plan\":{\"boots\":%d},\"reuse\":%s}",
	                 a, b, board, boots, reuse ? "true" : "false");
	sub = fake_submit(f, body);
	free(body);
	return sub;
}

static int put(struct fake *f, const char *path, int64_t id, const char *what, const char *body)
{
	char *full = xasprintf("%s/%lld%s", path, (long long)id, what);
	int status = ask_json(f->d, "PUT", full, f->agent, body, NULL);

	free(full);
	return status;
}

static char *board_state(struct fake *f, const char *name)
{
	char *path = xasprintf("/api/v1/boards/%s", name), *state;
	json_t *o = fake_get(f, path);

	state = xstrdup(str_at(o, "state"));
	json_decref(o);
	free(path);
	return state;
}

static void expect_state(struct fake *f, const char *board, const char *want)
{
	char *state = board_state(f, board);

	assert_string_equal(state, want);
	free(state);
}

static json_t *job(struct fake *f, int64_t id)
{
	char *path = xasprintf("/api/v1/jobs/%lld", (long long)id);
	json_t *o = fake_get(f, path);

	free(path);
	return o;
}

/* ---- leases */

static void late_answers_are_fenced(void **state)
{
	struct fake *f = *state;
	json_t *first, *second, *o, *body;
	int64_t id;

	submit_images(f, "det", 1, true);
	first = fake_claim(f, BOOT, DET);
	id = int_at(first, "id");
	assert_int_equal(put(f, "/api/v1/jobs", id, "/lease",
	                     "{\"attempt\":1,\"progress\":{\"step\":\"case\",\"done\":1,"
	                     "\"total\":1}}"),
	                 200);
	/* Killed and back: the lease stands, the agent gets its time. */
	daemon_kill(f->d);
	daemon_start(f->d);
	assert_int_equal(put(f, "/api/v1/jobs", id, "/lease", "{\"attempt\":1}"), 200);
	o = job(f, id);
	assert_string_equal(str_at(o, "state"), "leased");
	assert_string_equal(str_at(o, "progress.step"), "case");
	json_decref(o);
	sleep_ms(7000);
	o = job(f, id);
	assert_string_equal(str_at(o, "state"), "queued");
	assert_string_equal(str_at(o, "class"), "infra");
	assert_non_null(strstr(str_at(o, "why"), "did not renew"));
	json_decref(o);
	/* An agent that vanished says nothing about its board. */
	expect_state(f, "det", "active");
	second = fake_claim(f, BOOT, DET);
	assert_int_equal(int_at(second, "id"), id);
	assert_int_equal(int_at(second, "attempt"), 2);
	assert_string_not_equal(str_at(second, "spec.nonce"), str_at(first, "spec.nonce"));
	assert_int_equal(put(f, "/api/v1/jobs", id, "/lease", "{\"attempt\":1}"), 409);
	assert_int_equal(put(f, "/api/v1/jobs", id, "/lease", "{\"attempt\":2}"), 200);
	expect_error(f->d, "POST", "/api/v1/jobs/1/log?attempt=1&offset=0", f->agent, "late", 409,
	             "conflict", "attempt 2");
	body = json_pack("{s:i,s:s,s:s,s:s}", "attempt", 1, "state", "failed", "class", "kernel",
	                 "why", "late");
	assert_int_equal(fake_post(f, id, "late", body, &o), 409);
	json_decref(o);
	json_decref(body);
	o = fake_do(f, second);
	assert_string_equal(str_at(o, "state"), "done");
	json_decref(o);
	assert_int_equal(put(f, "/api/v1/jobs", id, "/lease", "{\"attempt\":2}"), 409);
	json_decref(first);
	json_decref(second);
}

static void answers_are_taken_once(void **state)
{
	struct fake *f = *state;
	json_t *lease, *a, *b, *body;
	int64_t id;

	submit_images(f, "det", 1, true);
	lease = fake_claim(f, BOOT, DET);
	id = int_at(lease, "id");
	a = fake_do(f, lease);
	b = fake_do(f, lease); /* the same key, the same body */
	assert_true(json_equal(a, b));
	assert_true(json_is_integer(at(a, "boot")));
	json_decref(a);
	json_decref(b);
	a = fake_get(f, "/api/v1/boots/1");
	json_decref(a);
	expect_error(f->d, "GET", "/api/v1/boots/2", NULL, NULL, 404, "not_found", NULL);
	body = json_pack("{s:i,s:s,s:s,s:s}", "attempt", 1, "state", "failed", "class", "kernel",
	                 "why", "other");
	assert_int_equal(fake_post(f, id, "1.1", body, &a), 409);
	assert_non_null(strstr(str_at(a, "error.message"), "other content"));
	json_decref(a);
	/* A new key, but the job has ended. */
	assert_int_equal(fake_post(f, id, "2.2", body, &a), 409);
	json_decref(a);
	json_decref(body);
	json_decref(lease);
}

struct racer {
	struct fake *f;
	int64_t got[64];
	size_t n;
};

static void *race(void *arg)
{
	struct racer *r = arg;

	for (;;) {
		struct reply_raw raw;
		json_t *o;
		static const char body[] = "{\"agent\":\"a\",\"kinds\":[\"resolve\"]}";
		int status = ask(r->f->d, "POST", "/api/v1/jobs/claim", r->f->agent, NULL, body,
		                 strlen(body), &raw);

		if (status == 200 && r->n < ARRAY_SIZE(r->got)) {
			o = json_loads(raw.body, 0, NULL);
			r->got[r->n++] = json_int(o, "id", -1);
			json_decref(o);
		}
		reply_raw_release(&raw);
		if (status != 200)
			return NULL;
	}
}

static void two_claimers_never_share(void **state)
{
	struct fake *f = *state;
	struct racer r[4] = {{0}};
	pthread_t t[4];
	bool seen[64] = {false};
	size_t i, k, all = 0;
	struct buf b;
	char *body;

	/* Twenty refs, twenty jobs to resolve. */
	buf_init(&b, 1 << 16);
	for (i = 0; i < 20; i++)
		buf_addf(
		        &b,
		        "%s{\"name\":\"k%zu\",\"tree\":\"https://example.org/l\",\"ref\":\"r%zu\"}",
		        i ? "," : "", i, i);
	body = xasprintf(
	        "{\"title\":\"t\",\"boards\":[\"det\"],\"cases\":[\"fork/order=0,size=16M\"],"
	        "\"kernels\":[%s]}",
	        b.data);
	fake_submit(f, body);
	free(body);
	buf_release(&b);
	for (i = 0; i < 4; i++) {
		r[i].f = f;
		pthread_create(&t[i], NULL, race, &r[i]);
	}
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	for (i = 0; i < 4; i++)
		for (k = 0; k < r[i].n; k++, all++) {
			assert_in_range(r[i].got[k], 1, 63);
			assert_false(seen[r[i].got[k]]);
			seen[r[i].got[k]] = true;
		}
	assert_int_equal(all, 20);
}

/* ---- boards that fail */

static void infra_without_a_known_good_kernel(void **state)
{
	struct fake *f = *state;
	json_t *o;
	int64_t sub;

	f->bad_kernel = "base";
	f->bad_class = "infra";
	f->bad_boots = -1;
	sub = submit_images(f, "det", 2, true);
	/* Two in a row: quarantined, and nothing to check it with. */
	assert_int_equal(fake_work(f), 2);
	expect_state(f, "det", "quarantined");
	json_decref(fake_await(f, sub, "done"));
	o = fake_get(f, "/api/v1/comparisons/1");
	assert_string_equal(str_at(o, "cells.0.verdict"), "invalid");
	assert_non_null(strstr(str_at(o, "cells.0.why"), "no known-good kernel"));
	assert_int_equal(int_at(o, "cells.0.invalid_boots"), 0);
	json_decref(o);
	o = fake_get(f, "/api/v1/boards/det");
	assert_true(json_is_null(at(o, "known_good")));
	json_decref(o);
	/* A person says it is good again. */
	f->bad_kernel = NULL;
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/boards/det/resume", f->d->admin, "", NULL),
	                 200);
	expect_state(f, "det", "active");
	sub = submit_images(f, "det", 2, true);
	assert_int_equal(fake_work(f), 6);
	json_decref(fake_await(f, sub, "done"));
	o = fake_get(f, "/api/v1/boards/det");
	assert_true(json_is_integer(at(o, "known_good")));
	json_decref(o);
}

static void infra_is_retried_and_checked(void **state)
{
	struct fake *f = *state;
	json_t *o, *lease;
	int64_t sub;

	json_decref(fake_await(f, submit_images(f, "det", 1, true), "booting"));
	fake_work(f);
	f->bad_kernel = "base";
	f->bad_class = "infra";
	f->bad_boots = 2;
	sub = submit_images(f, "det", 6, false);
	json_decref(fake_do(f, lease = fake_claim(f, BOOT, DET)));
	json_decref(lease);
	json_decref(fake_do(f, lease = fake_claim(f, BOOT, DET)));
	assert_int_equal(int_at(lease, "attempt"), 2);
	json_decref(lease);
	expect_state(f, "det", "quarantined");
	/* Only checks go there now: the known-good kernel twice. */
	lease = fake_claim(f, BOOT, DET);
	assert_true(json_is_true(at(lease, "spec.health")));
	assert_string_equal(str_at(lease, "spec.name"), "known-good");
	json_decref(fake_do(f, lease));
	json_decref(lease);
	expect_state(f, "det", "quarantined");
	lease = fake_claim(f, BOOT, DET);
	assert_true(json_is_true(at(lease, "spec.health")));
	assert_int_equal(int_at(lease, "spec.replicate"), 1);
	json_decref(fake_do(f, lease));
	json_decref(lease);
	expect_state(f, "det", "active");
	assert_int_equal(fake_work(f), 14);
	json_decref(fake_await(f, sub, "done"));
	o = fake_get(f, "/api/v1/comparisons/latest");
	assert_int_equal(int_at(o, "submission"), sub);
	assert_string_equal(str_at(o, "cells.0.verdict"), "slower");
	assert_int_equal(int_at(o, "cells.0.invalid_boots"), 0);
	json_decref(o);
}

static void an_unhealthy_board(void **state)
{
	struct fake *f = *state;
	int64_t sub;
	json_t *o;

	json_decref(fake_await(f, submit_images(f, "det", 1, true), "booting"));
	fake_work(f);
	f->bad_kernel = "base";
	f->bad_class = "infra";
	f->bad_boots = 2;
	f->drift = true; /* the check's two boots differ */
	sub = submit_images(f, "det", 6, false);
	assert_int_equal(fake_work(f), 4);
	expect_state(f, "det", "quarantined");
	json_decref(fake_await(f, sub, "done"));
	o = fake_get(f, "/api/v1/boards/det");
	assert_non_null(strstr(str_at(o, "why"), "differ"));
	assert_string_equal(str_at(o, "events.0.event"), "unhealthy");
	json_decref(o);
}

static void three_retries_then_it_failed(void **state)
{
	struct fake *f = *state;
	json_t *lease, *o, *body;
	char key[24];
	int64_t sub;
	int i;

	sub = fake_submit(f, "{\"title\":\"t\",\"boards\":[\"det\"],\"cases\":["
	                     "\"fork/order=0,size=16M\"],\"kernels\":[{\"name\":\"a\",\"tree\":"
	                     "\"https://example.org/l\",\"ref\":\"r\"}]}");
	for (i = 1; i <= 4; i++) {
		lease = fake_claim(f, "[\"resolve\"]", "[]");
		assert_int_equal(int_at(lease, "attempt"), i);
		body = json_pack("{s:i,s:s,s:s,s:s}", "attempt", i, "state", "failed", "class",
		                 "infra", "why", "no route to host");
		snprintf(key, sizeof(key), "%d", i);
		assert_int_equal(fake_post(f, int_at(lease, "id"), key, body, &o), 200);
		assert_string_equal(str_at(o, "state"), i < 4 ? "queued" : "failed");
		json_decref(o);
		json_decref(body);
		json_decref(lease);
	}
	o = fake_await(f, sub, "failed");
	assert_non_null(strstr(str_at(o, "why"), "no route to host"));
	assert_string_equal(str_at(o, "kernels.0.state"), "failed");
	json_decref(o);
}

static void unexplained_and_confirmed(void **state)
{
	struct fake *f = *state;
	json_t *lease, *o;
	int64_t sub, id;

	json_decref(fake_await(f, submit_images(f, "hw", 1, true), "booting"));
	fake_work(f);
	f->bad_kernel = "slow";
	f->bad_class = "boot";
	f->bad_boots = -1;
	sub = submit_images(f, "hw", 3, false);
	json_decref(fake_do(f, lease = fake_claim(f, BOOT, "[\"hw\"]")));
	json_decref(lease);
	lease = fake_claim(f, BOOT, "[\"hw\"]");
	id = int_at(lease, "id");
	o = fake_do(f, lease);
	assert_string_equal(str_at(o, "state"), "failed");
	json_decref(o);
	json_decref(lease);
	/* Next comes the known-good kernel. */
	lease = fake_claim(f, BOOT, "[\"hw\"]");
	assert_string_equal(str_at(lease, "spec.name"), "known-good");
	json_decref(fake_do(f, lease));
	json_decref(lease);
	o = job(f, id);
	assert_string_equal(str_at(o, "state"), "failed");
	assert_string_equal(str_at(o, "class"), "boot");
	assert_non_null(strstr(str_at(o, "why"), "confirmed"));
	json_decref(o);
	expect_state(f, "hw", "active");
	fake_work(f);
	o = fake_await(f, sub, "done");
	json_decref(o);
	o = fake_get(f, "/api/v1/comparisons/latest");
	assert_string_equal(str_at(o, "cells.0.verdict"), "invalid");
	assert_int_equal(int_at(o, "cells.0.invalid_boots"), 2);
	json_decref(o);
}

static void unexplained_and_the_boards_fault(void **state)
{
	struct fake *f = *state;
	json_t *lease, *o;
	int64_t sub, id;

	json_decref(fake_await(f, submit_images(f, "hw", 1, true), "booting"));
	fake_work(f);
	f->bad_kernel = "slow";
	f->bad_class = "boot";
	f->bad_boots = 1;
	sub = submit_images(f, "hw", 3, false);
	json_decref(fake_do(f, lease = fake_claim(f, BOOT, "[\"hw\"]")));
	json_decref(lease);
	lease = fake_claim(f, BOOT, "[\"hw\"]");
	id = int_at(lease, "id");
	json_decref(fake_do(f, lease));
	json_decref(lease);
	f->bad_kernel = "known-good";
	f->bad_boots = 1;
	lease = fake_claim(f, BOOT, "[\"hw\"]");
	json_decref(fake_do(f, lease));
	json_decref(lease);
	expect_state(f, "hw", "quarantined");
	o = job(f, id);
	assert_string_equal(str_at(o, "state"), "queued");
	assert_string_equal(str_at(o, "class"), "infra");
	json_decref(o);
	/* Two healthy boots later the work goes on and nothing is lost. */
	fake_work(f);
	expect_state(f, "hw", "active");
	json_decref(fake_await(f, sub, "done"));
	o = fake_get(f, "/api/v1/comparisons/latest");
	assert_int_equal(int_at(o, "cells.0.boots"), 3);
	assert_int_equal(int_at(o, "cells.0.invalid_boots"), 0);
	json_decref(o);
}

static void drained(void **state)
{
	struct fake *f = *state;
	json_t *lease;

	submit_images(f, "det", 1, true);
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/boards/det/drain", f->d->admin,
	                          "{\"why\":\"new disk\"}", NULL),
	                 200);
	expect_state(f, "det", "drained");
	assert_null(fake_claim(f, BOOT, DET));
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/boards/det/resume", f->d->admin, "", NULL),
	                 200);
	lease = fake_claim(f, BOOT, DET);
	assert_non_null(lease);
	json_decref(lease);
}

/* ---- logs */

static void logs(void **state)
{
	struct fake *f = *state;
	json_t *lease, *o;
	struct reply_raw r;
	char *value;

	submit_images(f, "det", 1, true);
	lease = fake_claim(f, BOOT, DET);
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/jobs/1/log?attempt=1&offset=0", f->agent,
	                          "one\n", &o),
	                 200);
	assert_int_equal(int_at(o, "offset"), 4);
	json_decref(o);
	/* Again, and overlapping: taken once. */
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/jobs/1/log?attempt=1&offset=0", f->agent,
	                          "one\n", NULL),
	                 200);
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/jobs/1/log?attempt=1&offset=2", f->agent,
	                          "e\ntwo\n", &o),
	                 200);
	assert_int_equal(int_at(o, "offset"), 8);
	json_decref(o);
	expect_error(f->d, "POST", "/api/v1/jobs/1/log?attempt=1&offset=9", f->agent, "x", 409,
	             "conflict", "8");
	expect_error(f->d, "POST", "/api/v1/jobs/1/log?offset=9", f->agent, "x", 400, "input",
	             "attempt");
	ask(f->d, "GET", "/api/v1/jobs/1/log?offset=4", NULL, NULL, NULL, 0, &r);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "two\n");
	value = reply_raw_header(&r, "Foldwatch-Next-Offset");
	assert_string_equal(value, "8");
	free(value);
	value = reply_raw_header(&r, "Foldwatch-Log-Complete");
	assert_string_equal(value, "no");
	free(value);
	reply_raw_release(&r);
	json_decref(fake_do(f, lease));
	ask(f->d, "GET", "/api/v1/jobs/1/log?offset=100", NULL, NULL, NULL, 0, &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.body_len, 0);
	value = reply_raw_header(&r, "Foldwatch-Log-Complete");
	assert_string_equal(value, "yes");
	free(value);
	reply_raw_release(&r);
	ask(f->d, "GET", "/api/v1/boots/1/console", NULL, NULL, NULL, 0, &r);
	assert_int_equal(r.status, 200);
	assert_non_null(strstr(r.body, "\xef\xbf\xbd odd byte"));
	reply_raw_release(&r);
	json_decref(lease);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, fake_teardown)
	const struct CMUnitTest tests[] = {
	        T(late_answers_are_fenced),
	        T(answers_are_taken_once),
	        T(two_claimers_never_share),
	        T(infra_without_a_known_good_kernel),
	        T(infra_is_retried_and_checked),
	        T(an_unhealthy_board),
	        T(three_retries_then_it_failed),
	        T(unexplained_and_confirmed),
	        T(unexplained_and_the_boards_fault),
	        T(drained),
	        T(logs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
