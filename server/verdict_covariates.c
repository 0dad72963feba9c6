/*
 * verdict_covariates.c - what hardware counted beside the time: means of a cell, and
 * whether they say that a difference is of the layout and not of the code.
 */
#include "server/verdict_facts.h"

#include "lib/json.h"
#include "lib/mem.h"
#include "lib/stat/covariate.h"
#include "server/store_covariate.h"

#include <math.h>
#include <string.h>

enum { INSTRUCTIONS, CYCLES };

static const char *const names[] = {"instructions", "cycles", "dtlb_walks", "l1i_refills",
                                    "branch_misses"};

#define NAMES ARRAY_SIZE(names)

/* Of one slot. */
struct counted {
	double sum[NAMES];
	size_t n[NAMES];
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
static void add(const char *evidence, struct counted *to)
{
	json_t *o = json_loads(evidence, 0, NULL), *c = json_object_get(o, "covariates");

	for (size_t i = 0; i < NAMES; i++) {
		const json_t *x = json_object_get(c, names[i]);

		if (!json_is_integer(x) || json_integer_value(x) < 0)
			continue;
		to->sum[i] += (double)json_integer_value(x);
		to->n[i]++;
	}
	json_decref(o);
}

static double mean(const struct counted *c, size_t i)
{
	return c->n[i] ? c->sum[i] / (double)c->n[i] : NAN;
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

static void add_cell(struct cmp *c, const struct facts *f, struct counted *all, size_t cell)
{
	struct cmp_cell *x = &c->cell[cell];
	const struct counted *base = at(all, f, x->board, x->case_, c->baseline);
	const struct counted *own = at(all, f, x->board, x->case_, x->kernel);
	double change[NAMES];

	for (size_t i = 0; i < NAMES; i++) {
		change[i] = stat_covariate_change(mean(base, i), mean(own, i));
		if (base->n[i] || own->n[i])
			cmp_add_covariate(c, cell, names[i], mean(base, i), mean(own, i),
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
	size_t i, case_, boot;
	bool any = false;
	enum err e = OK;

	for (i = 0; i < f->boards.count; i++)
		any |= str_eq(f->metric[i], "ns");
	if (any)
		e = store_covariate_rows(db, f->sub.id, p, &rows, w);
	for (i = 0; e == OK && i < rows.count; i++) {
		boot = boot_index(f, rows.at[i].boot);
		case_ = index_of(f->case_ids.at, f->cases.count, rows.at[i].case_id);
		if (boot < f->boots.count && case_ < f->cases.count && f->counts[boot])
			add(rows.at[i].evidence,
			    at(all, f, f->board_of[boot], case_, f->kernel_of[boot]));
	}
	for (i = 0; e == OK && rows.count && i < c->cells; i++)
		if (!cmp_is_baseline(c, &c->cell[i]))
			add_cell(c, f, all, i);
	return e;
}
