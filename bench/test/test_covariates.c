/* Counters beside the time: what a group's readings come to, and what is dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/covariates.h"
#include "bench/test/emitted.h"
#include "lib/json.h"

#include <stdlib.h>
#include <string.h>

#define WHOLE(n) ((int64_t)((3 + (n)) * sizeof(uint64_t)))

static struct meter_page page;
static struct meter meter = {.metric = METRIC_NS, .fd = -1, .group = -1, .page = &page};

static void window(uint64_t one, uint64_t two)
{
	page.counts_start = (struct meter_counts){.events = 2,
	                                          .enabled_ns = 100,
	                                          .running_ns = 100,
	                                          .value = {1000, 5000},
	                                          .got = WHOLE(2)};
	page.counts_stop = (struct meter_counts){.events = 2,
	                                         .enabled_ns = 300,
	                                         .running_ns = 300,
	                                         .value = {1000 + one, 5000 + two},
	                                         .got = WHOLE(2)};
}

static void counted(void **state)
{
	uint64_t value[METER_COUNTERS];
	struct reason w = {""};

	(void)state;
	window(70, 9);
	assert_true(meter_counts(&meter, value, 2, &w));
	assert_int_equal(value[0], 70);
	assert_int_equal(value[1], 9);
	page.counts_stop.running_ns = 250;
	assert_false(meter_counts(&meter, value, 2, &w));
	assert_string_equal(w.text, "the counters were multiplexed: they ran 250 of 300 ns");
	window(70, 9);
	page.counts_stop.got = 0; /* end of file: the pinned group lost its counters */
	assert_false(meter_counts(&meter, value, 2, &w));
	assert_non_null(strstr(w.text, "taken away"));
	window(70, 9);
	page.counts_start.got = WHOLE(1);
	assert_false(meter_counts(&meter, value, 2, &w));
	window(70, 9);
	page.counts_stop.value[1] = 4999;
	assert_false(meter_counts(&meter, value, 2, &w));
	assert_string_equal(w.text, "counter 1 ran backwards");
}

static void emit_it(const void *of, struct emit *e)
{
	covariates_emit(of, e);
}

static json_t *emitted(const struct covariates *of)
{
	return emitted_by(emit_it, of);
}

static void medians(void **state)
{
	struct covariates c = {
	        .meter = &meter, .tried = true, .events = 2, .which = {0, 1}, .empty = {10, 100}};
	static const uint64_t took[] = {70, 75, 71, 900, 72};
	struct reason w = {""};
	json_t *o;

	(void)state;
	for (size_t i = 0; i < sizeof(took) / sizeof(took[0]); i++) {
		window(took[i], 40); /* less than an empty window: 0, never below */
		assert_true(covariates_take(&c, &w));
	}
	o = emitted(&c);
	assert_int_equal(json_int(json_object_get(o, "covariates"), "windows", 0), 5);
	assert_int_equal(json_int(json_object_get(o, "covariates"), "instructions", -1), 62);
	assert_int_equal(json_int(json_object_get(o, "covariates"), "cycles", -1), 0);
	assert_null(json_object_get(json_object_get(o, "covariates"), "dtlb_walks"));
	json_decref(o);
	/* One window that had to share drops them all. */
	window(70, 9);
	page.counts_stop.running_ns = 1;
	assert_false(covariates_take(&c, &w));
	o = emitted(&c);
	assert_null(json_object_get(json_object_get(o, "covariates"), "instructions"));
	assert_non_null(
	        strstr(json_str(json_object_get(o, "covariates"), "why", ""), "multiplexed"));
	json_decref(o);
	c = (struct covariates){0};
	o = emitted(&c);
	assert_null(json_object_get(o, "covariates"));
	json_decref(o);
}

/* Whatever this machine has: numbers or a reason, and the clock again afterwards. */
static void here(void **state)
{
	struct covariates c;
	struct reason w = {""};
	struct meter m;
	uint64_t value;

	(void)state;
	assert_true(meter_open(&m, METRIC_NS, &w));
	if (covariates_open(&c, &m, &w)) {
		meter_start(&m);
		meter_stop(&m);
		covariates_take(&c, &w);
		covariates_close(&c);
	} else {
		assert_string_not_equal(c.why.text, "");
		print_message("%s\n", c.why.text);
	}
	assert_int_equal(m.group, -1);
	meter_start(&m);
	meter_stop(&m);
	assert_true(meter_value(&m, &value, &w));
	meter_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(counted),
	        cmocka_unit_test(medians),
	        cmocka_unit_test(here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
