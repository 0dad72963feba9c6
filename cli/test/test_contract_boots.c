/* foldwatch boots, and comparisons across environments on request. */
#include "cli/test/place.h"

#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
	int rc = place_setup(state);
	struct place *p = *state;

	fake_announce(p->f, false);
	return rc;
}

static void conditions_of_boots(void **state)
{
	struct place *p = *state;
	json_t *o;
	int64_t id;

	fails(p, NULL, 5, "there is no boot 1", "boots", "1");
	fails(p, NULL, 2, "boot: expected a number", "boots", "first");
	fails(p, NULL, 2, "boot: expected a number", "boots", "1", "0");
	fails(p, NULL, 2, "", "boots");
	id = submitted(p);
	finish(p, id, "done");
	prints(p, NULL, "board.qemu", "boots", "1");
	prints(p, NULL, "guest.page_size", "boots", "1");
	prints(p, NULL, "built.compiler", "boots", "1");
	prints(p, NULL, "built.config_hash", "boots", "1", "2");
	prints(p, NULL, "boot 1 has the same environment", "boots", "1", "1");
	fails(p, NULL, 5, "there is no boot 999", "boots", "1", "999");
	json_of(p, NULL, &o, "boots", "1", "2");
	/* Two kernels, built otherwise, in one environment. */
	assert_int_equal(json_array_size(at(o, "differs")), 2);
	assert_string_equal(str_at(o, "differs.0.field"), "built.config_hash");
	json_decref(o);
}

static void across_on_request(void **state)
{
	struct place *p = *state;
	int64_t id;
	char *text;
	json_t *o;

	/* One boot on what the board was, the rest on what it is. */
	id = submitted(p);
	o = NULL;
	while (!o || strcmp(str_at(o, "kind"), "boot") != 0) {
		json_decref(o);
		o = fake_claim(p->f, "[\"resolve\",\"build\",\"boot\"]", "[\"det\"]");
		assert_non_null(o);
		json_decref(fake_do(p->f, o));
	}
	json_decref(o);
	p->f->qemu = "9.1";
	finish(p, id, "done");
	text = number(id);
	prints(p, NULL, "its environment is not that of", "compare", text);
	prints(p, NULL, "boots of different environments are compared", "compare", text,
	       "--across-environments");
	json_of(p, NULL, &o, "compare", text);
	assert_int_equal(json_array_size(at(o, "cells.0.across")), 0);
	json_decref(o);
	json_of(p, NULL, &o, "compare", text, "--across-environments");
	assert_string_equal(str_at(o, "cells.0.across.0.field"), "board.qemu");
	json_decref(o);
	prints(p, NULL, "BOOT 1", "boots", "1", "2");
	prints(p, NULL, "9.1", "boots", "1", "2");
	free(text);
}

/* What is asked for with the submission stands in it. */
static void asked_for_at_once(void **state)
{
	struct place *p = *state;
	json_t *o;

	json_of(p, p->submit, &o, "submit", "--baseline", "base=" TREE "#v6.12,config=contpte-n",
	        "--kernel", "slow=" TREE "#v6.12,config=contpte-y", "--case", CASE,
	        "--across-environments");
	assert_true(json_is_true(at(o, "across_environments")));
	json_decref(o);
}

int main(void)
{
#define with(t) cmocka_unit_test_setup_teardown(t, setup, place_teardown)
	const struct CMUnitTest tests[] = {
	        with(conditions_of_boots),
	        with(across_on_request),
	        with(asked_for_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
