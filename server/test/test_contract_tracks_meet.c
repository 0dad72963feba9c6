/* What comes across a branch that is followed: another who follows it, and a force-push while
 * a bisection is on its way. */
#include "server/test/track_bed.h"

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PATIENCE_NS (30 * NS_PER_S)

/* Does what there is until the alert's story has these words; the alert. */
static json_t *told(struct fake *f, const char *words)
{
	int64_t end = clock_mono_ns() + PATIENCE_NS;

	for (;;) {
		json_t *o = NULL, *s;
		size_t i;
		int status;

		fake_work(f);
		status = ask_json(f->d, "GET", "/api/v1/alerts/1", NULL, NULL, &o);
		json_array_foreach (json_object_get(o, "steps"), i, s)
			if (strstr(json_str(s, "why", ""), words))
				return o;
		if (clock_mono_ns() > end)
			fail_msg("no step says \"%s\": %s", words,
			         status == 200 ? json_dumps(at(o, "steps"), JSON_INDENT(1)) : "-");
		json_decref(o);
		sleep_ms(10);
	}
}

/* How many steps of the story have these words. */
static int says(const json_t *alert, const char *words)
{
	const json_t *s;
	size_t i;
	int n = 0;

	json_array_foreach (at(alert, "steps"), i, s)
		n += strstr(json_str(s, "why", ""), words) != NULL;
	return n;
}

static int alerts(struct fake *f)
{
	json_t *o = fake_get(f, "/api/v1/alerts");
	int n = (int)json_array_size(at(o, "alerts"));

	json_decref(o);
	return n;
}

static double slow_from_e(const char *name)
{
	for (const char *c = "efgh"; *c; c++)
		if (str_eq(name, followed_name(*c)))
			return .02;
	/* The rewritten stack has the same change, in its third patch. */
	return str_eq(name, followed_name('n')) || str_eq(name, followed_name('o')) ? .02 : 0;
}

/* A kernel that two submitters have built, each for himself, is the same binary. */
static const char *by_name(const char *name)
{
	return name;
}

/* Two persons follow one branch: each has their points, and both together one alert, that is
 * measured again and bisected once. */
static void two_of_one_branch(void **state)
{
	struct fake *f = *state;
	char *ada = f->submit;
	int64_t first, second;
	json_t *o, *t;

	f->binary = by_name;
	f->effect = slow_from_e;
	first = followed_add(f, "");
	f->submit = daemon_token(f->d, "admin", NULL);
	second = followed_add(f, "");
	assert_int_not_equal(first, second);
	followed_settled(f, first, "a");
	followed_settled(f, second, "a");
	followed.branch = "ae";
	/* At once. */
	assert_int_equal(followed_post(f, second, "look", NULL, &o), 200);
	json_decref(o);
	free(f->submit);
	f->submit = ada;
	assert_int_equal(followed_post(f, first, "look", NULL, &o), 200);
	json_decref(o);
	followed_settled(f, first, "e<a a");
	followed_settled(f, second, "e<a a");
	json_decref(told(f, "bisected: "));
	/* Whatever else comes of it has come. */
	for (int i = 0; i < 5; i++) {
		fake_work(f);
		sleep_ms(100);
	}
	assert_int_equal(alerts(f), 1);
	t = fake_get(f, "/api/v1/alerts/1");
	assert_string_equal(str_at(t, "state"), "confirmed");
	/* Or not at all, where the other track's boots of its own came first. */
	assert_in_range(says(t, "re-measuring begins"), 0, 1);
	assert_int_not_equal(says(t, "measured again"), 0);
	assert_int_equal(says(t, "bisection begins"), 1);
	assert_int_equal(says(t, "bisected: "), 1);
	json_decref(t);
}

/* The branch is pushed anew while its commits are searched, and the tree drops one that no
 * agent has fetched yet: the search goes on with what it has pinned, passes that one over, and
 * ends with the old culprit. */
static void pushed_anew_while_bisected(void **state)
{
	struct fake *f = *state;
	int64_t id = followed_add(f, ""), end = clock_mono_ns() + PATIENCE_NS;
	char lost[65], letter = 'f';
	json_t *o = NULL, *t;

	f->effect = slow_from_e;
	followed_settled(f, id, "a");
	followed.branch = "abcdefgh";
	followed_look(f, id);
	/* Job by job, until a commit is asked for. */
	for (bool searching = false; !searching;) {
		json_t *lease =
		        fake_claim(f, "[\"walk\",\"resolve\",\"build\",\"boot\"]", "[\"det\"]");

		if (lease)
			json_decref(fake_do(f, lease));
		else
			sleep_ms(5);
		json_decref(lease);
		if (ask_json(f->d, "GET", "/api/v1/alerts/1/bisection", NULL, NULL, &o) == 200)
			searching = str_eq(str_at(o, "state"), "searching");
		json_decref(o);
		if (clock_mono_ns() > end)
			fail_msg("nothing is bisected");
	}
	hash_block(&letter, 1, lost);
	lost[40] = '\0';
	f->lost = lost;
	followed.branch = "klmno";
	followed.rebase = true;
	followed_look(f, id);
	t = told(f, "bisected: ");
	assert_int_equal(says(t, "bisected: "), 1);
	assert_non_null(strstr(str_at(t, "bisection.culprit.commit"), followed_name('e')));
	json_decref(t);
	/* The new stack's tip is as slow as the old one's: nothing more to tell. */
	for (bool settled = false; !settled;) {
		fake_work(f);
		t = followed_get(f, id);
		settled = json_is_true(at(t, "points.0.rebased")) &&
		          str_eq(str_at(t, "points.0.state"), "done");
		json_decref(t);
		if (clock_mono_ns() > end + PATIENCE_NS)
			fail_msg("the new tip is not measured");
		sleep_ms(10);
	}
	assert_int_equal(alerts(f), 1);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, followed_setup, fake_teardown)
	const struct CMUnitTest tests[] = {
	        T(two_of_one_branch),
	        T(pushed_anew_while_bisected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
