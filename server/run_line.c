#include "server/run_line.h"

#include "lib/case.h"
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

/* ---- which run of which case */

static bool case_text(const char *line, const char *end, struct span *s)
{
	const char *p = member(line, end, "\"case\"");

	s->begin = p;
	s->end = p ? plain(p, end) : NULL;
	/* 2 quotes; what is empty or too long is the JSON reader's to refuse */
	return s->end && s->end - s->begin > 2 && s->end - s->begin < CASE_TEXT + 2;
}

static bool run_number(const char *line, const char *end, struct span *s, int64_t *v)
{
	/* with its colon: "run" is the line's type, too */
	static const char name[] = "\"run\":";
	const char *at = memmem(line, (size_t)(end - line), name, sizeof(name) - 1);

	if (!at || memmem(at + 1, (size_t)(end - at) - 1, name, sizeof(name) - 1))
		return false;
	s->begin = at + sizeof(name) - 1;
	s->end = number(s->begin, end, v);
	return s->end && s->end < end && (*s->end == ',' || *s->end == '}');
}

/* ---- all of it */

struct taken {
	struct span s;
	const char *instead;
};

/* By place; false when two overlap: then one stood inside the other. */
static bool in_order(struct taken *t, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k && t[k].s.begin < t[k - 1].s.begin; k--) {
			struct taken swap = t[k];

			t[k] = t[k - 1];
			t[k - 1] = swap;
		}
	for (size_t i = 1; i < n; i++)
		if (t[i].s.begin < t[i - 1].s.end)
			return false;
	return true;
}

static void leave_rest(struct pool *p, const char *line, size_t len, const struct taken *t,
                       size_t n, struct run_line *cut)
{
	char *rest = pool_alloc(p, len + 2 * n), *to = rest;
	const char *from = line;

	for (size_t i = 0; i < n; i++) {
		size_t before = (size_t)(t[i].s.begin - from), instead = strlen(t[i].instead);

		memcpy(to, from, before);
		memcpy(to + before, t[i].instead, instead);
		to += before + instead;
		from = t[i].s.end;
	}
	memcpy(to, from, (size_t)(line + len - from));
	cut->rest = rest;
	cut->rest_len = (size_t)(to - rest) + (size_t)(line + len - from);
}

void run_line_cut(struct pool *p, const char *line, size_t len, struct run_line *cut)
{
	const char *end = line + len;
	struct taken t[4];
	struct span s;
	size_t n = 0;

	cut->rest = line;
	cut->rest_len = len;
	cut->evidence = cut->case_text = NULL;
	cut->has_samples = cut->has_run = false;
	/* A name may be written with escapes: then what looks like it is not it. */
	if (memchr(line, '\\', len))
		return;
	if (samples(line, end, cut, &s)) {
		t[n++] = (struct taken){s, "[]"};
		cut->has_samples = true;
	}
	if (evidence(line, end, &s)) {
		t[n++] = (struct taken){s, "{}"};
		cut->evidence = pool_strn(p, s.begin, (size_t)(s.end - s.begin));
	}
	if (case_text(line, end, &s)) {
		t[n++] = (struct taken){s, "\"\""};
		cut->case_text = pool_strn(p, s.begin + 1, (size_t)(s.end - s.begin) - 2);
	}
	if (run_number(line, end, &s, &cut->run)) {
		t[n++] = (struct taken){s, "0"};
		cut->has_run = true;
	}
	if (in_order(t, n)) {
		if (n)
			leave_rest(p, line, len, t, n, cut);
		return;
	}
	cut->evidence = cut->case_text = NULL;
	cut->has_samples = cut->has_run = false;
}
