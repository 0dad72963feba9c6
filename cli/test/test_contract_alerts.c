/* foldwatch alerts and foldwatch subscribe against the real server. */
#include "cli/test/place.h"

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/test/tmpdir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WHY "--why", "because"

static void alerts_have_a_story(void **state)
{
	struct place *p = *state;
	struct ran r;
	char day[32];
	json_t *o;

	clock_iso(clock_wall_ms() + INT64_C(86400000), day, sizeof(day));
	day[10] = '\0';
	fake_announce(p->f, false);
	prints(p, NULL, "no alerts\n", "alerts");
	finish(p, submitted(p), "done");
	cli(&r, p, NULL, "alerts");
	expect_out(&r, "slow: 2.00 % more instructions in fork/order=");
	expect_out(&r, "new");
	ran_release(&r);
	prints(p, NULL, "no alerts\n", "alerts", "list", "--state", "fixed");
	prints(p, NULL, "slower", "alerts", "--state", "open", "--kind", "slower", "--board",
	       "det");
	cli(&r, p, NULL, "alerts", "show", "1");
	expect_out(&r, "alert 1, new\n");
	expect_out(&r, "fork/order=0,size=16M");
	expect_out(&r, "+2.00 %");
	expect_out(&r, "cells are worse than \"base\"");
	ran_release(&r);

	fails(p, NULL, 2, "expected: foldwatch alerts", "alerts", "nonsense");
	fails(p, NULL, 2, "expected: foldwatch alerts", "alerts", "mark", "1");
	fails(p, NULL, 2, "state: expected open, new, ", "alerts", "--state", "odd");
	fails(p, NULL, 5, "no alert 9", "alerts", "show", "9");
	fails(p, NULL, 2, "expected a number", "alerts", "show", "x");
	fails(p, p->submit, 2, "needs --why", "alerts", "ack", "1");
	fails(p, NULL, 4, "token", "alerts", "ack", "1", WHY);
	prints(p, p->submit, "you look after alert 1\n", "alerts", "ack", "1", WHY);
	fails(p, p->submit, 6, "acknowledged already", "alerts", "ack", "1", WHY);
	prints(p, p->submit, "noted: alert 1\n", "alerts", "note", "1", "--why", "a note");
	fails(p, p->submit, 2, "control character", "alerts", "note", "1", "--why", "a\033[31mb");
	prints(p, p->submit, "dismissed: alert 1\n", "alerts", "dismiss", "1", WHY);
	prints(p, p->submit, "fixed: alert 1\n", "alerts", "fix", "1", WHY);
	prints(p, p->submit, "marked: alert 1\n", "alerts", "mark", "1", "wrong", WHY);
	fails(p, p->submit, 2, "mark", "alerts", "mark", "1", "odd", WHY);
	prints(p, p->submit, "marked as missed: 2\n", "alerts", "missed", "1", "--board", "det",
	       WHY);
	json_of(p, NULL, &o, "alerts", "show", "1");
	assert_string_equal(str_at(o, "state"), "fixed");
	assert_string_equal(str_at(o, "marks.0.mark"), "wrong");
	json_decref(o);

	cli(&r, p, NULL, "alerts", "quality");
	expect_out(&r, "alerts          1\n");
	expect_out(&r, "wrong           1, 100.0 %\n");
	expect_out(&r, "missed          1, 100.0 %\n");
	ran_release(&r);
	json_of(p, NULL, &o, "alerts", "quality");
	assert_int_equal(int_at(o, "quality.wrong"), 1);
	json_decref(o);
	fails(p, NULL, 2, "expected: foldwatch alerts", "alerts", "quality", "1");

	fails(p, p->admin, 2, "needs --until", "alerts", "mute", "--board", "det", WHY);
	fails(p, p->submit, 4, "admin", "alerts", "mute", "--board", "det", WHY, "--until", day);
	prints(p, p->admin, "mute 1\n", "alerts", "mute", "--board", "det", "--case", "fork/*",
	       "--branch", "*", WHY, "--until", day);
	cli(&r, p, NULL, "alerts", "mutes");
	expect_out(&r, day);
	expect_out(&r, "fork/*");
	ran_release(&r);
	prints(p, p->admin, "ended: mute 1\n", "alerts", "unmute", "1");
}

/* ---- measured again, and bisected */

/* The tip of a series and what holds its fourth patch, by the names that the server gives. */
static double from_the_fourth(const char *name)
{
	char text[64], hex[65];

	for (int i = 4; i <= 6; i++) {
		snprintf(text, sizeof(text), "commit %d of v0", i);
		hash_block(text, strlen(text), hex);
		if (strncmp(hex, name, 12) == 0)
			return .02;
	}
	return strcmp(name, "tip") == 0 ? .02 : 0;
}

static void measured_series(struct place *p)
{
	char bundle[65], *body;
	int64_t id;

	p->f->effect = from_the_fourth;
	p->f->patches = 6;
	fake_announce(p->f, false);
	fake_put(p->f, "a bundle", 8, bundle);
	body = xasprintf(
	        "{\"title\":\"s\",\"series\":{\"tree\":\"" TREE
	        "\",\"base\":\"v6.12\",\"bundle\":\"%s\",\"steps\":0},\"boards\":[\"det\"],"
	        "\"cases\":[\"" CASE "\"],\"validate\":false}",
	        bundle);
	id = fake_submit(p->f, body);
	free(body);
	finish(p, id, "done");
}

static void measured_again_and_bisected(void **state)
{
	struct place *p = *state;
	struct ran r;

	measured_series(p);
	fails(p, p->submit, 2, "expected: foldwatch bisect ALERT", "bisect");
	fails(p, p->submit, 2, "expected a number", "bisect", "x");
	fails(p, p->submit, 2, "--cancel stands alone", "bisect", "1", "--cancel", "--wait");
	fails(p, p->submit, 2, "--why needs --start", "bisect", "1", WHY);
	fails(p, NULL, 5, "never bisected", "bisect", "1");
	fails(p, NULL, 4, "token", "bisect", "1", "--start");
	fails(p, p->submit, 5, "no alert 9", "bisect", "9", "--start");
	prints(p, p->submit, "it is measured again: alert 1\n", "alerts", "remeasure", "1", WHY);
	fails(p, p->submit, 6, "re-measured already", "alerts", "remeasure", "1");
	prints(p, p->submit, "bisection of alert 1: ends\nrange     6 commits behind ", "bisect",
	       "1", "--start", WHY);
	fails(p, p->submit, 6, "bisected already", "bisect", "1", "--start");
	prints(p, p->submit, "bisection of alert 1: cancelled\n", "bisect", "1", "--cancel");
	cli(&r, p, p->submit, "bisect", "1", "--wait");
	assert_int_equal(r.code, 3);
	assert_non_null(strstr(r.out, "why       on request\n"));
	ran_release(&r);
	prints(p, p->submit, "bisection of alert 1: ends\n", "bisect", "1", "--start");
	for (bool done = false; !done;) {
		json_t *o;

		fake_work(p->f);
		json_of(p, NULL, &o, "bisect", "1");
		done = !json_is_null(at(o, "ended"));
		json_decref(o);
	}
	cli(&r, p, NULL, "bisect", "1", "--wait");
	expect_out(&r, "bisection of alert 1: done\n");
	expect_out(&r, "mm: patch 4, A <a@example.org>\n");
	expect_out(&r, "STEP  COMMIT");
	expect_out(&r, "confidence over 0.9999\n");
	expect_out(&r, " by a plain bisection, 54 for every commit\n");
	expect_out(&r, "proof     submission ");
	expect_out(&r, "% of the way from good to bad in 2 phases");
	if (getenv("SHOW"))
		fprintf(stderr, "%s", r.out);
	ran_release(&r);
	cli(&r, p, NULL, "alerts", "show", "1");
	expect_out(&r, "suspect   ");
	expect_out(&r, ": mm: patch 4, A <a@example.org>\n");
	expect_out(&r, "bisected: ");
	ran_release(&r);
}

static void notes_cannot_talk_to_the_terminal(void **state)
{
	struct place *p = *state;
	struct ran r;

	fake_announce(p->f, false);
	finish(p, submitted(p), "done");
	prints(p, p->submit, "noted: alert 1\n", "alerts", "note", "1", "--why", "two\nlines\tand");
	cli(&r, p, NULL, "alerts", "show", "1");
	expect_out(&r, "two lines and");
	ran_release(&r);
}

static void subscribing(void **state)
{
	struct place *p = *state;
	const char *secret = in(p->dir, "secret");
	struct ran r;
	json_t *o;

	put_file(secret, "0123456789abcdef\n", 17);
	fails(p, p->submit, 4, "admin", "subscribe");
	fails(p, p->admin, 2, "expected: foldwatch subscribe", "subscribe", "pigeon", "x");
	fails(p, p->admin, 2, "options go with", "subscribe", "list", "--board", "x");
	fails(p, p->admin, 2, "sends no mail", "subscribe", "mail", "a@example.org");
	fails(p, p->admin, 2, "private address", "subscribe", "slack", "http://10.0.0.1/x");
	fails(p, p->admin, 2, "holds no address", "subscribe", "slack", "-");
	cli(&r, p, p->admin, "subscribe", "webhook", "https://hooks.example.org/s3cret", "--board",
	    "hw*", "--min-size", "1.5");
	expect_out(&r, "subscription 1: webhook to https://hooks.example.org/...\n");
	expect_out(&r, "secret, shown this once: ");
	ran_release(&r);
	cli(&r, p, p->admin, "subscribe", "webhook", "https://hooks.example.org/2", "--secret-file",
	    secret, "--direction", "any", "--branch", "mm-*", "--case", "fork/*");
	expect_out(&r, "subscription 2: webhook");
	assert_null(strstr(r.out, "secret"));
	ran_release(&r);
	cli(&r, p, p->admin, "subscribe");
	expect_out(&r, "https://hooks.example.org/...");
	expect_out(&r, "1.50 %");
	assert_null(strstr(r.out, "s3cret"));
	ran_release(&r);
	json_of(p, p->admin, &o, "subscribe", "list");
	assert_true(num_at(o, "subscriptions.0.min_size") == 0.015);
	assert_string_equal(str_at(o, "subscriptions.1.direction"), "any");
	json_decref(o);
	prints(p, p->admin, "subscription 1 is ended\n", "subscribe", "end", "1");
	fails(p, p->admin, 6, "ended already", "subscribe", "end", "1");
	fails(p, p->admin, 5, "no subscription 7", "subscribe", "end", "7");
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, place_setup, place_teardown)
	const struct CMUnitTest tests[] = {
	        T(alerts_have_a_story),
	        T(measured_again_and_bisected),
	        T(notes_cannot_talk_to_the_terminal),
	        T(subscribing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
