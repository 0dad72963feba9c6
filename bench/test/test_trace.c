/* Calls of functions beside the time: the profiler's lines, and what windows come to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/test/emitted.h"
#include "bench/trace.h"
#include "lib/json.h"

#include <stdio.h>
#include <string.h>

static void lines(void **state)
{
	/* With the graph tracer, without it, of another CPU, and what is no count. */
	static const char *const text[] = {
	        "  Function                               Hit    Time            Avg             "
	        "s^2",
	        "  --------                               ---    ----            ---             "
	        "---",
	        "  contpte_set_ptes                      4096    81.92 us        0.020 us        "
	        "0.001 us",
	        "  __contpte_try_fold                       3",
	        "  contpte_set_ptes                         4",
	        "",
	        "   ",
	        "  contpte_set_ptes",
	        "  contpte_set_ptes                        -1",
	        "  contpte_set_ptes                        0x10",
	        "  contpte_set_ptes     99999999999999999999999",
	        "  a_function_with_a_name_that_is_longer_than_any_of_the_layer  1",
	};
	struct trace_counts c = {0};
	char line[64];

	(void)state;
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		trace_line(&c, text[i]);
	assert_int_equal(c.functions, 2);
	assert_string_equal(c.name[0], "contpte_set_ptes");
	assert_int_equal(c.hits[0], 4100);
	assert_string_equal(c.name[1], "__contpte_try_fold");
	assert_int_equal(c.hits[1], 3);
	for (int i = 2; i <= TRACE_FUNCTIONS; i++) {
		snprintf(line, sizeof(line), "  f%d 1", i);
		assert_false(c.full);
		trace_line(&c, line);
	}
	assert_true(c.full);
	assert_int_equal(c.functions, TRACE_FUNCTIONS);
}

static void read_edge(struct trace_counts *c, uint64_t set, uint64_t fold)
{
	char line[64];

	*c = (struct trace_counts){0};
	snprintf(line, sizeof(line), "  contpte_set_ptes %llu", (unsigned long long)set);
	trace_line(c, line);
	/* A function is listed from its first call on. */
	if (!fold)
		return;
	snprintf(line, sizeof(line), "  __contpte_try_fold %llu", (unsigned long long)fold);
	trace_line(c, line);
}

static void emit_it(const void *of, struct emit *e)
{
	trace_emit(of, e);
}

static json_t *emitted(const struct trace *of)
{
	return emitted_by(emit_it, of);
}

static void medians(void **state)
{
	static const uint64_t set[] = {16, 16, 17, 16, 4000};
	static struct trace_edges edges;
	struct trace t = {.tried = true, .edges = &edges};
	struct reason w = {""};
	uint64_t sum = 100;
	json_t *o, *calls;

	(void)state;
	for (int i = 0; i < TRACE_WINDOWS; i++) {
		read_edge(&edges.start, sum, i < 3 ? 0 : 3);
		sum += set[i];
		read_edge(&edges.stop, sum, i < 2 ? 0 : 3);
		assert_true(trace_take(&t, &w));
		sum += 50; /* between windows: of none */
	}
	o = emitted(&t);
	calls = json_object_get(o, "calls");
	assert_int_equal(json_int(calls, "windows", 0), 5);
	assert_int_equal(json_int(calls, "contpte_set_ptes", -1), 16);
	assert_int_equal(json_int(calls, "__contpte_try_fold", -1), 0);
	json_decref(o);
	edges.stop.unreadable = true;
	assert_false(trace_take(&t, &w));
	o = emitted(&t);
	assert_string_equal(json_str(json_object_get(o, "calls"), "why", ""),
	                    "the counts of functions cannot be read");
	json_decref(o);
	t = (struct trace){0};
	o = emitted(&t);
	assert_null(json_object_get(o, "calls"));
	json_decref(o);
}

/* Whatever this machine has: a reason, or windows; and everything off again. */
static void here(void **state)
{
	struct meter m;
	struct trace t;
	struct reason w = {""};

	(void)state;
	assert_true(meter_open(&m, METRIC_NS, &w));
	if (trace_open(&t, &m, &w)) {
		meter_start(&m);
		meter_stop(&m);
		trace_take(&t, &w);
	} else {
		assert_string_not_equal(t.why.text, "");
		print_message("%s\n", t.why.text);
	}
	trace_close(&t);
	trace_free(&t);
	assert_null(m.trace);
	meter_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(lines),
	        cmocka_unit_test(medians),
	        cmocka_unit_test(here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
