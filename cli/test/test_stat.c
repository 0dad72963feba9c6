/* foldwatch stat as a program: what others script against, and bad input. */
#include "cli/test/run.h"

#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/test/tmpdir.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NAME "numbers"

static json_t *answer(void **state, const char *verb, const char *text)
{
	struct ran r;
	json_t *root;

	put_file(in(*state, NAME), text, strlen(text));
	run_cli(&r, *state, "stat", verb, NAME, NULL);
	root = expect_json(&r);
	ran_release(&r);
	return root;
}

static void refused(void **state, const char *verb, const char *text, size_t len, const char *has)
{
	struct ran r;

	put_file(in(*state, NAME), text, len);
	run_cli(&r, *state, "stat", verb, NAME, NULL);
	expect_fail(&r, 2, has);
	assert_string_equal(r.out, "");
	ran_release(&r);
}

#define REFUSED(verb, text, has) refused(state, verb, text, sizeof(text) - 1, has)

static double num(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_number(v))
		fail_msg("%s is no number", key);
	return json_number_value(v);
}

static void is_null(const json_t *o, const char *key)
{
	if (!json_is_null(json_object_get(o, key)))
		fail_msg("%s is not null", key);
}

#define NEAR(a, b, within) assert_true(fabs((a) - (b)) <= (within))

/* ---- compare */

/* Three boots of two runs of three: medians 100 101 / 102 103 / 104 105, boots
 * 100.5 102.5 104.5; and the same by 1.5. */
#define B3                                                                       \
	"[[[99,100,101],[100,101,102]],[[101,102,103],[102,103,104]],[[103,104," \
	"105],[104,105,106]]]"
#define SLOW                                                                                \
	"[[[148.5,150,151.5],[150,151.5,153]],[[151.5,153,154.5],[153,154.5,156]],[[154.5," \
	"156,157.5],[156,157.5,159]]]"

static void compares_boots(void **state)
{
	json_t *root = answer(state, "compare",
	                      "{\"baseline\":" B3 ",\"kernels\":{\"y\":" SLOW ",\"again\":" B3
	                      ",\"two\":[[[100]],[[101]]],\"none\":[]}}");
	json_t *kernels = json_object_get(root, "kernels"), *k, *c;
	/* ln of 100.5, 102.5, 104.5: sd .019512; se sqrt(2/3) of it; t(4) 2.776 */
	double half = 2.7764451 * .0195122 * sqrt(2. / 3);

	assert_int_equal(json_object_size(kernels), 4);
	k = json_object_get(kernels, "y");
	NEAR(num(k, "change"), .5, 1e-9);
	NEAR(num(k, "low"), 1.5 * exp(-half) - 1, 1e-4);
	NEAR(num(k, "high"), 1.5 * exp(half) - 1, 1e-4);
	assert_int_equal(num(k, "boots"), 3);
	assert_int_equal(num(k, "needed"), 0);
	assert_string_equal(json_string_value(json_object_get(k, "verdict")), "slower");
	is_null(k, "why");
	/* the runs' medians 150..157.5 about 153.75: sd 2.80624 */
	NEAR(num(k, "std_rel"), 2.80624 / 153.75, 1e-6);
	/* iterations: 1 about each run's mean; run means 1 apart in a boot: .5 - 1/3;
	 * boots 100.5.. : 4 - .5/2. Of the baseline's own: */
	c = json_object_get(json_object_get(kernels, "again"), "components");
	NEAR(num(c, "iteration"), 1, 1e-9);
	NEAR(num(c, "run"), .5 - 1. / 3, 1e-9);
	NEAR(num(c, "boot"), 4 - .25, 1e-9);

	k = json_object_get(kernels, "again");
	NEAR(num(k, "change"), 0, 0);
	assert_string_equal(json_string_value(json_object_get(k, "verdict")), "unsure");
	assert_true(num(k, "needed") > 0);
	assert_true(json_is_string(json_object_get(k, "why")));

	k = json_object_get(kernels, "two");
	is_null(k, "low");
	is_null(k, "high");
	assert_string_equal(json_string_value(json_object_get(k, "verdict")), "unsure");
	is_null(json_object_get(k, "components"), "iteration");

	k = json_object_get(kernels, "none");
	is_null(k, "change");
	assert_string_equal(json_string_value(json_object_get(k, "verdict")), "invalid");
	json_decref(root);
}

static void takes_a_threshold(void **state)
{
	struct ran r;
	json_t *root;

	put_file(in(*state, NAME), "{\"baseline\":" B3 ",\"kernels\":{\"y\":" SLOW "}}",
	         strlen("{\"baseline\":" B3 ",\"kernels\":{\"y\":" SLOW "}}"));
	run_cli(&r, *state, "stat", "compare", "--threshold", "80", NAME, NULL);
	root = expect_json(&r);
	assert_string_equal(
	        json_string_value(json_object_get(
	                json_object_get(json_object_get(root, "kernels"), "y"), "verdict")),
	        "same");
	json_decref(root);
	ran_release(&r);
	run_cli(&r, *state, "stat", "compare", "--threshold=0", NAME, NULL);
	expect_fail(&r, 2, "--threshold: expected a number above 0");
	ran_release(&r);
	run_cli(&r, *state, "stat", "compare", "--threshold=nan", NAME, NULL);
	expect_fail(&r, 2, "threshold");
	ran_release(&r);
}

static void refuses_boots(void **state)
{
	static const char deep[] = "{\"baseline\":[[[[1]]]],\"kernels\":{}}";
	char *nested = xmalloc(5001);

	REFUSED("compare", "", "expected JSON, got nothing");
	REFUSED("compare", "[1]", "expected an object");
	REFUSED("compare", "{\"baseline\":" B3 "}", "kernels: missing");
	REFUSED("compare", "{\"kernels\":{}}", "baseline: missing");
	REFUSED("compare", "{\"baseline\":[[[1,2]]],\"kernels\":{},\"x\":1}", "x: ");
	REFUSED("compare", "{\"baseline\":[[[1,2]]],\"kernels\":{},\"kernels\":{}}", "duplicate");
	REFUSED("compare", "{\"baseline\":[[[1,NaN]]],\"kernels\":{}}", "line 1");
	REFUSED("compare", "{\"baseline\":[[[1,1e999]]],\"kernels\":{}}", "line 1");
	REFUSED("compare", "{\"baseline\":[[[1,\"2\"]]],\"kernels\":{}}",
	        "baseline[0][0][1]: expected a number");
	REFUSED("compare", "{\"baseline\":[[1]],\"kernels\":{}}",
	        "baseline[0][0]: expected an array of the run's iterations");
	REFUSED("compare", "{\"baseline\":[[[1]],[]],\"kernels\":{}}",
	        "baseline[1]: expected an array of the boot's runs");
	REFUSED("compare", "{\"baseline\":[[[1],[]]],\"kernels\":{}}", "baseline[0][1]");
	REFUSED("compare", "{\"baseline\":[[[1]]],\"kernels\":{\"y\":[[[null]]]}}",
	        "kernels.y[0][0][0]: expected a number");
	REFUSED("compare", "{\"baseline\":[[[1]]],\"kernels\":{\"y\":7}}",
	        "kernels.y: expected an array of boots");
	REFUSED("compare", "{\"baseline\":[[[1\xff]]],\"kernels\":{}}", "line 1");
	refused(state, "compare", deep, sizeof(deep) - 1, "baseline[0][0][0]: expected a number");
	refused(state, "compare", deep, sizeof(deep) - 9, NAME ": line 1");
	memset(nested, '[', 5000);
	refused(state, "compare", nested, 5000, "nested");
	free(nested);
}

/* What has no logarithm is no error of the file's: it gets its verdict. */
static void not_above_zero(void **state)
{
	json_t *root = answer(state, "compare",
	                      "{\"baseline\":" B3 ",\"kernels\":{\"y\":[[[0]],[[1]],[[-3]]]}}");
	json_t *k = json_object_get(json_object_get(root, "kernels"), "y");

	assert_string_equal(json_string_value(json_object_get(k, "verdict")), "invalid");
	is_null(k, "change");
	json_decref(root);
}

/* ---- changes */

/* `n` lines of a value that is `a`, from `at` on `b`, with a little about it. */
static char *series(const char *head, int n, int at, double a, double b)
{
	struct buf t;

	buf_init(&t, 1 << 20);
	buf_adds(&t, head);
	for (int i = 0; i < n; i++)
		buf_addf(&t, "%d,%.6f\n", i + 5000,
		         (i < at ? a : b) * (1 + .001 * ((i * 7919) % 11 - 5) / 5));
	return buf_take(&t, NULL);
}

static void finds_changes(void **state)
{
	static const char *const heads[] = {"", "index,value\n",
	                                    "\xef\xbb\xbf"
	                                    "date,ns\r\n"};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		char *text = series(heads[i], 60, 40, 1000, 1100);
		json_t *root = answer(state, "changes", text);
		json_t *o = json_object_get(root, NAME), *c;

		assert_non_null(o);
		assert_string_equal(json_string_value(json_object_get(o, "class")), "step");
		assert_int_equal(json_array_size(json_object_get(o, "outliers")), 0);
		assert_int_equal(json_array_size(json_object_get(o, "changes")), 1);
		c = json_array_get(json_object_get(o, "changes"), 0);
		assert_int_equal(num(c, "index"), 40); /* the row, whatever the file calls it */
		NEAR(num(c, "before"), 1000, 2);
		NEAR(num(c, "after"), 1100, 2);
		NEAR(num(c, "change"), .1, .003);
		assert_true(num(c, "score") < 1e-6);
		assert_true(json_is_false(json_object_get(c, "transient")));
		json_decref(root);
		free(text);
	}
}

static void several_files(void **state)
{
	char *step = series("", 60, 30, 50, 55), *flat = series("", 60, 30, 50, 50);
	struct ran r;
	json_t *root;

	put_file(in(*state, "step.csv"), step, strlen(step));
	put_file(in(*state, "flat.csv"), flat, strlen(flat));
	run_cli(&r, *state, "stat", "changes", "./flat.csv", "step.csv", NULL);
	root = expect_json(&r);
	assert_int_equal(json_object_size(root), 2);
	assert_int_equal(
	        json_array_size(json_object_get(json_object_get(root, "./flat.csv"), "changes")),
	        0);
	assert_int_equal(
	        json_array_size(json_object_get(json_object_get(root, "step.csv"), "changes")), 1);
	json_decref(root);
	ran_release(&r);
	run_cli(&r, *state, "stat", "changes", "step.csv", "step.csv", NULL);
	expect_fail(&r, 2, "given twice");
	ran_release(&r);
	free(step);
	free(flat);
}

static void odd_but_right(void **state)
{
	json_t *root = answer(state, "changes", "0 , 1e3 \r\n1,\t-2.5\r\n2,+.5\n\n \n");
	json_t *o = json_object_get(root, NAME);

	assert_string_equal(json_string_value(json_object_get(o, "class")), "steady");
	json_decref(root);
}

static void refuses_series(void **state)
{
	static const char nul[] = "0,1\n1,2\0003\n";

	REFUSED("changes", "", "there is no line");
	REFUSED("changes", "index,value\n", "there is no line");
	REFUSED("changes", "0,1\n1,x\n", NAME ": line 2: expected a finite number");
	REFUSED("changes", "index,value\nindex,value\n0,1\n", "line 2");
	REFUSED("changes", "0,1\n1\n", "line 2: expected \"index,value\", got \"1\"");
	REFUSED("changes", "0,1\n\n2,3\n", "line 2");
	REFUSED("changes", "0,1\n1,2,3\n", "line 2");
	REFUSED("changes", "0,1\n,2\n", "line 2");
	REFUSED("changes", "0,1\n1,\n", "line 2");
	REFUSED("changes", "0,1\n1,nan\n", "line 2");
	REFUSED("changes", "0,1\n1,inf\n", "line 2");
	REFUSED("changes", "0,1\n1,1e999\n", "line 2");
	REFUSED("changes", "0,1\n1,0x10\n", "line 2");
	REFUSED("changes", "0,1\n1,\xff\n", "line 2");
	refused(state, "changes", nul, sizeof(nul) - 1, "line 2");
}

static void says_what_it_takes(void **state)
{
	struct ran r;

	run_cli(&r, *state, "stat", NULL);
	expect_fail(&r, 2, "stat");
	ran_release(&r);
	run_cli(&r, *state, "stat", "median", "x", NULL);
	expect_fail(&r, 2, "expected: foldwatch stat compare");
	ran_release(&r);
	run_cli(&r, *state, "stat", "compare", "missing", NULL);
	expect_fail(&r, 2, "missing");
	ran_release(&r);
	run_cli(&r, *state, "stat", "changes", "missing", NULL);
	expect_fail(&r, 2, "missing");
	ran_release(&r);
}

int main(void)
{
#define in_dir(t) cmocka_unit_test_setup_teardown(t, tmpdir_setup, tmpdir_teardown)
	const struct CMUnitTest tests[] = {
	        in_dir(compares_boots), in_dir(takes_a_threshold), in_dir(refuses_boots),
	        in_dir(not_above_zero), in_dir(finds_changes),     in_dir(several_files),
	        in_dir(odd_but_right),  in_dir(refuses_series),    in_dir(says_what_it_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
