/*
 * Looks over the real server: a board with noise gets 3 boots a kernel, and 6
 * and 10 where cells are undecided; a told number of boots is kept.
 */
#include "server/test/fake_agent.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TREE "\"tree\":\"https://example.org/linux.git\",\"ref\":\"v6.12\""

/* The fake agent's kernels called "slow" are 2 % slower, others are equal. */
#define KERNELS(other)                                                                          \
	"\"title\":\"looks\","                                                                  \
	"\"kernels\":[{\"name\":\"base\"," TREE ",\"config\":\"contpte-n\"},{\"name\":\"" other \
	"\"," TREE ",\"config\":\"contpte-y\"}],\"baseline\":\"base\""
#define CASES "\"cases\":[\"fork/order=0,size=256M\",\"fork/order=9,size=256M\"]"

static int setup(void **state)
{
	fake_setup(state);
	fake_announce(*state, true);
	return 0;
}

static json_t *get(struct fake *f, const char *what, int64_t sub)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/%s/%lld", what, (long long)sub);
	return fake_get(f, path);
}

/* Works as jobs come until the submission has ended; the submission. */
static json_t *work_to_the_end(struct fake *f, int64_t sub)
{
	int64_t until = clock_mono_ns() + 20 * NS_PER_S;

	while (clock_mono_ns() < until) {
		json_t *s;

		fake_work(f);
		s = get(f, "submissions", sub);
		if (strcmp(str_at(s, "state"), "done") == 0)
			return s;
		json_decref(s);
		usleep(20000);
	}
	fail_msg("submission %lld does not end", (long long)sub);
	return NULL;
}

static void check_cells(struct fake *f, int64_t sub, const char *verdict, int64_t boots)
{
	json_t *c = get(f, "comparisons", sub);
	size_t i;

	assert_true(json_is_true(at(c, "complete")));
	assert_int_equal(json_array_size(at(c, "cells")), 2);
	for (i = 0; i < 2; i++) {
		const json_t *x = json_array_get(at(c, "cells"), i);

		assert_string_equal(str_at(x, "verdict"), verdict);
		assert_int_equal(int_at(x, "boots"), boots);
		assert_true(num_at(x, "low") <= num_at(x, "change"));
		assert_true(num_at(x, "high") >= num_at(x, "change"));
	}
	json_decref(c);
}

static void clear_at_the_first_look(void **state)
{
	struct fake *f = *state;
	int64_t sub = fake_submit(f, "{" KERNELS("slow") ",\"boards\":[\"hw\"]," CASES "}");
	json_t *s = work_to_the_end(f, sub);

	assert_int_equal(int_at(s, "progress.boots_total"), 6);
	check_cells(f, sub, "slower", 3);
	json_decref(s);
}

static void equal_after_the_last_look(void **state)
{
	struct fake *f = *state;
	int64_t sub = fake_submit(f, "{" KERNELS("other") ",\"boards\":[\"hw\"]," CASES "}");
	json_t *s = work_to_the_end(f, sub);

	assert_int_equal(int_at(s, "progress.boots_total"), 20);
	assert_int_equal(int_at(s, "progress.boots_done"), 20);
	check_cells(f, sub, "same", 10);
	json_decref(s);
	/* The same question again is answered by what stands, without a boot. */
	f->claimed = 0;
	sub = fake_submit(f, "{" KERNELS("other") ",\"boards\":[\"hw\"]," CASES "}");
	s = work_to_the_end(f, sub);
	check_cells(f, sub, "same", 10);
	assert_int_equal(int_at(s, "progress.jobs_total"), 1); /* the commit's */
	json_decref(s);
}

static void a_told_number_is_kept(void **state)
{
	struct fake *f = *state;
	int64_t sub = fake_submit(f, "{" KERNELS("other") ",\"boards\":[\"hw\"]," CASES
	                                                  ",\"plan\":{\"boots\":4}}");
	json_t *s = work_to_the_end(f, sub);

	assert_int_equal(int_at(s, "progress.boots_total"), 8);
	check_cells(f, sub, "same", 4);
	json_decref(s);
}

/* A kernel that never boots asks for no more boots. */
static void what_cannot_boot_ends(void **state)
{
	struct fake *f = *state;
	int64_t sub;
	json_t *s, *c;

	f->bad_kernel = "other";
	f->bad_boots = -1;
	sub = fake_submit(f, "{" KERNELS("other") ",\"boards\":[\"hw\"]," CASES "}");
	s = work_to_the_end(f, sub);
	assert_int_equal(int_at(s, "progress.boots_total"), 6);
	c = get(f, "comparisons", sub);
	assert_string_equal(str_at(json_array_get(at(c, "cells"), 0), "verdict"), "invalid");
	json_decref(c);
	json_decref(s);
}

/* Kernels that were booted on the board before tell its spread: from three on. */
static void other_kernels_tell_the_spread(void **state)
{
	struct fake *f = *state;
	int64_t sub = 0;
	json_t *s = NULL;

	for (int i = 0; i < 3; i++) {
		char a[65], b[65], path[80], *body;
		struct reply_raw r;

		fake_image(f, (unsigned char)(2 * i + 1), a);
		fake_image(f, (unsigned char)(2 * i + 2), b);
		body = xasprintf(
		        "{\"title\":\"images\",\"kernels\":[{\"name\":\"base\",\"image\":"
		        "\"%s\"},{\"name\":\"slow\",\"image\":\"%s\"}],\"boards\":[\"hw\"]," CASES
		        "}",
		        a, b);
		sub = fake_submit(f, body);
		free(body);
		json_decref(s);
		s = work_to_the_end(f, sub);
		snprintf(path, sizeof(path), "/api/v1/comparisons/%lld?format=text",
		         (long long)sub);
		assert_int_equal(ask(f->d, "GET", path, f->submit, NULL, NULL, 0, &r), 200);
		/* four kernels before the third, two before the second */
		if ((strstr(r.body, "hw: 2 intervals use the spread of other kernels'") != NULL) !=
		    (i == 2))
			fail_msg("%d: %s", i, r.body);
		reply_raw_release(&r);
	}
	check_cells(f, sub, "slower", 3);
	json_decref(s);
}

/* Both boards of one submission: phases on the one, looks on the other. */
static void beside_a_deterministic_board(void **state)
{
	struct fake *f = *state;
	int64_t sub = fake_submit(f, "{" KERNELS("slow") ",\"boards\":[\"det\",\"hw\"]," CASES "}");
	json_t *s = work_to_the_end(f, sub);

	assert_int_equal(int_at(s, "progress.boots_total"), 18 + 6);
	json_decref(s);
}

int main(void)
{
#define with(t) cmocka_unit_test_setup_teardown(t, setup, fake_teardown)
	const struct CMUnitTest tests[] = {
	        with(clear_at_the_first_look),       with(equal_after_the_last_look),
	        with(a_told_number_is_kept),         with(what_cannot_boot_ends),
	        with(other_kernels_tell_the_spread), with(beside_a_deterministic_board),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
