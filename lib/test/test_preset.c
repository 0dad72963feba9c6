/* Presets: what a plan's name stands for. */
#include "lib/preset.h"

#include "lib/case.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct preset_pages *pages_of(const char *name)
{
	const struct preset_pages *pages;
	struct why w;

	if (preset_pages_find(name, &pages, &w) != OK)
		fail_msg("%s", w.text);
	return pages;
}

static json_t *cases_of(const char *name, const struct preset **p)
{
	json_t *cases = json_array();
	struct why w;

	if (preset_find(name, p, &w) != OK)
		fail_msg("%s", w.text);
	preset_cases(*p, pages_of(NULL), cases);
	return cases;
}

/* 1 GiB, 100 iterations, 8 runs over 2 boots: as the lists do it. */
static void seed_fork(void **state)
{
	const struct preset *p;
	json_t *cases = cases_of("seed-fork", &p);

	(void)state;
	assert_int_equal(p->boots, 2);
	assert_int_equal(p->boots * p->runs, 8);
	assert_int_equal(p->iterations, 100);
	assert_int_equal(json_array_size(cases), 2);
	assert_string_equal(json_string_value(json_array_get(cases, 0)), "fork/order=0,size=1G");
	assert_string_equal(json_string_value(json_array_get(cases, 1)), "fork/order=9,size=1G");
	json_decref(cases);
}

/* Every benchmark that there is, with all of its modes, each case once. */
static void quick_and_full_have_everything(void **state)
{
	static const char *const names[] = {"contpte-quick", "contpte-full"};
	static const size_t orders[] = {3, 6};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct preset *p;
		json_t *cases = cases_of(names[i], &p), *text, *seen = json_object();
		const struct case_bench_def *benches;
		size_t n, at;

		json_array_foreach (cases, at, text) {
			struct bench_case c;
			char why[400];

			assert_int_equal(case_parse(json_string_value(text), &c, why, sizeof(why)),
			                 0);
			assert_null(json_object_get(seen, json_string_value(text)));
			json_put_bool(seen, json_string_value(text), true);
		}
		assert_int_equal(json_array_size(cases) % orders[i], 0);
		assert_true(json_array_size(cases) <= 1000);
		benches = case_bench_table(&n);
		for (size_t b = 0; b < n; b++) {
			for (size_t m = 0; !m || (benches[b].modes && benches[b].modes[m]); m++) {
				const char *mode = benches[b].modes ? benches[b].modes[m] : NULL;
				char *wanted = mode ? xasprintf("mode=%s", mode) : xstrdup("");
				bool found = false;

				json_array_foreach (cases, at, text) {
					const char *t = json_string_value(text);
					size_t len = strlen(benches[b].name);

					found |= !strncmp(t, benches[b].name, len) &&
					         t[len] == '/' && strstr(t, wanted);
				}
				if (!found)
					fail_msg("%s has no %s %s", names[i], benches[b].name,
					         wanted);
				free(wanted);
			}
		}
		json_decref(seen);
		json_decref(cases);
	}
}

static bool has_case(const json_t *cases, const char *wanted)
{
	json_t *text;
	size_t i;

	json_array_foreach (cases, i, text)
		if (!strcmp(json_string_value(text), wanted))
			return true;
	return false;
}

/* The same questions where a page, a block and the order that fills it are others. */
static void words_of_other_pages(void **state)
{
	static const struct {
		const char *pages;
		size_t count;
		const char *has[5];
	} rows[] = {
	        {"4K",
	         90,
	         {"munmap/order=4,size=16M,block=4K", "dontneed/order=9,size=16M,block=60K",
	          "mremap/order=4,size=16M,skew=4K", "mremap/order=4,size=16M,align=64K",
	          "mremap/order=4,size=16M,align=2M"}},
	        {"16K",
	         90,
	         {"munmap/order=7,size=16M,block=16K", "dontneed/order=9,size=16M,block=2032K",
	          "mremap/order=7,size=16M,skew=16K", "mremap/order=7,size=16M,align=2M",
	          "mremap/order=7,size=64M,align=32M"}},
	        {"64K",
	         87,
	         {"munmap/order=5,size=16M,block=64K", "dontneed/order=7,size=16M,block=1984K",
	          "mremap/order=5,size=16M,skew=64K", "mremap/order=5,size=16M,align=2M",
	          "fork/order=7,size=16M,fill=file"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *cases = json_array();
		const struct preset *p;
		struct buf plan;
		struct why w;

		assert_int_equal(preset_find("contpte-quick", &p, &w), OK);
		preset_cases(p, pages_of(rows[i].pages), cases);
		assert_int_equal(json_array_size(cases), rows[i].count);
		for (size_t k = 0; k < ARRAY_SIZE(rows[i].has); k++)
			if (!has_case(cases, rows[i].has[k]))
				fail_msg("%s: no %s", rows[i].pages, rows[i].has[k]);
		buf_init(&plan, 1 << 20);
		preset_plan(p, pages_of(rows[i].pages), &plan);
		assert_non_null(strstr(plan.data, " runs=1 iterations=3 warmup=1\n"));
		buf_release(&plan);
		json_decref(cases);
	}
}

static void an_unknown_name(void **state)
{
	const struct preset_pages *pages;
	const struct preset *p;
	struct why w;

	(void)state;
	assert_int_equal(preset_pages_find("8K", &pages, &w), ERR_INPUT);
	assert_string_equal(w.text, "expected one of 4K, 16K, 64K, got \"8K\"");
	assert_int_equal(preset_find("contpte", &p, &w), ERR_INPUT);
	assert_string_equal(w.text, "--preset: there is no \"contpte\", only seed-fork, "
	                            "contpte-quick, contpte-full");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(seed_fork),
	        cmocka_unit_test(quick_and_full_have_everything),
	        cmocka_unit_test(words_of_other_pages),
	        cmocka_unit_test(an_unknown_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
