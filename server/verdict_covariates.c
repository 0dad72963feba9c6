/*
 * verdict_covariates.c - what was counted beside the time, by hardware (`covariates` of
 * a run's evidence) and by the kernel's function profiler (`calls`): means of a cell,
 * and whether they say that a difference is of the layout and not of the code.
 */
#include "server/verdict_facts.h"

#include "lib/json.h"
#include "lib/mem.h"
#include "lib/stat/covariate.h"
#include "server/store_covariate.h"

#include <math.h>
#include <string.h>

enum { INSTRUCTIONS, CYCLES };

static const char *const events[] = {"instructions", "cycles", "dtlb_walks", "l1i_refills",
                                     "branch_misses"};

#define EVENTS ARRAY_SIZE(events)

/* Those, and functions as they come; what is beyond is not shown. */
#define NAMES (EVENTS + 32)

struct names {
	const char *at[NAMES];
	size_t count;
};

/* Of one slot. */
struct counted {
	double sum[NAMES];
	size_t n[NAMES];
	size_t calls; /* runs whose calls were counted: no such function was called then */
};

static size_t index_of(const int64_t *ids, size_t n, int64_t id)
{
	size_t i = 0;

	while (i < n && ids[i] != id)
		i++;
	return i;
}

static size_t boot_index(const struct facts *f, int64_t id)
{
	size_t i = 0;

	while (i < f->boots.count && f->boots.at[i].id != id)
		i++;
	return i;
}

/* As foldbench wrote it, or whoever did: what is no count is not counted. */
static void add_one(const json_t *x, size_t i, struct counted *to)
{
	if (i >= NAMES || !json_is_integer(x) || json_integer_value(x) < 0)
		return;
	to->sum[i] += (double)json_integer_value(x);
	to->n[i]++;
}

static size_t name_index(struct pool *p, struct names *names, const char *name)
{
	size_t i = EVENTS;

	while (i < names->count && !str_eq(names->at[i], name))
		i++;
	if (i == names->count && i < NAMES)
		names->at[names->count++] = pool_str(p, name);
	return i;
}

static void add(const char *evidence, struct pool *p, struct names *names, struct counted *to)
{
	json_t *o = json_loads(evidence, 0, NULL), *c = json_object_get(o, "covariates");
	json_t *calls = json_object_get(o, "calls"), *x;
	const char *name;

	for (size_t i = 0; i < EVENTS; i++)
		add_one(json_object_get(c, events[i]), i, to);
	to->calls += json_is_integer(json_object_get(calls, "windows"));
	json_object_foreach (calls, name, x)
		if (!str_eq(name, "windows") && json_is_integer(x))
			add_one(x, name_index(p, names, name), to);
	json_decref(o);
}

/* A function that a run does not name was not called in it. */
static double mean(const struct counted *c, size_t i)
{
	size_t n = i < EVENTS ? c->n[i] : c->calls;

	return n ? c->sum[i] / (double)n : NAN;
}

static void suspect(struct cmp *c, struct cmp_cell *x, double instructions, double cycles)
{
	char *why, *before = x->why;

	if (x->verdict == VERDICT_SKIP || x->verdict == VERDICT_INVALID ||
	    !stat_layout_suspected(instructions, cycles, x->tau))
		return;
	why = xasprintf("%s%slayout suspected: instructions %+.2f%%, cycles %+.2f%%",
	                before ? before : "", before ? "; " : "", 100 * instructions, 100 * cycles);
	free(before);
	x->why = why;
	cmp_add_note(c,
	             "%s, %s, %s: layout suspected: as many instructions as the baseline takes,"
	             " in other cycles",
	             c->board[x->board].name, c->kernel[x->kernel].name, c->case_[x->case_]);
}

static struct counted *at(struct counted *all, const struct facts *f, size_t board, size_t case_,
                          size_t kernel)
{
	return &all[(board * f->cases.count + case_) * f->kernels.count + f->stands_for[kernel]];
}

static void add_cell(struct cmp *c, const struct facts *f, const struct names *names,
                     struct counted *all, size_t cell)
{
	struct cmp_cell *x = &c->cell[cell];
	const struct counted *base = at(all, f, x->board, x->case_, c->baseline);
	const struct counted *own = at(all, f, x->board, x->case_, x->kernel);
	double change[NAMES];

	for (size_t i = 0; i < names->count; i++) {
		change[i] = stat_covariate_change(mean(base, i), mean(own, i));
		if (base->n[i] || own->n[i])
			cmp_add_covariate(c, cell, names->at[i], mean(base, i), mean(own, i),
			                  change[i]);
	}
	suspect(c, x, change[INSTRUCTIONS], change[CYCLES]);
}

enum err facts_covariates(struct db *db, struct pool *p, const struct facts *f, struct cmp *c,
                          struct why *w)
{
	struct counted *all =
	        pool_alloc(p, f->boards.count * f->cases.count * f->kernels.count * sizeof(*all));
	struct covariate_rows rows = {0};
	struct names names = {.count = EVENTS};
	size_t i, case_, boot;
	bool any = false;
	enum err e = OK;

	memcpy(names.at, events, sizeof(events));
	for (i = 0; i < f->boards.count; i++)
		any |= str_eq(f->metric[i], "ns");
	if (any)
		e = store_covariate_rows(db, f->sub.id, p, &rows, w);
	for (i = 0; e == OK && i < rows.count; i++) {
		boot = boot_index(f, rows.at[i].boot);
		case_ = index_of(f->case_ids.at, f->cases.count, rows.at[i].case_id);
		if (boot < f->boots.count && case_ < f->cases.count && f->counts[boot])
			add(rows.at[i].evidence, p, &names,
			    at(all, f, f->board_of[boot], case_, f->kernel_of[boot]));
	}
	for (i = 0; e == OK && rows.count && i < c->cells; i++)
		if (!cmp_is_baseline(c, &c->cell[i]))
			add_cell(c, f, &names, all, i);
	return e;
}
