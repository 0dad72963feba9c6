/* Samples, and foldbench's lines of runs: however they are written. */
#include "lib/buf.h"
#include "lib/hash.h"
#include "lib/mem.h"
#include "server/result.h"
#include "server/samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void samples_come_back(void **state)
{
	static const int64_t v[] = {0, 1, INT64_MAX, 812345, 812345, 812001};
	struct zst_packer *z = samples_packer();
	struct pool *p = pool_new();
	const void *packed;
	int64_t *back;
	size_t len, n;
	struct run_row r = {0};
	struct why w;

	(void)state;
	assert_int_equal(samples_pack(z, p, v, ARRAY_SIZE(v), &packed, &len, &w), OK);
	assert_int_equal(samples_unpack(p, packed, len, &back, &n, &w), OK);
	assert_int_equal(n, ARRAY_SIZE(v));
	assert_memory_equal(back, v, sizeof(v));
	assert_int_not_equal(samples_unpack(p, packed, len - 1, &back, &n, &w), OK);
	samples_number((int64_t[]){100, 1, 2, 3, 10}, 5, 1, &r);
	assert_int_equal(r.iterations, 4);
	assert_true(r.median == 2.5 && r.mean == 4.0);
	assert_true(r.sd > 4.08 && r.sd < 4.09);
	zst_packer_free(z);
	pool_free(p);
}

#define BEGIN                                                                      \
	"{\"type\":\"begin\",\"format\":1,\"nonce\":\"0123456789abcdef\","         \
	"\"build_id\":\"abcd\",\"metric\":\"ns\",\"cmdline\":\"a foldwatch.nonce=" \
	"0123456789abcdef foldwatch.phase=0007 b\"}\n"

/* `run`: so many lines of runs, without the last one's newline. */
static enum err read_many(struct pool *p, const char *run, int count, struct boot *b, struct why *w)
{
	const struct result_want want = {.metric = "ns"};
	char *lines = xasprintf(BEGIN "%s\n", run), *all;
	const char *torn = NULL;
	enum err e;

	all = xasprintf("%s{\"type\":\"end\",\"runs\":%d,\"bytes\":%zu,\"crc32\":\"%08x\"}\n",
	                lines, count, strlen(lines), crc32_add(0, lines, strlen(lines)));
	e = result_read(p, all, strlen(all), &want, b, NULL, &torn, w);
	assert_null(torn);
	free(lines);
	free(all);
	return e;
}

static enum err read_lines(struct pool *p, const char *run, struct boot *b, struct why *w)
{
	return read_many(p, run, 1, b, w);
}

/* However the samples are written, they are read alike. */
static void samples_in_lines(void **state)
{
#define RUN(rest)                                                                             \
	"{\"type\":\"run\",\"case\":\"fork/order=0,size=16M\",\"run\":0,\"state\":\"valid\"," \
	"\"metric\":\"ns\",\"unit\":\"ns\",\"better\":\"less\",\"warmup\":1," rest "}"
	static const struct {
		const char *line, *says; /* NULL: read */
	} rows[] = {
	        {RUN("\"samples\":[5,1,2,3]"), NULL},
	        {RUN("\"samples\" : [ 5 , 1, 2 ,3 ]"), NULL},
	        {RUN("\"samples\":[5,1,2,3],\"evidence\":{\"samples\":[9,9]}"), NULL},
	        {RUN("\"evidence\":{\"samples\":[9,9]},\"samples\":\t[5,1,2,3]"), NULL},
	        {RUN("\"evidence\":{\"why\":\"\\\"samples\\\":[9]\"},\"samples\":[5,1,2,3]"), NULL},
	        {RUN("\"evidence\":{\"samples\":[9,9]}"), "samples: missing"},
	        {RUN("\"samples\":[5,1,02,3]"), "result:2"},
	        {RUN("\"samples\":[5,1,2,]"), "result:2"},
	        {RUN("\"samples\":[5,1,-2,3]"), "samples[2]"},
	        {RUN("\"samples\":[5,1,2.0,3]"), "samples[2]"},
	        {RUN("\"samples\":[5,1,1e3,3]"), "samples[2]"},
	        {RUN("\"samples\":[5,1,99999999999999999999,3]"), "result:2"},
	        {RUN("\"samples\":[]"), "samples"},
	        {RUN("\"samples\":[5]"), "samples"},
	        {RUN("\"samples\":7"), "samples"},
	        {RUN("\"samples\":[5,1],\"samples\":[5,1]"), "result:2"},
	        {RUN("\"\\u0073amples\":[5],\"x\":{\"samples\":[5,1,2,3]}"), "samples"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pool *p = pool_new();
		struct boot b = boot_blank();
		struct why w = {""};
		enum err e = read_lines(p, rows[i].line, &b, &w);

		if (rows[i].says) {
			if (e != ERR_UNPROCESSABLE || !strstr(w.text, rows[i].says))
				fail_msg("%s: %d %s", rows[i].line, e, w.text);
		} else {
			if (e != OK)
				fail_msg("%s: %s", rows[i].line, w.text);
			assert_int_equal(b.runs.count, 1);
			assert_int_equal(b.runs.at[0].count, 4);
			assert_true(b.runs.at[0].median == 2.0);
		}
		pool_free(p);
	}
	{
		struct pool *p = pool_new();
		struct boot b = boot_blank();
		struct why w;

		/* eighteen digits are read at once, nineteen by the JSON reader */
		assert_int_equal(read_lines(p,
		                            RUN("\"samples\":[1,999999999999999999,"
		                                "9223372036854775807]"),
		                            &b, &w),
		                 OK);
		assert_int_equal(b.runs.at[0].count, 3);
		pool_free(p);
	}
}

/* What stands in the line is what is kept, compact, whoever reads it. */
static void evidence_in_lines(void **state)
{
	static const struct {
		const char *line, *kept; /* NULL: refused */
	} rows[] = {
	        {"{\"a\":1,\"b\":-7,\"c\":true,\"d\":null,\"e\":\"x y\"}", NULL},
	        {"{}", NULL},
	        {"{ \"a\": 1 , \"b\" : false }", "{\"a\":1,\"b\":false}"},
	        {"{\"a\":{\"b\":[1,2]},\"c\":3}", NULL},
	        {"{\"a\":\"\\u0041\"}", "{\"a\":\"A\"}"},
	        {"{\"a\":0,\"b\":123456789012345678,\"c\":1234567890123456789}", NULL},
	        {"{\"a\":1.5}", NULL},
	        {"{\"\":\"\"}", NULL},
	        {"{\"a\":-0}", "{\"a\":0}"},
	        {"{\"a\":1,\"a\":1}", ""},
	        {"{\"a\":01}", ""},
	        {"{\"a\":-}", ""},
	        {"{\"a\":tru}", ""},
	        {"{\"a\":truex}", ""},
	        {"{\"a\":1,}", ""},
	        {"{\"a\" 1}", ""},
	        {"{a:1}", ""},
	        {"{\"a\":1", ""},
	        {"{\"a\":1}}", ""},
	        {"{\"a\":1},\"evidence\":{\"a\":1}", ""},
	        {"[1]", ""},
	        {"7", ""},
	};
	static const char *const forms[] = {
	        RUN("\"samples\":[5,1,2,3],\"evidence\":%s"),
	        RUN("\"evidence\":%s,\"samples\":[5,1,2,3]"),
	        RUN("\"evidence\":%s,\"samples\":[5,1,2,3],\"later\":{\"x\":[]}"),
	};
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows) * ARRAY_SIZE(forms); i++) {
		const char *one = rows[i % ARRAY_SIZE(rows)].line;
		const char *kept = rows[i % ARRAY_SIZE(rows)].kept;
		const char *form = forms[i / ARRAY_SIZE(rows)], *gap = strstr(form, "%s");
		char *line = xasprintf("%.*s%s%s", (int)(gap - form), form, one, gap + 2);
		struct pool *p = pool_new();
		struct boot b = boot_blank();
		struct why w = {""};
		enum err e = read_lines(p, line, &b, &w);

		if (kept && !*kept) {
			if (e != ERR_UNPROCESSABLE)
				fail_msg("%s: read", line);
		} else {
			if (e != OK)
				fail_msg("%s: %s", line, w.text);
			assert_string_equal(b.runs.at[0].evidence, kept ? kept : one);
			assert_int_equal(b.runs.at[0].count, 4);
		}
		pool_free(p);
		free(line);
	}
	/* Many members, of which the last repeats the first. */
	for (k = 2; k < 70; k++) {
		struct pool *p = pool_new();
		struct boot b = boot_blank();
		struct why w;
		struct buf t;

		buf_init(&t, 1 << 16);
		for (i = 0; i < k; i++)
			buf_addf(&t, "%s\"m%zu\":%zu", i ? "," : "{", i == k - 1 ? 0 : i, i);
		buf_adds(&t, "}");
		{
			char *line =
			        xasprintf(RUN("\"samples\":[5,1,2,3],\"evidence\":%s"), t.data);

			assert_int_equal(read_lines(p, line, &b, &w), ERR_UNPROCESSABLE);
			free(line);
		}
		buf_release(&t);
		pool_free(p);
	}
}

static size_t next(uint64_t *seed, size_t n)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(*seed >> 33) % n;
}

/* A line that is like the one before but for its case, run, samples and evidence is
 * not parsed again. An escape anywhere has every line parsed whole: both ways have
 * to say the same, of lines that are good, odd and wrong. */
static void lines_that_are_alike(void **state)
{
	static const char *const cases[] = {"fork/order=0,size=16M",   "fork/order=9,size=16M",
	                                    "munmap/order=0,size=16M", "fork/order=0",
	                                    "fork/order=7x",           ""};
	static const char *const rests[] = {
	        "\"samples\":[5,%d,2,3],\"evidence\":{\"n\":%d}",
	        "\"samples\":[5,%d,2,3],\"evidence\":{\"run\":%d}",
	        "\"samples\":[5,%d,2,3],\"evidence\":{\"case\":\"x%d\"}",
	        "\"samples\":[5,%d,2],\"empty_window\":%d",
	        "\"samples\":[],\"evidence\":{\"n\":%d,\"m\":%d}",
	        "\"evidence\":{\"samples\":%d,\"n\":%d}",
	        "\"later\":{\"case\":\"fork/order=0\",\"run\":3},\"samples\":[5,%d,%d,3]",
	};
	static const char *const runs[] = {"0", "1", "2", "1000", "-1", "\"1\"", "1.0"};
	uint64_t seed = 7;

	(void)state;
	for (int turn = 0; turn < 3000; turn++) {
		struct pool *p = pool_new();
		struct boot one = boot_blank(), two = boot_blank();
		struct why w1 = {""}, w2 = {""};
		struct buf a, b;
		int n, i;
		enum err e1, e2;

		buf_init(&a, 1 << 16);
		buf_init(&b, 1 << 16);
		n = 1 + (int)next(&seed, 6);
		for (i = 0; i < n; i++) {
			/* mostly good: what is wrong ends the reading */
			const char *c = cases[next(&seed, next(&seed, 8) ? 3 : ARRAY_SIZE(cases))];
			const char *r = runs[next(&seed, next(&seed, 8) ? 3 : ARRAY_SIZE(runs))];
			const char *rest =
			        rests[next(&seed, next(&seed, 4) ? 2 : ARRAY_SIZE(rests))];
			int x = (int)next(&seed, 3), y = (int)next(&seed, 3);
			char *tail;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			tail = xasprintf(rest, x, y);
#pragma GCC diagnostic pop
#define LINE(type)                                                             \
	"%s{\"type\":\"" type                                                  \
	"\",\"case\":\"%s\",\"run\":%s,\"state\":\"valid\",\"metric\":\"ns\"," \
	"\"unit\":\"ns\",\"better\":\"less\",\"warmup\":1,%s}"
			buf_addf(&a, LINE("run"), i ? "\n" : "", c, r, tail);
			buf_addf(&b, LINE("r\\u0075n"), i ? "\n" : "", c, r, tail);
			free(tail);
		}
		e1 = read_many(p, a.data, n, &one, &w1);
		e2 = read_many(p, b.data, n, &two, &w2);
		if (e1 != e2 || strcmp(w1.text, w2.text) != 0 || one.runs.count != two.runs.count)
			fail_msg("%s\n%d %s\n%d %s", a.data, e1, w1.text, e2, w2.text);
		for (i = 0; i < (int)one.runs.count; i++) {
			const struct run_row *r = &one.runs.at[i], *q = &two.runs.at[i];

			if (strcmp(r->case_text, q->case_text) != 0 || r->number != q->number ||
			    r->count != q->count || r->empty_window != q->empty_window ||
			    r->samples_len != q->samples_len ||
			    memcmp(r->samples, q->samples, r->samples_len) != 0 ||
			    !str_eq(r->evidence, q->evidence))
				fail_msg("%s\nrun %d differs", a.data, i);
		}
		buf_release(&a);
		buf_release(&b);
		pool_free(p);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(samples_come_back),
	        cmocka_unit_test(samples_in_lines),
	        cmocka_unit_test(evidence_in_lines),
	        cmocka_unit_test(lines_that_are_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
