/* foldwatch faults against the real server, and where else a fault is shown. */
#include "cli/test/place.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIGNATURE "warning:foo_probe:drivers/foo.c"
#define WHY       "--why", "bug 123"
#define UNTIL     "--until", day

static void faults_are_listed_and_ended(void **state)
{
	struct place *p = *state;
	json_t *faults = json_pack(
	        "[{s:i,s:s,s:s,s:s,s:b}]", "line", 1, "kind", "warning", "function", "foo_probe",
	        "text", "WARNING: CPU: 0 PID: 1 at drivers/foo.c:9 foo_probe+0x4/0x60", "fatal", 0);
	char day[32], *n;
	struct ran r;
	json_t *o;
	int64_t sub;

	clock_iso(clock_wall_ms() + INT64_C(86400000), day, sizeof(day));
	day[10] = '\0';
	fake_announce(p->f, false);
	p->f->faults = faults;
	p->f->fault_console = p->f->console;
	p->f->bad_kernel = "slow";
	p->f->bad_boots = -1;
	sub = submitted(p);
	finish(p, sub, "done");
	n = number(sub);

	cli(&r, p, NULL, "faults");
	expect_out(&r, SIGNATURE);
	expect_out(&r, "drivers/foo.c:9");
	ran_release(&r);
	cli(&r, p, NULL, "status", n);
	expect_out(&r, "boot slow on det, phase 0");
	expect_out(&r, "[" SIGNATURE "]");
	ran_release(&r);
	json_of(p, NULL, &o, "compare", n);
	assert_string_equal(str_at(o, "thrown_out.0.signature"), SIGNATURE);
	{
		char *boot = number(int_at(o, "thrown_out.0.boot"));
		json_t *log;

		cli(&r, p, NULL, "log", "--boot", boot);
		expect_out(&r, "Linux version");
		assert_string_equal(r.err, "foldwatch: line 1: " SIGNATURE " at drivers/foo.c:9\n");
		ran_release(&r);
		json_of(p, NULL, &log, "log", "--boot", boot);
		assert_string_equal(str_at(log, "faults.0.signature"), SIGNATURE);
		json_decref(log);
		free(boot);
	}
	json_decref(o);

	fails(p, NULL, 2, "expected: foldwatch faults", "faults", "nonsense");
	fails(p, NULL, 2, "expected: foldwatch faults", "faults", "known");
	fails(p, p->admin, 2, "needs --why", "faults", "known", SIGNATURE, UNTIL);
	fails(p, p->admin, 2, "needs --until", "faults", "known", SIGNATURE, WHY);
	fails(p, p->admin, 2, "go with \"faults known\"", "faults", "end", "1", WHY);
	fails(p, p->admin, 2, "YYYY-MM-DD", "faults", "known", SIGNATURE, WHY, "--until", "soon");
	fails(p, p->admin, 2, "never a known one", "faults", "known",
	      "warning:copy_page_range:mm/memory.c", WHY, UNTIL);
	fails(p, p->submit, 4, "admin", "faults", "known", SIGNATURE, WHY, UNTIL);
	fails(p, p->admin, 5, "no known fault 7", "faults", "end", "7");
	fails(p, p->admin, 2, "expected a number", "faults", "end", "x");

	prints(p, p->admin, "known fault 1: its boots count until", "faults", "known", SIGNATURE,
	       WHY, UNTIL, "--board", "d*", "--branch", "*");
	cli(&r, p, NULL, "faults", "list");
	expect_out(&r, day);
	expect_out(&r, "bug 123");
	ran_release(&r);
	do {
		json_of(p, NULL, &o, "compare", n);
		if (int_at(o, "cells.0.boots") == 8)
			break;
		json_decref(o);
		sleep_ms(20);
	} while (true);
	assert_non_null(strstr(str_at(o, "cells.0.footnotes.0"), SIGNATURE));
	json_decref(o);
	prints(p, NULL, "Known fault: ", "compare", n, "--table", "reply");
	prints(p, p->admin, "known fault 1 is ended", "faults", "end", "1");
	fails(p, p->admin, 6, "ended already", "faults", "end", "1");
	json_of(p, NULL, &o, "faults");
	assert_string_equal(str_at(o, "known.0.state"), "ended");
	json_decref(o);
	free(n);
	json_decref(faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(faults_are_listed_and_ended, place_setup,
	                                        place_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
