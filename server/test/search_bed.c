#include "server/test/search_bed.h"

#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

char search_bundle[65];
int slow_from, slow_until, fast_from, half_from;

int patches_in(const char *name)
{
	if (strcmp(name, "base") == 0)
		return 0;
	if (strcmp(name, "basic") == 0)
		return 12;
	if (strcmp(name, "batch") == 0)
		return 20;
	if (strcmp(name, "four") == 0)
		return 4;
	if (strcmp(name, "tip") == 0)
		return SERIES;
	return (int)strtol(name + 1, NULL, 10);
}

static double effect(const char *name, const char *case_text)
{
	int n = patches_in(name);
	double e = 0;

	if (strcmp(case_text, UNMAP) == 0 && slow_from && n >= slow_from &&
	    (!slow_until || n < slow_until))
		e += .02;
	if (strcmp(case_text, FORK) == 0 && fast_from && n >= fast_from)
		e -= .03;
	/* Two of them, each under a verdict, which together are one. */
	if (strcmp(case_text, FORK) == 0 && half_from)
		e += .0006 * ((n >= half_from) + (n >= half_from + 5));
	return e;
}

int search_setup(void **state)
{
	struct fake *f;

	fake_setup(state);
	f = *state;
	fake_announce(f, false);
	fake_put(f, "a bundle", 8, search_bundle);
	f->patches = SERIES;
	f->effect_on = effect;
	slow_from = slow_until = fast_from = half_from = 0;
	return 0;
}

int64_t search_submit(struct fake *f, const char *series, const char *rest)
{
	char *text = xasprintf("{\"title\":\"s\",\"series\":{" TREE ",\"bundle\":\"%s\"%s},"
	                       "\"boards\":[\"det\"],\"cases\":[\"" UNMAP "\",\"" FORK "\"]%s}",
	                       search_bundle, series, rest);
	int64_t id = fake_submit(f, text);

	free(text);
	return id;
}

json_t *search_shown(struct fake *f, int64_t id)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/submissions/%lld", (long long)id);
	return fake_get(f, path);
}

json_t *search_worked(struct fake *f, int64_t id, const char *state)
{
	for (int i = 0; i < 400; i++, sleep_ms(10)) {
		json_t *s;
		bool is;

		fake_work(f);
		s = search_shown(f, id);
		is = strcmp(str_at(s, "state"), state) == 0;
		if (is)
			return s;
		json_decref(s);
	}
	fail_msg("submission %lld is not %s", (long long)id, state);
	return NULL;
}

json_t *measured(struct fake *f, const char *series, const char *rest)
{
	return search_worked(f, search_submit(f, series, rest), "done");
}

int boots_of(const json_t *s)
{
	const json_t *jobs = at(s, "jobs");
	int n = 0;

	for (size_t i = 0; i < json_array_size(jobs); i++)
		n += strcmp(str_at(json_array_get(jobs, i), "kind"), "boot") == 0;
	return n;
}

void expect_effect(const json_t *s, size_t i, const char *case_text, const char *verdict, int first,
                   int last)
{
	const json_t *x = json_array_get(at(s, "series.search.effects"), i);

	if (!x)
		fail_msg("there is no effect %zu", i);
	assert_string_equal(str_at(x, "case"), case_text);
	assert_string_equal(str_at(x, "verdict"), verdict);
	assert_int_equal(int_at(x, "first"), first);
	assert_int_equal(int_at(x, "last"), last);
}

size_t effects_of(const json_t *s)
{
	return json_array_size(at(s, "series.search.effects"));
}

size_t steps_of(const json_t *s)
{
	return json_array_size(at(s, "series.search.steps"));
}
