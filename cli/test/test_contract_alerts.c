/* foldwatch alerts and foldwatch subscribe against the real server. */
#include "cli/test/place.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/test/tmpdir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
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
	fails(p, NULL, 2, "not one of its words", "alerts", "--state", "odd");
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

static void notes_cannot_talk_to_the_terminal(void **state)
{
	struct place *p = *state;
	struct ran r;

	fake_announce(p->f, false);
	finish(p, submitted(p), "done");
	prints(p, p->submit, "noted: alert 1\n", "alerts", "note", "1", "--why", "two\nlines\tand");
	cli(&r, p, NULL, "alerts", "show", "1");
	expect_out(&r, "two?lines?and");
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
	        T(notes_cannot_talk_to_the_terminal),
	        T(subscribing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
