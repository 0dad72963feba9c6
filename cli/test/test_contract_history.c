/* foldwatch history and foldwatch reference against the real server. */
#include "cli/test/place.h"

#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COMMIT "0123456789012345678901234567890123456789"

static void histories_of_a_track(void **state)
{
	struct place *p = *state;

	fails(p, NULL, 5, "no track 1", "history", "1");
	fails(p, NULL, 5, "no track 1", "history", "1", "--case", CASE);
	fails(p, NULL, 2, "expected a number", "history", "x");
	fails(p, NULL, 2, "history", "history");
	fails(p, NULL, 2, "--case: missing", "history", "1", "--board", "det");
	fails(p, NULL, 2, "case", "history", "1", "--case", "nonsense");
	fails(p, NULL, 2, "--from", "history", "1", "--case", CASE, "--from", "-1");
	fails(p, NULL, 2, "from", "history", "1", "--case", CASE, "--from", "5", "--until", "4");
	fails(p, NULL, 2, "--last", "history", "1", "--case", CASE, "--last", "9999999");
}

static void the_reference(void **state)
{
	struct place *p = *state;
	json_t *o;

	fake_announce(p->f, false);
	prints(p, NULL, "there is no reference\n", "reference");
	fails(p, p->admin, 2, "needs --kernel", "reference", "set");
	fails(p, p->admin, 2, "needs --case", "reference", "set", "--kernel", TREE "#" COMMIT);
	fails(p, p->admin, 2, "a whole commit id", "reference", "set", "--kernel", TREE "#v6.12",
	      "--case", CASE);
	fails(p, p->admin, 2, "cases[0]", "reference", "set", "--kernel", TREE "#" COMMIT, "--case",
	      "nonsense");
	fails(p, p->submit, 4, "", "reference", "set", "--kernel", TREE "#" COMMIT, "--case", CASE);
	prints(p, p->admin, "reference 1: " TREE "#012345678901 on all boards, from 02:00 UTC",
	       "reference", "set", "--kernel", TREE "#" COMMIT ",config=contpte-y", "--case", CASE);
	prints(p, p->admin, "reference 2: " TREE "#012345678901 on det*, from 05:00 UTC",
	       "reference", "set", "--kernel", TREE "#" COMMIT, "--case", CASE, "--board", "det*",
	       "--hour", "5");
	prints(p, NULL, "det    ", "reference", "show");
	json_of(p, NULL, &o, "reference");
	assert_int_equal(json_array_size(at(o, "references")), 2);
	assert_int_equal(int_at(o, "boards.0.reference"), 2);
	json_decref(o);
	prints(p, p->admin, ", ended\n", "reference", "end");
	fails(p, p->admin, 5, "for all boards", "reference", "end");
	prints(p, p->admin, ", ended\n", "reference", "end", "--board", "det*");
	fails(p, NULL, 2, "expected: foldwatch reference", "reference", "odd");
	prints(p, NULL, "there is no reference\n", "reference");
}

#define with(test) cmocka_unit_test_setup_teardown(test, place_setup, place_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {with(histories_of_a_track), with(the_reference)};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
