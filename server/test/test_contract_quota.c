/* Quotas of tokens over the real server: what is refused, what it says, and that nothing
 * of it is stored. */
#include "server/test/fake_agent.h"

#include "lib/json.h"
#include "lib/mem.h"
#include "server/db.h"
#include "server/store_quota.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOKENS "/api/v1/tokens"
#define SUBS   "/api/v1/submissions"

static char *ada;
static int64_t ada_id;

static char *token_of(struct fake *f, const char *role, const char *label, int64_t *id)
{
	char *body = xasprintf("{\"role\":\"%s\",\"label\":\"%s\"}", role, label), *out;
	json_t *o;

	assert_int_equal(ask_json(f->d, "POST", TOKENS, f->d->admin, body, &o), 201);
	out = xstrdup(str_at(o, "token"));
	if (id)
		*id = int_at(o, "id");
	json_decref(o);
	free(body);
	return out;
}

static int setup(void **state)
{
	fake_setup(state);
	fake_announce(*state, true);
	ada = token_of(*state, "submit", "ada", &ada_id);
	return 0;
}

static int teardown(void **state)
{
	free(ada);
	return fake_teardown(state);
}

static void limit(struct fake *f, const char *body)
{
	char path[64];

	snprintf(path, sizeof(path), TOKENS "/%lld/quota", (long long)ada_id);
	assert_int_equal(ask_json(f->d, "PUT", path, f->d->admin, body, NULL), 200);
}

/* So many boots of one kernel on a board that is not deterministic. */
static char *body_of(struct fake *f, int boots)
{
	char hex[65];

	fake_image(f, 1, hex);
	return xasprintf("{\"title\":\"t\",\"kernels\":[{\"name\":\"a\",\"image\":\"%s\"}],"
	                 "\"boards\":[\"hw\"],\"cases\":[\"fork/order=0,size=16M\"],"
	                 "\"plan\":{\"boots\":%d},\"reuse\":false}",
	                 hex, boots);
}

static int submit(struct fake *f, const char *token, int boots)
{
	char *body = body_of(f, boots);
	int status = ask_json(f->d, "POST", SUBS, token, body, NULL);

	free(body);
	return status;
}

/* Refused with 429: the sentence has those words, and Retry-After is that or, for -1, any. */
static void refused(struct fake *f, int boots, const char *has, int64_t retry_after_s)
{
	char *body = body_of(f, boots), *value;
	json_t *before = fake_get(f, SUBS), *after;
	struct reply_raw r;

	ask(f->d, "POST", SUBS, ada, "Content-Type: application/json\r\n", body, strlen(body), &r);
	check_error(&r, 429, "busy", has);
	value = reply_raw_header(&r, "Retry-After");
	assert_true(strtol(value, NULL, 10) > 2);
	if (retry_after_s >= 0)
		assert_in_range(strtol(value, NULL, 10), retry_after_s - 10, retry_after_s + 10);
	after = fake_get(f, SUBS);
	assert_int_equal(json_array_size(at(after, "submissions")),
	                 json_array_size(at(before, "submissions")));
	json_decref(before);
	json_decref(after);
	reply_raw_release(&r);
	free(value);
	free(body);
}

static int64_t used(struct fake *f, const char *token, int which, const char *key)
{
	json_t *o;
	int64_t n;
	char path[32];

	assert_int_equal(ask_json(f->d, "GET", "/api/v1/quota", token, NULL, &o), 200);
	snprintf(path, sizeof(path), "quotas.%d.%s", which, key);
	n = json_is_null(at(o, path)) ? -1 : int_at(o, path);
	json_decref(o);
	return n;
}

static void submissions_and_jobs(void **state)
{
	struct fake *f = *state;
	char *other = token_of(f, "submit", "ada", NULL), *bob = token_of(f, "submit", "bob", NULL);
	char *body;

	limit(f, "{\"submissions\":2}");
	assert_int_equal(submit(f, ada, 2), 201);
	/* Another token of the label uses the same, with limits of its own. */
	assert_int_equal(submit(f, other, 2), 201);
	refused(f, 1, "2 of 2 open submissions are used", -1);
	assert_int_equal(submit(f, other, 1), 201);
	assert_int_equal(submit(f, bob, 1), 201);
	assert_int_equal(submit(f, f->d->admin, 1), 201);
	assert_int_equal(used(f, ada, QUOTA_SUBMISSIONS, "used"), 3);
	assert_int_equal(used(f, ada, QUOTA_JOBS, "used"), 5);
	assert_int_equal(used(f, bob, QUOTA_JOBS, "used"), 1);
	assert_int_equal(used(f, ada, QUOTA_SUBMISSIONS, "limit"), 2);
	assert_int_equal(used(f, ada, QUOTA_JOBS, "limit"), 50000);
	limit(f, "{\"submissions\":null,\"jobs\":6}");
	assert_int_equal(submit(f, ada, 1), 201);
	refused(f, 1, "6 of 6 jobs that wait are used and this needs 1; it is free when 1 of", -1);
	/* What could never fit is not worth another try. */
	body = body_of(f, 7);
	expect_error(f->d, "POST", SUBS, ada, body, 422, "unprocessable",
	             "this alone needs 7 jobs that wait");
	free(body);
	fake_work(f);
	assert_int_equal(submit(f, ada, 6), 201);
	free(other);
	free(bob);
}

/* A submission that waits for its kernels has asked for its boots already. */
static void boots_of_a_day(void **state)
{
	static const char tree[] =
	        "{\"title\":\"t\",\"boards\":[\"det\",\"hw\"],\"cases\":[\"fork/order=0,size=16M\"]"
	        ",\"plan\":{\"boots\":2},\"validate\":true,\"kernels\":[{\"name\":\"a\",\"tree\":"
	        "\"https://example.org/l\",\"ref\":\"r1\"},{\"name\":\"b\",\"tree\":"
	        "\"https://example.org/l\",\"ref\":\"r2\"}]}";
	struct fake *f = *state;

	limit(f, "{\"boots\":20}");
	assert_int_equal(ask_json(f->d, "POST", SUBS, ada, tree, NULL), 201);
	/* 2 kernels x (2 phases and one again, 2 boots), and 2 that validate. */
	assert_int_equal(used(f, ada, QUOTA_BOOTS, "used"), 12);
	fake_work(f);
	assert_int_equal(used(f, ada, QUOTA_BOOTS, "used"), 12);
	assert_int_equal(used(f, ada, QUOTA_JOBS, "used"), 0);
	assert_int_equal(submit(f, ada, 8), 201);
	refused(f, 3, "20 of 20 boots in 24 hours are used and this needs 3; 3 are free at 20",
	        86400);
	limit(f, "{\"boots\":0}");
	assert_int_equal(submit(f, ada, 30), 201);
	assert_int_equal(used(f, ada, QUOTA_BOOTS, "limit"), -1);
}

static enum err a_day_ago(struct db *db, void *arg, struct why *w)
{
	(void)arg;
	return db_run(db_prepare(db, "UPDATE job SET created_ms = created_ms - 86390000"), w);
}

static void boots_are_free_again(void **state)
{
	struct fake *f = *state;
	char *path = xasprintf("%s/state/foldwatch.db", f->d->dir);
	struct db_store *store;
	struct why w;

	limit(f, "{\"boots\":4}");
	assert_int_equal(submit(f, ada, 4), 201);
	daemon_stop(f->d);
	if (db_open(path, 1, &store, &w) != OK || db_write(store, a_day_ago, NULL, &w) != OK)
		fail_msg("%s", w.text);
	db_close(store);
	daemon_start(f->d);
	free(path);
	refused(f, 4, "4 are free at", 10);
}

static void uploads(void **state)
{
	struct fake *f = *state;
	char *a = noise(6000, 1), *b = noise(5000, 2), *url_a = artifact_url(a, 6000);
	char *url_b = artifact_url(b, 5000), *agent = f->agent;
	struct reply_raw r;

	limit(f, "{\"bytes\":10000}");
	assert_int_equal(ask(f->d, "PUT", url_a, ada, NULL, a, 6000, &r), 201);
	reply_raw_release(&r);
	/* Once more is no more. */
	assert_int_equal(ask(f->d, "PUT", url_a, ada, NULL, a, 6000, &r), 200);
	reply_raw_release(&r);
	ask(f->d, "PUT", url_b, ada, NULL, b, 5000, &r);
	check_error(&r, 429, "busy", "6000 of 10000 bytes of uploads are used and this needs 5000");
	reply_raw_release(&r);
	assert_int_equal(ask(f->d, "GET", url_b, ada, NULL, NULL, 0, &r), 404);
	reply_raw_release(&r);
	assert_int_equal(used(f, ada, QUOTA_BYTES, "used"), 6000);
	/* What an agent sends is nobody's, and then costs nobody anything. */
	assert_int_equal(ask(f->d, "PUT", url_b, agent, NULL, b, 5000, &r), 201);
	reply_raw_release(&r);
	assert_int_equal(ask(f->d, "PUT", url_b, ada, NULL, b, 5000, &r), 200);
	reply_raw_release(&r);
	assert_int_equal(used(f, ada, QUOTA_BYTES, "used"), 6000);
	free(a);
	free(b);
	free(url_a);
	free(url_b);
}

struct racer {
	struct fake *f;
	int taken;
};

static void *race(void *arg)
{
	struct racer *x = arg;

	for (int i = 0; i < 6; i++)
		x->taken += submit(x->f, ada, 1) == 201;
	return NULL;
}

static void a_race_never_passes(void **state)
{
	struct fake *f = *state;
	struct racer r[4] = {{0}};
	pthread_t t[4];
	int taken = 0;
	char hex[65];

	fake_image(f, 1, hex);
	limit(f, "{\"submissions\":5}");
	for (int i = 0; i < 4; i++) {
		r[i].f = f;
		pthread_create(&t[i], NULL, race, &r[i]);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		taken += r[i].taken;
	}
	assert_int_equal(taken, 5);
}

static void bad_limits(void **state)
{
	static const struct {
		const char *path, *body, *code, *has;
		int status;
	} bad[] = {
	        {TOKENS "/999/quota", "{\"jobs\":1}", "not_found", "there is no token 999", 404},
	        {TOKENS "/1/quota", "{\"jobs\":1}", "unprocessable", "has role admin", 422},
	        {NULL, "{\"jobs\":-1}", "input", "jobs: expected 0 (no limit) to", 400},
	        {NULL, "{\"jobs\":1.5}", "input", "jobs: expected", 400},
	        {NULL, "{\"jobs\":9223372036854775807}", "input", "jobs: expected", 400},
	        {NULL, "{\"jobs\":\"5\"}", "input", "jobs: expected", 400},
	        {NULL, "{\"wishes\":3}", "input", "\"wishes\" is no field", 400},
	        {NULL, "{}", "input", "expected an object with submissions", 400},
	        {NULL, "[]", "input", "expected an object", 400},
	        {NULL, "", "input", NULL, 400},
	};
	struct fake *f = *state;
	char own[64];

	snprintf(own, sizeof(own), TOKENS "/%lld/quota", (long long)ada_id);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_error(f->d, "PUT", bad[i].path ? bad[i].path : own, f->d->admin, bad[i].body,
		             bad[i].status, bad[i].code, bad[i].has);
	expect_error(f->d, "PUT", own, ada, "{\"jobs\":0}", 403, "denied", NULL);
	expect_error(f->d, "GET", "/api/v1/quota", NULL, NULL, 401, "auth", NULL);
	assert_int_equal(used(f, ada, QUOTA_JOBS, "limit"), 50000);
	assert_int_equal(used(f, f->d->admin, QUOTA_JOBS, "limit"), -1);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	        T(submissions_and_jobs), T(boots_of_a_day), T(boots_are_free_again), T(uploads),
	        T(a_race_never_passes),  T(bad_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
