/* One cause is one alert: over boards, tracks, people, and time. */
#include "server/test/alert_bed.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* Another's track of the same branch. */
static int64_t follow_too(struct fake *f)
{
	json_t *o = NULL;
	int64_t id;

	assert_int_equal(ask_json(f->d, "POST", "/api/v1/tracks", f->d->admin, TRACK_BODY "}", &o),
	                 201);
	id = int_at(o, "id");
	json_decref(o);
	followed_settled(f, id, "a");
	return id;
}

static void stop(struct fake *f, int64_t track, const char *what, const char *body)
{
	json_t *o = NULL;

	assert_int_equal(followed_post(f, track, what, body, &o), 200);
	json_decref(o);
}

/* One is behind the other: what it brings late is no second alert, and opens none that is
 * over. */
static void two_tracks(void **state)
{
	struct fake *f = *state;
	int64_t id = bed_follow(f, "\"det\"", "\"" TRACK_CASE "\""), other = follow_too(f);

	stop(f, other, "pause", "{\"why\":\"later\"}");
	bed.slow = "b";
	bed_grows(f, id, "ab", "b<a a");
	json_decref(bed_becomes(f, 1, "confirmed"));
	bed_grows(f, id, "abc", "c<b b<a a");
	json_decref(bed_becomes(f, 1, "recovered"));
	followed.branch = "ab";
	stop(f, other, "resume", NULL);
	followed_settled(f, other, "b<a a");
	fake_work(f);
	bed_is(f, 1, "recovered");
	assert_int_equal(bed_alerts(f), 1);
	bed_grows(f, other, "abc", "c<b b<a a");
	assert_int_equal(bed_alerts(f), 1);
	assert_int_equal(bed_times(f, 1, "new"), 1);
}

/* The same of a fault; and it is not over while the other track shows it. */
static void two_tracks_fault(void **state)
{
	struct fake *f = *state;
	int64_t id = bed_follow(f, "\"det\"", "\"" TRACK_CASE "\""), other = follow_too(f);

	bed.faulty = "b";
	bed_grows(f, id, "ab", "b<a a");
	json_decref(bed_becomes(f, 1, "new"));
	bed_grows(f, other, "ab", "b<a a");
	bed_grows(f, id, "abc", "c<a b<a a");
	bed_is(f, 1, "new");
	bed_grows(f, other, "abc", "c<a b<a a");
	json_decref(bed_becomes(f, 1, "recovered"));
	assert_int_equal(bed_alerts(f), 1);
	assert_int_equal(bed_times(f, 1, "new"), 1);
}

static const char body[] =
        "{\"title\":\"t\",\"baseline\":\"%s\",\"kernels\":[{\"name\":\"%s\",\"tree\":\"" TRACK_TREE
        "\",\"ref\":\"%s\"},{\"name\":\"%s\",\"tree\":\"" TRACK_TREE
        "\",\"ref\":\"%s\"}],\"boards\":[\"%s\"],\"cases\":[\"" TRACK_CASE
        "\"],\"plan\":{\"boots\":6}}";

static const char *binary(const char *name)
{
	return strstr(name, followed_name('b'))   ? "bb"
	       : strstr(name, followed_name('a')) ? "aa"
	                                          : name;
}

/* A person measures the pair of a followed branch on another board, later. */
static void another_board(void **state)
{
	struct fake *f = *state;
	int64_t id, sub;
	char a[41], b[41], *text;
	json_t *o;

	fake_announce(f, true);
	f->binary = binary;
	id = bed_follow(f, "\"det\"", "\"" TRACK_CASE "\"");
	bed.slow = "b";
	bed_grows(f, id, "ab", "b<a a");
	json_decref(bed_becomes(f, 1, "confirmed"));
	o = bed_alert(f, 1);
	snprintf(a, sizeof(a), "%s", str_at(o, "baseline.commit"));
	snprintf(b, sizeof(b), "%s", str_at(o, "kernel.commit"));
	json_decref(o);
	text = xasprintf(body, followed_name('a'), followed_name('a'), a, followed_name('b'), b,
	                 "hw");
	sub = fake_submit(f, text);
	free(text);
	fake_work(f);
	json_decref(fake_await(f, sub, "done"));
	for (int64_t end = clock_mono_ns() + 10 * NS_PER_S;;) {
		size_t n;

		fake_work(f);
		o = bed_alert(f, 1);
		n = json_array_size(at(o, "cells"));
		json_decref(o);
		if (n == 2)
			break;
		assert_true(clock_mono_ns() < end);
		sleep_ms(50);
	}
	bed_is(f, 1, "confirmed");
	assert_int_equal(bed_alerts(f), 1);
	/* The branch is not measured there: it ends where the branch is well. */
	bed_grows(f, id, "abc", "c<b b<a a");
	json_decref(bed_becomes(f, 1, "recovered"));
}

/* What somebody works on, and one more commit that is slower: that is another cause. */
static void acknowledged_and_worse(void **state)
{
	struct fake *f = *state;
	int64_t id = bed_follow(f, "\"det\"", "\"" TRACK_CASE "\"");

	bed.slow = "bc";
	bed_grows(f, id, "ab", "b<a a");
	json_decref(bed_becomes(f, 1, "confirmed"));
	bed_person(f, 1, "acknowledge", "{\"why\":\"mine\"}");
	bed_grows(f, id, "abc", "c<b b<a a");
	bed_is(f, 1, "acknowledged");
	bed.slow = "d";
	bed.by = .05;
	bed_grows(f, id, "abcd", "d<c c<b b<a a");
	json_decref(bed_becomes(f, 2, "confirmed"));
	bed_is(f, 1, "acknowledged");
	assert_int_equal(bed_alerts(f), 2);
	/* Back below both: both are over. */
	bed_grows(f, id, "abcde", "e<d d<c c<b b<a a");
	json_decref(bed_becomes(f, 1, "recovered"));
	json_decref(bed_becomes(f, 2, "recovered"));
}

/* Above the threshold in every second commit: each pair is told once, and ends by itself. */
static void around_the_threshold(void **state)
{
	struct fake *f = *state;
	int64_t id = bed_follow(f, "\"det\"", "\"" TRACK_CASE "\"");

	bed.by = .006;
	bed.slow = "bd";
	bed_grows(f, id, "ab", "b<a a");
	bed_grows(f, id, "abc", "c<b b<a a");
	bed_grows(f, id, "abcd", "d<c c<b b<a a");
	bed_grows(f, id, "abcde", "e<d d<c c<b b<a a");
	fake_work(f);
	for (int i = 1; i <= bed_alerts(f); i++) {
		json_decref(bed_becomes(f, i, "recovered"));
		assert_int_equal(bed_times(f, i, "new"), 1);
		assert_int_equal(bed_times(f, i, "recovered"), 1);
	}
	assert_true(bed_alerts(f) <= 2);
}

/* Nobody heard of it while it was muted; when that ends they do, once. */
static void a_mute_that_ends(void **state)
{
	struct fake *f = *state;
	int64_t id = bed_follow(f, "\"det\"", "\"" TRACK_CASE "\""), end;
	time_t until = time(NULL) + (time_t)30 * 86400;
	char day[16], *text;
	json_t *o = NULL;

	bed_subscribe(f);
	strftime(day, sizeof(day), "%Y-%m-%d", gmtime(&until));
	text = xasprintf("{\"board\":\"d*\",\"why\":\"moving house\",\"until\":\"%s\"}", day);
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/mutes", f->d->admin, text, &o), 201);
	free(text);
	json_decref(o);
	bed.slow = "b";
	bed_grows(f, id, "ab", "b<a a");
	o = bed_becomes(f, 1, "confirmed");
	assert_true(json_is_true(at(o, "muted")));
	assert_int_equal(json_array_size(at(o, "told")), 0);
	json_decref(o);
	assert_int_equal(ask_json(f->d, "DELETE", "/api/v1/mutes/1", f->d->admin, NULL, NULL), 200);
	end = clock_mono_ns() + 10 * NS_PER_S;
	for (;;) {
		size_t told;
		bool muted;

		o = bed_alert(f, 1);
		told = json_array_size(at(o, "told"));
		muted = json_is_true(at(o, "muted"));
		json_decref(o);
		if (told)
			assert_false(muted);
		if (told)
			break;
		assert_true(clock_mono_ns() < end);
		sleep_ms(50);
	}
	/* The worker has looked again since. */
	bed_grows(f, id, "abc", "c<b b<a a");
	o = bed_becomes(f, 1, "recovered");
	assert_int_equal(json_array_size(at(o, "told")), 2);
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(two_tracks, bed_setup, bed_teardown),
	        cmocka_unit_test_setup_teardown(two_tracks_fault, bed_setup, bed_teardown),
	        cmocka_unit_test_setup_teardown(another_board, bed_setup, bed_teardown),
	        cmocka_unit_test_setup_teardown(acknowledged_and_worse, bed_setup, bed_teardown),
	        cmocka_unit_test_setup_teardown(around_the_threshold, bed_setup, bed_teardown),
	        cmocka_unit_test_setup_teardown(a_mute_that_ends, bed_setup, bed_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
