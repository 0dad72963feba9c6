/* Telling receivers with bad manners, and what a crash between any two steps of it leaves. */
#include "server/db.h"
#include "server/test/notify_bed.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- receivers with bad manners */

static void a_greylist_is_waited_for(void **state)
{
	struct place *p = place_new(FAST);
	json_t *o;

	(void)state;
	sink_script(p->smtp, 3, (const int[]){450, 451, 250});
	subscribe(p, MAIL, NULL);
	slow(p, "det");
	o = told(p, 1, 0, "sent");
	assert_int_equal(int_at(o, "told.0.attempts"), 3);
	assert_int_equal(json_array_size(at(o, "steps")), 1);
	json_decref(o);
	assert_int_equal(sink_count(p->smtp), 1);
	assert_int_equal(sink_tries(p->smtp), 3);
	place_free(p);
}

static void a_refusal_is_final_and_told(void **state)
{
	struct place *p = place_new(FAST);
	json_t *o;

	(void)state;
	sink_script(p->smtp, 1, (const int[]){550});
	subscribe(p, MAIL, NULL);
	slow(p, "det");
	o = told(p, 1, 0, "dead");
	assert_int_equal(int_at(o, "told.0.attempts"), 1);
	has(str_at(o, "told.0.why"), "550");
	assert_int_equal(json_array_size(at(o, "steps")), 2);
	has(str_at(o, "steps.1.why"), "subscription 1 (mail) was not told of step 1, in 1 try: ");
	assert_string_equal(str_at(o, "steps.1.to"), "new");
	assert_true(json_is_null(at(o, "steps.1.by")));
	json_decref(o);
	sleep_ms(200);
	assert_int_equal(sink_tries(p->smtp), 1);
	place_free(p);
}

static void a_server_that_hangs_holds_up_no_webhook(void **state)
{
	struct place *p = place_new(FAST ALLOW);
	int64_t began;
	json_t *o;

	(void)state;
	sink_script(p->smtp, 3, (const int[]){SINK_HANG, SINK_SWALLOW, 250});
	subscribe(p, MAIL, NULL);
	hook(p, "webhook", "");
	slow(p, "det");
	json_decref(told(p, 1, 1, "sent"));
	o = alert(p, 1);
	assert_string_equal(str_at(o, "told.0.state"), "waiting");
	json_decref(o);
	{
		struct reply_raw r;

		assert_int_equal(ask(p->f->d, "GET", "/metrics", NULL, NULL, NULL, 0, &r), 200);
		has(r.body, "\nfoldwatch_alerts{state=\"new\"} 1\n");
		has(r.body, "\nfoldwatch_outbox{channel=\"mail\"} 1\n");
		has(r.body, "\nfoldwatch_outbox{channel=\"webhook\"} 0\n");
		reply_raw_release(&r);
	}
	o = told(p, 1, 0, "sent");
	assert_int_equal(int_at(o, "told.0.attempts"), 3);
	json_decref(o);
	/* And it does not hold up the end. */
	sink_script(p->smtp, 1, (const int[]){SINK_HANG});
	slow(p, "det");
	began = clock_mono_ns();
	place_free(p);
	assert_true(clock_mono_ns() - began < 8 * NS_PER_S);
}

/* Neither does a receiver hold up the others of its kind: each message to it costs a whole
 * timeout, and with 12 of them there those who answer would wait for 12 s and more. */
static void a_receiver_that_hangs_holds_up_no_other(void **state)
{
	struct place *p = place_new(FAST ALLOW);
	struct sink *well = sink_new(SINK_HTTP);
	char *fields = xasprintf("\"channel\":\"webhook\",\"to\":\"http://127.0.0.1:%d/\"",
	                         sink_port(well));
	int64_t began;
	int i, rounds = 12;

	(void)state;
	sink_script(p->http, 1, (const int[]){SINK_HANG});
	hook(p, "webhook", "");
	for (i = 0; i < rounds; i++)
		slow(p, "det");
	subscribe(p, fields, NULL);
	began = clock_mono_ns();
	for (i = 0; i < 3; i++)
		slow(p, "det");
	assert_int_equal(sink_await(well, 3, WAIT_MS), 3);
	/* At most the try that is under way, for each of them. */
	if (clock_mono_ns() - began > 6 * NS_PER_S)
		fail_msg("they were told after %lld ms",
		         (long long)((clock_mono_ns() - began) / NS_PER_MS));
	assert_int_equal(sink_count(p->http), 0);
	free(fields);
	place_free(p);
	sink_free(well);
}

static void a_webhook_that_fails_is_given_up(void **state)
{
	struct place *p = place_new(FAST ALLOW "notify_give_up_s = 2\n");
	json_t *o;
	int tries;

	(void)state;
	sink_script(p->http, 1, (const int[]){500});
	hook(p, "webhook", "");
	slow(p, "det");
	o = told(p, 1, 0, "dead");
	has(str_at(o, "told.0.why"), "answered 500");
	has(str_at(o, "steps.1.why"), "tries: \"127.0.0.1\" answered 500");
	tries = (int)int_at(o, "told.0.attempts");
	json_decref(o);
	/* 20 ms doubled up to 1 s, within 2 s. */
	assert_in_range(tries, 4, 12);
	assert_int_equal(sink_tries(p->http), tries);
	/* The next step is tried anew. */
	sink_script(p->http, 1, (const int[]){200});
	post(p, p->f->submit, "/api/v1/alerts/1/fix", "{\"why\":\"x\"}", 200, NULL);
	json_decref(told(p, 1, 1, "sent"));
	/* Gone is gone. */
	sink_script(p->http, 1, (const int[]){410});
	post(p, p->f->submit, "/api/v1/alerts/1/dismiss", "{\"why\":\"x\"}", 200, NULL);
	o = told(p, 1, 2, "dead");
	assert_int_equal(int_at(o, "told.2.attempts"), 1);
	json_decref(o);
	place_free(p);
}

/* What is down for long, here by back-off's measure, and through a restart: told in the end,
 * once, and what came of the alert meanwhile behind it. */
static void a_webhook_that_is_down_for_long(void **state)
{
	struct place *p = place_new(FAST ALLOW);
	char *m, *id, *first = NULL, *body = NULL;
	json_t *o;
	int i, n;

	(void)state;
	sink_script(p->http, 9, (const int[]){500, 503, 500, SINK_DROP, 500, 429, 500, 500, 200});
	hook(p, "webhook", "");
	slow(p, "det");
	post(p, p->f->submit, "/api/v1/alerts/1/fix", "{\"why\":\"x\"}", 200, NULL);
	while (sink_tries(p->http) < 5)
		sleep_ms(10);
	daemon_kill(p->f->d);
	daemon_start(p->f->d);
	json_decref(told(p, 1, 0, "sent"));
	o = told(p, 1, 1, "sent");
	assert_int_equal(int_at(o, "told.1.attempts"), 1);
	assert_int_equal(json_array_size(at(o, "steps")), 2);
	json_decref(o);
	sleep_ms(300);
	n = sink_count(p->http);
	/* The script's nine, one of them dropped; and the step behind it. */
	assert_int_equal(sink_tries(p->http), 10);
	assert_int_equal(n, 9);
	for (i = 0; i < n; i++) {
		m = message(p->http, i);
		id = header(m, "Foldwatch-Delivery");
		if (!i) {
			first = xstrdup(id);
			body = xstrdup(strstr(m, "\n\n"));
		}
		assert_int_equal(strcmp(id, first) == 0, i < n - 1);
		assert_int_equal(strcmp(strstr(m, "\n\n"), body) == 0, i < n - 1);
		free(id);
		free(m);
	}
	free(first);
	free(body);
	place_free(p);
}

/* A name says nothing when it is given: the address is looked at when it is connected to. */
static void private_addresses_are_not_reached(void **state)
{
	struct place *p = place_new(FAST "notify_give_up_s = 1\n");
	char *fields = xasprintf("\"channel\":\"webhook\",\"to\":\"http://localhost:%d/\"",
	                         sink_port(p->http));
	json_t *o;

	(void)state;
	subscribe(p, fields, NULL);
	free(fields);
	slow(p, "det");
	o = told(p, 1, 0, "dead");
	has(str_at(o, "told.0.why"), "\"localhost\" is at a private address");
	json_decref(o);
	assert_int_equal(sink_tries(p->http), 0);
	place_free(p);
}

static void a_redirect_is_not_followed(void **state)
{
	struct place *p = place_new(FAST ALLOW "notify_give_up_s = 1\n");
	json_t *o;
	char *m;
	int i;

	(void)state;
	sink_script(p->http, 1, (const int[]){307});
	hook(p, "webhook", "");
	slow(p, "det");
	o = told(p, 1, 0, "dead");
	has(str_at(o, "told.0.why"), "redirects are not followed");
	json_decref(o);
	for (i = 0; i < sink_count(p->http); i++) {
		m = sink_message(p->http, i);
		assert_ptr_equal(strstr(m, "POST /in/s3cret "), m);
		free(m);
	}
	place_free(p);
}

static enum err put_off(struct db *db, void *arg, struct why *w)
{
	(void)arg;
	return db_run(db_prepare(db, "UPDATE outbox SET next_ms = next_ms + 86400000"), w);
}

/* A clock that was a day ahead and is not any more: nothing waits for the day to pass. */
static void a_clock_that_was_ahead(void **state)
{
	struct place *p = place_new(FAST ALLOW);
	char *path = xasprintf("%s/state/foldwatch.db", p->f->d->dir);
	struct db_store *store;
	struct why w;

	(void)state;
	sink_script(p->http, 2, (const int[]){500, 500});
	hook(p, "webhook", "");
	slow(p, "det");
	daemon_stop(p->f->d);
	if (db_open(path, 1, &store, &w) != OK || db_write(store, put_off, NULL, &w) != OK)
		fail_msg("%s", w.text);
	db_close(store);
	free(path);
	sink_script(p->http, 1, (const int[]){200});
	daemon_start(p->f->d);
	json_decref(told(p, 1, 0, "sent"));
	place_free(p);
}

/* ---- crashes */

static void killed_between_commit_and_send(void **state)
{
	struct place *p = place_new(FAST ALLOW);
	char *m;

	(void)state;
	/* Both connect, and get no further. */
	sink_script(p->smtp, 1, (const int[]){SINK_HANG});
	sink_script(p->http, 1, (const int[]){SINK_HANG});
	subscribe(p, MAIL, NULL);
	hook(p, "webhook", "");
	slow(p, "det");
	daemon_kill(p->f->d);
	assert_int_equal(sink_count(p->smtp) + sink_count(p->http), 0);
	sink_script(p->smtp, 1, (const int[]){250});
	sink_script(p->http, 1, (const int[]){200});
	daemon_start(p->f->d);
	json_decref(told(p, 1, 0, "sent"));
	json_decref(told(p, 1, 1, "sent"));
	m = message(p->smtp, 0);
	has(m, "slow-0 is worse than base");
	free(m);
	sleep_ms(200);
	assert_int_equal(sink_count(p->smtp), 1);
	assert_int_equal(sink_count(p->http), 1);
	place_free(p);
}

static void killed_between_send_and_mark(void **state)
{
	static const char *const heads[] = {"Message-ID", "Foldwatch-Delivery", "Date"};
	struct place *p = place_new(FAST ALLOW);
	char *a, *b, *x, *y;
	size_t i;

	(void)state;
	/* Both have it whole, and the server does not hear of it. */
	sink_script(p->smtp, 1, (const int[]){SINK_SWALLOW});
	sink_script(p->http, 1, (const int[]){SINK_SWALLOW});
	subscribe(p, MAIL, NULL);
	hook(p, "webhook", "");
	slow(p, "det");
	free(message(p->smtp, 0));
	free(message(p->http, 0));
	daemon_kill(p->f->d);
	sink_script(p->smtp, 1, (const int[]){250});
	sink_script(p->http, 1, (const int[]){200});
	daemon_start(p->f->d);
	json_decref(told(p, 1, 0, "sent"));
	json_decref(told(p, 1, 1, "sent"));
	/* Twice, and it can be told that it is the same. */
	a = message(p->smtp, 0);
	b = message(p->smtp, sink_count(p->smtp) - 1);
	assert_true(sink_count(p->smtp) >= 2);
	for (i = 0; i < ARRAY_SIZE(heads); i++) {
		x = header(a, heads[i]);
		y = header(b, heads[i]);
		assert_string_equal(x, y);
		free(x);
		free(y);
	}
	assert_string_equal(a, b);
	free(a);
	free(b);
	a = message(p->http, 0);
	b = message(p->http, sink_count(p->http) - 1);
	assert_true(sink_count(p->http) >= 2);
	x = header(a, "Foldwatch-Delivery");
	y = header(b, "Foldwatch-Delivery");
	assert_string_equal(x, y);
	assert_string_equal(strstr(a, "\n\n"), strstr(b, "\n\n"));
	free(x);
	free(y);
	free(a);
	free(b);
	place_free(p);
}

/* At whatever moment it dies, each alert is told, and the same one by the same id. */
static void killed_at_any_moment(void **state)
{
	struct place *p = place_new(FAST ALLOW);
	char *seen[64] = {0};
	int i, k, n = 0, rounds = 8;

	(void)state;
	hook(p, "webhook", "");
	for (i = 0; i < rounds; i++) {
		post_slow(p, "det");
		sleep_ms(i * 6);
		daemon_kill(p->f->d);
		daemon_start(p->f->d);
	}
	for (i = 1; i <= rounds; i++) {
		json_t *o;

		json_decref(fake_await(p->f, i, "done"));
		o = told(p, i, 0, "sent");
		assert_int_equal(json_array_size(at(o, "told")), 1);
		assert_int_equal(json_array_size(at(o, "steps")), 1);
		json_decref(o);
	}
	for (i = 0; i < sink_count(p->http); i++) {
		char *m = sink_message(p->http, i), *id = header(m, "Foldwatch-Delivery");

		for (k = 0; k < n && strcmp(seen[k], id) != 0; k++)
			;
		if (k == n && n < (int)ARRAY_SIZE(seen))
			seen[n++] = id;
		else
			free(id);
		free(m);
	}
	assert_int_equal(n, rounds);
	for (i = 0; i < n; i++)
		free(seen[i]);
	place_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_greylist_is_waited_for),
	        cmocka_unit_test(a_refusal_is_final_and_told),
	        cmocka_unit_test(a_server_that_hangs_holds_up_no_webhook),
	        cmocka_unit_test(a_receiver_that_hangs_holds_up_no_other),
	        cmocka_unit_test(a_webhook_that_fails_is_given_up),
	        cmocka_unit_test(a_webhook_that_is_down_for_long),
	        cmocka_unit_test(private_addresses_are_not_reached),
	        cmocka_unit_test(a_redirect_is_not_followed),
	        cmocka_unit_test(a_clock_that_was_ahead),
	        cmocka_unit_test(killed_between_commit_and_send),
	        cmocka_unit_test(killed_between_send_and_mark),
	        cmocka_unit_test(killed_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
