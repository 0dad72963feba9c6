#include "bench/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct plan_counts plan_preset = {.runs = 1, .iterations = 5, .warmup = 1};

static const struct {
	const char *name;
	size_t offset;
	uint32_t min, max;
} counts[] = {
        {"runs", offsetof(struct plan_counts, runs), 1, PLAN_RUNS},
        {"iterations", offsetof(struct plan_counts, iterations), 1, PLAN_ITERATIONS},
        {"warmup", offsetof(struct plan_counts, warmup), 0, PLAN_WARMUP},
};

#define COUNTS (sizeof(counts) / sizeof(counts[0]))

static int count_index(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNTS; i++)
		if (strlen(counts[i].name) == len && !strncmp(counts[i].name, name, len))
			return (int)i;
	return -1;
}

static int count_set(struct plan_counts *n, int i, const char *value, struct reason *w)
{
	uint64_t v;

	if (!u64_parse(value, strlen(value), &v) || v < counts[i].min || v > counts[i].max) {
		reason_set(w, "%s: expected a number from %u to %u, got \"%.64s\"", counts[i].name,
		           counts[i].min, counts[i].max, value);
		return -1;
	}
	*(uint32_t *)((char *)n + counts[i].offset) = (uint32_t)v;
	return 0;
}

int plan_count_set(struct plan_counts *n, const char *name, const char *value, struct reason *w)
{
	int i = count_index(name, strlen(name));

	if (i < 0) {
		reason_set(w, "unknown count \"%.64s\": known are runs, iterations and warmup",
		           name);
		return -1;
	}
	return count_set(n, i, value, w);
}

int plan_add(struct plan *p, const char *text, const struct plan_counts *n, struct reason *w)
{
	struct plan_item item = {.n = *n}, *items;
	char err[WHY_SIZE];

	if (p->count >= PLAN_CASES) {
		reason_set(w, "more than %d cases", PLAN_CASES);
		return -1;
	}
	if (case_parse(text, &item.c, err, sizeof(err))) {
		reason_set(w, "%s", err);
		return -1;
	}
	case_format(&item.c, item.text, sizeof(item.text));
	/* Grown by doubling, and only while a plan is read: before any case runs. */
	if (!(p->count & (p->count - 1))) {
		items = realloc(p->items, sizeof(*items) * (p->count ? 2 * p->count : 1));
		if (!items) {
			reason_set(w, "no memory for %zu cases", 2 * p->count);
			return -1;
		}
		p->items = items;
	}
	p->items[p->count++] = item;
	return 0;
}

/* The words of one line behind the case: `runs=1`, each once. */
static int line_counts(char *rest, struct plan_counts *n, struct reason *w)
{
	unsigned int seen = 0;
	char *save = NULL;

	for (char *word = strtok_r(rest, " \t\r", &save); word;
	     word = strtok_r(NULL, " \t\r", &save)) {
		char *eq = strchr(word, '=');
		int i = eq ? count_index(word, (size_t)(eq - word)) : -1;

		if (i < 0) {
			reason_set(w, "expected runs=, iterations= or warmup=, got \"%.64s\"",
			           word);
			return -1;
		}
		if (seen & 1u << i) {
			reason_set(w, "%s: given twice", counts[i].name);
			return -1;
		}
		seen |= 1u << i;
		if (count_set(n, i, eq + 1, w))
			return -1;
	}
	return 0;
}

static int line_parse(struct plan *p, char *line, const struct plan_counts *preset,
                      struct reason *w)
{
	struct plan_counts n = *preset;
	char *word, *rest;
	size_t len;

	line += strspn(line, " \t\r");
	/* A comment begins a line or follows white space: no case has a '#'. */
	for (char *hash = strchr(line, '#'); hash; hash = strchr(hash + 1, '#')) {
		if (hash == line || hash[-1] == ' ' || hash[-1] == '\t') {
			*hash = '\0';
			break;
		}
	}
	if (!*line)
		return 0;
	word = line;
	len = strcspn(word, " \t\r");
	rest = word + len;
	if (*rest)
		*rest++ = '\0';
	if (line_counts(rest, &n, w))
		return -1;
	if (!plan_add(p, word, &n, w))
		return 0;
	/* The sentence of case_parse() begins with the case's text, which the
	 * line's number already says. */
	if (!strncmp(w->text, word, len) && !strncmp(w->text + len, ": ", 2))
		memmove(w->text, w->text + len + 2, strlen(w->text + len + 2) + 1);
	return -1;
}

int plan_parse(struct plan *p, const char *name, const char *text, size_t len,
               const struct plan_counts *preset, struct reason *w)
{
	static char line[4096];
	size_t number = 1, at = 0;
	struct reason inner = {""};

	*p = (struct plan){0};
	if (len > PLAN_BYTES) {
		reason_set(w, "%s: longer than %d bytes", name, PLAN_BYTES);
		return -1;
	}
	for (; at < len; number++) {
		const char *nl = memchr(text + at, '\n', len - at);
		size_t n = nl ? (size_t)(nl - text) - at : len - at;

		if (n >= sizeof(line))
			reason_set(&inner, "longer than %zu bytes", sizeof(line) - 1);
		else if (memchr(text + at, '\0', n))
			reason_set(&inner, "has a NUL byte");
		else {
			memcpy(line, text + at, n);
			line[n] = '\0';
			if (!line_parse(p, line, preset, &inner)) {
				at += n + 1;
				continue;
			}
		}
		reason_set(w, "%s:%zu: %.250s", name, number, inner.text);
		plan_release(p);
		return -1;
	}
	if (!p->count) {
		reason_set(w, "%s: has no case", name);
		return -1;
	}
	return 0;
}

int plan_read(struct plan *p, const char *path, const struct plan_counts *preset, struct reason *w)
{
	char *text = malloc(PLAN_BYTES + 2);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *base = strrchr(path, '/');
	size_t len = 0;
	ssize_t n = -1;
	int rc = -1;

	*p = (struct plan){0};
	if (!text || fd < 0) {
		reason_set(w, "%.128s: %s", path, strerror(errno));
		goto out;
	}
	/* One byte more than allowed, so that too long is told from just fitting. */
	while (len <= PLAN_BYTES) {
		n = read(fd, text + len, PLAN_BYTES + 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (n < 0)
		reason_set(w, "%.128s: %s", path, strerror(errno));
	else
		rc = plan_parse(p, base ? base + 1 : path, text, len, preset, w);
out:
	if (fd >= 0)
		close(fd);
	free(text);
	return rc;
}

uint64_t plan_runs(const struct plan *p)
{
	uint64_t runs = 0;

	for (size_t i = 0; i < p->count; i++)
		runs += p->items[i].n.runs;
	return runs;
}

void plan_release(struct plan *p)
{
	free(p->items);
	*p = (struct plan){0};
}
