/* verdict_facts.c - reading and laying out what a comparison rests on. */
#include "server/verdict_facts.h"

#include "lib/mem.h"
#include "lib/stat/number.h"
#include "server/samples.h"
#include "server/store_board.h"
#include "server/store_more.h"

#include <stdlib.h>
#include <string.h>

static size_t board_index(const struct facts *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->boards.count; i++)
		if (strcmp(f->boards.at[i], name) == 0)
			return i;
	return NOWHERE;
}

static size_t kernel_index(const struct facts *f, int64_t id)
{
	size_t i;

	for (i = 0; i < f->kernels.count; i++)
		if (f->kernels.at[i].kernel_id == id)
			return i;
	return NOWHERE;
}

/* The kernel that a boot is of, and in which layout. */
static size_t kernel_of_boot(const struct facts *f, int64_t id, int64_t *layout)
{
	size_t i;

	*layout = 0;
	for (i = 0; i < f->relinks.count; i++) {
		if (f->relinks.at[i].kernel != id)
			continue;
		*layout = f->relinks.at[i].layout;
		return sub_kernel_at(&f->kernels, f->relinks.at[i].pos);
	}
	return kernel_index(f, id);
}

static enum err load_kernels(struct db *db, struct pool *p, struct facts *f, struct why *w)
{
	size_t i, n = f->kernels.count;
	enum err e = OK;

	f->stands_for = pool_alloc(p, n * sizeof(*f->stands_for));
	f->built = pool_alloc(p, n * sizeof(*f->built));
	for (i = 0; e == OK && i < n; i++) {
		int64_t id = f->kernels.at[i].kernel_id;

		f->stands_for[i] = id == NONE ? i : kernel_index(f, id);
		if (id != NONE)
			e = store_kernel_get(db, id, p, &f->built[i], w);
	}
	return e;
}

static bool has_boots(const struct facts *f, size_t kernel)
{
	for (size_t i = 0; i < f->boots.count; i++)
		if (f->kernel_of[i] == kernel)
			return true;
	return false;
}

static bool is_binary_of(const struct facts *f, size_t kernel, size_t other)
{
	const char *a = f->kernels.at[kernel].section_hash, *b = f->kernels.at[other].section_hash;

	return kernel != other && a && str_eq(a, b);
}

/* It was not booted because the baseline was, or, for a step of a search, any other
 * (schedule_boots.c). */
static void find_twins(struct facts *f)
{
	size_t base = (size_t)f->sub.baseline, k, o;

	for (k = 0; k < f->kernels.count; k++) {
		if (k == base || f->stands_for[k] != k || has_boots(f, k))
			continue;
		if (is_binary_of(f, k, base)) {
			f->stands_for[k] = f->stands_for[base];
			continue;
		}
		for (o = 0; f->kernels.at[k].searched && o < f->kernels.count; o++)
			if (is_binary_of(f, k, o) && has_boots(f, o)) {
				f->stands_for[k] = o;
				break;
			}
	}
}

/* What a board's boots say of it; where there is none yet, what was announced.
 * Boots are facts: a board announced otherwise later changes nothing here. */
static enum err load_boards(struct db *db, struct pool *p, struct facts *f, struct why *w)
{
	size_t i, n = f->boards.count;

	f->deterministic = pool_alloc(p, n * sizeof(*f->deterministic));
	f->emulated = pool_alloc(p, n * sizeof(*f->emulated));
	f->more_is_better = pool_alloc(p, n * sizeof(*f->more_is_better));
	f->metric = pool_alloc(p, n * sizeof(*f->metric));
	f->unit = pool_alloc(p, n * sizeof(*f->unit));
	for (i = 0; i < n; i++) {
		struct board b = {.metric = "ns"};
		enum err e = store_board_get(db, f->boards.at[i], p, &b, w);

		if (e != OK && e != ERR_NOT_FOUND) /* imports have none */
			return e;
		f->metric[i] = b.metric;
		f->deterministic[i] = b.deterministic;
		f->emulated[i] = b.emulated;
	}
	for (i = 0; i < f->boots.count; i++) {
		const struct boot *b = &f->boots.at[i];
		size_t at = f->board_of[i];

		if (at == NOWHERE || !b->metric)
			continue;
		f->metric[at] = b->metric;
		f->unit[at] = b->unit;
		f->more_is_better[at] = str_eq(b->better, "more");
		f->deterministic[at] = b->phase_pages != NONE && b->phase_pages > 0;
	}
	return OK;
}

enum err facts_head(struct db *db, struct pool *p, int64_t sub, struct facts *f, struct why *w)
{
	enum err e = store_sub_get(db, sub, p, &f->sub, w);
	size_t i;

	if (e == OK)
		e = store_sub_kernels(db, sub, p, &f->kernels, w);
	if (e == OK)
		e = store_sub_validators(db, sub, p, &f->validators, w);
	if (e == OK)
		e = store_sub_boards(db, sub, p, &f->boards, w);
	if (e == OK)
		e = store_sub_cases(db, sub, p, &f->cases, &f->case_ids, w);
	if (e == OK)
		e = load_kernels(db, p, f, w);
	if (e == OK)
		e = store_layouts(db, sub, p, &f->relinks, w);
	if (e == OK)
		e = store_boot_of_sub(db, sub, p, &f->boots, w);
	if (e != OK)
		return e;
	/* Imports name a board that no agent offers. */
	if (f->sub.imported && !f->boards.count)
		*(const char **)pool_push(p, (void **)&f->boards.at, &f->boards.count,
		                          sizeof(*f->boards.at)) = "self-reported";
	f->board_of = pool_alloc(p, f->boots.count * sizeof(*f->board_of));
	f->kernel_of = pool_alloc(p, f->boots.count * sizeof(*f->kernel_of));
	f->layout_of = pool_alloc(p, f->boots.count * sizeof(*f->layout_of));
	f->counts = pool_alloc(p, f->boots.count * sizeof(*f->counts));
	for (i = 0; i < f->boots.count; i++) {
		f->board_of[i] = board_index(f, f->boots.at[i].board);
		f->kernel_of[i] = kernel_of_boot(f, f->boots.at[i].kernel, &f->layout_of[i]);
		if (f->boots.at[i].id > f->last_boot)
			f->last_boot = f->boots.at[i].id;
		f->boots.at[i].void_why = NULL; /* derived: found again below */
	}
	find_twins(f);
	return load_boards(db, p, f, w);
}

enum err facts_load(struct db *db, struct pool *p, int64_t sub, struct facts *f, struct why *w)
{
	enum err e = facts_head(db, p, sub, f, w);

	if (e == OK)
		e = store_stat_of_sub(db, sub, p, &f->stats, w);
	if (e == OK)
		e = store_run_without_number(db, sub, p, &f->unnumbered, w);
	if (e == OK)
		e = store_job_of_sub(db, sub, p, &f->jobs, w);
	if (e == OK)
		e = store_job_open(db, sub, &f->open_jobs, w);
	f->added = pool_alloc(p, f->boards.count * sizeof(*f->added));
	for (size_t i = 0; e == OK && i < f->boards.count; i++)
		e = store_more_boots(db, sub, f->boards.at[i], &f->added[i], w);
	return e;
}

/* ---- replicates */

/* The first sample that differs, in words; NULL when only the packing did. */
static enum err first_difference(struct pool *p, const struct run_pairs *d, const char **out,
                                 struct why *w)
{
	size_t i, at, na, nb;
	int64_t *a, *b;
	enum err e = OK;

	*out = NULL;
	for (i = 0; e == OK && !*out && i < d->count; i++) {
		const struct run_pair *x = &d->at[i];

		if (!x->a || !x->b) {
			*out = pool_fmt(p, "\"%s\" run %lld: %s in one, %s in the other",
			                x->case_text, (long long)x->number,
			                x->state_a ? x->state_a : "missing",
			                x->state_b ? x->state_b : "missing");
			break;
		}
		e = samples_unpack(p, x->a, x->a_len, &a, &na, w);
		if (e == OK)
			e = samples_unpack(p, x->b, x->b_len, &b, &nb, w);
		if (e != OK || stat_replicates_agree(a, na, b, nb, &at))
			continue;
		*out = at < na && at < nb
		               ? pool_fmt(p, "\"%s\" run %lld, samples[%zu]: %lld and %lld",
		                          x->case_text, (long long)x->number, at, (long long)a[at],
		                          (long long)b[at])
		               : pool_fmt(p, "\"%s\" run %lld: %zu and %zu samples", x->case_text,
		                          (long long)x->number, na, nb);
	}
	return e;
}

static void void_board(struct pool *p, struct facts *f, struct judged *v, size_t board,
                       const char *why)
{
	struct mismatch *m =
	        pool_push(p, (void **)&v->mismatches.at, &v->mismatches.count, sizeof(*m));
	size_t i;

	m->board = f->boards.at[board];
	m->why = why;
	for (i = 0; i < f->boots.count; i++) {
		struct boot *b = &f->boots.at[i];

		if (f->board_of[i] == board && b->valid && !b->void_why) {
			struct boot_void *x =
			        pool_push(p, (void **)&v->voids.at, &v->voids.count, sizeof(*x));

			x->boot = b->id;
			x->why = b->void_why = why;
		}
	}
}

/* The other boot of a replicate's phase, or NOWHERE. A board that was changed between
 * them proves nothing. */
static size_t partner(const struct facts *f, size_t of)
{
	const struct boot *r = &f->boots.at[of];
	size_t i;

	for (i = 0; i < f->boots.count; i++) {
		const struct boot *b = &f->boots.at[i];

		if (b->valid && b->replicate == 0 && b->kernel == r->kernel &&
		    b->phase == r->phase && f->board_of[i] == f->board_of[of] &&
		    str_eq(b->env_id, r->env_id))
			return i;
	}
	return NOWHERE;
}

enum err facts_replicates(struct db *db, struct pool *p, struct facts *f, struct judged *v,
                          struct why *w)
{
	size_t i, other;
	enum err e = OK;

	for (i = 0; e == OK && i < f->boots.count; i++) {
		const struct boot *b = &f->boots.at[i];
		struct run_pairs d = {0};
		const char *found = NULL;

		if (!b->valid || b->void_why || b->replicate == 0 || f->board_of[i] == NOWHERE ||
		    f->kernel_of[i] == NOWHERE)
			continue;
		other = partner(f, i);
		if (other == NOWHERE)
			continue;
		e = store_boot_differences(db, f->boots.at[other].id, b->id, p, &d, w);
		if (e == OK)
			e = first_difference(p, &d, &found, w);
		if (e == OK && found)
			void_board(
			        p, f, v, f->board_of[i],
			        pool_fmt(p,
			                 "board \"%s\" is not deterministic: kernel \"%s\", phase"
			                 " %lld booted twice (boots %lld and %lld), %s",
			                 b->board, f->kernels.at[f->kernel_of[i]].name,
			                 (long long)b->phase, (long long)f->boots.at[other].id,
			                 (long long)b->id, found));
	}
	return e;
}

/* ---- numbers */

struct case_at {
	int64_t id;
	size_t index;
};

static int by_case(const void *a, const void *b)
{
	const struct case_at *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static size_t case_index(const struct case_at *sorted, size_t n, int64_t id)
{
	const struct case_at key = {.id = id}, *hit;

	hit = n ? bsearch(&key, sorted, n, sizeof(key), by_case) : NULL;
	return hit ? hit->index : NOWHERE;
}

/* Boots are in order of id, as are the rows that name them. */
static size_t seek_boot(const struct facts *f, size_t from, int64_t id)
{
	while (from < f->boots.count && f->boots.at[from].id < id)
		from++;
	return from;
}

static void add_number(struct facts *f, size_t boot, size_t case_, size_t first, size_t runs)
{
	struct slot *s = facts_slot(f, f->board_of[boot], case_, f->kernel_of[boot]);
	struct number *n = &f->number[f->numbers++];
	size_t i;

	n->boot = boot;
	n->first = first;
	n->runs = runs;
	for (i = first; i < first + runs; i++) {
		n->median += f->stats.at[i].median / (double)runs;
		n->mean += f->stats.at[i].mean / (double)runs;
	}
	if (s->tail)
		f->number[s->tail - 1].next = f->numbers;
	else
		s->head = f->numbers;
	s->tail = f->numbers;
	s->numbers++;
}

static bool has_number(const struct facts *f, const struct slot *s, size_t boot)
{
	/* Slots fill in order of boots: only the last can be it. */
	size_t at;

	for (at = s->head; at; at = f->number[at - 1].next)
		if (f->number[at - 1].boot == boot)
			return true;
	return false;
}

static void lay_unnumbered(struct facts *f, const struct case_at *sorted)
{
	size_t i, boot = 0;
	const struct slot *last = NULL;
	size_t last_boot = NOWHERE;

	for (i = 0; i < f->unnumbered.count; i++) {
		const struct no_number *x = &f->unnumbered.at[i];
		size_t case_ = case_index(sorted, f->cases.count, x->case_id);
		struct slot *s;

		boot = seek_boot(f, boot, x->boot);
		if (boot == f->boots.count || !f->counts[boot] || case_ == NOWHERE)
			continue;
		s = facts_slot(f, f->board_of[boot], case_, f->kernel_of[boot]);
		if (x->skip && !s->skip)
			s->skip = x->why ? x->why : "no reason given";
		if (!x->skip && !s->invalid)
			s->invalid = x->why ? x->why : "no reason given";
		if ((s != last || boot != last_boot) && !has_number(f, s, boot))
			s->unnumbered++;
		last = s;
		last_boot = boot;
	}
}

bool facts_measured(const struct facts *f, size_t board, size_t kernel)
{
	if (str_eq(f->kernels.at[kernel].state, "failed"))
		return false;
	for (size_t i = 0; i < f->boots.count; i++)
		if (f->counts[i] && f->board_of[i] == board &&
		    f->kernel_of[i] == f->stands_for[kernel])
			return true;
	return f->open_jobs || !f->sub.planned;
}

void facts_lay(struct pool *p, struct facts *f)
{
	struct case_at *sorted = pool_alloc(p, f->cases.count * sizeof(*sorted));
	size_t i, end, boot = 0;

	for (i = 0; i < f->cases.count; i++)
		sorted[i] = (struct case_at){f->case_ids.at[i], i};
	if (f->cases.count)
		qsort(sorted, f->cases.count, sizeof(*sorted), by_case);
	f->slot = pool_alloc(p, f->boards.count * f->cases.count * f->kernels.count *
	                                sizeof(*f->slot));
	f->number = pool_alloc(p, f->stats.count * sizeof(*f->number));
	for (i = 0; i < f->boots.count; i++) {
		const struct boot *b = &f->boots.at[i];

		f->counts[i] = !facts_why_out(f, i) && b->replicate == 0 &&
		               f->board_of[i] != NOWHERE && f->kernel_of[i] != NOWHERE;
	}
	for (i = 0; i < f->stats.count; i = end) {
		const struct stat_row *r = &f->stats.at[i];
		size_t case_ = case_index(sorted, f->cases.count, r->case_id);

		for (end = i + 1; end < f->stats.count; end++)
			if (f->stats.at[end].boot != r->boot ||
			    f->stats.at[end].case_id != r->case_id)
				break;
		boot = seek_boot(f, boot, r->boot);
		if (boot < f->boots.count && f->counts[boot] && case_ != NOWHERE)
			add_number(f, boot, case_, i, end - i);
	}
	lay_unnumbered(f, sorted);
}
