/* verdict_cell.c - one cell: a kernel's values, or why it has none. */
#include "server/verdict_cell.h"

#include "lib/mem.h"
#include "lib/stat/pairs.h"

#include <math.h>

/* Smaller changes are of no interest (docs/statistics.md). */
#define THRESHOLD_PHASES 0.001
#define THRESHOLD_BOOTS  0.01

struct side verdict_side(struct pool *p, const struct facts *f, const struct slot *s, int64_t boots)
{
	double *median = pool_alloc(p, s->numbers * sizeof(*median));
	double *mean = pool_alloc(p, s->numbers * sizeof(*mean));
	int64_t *phase = pool_alloc(p, s->numbers * sizeof(*phase));
	int64_t *layout = pool_alloc(p, s->numbers * sizeof(*layout));
	struct side side = {.layout = layout,
	                    .stat = {.median = median, .mean = mean, .phase = phase}};
	size_t at, i, runs = 0;

	for (at = s->head; at; at = f->number[at - 1].next)
		runs += f->number[at - 1].runs;
	side.run = pool_alloc(p, runs * sizeof(*side.run));
	for (at = s->head; at; at = f->number[at - 1].next) {
		const struct number *n = &f->number[at - 1];

		if (f->boots.at[n->boot].phase >= boots)
			continue;
		median[side.stat.n] = n->median;
		mean[side.stat.n] = n->mean;
		layout[side.stat.n] = f->layout_of[n->boot];
		phase[side.stat.n++] = f->boots.at[n->boot].phase;
		for (i = 0; i < n->runs; i++)
			side.run[side.runs++] = f->stats.at[n->first + i].median;
	}
	return side;
}

enum verdict verdict_no_number(const struct facts *f, struct pool *p, size_t board, size_t kernel,
                               const struct slot *s, const char **why)
{
	const struct sub_kernel *k = &f->kernels.at[kernel];
	size_t i, thrown = 0;
	const char *first = NULL;

	if (str_eq(k->state, "failed")) {
		*why = pool_fmt(p, "there is no such kernel: %s", k->why ? k->why : "it failed");
		return VERDICT_INVALID;
	}
	if (s->skip && !s->invalid) {
		*why = s->skip;
		return VERDICT_SKIP;
	}
	if (s->invalid || s->skip) {
		*why = s->invalid ? s->invalid : s->skip;
		return VERDICT_INVALID;
	}
	for (i = 0; i < f->boots.count; i++) {
		const char *out = facts_why_out(f, i);

		if (f->board_of[i] != board || f->kernel_of[i] != f->stands_for[kernel] || !out)
			continue;
		thrown++;
		if (!first)
			first = out;
	}
	if (f->open_jobs || (!f->sub.planned && f->sub.ended_ms == NONE)) {
		*why = "no boots yet";
		return VERDICT_UNSURE;
	}
	if (thrown) {
		*why = pool_fmt(p, "all %zu boots were thrown out: %s", thrown, first);
		return VERDICT_INVALID;
	}
	for (i = 0; i < f->jobs.count; i++) {
		const struct job *j = &f->jobs.at[i];

		if (str_eq(j->kind, "boot") && str_eq(j->purpose, "work") &&
		    j->kernel == k->kernel_id && str_eq(j->board, f->boards.at[board]) && j->why) {
			*why = pool_fmt(p, "it was never booted: %s", j->why);
			return VERDICT_INVALID;
		}
	}
	*why = f->sub.why ? pool_fmt(p, "it was never booted: %s", f->sub.why)
	                  : "no boot ran this case";
	return VERDICT_INVALID;
}

int64_t verdict_invalid_boots(const struct facts *f, size_t board, size_t kernel,
                              const struct slot *s)
{
	int64_t n = (int64_t)s->unnumbered;
	size_t i;

	for (i = 0; i < f->boots.count; i++)
		n += f->board_of[i] == board && f->kernel_of[i] == f->stands_for[kernel] &&
		     facts_why_out(f, i);
	return n;
}

static bool same_binary(const struct facts *f, size_t a, size_t b)
{
	const struct kernel *x = &f->built[a], *y = &f->built[b];

	return (x->id && x->id == y->id) ||
	       (x->section_hash && str_eq(x->section_hash, y->section_hash)) ||
	       (x->image && str_eq(x->image, y->image));
}

size_t verdict_layouts(const struct facts *f, size_t board, const struct side *base,
                       const struct side *side)
{
	size_t a = stat_common_layouts(&base->stat, base->layout, &base->stat, base->layout);
	size_t b = stat_common_layouts(&side->stat, side->layout, &side->stat, side->layout);
	size_t n = a < b ? a : b;

	if (f->deterministic[board])
		n = stat_common_layouts(&base->stat, base->layout, &side->stat, side->layout);
	return n > 1 ? n : 1;
}

struct stat_rule verdict_rule(const struct facts *f, size_t board, size_t case_, size_t layouts)
{
	const struct stat_pool *spread = &f->spread[board * f->cases.count + case_];
	struct stat_rule rule = stat_rule_default();
	double preset = f->deterministic[board] ? THRESHOLD_PHASES : THRESHOLD_BOOTS;

	rule.tau = stat_tau(isnan(f->sub.threshold) ? preset : f->sub.threshold,
	                    facts_floor_of(f, board, case_, layouts));
	rule.more_is_better = f->more_is_better[board];
	rule.pool = spread->df > 0 ? spread : NULL;
	return rule;
}

void verdict_judge(const struct facts *f, struct pool *p, size_t board, size_t case_, size_t k,
                   const struct side *base, const struct side *side, struct stat_result *r)
{
	size_t b = (size_t)f->sub.baseline;
	const struct slot *slot = facts_slot(f, board, case_, k);
	size_t layouts = verdict_layouts(f, board, base, side);
	struct stat_rule rule = verdict_rule(f, board, case_, layouts);
	const char *why = NULL;
	enum verdict v;

	if (!side->stat.n) {
		v = verdict_no_number(f, p, board, k, slot, &why);
		stat_no_number(r, v, "%s", why);
	} else if (!base->stat.n) {
		v = verdict_no_number(f, p, board, b, facts_slot(f, board, case_, b), &why);
		stat_no_number(r, v, "baseline \"%s\": %s", f->kernels.at[b].name, why);
	} else if ((f->deterministic[board] || f->stands_for[b] == f->stands_for[k]) &&
	           same_binary(f, b, k)) {
		stat_same_image(r);
	} else if (f->deterministic[board]) {
		stat_compare_phases_layouts(&base->stat, base->layout, &side->stat, side->layout,
		                            &rule, r);
	} else if (layouts > 1) {
		stat_compare_layouts(&base->stat, base->layout, &side->stat, side->layout, &rule,
		                     r);
	} else {
		stat_compare_boots(&base->stat, &side->stat, &rule, r);
	}
	r->tau = rule.tau;
}
