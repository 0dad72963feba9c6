/* Whose turn it is: submitters, priorities and what they used, over the real server. */
#include "server/test/fake_agent.h"
#include "server/test/rebuilt.h"

#include "lib/json.h"
#include "lib/mem.h"
#include "server/db.h"
#include "server/store_share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BOOT "[\"boot\"]"
#define DET  "[\"det\"]"

static int setup(void **state)
{
	fake_setup(state);
	fake_announce(*state, true);
	return 0;
}

static char *token_of(struct fake *f, const char *label)
{
	char *body = xasprintf("{\"role\":\"submit\",\"label\":\"%s\"}", label), *out;
	json_t *o;

	assert_int_equal(ask_json(f->d, "POST", "/api/v1/tokens", f->d->admin, body, &o), 201);
	out = xstrdup(str_at(o, "token"));
	json_decref(o);
	free(body);
	return out;
}

/* One kernel on a board, so many boots, by that token. */
static int64_t submit_as(struct fake *f, const char *token, int priority, int boots)
{
	char hex[65], *body;
	json_t *o;
	int64_t id;

	fake_image(f, 1, hex);
	body = xasprintf("{\"title\":\"t\",\"kernels\":[{\"name\":\"base\",\"image\":\"%s\"}],"
	                 "\"boards\":[\"hw\"],\"cases\":[\"fork/order=0,size=16M\"],"
	                 "\"plan\":{\"boots\":%d},\"reuse\":false,\"priority\":%d}",
	                 hex, boots, priority);
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/submissions", token, body, &o), 201);
	id = int_at(o, "id");
	json_decref(o);
	free(body);
	return id;
}

/* The next boot on the board: whose it is. It takes that long. */
static int64_t next(struct fake *f, int ms)
{
	json_t *lease = fake_claim(f, BOOT, "[\"hw\"]"), *o;
	char *path;
	int64_t sub;

	assert_non_null(lease);
	if (ms)
		sleep_ms(ms);
	json_decref(fake_do(f, lease));
	path = xasprintf("/api/v1/jobs/%lld", (long long)int_at(lease, "id"));
	o = fake_get(f, path);
	sub = int_at(o, "submission");
	json_decref(o);
	json_decref(lease);
	free(path);
	return sub;
}

struct shift {
	int64_t sub, ms;
};

static enum err shift_jobs(struct db *db, void *arg, struct why *w)
{
	const struct shift *s = arg;
	struct db_stmt *q = db_prepare(db, "UPDATE job SET created_ms = created_ms - ?2"
	                                   " WHERE submission_id = ?1");

	db_bind_int(q, 1, s->sub);
	db_bind_int(q, 2, s->ms);
	return db_run(q, w);
}

/* The jobs of a submission have waited for so much longer. */
static void let_wait(struct fake *f, int64_t sub, int64_t ms)
{
	char *path = xasprintf("%s/state/foldwatch.db", f->d->dir);
	struct shift s = {sub, ms};
	struct db_store *store;
	struct why w;

	daemon_stop(f->d);
	if (db_open(path, 1, &store, &w) != OK || db_write(store, shift_jobs, &s, &w) != OK)
		fail_msg("%s", w.text);
	db_close(store);
	free(path);
	daemon_start(f->d);
}

static void who_used_less_is_next(void **state)
{
	struct fake *f = *state;
	char *ada = token_of(f, "ada"), *bob = token_of(f, "bob");
	int64_t a = submit_as(f, ada, 0, 4), a2 = submit_as(f, ada, 0, 4), b;

	/* Alone, in the order of one's submissions. */
	assert_int_equal(next(f, 400), a);
	/* Ada has seven boots waiting when Bob comes: he is next until he has used as much. */
	b = submit_as(f, bob, 0, 4);
	assert_int_equal(next(f, 0), b);
	assert_int_equal(next(f, 600), b);
	assert_int_equal(next(f, 600), a);
	assert_int_equal(next(f, 0), b);
	assert_int_equal(next(f, 600), b);
	/* His are done: hers go on, the older submission first. */
	assert_int_equal(next(f, 0), a);
	assert_int_equal(next(f, 0), a);
	for (int i = 0; i < 4; i++)
		assert_int_equal(next(f, 0), a2);
	assert_null(fake_claim(f, BOOT, "[\"hw\"]"));
	free(ada);
	free(bob);
}

static void priorities_age(void **state)
{
	struct fake *f = *state;
	char *ada = token_of(f, "ada"), *bob = token_of(f, "bob");
	int64_t low = submit_as(f, ada, -2, 4), high = submit_as(f, bob, 3, 6), own;

	assert_int_equal(next(f, 0), high);
	assert_int_equal(next(f, 50), high);
	/* One's own priorities as well. */
	own = submit_as(f, ada, 3, 1);
	assert_int_equal(next(f, 0), own);
	assert_int_equal(next(f, 0), high);
	/* Four steps of waiting are not enough, though Bob used more; five are, and then
	 * least use decides. */
	let_wait(f, low, 4 * LANE_STEP_MS);
	assert_int_equal(next(f, 0), high);
	let_wait(f, low, LANE_STEP_MS);
	assert_int_equal(next(f, 0), low);
	/* Served, it waits anew. */
	assert_int_equal(next(f, 0), high);
	let_wait(f, low, 1000 * LANE_STEP_MS);
	assert_int_equal(next(f, 0), high);
	assert_int_equal(next(f, 0), low);
	free(ada);
	free(bob);
}

/* However far apart, and however much is submitted after it. */
static void nothing_starves(void **state)
{
	struct fake *f = *state;
	char *ada = token_of(f, "ada"), *bob = token_of(f, "bob");
	int64_t low = submit_as(f, ada, -100, 1);

	submit_as(f, bob, 100, 3);
	for (int i = 0; i < 2; i++)
		assert_int_not_equal(next(f, 0), low);
	let_wait(f, low, 201 * LANE_STEP_MS);
	submit_as(f, bob, 100, 3);
	assert_int_equal(next(f, 0), low);
	free(ada);
	free(bob);
}

static void builds_are_shared_too(void **state)
{
	static const char body[] = "{\"title\":\"t\",\"boards\":[\"det\"],\"cases\":["
	                           "\"fork/order=0,size=16M\"],\"kernels\":[{\"name\":\"a\","
	                           "\"tree\":\"https://example.org/l\",\"ref\":\"r1\"},"
	                           "{\"name\":\"b\",\"tree\":\"https://example.org/l\","
	                           "\"ref\":\"r2\"}]}";
	struct fake *f = *state;
	char *ada = token_of(f, "ada"), *bob = token_of(f, "bob");
	int64_t order[4];
	json_t *o, *lease;

	assert_int_equal(ask_json(f->d, "POST", "/api/v1/submissions", ada, body, NULL), 201);
	lease = fake_claim(f, "[\"resolve\"]", "[]");
	sleep_ms(300);
	json_decref(fake_do(f, lease));
	json_decref(lease);
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/submissions", bob, body, NULL), 201);
	for (int i = 0; i < 4; i++) {
		char path[64];

		lease = fake_claim(f, i < 3 ? "[\"resolve\"]" : "[\"resolve\",\"build\"]", "[]");
		assert_non_null(lease);
		snprintf(path, sizeof(path), "/api/v1/jobs/%lld", (long long)int_at(lease, "id"));
		o = fake_get(f, path);
		order[i] = int_at(o, "submission");
		json_decref(o);
		json_decref(fake_do(f, lease));
		json_decref(lease);
	}
	assert_int_equal(order[0], 2);
	assert_int_equal(order[1], 2);
	assert_int_equal(order[2], 1);
	assert_int_equal(order[3], 2);
	free(ada);
	free(bob);
}

/* Of a boot that is cancelled what was used counts, of infra trouble nothing; what is
 * kept of it comes from the jobs alone. */
static void rebuilt(void **state)
{
	static const char *const queries[] = {
	        "SELECT board || ' ' || submitter || ' ' || urgency || ' ' || begun_ms FROM lane"
	        " ORDER BY 1",
	        "SELECT board || ' ' || submitter || ' ' || round(heat, 6) FROM usage ORDER BY 1",
	};
	struct fake *f = *state;
	char *ada = token_of(f, "ada"), *bob = token_of(f, "bob"), *path;
	int64_t a = submit_as(f, ada, 0, 6), b = submit_as(f, bob, -3, 2);
	json_t *lease;

	f->bad_kernel = "base";
	f->bad_class = "infra";
	f->bad_boots = 1;
	assert_int_equal(next(f, 30), a);
	f->bad_class = "bench";
	f->bad_boots = 1;
	assert_int_equal(next(f, 20), a);
	f->bad_kernel = NULL;
	assert_int_equal(next(f, 10), a);
	lease = fake_claim(f, BOOT, "[\"hw\"]");
	sleep_ms(20);
	path = xasprintf("/api/v1/submissions/%lld/cancel", (long long)a);
	assert_int_equal(ask_json(f->d, "POST", path, ada, "{}", NULL), 200);
	free(path);
	json_decref(lease);
	assert_int_equal(next(f, 0), b);
	daemon_expect_rebuilt(f->d, queries, ARRAY_SIZE(queries), "hw bob");
	daemon_start(f->d);
	free(ada);
	free(bob);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, fake_teardown)
	const struct CMUnitTest tests[] = {
	        T(who_used_less_is_next), T(priorities_age), T(nothing_starves),
	        T(builds_are_shared_too), T(rebuilt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
