/* Plans: what is read, and each way in which one cannot be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int parse(struct plan *p, const char *text, struct reason *w)
{
	return plan_parse(p, "plan", text, strlen(text), &plan_preset, w);
}

static void reads_a_plan(void **state)
{
	struct reason w = {""};
	struct plan p;

	(void)state;
	assert_int_equal(
	        parse(&p,
	              "# foldbench plan 1\n"
	              "\n"
	              "fork/order=0,size=256M runs=3 iterations=100 warmup=0\n"
	              "  munmap/size=256M,order=9\t# parameters in any order\r\n"
	              "mremap/order=9,size=16M,skew=4K warmup=1000 iterations=100000 runs=1000",
	              &w),
	        0);
	assert_int_equal(p.count, 3);
	assert_string_equal(p.items[0].text, "fork/order=0,size=256M");
	assert_int_equal(p.items[0].n.runs, 3);
	assert_int_equal(p.items[0].n.iterations, 100);
	assert_int_equal(p.items[0].n.warmup, 0);
	assert_string_equal(p.items[1].text, "munmap/order=9,size=256M");
	assert_int_equal(p.items[1].n.runs, 1);
	assert_int_equal(p.items[1].n.iterations, 5);
	assert_int_equal(p.items[1].n.warmup, 1);
	assert_string_equal(p.items[2].text, "mremap/order=9,size=16M,skew=4K");
	assert_int_equal(p.items[2].n.runs, 1000);
	assert_int_equal(plan_runs(&p), 1004);
	plan_release(&p);
}

static const struct {
	const char *text, *why;
} wrong[] = {
        {"", "plan: has no case"},
        {"# nothing\n\n", "plan: has no case"},
        {"fork/order=0\nfork/order=7x\n", "plan:2: order: "},
        {"fork/order=0 runs=0", "plan:1: runs: expected a number from 1 to 1000, got \"0\""},
        {"fork/order=0 runs=1001", "plan:1: runs: expected a number from 1 to 1000, got \"1001\""},
        {"fork/order=0 runs=-1", "plan:1: runs: expected a number from 1 to 1000, got \"-1\""},
        {"fork/order=0 runs=", "plan:1: runs: expected a number from 1 to 1000, got \"\""},
        {"fork/order=0 iterations=100001",
         "plan:1: iterations: expected a number from 1 to 100000, got \"100001\""},
        {"fork/order=0 iterations=18446744073709551617", "plan:1: iterations: expected"},
        {"fork/order=0 warmup=1e2", "plan:1: warmup: expected a number from 0 to 1000"},
        {"fork/order=0 runs=1 runs=1", "plan:1: runs: given twice"},
        {"fork/order=0 turns=1", "plan:1: expected runs=, iterations= or warmup=, got \"turns=1\""},
        {"fork/order=0 9", "plan:1: expected runs=, iterations= or warmup=, got \"9\""},
        {"\n\nspoon/order=0", "plan:3: "},
        {"fork", "plan:1: "},
        {"fork/order=0,order=0", "plan:1: order"},
        {"mremap/order=0,size=16M", "plan:1: "},
};

static void says_what_is_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct reason w = {""};
		struct plan p;

		assert_int_equal(parse(&p, wrong[i].text, &w), -1);
		if (strncmp(w.text, wrong[i].why, strlen(wrong[i].why)))
			fail_msg("\"%s\": expected \"%s\", got \"%s\"", wrong[i].text, wrong[i].why,
			         w.text);
		assert_int_equal(p.count, 0);
		assert_null(p.items);
	}
}

/* The sentence of the format's document, word for word. */
static void names_the_place_once(void **state)
{
	struct reason w = {""};
	struct plan p;

	(void)state;
	assert_int_equal(parse(&p, "\n\nfork/order=7x,size=256M\n", &w), -1);
	assert_null(strstr(w.text, "fork/order=7x,size=256M: "));
	assert_non_null(strstr(w.text, "got \"7x\""));
}

static void refuses_nul_and_long_lines(void **state)
{
	static const char nul[] = "fork/order=0\nfork/\0order=0\n";
	struct reason w = {""};
	struct plan p;
	char *text = malloc(PLAN_BYTES + 1);

	(void)state;
	assert_non_null(text);
	assert_int_equal(plan_parse(&p, "plan", nul, sizeof(nul) - 1, &plan_preset, &w), -1);
	assert_string_equal(w.text, "plan:2: has a NUL byte");
	memset(text, 'x', PLAN_BYTES + 1);
	assert_int_equal(plan_parse(&p, "plan", text, 5000, &plan_preset, &w), -1);
	assert_string_equal(w.text, "plan:1: longer than 4095 bytes");
	assert_int_equal(plan_parse(&p, "plan", text, PLAN_BYTES + 1, &plan_preset, &w), -1);
	assert_string_equal(w.text, "plan: longer than 262144 bytes");
	free(text);
}

static void holds_a_thousand_cases(void **state)
{
	static const char line[] = "fork/order=0\n";
	size_t len = sizeof(line) - 1;
	char *text = malloc(1001 * len + 1);
	struct reason w = {""};
	struct plan p;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < 1001; i++)
		memcpy(text + i * len, line, len + 1);
	assert_int_equal(plan_parse(&p, "plan", text, 1000 * len, &plan_preset, &w), 0);
	assert_int_equal(p.count, 1000);
	plan_release(&p);
	assert_int_equal(plan_parse(&p, "plan", text, 1001 * len, &plan_preset, &w), -1);
	assert_string_equal(w.text, "plan:1001: more than 1000 cases");
	free(text);
}

static void survives_every_cut(void **state)
{
	static const char text[] =
	        "# foldbench plan 1\nfork/order=0,size=256M runs=3 iterations=10\n"
	        "mremap/order=9,size=16M,skew=4K warmup=2\n";

	(void)state;
	for (size_t n = 0; n <= sizeof(text) - 1; n++) {
		struct reason w = {""};
		struct plan p;

		if (plan_parse(&p, "plan", text, n, &plan_preset, &w))
			assert_true(strlen(w.text) > 0);
		else
			assert_true(p.count > 0);
		plan_release(&p);
	}
}

static void reads_a_file(void **state)
{
	char path[] = "/tmp/foldbench-plan-XXXXXX";
	int fd = mkstemp(path);
	struct reason w = {""};
	struct plan p;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, "fork/order=0\nbad\n", 17), 0);
	assert_int_equal(plan_read(&p, path, &plan_preset, &w), -1);
	assert_non_null(strstr(w.text, ":2: "));
	assert_int_equal(ftruncate(fd, 13), 0);
	assert_int_equal(plan_read(&p, path, &plan_preset, &w), 0);
	assert_int_equal(p.count, 1);
	plan_release(&p);
	close(fd);
	unlink(path);
	assert_int_equal(plan_read(&p, path, &plan_preset, &w), -1);
	assert_non_null(strstr(w.text, "No such file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(reads_a_plan),
	        cmocka_unit_test(says_what_is_wrong),
	        cmocka_unit_test(names_the_place_once),
	        cmocka_unit_test(refuses_nul_and_long_lines),
	        cmocka_unit_test(holds_a_thousand_cases),
	        cmocka_unit_test(survives_every_cut),
	        cmocka_unit_test(reads_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
