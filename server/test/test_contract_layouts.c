/* Layouts over the real server: kernels, jobs and boots of relinks, and what a
 * comparison makes of them. */
#include "server/test/fake_agent.h"
#include "server/test/rebuilt.h"

#include "lib/json.h"
#include "lib/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TREE "\"tree\":\"https://example.org/linux.git\",\"ref\":\"v6.12\""
#define BODY(board, plan)                                                        \
	"{\"title\":\"layouts\",\"kernels\":[{\"name\":\"base\"," TREE           \
	",\"config\":\"contpte-n\"},{\"name\":\"slow\"," TREE                    \
	",\"config\":\"contpte-y\"}],\"baseline\":\"base\",\"boards\":[\"" board \
	"\"],\"cases\":[\"fork/order=0,size=256M\"],\"plan\":{" plan "}}"

static int setup(void **state)
{
	fake_setup(state);
	fake_announce(*state, true);
	return 0;
}

static json_t *get(struct fake *f, const char *what, int64_t id)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/%s/%lld", what, (long long)id);
	return fake_get(f, path);
}

static int count_jobs(const json_t *sub, const char *kind)
{
	const json_t *jobs = at(sub, "jobs");
	size_t i;
	int n = 0;

	for (i = 0; i < json_array_size(jobs); i++)
		n += strcmp(str_at(json_array_get(jobs, i), "kind"), kind) == 0;
	return n;
}

static void test_phases(void **state)
{
	struct fake *f = *state;
	int64_t sub = fake_submit(f, BODY("det", "\"layouts\":3,\"boots\":6"));
	json_t *s, *c, *k;
	const json_t *x;
	size_t i;
	int seen[3] = {0};

	fake_work(f);
	json_decref(fake_await(f, sub, "done"));
	s = get(f, "submissions", sub);
	assert_int_equal(int_at(s, "plan.layouts"), 3);
	assert_int_equal(count_jobs(s, "build"), 6);
	/* Two kernels in three layouts and six phases, the first phase twice in layout 0. */
	assert_int_equal(count_jobs(s, "boot"), 2 * (3 * 6 + 1));
	json_decref(s);
	k = fake_get(f, "/api/v1/kernels");
	assert_int_equal(json_array_size(at(k, "kernels")), 6);
	for (i = 0; i < 6; i++) {
		x = json_array_get(at(k, "kernels"), i);
		seen[int_at(x, "layout")]++;
		assert_true((int_at(x, "gaps") > 0) == (int_at(x, "layout") > 0));
	}
	assert_int_equal(seen[0], 2);
	assert_int_equal(seen[2], 2);
	json_decref(k);
	c = get(f, "comparisons", sub);
	x = at(c, "cells.0");
	assert_int_equal(int_at(x, "layouts"), 3);
	assert_float_equal(num_at(x, "floor"), 0, 1e-3); /* known, and next to nothing */
	assert_string_equal(str_at(x, "verdict"), "slower");
	assert_int_equal(json_array_size(at(c, "notes")), 0);
	json_decref(c);
}

static void test_boots(void **state)
{
	struct fake *f = *state;
	int64_t sub = fake_submit(f, BODY("hw", "\"layouts\":3,\"boots\":6"));
	json_t *s, *c;

	fake_work(f);
	json_decref(fake_await(f, sub, "done"));
	s = get(f, "submissions", sub);
	/* The relinks stand from before; boots are spread over them. */
	assert_int_equal(count_jobs(s, "build"), 0);
	assert_int_equal(count_jobs(s, "boot"), 12);
	json_decref(s);
	c = get(f, "comparisons", sub);
	assert_int_equal(int_at(c, "cells.0.layouts"), 3);
	assert_int_equal(int_at(c, "cells.0.boots"), 6);
	json_decref(c);
	/* A single layout afterwards has the floor that those showed. */
	sub = fake_submit(f, BODY("hw", "\"boots\":6"));
	fake_work(f);
	json_decref(fake_await(f, sub, "done"));
	c = get(f, "comparisons", sub);
	assert_int_equal(int_at(c, "cells.0.layouts"), 1);
	assert_true(json_is_number(at(c, "cells.0.floor")));
	json_decref(c);
}

/* The floor of a submission's first cell, asked for order 9 alone: what booting the same
 * image for several submissions does. */
static double floor_of_one_more(struct fake *f, const char *qemu)
{
	int64_t sub;
	json_t *c;
	double floor = NAN;

	f->qemu = qemu;
	sub = fake_submit(
	        f, "{\"title\":\"again\",\"reuse\":false,\"kernels\":[{\"name\":\"base\"," TREE
	           ",\"config\":\"contpte-n\"},{\"name\":\"slow\"," TREE
	           ",\"config\":\"contpte-y\"}],\"baseline\":\"base\",\"boards\":[\"hw\"],"
	           "\"cases\":[\"fork/order=9,size=256M\"],\"plan\":{\"boots\":4}}");
	fake_work(f);
	json_decref(fake_await(f, sub, "done"));
	c = get(f, "comparisons", sub);
	if (json_is_number(at(c, "cells.0.floor")))
		floor = num_at(c, "cells.0.floor");
	json_decref(c);
	f->qemu = NULL;
	return floor;
}

/* Another environment is no A/A pair; the next submission in it is one. */
static void test_environments(void **state)
{
	struct fake *f = *state;

	assert_true(isnan(floor_of_one_more(f, "8.1")));
	assert_true(isnan(floor_of_one_more(f, "8.2")));
	assert_false(isnan(floor_of_one_more(f, "8.2")));
}

static void test_bounds(void **state)
{
	static const char *const wrong[] = {"0", "9", "-1", "1.5", "\"3\"", "[]"};
	struct fake *f = *state;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char *body = xasprintf(BODY("det", "\"layouts\":%s"), wrong[i]);
		struct reply_raw r;

		ask(f->d, "POST", "/api/v1/submissions", f->submit, NULL, body, strlen(body), &r);
		assert_int_equal(r.status, 400);
		reply_raw_release(&r);
		free(body);
	}
}

/* With floors that later boots of other submissions would move. */
static void test_rebuild(void **state)
{
	static const char *const queries[] = {
	        "SELECT submission_id || ' ' || last_boot || ' ' || body FROM comparison"
	        " ORDER BY submission_id",
	        "SELECT * FROM (SELECT CAST(floor AS TEXT) FROM cell WHERE floor IS NOT NULL"
	        " ORDER BY 1)",
	};
	struct fake *f = *state;

	daemon_expect_rebuilt(f->d, queries, ARRAY_SIZE(queries), "fork/order=9");
	daemon_start(f->d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_phases),       cmocka_unit_test(test_boots),
	        cmocka_unit_test(test_environments), cmocka_unit_test(test_bounds),
	        cmocka_unit_test(test_rebuild),
	};

	return cmocka_run_group_tests(tests, setup, fake_teardown);
}
