/* schedule_boots.c - which boots a submission gets: phases, rows, looks. */
#include "server/schedule.h"

#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/stat/looks.h"
#include "lib/stat/pairs.h"
#include "lib/stat/welch.h"
#include "server/store_board.h"
#include "server/store_layout.h"
#include "server/store_more.h"
#include "server/store_search.h"

#include <string.h>

/* Distinct numbers, so that every phase finds the page allocator and the timer
 * tick elsewhere: four geometric runs, small and large ones in turn, of which
 * any first part is spread. Changing one makes older boots unfit for reuse. */
static const int16_t phase_pages[BOOTS_MAX] = {
        7, 9,  11, 14, 18, 23, 29, 37, 46, 58, 73, 92,  115, 144, 180, 225,
        8, 10, 13, 16, 20, 26, 33, 41, 52, 65, 82, 103, 129, 161, 202, 252,
};

/* Order within a submission: behind what resolves and builds. */
#define SEQ_BOOT     1000000
#define SEQ_STEP     1500000
#define SEQ_VALIDATE 2000000

int64_t schedule_phase_pages(int64_t phase)
{
	if (phase >= 0 && phase < BOOTS_MAX)
		return phase_pages[phase];
	err_bug("phase %lld is out of bounds", (long long)phase);
}

struct layout {
	const struct sub *s;
	const struct sub_kernels *k;
	const char *plan_sha256;
	char domain_of_image[17];
	int64_t now_ms, seq;
	struct sub_layouts relinks;
	const bool *chosen; /* kernels beside the baseline, by place; NULL: all */
	bool search;        /* they are steps of a search: the others have their boots */
};

/* A kernel's id in a layout; NONE: it has none such (an image has one). */
static int64_t relinked(const struct layout *l, const struct sub_kernel *k, int64_t layout)
{
	size_t i;

	if (layout == 0)
		return k->kernel_id;
	for (i = 0; i < l->relinks.count; i++)
		if (l->relinks.at[i].pos == k->pos && l->relinks.at[i].layout == layout)
			return l->relinks.at[i].kernel;
	return NONE;
}

static enum err want_boot(struct db *db, struct layout *l, const struct board *b,
                          const struct sub_kernel *k, int64_t kernel, int64_t phase,
                          int64_t replicate, struct why *w)
{
	const struct boot_want want = {.kernel = kernel,
	                               .board = b->name,
	                               .board_identity = b->identity,
	                               .plan_sha256 = l->plan_sha256,
	                               .memory_bytes = l->s->memory_bytes,
	                               .phase = phase,
	                               .replicate = replicate,
	                               .bench = b->bench};
	struct job j = job_blank();
	char domain[17];
	int64_t id = NONE;
	enum err e = OK;

	/* A part on a board with noise is a measurement of its own (submit_more.h). */
	if (l->s->reuse && (b->deterministic || l->s->part_of == NONE))
		e = store_boot_reusable(db, &want, &id, w);
	if (e == OK && id != NONE)
		return store_boot_link(db, l->s->id, id, true, w);
	if (e != OK)
		return e;
	schedule_domain(l->s->submitter, k->tree, domain);
	j.kind = "boot";
	j.urgency = l->s->priority;
	j.seq = SEQ_BOOT + l->seq++;
	j.submission = l->s->id;
	j.kernel = kernel;
	j.name = k->name;
	j.domain = domain;
	j.board = b->name;
	j.metric = b->metric;
	j.memory_bytes = l->s->memory_bytes;
	j.phase = phase;
	j.phase_pages = b->deterministic ? schedule_phase_pages(phase) : 0;
	j.replicate = replicate;
	j.baseline = k->kernel_id == l->k->at[l->s->baseline].kernel_id;
	return store_job_add(db, &j, l->now_ms, &id, w);
}

/* The baseline under another commit: its boots stand for both. Who wants fresh boots gets
 * them all the same. */
static bool is_baselines_twin(const struct layout *l, const struct sub_kernel *k)
{
	const struct sub_kernel *base = &l->k->at[l->s->baseline];

	return l->s->reuse && k != base && k->section_hash &&
	       str_eq(k->section_hash, base->section_hash);
}

static bool is_chosen(const struct layout *l, size_t at)
{
	return !l->chosen || l->chosen[at] || (!l->search && (int64_t)at == l->s->baseline);
}

/* A step of a search that is another kernel's binary: that one's boots stand for both. */
static bool is_measured(const struct layout *l, const struct sub_kernel *k)
{
	bool is = false;

	for (size_t i = 0; l->search && l->s->reuse && i < l->k->count; i++) {
		const struct sub_kernel *x = &l->k->at[i];

		is |= x != k && x->validates == NONE && !x->built_only &&
		      (x->kernel_id == k->kernel_id ||
		       (k->section_hash && str_eq(x->section_hash, k->section_hash)));
	}
	return is;
}

/* One row of boots: all kernels that are ready, each kernel once (two names may
 * stand for one) in that layout, forward or backward. */
static enum err lay_row(struct db *db, struct layout *l, const struct board *b, int64_t phase,
                        int64_t layout, int64_t replicate, bool backward, struct why *w)
{
	size_t i, n = l->k->count, o;
	enum err e = OK;

	for (i = 0; e == OK && i < n; i++) {
		const struct sub_kernel *k = &l->k->at[backward ? n - 1 - i : i];
		int64_t id = relinked(l, k, layout);
		bool again = k->validates != NONE || k->built_only || is_baselines_twin(l, k) ||
		             is_measured(l, k);

		for (o = 0; &l->k->at[o] != k; o++)
			again |= is_chosen(l, o) && l->k->at[o].kernel_id == k->kernel_id;
		again |= !is_chosen(l, o);
		/* Boots of an image take the place that a relink would have. */
		if (id == NONE && !b->deterministic)
			id = k->kernel_id;
		if (!again && id != NONE && str_eq(k->state, "ready"))
			e = want_boot(db, l, b, k, id, phase, replicate, w);
	}
	return e;
}

/* Boots from..until - 1 of every kernel on the board, spread over the layouts; a
 * deterministic one boots each layout in each phase, and the first of all twice. */
static enum err lay_board(struct db *db, struct layout *l, struct board *b, int64_t from,
                          int64_t until, struct why *w)
{
	int64_t phase, layout, layouts = l->s->layouts, row = from, health = NONE;
	enum err e = OK;

	for (phase = from; e == OK && phase < until; phase++) {
		if (!b->deterministic)
			e = lay_row(db, l, b, phase, phase % layouts, 0, row++ % 2 == 1, w);
		for (layout = 0; e == OK && b->deterministic && layout < layouts; layout++)
			e = lay_row(db, l, b, phase, layout, 0, row++ % 2 == 1, w);
		if (e == OK && phase == 0 && b->deterministic)
			e = lay_row(db, l, b, phase, 0, 1, row++ % 2 == 1, w);
	}
	if (e == OK && str_eq(b->state, "quarantined"))
		e = store_job_health(db, b->name, &health, w);
	if (e == OK && str_eq(b->state, "quarantined") && health == NONE)
		e = sched_fail_waiting(db, b->name, b->why, l->now_ms, w);
	return e;
}

/* ---- validation */

/* Each case once, and what showed the bug that the published figures of fork batching
 * had: forks of a private file mapping in large folios. */
static enum err validation_plan(struct db *db, struct pool *p, const struct sub *s,
                                const char **plan, struct why *w)
{
	static const char *const always[] = {"fork/order=0,size=16M,fill=file",
	                                     "fork/order=4,size=16M,fill=file",
	                                     "fork/order=9,size=16M,fill=file"};
	struct texts cases = {0};
	enum err e = store_sub_cases(db, s->id, p, &cases, NULL, w);

	*plan = "# foldbench plan 1\n";
	for (size_t i = 0; e == OK && i < cases.count + ARRAY_SIZE(always); i++) {
		const char *text = i < cases.count ? cases.at[i] : always[i - cases.count];
		bool again = false;

		for (size_t o = 0; i >= cases.count && o < cases.count; o++)
			again |= str_eq(cases.at[o], text);
		if (!again)
			*plan = pool_fmt(p, "%s%s runs=1 iterations=1 warmup=1\n", *plan, text);
	}
	return e;
}

/* One boot of each kernel that validates another, behind all the others: its log is
 * what counts, so any board will do that boots what is built here. */
static enum err lay_validation(struct db *db, struct pool *p, const struct layout *l,
                               const struct board *b, struct why *w)
{
	const char *plan = NULL;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < l->k->count; i++) {
		const struct sub_kernel *k = &l->k->at[i];
		struct job j = job_blank();
		char domain[17];
		int64_t id;

		if (k->validates == NONE || !str_eq(k->state, "ready"))
			continue;
		if (!plan)
			e = validation_plan(db, p, l->s, &plan, w);
		if (e != OK)
			return e;
		schedule_domain(l->s->submitter, k->tree, domain);
		j.kind = "boot";
		j.purpose = "validate";
		j.urgency = l->s->priority;
		j.seq = SEQ_VALIDATE + k->pos;
		j.submission = l->s->id;
		j.kernel = k->kernel_id;
		j.name = k->name;
		j.domain = domain;
		j.board = b->name;
		j.plan = plan;
		j.metric = b->metric;
		j.memory_bytes = l->s->memory_bytes;
		j.phase = 0;
		j.phase_pages = b->deterministic ? schedule_phase_pages(0) : 0;
		e = store_job_add(db, &j, l->now_ms, &id, w);
	}
	return e;
}

enum err sched_lay_boots(struct db *db, struct pool *p, const struct sub *s,
                         const struct sub_kernels *k, int64_t now_ms, struct why *w)
{
	struct layout l = {.s = s, .k = k, .now_ms = now_ms};
	struct texts boards = {0};
	char plan_sha256[65];
	size_t i;
	enum err e;

	hash_block(s->plan, strlen(s->plan), plan_sha256);
	l.plan_sha256 = plan_sha256;
	e = store_layouts(db, s->id, p, &l.relinks, w);
	if (e == OK)
		e = store_sub_boards(db, s->id, p, &boards, w);
	for (i = 0; e == OK && i < boards.count; i++) {
		struct board b = {0};

		e = store_board_get(db, boards.at[i], p, &b, w);
		l.seq = 0;
		if (e == OK)
			e = lay_board(db, &l, &b, 0, schedule_boots(s->boots, b.deterministic), w);
		if (e == OK && i == 0)
			e = lay_validation(db, p, &l, &b, w);
	}
	if (e == OK)
		e = store_sub_set_planned(db, s->id, w);
	return e;
}

/* As many boots as the others were asked for, with none of them again. */
static enum err lay_step(struct db *db, struct pool *p, struct layout *l,
                         const struct search_step *step, struct why *w)
{
	struct texts boards = {0};
	bool *chosen = pool_alloc(p, l->k->count * sizeof(*chosen));
	enum err e = store_sub_boards(db, l->s->id, p, &boards, w);

	for (size_t i = 0; i < l->k->count; i++)
		chosen[i] = l->k->at[i].searched && l->k->at[i].patches == step->position;
	l->chosen = chosen;
	for (size_t i = 0; e == OK && i < boards.count; i++) {
		struct board b = {0};
		int64_t laid = 0;

		e = store_board_get(db, boards.at[i], p, &b, w);
		if (e == OK)
			e = store_more_laid(db, l->s->id, b.name, &laid, w);
		l->seq = SEQ_STEP + step->number * BOOTS_MAX * (LAYOUTS_MAX + 1);
		if (e == OK)
			e = lay_board(db, l, &b, 0, laid, w);
	}
	return e == OK ? store_search_laid(db, l->s->id, step->number, w) : e;
}

enum err sched_lay_steps(struct db *db, struct pool *p, const struct sub *s,
                         const struct sub_kernels *k, int64_t now_ms, struct why *w)
{
	struct layout l = {.s = s, .k = k, .now_ms = now_ms, .search = true};
	struct search_steps steps = {0};
	char plan_sha256[65];
	enum err e = store_search_steps(db, s->id, p, &steps, w);

	if (e != OK || !steps.waiting)
		return e;
	hash_block(s->plan, strlen(s->plan), plan_sha256);
	l.plan_sha256 = plan_sha256;
	e = store_layouts(db, s->id, p, &l.relinks, w);
	for (size_t i = 0; e == OK && i < steps.count; i++)
		if (!steps.at[i].laid)
			e = lay_step(db, p, &l, &steps.at[i], w);
	return e;
}

int64_t schedule_boots(int64_t told, bool deterministic)
{
	if (told != NONE)
		return told;
	return deterministic ? BOOTS_PHASES : (int64_t)stat_look[0].boots;
}

int64_t schedule_boots_least(bool deterministic)
{
	return deterministic ? STAT_PAIRS_MIN : STAT_BOOTS_MIN;
}

enum err schedule_more(struct db *db, int64_t sub, const char *board, int64_t from, int64_t until,
                       int64_t now_ms, struct why *w)
{
	return schedule_added(db, sub, board, NULL, from, until, now_ms, w);
}

enum err schedule_added(struct db *db, int64_t sub, const char *board, const bool *chosen,
                        int64_t from, int64_t until, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct sub_kernels k = {0};
	struct layout l = {.k = &k, .now_ms = now_ms, .chosen = chosen};
	struct board b = {0};
	struct sub s;
	char plan_sha256[65];
	enum err e = store_sub_get(db, sub, p, &s, w);

	/* Cancelled, perhaps, since the facts were read. */
	if (e != OK || s.ended_ms != NONE)
		goto out;
	e = store_sub_kernels(db, sub, p, &k, w);
	if (e == OK)
		e = store_layouts(db, sub, p, &l.relinks, w);
	if (e == OK)
		e = store_board_get(db, board, p, &b, w);
	if (e != OK)
		goto out;
	hash_block(s.plan, strlen(s.plan), plan_sha256);
	l.s = &s;
	l.plan_sha256 = plan_sha256;
	l.seq = from * (int64_t)k.count;
	e = lay_board(db, &l, &b, from, until, w);
out:
	pool_free(p);
	return e;
}
