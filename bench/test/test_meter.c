/* The counter around a window: empty windows, and counters that were shared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/bench.h"

#include <string.h>

static void empty_windows(void **state)
{
	struct reason w = {""};
	struct meter m;
	uint64_t v;

	(void)state;
	assert_true(meter_open(&m, METRIC_NS, &w));
	assert_true(meter_calibrate(&m, &w));
	assert_true(m.empty < 1000000);
	meter_start(&m);
	meter_stop(&m);
	assert_true(meter_value(&m, &v, &w));
	/* A counter that runs backwards is no sample. */
	m.page->start.value = m.page->stop.value + 1;
	assert_false(meter_value(&m, &v, &w));
	/* Less than the empty window is nothing, not a wrapped number. */
	m.page->start.value = m.page->stop.value;
	m.empty = 50;
	assert_true(meter_value(&m, &v, &w));
	assert_int_equal(v, 0);
	meter_close(&m);
}

/* The readings of a shared counter, as the kernel would give them. */
static void a_shared_counter_is_invalid(void **state)
{
	struct meter_page page = {
	        .start = {.value = 10, .enabled_ns = 5, .running_ns = 5, .got = 24},
	        .stop = {.value = 90, .enabled_ns = 50, .running_ns = 50, .got = 24},
	};
	struct meter m = {.metric = METRIC_INSTRUCTIONS, .fd = -1, .page = &page, .empty = 30};
	struct reason w = {""};
	uint64_t v;

	(void)state;
	assert_true(meter_value(&m, &v, &w));
	assert_int_equal(v, 50);
	page.stop.running_ns = 49;
	assert_false(meter_value(&m, &v, &w));
	assert_non_null(strstr(w.text, "multiplexed: it ran 49 of 50 ns"));
	page.stop.running_ns = 50;
	page.stop.got = 0;
	assert_false(meter_value(&m, &v, &w));
	assert_non_null(strstr(w.text, "taken away"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(empty_windows),
	        cmocka_unit_test(a_shared_counter_is_invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
