#include "server/run_line.h"

#include "lib/mem.h"
#include "server/samples.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 32 /* members of an evidence that is looked at here */

/* From the first byte of a value to behind its last. */
struct span {
	const char *begin, *end;
};

static const char *blanks(const char *p, const char *end)
{
	while (p < end && *p == ' ')
		p++;
	return p;
}

/* The value of the only member of that name (given with its quotes), or NULL. */
static const char *member(const char *line, const char *end, const char *name)
{
	size_t len = strlen(name);
	const char *at = memmem(line, (size_t)(end - line), name, len);

	if (!at || memmem(at + len, (size_t)(end - at) - len, name, len))
		return NULL;
	at = blanks(at + len, end);
	if (at == end || *at++ != ':')
		return NULL;
	return blanks(at, end);
}

/* Past a number of at most 18 digits, or NULL. */
static const char *number(const char *p, const char *end, int64_t *v)
{
	const char *first = p;

	for (*v = 0; p < end && *p >= '0' && *p <= '9' && p - first < 18; p++)
		*v = *v * 10 + (*p - '0');
	if (p == first || (p - first > 1 && *first == '0'))
		return NULL;
	return p;
}

/* ---- samples */

static void add(struct run_line *cut, int64_t v)
{
	if (cut->samples == cut->room) {
		cut->room = cut->room ? cut->room * 2 : 256;
		cut->sample = xreallocarray(cut->sample, cut->room, sizeof(*cut->sample));
	}
	cut->sample[cut->samples++] = v;
}

static bool samples(const char *line, const char *end, struct run_line *cut, struct span *s)
{
	const char *p = member(line, end, "\"samples\"");
	int64_t v;

	cut->samples = 0;
	if (!p || p == end || *p != '[')
		return false;
	s->begin = p;
	do {
		p = number(blanks(p + 1, end), end, &v);
		if (!p || cut->samples == SAMPLES_MAX)
			return false;
		add(cut, v);
		p = blanks(p, end);
	} while (p < end && *p == ',');
	if (p == end || *p != ']')
		return false;
	s->end = p + 1;
	return true;
}

/* ---- evidence */

/* Past a string of printable ASCII without escapes, or NULL. */
static const char *plain(const char *p, const char *end)
{
	if (p == end || *p++ != '"')
		return NULL;
	while (p < end && *p >= ' ' && *p <= '~' && *p != '"' && *p != '\\')
		p++;
	return p < end && *p == '"' ? p + 1 : NULL;
}

static const char *scalar(const char *p, const char *end)
{
	static const char *const words[] = {"true", "false", "null"};
	int64_t v;
	size_t i;

	if (p < end && *p == '"')
		return plain(p, end);
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(end - p) >= n && memcmp(p, words[i], n) == 0)
			return p + n;
	}
	if (end - p > 1 && p[0] == '-' && p[1] >= '1' && p[1] <= '9')
		p++;
	return number(p, end, &v);
}

static bool is_new(struct span *names, size_t n)
{
	size_t i, len = (size_t)(names[n].end - names[n].begin);

	for (i = 0; i < n; i++)
		if ((size_t)(names[i].end - names[i].begin) == len &&
		    memcmp(names[i].begin, names[n].begin, len) == 0)
			return false;
	return true;
}

static bool evidence(const char *line, const char *end, struct span *s)
{
	struct span names[NAMES_MAX];
	const char *p = member(line, end, "\"evidence\"");
	size_t n = 0;

	if (!p || p == end || *p != '{')
		return false;
	s->begin = p;
	do {
		if (n == NAMES_MAX)
			return false;
		names[n].begin = p + 1;
		names[n].end = p = plain(p + 1, end);
		if (!p || p == end || *p != ':' || !is_new(names, n))
			return false;
		p = scalar(p + 1, end);
		n++;
	} while (p && p < end && *p == ',');
	if (!p || p == end || *p != '}')
		return false;
	s->end = p + 1;
	return true;
}

/* ---- both */

static char *leave(char *to, const char *from, const char *until, const char *instead)
{
	size_t n = (size_t)(until - from);

	memcpy(to, from, n);
	memcpy(to + n, instead, 2);
	return to + n + 2;
}

void run_line_cut(struct pool *p, const char *line, size_t len, struct run_line *cut)
{
	const char *end = line + len, *from = line;
	struct span s = {0}, e = {0};
	bool has_evidence;
	char *rest, *to;

	cut->rest = line;
	cut->rest_len = len;
	cut->evidence = NULL;
	cut->has_samples = false;
	/* A name may be written with escapes: then what looks like it is not it. */
	if (memchr(line, '\\', len))
		return;
	cut->has_samples = samples(line, end, cut, &s);
	/* Nothing of a plain evidence is an array: the two never overlap. */
	has_evidence = evidence(line, end, &e);
	if (!cut->has_samples && !has_evidence)
		return;
	to = rest = pool_alloc(p, len + 4);
	if (cut->has_samples && (!has_evidence || s.begin < e.begin)) {
		to = leave(to, from, s.begin, "[]");
		from = s.end;
	}
	if (has_evidence) {
		to = leave(to, from, e.begin, "{}");
		from = e.end;
		cut->evidence = pool_strn(p, e.begin, (size_t)(e.end - e.begin));
	}
	if (cut->has_samples && from <= s.begin) {
		to = leave(to, from, s.begin, "[]");
		from = s.end;
	}
	memcpy(to, from, (size_t)(end - from));
	cut->rest = rest;
	cut->rest_len = (size_t)(to - rest) + (size_t)(end - from);
}
