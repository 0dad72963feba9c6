/* What a track does as time passes: on what a real server left, with a clock of our own. */
#include "server/test/fake_agent.h"

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "server/alerts.h"
#include "server/store_job.h"
#include "server/store_tell.h"
#include "server/tracks.h"
#include "server/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MIN  INT64_C(60000)
#define HOUR (60 * MIN)
#define TIP  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NEXT "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct server srv;
static int64_t began;

static json_t *walk(struct fake *f, const json_t *spec)
{
	(void)f;
	(void)spec;
	return json_loads("{\"tip\":\"" TIP "\",\"base\":null,\"linear\":false,\"commits\":["
	                  "{\"commit\":\"" TIP "\",\"source\":\"" TIP "\",\"subject\":\"s\","
	                  "\"author\":\"a\",\"parents\":1,\"patch_id\":null,\"known\":false,"
	                  "\"mainline\":true}]}",
	                  0, NULL);
}

#define HOOK "{\"channel\":\"webhook\",\"to\":\"https://93.184.215.14/x\","

static const char *const subscribed[] = {
        HOOK "\"branch\":\"mast*\"}",
        HOOK "\"branch\":\"other\"}",
        HOOK "\"board\":\"det\"}",
};

/* A track whose first point is measured; the server is down then. */
static int setup(void **state)
{
	struct fake *f;
	char cwd[4096], *path;
	json_t *o = NULL;
	struct why w;

	fake_setup(state);
	f = *state;
	fake_announce(f, false);
	f->walk = walk;
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/tracks", f->submit,
	                          "{\"tree\":\"https://example.org/l.git\",\"branch\":\"master\","
	                          "\"boards\":[\"det\"],\"cases\":[\"munmap/order=0,size=16M\"],"
	                          "\"plan\":{\"boots\":6}}",
	                          &o),
	                 201);
	json_decref(o);
	for (int i = 0;; i++) {
		bool done;

		fake_work(f);
		o = fake_get(f, "/api/v1/tracks/1");
		done = json_array_size(at(o, "points")) &&
		       str_eq(str_at(o, "points.0.state"), "done");
		json_decref(o);
		if (done)
			break;
		assert_true(i < 500);
		sleep_ms(20);
	}
	/* Of three who want to be told, one asks for another branch, one for a board. */
	for (size_t i = 0; i < ARRAY_SIZE(subscribed); i++) {
		assert_int_equal(ask_json(f->d, "POST", "/api/v1/subscriptions", f->d->admin,
		                          subscribed[i], &o),
		                 201);
		json_decref(o);
	}
	daemon_stop(f->d);
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	srv = (struct server){.telling = true};
	srv.conf.kernel_dir = xasprintf("%s/kernel", cwd);
	path = xasprintf("%s/state/foldwatch.db", f->d->dir);
	if (access(path, F_OK)) {
		free(path);
		path = xasprintf("%s/foldwatch.db", f->d->dir);
	}
	if (db_open(path, 2, &srv.store, &w) != OK)
		fail_msg("%s", w.text);
	free(path);
	began = clock_wall_ms();
	return 0;
}

static int teardown(void **state)
{
	struct fake *f = *state;
	struct daemon *d = f->d;

	db_close(srv.store);
	free(srv.conf.kernel_dir);
	fake_free(f);
	daemon_free(d);
	return 0;
}

/* All that is due by then. */
static void run(int64_t after_ms)
{
	struct why w;

	if (tracks_run(&srv, began + after_ms, &w) != OK)
		fail_msg("%s", w.text);
}

static struct track get(struct pool *p)
{
	struct track t;

	assert_int_equal(store_track_get(db_reader(srv.store), 1, p, &t, NULL), OK);
	return t;
}

static enum err save(struct db *db, void *arg, struct why *w)
{
	return store_track_save(db, arg, w);
}

static enum err declare(struct db *db, void *arg, struct why *w)
{
	return alerts_declared(db, arg, began + 9 * HOUR, w);
}

struct answer {
	int64_t walk, now_ms;
	bool fails;
	const char *tip;
};

static enum err answer(struct db *db, void *arg, struct why *w)
{
	const struct answer *a = arg;
	struct pool *p = pool_new();
	struct walk k;
	struct walk_commit c = {.commit = NEXT,
	                        .source = NEXT,
	                        .subject = "s",
	                        .author = "a",
	                        .parents = 1,
	                        .patch_id = NEXT,
	                        .mainline = true};
	struct job j = {0};
	enum err e = store_walk_get(db, a->walk, p, &k, w);

	if (e == OK)
		e = store_job_get(db, k.job, p, &j, w);
	k.tip = a->tip;
	k.base = k.since;
	k.linear = true;
	if (str_eq(a->tip, NEXT)) {
		k.commit = &c;
		k.count = 1;
	}
	if (e == OK)
		e = a->fails ? walk_failed(db, &j, "tree \"x\" has no branch or tag \"master\"",
		                           a->now_ms, w)
		             : walk_answered(db, &j, &k, a->now_ms, w);
	pool_free(p);
	return e;
}

/* The walk that is under way ends. */
static void answered(int64_t after_ms, const char *tip)
{
	struct pool *p = pool_new();
	struct answer a = {.walk = get(p).walk,
	                   .now_ms = began + after_ms,
	                   .fails = tip == NULL,
	                   .tip = tip ? tip : TIP};
	struct why w;

	assert_true(a.walk != NONE);
	if (db_write(srv.store, answer, &a, &w) != OK)
		fail_msg("%s", w.text);
	pool_free(p);
	run(after_ms);
}

/* The alert's state, "" where there is none, and how many steps it has. */
static void alert_is(const char *state, size_t steps, const char *says)
{
	struct pool *p = pool_new();
	struct alert a = {.state = ""};
	struct alert_steps s = {0};
	struct letters told = {0};
	int64_t id;

	assert_int_equal(store_alert_by_cause(db_reader(srv.store), "missing/track/1", &id, NULL),
	                 OK);
	if (id != NONE) {
		assert_int_equal(store_alert_get(db_reader(srv.store), id, p, &a, NULL), OK);
		assert_int_equal(store_alert_steps(db_reader(srv.store), id, p, &s, NULL), OK);
		assert_int_equal(a.track, 1);
		assert_string_equal(a.ref, "master");
		assert_string_equal(a.tree, "https://example.org/l.git");
		assert_int_equal(store_outbox_of(db_reader(srv.store), id, p, &told, NULL), OK);
	}
	assert_string_equal(a.state, state);
	assert_int_equal(s.count, steps);
	assert_int_equal(told.count, steps);
	for (size_t i = 0; i < told.count; i++)
		assert_int_equal(told.at[i].subscription, 1);
	if (says && !strstr(s.at[s.count - 1].why, says))
		fail_msg("\"%s\" does not say \"%s\"", s.at[s.count - 1].why, says);
	pool_free(p);
}

static void quiet_looks(void **state)
{
	(void)state;
	run(14 * MIN);
	{
		struct pool *p = pool_new();

		assert_int_equal(get(p).walk, NONE);
		pool_free(p);
	}
	run(16 * MIN);
	run(HOUR);
	run(HOUR + 44 * MIN);
	alert_is("", 0, NULL);
	run(HOUR + 47 * MIN);
	alert_is("new", 1, "no look has succeeded for 1 h");
	run(5 * HOUR);
	alert_is("new", 1, NULL);
	answered(6 * HOUR, TIP);
	alert_is("recovered", 2, NULL);
	/* And again, where it was well between. */
	run(6 * HOUR + 16 * MIN);
	run(9 * HOUR);
	alert_is("new", 3, NULL);
	/* What somebody declares is no silence. */
	{
		struct pool *p = pool_new();
		struct track t = get(p);
		struct why w;

		t.state = "paused";
		t.stop_why = "a freeze";
		assert_int_equal(db_write(srv.store, declare, &t, &w), OK);
		pool_free(p);
	}
	alert_is("recovered", 4, "the track is paused: a freeze");
}

static void failing_looks(void **state)
{
	struct pool *p = pool_new();
	struct track t;
	int64_t now = 16 * MIN;

	(void)state;
	for (int i = 0; i < 10; i++) {
		run(now);
		answered(now, NULL);
		t = get(p);
		assert_int_equal(t.fails, i + 1);
		assert_non_null(strstr(t.why, "has no branch"));
		/* Later and later, and never more than a day. */
		assert_true(t.next_ms - (began + now) >= 15 * MIN);
		assert_true(t.next_ms - (began + now) <= 24 * HOUR);
		now = t.next_ms - began;
	}
	assert_int_equal(t.next_ms - began - now, 0);
	alert_is("new", 1, "has no branch or tag \"master\"");
	run(now);
	answered(now, TIP);
	t = get(p);
	assert_int_equal(t.fails, 0);
	assert_null(t.why);
	alert_is("recovered", 2, NULL);
	pool_free(p);
}

/* A branch that is gone for good is followed no more, and its alerts with it. */
static void gone_for_good(void **state)
{
	struct pool *p = pool_new();
	struct track t;
	int64_t now = 16 * MIN;

	(void)state;
	for (;;) {
		run(now);
		answered(now, NULL);
		t = get(p);
		if (!str_eq(t.state, "active"))
			break;
		assert_true(now < 14 * 24 * HOUR);
		alert_is(now < 2 * HOUR ? "" : "new", now < 2 * HOUR ? 0 : 1, NULL);
		now = t.next_ms - began;
	}
	assert_true(now >= 14 * 24 * HOUR - MIN && now < 15 * 24 * HOUR);
	assert_string_equal(t.state, "ended");
	assert_null(t.stop_by);
	assert_int_equal(t.walk, NONE);
	assert_non_null(strstr(t.stop_why, "its branch has been gone for 14 days: tree \"x\" has"));
	alert_is("recovered", 2, "the track has ended: its branch has been gone");
	/* It is over: nothing more is asked. */
	run(now + 30 * 24 * HOUR);
	assert_int_equal(get(p).walk, NONE);
	pool_free(p);
}

static void declared_stop(void **state)
{
	struct pool *p = pool_new();
	struct track t = get(p);
	struct why w;

	(void)state;
	t.state = "paused";
	t.stop_why = "a freeze";
	t.until_ms = began + 48 * HOUR;
	t.wake_ms = began;
	t.changed_ms = began;
	assert_int_equal(db_write(srv.store, save, &t, &w), OK);
	run(MIN);
	run(47 * HOUR);
	alert_is("", 0, NULL);
	t = get(p);
	assert_string_equal(t.state, "paused");
	assert_int_equal(t.wake_ms, began + 48 * HOUR);
	run(48 * HOUR);
	t = get(p);
	assert_string_equal(t.state, "active");
	assert_null(t.stop_why);
	/* It looks at once, and has its time for that. */
	assert_true(t.walk != NONE);
	alert_is("", 0, NULL);
	run(49 * HOUR + 46 * MIN);
	alert_is("new", 1, NULL);
	pool_free(p);
}

/* A point comes, and nobody measures it. */
static void quiet_points(void **state)
{
	struct pool *p = pool_new();
	struct track t;
	int64_t after;

	(void)state;
	run(16 * MIN);
	answered(16 * MIN, NEXT);
	for (after = 32 * MIN; after < 6 * HOUR + 10 * MIN; after += 16 * MIN) {
		run(after);
		answered(after, NEXT);
	}
	alert_is("", 0, NULL);
	run(6 * HOUR + 20 * MIN);
	t = get(p);
	if (t.walk != NONE)
		answered(6 * HOUR + 20 * MIN, NEXT);
	run(6 * HOUR + 22 * MIN);
	alert_is("new", 1, "no point was measured for 6 h");
	pool_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(quiet_looks, setup, teardown),
	        cmocka_unit_test_setup_teardown(failing_looks, setup, teardown),
	        cmocka_unit_test_setup_teardown(gone_for_good, setup, teardown),
	        cmocka_unit_test_setup_teardown(declared_stop, setup, teardown),
	        cmocka_unit_test_setup_teardown(quiet_points, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
