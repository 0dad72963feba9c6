/* foldwatch explain: finding kernels, and what it says when it cannot. (That it
 * counts right is shown on real kernels by tests/explain.test.sh.) */
#include "cli/test/place.h"

#include "lib/json.h"
#include "lib/mem.h"
#include "lib/test/elf_file.h"
#include "lib/test/tmpdir.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define REAL_CASE "fork/order=0,size=16M"

static int setup(void **state)
{
	int rc = place_setup(state);
	struct place *p = *state;

	fake_announce(p->f, false);
	return rc;
}

static void a_case_and_directories(void **state)
{
	static const struct elf_symbol odd[] = {{"main", 0x1000, 8, STT_FUNC, STB_GLOBAL}};
	struct place *p = *state;
	char *dir = xasprintf("%s/k", p->dir), *file = xasprintf("%s/Image", dir),
	     *vmlinux = xasprintf("%s/vmlinux", dir);

	fails(p, NULL, 2, "no-such", "explain", "./k", "./k", "no-such/order=0");
	fails(p, NULL, 2, "\"./k\" holds neither", "explain", "./k", "./k", REAL_CASE);
	assert_int_equal(mkdir(dir, 0700), 0);
	put_file(file, "x", 1);
	fails(p, NULL, 2, "\"./k\" holds no vmlinux", "explain", "./k", "./k", REAL_CASE);
	put_file(vmlinux, "x", 1);
	fails(p, NULL, 2, "no ELF", "explain", "./k", "./k", REAL_CASE);
	elf_file(vmlinux, odd, 1);
	fails(p, NULL, 2, "the kernel has no function \"cpu_switch_to\"", "explain", "./k", "./k",
	      REAL_CASE);
	free(dir);
	free(file);
	free(vmlinux);
}

static void kernels_of_a_submission(void **state)
{
	struct place *p = *state;
	int64_t id;

	fails(p, p->submit, 5, "finished comparison", "explain", "base", "slow", REAL_CASE);
	id = submitted(p);
	finish(p, id, "done");
	fails(p, p->submit, 2, "has no kernel \"other\"", "explain", "other", "slow", REAL_CASE);
	fails(p, p->submit, 2, "kernel \"base\": the server holds no vmlinux", "explain", "base",
	      "slow", REAL_CASE);
	fails(p, p->submit, 2, "--submission: expected", "explain", "base", "slow", REAL_CASE,
	      "--submission", "newest");
	fails(p, p->submit, 5, "77", "explain", "base", "slow", REAL_CASE, "--submission", "77");
}

int main(void)
{
#define with(t) cmocka_unit_test_setup_teardown(t, setup, place_teardown)
	const struct CMUnitTest tests[] = {
	        with(a_case_and_directories),
	        with(kernels_of_a_submission),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
