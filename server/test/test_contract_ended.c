/* What becomes of alerts when nobody follows their branch any more. */
#include "server/test/alert_bed.h"

#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void stop(struct fake *f, int64_t track, const char *what)
{
	json_t *o = NULL;

	assert_int_equal(followed_post(f, track, what, "{\"why\":\"merged upstream\"}", &o), 200);
	json_decref(o);
}

static void says(struct fake *f, int64_t id, const char *state, const char *words)
{
	json_t *a = NULL;
	const char *why = bed_why(f, id, state, &a);

	if (!strstr(why, words))
		fail_msg("\"%s\" does not say \"%s\"", why, words);
	json_decref(a);
}

static void slower_and_fault(void **state)
{
	struct fake *f = *state;
	int64_t id;
	json_t *a;
	size_t told;

	bed_subscribe(f);
	id = bed_follow(f, "\"det\"", BED_CASES);
	bed.slow = "b";
	bed.faulty = "c";
	bed_grows(f, id, "ab", "b<a a");
	json_decref(bed_becomes(f, 1, "confirmed"));
	bed_grows(f, id, "abc", "c<b b<a a");
	json_decref(bed_becomes(f, 2, "new"));
	/* A pause is no end. */
	stop(f, id, "pause");
	bed_is(f, 1, "confirmed");
	bed_is(f, 2, "new");
	a = bed_alert(f, 1);
	told = json_array_size(at(a, "told"));
	json_decref(a);
	stop(f, id, "end");
	bed_is(f, 1, "dismissed");
	bed_is(f, 2, "dismissed");
	says(f, 1, "dismissed",
	     "nobody measures it any more: track 1 of \"master\" has ended: merged upstream");
	a = bed_alert(f, 1);
	assert_int_equal(json_array_size(at(a, "told")), told + 1);
	json_decref(a);
	a = fake_get(f, "/api/v1/alerts?state=open");
	assert_int_equal(json_array_size(at(a, "alerts")), 0);
	json_decref(a);
	/* It was nobody's judgement: who follows the branch again hears of it. */
	id = followed_add(f, "");
	followed_settled(f, id, "c");
	json_decref(bed_becomes(f, 2, "new"));
	assert_int_equal(bed_times(f, 2, "new"), 2);
	bed_is(f, 1, "dismissed");
}

/* What somebody works on stays theirs, and they are told. */
static void somebody_has_it(void **state)
{
	struct fake *f = *state;
	int64_t id = bed_follow(f, "\"det\"", BED_CASES);

	bed.slow = "b";
	bed_grows(f, id, "ab", "b<a a");
	json_decref(bed_becomes(f, 1, "confirmed"));
	bed_person(f, 1, "acknowledge", "{\"why\":\"mine\"}");
	stop(f, id, "end");
	bed_is(f, 1, "acknowledged");
	says(f, 1, "acknowledged", "it stays with");
	/* What was not open before is left alone. */
	bed_person(f, 1, "fix", "{\"why\":\"reverted\"}");
	bed_is(f, 1, "fixed");
}

/* Another track of the branch goes on with it. */
static void another_follows(void **state)
{
	struct fake *f = *state;
	int64_t id = bed_follow(f, "\"det\"", BED_CASES), other;
	json_t *o = NULL;

	assert_int_equal(ask_json(f->d, "POST", "/api/v1/tracks", f->d->admin, TRACK_BODY "}", &o),
	                 201);
	other = int_at(o, "id");
	json_decref(o);
	followed_settled(f, other, "a");
	bed.slow = "b";
	bed_grows(f, id, "ab", "b<a a");
	json_decref(bed_becomes(f, 1, "confirmed"));
	stop(f, id, "end");
	bed_is(f, 1, "confirmed");
	stop(f, other, "end");
	bed_is(f, 1, "dismissed");
	says(f, 1, "dismissed", "track 2 of \"master\" has ended");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(slower_and_fault, bed_setup, bed_teardown),
	        cmocka_unit_test_setup_teardown(somebody_has_it, bed_setup, bed_teardown),
	        cmocka_unit_test_setup_teardown(another_follows, bed_setup, bed_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
