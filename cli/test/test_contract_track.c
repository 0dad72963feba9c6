/* foldwatch track against the real server. */
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

#define LINUX "https://example.org/linux.git"
#define TIP   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define WHY   "--why", "because"

static json_t *walk(struct fake *f, const json_t *spec)
{
	(void)f;
	(void)spec;
	return json_loads("{\"tip\":\"" TIP "\",\"base\":null,\"linear\":false,\"commits\":["
	                  "{\"commit\":\"" TIP "\",\"source\":\"" TIP "\",\"subject\":"
	                  "\"mm: one\",\"author\":\"a\",\"parents\":1,"
	                  "\"patch_id\":null,\"known\":false,\"mainline\":true}]}",
	                  0, NULL);
}

static void measured(struct place *p)
{
	for (int i = 0;; i++) {
		json_t *o = fake_get(p->f, "/api/v1/tracks/1");
		bool done = json_array_size(at(o, "points")) &&
		            strcmp(str_at(o, "points.0.state"), "done") == 0;

		json_decref(o);
		if (done)
			return;
		assert_true(i < 500);
		fake_work(p->f);
		sleep_ms(20);
	}
}

static void a_track_lives(void **state)
{
	struct place *p = *state;
	struct ran r;
	char day[32];
	json_t *o;

	clock_iso(clock_wall_ms() + INT64_C(86400000), day, sizeof(day));
	day[10] = '\0';
	fake_announce(p->f, true);
	p->f->walk = walk;
	prints(p, NULL, "no tracks\n", "track");
	prints(p, p->submit, "track 1\n", "track", "add", LINUX, "master", "--every", "2h",
	       "--boards", "det,hw", "--case", "munmap/order=0,size=16M", "--boots", "6",
	       "--release", "v6.12", "--merges", "--config", "contpte-y", "--threshold", "0.5");
	json_of(p, NULL, &o, "track", "show", "1");
	assert_int_equal(int_at(o, "every_s"), 7200);
	assert_string_equal(str_at(o, "boards.1"), "hw");
	assert_string_equal(str_at(o, "mode"), "merges");
	assert_string_equal(str_at(o, "config"), "contpte-y");
	assert_string_equal(str_at(o, "release"), "v6.12");
	assert_int_equal(int_at(o, "plan.boots"), 6);
	json_decref(o);
	measured(p);
	cli(&r, p, NULL, "track", "show", "1");
	expect_out(&r, "track 1, active");
	expect_out(&r, "branch    master of " LINUX "\n");
	expect_out(&r, "measures  merges, every 2h\n");
	expect_out(&r, "tip       " TIP "\n");
	expect_out(&r, "aaaaaaaaaaaa");
	expect_out(&r, "done");
	expect_out(&r, "mm: ");
	ran_release(&r);
	cli(&r, p, NULL, "track", "list");
	expect_out(&r, "master");
	expect_out(&r, "2h");
	ran_release(&r);

	fails(p, p->submit, 6, "track 1", "track", "add", LINUX, "master");
	fails(p, p->submit, 2, "needs --why", "track", "pause", "1");
	fails(p, NULL, 4, "token", "track", "pause", "1", WHY);
	prints(p, p->submit, "paused: track 1\n", "track", "pause", "1", WHY, "--until", day);
	cli(&r, p, NULL, "track", "show", "1");
	expect_out(&r, "track 1, paused");
	expect_out(&r, "why       because\n");
	expect_out(&r, "until ");
	ran_release(&r);
	fails(p, p->submit, 6, "resume it first", "track", "now", "1");
	prints(p, p->submit, "goes on: track 1\n", "track", "resume", "1");
	prints(p, p->submit, "is looked at: track 1\n", "track", "now", "1");
	prints(p, p->submit, "ended: track 1\n", "track", "end", "1", WHY);
	prints(p, NULL, "no tracks\n", "track");
	prints(p, NULL, "ended", "track", "--state", "ended");
}

static void words(void **state)
{
	struct place *p = *state;

	fake_announce(p->f, false);
	fails(p, p->submit, 2, "argument 3 of \"foldwatch track\" is not UTF-8", "track", "add",
	      LINUX, "m\xff");
	fails(p, p->submit, 2, "expected: foldwatch track", "track", "nonsense");
	fails(p, p->submit, 2, "expected: foldwatch track", "track", "add", LINUX);
	fails(p, p->submit, 2, "--every: expected a time", "track", "add", LINUX, "m", "--every",
	      "soon");
	fails(p, p->submit, 2, "--every: expected a time", "track", "add", LINUX, "m", "--every",
	      "-1m");
	fails(p, p->submit, 2, "--every: expected a time", "track", "add", LINUX, "m", "--every",
	      "99999999999999999999d");
	fails(p, p->submit, 2, "every_s", "track", "add", LINUX, "m", "--every", "1s");
	fails(p, p->submit, 2, "exclude each other", "track", "add", LINUX, "m", "--tips",
	      "--merges");
	fails(p, p->submit, 2, "preset", "track", "add", LINUX, "m", "--preset", "none");
	fails(p, p->submit, 2, "a..b", "track", "add", LINUX, "a..b");
	fails(p, p->submit, 2, "no board \"none\"", "track", "add", LINUX, "m", "--board", "none");
	fails(p, p->submit, 2, "state", "track", "--state", "odd");
	fails(p, NULL, 5, "no track 9", "track", "show", "9");
	fails(p, NULL, 2, "expected a number", "track", "show", "x");
	fails(p, NULL, 4, "token", "track", "add", LINUX, "m");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(a_track_lives, place_setup, place_teardown),
	        cmocka_unit_test_setup_teardown(words, place_setup, place_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
