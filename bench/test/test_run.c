/* Whole runs in this process' children: order 0 in time works on any machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/bench.h"
#include "bench/folio.h"
#include "bench/suite.h"
#include "bench/table.h"
#include "lib/json.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE (4ul << 20)

struct result {
	struct plan plan;
	struct suite suite;
	char *text;
	size_t len;
};

/* Run a plan to its end by a clock of that tick; the lines are in r->text. */
static void run_ticked(struct result *r, const char *text, enum metric metric, uint64_t tick_ns)
{
	struct reason w = {""};

	memset(r, 0, sizeof(*r));
	assert_int_equal(plan_parse(&r->plan, "plan", text, strlen(text), &plan_preset, &w), 0);
	r->suite.plan = &r->plan;
	r->suite.metric = metric;
	r->suite.tick_ns = tick_ns;
	memcpy(r->suite.nonce, "0123456789abcdef", NONCE_SIZE);
	if (!suite_memory(&r->suite, &w) || !suite_run(&r->suite, &w))
		fail_msg("%s", w.text);
	assert_int_equal(emit_check(r->suite.out.data, r->suite.out.len), EMIT_WHOLE);
	r->text = strndup(r->suite.out.data, r->suite.out.len);
	r->len = r->suite.out.len;
}

static void run_plan(struct result *r, const char *text, enum metric metric)
{
	run_ticked(r, text, metric, 0);
}

static void release(struct result *r)
{
	suite_release(&r->suite);
	plan_release(&r->plan);
	free(r->text);
}

/* Line `n` (0 is begin) as JSON. */
static json_t *line_json(const struct result *r, size_t n)
{
	const char *at = r->text;
	struct why w = {0};
	json_t *json = NULL;
	size_t len;

	while (n--)
		at = strchr(at, '\n') + 1;
	len = (size_t)(strchr(at, '\n') - at);
	if (json_parse(at, len, 1 << 20, &json, &w) != OK)
		fail_msg("not JSON: %.*s", (int)len, at);
	return json;
}

/* Without the right to hold a CPU, on a machine that gives it to others in every window
 * of a run, or moves the run to another CPU behind whose list of pages one hides from
 * reclaim: the program's honest answer, and nothing that is looked at here. */
static bool is_busy(const json_t *run)
{
	return !strcmp(json_str(run, "state", ""), "invalid") &&
	       (strstr(json_str(run, "why", ""), "too busy to measure time") ||
	        strstr(json_str(run, "why", ""), "is not in swap"));
}

/* A plan of one run, again while the machine is too busy for it. NULL if it stays so;
 * the caller releases what it is given. */
static json_t *run_when_quiet(const char *text)
{
	for (int tries = 0; tries < 20; tries++) {
		struct result r;
		json_t *run;

		run_plan(&r, text, METRIC_NS);
		run = line_json(&r, 1);
		release(&r);
		if (!is_busy(run))
			return run;
		json_decref(run);
	}
	print_message("%s: not looked at, this machine was too busy 20 times\n", text);
	return NULL;
}

static void begin_says_who_answers(void **state)
{
	struct result r;
	json_t *begin, *end;

	(void)state;
	run_plan(&r, "fork/order=0,size=2M iterations=1 warmup=0", METRIC_NS);
	begin = line_json(&r, 0);
	assert_string_equal(json_str(begin, "type", ""), "begin");
	assert_int_equal(json_int(begin, "format", 0), 1);
	assert_string_equal(json_str(begin, "nonce", ""), "0123456789abcdef");
	assert_string_equal(json_str(begin, "metric", ""), "ns");
	assert_int_equal(json_int(begin, "page_size", 0), sysconf(_SC_PAGESIZE));
	assert_true(strlen(json_str(begin, "release", "")) > 0);
	end = line_json(&r, 2);
	assert_string_equal(json_str(end, "type", ""), "end");
	assert_int_equal(json_int(end, "runs", 0), 1);
	json_decref(begin);
	json_decref(end);
	release(&r);
}

static void order_0_runs_anywhere(void **state)
{
	static const char plan[] = "fork/order=0,size=4M runs=2 iterations=3 warmup=1\n"
	                           "munmap/order=0,size=4M iterations=3 warmup=2\n"
	                           "mremap/order=0,size=4M,skew=4K iterations=4 warmup=0\n"
	                           "mremap/order=0,size=4M,align=64K iterations=3 warmup=1\n"
	                           "mremap/order=0,size=4M,align=2M iterations=3 warmup=1\n";
	static const struct {
		const char *text;
		int run, samples;
	} expected[] = {
	        {"fork/order=0,size=4M", 0, 4},
	        {"fork/order=0,size=4M", 1, 4},
	        {"munmap/order=0,size=4M", 0, 5},
	        {"mremap/order=0,size=4M,skew=4K", 0, 4},
	        {"mremap/order=0,size=4M,align=64K", 0, 4},
	        {"mremap/order=0,size=4M,align=2M", 0, 4},
	};
	bool busy = false;
	struct result r;

	(void)state;
	run_plan(&r, plan, METRIC_NS);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		json_t *run = line_json(&r, i + 1), *samples, *evidence, *one;
		size_t k;

		assert_string_equal(json_str(run, "case", ""), expected[i].text);
		assert_int_equal(json_int(run, "run", -1), expected[i].run);
		if (is_busy(run)) {
			busy = true;
			json_decref(run);
			continue;
		}
		if (strcmp(json_str(run, "state", ""), "valid"))
			fail_msg("%s: %s: %s", expected[i].text, json_str(run, "state", ""),
			         json_str(run, "why", ""));
		samples = json_object_get(run, "samples");
		assert_int_equal(json_array_size(samples), expected[i].samples);
		/* A real call took some time, and less than a minute. */
		json_array_foreach (samples, k, one) {
			assert_true(json_integer_value(one) > 100);
			assert_true(json_integer_value(one) < 60000000000);
		}
		evidence = json_object_get(run, "evidence");
		assert_int_equal(json_int(evidence, "folios", 0),
		                 SIZE / (size_t)sysconf(_SC_PAGESIZE));
		assert_int_equal(json_int(evidence, "vmas", 0), 1);
		assert_int_equal(json_int(evidence, "anon_huge_kb", -1), 0);
		json_decref(run);
	}
	release(&r);
	if (busy)
		skip();
}

/* The other operations, each on what it does to pages and VMAs, with the number of
 * calls in one window. */
static void operations_run_anywhere(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const long pages = (long)(SIZE / page), blocks = (long)(SIZE / block_bytes(page));
	const struct {
		const char *text;
		long batch;
	} expected[] = {
	        {"fork/order=0,size=4M,fill=anon", 1},
	        {"munmap/order=0,size=4M,block=4K", blocks},
	        {"munmap/order=0,size=4M,block=60K", blocks},
	        {"munmap/order=0,size=4M,block=64K", blocks},
	        {"exit/order=0,size=4M", 1},
	        {"dontneed/order=0,size=4M,mode=whole", 1},
	        {"dontneed/order=0,size=4M,mode=each-page", pages},
	        {"dontneed/order=0,size=4M,block=4K", blocks},
	        {"dontneed/order=0,size=4M,block=60K", blocks},
	        {"mprotect/order=0,size=4M,mode=ro", 1},
	        {"mprotect/order=0,size=4M,mode=rw", 1},
	        {"mprotect/order=0,size=4M,block=4K", blocks},
	        {"mprotect/order=0,size=4M,block=64K", blocks},
	        {"split/order=0,size=4M,mode=mlock", blocks},
	        {"split/order=0,size=4M,mode=dontfork", blocks},
	        {"cow/order=0,size=4M,mode=alive", pages},
	        {"cow/order=0,size=4M,mode=gone", pages},
	        {"walk/order=0,size=4M,mode=pagemap", 1},
	        {"walk/order=0,size=4M,mode=smaps", 1},
	        {"walk/order=0,size=4M,mode=mincore", 1},
	        {"refs/order=0,size=4M,mode=clear", 1},
	        {"refs/order=0,size=4M,mode=retouch", pages},
	        {"reads/order=0,size=4M", pages},
	        {"moved/order=0,size=4M,skew=4K,mode=fork", 1},
	        {"moved/order=0,size=4M,skew=4K,mode=reads", pages},
	        {"moved/order=0,size=4M,align=64K,mode=fork", 1},
	        {"mremap/order=0,size=4M,align=32M", 1},
	        {"mremap/order=0,size=4M,skew=68K", 1},
	};
	const size_t count = sizeof(expected) / sizeof(expected[0]);
	bool busy = false;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		char plan[128];
		json_t *run, *evidence;

		snprintf(plan, sizeof(plan), "%s iterations=2 warmup=1", expected[i].text);
		run = run_when_quiet(plan);
		if (!run) {
			busy = true;
			continue;
		}
		assert_string_equal(json_str(run, "case", ""), expected[i].text);
		if (strcmp(json_str(run, "state", ""), "valid"))
			fail_msg("%s: %s: %s", expected[i].text, json_str(run, "state", ""),
			         json_str(run, "why", ""));
		assert_int_equal(json_array_size(json_object_get(run, "samples")), 3);
		assert_int_equal(json_int(run, "batch", 0), expected[i].batch);
		evidence = json_object_get(run, "evidence");
		assert_int_equal(json_int(evidence, "folios", 0), pages);
		assert_int_equal(json_int(evidence, "vmas", 0), 1);
		json_decref(run);
	}
	if (busy)
		skip();
}

static void windows_follow_the_ticks(void **state)
{
	(void)state;
	assert_int_equal(meter_windows(40000, 40), 1);
	assert_int_equal(meter_windows(39999, 40), 2);
	assert_int_equal(meter_windows(13334, 40), 3);
	assert_int_equal(meter_windows(13333, 40), 4);
	assert_int_equal(meter_windows(400, 40), 100);
	assert_int_equal(meter_windows(40, 40), METER_WINDOWS);
	assert_int_equal(meter_windows(1, 40), METER_WINDOWS);
	assert_int_equal(meter_windows(0, 40), METER_WINDOWS);
	assert_true(meter_tick_ns() > 0);
}

/* A coarse clock: 1,000 of its ticks are longer than the call. The same case by
 * the clock as it is has samples of one window. */
static void short_calls_are_summed(void **state)
{
	static const char plan[] = "mremap/order=0,size=1M,skew=4K runs=2 iterations=3 warmup=1\n";
	bool busy = false;
	struct result r;

	(void)state;
	for (int coarse = 0; coarse < 2; coarse++) {
		uint64_t tick = coarse ? 10000 : 1;

		run_ticked(&r, plan, METRIC_NS, tick);
		for (size_t i = 1; i <= 2; i++) {
			json_t *run = line_json(&r, i), *samples, *one;
			long windows = (long)json_int(run, "windows", 0);
			size_t k;

			if (is_busy(run)) {
				busy = true;
				json_decref(run);
				continue;
			}
			assert_string_equal(json_str(run, "state", ""), "valid");
			samples = json_object_get(run, "samples");
			assert_int_equal(json_array_size(samples), 4);
			assert_int_equal(json_int(run, "batch", 0), windows);
			assert_true(coarse ? windows > 1 && windows <= METER_WINDOWS
			                   : windows == 1);
			/* The shortest of four decided: later ones are not ten times as short. */
			json_array_foreach (samples, k, one) {
				assert_true(json_integer_value(one) > 100 * (json_int_t)tick);
			}
			json_decref(run);
		}
		release(&r);
	}
	if (busy)
		skip();
}

/* What needs swap, KSM or root works or says what is missing: never a number that
 * nothing stands behind. */
static void the_rest_runs_or_says_why(void **state)
{
	static const char *const texts[] = {
	        "fork/order=0,size=4M,fill=file",
	        "fork/order=9,size=2M,fill=file", /* no folio would be left */
	        "exit/order=4,size=4M",
	        "pageout/order=0,size=4M,mode=out",
	        "pageout/order=0,size=4M,mode=in",
	        "ksm/order=0,size=4M",
	};
	const size_t count = sizeof(texts) / sizeof(texts[0]);
	bool busy = false;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		char plan[128];
		json_t *run;
		bool valid;

		snprintf(plan, sizeof(plan), "%s iterations=1 warmup=1", texts[i]);
		run = run_when_quiet(plan);
		if (!run) {
			busy = true;
			continue;
		}
		valid = !strcmp(json_str(run, "state", ""), "valid");
		if (!valid && strcmp(json_str(run, "state", ""), "skip") != 0)
			fail_msg("%s: %s: %s", texts[i], json_str(run, "state", ""),
			         json_str(run, "why", ""));
		if (valid)
			assert_int_equal(json_array_size(json_object_get(run, "samples")), 2);
		else
			assert_true(strlen(json_str(run, "why", "")) > 10);
		json_decref(run);
	}
	if (busy)
		skip();
}

static uint64_t least_sample(const json_t *run)
{
	const json_t *samples = json_object_get(run, "samples");
	uint64_t least = UINT64_MAX;

	assert_true(json_array_size(samples) > 0);
	for (size_t i = 0; i < json_array_size(samples); i++) {
		uint64_t v = (uint64_t)json_integer_value(json_array_get(samples, i));

		least = v < least ? v : least;
	}
	return least;
}

/* A child that works for a while before it ends: no window may have that in it. */
static void child_is_not_in_the_window(void **state)
{
	static const char plan[] = "fork/order=0,size=2M iterations=5 warmup=1";
	struct result r;
	json_t *run;

	(void)state;
	setenv("FOLDBENCH_CHILD_SPIN", "100000000", 1); /* 50 ms and more */
	run = run_when_quiet(plan);
	unsetenv("FOLDBENCH_CHILD_SPIN");
	if (!run)
		skip();
	assert_string_equal(json_str(run, "state", ""), "valid");
	assert_true(least_sample(run) < 20000000);
	json_decref(run);

	setenv("FOLDBENCH_CHILD_SPIN", "many", 1);
	run_plan(&r, plan, METRIC_NS);
	unsetenv("FOLDBENCH_CHILD_SPIN");
	run = line_json(&r, 1);
	assert_string_equal(json_str(run, "state", ""), "skip");
	json_decref(run);
	release(&r);
}

/* Without the counter: a skip with its reason for every run, never a number. */
static void no_counter_is_a_skip(void **state)
{
	struct reason w = {""};
	struct result r;
	struct meter m;
	bool have = meter_open(&m, METRIC_INSTRUCTIONS, &w);

	(void)state;
	if (have)
		meter_close(&m);
	run_plan(&r, "fork/order=0,size=2M runs=2\nmunmap/order=0,size=2M", METRIC_INSTRUCTIONS);
	for (size_t i = 1; i <= 3; i++) {
		json_t *run = line_json(&r, i);

		assert_string_equal(json_str(run, "state", ""), have ? "valid" : "skip");
		if (!have) {
			assert_true(strlen(json_str(run, "why", "")) > 10);
			assert_null(json_object_get(run, "samples"));
		} else {
			assert_true(least_sample(run) > 1000);
		}
		json_decref(run);
	}
	release(&r);
}

/* Words that are nothing, or another case, with pages of this size. */
static void what_cannot_be_is_skipped(void **state)
{
	static const struct {
		const char *text, *why; /* with pages of 4K; NULL: of all sizes */
	} rows[] = {
	        {"mremap/order=9,size=1M,skew=4K", NULL},
	        {"munmap/order=0,size=2M,block=68K",
	         "block=68K is no part of a block in whole pages: a page is 4K here, a block 64K"},
	        {"moved/order=0,size=2M,skew=128K,mode=fork",
	         "skew=128K is a multiple of a block, 64K here: what is congruent modulo a block "
	         "is asked for by align="},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool told = rows[i].why && sysconf(_SC_PAGESIZE) == 4096;
		struct result r;
		json_t *run;

		run_plan(&r, rows[i].text, METRIC_NS);
		run = line_json(&r, 1);
		if (told || !rows[i].why)
			assert_string_equal(json_str(run, "state", ""), "skip");
		if (told)
			assert_string_equal(json_str(run, "why", ""), rows[i].why);
		json_decref(run);
		release(&r);
	}
}

static void stops_at_a_signal(void **state)
{
	volatile sig_atomic_t stop = 1;
	struct suite s = {.metric = METRIC_NS, .stop = &stop, .nonce = "0123456789abcdef"};
	struct reason w = {""};
	struct plan p;

	(void)state;
	assert_int_equal(plan_parse(&p, "plan", "fork/order=0", 12, &plan_preset, &w), 0);
	s.plan = &p;
	assert_true(suite_memory(&s, &w));
	assert_false(suite_run(&s, &w));
	assert_string_equal(w.text, "stopped by a signal after 0 of 1 runs");
	/* What is there has no end: nobody can take it for a result. */
	assert_int_equal(emit_check(s.out.data, s.out.len), EMIT_TORN);
	suite_release(&s);
	plan_release(&p);
}

static void refuses_a_plan_of_gigabytes(void **state)
{
	static const char text[] = "fork/order=0 runs=1000 iterations=100000";
	struct suite s = {0};
	struct reason w = {""};
	struct plan p;

	(void)state;
	assert_int_equal(plan_parse(&p, "plan", text, strlen(text), &plan_preset, &w), 0);
	s.plan = &p;
	assert_false(suite_memory(&s, &w));
	assert_non_null(strstr(w.text, "MiB"));
	plan_release(&p);
}

/* The program for a run cannot be started, or dies: invalid, and no half line. */
static void a_run_that_dies_is_invalid(void **state)
{
	static const struct {
		const char *self, *why;
	} dead[] = {
	        {"/nonexistent/foldbench", "the run's process could not be started"},
	        {"/bin/false", "the run's process exited with 1 and no result"},
	        {"/bin/true", "the run's process exited with 0 and no result"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(dead) / sizeof(dead[0]); i++) {
		struct suite s = {
		        .metric = METRIC_NS, .self = dead[i].self, .nonce = "0123456789abcdef"};
		struct reason w = {""};
		struct plan p;

		assert_int_equal(plan_parse(&p, "plan", "fork/order=0", 12, &plan_preset, &w), 0);
		s.plan = &p;
		assert_true(suite_memory(&s, &w));
		assert_true(suite_run(&s, &w));
		assert_int_equal(emit_check(s.out.data, s.out.len), EMIT_WHOLE);
		assert_non_null(memmem(s.out.data, s.out.len, dead[i].why, strlen(dead[i].why)));
		assert_non_null(memmem(s.out.data, s.out.len, "\"state\":\"invalid\"", 17));
		suite_release(&s);
		plan_release(&p);
	}
}

static void tables(void **state)
{
	static const char text[] =
	        "{\"type\":\"begin\",\"format\":1}\n"
	        "{\"type\":\"run\",\"case\":\"fork/"
	        "order=0\",\"run\":0,\"state\":\"valid\",\"metric\":"
	        "\"ns\",\"unit\":\"ns\",\"warmup\":1,\"samples\":[9999,30,10,20,40]}\n"
	        "{\"type\":\"run\",\"case\":\"fork/"
	        "order=4\",\"run\":0,\"state\":\"skip\",\"why\":\"no "
	        "\\\"x\\\"\"}\n";
	char out[1024] = "";
	FILE *f = fmemopen(out, sizeof(out), "w");

	(void)state;
	assert_non_null(f);
	table_print(f, text, sizeof(text) - 1);
	fclose(f);
	assert_non_null(strstr(out, "             25             10             40  ns\n"));
	assert_non_null(strstr(out, "skip: no \"x\"\n"));
	assert_null(strstr(out, "9999"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(begin_says_who_answers),
	        cmocka_unit_test(order_0_runs_anywhere),
	        cmocka_unit_test(operations_run_anywhere),
	        cmocka_unit_test(the_rest_runs_or_says_why),
	        cmocka_unit_test(windows_follow_the_ticks),
	        cmocka_unit_test(short_calls_are_summed),
	        cmocka_unit_test(child_is_not_in_the_window),
	        cmocka_unit_test(no_counter_is_a_skip),
	        cmocka_unit_test(what_cannot_be_is_skipped),
	        cmocka_unit_test(stops_at_a_signal),
	        cmocka_unit_test(refuses_a_plan_of_gigabytes),
	        cmocka_unit_test(a_run_that_dies_is_invalid),
	        cmocka_unit_test(tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
