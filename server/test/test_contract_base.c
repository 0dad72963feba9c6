/* A kernel that is another one's merge base, over the real server. */
#include "server/test/fake_agent.h"

#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MINE                                                                                  \
	"{\"name\":\"mine\",\"tree\":\"https://example.org/l\",\"ref\":\"topic\",\"config\":" \
	"\"contpte-y\"}"
#define BODY(kernels)                                                                  \
	"{\"title\":\"t\",\"boards\":[\"det\"],\"cases\":[\"fork/order=0,size=16M\"]," \
	"\"plan\":{\"boots\":1},\"kernels\":[" kernels "]}"
#define BASE "{\"name\":\"base\",\"base_of\":\"mine\"}"

static int setup(void **state)
{
	fake_setup(state);
	fake_announce(*state, true);
	return 0;
}

static json_t *submission(struct fake *f, int64_t sub)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/submissions/%lld", (long long)sub);
	return fake_get(f, path);
}

static void its_commit_is_found(void **state)
{
	struct fake *f = *state;
	int64_t sub = fake_submit(f, BODY(BASE "," MINE));
	json_t *lease, *s, *o;
	char tip[65], base[65], *text;

	/* The branch first; then its base, by the branch's commit as it was found. */
	lease = fake_claim(f, "[\"resolve\"]", "[]");
	assert_string_equal(str_at(lease, "spec.ref"), "topic");
	assert_null(json_object_get(at(lease, "spec"), "base_of"));
	assert_null(fake_claim(f, "[\"resolve\"]", "[]"));
	json_decref(fake_do(f, lease));
	json_decref(lease);
	hash_block("topic", 5, tip);
	tip[40] = '\0';
	lease = fake_claim(f, "[\"resolve\"]", "[]");
	assert_string_equal(str_at(lease, "spec.tree"), "https://example.org/l");
	assert_string_equal(str_at(lease, "spec.ref"), "HEAD");
	assert_string_equal(str_at(lease, "spec.base_of"), tip);
	json_decref(fake_do(f, lease));
	json_decref(lease);
	fake_work(f);
	s = fake_await(f, sub, "done");
	json_decref(s);
	s = submission(f, sub);
	text = xasprintf("base of %s and HEAD", tip);
	hash_block(text, strlen(text), base);
	base[40] = '\0';
	free(text);
	assert_string_equal(str_at(s, "baseline"), "base");
	assert_string_equal(str_at(s, "kernels.0.commit"), base);
	assert_string_equal(str_at(s, "kernels.0.base_of"), "mine");
	assert_string_equal(str_at(s, "kernels.0.config"), "contpte-y");
	assert_true(json_is_null(at(s, "kernels.1.base_of")));
	assert_string_equal(str_at(s, "kernels.1.commit"), tip);
	json_decref(s);
	/* Onto something else; a kernel of that very ref is another question. */
	sub = fake_submit(f, BODY(MINE ",{\"name\":\"b\",\"base_of\":\"mine\",\"onto\":\"next\","
	                               "\"config\":\"contpte-n\"},{\"name\":\"n\",\"tree\":"
	                               "\"https://example.org/l\",\"ref\":\"next\"}"));
	fake_work(f);
	json_decref(fake_await(f, sub, "done"));
	s = submission(f, sub);
	assert_string_equal(str_at(s, "kernels.1.ref"), "next");
	assert_string_equal(str_at(s, "kernels.1.config"), "contpte-n");
	hash_block("next", 4, base);
	base[40] = '\0';
	assert_string_equal(str_at(s, "kernels.2.commit"), base);
	assert_string_not_equal(str_at(s, "kernels.1.commit"), base);
	json_decref(s);
	/* Validated, it is looked up once. */
	o = json_loads(BODY(BASE "," MINE), 0, NULL);
	json_put_bool(o, "validate", true);
	json_put_bool(o, "reuse", false);
	text = json_text(o);
	json_decref(o);
	sub = fake_submit(f, text);
	free(text);
	fake_work(f);
	json_decref(fake_await(f, sub, "done"));
}

static void it_says_why_not(void **state)
{
	struct fake *f = *state;
	json_t *s, *lease, *body, *o;
	int64_t sub;

	f->base_fails = "tree \"https://example.org/l\": commits a and b have no common history";
	sub = fake_submit(f, BODY(BASE "," MINE));
	fake_work(f);
	s = fake_await(f, sub, "failed");
	assert_non_null(strstr(str_at(s, "why"), "baseline \"base\": tree"));
	assert_non_null(strstr(str_at(s, "why"), "no common history"));
	json_decref(s);
	/* And where the branch itself is not there. */
	f->base_fails = NULL;
	sub = fake_submit(f, BODY(BASE "," MINE));
	lease = fake_claim(f, "[\"resolve\"]", "[]");
	body = json_pack("{s:i,s:s,s:s,s:s}", "attempt", 1, "state", "failed", "class", "build",
	                 "why", "there is no branch \"topic\"");
	assert_int_equal(fake_post(f, int_at(lease, "id"), "x", body, &o), 200);
	json_decref(o);
	json_decref(body);
	json_decref(lease);
	s = fake_await(f, sub, "failed");
	assert_non_null(strstr(str_at(s, "why"), "no branch \"topic\""));
	assert_non_null(strstr(str_at(s, "kernels.0.why"), "kernel \"mine\""));
	json_decref(s);
}

static void what_cannot_be(void **state)
{
	static const struct {
		const char *body, *has;
	} bad[] = {
	        {BODY(BASE), "kernels[0].base_of: \"mine\" is none of the other kernels"},
	        {BODY("{\"name\":\"mine\",\"base_of\":\"mine\"}"), "is none of the other"},
	        {BODY("{\"name\":\"a\",\"base_of\":\"b\"},{\"name\":\"b\",\"base_of\":\"a\"}"),
	         "is no kernel of a tree and ref"},
	        {BODY("{\"name\":\"a\",\"base_of\":\"mine\",\"ref\":\"v1\"}," MINE),
	         "excludes tree and ref"},
	        {BODY("{\"name\":\"a\",\"onto\":\"v1\"}," MINE), "it goes with base_of"},
	        {BODY("{\"name\":\"a\",\"base_of\":\"mine\",\"onto\":\"-x\"}," MINE),
	         "kernels[0].onto: \"-x\" is no branch"},
	        {BODY("{\"name\":\"a\",\"base_of\":7}," MINE), "base_of: expected a string"},
	        {BODY("{\"name\":\"a\",\"base_of\":\"\"}," MINE), "base_of"},
	};
	struct fake *f = *state;
	json_t *o;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_error(f->d, "POST", "/api/v1/submissions", f->submit, bad[i].body, 400,
		             "input", bad[i].has);
	/* Dry, its build is one that nobody knows. */
	fake_submit(f, BODY(BASE "," MINE));
	fake_work(f);
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/submissions?dry_run=1", f->submit,
	                          BODY(BASE "," MINE), &o),
	                 200);
	assert_int_equal(int_at(o, "resolves"), 2);
	assert_int_equal(int_at(o, "builds.new"), 1);
	assert_int_equal(int_at(o, "builds.known"), 1);
	assert_string_equal(str_at(o, "request.kernels.0.onto"), "HEAD");
	json_decref(o);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, fake_teardown)
	const struct CMUnitTest tests[] = {
	        T(its_commit_is_found),
	        T(it_says_why_not),
	        T(what_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
