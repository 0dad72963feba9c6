/* The state table: exactly the moves of state.h, each on the disk before it is
 * in memory. */
#include "agent/state.h"
#include "lib/buf.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];

static int setup(void **state)
{
	char *path;
	struct why w;

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/fw-state-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	path = path_join(dir, "state");
	if (dir_make(path, 0700, &w) != OK)
		return -1;
	free(path);
	return 0;
}

static int teardown(void **state)
{
	struct why w;

	(void)state;
	return dir_remove(dir, &w) == OK ? 0 : -1;
}

/* The whole table, written out a second time by hand: rows are "from",
 * columns "to", in the order of enum job_state; one string a kind. */
static const char *const allowed[JOB_KINDS][STATE_COUNT] = {
        /*                     icfcbsabms  (idle claimed fetched configured built staged armed ...)
         */
        [JOB_NONE] = {NULL},
        [JOB_RESOLVE] = {".c........", "icf......s", "ic.......s", "ic.......s", "ic.......s",
                         "ic.......s", "ic.......s", "ic.......s", "ic.......s", "i........."},
        [JOB_BUILD] = {".c........", "icf......s", "ic.o.....s", "ic..b....s", "ic.......s",
                       "ic.......s", "ic.......s", "ic.......s", "ic.......s", "i........."},
        [JOB_BOOT] = {".c........", "ic...t...s", "ic.......s", "ic.......s", "ic.......s",
                      "ic....a..s", "ic.....o.s", "ic......ms", "ic.......s", "i........."},
        [JOB_WALK] = {".c........", "icf......s", "ic.......s", "ic.......s", "ic.......s",
                      "ic.......s", "ic.......s", "ic.......s", "ic.......s", "i........."},
};

static void test_table(void **state)
{
	(void)state;
	for (int k = JOB_RESOLVE; k < JOB_KINDS; k++) {
		for (int from = 0; from < STATE_COUNT; from++) {
			for (int to = 0; to < STATE_COUNT; to++) {
				bool want = allowed[k][from][to] != '.';

				if (state_may((enum job_kind)k, (enum job_state)from,
				              (enum job_state)to) != want)
					fail_msg("%s: %s -> %s", job_kind_name((enum job_kind)k),
					         job_state_name((enum job_state)from),
					         job_state_name((enum job_state)to));
			}
		}
	}
}

static void test_words(void **state)
{
	(void)state;
	for (int s = 0; s < STATE_COUNT; s++)
		assert_int_equal(job_state_parse(job_state_name((enum job_state)s)), s);
	for (int k = JOB_RESOLVE; k < JOB_KINDS; k++)
		assert_int_equal(job_kind_parse(job_kind_name((enum job_kind)k)), k);
	assert_int_equal(job_state_parse("flying"), -1);
	assert_int_equal(job_state_parse(""), -1);
	assert_int_equal(job_kind_parse("none"), JOB_NONE);
	assert_int_equal(job_kind_parse("fry"), JOB_NONE);
}

static void test_life(void **state)
{
	static const enum job_state way[] = {STATE_FETCHED, STATE_CONFIGURED, STATE_BUILT,
	                                     STATE_SPOOLED, STATE_IDLE};
	struct state s, again;
	struct why w;

	(void)state;
	assert_int_equal(state_load(&s, dir, "build", &w), OK);
	assert_int_equal(s.at, STATE_IDLE);
	assert_int_equal(state_claim(&s, JOB_BUILD, 31, 2, 60, &w), OK);
	assert_int_equal(s.starts, 1);
	assert_int_equal(state_claim(&s, JOB_BUILD, 32, 1, 60, &w), ERR_INTERNAL);
	for (size_t i = 0; i < ARRAY_SIZE(way); i++) {
		assert_int_equal(state_move(&s, way[i], &w), OK);
		assert_int_equal(state_load(&again, dir, "build", &w), OK);
		assert_int_equal(again.at, way[i]);
		assert_int_equal(again.job, way[i] == STATE_IDLE ? 0 : 31);
		assert_int_equal(again.attempt, way[i] == STATE_IDLE ? 0 : 2);
		state_release(&again);
	}
	state_release(&s);
}

static void test_again(void **state)
{
	struct state s, again;
	struct why w;

	(void)state;
	assert_int_equal(state_load(&s, dir, "board-b", &w), OK);
	assert_int_equal(state_claim(&s, JOB_BOOT, 7, 1, 60, &w), OK);
	assert_int_equal(state_move(&s, STATE_STAGED, &w), OK);
	assert_int_equal(state_move(&s, STATE_CLAIMED, &w), OK);
	assert_int_equal(s.starts, 2);
	assert_int_equal(state_move(&s, STATE_BOOTED, &w), ERR_INTERNAL);
	assert_string_equal(w.text, "a boot job cannot go from \"claimed\" to \"booted\"");
	assert_int_equal(s.at, STATE_CLAIMED);
	assert_int_equal(state_load(&again, dir, "board-b", &w), OK);
	assert_int_equal(again.starts, 2);
	state_release(&again);
	state_release(&s);
}

/* What cannot be written has not happened. */
static void test_not_written(void **state)
{
	struct rlimit none = {0, 0}, was;
	struct state s, again;
	struct why w;
	enum err e;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(state_load(&s, dir, "build", &w), OK);
	assert_int_equal(state_claim(&s, JOB_BUILD, 31, 2, 60, &w), OK);
	getrlimit(RLIMIT_FSIZE, &was);
	none.rlim_max = was.rlim_max;
	setrlimit(RLIMIT_FSIZE, &none);
	e = state_move(&s, STATE_FETCHED, &w);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_int_not_equal(e, OK);
	assert_int_equal(s.at, STATE_CLAIMED);
	assert_int_equal(state_load(&again, dir, "build", &w), OK);
	assert_int_equal(again.at, STATE_CLAIMED);
	state_release(&again);
	state_release(&s);
}

/* A thousand torn files do not fill the disk. */
static void test_set_aside(void **state)
{
	char *path = path_join(dir, "state/build.json"), aside[128];
	struct state s;
	struct stat st;
	struct why w;

	(void)state;
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(file_write(path, "{", 1, 0600, &w), OK);
		assert_int_equal(state_load(&s, dir, "build", &w), OK);
		assert_int_equal(s.at, STATE_IDLE);
		state_release(&s);
		assert_int_not_equal(stat(path, &st), 0);
		snprintf(aside, sizeof(aside), "%s.bad-%d", path, i);
		assert_int_equal(stat(aside, &st), 0);
	}
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_table),
	        cmocka_unit_test(test_words),
	        cmocka_unit_test_setup_teardown(test_life, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_again, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_not_written, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_set_aside, setup, teardown),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
