/* Branches that are followed, over the real server: points and what is measured. */
#include "server/test/track_bed.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void tips(void **state)
{
	struct fake *f = *state;
	int64_t id = followed_add(f, "");
	json_t *t = followed_until(f, id, "a");

	assert_string_equal(str_at(t, "points.0.kind"), "tip");
	assert_string_equal(str_at(t, "points.0.subject"), "mm: commit a");
	assert_string_equal(str_at(t, "points.0.kernel"), followed_name('a'));
	assert_null(str_at(t, "points.0.baseline"));
	assert_true(json_is_null(at(t, "points.0.verdicts")));
	assert_int_equal(followed_boots(f, int_at(t, "points.0.submission")), TRACK_BOOTS);
	assert_string_equal(str_at(t, "mode"), "tips");
	assert_int_equal(int_at(t, "every_s"), 900);
	json_decref(t);

	/* Nothing new is no point. */
	followed_look(f, id);
	followed_settled(f, id, "a");

	followed.branch = "abc";
	f->slow_kernel = followed_name('c');
	followed_look(f, id);
	/* The hole between them is filled once nothing else is to do. */
	t = followed_until(f, id, "c<a b<a a");
	assert_int_equal(int_at(t, "points.0.position"), 3);
	assert_int_equal(int_at(t, "points.2.position"), 1);
	/* Only its own boots: the other's stand. */
	assert_int_equal(followed_boots(f, int_at(t, "points.0.submission")), TRACK_BOOTS);
	assert_int_equal(int_at(t, "points.0.verdicts.slower"), 1);
	assert_int_equal(int_at(t, "points.1.verdicts.same"), 1);
	assert_true(json_is_true(at(t, "points.1.filled")));
	assert_true(json_is_false(at(t, "points.0.same_image")));
	json_decref(t);

	t = fake_get(f, "/api/v1/alerts?kind=slower");
	assert_int_equal(json_array_size(at(t, "alerts")), 1);
	assert_string_equal(str_at(t, "alerts.0.kernel.name"), followed_name('c'));
	/* A mute or a subscription names the branch, not the commit. */
	assert_string_equal(str_at(t, "alerts.0.kernel.ref"), "master");
	json_decref(t);
}

/* What waits for a board that nobody offers any more, or for an agent that may fetch a tree,
 * waits for ever, and no hole waits with it. */
static void holes_wait_for_their_board_alone(void **state)
{
	struct fake *f = *state;
	char hash[65], *body;
	int64_t gone, never, id;
	json_t *o;

	fake_announce(f, true);
	fake_image(f, 1, hash);
	body = xasprintf("{\"title\":\"x\",\"kernels\":[{\"name\":\"k\",\"image\":\"%s\"}],"
	                 "\"boards\":[\"hw\"],\"cases\":[\"" TRACK_CASE "\"]}",
	                 hash);
	gone = fake_submit(f, body);
	free(body);
	fake_announce(f, false);
	never = fake_submit(f, "{\"title\":\"y\",\"kernels\":[{\"name\":\"k\",\"tree\":"
	                       "\"ssh://nowhere.example/x.git\",\"ref\":\"v1\"}],"
	                       "\"boards\":[\"det\"],\"cases\":[\"" TRACK_CASE "\"]}");
	id = followed_add(f, "");
	followed_settled(f, id, "a");
	followed.branch = "abcde";
	followed_look(f, id);
	o = followed_until(f, id, "e<a d<c c<a b<a a");
	assert_true(json_is_true(at(o, "points.1.filled")));
	json_decref(o);
	body = xasprintf("/api/v1/submissions/%lld", (long long)gone);
	o = fake_get(f, body);
	assert_string_equal(str_at(o, "state"), "booting");
	json_decref(o);
	free(body);
	body = xasprintf("/api/v1/submissions/%lld", (long long)never);
	o = fake_get(f, body);
	assert_string_equal(str_at(o, "state"), "resolving");
	json_decref(o);
	free(body);
}

static int64_t submission_of(struct fake *f, const json_t *lease)
{
	char path[64];
	json_t *o;
	int64_t id;

	snprintf(path, sizeof(path), "/api/v1/jobs/%lld", (long long)int_at(lease, "id"));
	o = fake_get(f, path);
	id = json_int(o, "submission", 0);
	json_decref(o);
	return id;
}

/* A boot that waits for the track's own board keeps the hole open. */
static void holes_wait_for_a_busy_board(void **state)
{
	struct fake *f = *state;
	int64_t id = followed_add(f, ""), busy = -1, end = clock_mono_ns() + 15 * NS_PER_S;
	char hash[65], *body;
	json_t *lease = NULL, *t;

	followed_settled(f, id, "a");
	fake_image(f, 1, hash);
	body = xasprintf("{\"title\":\"x\",\"kernels\":[{\"name\":\"k\",\"image\":\"%s\"}],"
	                 "\"boards\":[\"det\"],\"cases\":[\"" TRACK_CASE "\"],\"priority\":-100}",
	                 hash);
	followed.branch = "abc";
	followed_look(f, id);
	/* Its boots come behind the track's: the first of them is held until c is measured. */
	while (!lease || submission_of(f, lease) != busy) {
		if (lease)
			json_decref(fake_do(f, lease));
		json_decref(lease);
		lease = fake_claim(f, "[\"resolve\",\"build\",\"walk\",\"boot\"]", "[\"det\"]");
		if (lease && busy < 0 && str_eq(str_at(lease, "kind"), "boot"))
			busy = fake_submit(f, body);
		if (!lease)
			sleep_ms(20);
		if (clock_mono_ns() > end)
			fail_msg("its turn never comes");
	}
	free(body);
	for (int i = 0; i < 40; i++) {
		t = followed_get(f, id);
		assert_int_equal(json_array_size(at(t, "points")), 2);
		json_decref(t);
		sleep_ms(20);
	}
	json_decref(fake_do(f, lease));
	json_decref(lease);
	while (fake_work(f))
		;
	followed_look(f, id);
	followed_settled(f, id, "c<a b<a a");
}

static int walks(struct fake *f)
{
	json_t *o = fake_get(f, "/api/v1/jobs?limit=100");
	int n = 0;

	for (size_t i = 0; i < json_array_size(at(o, "jobs")); i++)
		n += str_eq(str_at(json_array_get(at(o, "jobs"), i), "kind"), "walk");
	json_decref(o);
	return n;
}

static void look_to_the_end(struct fake *f, int64_t id)
{
	int64_t end = clock_mono_ns() + 10 * NS_PER_S;
	bool looks = true, done = false;

	followed_look(f, id);
	while (looks) {
		int n = fake_work(f);
		json_t *t = followed_get(f, id);

		/* Its job is done, and what comes of it as well. */
		done |= n > 0;
		looks = !done || json_is_true(at(t, "looking"));
		json_decref(t);
		if (looks && clock_mono_ns() > end)
			fail_msg("it still looks");
		sleep_ms(20);
	}
}

/* A branch that stands still leaves no row a look, and one that moves loses none. */
static void looks_in_vain(void **state)
{
	struct fake *f = *state;
	int64_t id = followed_add(f, "");

	followed_settled(f, id, "a");
	assert_int_equal(walks(f), 1);
	for (int i = 0; i < 4; i++) {
		look_to_the_end(f, id);
		assert_in_range(walks(f), 1, 2);
	}
	followed.branch = "ab";
	followed_look(f, id);
	followed_settled(f, id, "b<a a");
	assert_int_equal(walks(f), 2);
}

static void one_binary(void **state)
{
	struct fake *f = *state;
	int64_t id = followed_add(f, "");
	json_t *t;

	followed_settled(f, id, "a");
	followed.branch = "ab";
	f->twin = followed_name('b');
	f->twin_of = followed_name('a');
	followed_look(f, id);
	t = followed_until(f, id, "b<a a");
	assert_int_equal(followed_boots(f, int_at(t, "points.0.submission")), 0);
	assert_true(json_is_true(at(t, "points.0.same_image")));
	assert_int_equal(int_at(t, "points.0.verdicts.same"), 1);
	json_decref(t);
}

static void all_commits(void **state)
{
	struct fake *f = *state;
	int64_t id = followed_add(f, ",\"mode\":\"all\"");

	followed_settled(f, id, "a");
	followed.branch = "abecM";
	followed.unchanged = "e";
	followed_look(f, id);
	followed_settled(f, id, "M<c c<b b<a a");
}

static void merges(void **state)
{
	struct fake *f = *state;
	int64_t id = followed_add(f, ",\"mode\":\"merges\"");
	json_t *t;

	followed_settled(f, id, "a");
	followed.branch = "asSMz";
	followed.side = "sS";
	followed_look(f, id);
	/* S was merged into the side, and is none of the branch's own. */
	t = followed_until(f, id, "z<M M<a a");
	assert_int_equal(int_at(t, "points.0.position"), 5);
	assert_string_equal(str_at(t, "points.1.kind"), "commit");
	json_decref(t);
}

static void rebased(void **state)
{
	struct fake *f = *state;
	int64_t id = followed_add(f, "");
	json_t *t;

	followed.branch = "xo";
	followed_settled(f, id, "o");
	followed.branch = "xukn";
	followed.rebase = true;
	/* The base moved the figures, and with it what stands on it. */
	f->slow_kernel = NULL;
	followed_look(f, id);
	t = followed_until(f, id, "n<o x<o o");
	assert_true(json_is_true(at(t, "points.0.rebased")));
	assert_string_equal(str_at(t, "points.1.kind"), "base");
	assert_int_equal(int_at(t, "points.0.submission"), int_at(t, "points.1.submission"));
	assert_string_equal(str_at(t, "points.0.note"),
	                    "rebased: 2 of its 3 commits are new to the branch");
	assert_memory_equal(str_at(t, "points.0.kernel"), "tip-", 4);
	assert_memory_equal(str_at(t, "points.0.baseline"), "old-", 4);
	assert_memory_equal(str_at(t, "points.1.kernel"), "base-", 5);
	assert_int_equal(followed_boots(f, int_at(t, "points.0.submission")), 2 * TRACK_BOOTS);
	json_decref(t);

	/* It goes on from the new tip. */
	followed.rebase = false;
	followed.branch = "xuknq";
	followed_look(f, id);
	followed_settled(f, id, "q<n n<o x<o o");
}

static void only_the_tip_is_told(void **state)
{
	struct fake *f = *state;
	char base[32], tip[32];
	int64_t id = followed_add(f, "");
	json_t *o;

	followed.branch = "xo";
	followed_settled(f, id, "o");
	snprintf(base, sizeof(base), "base-%s", followed_name('x'));
	snprintf(tip, sizeof(tip), "tip-%s", followed_name('n'));
	followed.branch = "xkn";
	followed.rebase = true;
	f->slow_kernel = base;
	followed_look(f, id);
	followed_settled(f, id, "n<o x<o o");
	o = fake_get(f, "/api/v1/alerts");
	assert_int_equal(json_array_size(at(o, "alerts")), 0);
	json_decref(o);
	followed.branch = "xqm";
	snprintf(tip, sizeof(tip), "tip-%s", followed_name('m'));
	f->slow_kernel = tip;
	followed_look(f, id);
	followed_settled(f, id, "m<n x<n n<o x<o o");
	o = fake_get(f, "/api/v1/alerts");
	assert_int_equal(json_array_size(at(o, "alerts")), 1);
	assert_string_equal(str_at(o, "alerts.0.kernel.name"), tip);
	json_decref(o);
}

static void lost(void **state)
{
	struct fake *f = *state;
	int64_t id = followed_add(f, "");
	json_t *t;

	followed_settled(f, id, "a");
	followed.branch = "xn";
	f->walk_fails = "since: tree \"" TRACK_TREE "\" has no commit any more";
	followed_look(f, id);
	t = followed_until(f, id, "n<a a");
	assert_true(json_is_true(at(t, "points.0.rebased")));
	assert_non_null(strstr(str_at(t, "points.0.note"), "the tree has lost"));
	assert_true(json_is_null(at(t, "why")));
	json_decref(t);
}

/* The newest point's submission against the release, once it is done. */
static int64_t release_of(struct fake *f, int64_t id)
{
	int64_t end = clock_mono_ns() + 10 * NS_PER_S, sub;

	for (;;) {
		json_t *t;

		fake_work(f);
		t = followed_get(f, id);
		sub = json_int(at(t, "points.0"), "release", 0);
		json_decref(t);
		if (sub)
			break;
		if (clock_mono_ns() > end)
			fail_msg("it is not held against the release");
		sleep_ms(20);
	}
	fake_work(f);
	json_decref(fake_await(f, sub, "done"));
	return sub;
}

static void released(void **state)
{
	struct fake *f = *state;
	int64_t id = followed_add(f, ",\"release\":\"v6.12\""), sub;
	json_t *s;
	char path[64];

	f->slow_kernel = followed_name('a');
	followed_settled(f, id, "a");
	sub = release_of(f, id);
	assert_int_equal(followed_boots(f, sub), TRACK_BOOTS);
	snprintf(path, sizeof(path), "/api/v1/submissions/%lld", (long long)sub);
	s = fake_get(f, path);
	assert_string_equal(str_at(s, "baseline"), "release");
	json_decref(s);
	/* One alert, whichever tip. */
	followed.branch = "ab";
	f->slow_kernel = followed_name('b');
	followed_look(f, id);
	followed_settled(f, id, "b<a a");
	assert_int_equal(followed_boots(f, release_of(f, id)), 0);
	s = fake_get(f, "/api/v1/alerts?kind=slower");
	assert_int_equal(json_array_size(at(s, "alerts")), 1);
	assert_int_equal(int_at(s, "alerts.0.submission"), sub);
	assert_string_equal(str_at(s, "alerts.0.state"), "confirmed");
	json_decref(s);
	/* And one that is as good as the release ends it. */
	followed.branch = "abc";
	f->slow_kernel = NULL;
	followed_look(f, id);
	followed_settled(f, id, "c<b b<a a");
	assert_int_equal(followed_boots(f, release_of(f, id)), 0);
	s = fake_get(f, "/api/v1/alerts?kind=slower");
	assert_int_equal(json_array_size(at(s, "alerts")), 1);
	assert_string_equal(str_at(s, "alerts.0.state"), "recovered");
	json_decref(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(tips, followed_setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(looks_in_vain, followed_setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(one_binary, followed_setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(all_commits, followed_setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(merges, followed_setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(rebased, followed_setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(only_the_tip_is_told, followed_setup,
	                                        fake_teardown),
	        cmocka_unit_test_setup_teardown(lost, followed_setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(released, followed_setup, fake_teardown),
	        cmocka_unit_test_setup_teardown(holes_wait_for_their_board_alone, followed_setup,
	                                        fake_teardown),
	        cmocka_unit_test_setup_teardown(holes_wait_for_a_busy_board, followed_setup,
	                                        fake_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
