/* Dry runs over the real server: what is told of a submission that nobody makes. */
#include "server/test/fake_agent.h"

#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DRY "/api/v1/submissions?dry_run=1"
#define TREE                                                                              \
	"\"kernels\":[{\"name\":\"a\",\"tree\":\"https://example.org/l\",\"ref\":\"r1\"}" \
	",{\"name\":\"b\",\"tree\":\"https://example.org/l\",\"ref\":\"r1\",\"config\":"  \
	"\"contpte-n\"}]"
#define BODY(plan)                                                 \
	"{\"title\":\"t\",\"boards\":[\"det\",\"hw\"],\"cases\":[" \
	"\"fork/order=0,size=16M\",\"fork/size=16M,order=0\"],\"plan\":{" plan "}," TREE "}"

static int setup(void **state)
{
	fake_setup(state);
	fake_announce(*state, true);
	return 0;
}

static json_t *dry(struct fake *f, const char *body)
{
	json_t *o;

	assert_int_equal(ask_json(f->d, "POST", DRY, f->submit, body, &o), 200);
	return o;
}

static void expect_count(struct fake *f, const char *list, size_t n)
{
	char path[64];
	json_t *o;

	snprintf(path, sizeof(path), "/api/v1/%s", list);
	o = fake_get(f, path);
	assert_int_equal(json_array_size(at(o, list)), n);
	json_decref(o);
}

static bool noted(const json_t *o, const char *words)
{
	const json_t *one;
	size_t i;

	json_array_foreach (json_object_get(o, "notes"), i, one)
		if (strstr(json_string_value(one), words))
			return true;
	return false;
}

static void nothing_is_known(void **state)
{
	struct fake *f = *state;
	json_t *o = dry(f, BODY("\"boots\":4"));

	expect_count(f, "submissions", 0);
	expect_count(f, "jobs", 0);
	expect_count(f, "kernels", 0);
	assert_string_equal(str_at(o, "request.baseline"), "a");
	assert_int_equal(json_array_size(at(o, "request.cases")), 1);
	assert_string_equal(str_at(o, "request.kernels.0.config"), "virt");
	assert_string_equal(str_at(o, "request.kernels.1.toolchain"), "gcc");
	assert_int_equal(int_at(o, "request.plan.iterations"), 5);
	/* Both are of one ref. */
	assert_int_equal(int_at(o, "resolves"), 1);
	assert_int_equal(int_at(o, "builds.new"), 2);
	assert_int_equal(int_at(o, "builds.known"), 0);
	assert_non_null(strstr(str_at(o, "builds.basis"), "a guess"));
	assert_int_equal(int_at(o, "boots.0.new"), 2 * 5);
	assert_int_equal(int_at(o, "boots.1.new"), 2 * 4);
	assert_non_null(strstr(str_at(o, "boots.1.basis"), "a guess"));
	assert_true(json_is_true(at(o, "guess")));
	/* A guess of a minute a boot, ten a build, half of one for git. */
	assert_float_equal(num_at(o, "builds.minutes.expected"), 20.5, 1e-9);
	assert_float_equal(num_at(o, "minutes.expected"), 20.5 + 10 + 8, 1e-9);
	assert_float_equal(num_at(o, "elapsed_minutes.expected"), 20.5 + 10, 1e-9);
	assert_true(num_at(o, "minutes.low") < num_at(o, "minutes.expected"));
	assert_true(num_at(o, "minutes.high") > num_at(o, "minutes.expected"));
	json_decref(o);
}

/* What it says is what happens, and what was done is not done again. */
static void as_it_comes(void **state)
{
	struct fake *f = *state;
	int64_t sub;
	json_t *o = dry(f, BODY("\"boots\":4")), *s;
	int jobs = (int)(int_at(o, "resolves") + int_at(o, "builds.new") +
	                 int_at(o, "boots.0.new") + int_at(o, "boots.1.new"));

	sub = fake_submit(f, BODY("\"boots\":4"));
	assert_int_equal(fake_work(f), jobs);
	json_decref(fake_await(f, sub, "done"));
	json_decref(o);
	o = dry(f, BODY("\"boots\":4"));
	assert_int_equal(int_at(o, "builds.new"), 0);
	assert_int_equal(int_at(o, "builds.known"), 2);
	assert_true(json_is_null(at(o, "builds.basis")));
	assert_int_equal(int_at(o, "boots.0.new"), 0);
	assert_int_equal(int_at(o, "boots.0.known"), 10);
	assert_int_equal(int_at(o, "boots.1.known"), 8);
	assert_false(json_is_true(at(o, "guess")));
	json_decref(o);
	/* Two boots more of each; another plan; nothing that stands. */
	o = dry(f, BODY("\"boots\":6"));
	assert_int_equal(int_at(o, "boots.0.new"), 4);
	assert_int_equal(int_at(o, "boots.0.known"), 10);
	assert_string_equal(str_at(o, "boots.0.basis"), "the last 10 boots with this plan");
	json_decref(o);
	o = dry(f, BODY("\"boots\":4,\"runs\":3"));
	assert_int_equal(int_at(o, "boots.0.known"), 0);
	assert_non_null(strstr(str_at(o, "boots.0.basis"), "boots with other plans"));
	assert_true(num_at(o, "boots.0.minutes.high") >= num_at(o, "boots.0.minutes.low"));
	json_decref(o);
	sub = fake_submit(f, BODY("\"boots\":6"));
	assert_int_equal(fake_work(f), 1 + 4 + 4);
	s = fake_await(f, sub, "done");
	json_decref(s);
	expect_count(f, "submissions", 2);
}

static void the_same_errors(void **state)
{
	static const struct {
		const char *body, *code, *has;
		int status;
	} bad[] = {
	        {"{\"title\":\"t\",\"cases\":[\"fork\"]," TREE "}", "input", "cases[0]", 400},
	        {"{\"title\":\"t\",\"cases\":[\"fork/order=0,size=16M\"],\"boards\":[\"x\"]," TREE
	         "}",
	         "unprocessable", "there is no board \"x\"", 422},
	        {"{}", "input", "title", 400},
	        {"[1]", "input", NULL, 400},
	        {"", "input", NULL, 400},
	};
	struct fake *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		expect_error(f->d, "POST", DRY, f->submit, bad[i].body, bad[i].status, bad[i].code,
		             bad[i].has);
		expect_error(f->d, "POST", "/api/v1/submissions", f->submit, bad[i].body,
		             bad[i].status, bad[i].code, bad[i].has);
	}
	expect_error(f->d, "POST", "/api/v1/submissions?dry_run=2", f->submit, BODY(""), 400,
	             "input", "dry_run: expected 1 or 0");
	expect_error(f->d, "POST", DRY, NULL, BODY(""), 401, "auth", NULL);
	assert_int_equal(ask_json(f->d, "PUT", "/api/v1/tokens/2/quota", f->d->admin,
	                          "{\"boots\":10}", NULL),
	                 200);
	expect_error(f->d, "POST", DRY, f->submit, BODY("\"boots\":4"), 422, "unprocessable",
	             "this alone needs 18 boots");
	expect_count(f, "submissions", 0);
	/* Not dry. */
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/submissions?dry_run=0", f->submit,
	                          BODY("\"boots\":1"), NULL),
	                 201);
}

#define HASH "0123456789012345678901234567890123456789012345678901234567890123"

static void uploads_that_are_not_there(void **state)
{
	static const char image[] =
	        "{\"title\":\"t\",\"boards\":[\"det\"],\"cases\":[\"fork/order=0,size=16M\"],"
	        "\"kernels\":[{\"name\":\"a\",\"image\":\"" HASH "\"}]}";
	static const char series[] =
	        "{\"title\":\"t\",\"boards\":[\"det\"],\"cases\":[\"fork/order=0,size=16M\"],"
	        "\"plan\":{\"boots\":2},\"series\":{\"tree\":\"https://example.org/l\",\"base\":"
	        "\"v1\",\"bundle\":\"" HASH "\",\"marks\":{\"basic\":2}}}";
	struct fake *f = *state;
	json_t *o = dry(f, image);

	assert_true(noted(o, "kernels[0].image: it is not uploaded yet"));
	assert_int_equal(int_at(o, "boots.0.new"), 9);
	assert_int_equal(int_at(o, "builds.new"), 0);
	json_decref(o);
	expect_error(f->d, "POST", "/api/v1/submissions", f->submit, image, 422, "unprocessable",
	             "upload the image first");
	o = dry(f, series);
	assert_true(noted(o, "series.bundle: it is not uploaded yet"));
	assert_true(noted(o, "how many patches the series has"));
	/* Base, mark, tip, and what validates the tip. */
	assert_int_equal(int_at(o, "builds.new"), 4);
	assert_int_equal(int_at(o, "boots.0.new"), 3 * 3 + 1);
	json_decref(o);
}

static size_t cases_of(struct fake *f, const char *cases, const char *more, json_t **out)
{
	char *body = xasprintf("{\"title\":\"t\",\"boards\":[\"det\"],\"cases\":[%s]%s," TREE "}",
	                       cases, more);

	*out = dry(f, body);
	free(body);
	return json_array_size(at(*out, "request.cases"));
}

static void patterns(void **state)
{
	static const struct {
		const char *cases, *has;
	} bad[] = {
	        {"\"frok/*\"", "cases[0]: no case of contpte-full matches \"frok/*\": near it are "
	                       "fork/order=0, fork/order=2, fork/order=3"},
	        {"\"fork/order=0\",\"mremap/order=1*\"", "cases[1]: no case of contpte-full"},
	        {"\"mremap/order=1*\"", "near it are mremap/order=0,"},
	        {"\"[\"", "near it are"},
	        {"\"*****\"", "at most 127 bytes and 4 stars"},
	        {"\"\"", "cases[0]"},
	};
	struct fake *f = *state;
	size_t all;
	json_t *o;

	/* fork, and with a file, at six orders; however often it is named. */
	assert_int_equal(cases_of(f, "\"fork/*\"", "", &o), 12);
	assert_string_equal(str_at(o, "request.cases.0"), "fork/order=0");
	json_decref(o);
	assert_int_equal(cases_of(f, "\"fork/order=9\",\"fork/*\",\"fork/order=?\"", "", &o), 12);
	assert_string_equal(str_at(o, "request.cases.0"), "fork/order=9");
	json_decref(o);
	all = cases_of(f, "\"*\"", "", &o);
	assert_true(all > 150);
	json_decref(o);
	assert_int_equal(cases_of(f, "\"mremap/*skew=16K\"", ",\"pages\":\"16K\"", &o), 7);
	json_decref(o);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char *body = xasprintf("{\"title\":\"t\",\"cases\":[%s]," TREE "}", bad[i].cases);

		expect_error(f->d, "POST", "/api/v1/submissions", f->submit, body, 400, "input",
		             bad[i].has);
		free(body);
	}
	expect_error(f->d, "POST", DRY, f->submit,
	             "{\"title\":\"t\",\"cases\":[\"fork/*\"],\"pages\":\"8K\"," TREE "}", 400,
	             "input", "pages: expected one of 4K, 16K, 64K");
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, fake_teardown)
	const struct CMUnitTest tests[] = {
	        T(nothing_is_known),           T(as_it_comes), T(the_same_errors),
	        T(uploads_that_are_not_there), T(patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
