#include "lib/profile.h"

#include "lib/json.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* arm64: bit 55 tells the kernel's half from user space. */
#define KERNEL_HALF (UINT64_C(1) << 55)

/* A run's section while it is read. */
struct sums {
	bool open;
	uint64_t full, empty; /* windows */
	uint64_t other[2], irq[2], switches[2];
	struct profile to;
	size_t room;
};

struct folding {
	const struct symbols *kernel;
	struct profiles *out;
	struct sums s;
	bool ended;
};

static void profile_release(struct profile *p);

/* A window's worth. */
static double net(const struct sums *s, uint64_t full, uint64_t empty)
{
	double x = (double)full / (double)s->full;

	return s->empty ? x - (double)empty / (double)s->empty : x;
}

static void push(struct sums *s, const char *function, double n, double calls, uint64_t size)
{
	struct profile *p = &s->to;

	if (p->rows == s->room) {
		s->room = s->room ? s->room * 2 : 4096;
		p->row = xreallocarray(p->row, s->room, sizeof(*p->row));
	}
	p->row[p->rows++] = (struct profile_row){xstrdup(function), n, calls, size};
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

static bool read_address(const char *line, struct sums *s, const struct symbols *kernel)
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
		s->to.tlbi += n;
	else if (str_eq(kind, " dsb"))
		s->to.dsb += n;
	else if (*kind)
		return false;
	if (!(pc & KERNEL_HALF)) {
		push(s, PROFILE_USER, n, 0, 0);
		return true;
	}
	in = symbols_at(kernel, pc);
	/* A name is whatever a build wrote there. */
	if (in && !utf8_valid(in->name, strlen(in->name)))
		in = NULL;
	push(s, in ? in->name : PROFILE_UNKNOWN, n, in && in->address == pc ? n : 0,
	     in ? in->size : 0);
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct profile_row *x = a, *y = b;

	return strcmp(x->function, y->function);
}

/* One row a function. */
static void merge(struct profile *p)
{
	size_t n = 0;

	if (p->rows)
		qsort(p->row, p->rows, sizeof(*p->row), by_name);
	for (size_t i = 0; i < p->rows; i++) {
		struct profile_row *x = &p->row[i];

		p->total += x->instructions;
		if (n && strcmp(p->row[n - 1].function, x->function) == 0) {
			p->row[n - 1].instructions += x->instructions;
			p->row[n - 1].calls += x->calls;
			free(x->function);
			continue;
		}
		p->row[n++] = *x;
	}
	p->rows = n;
}

static struct profile *add_run(struct profiles *p)
{
	p->run = xreallocarray(p->run, p->runs + 1, sizeof(*p->run));
	p->run[p->runs] = (struct profile){0};
	return &p->run[p->runs++];
}

static void end_run(struct folding *f)
{
	struct sums *s = &f->s;

	if (!s->open)
		return;
	if (s->full)
		push(s, PROFILE_OTHERS, net(s, s->other[0] + s->irq[0], s->other[1] + s->irq[1]), 0,
		     0);
	merge(&s->to);
	s->to.windows = s->full;
	s->to.switches = s->switches[0];
	*add_run(f->out) = s->to;
	*s = (struct sums){0};
}

static enum err read_line(const char *line, struct folding *f, size_t number, struct why *w)
{
	struct sums *s = &f->s;
	uint64_t full, empty;

	if (f->ended)
		return err_set(w, ERR_INPUT, "line %zu: something follows the end", number);
	if (str_eq(line, "end")) {
		end_run(f);
		f->ended = true;
		return OK;
	}
	if (read_pair(line, "run", &full, &empty)) {
		end_run(f);
		*s = (struct sums){.open = true, .full = full, .empty = empty};
		return OK;
	}
	if (!s->open)
		return err_set(w, ERR_INPUT, "line %zu: expected \"run N N\"", number);
	if (read_pair(line, "other", &s->other[0], &s->other[1]) ||
	    read_pair(line, "irq", &s->irq[0], &s->irq[1]) ||
	    read_pair(line, "switches", &s->switches[0], &s->switches[1]) ||
	    (s->full && read_address(line, s, f->kernel)))
		return OK;
	return err_set(w, ERR_INPUT, "line %zu: expected an address and two counts, got \"%.60s\"",
	               number, line);
}

enum err profiles_fold(const char *text, size_t len, const struct symbols *kernel,
                       struct profiles *out, struct why *w)
{
	struct folding f = {.kernel = kernel, .out = out};
	size_t number = 0;
	enum err e = OK;

	*out = (struct profiles){0};
	for (const char *at = text, *end = text + len; e == OK && at < end;) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		char *line = xstrndup(at, (size_t)((nl ? nl : end) - at));

		e = read_line(line, &f, ++number, w);
		free(line);
		at = nl ? nl + 1 : end;
	}
	if (e == OK && !f.ended)
		e = err_set(w, ERR_INPUT, "its end is missing: it is torn");
	if (e != OK) {
		profile_release(&f.s.to);
		profiles_release(out);
	}
	return e;
}

static void profile_release(struct profile *p)
{
	for (size_t i = 0; i < p->rows; i++)
		free(p->row[i].function);
	free(p->row);
	*p = (struct profile){0};
}

void profiles_release(struct profiles *p)
{
	for (size_t i = 0; i < p->runs; i++)
		profile_release(&p->run[i]);
	free(p->run);
	*p = (struct profiles){0};
}

/* ---- as they are kept */

static double thousandths(double x)
{
	return round(x * 1000) / 1000;
}

char *profiles_json(const struct profiles *p)
{
	json_t *o = json_object(), *runs = json_array();
	char *text;

	for (size_t i = 0; i < p->runs; i++) {
		const struct profile *r = &p->run[i];
		json_t *run = json_object(), *rows = json_array();

		json_put_int(run, "windows", (int64_t)r->windows);
		json_put_int(run, "switches", (int64_t)r->switches);
		json_put_real(run, "tlbi", thousandths(r->tlbi));
		json_put_real(run, "dsb", thousandths(r->dsb));
		for (size_t k = 0; k < r->rows; k++) {
			const struct profile_row *x = &r->row[k];
			json_t *row = json_array();

			json_array_append_new(row, json_string(x->function));
			json_array_append_new(row, json_real(thousandths(x->instructions)));
			json_array_append_new(row, json_real(thousandths(x->calls)));
			json_array_append_new(rows, row);
		}
		json_put(run, "rows", rows);
		json_array_append_new(runs, run);
	}
	json_put_int(o, "format", 1);
	json_put(o, "runs", runs);
	text = json_text(o);
	json_decref(o);
	return text;
}

struct run_in {
	int64_t windows, switches;
	double tlbi, dsb;
	json_t *rows;
};

static const struct json_field run_fields[] = {
        {"windows", JSON_INT, offsetof(struct run_in, windows), JSON_MUST, 0, INT64_MAX, NULL},
        {"switches", JSON_INT, offsetof(struct run_in, switches), JSON_MUST, 0, INT64_MAX, NULL},
        {"tlbi", JSON_NUM, offsetof(struct run_in, tlbi), JSON_MUST, 0, 0, NULL},
        {"dsb", JSON_NUM, offsetof(struct run_in, dsb), JSON_MUST, 0, 0, NULL},
        {"rows", JSON_ARR, offsetof(struct run_in, rows), JSON_MUST, 0, 1000000, NULL},
        {0},
};

struct file_in {
	int64_t format;
	json_t *runs;
};

static const struct json_field file_fields[] = {
        {"format", JSON_INT, offsetof(struct file_in, format), JSON_MUST, 1, 1, NULL},
        {"runs", JSON_ARR, offsetof(struct file_in, runs), JSON_MUST, 0, 1000000, NULL},
        {0},
};

static enum err read_run(json_t *o, size_t at, struct profile *p, struct why *w)
{
	struct run_in in = {0};
	char place[32];
	json_t *row;
	size_t i;
	enum err e;

	snprintf(place, sizeof(place), "runs[%zu]", at);
	e = json_decode(o, place, run_fields, &in, w);
	if (e != OK)
		return e;
	*p = (struct profile){.windows = (uint64_t)in.windows,
	                      .switches = (uint64_t)in.switches,
	                      .tlbi = in.tlbi,
	                      .dsb = in.dsb,
	                      .row = xcalloc(json_array_size(in.rows) + 1, sizeof(*p->row))};
	json_array_foreach (in.rows, i, row) {
		const json_t *n = json_array_get(row, 1), *calls = json_array_get(row, 2);
		const char *name = json_string_value(json_array_get(row, 0));

		if (json_array_size(row) != 3 || !name || !json_is_number(n) ||
		    !json_is_number(calls))
			return err_set(w, ERR_INPUT,
			               "%s.rows[%zu]: expected a function and two numbers", place,
			               i);
		p->row[p->rows++] = (struct profile_row){xstrdup(name), json_number_value(n),
		                                         json_number_value(calls), 0};
	}
	/* Sorted anew: what stands there may be from elsewhere. */
	merge(p);
	return OK;
}

enum err profiles_read(const char *text, size_t len, struct profiles *out, struct why *w)
{
	struct file_in in = {0};
	json_t *o = NULL;
	size_t i;
	enum err e = json_parse(text, len, len, &o, w);

	*out = (struct profiles){0};
	if (e == OK)
		e = json_decode(o, "", file_fields, &in, w);
	for (i = 0; e == OK && i < json_array_size(in.runs); i++)
		e = read_run(json_array_get(in.runs, i), i, add_run(out), w);
	json_decref(o);
	if (e != OK)
		profiles_release(out);
	return e;
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
	const struct symbol *x = s ? symbols_find(s, function) : NULL;

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
