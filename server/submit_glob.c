/* submit_glob.c - patterns of cases: which of contpte-full's they mean. */
#include "server/submit_priv.h"

#include "lib/case.h"
#include "lib/mem.h"
#include "lib/preset.h"

#include <fnmatch.h>
#include <string.h>

#define NEAR      3 /* names that are told */
#define STARS_MAX 4 /* of a pattern: each multiplies what a match may cost */

bool submit_is_glob(const char *text)
{
	return strpbrk(text, "*?[") != NULL;
}

enum err submit_glob_fits(const char *text, const char *place, struct why *w)
{
	size_t n, stars = 0;

	for (n = 0; text[n]; n++)
		stars += text[n] == '*';
	if (stars <= STARS_MAX && n < CASE_TEXT)
		return OK;
	return err_set(w, ERR_INPUT, "%s: a pattern has at most %d bytes and %d stars", place,
	               CASE_TEXT - 1, STARS_MAX);
}

enum err submit_pages(const char *pages, struct why *w)
{
	const struct preset_pages *one;

	return err_at(w, preset_pages_find(pages, &one, w), "pages");
}

/* Levenshtein's, of words that are no longer than names of benchmarks. */
static size_t distance(const char *a, const char *b)
{
	size_t row[65], n = strnlen(b, 64);

	for (size_t i = 0; i <= n; i++)
		row[i] = i;
	for (size_t i = 0; i < 64 && a[i]; i++) {
		size_t corner = row[0];

		row[0] = i + 1;
		for (size_t o = 0; o < n; o++) {
			size_t best = corner + (a[i] != b[o]);

			corner = row[o + 1];
			if (row[o] + 1 < best)
				best = row[o] + 1;
			if (row[o + 1] + 1 < best)
				best = row[o + 1] + 1;
			row[o + 1] = best;
		}
	}
	return row[n];
}

static char *benchmark_of(struct pool *p, const char *text)
{
	return pool_strn(p, text, strcspn(text, "/*?["));
}

/* "fork/order=0, fork/order=2, ...": of the benchmark whose name is nearest. */
static const char *near_names(struct checking *c, const char *glob, const json_t *all)
{
	const char *word = benchmark_of(c->p, glob), *best = NULL, *out = "";
	size_t least = SIZE_MAX, told = 0, i;
	const json_t *one;

	json_array_foreach (all, i, one) {
		const char *name = benchmark_of(c->p, json_string_value(one));
		size_t d = distance(word, name);

		if (d < least) {
			least = d;
			best = name;
		}
	}
	json_array_foreach (all, i, one) {
		const char *text = json_string_value(one);

		if (told < NEAR && str_eq(benchmark_of(c->p, text), best))
			out = pool_fmt(c->p, "%s%s%s", out, told++ ? ", " : "", text);
	}
	return out;
}

enum err submit_glob(struct checking *c, const char *glob, const char *place, json_t **out,
                     struct why *w)
{
	const struct preset *full;
	const struct preset_pages *pages;
	json_t *all = json_array(), *one;
	size_t i;
	enum err e = preset_find("contpte-full", &full, w);

	*out = json_array();
	if (e == OK)
		e = preset_pages_find(c->pages, &pages, w);
	if (e == OK)
		e = submit_glob_fits(glob, place, w);
	if (e == OK) {
		preset_cases(full, pages, all);
		json_array_foreach (all, i, one)
			if (fnmatch(glob, json_string_value(one), 0) == 0)
				json_array_append(*out, one);
		if (!json_array_size(*out))
			e = err_set(w, ERR_INPUT,
			            "%s: no case of contpte-full matches \"%s\": near it are %s",
			            place, glob, near_names(c, glob, all));
	}
	json_decref(all);
	return e;
}
