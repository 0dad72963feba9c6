/* foldwatch repro: what it makes, and what it says when it cannot. (That the
 * numbers come out alike is shown by tests/whole.test.sh on real kernels.) */
#include "cli/test/place.h"

#include "lib/json.h"
#include "lib/mem.h"
#include "lib/test/tmpdir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
	int rc = place_setup(state);
	struct place *p = *state;

	fake_announce(p->f, true);
	return rc;
}

static char *made(const struct place *p, const char *name)
{
	char *path = xasprintf("%s/r/%s", p->dir, name), *text = get_file(path);

	free(path);
	return text;
}

static void makes_a_directory(void **state)
{
	struct place *p = *state;
	int64_t id = submitted(p);
	char *plan, *script, *path, root[4096];
	struct stat st;

	finish(p, id, "done");
	/* another build's directory has no kernel/ beside it */
	assert_non_null(getcwd(root, sizeof(root)));
	prints(p, p->submit, "./foldbench run --iterations 5 --warmup 1 " CASE_9, "repro", CASE_9,
	       "--out", "r", "--share", root);
	plan = made(p, "plan");
	assert_string_equal(plan,
	                    "# foldbench plan 1\n" CASE " runs=1 iterations=5 warmup=1\n" CASE_9
	                    " runs=1 iterations=5 warmup=1\n");
	script = made(p, "run.sh");
	assert_non_null(strstr(script, "case='" CASE_9 "' bench='beef'"));
	assert_non_null(strstr(script, "-m 2064 "));
	/* phase 0's samples of both, the warm-up's first */
	assert_non_null(strstr(script, "boot a '10"));
	assert_non_null(strstr(script, "' 'base'\n"));
	assert_non_null(strstr(script, "' 'slow'\n"));
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = {"foldbench", "a.Image", "b.Image"};

		path = xasprintf("%s/r/%s", p->dir, names[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_true(st.st_size > 0);
		free(path);
	}
	free(plan);
	free(script);
	fails(p, p->submit, 2, "\"r\" is there already", "repro", CASE_9, "--out", "r");
	fails(p, p->submit, 2, "does not measure", "repro", "munmap/order=0", "--out", "q");
	fails(p, p->submit, 2, "no kernel \"mine\"", "repro", CASE, "--kernel", "mine", "--out",
	      "q");
	fails(p, p->submit, 2, "order", "repro", "fork/order=77", "--out", "q");
}

static void nothing_measured_yet(void **state)
{
	struct place *p = *state;

	fails(p, p->submit, 5, "finished comparison", "repro", CASE);
	assert_int_equal(submitted(p), 1);
	fails(p, p->submit, 2, "was never built", "repro", CASE, "--submission", "1");
}

int main(void)
{
#define with(t) cmocka_unit_test_setup_teardown(t, setup, place_teardown)
	const struct CMUnitTest tests[] = {
	        with(makes_a_directory),
	        with(nothing_measured_yet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
