#include "lib/profile.h"

#include "lib/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* arm64: bit 55 tells the kernel's half from user space. */
#define KERNEL_HALF (UINT64_C(1) << 55)

struct sums {
	uint64_t full, empty; /* windows */
	uint64_t other[2], irq[2], switches[2];
	bool ended;
	struct profile_row *row;
	size_t rows, room;
};

/* A window's worth. */
static double net(const struct sums *s, uint64_t full, uint64_t empty)
{
	double x = (double)full / (double)s->full;

	return s->empty ? x - (double)empty / (double)s->empty : x;
}

static void push(struct sums *s, const char *function, double n, double calls, uint64_t size)
{
	if (s->rows == s->room) {
		s->room = s->room ? s->room * 2 : 4096;
		s->row = xreallocarray(s->row, s->room, sizeof(*s->row));
	}
	s->row[s->rows++] = (struct profile_row){xstrdup(function), n, calls, size};
}

static bool read_pair(const char *line, const char *word, uint64_t *a, uint64_t *b)
{
	size_t n = strlen(word);
	char *end;

	if (strncmp(line, word, n) != 0 || line[n] != ' ')
		return false;
	*a = strtoull(line + n + 1, &end, 10);
	*b = strtoull(end, &end, 10);
	return !*end;
}

static bool read_address(const char *line, struct sums *s, const struct symbols *kernel,
                         struct profile *out)
{
	char *end, *kind;
	uint64_t pc = strtoull(line, &end, 16), full, empty;
	const struct symbol *in;
	double n;

	if (end == line || *end != ' ')
		return false;
	full = strtoull(end + 1, &end, 10);
	if (*end != ' ')
		return false;
	empty = strtoull(end + 1, &kind, 10);
	n = net(s, full, empty);
	if (str_eq(kind, " tlbi"))
		out->tlbi += n;
	else if (str_eq(kind, " dsb"))
		out->dsb += n;
	else if (*kind)
		return false;
	if (!(pc & KERNEL_HALF)) {
		push(s, PROFILE_USER, n, 0, 0);
		return true;
	}
	in = symbols_at(kernel, pc);
	push(s, in ? in->name : PROFILE_UNKNOWN, n, in && in->address == pc ? n : 0,
	     in ? in->size : 0);
	return true;
}

static enum err read_line(const char *line, struct sums *s, const struct symbols *kernel,
                          struct profile *out, size_t number, struct why *w)
{
	if (s->ended)
		return err_set(w, ERR_INPUT, "line %zu: something follows the end", number);
	if (str_eq(line, "end")) {
		s->ended = true;
		return OK;
	}
	if (number == 1) {
		if (!read_pair(line, "windows", &s->full, &s->empty))
			return err_set(w, ERR_INPUT, "line 1: expected \"windows N N\"");
		return s->full ? OK
		               : err_set(w, ERR_INPUT,
		                         "no window was counted: the case did not run");
	}
	if (read_pair(line, "other", &s->other[0], &s->other[1]) ||
	    read_pair(line, "irq", &s->irq[0], &s->irq[1]) ||
	    read_pair(line, "switches", &s->switches[0], &s->switches[1]) ||
	    read_address(line, s, kernel, out))
		return OK;
	return err_set(w, ERR_INPUT, "line %zu: expected an address and two counts, got \"%.60s\"",
	               number, line);
}

static int by_name(const void *a, const void *b)
{
	const struct profile_row *x = a, *y = b;

	return strcmp(x->function, y->function);
}

/* One row a function. */
static void merge(struct sums *s, struct profile *out)
{
	size_t n = 0;

	if (s->rows)
		qsort(s->row, s->rows, sizeof(*s->row), by_name);
	for (size_t i = 0; i < s->rows; i++) {
		struct profile_row *x = &s->row[i];

		out->total += x->instructions;
		if (n && strcmp(s->row[n - 1].function, x->function) == 0) {
			s->row[n - 1].instructions += x->instructions;
			s->row[n - 1].calls += x->calls;
			free(x->function);
			continue;
		}
		s->row[n++] = *x;
	}
	out->row = s->row;
	out->rows = n;
}

enum err profile_fold(const char *text, size_t len, const struct symbols *kernel,
                      struct profile *out, struct why *w)
{
	struct sums s = {0};
	size_t number = 0;
	enum err e = OK;

	*out = (struct profile){0};
	for (const char *at = text, *end = text + len; e == OK && at < end;) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		char *line = xstrndup(at, (size_t)((nl ? nl : end) - at));

		e = read_line(line, &s, kernel, out, ++number, w);
		free(line);
		at = nl ? nl + 1 : end;
	}
	if (e == OK && !s.ended)
		e = err_set(w, ERR_INPUT, "its end is missing: it is torn");
	if (e == OK)
		push(&s, PROFILE_OTHERS, net(&s, s.other[0] + s.irq[0], s.other[1] + s.irq[1]), 0,
		     0);
	merge(&s, out);
	out->windows = s.full;
	out->switches = s.switches[0];
	if (e != OK)
		profile_release(out);
	return e;
}

void profile_release(struct profile *p)
{
	for (size_t i = 0; i < p->rows; i++)
		free(p->row[i].function);
	free(p->row);
	*p = (struct profile){0};
}

/* ---- two of them */

static int by_move(const void *a, const void *b)
{
	const struct mover *x = a, *y = b;
	double dx = fabs(x->b - x->a), dy = fabs(y->b - y->a);

	if (dx != dy)
		return dx > dy ? -1 : 1;
	return strcmp(x->function, y->function);
}

static uint64_t size_in(const struct symbols *s, const char *function)
{
	const struct symbol *x = symbols_find(s, function);

	return x ? x->size : 0;
}

struct mover *profile_movers(const struct profile *a, const struct symbols *sa,
                             const struct profile *b, const struct symbols *sb, size_t *count)
{
	struct mover *m = xcalloc(a->rows + b->rows + 1, sizeof(*m));
	size_t i = 0, j = 0, n = 0;

	while (i < a->rows || j < b->rows) {
		const struct profile_row *x = i < a->rows ? &a->row[i] : NULL;
		const struct profile_row *y = j < b->rows ? &b->row[j] : NULL;
		int order = x && y ? strcmp(x->function, y->function) : x ? -1 : 1;
		struct mover *o = &m[n++];

		if (x && order <= 0) {
			o->function = x->function;
			o->a = x->instructions;
			o->calls_a = x->calls;
			i++;
		}
		if (y && order >= 0) {
			o->function = y->function;
			o->b = y->instructions;
			o->calls_b = y->calls;
			j++;
		}
		o->size_a = size_in(sa, o->function);
		o->size_b = size_in(sb, o->function);
	}
	qsort(m, n, sizeof(*m), by_move);
	*count = n;
	return m;
}
