/* What is no listing of a known fault. */
#include "server/test/fake_agent.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DRIVER "warning:foo_probe:drivers/foo.c"
#define MM     "warning:copy_page_range:mm/memory.c"

static void refusals(void **state)
{
	static const struct {
		const char *body;
		int status;
		const char *code, *has;
	} rows[] = {
	        {"", 400, "input", "empty"},
	        {"[]", 400, "input", NULL},
	        {"{}", 400, "input", "signature: missing"},
	        {"{\"signature\":7,\"why\":\"x\",\"until\":\"U\"}", 400, "input", "signature"},
	        {"{\"signature\":\"" DRIVER "\",\"until\":\"U\"}", 400, "input", "why: missing"},
	        {"{\"signature\":\"" DRIVER "\",\"why\":\"\",\"until\":\"U\"}", 400, "input",
	         "why"},
	        {"{\"signature\":\"" DRIVER "\",\"why\":\" \",\"until\":\"U\"}", 400, "input",
	         "blanks"},
	        {"{\"signature\":\"" DRIVER "\",\"why\":\"a\\nb\",\"until\":\"U\"}", 400, "input",
	         "why"},
	        {"{\"signature\":\"" DRIVER "\",\"why\":\"x\"}", 400, "input", "until: missing"},
	        {"{\"signature\":\"" DRIVER "\",\"why\":\"x\",\"until\":\"soon\"}", 400, "input",
	         "until: expected YYYY-MM-DD"},
	        {"{\"signature\":\"" DRIVER "\",\"why\":\"x\",\"until\":\"2026-02-30\"}", 400,
	         "input", "there is no day"},
	        {"{\"signature\":\"" DRIVER "\",\"why\":\"x\",\"until\":\"-026-02-03\"}", 400,
	         "input", "until"},
	        {"{\"signature\":\"" DRIVER "\",\"why\":\"x\",\"until\":\"2001-01-01\"}", 422,
	         "unprocessable", "is over"},
	        {"{\"signature\":\"" DRIVER "\",\"why\":\"x\",\"until\":\"9999-01-01\"}", 422,
	         "unprocessable", "more than a year away"},
	        {"{\"signature\":\"" DRIVER "\",\"why\":\"x\",\"until\":\"U\",\"board\":\"\"}", 400,
	         "input", "board"},
	        {"{\"signature\":\"" DRIVER "\",\"why\":\"x\",\"until\":\"U\",\"boards\":\"x\"}",
	         400, "input", "boards"},
	        {"{\"signature\":\"" DRIVER "\",\"why\":\"x\",\"why\":\"y\",\"until\":\"U\"}", 400,
	         "input", NULL},
	        {"{\"signature\":\"\xff\",\"why\":\"x\",\"until\":\"U\"}", 400, "input", NULL},
	        {"{\"signature\":\"" MM "\",\"why\":\"x\",\"until\":\"U\"}", 422, "unprocessable",
	         "mm/"},
	        {"{\"signature\":\"warning:f:arch/arm64/mm/a.c\",\"why\":\"x\",\"until\":\"U\"}",
	         422, "unprocessable", "mm/"},
	        {"{\"signature\":\"warning:f:-\",\"why\":\"x\",\"until\":\"U\"}", 422,
	         "unprocessable", "unknown"},
	        {"{\"signature\":\"bad-page:f:kernel/a.c\",\"why\":\"x\",\"until\":\"U\"}", 422,
	         "unprocessable", "management"},
	        {"{\"signature\":\"oops:f:kernel/a.c\",\"why\":\"x\",\"until\":\"U\"}", 422,
	         "unprocessable", "cannot count"},
	        {"{\"signature\":\"nonsense\",\"why\":\"x\",\"until\":\"U\"}", 422, "unprocessable",
	         "KIND:FUNCTION:FILE"},
	};
	struct fake *f = *state;
	const char *admin = f->d->admin;
	json_t *o = NULL;
	char day[32], *huge;

	clock_iso(clock_wall_ms() + 30 * INT64_C(86400000), day, sizeof(day));
	day[10] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *u = strstr(rows[i].body, "\"U\"");
		char *body = u ? xasprintf("%.*s\"%s\"%s", (int)(u - rows[i].body), rows[i].body,
		                           day, u + 3)
		               : xstrdup(rows[i].body);

		expect_error(f->d, "POST", "/api/v1/faults", admin, body, rows[i].status,
		             rows[i].code, rows[i].has);
		free(body);
	}
	huge = xasprintf("{\"signature\":\"%09000d\",\"why\":\"x\",\"until\":\"%s\"}", 0, day);
	expect_error(f->d, "POST", "/api/v1/faults", admin, huge, 400, "input", "signature");
	free(huge);
	expect_error(f->d, "POST", "/api/v1/faults", NULL, "{}", 401, "auth", NULL);
	expect_error(f->d, "POST", "/api/v1/faults", f->submit, "{}", 403, "denied", NULL);
	expect_error(f->d, "DELETE", "/api/v1/faults/1", f->submit, NULL, 403, "denied", NULL);
	expect_error(f->d, "DELETE", "/api/v1/faults/1", admin, NULL, 404, "not_found", NULL);
	expect_error(f->d, "DELETE", "/api/v1/faults/x", admin, NULL, 404, "not_found", NULL);
	o = fake_get(f, "/api/v1/faults");
	assert_int_equal(json_array_size(at(o, "known")), 0);
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(refusals, fake_setup, fake_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
