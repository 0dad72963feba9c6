/* verdict.c - facts to a comparison. */
#include "server/verdict.h"

#include "lib/mem.h"
#include "lib/stat/number.h"
#include "server/schedule.h"
#include "server/store_board.h"
#include "server/store_more.h"
#include "server/verdict_cell.h"
#include "server/verdict_looks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *dup(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

/* ---- the frame */

static void frame_kernels(struct cmp *c, const struct sub_kernels *k, const struct kernel *built)
{
	size_t i;

	for (i = 0; i < k->count; i++) {
		size_t at = cmp_add_kernel(c, k->at[i].name); /* may move the array */
		struct cmp_kernel *x = &c->kernel[at];

		x->tree = dup(k->at[i].tree);
		x->ref = dup(k->at[i].ref);
		x->commit = dup(k->at[i].commit);
		x->subject = dup(k->at[i].subject);
		x->config = dup(k->at[i].config_name);
		x->compiler = dup(built[i].compiler);
		x->build_id = dup(built[i].build_id);
		x->image = dup(built[i].image);
		x->self_reported = built[i].imported;
	}
}

static enum err frame(struct db *db, struct pool *p, const struct facts *f, struct cmp *c,
                      struct why *w)
{
	size_t i;

	c->submission = f->sub.id;
	c->title = dup(f->sub.title);
	c->plan = (struct cmp_plan){.boots = f->sub.boots,
	                            .runs = f->sub.runs,
	                            .iterations = f->sub.iterations,
	                            .warmup = f->sub.warmup};
	frame_kernels(c, &f->kernels, f->built);
	c->baseline = (size_t)f->sub.baseline;
	for (i = 0; i < f->boards.count; i++) {
		size_t at = cmp_add_board(c, f->boards.at[i]);
		struct cmp_board *x = &c->board[at];
		struct board b = {0};
		enum err e = store_board_get(db, f->boards.at[i], p, &b, w);

		if (e != OK && e != ERR_NOT_FOUND)
			return e;
		x->description = dup(b.description);
		x->deterministic = f->deterministic[i];
		x->emulated = f->emulated[i];
		if (f->sub.boots == NONE) {
			int64_t n = x->deterministic ? BOOTS_PHASES : looks_laid(f, i);

			if (c->plan.boots < n)
				c->plan.boots = n;
		}
	}
	if (c->plan.boots < 0) /* absent, and no board */
		c->plan.boots = 0;
	for (i = 0; i < f->cases.count; i++)
		cmp_add_case(c, f->cases.at[i]);
	return OK;
}

/* ---- cells */

/* What a kernel is compared with: the facts, their baseline that kernel. */
struct against {
	struct facts f;
	struct looked *looked;
};

/* A board's kernels each against the baseline or, for the effect of the patches in
 * between, the kernel before it. */
static struct against *against_all(const struct facts *f, const struct verdict_view *view,
                                   struct judged *v, size_t board)
{
	struct against *a = pool_alloc(v->pool, f->kernels.count * sizeof(*a));
	size_t k, b;

	for (k = 0; k < f->kernels.count; k++) {
		b = v->cmp->previous ? cmp_previous(v->cmp, k) : v->cmp->baseline;
		/* A prefix that was not built, or never came up there, says nothing about the
		 * next. */
		while (v->cmp->previous && b != v->cmp->baseline &&
		       (!facts_measured(f, board, b) || (view->marks && f->kernels.at[b].searched)))
			b = cmp_previous(v->cmp, b);
		a[k].f = *f;
		a[k].f.sub.baseline = (int64_t)b;
		a[k].looked =
		        k && !v->cmp->previous ? a[0].looked : looked_at(&a[k].f, v->pool, board);
	}
	return a;
}

/* True where it stands on other kernels' spread as well. */
static bool add_cell(const struct against *a, struct pool *p, struct cmp *c, size_t board,
                     size_t case_, size_t metric, size_t k)
{
	const struct facts *f = &a->f;
	const struct slot *slot = facts_slot(f, board, case_, k);
	size_t b = (size_t)f->sub.baseline;
	int64_t boots = a->looked ? a->looked->boots : ALL_BOOTS;
	struct side base = verdict_side(p, f, facts_slot(f, board, case_, b), boots);
	struct side side = verdict_side(p, f, slot, boots);
	struct cmp_cell *x = cmp_add_cell(c, board, case_, metric, k);
	struct stat_result r = {.pooled = false};

	x->base = b;
	if (k == b) {
		const char *why = NULL;

		x->change = x->low = x->high = side.stat.n ? 0 : NAN;
		x->low = x->high = NAN;
		x->verdict =
		        side.stat.n ? VERDICT_SAME : verdict_no_number(f, p, board, b, slot, &why);
		x->why = dup(why);
	} else {
		if (a->looked)
			r = *looked_cell(a->looked, f, case_, k);
		else
			verdict_judge(f, p, board, case_, k, &base, &side, &r);
		cmp_cell_result(x, &r);
		x->tau = r.tau;
	}
	x->layouts = (unsigned int)verdict_layouts(f, board, &base, &side);
	x->floor = facts_floor_of(f, board, case_, x->layouts);
	x->mean = stat_mean(side.stat.median, side.stat.n);
	x->base_mean = stat_mean(base.stat.median, base.stat.n);
	x->std_rel = stat_std_rel(side.run, side.runs);
	x->boots = (int64_t)side.stat.n;
	x->runs = (int64_t)side.runs;
	x->invalid_boots = verdict_invalid_boots(f, board, k, slot);
	return k != b && r.pooled;
}

/* A board's cells, and how many more boots they ask for. */
static void add_board(const struct facts *f, const struct verdict_view *view, struct judged *v,
                      size_t board)
{
	struct against *a = against_all(f, view, v, board);
	struct looked *looked = a[v->cmp->baseline].looked;
	size_t case_, k, pooled = 0;

	for (case_ = 0; case_ < f->cases.count; case_++) {
		size_t metric = cmp_add_metric(v->cmp, f->metric[board]);

		if (f->unit[board] && !v->cmp->metric[metric].unit)
			v->cmp->metric[metric].unit = xstrdup(f->unit[board]);
		v->cmp->metric[metric].more_is_better = f->more_is_better[board];
		for (k = 0; k < f->kernels.count; k++)
			pooled += add_cell(&a[k], v->pool, v->cmp, board, case_, metric, k);
	}
	if (pooled)
		cmp_add_note(v->cmp,
		             "%s: %zu interval%s the spread of other kernels' boots there too",
		             f->boards.at[board], pooled, pooled == 1 ? " uses" : "s use");
	if (v->finished && looked && looked->next)
		*(struct more_boots *)pool_push(v->pool, (void **)&v->more.at, &v->more.count,
		                                sizeof(*v->more.at)) =
		        (struct more_boots){f->boards.at[board], looked->laid, looked->next};
}

static void add_thrown(const struct facts *f, struct cmp *c)
{
	size_t i;

	for (i = 0; i < f->boots.count; i++) {
		const struct boot *b = &f->boots.at[i];
		const char *why = facts_why_out(f, i);

		if (!why || f->board_of[i] == NOWHERE || f->kernel_of[i] == NOWHERE)
			continue;
		cmp_add_thrown(c, f->board_of[i], f->kernel_of[i], b->id,
		               f->deterministic[f->board_of[i]] ? b->phase : -1, why);
	}
}

/* Boots that never came, where others did: the cells stand on fewer. */
static void note_missing(const struct facts *f, struct cmp *c)
{
	size_t i, o;

	for (i = 0; i < f->jobs.count; i++) {
		const struct job *j = &f->jobs.at[i];
		size_t n = 1;
		bool first = true;

		if (!str_eq(j->kind, "boot") || !str_eq(j->purpose, "work") ||
		    (!str_eq(j->state, "cancelled") &&
		     !(str_eq(j->state, "failed") && str_eq(j->class, "infra"))))
			continue;
		for (o = 0; o < f->jobs.count; o++) {
			const struct job *x = &f->jobs.at[o];
			bool alike = o != i && x->kernel == j->kernel &&
			             str_eq(x->board, j->board) && str_eq(x->state, j->state) &&
			             str_eq(x->why, j->why);

			first &= !(alike && o < i);
			n += alike;
		}
		if (first)
			cmp_add_note(c, "%zu boot%s of \"%s\" on \"%s\" did not take place: %s", n,
			             n == 1 ? "" : "s", j->name, j->board,
			             j->why ? j->why : "no reason given");
	}
}

/* Whoever adds boots until he likes the result will like one: it is said, and alerts of
 * nothing. */
static void note_added(const struct facts *f, struct judged *v)
{
	for (size_t i = 0; i < f->boards.count; i++) {
		if (!f->added[i])
			continue;
		v->exploratory = true;
		cmp_add_note(v->cmp,
		             "%s: %lld boots were added after the looks: its verdicts are "
		             "exploratory, each interval at 95 %% by itself",
		             f->boards.at[i], (long long)f->added[i]);
	}
}

/* A part is held against its own boots alone: whoever reads one of the two is told of the
 * other. */
static enum err note_parts(struct db *db, struct pool *p, const struct facts *f, struct cmp *c,
                           struct why *w)
{
	struct parts parts = {0};
	struct texts cases = {0};
	enum err e = store_more_parts(db, f->sub.id, p, &parts, w);

	for (size_t i = 0; e == OK && i < parts.count; i++)
		cmp_add_note(c,
		             "submission %lld measures %lld of the %zu cases again, by %s: its "
		             "boots are not counted here",
		             (long long)parts.at[i].id, (long long)parts.at[i].cases,
		             f->cases.count, parts.at[i].cases == 1 ? "itself" : "themselves");
	if (e == OK && f->sub.part_of != NONE)
		e = store_sub_cases(db, f->sub.part_of, p, &cases, NULL, w);
	if (e == OK && f->sub.part_of != NONE)
		cmp_add_note(c,
		             "chosen from the %zu cases of submission %lld, in boots of a plan of "
		             "their own: that one's boots are not counted here",
		             cases.count, (long long)f->sub.part_of);
	return e;
}

/* Calls too short for the clock were summed: their numbers are of one all the same. */
static enum err note_summed(struct db *db, struct pool *p, int64_t sub, struct cmp *c,
                            struct why *w)
{
	struct summed_rows rows = {0};
	enum err e = store_run_summed(db, sub, p, &rows, w);

	for (size_t i = 0; e == OK && i < rows.count; i++)
		cmp_add_note(c,
		             "%s on %s: a sample is up to %lld windows summed, each under 1,000 "
		             "ticks of the clock",
		             rows.at[i].case_text, rows.at[i].board, (long long)rows.at[i].windows);
	return e;
}

/* Nobody planned an import: what came is what it has. */
static void plan_of_import(const struct sub *s, struct cmp *c)
{
	if (!s->imported)
		return;
	c->plan.boots = c->plan.runs = 0;
	for (size_t i = 0; i < c->cells; i++) {
		const struct cmp_cell *x = &c->cell[i];

		if (x->boots > c->plan.boots)
			c->plan.boots = x->boots;
		if (x->boots && x->runs / x->boots > c->plan.runs)
			c->plan.runs = x->runs / x->boots;
	}
}

static enum err compute(struct db *db, int64_t sub, const struct verdict_view *view,
                        struct judged *v, struct why *w)
{
	struct facts f = {0};
	size_t board;
	enum err e;

	*v = (struct judged){.pool = pool_new(), .cmp = cmp_new()};
	e = facts_load(db, v->pool, sub, &f, w);
	f.sub.across |= view->across;
	v->cmp->previous = view->previous;
	if (e == OK)
		e = facts_known(db, v->pool, &f, w);
	if (e == OK)
		e = facts_replicates(db, v->pool, &f, v, w);
	if (e == OK)
		e = facts_spread(db, v->pool, &f, w);
	if (e == OK)
		e = facts_floor(db, v->pool, &f, w);
	if (e == OK)
		e = frame(db, v->pool, &f, v->cmp, w);
	if (e != OK)
		return e;
	e = facts_validate(db, v->pool, &f, v, w);
	if (e != OK)
		return e;
	e = facts_environments(db, v->pool, &f, w);
	if (e != OK)
		return e;
	for (board = 0; board < f.boards.count; board++)
		v->cmp->board[board].env_id = dup(f.env[board]);
	facts_lay(v->pool, &f);
	v->finished = f.sub.planned && f.sub.ended_ms == NONE && f.open_jobs == 0;
	for (board = 0; board < f.boards.count; board++)
		add_board(&f, view, v, board);
	if (v->more.count)
		v->finished = false;
	note_added(&f, v);
	plan_of_import(&f.sub, v->cmp);
	/* What was counted beside the time is set against the baseline's alone; once all
	 * boots are there, as the floors are: a comparison is computed anew with each. */
	if (!view->previous && !f.open_jobs)
		e = facts_covariates(db, v->pool, &f, v->cmp, w);
	if (e != OK)
		return e;
	add_thrown(&f, v->cmp);
	facts_note_across(v->pool, &f, v->cmp);
	e = facts_signatures(db, v->pool, &f, v->cmp, w);
	if (e != OK)
		return e;
	facts_footnotes(&f, v->cmp);
	note_missing(&f, v->cmp);
	e = note_parts(db, v->pool, &f, v->cmp, w);
	if (e == OK)
		e = note_summed(db, v->pool, sub, v->cmp, w);
	if (view->previous)
		cmp_add_note(v->cmp,
		             "each kernel is compared with the one before it, from the "
		             "boots that were made for the comparison with %s",
		             v->cmp->kernel[v->cmp->baseline].name);
	cmp_standard_notes(v->cmp);
	v->cmp->last_fact = f.last_boot;
	v->cmp->complete =
	        v->finished || str_eq(f.sub.state, "done") || str_eq(f.sub.state, "failed");
	return e;
}

enum err verdict_compute(struct db *db, int64_t sub, struct judged *v, struct why *w)
{
	return compute(db, sub, &(struct verdict_view){0}, v, w);
}

enum err verdict_compute_view(struct db *db, int64_t sub, const struct verdict_view *view,
                              struct judged *v, struct why *w)
{
	return compute(db, sub, view, v, w);
}

void verdict_release(struct judged *v)
{
	cmp_free(v->cmp);
	pool_free(v->pool);
}

enum err verdict_load(struct db *db, int64_t sub, struct cmp **out, struct why *w)
{
	struct pool *p = pool_new();
	struct facts f = {0};
	struct judged v;
	bool found = false;
	enum err e;

	*out = cmp_new();
	e = facts_head(db, p, sub, &f, w);
	if (e == OK)
		e = frame(db, p, &f, *out, w);
	if (e == OK && f.boards.count) {
		size_t i, m;

		for (i = 0; i < f.boards.count; i++) {
			m = cmp_add_metric(*out, f.metric[i]);
			(*out)->metric[m].more_is_better = f.more_is_better[i];
			if (f.unit[i] && !(*out)->metric[m].unit)
				(*out)->metric[m].unit = xstrdup(f.unit[i]);
		}
		e = store_cmp_load(db, *out, &found, w);
		plan_of_import(&f.sub, *out);
	}
	pool_free(p);
	if (e != OK || found)
		return e;
	e = verdict_compute(db, sub, &v, w);
	if (e == OK) {
		cmp_free(*out);
		*out = v.cmp;
		v.cmp = NULL;
	}
	verdict_release(&v);
	return e;
}
