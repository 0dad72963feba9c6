/* search.c - see search.h. */
#include "server/search.h"

#include "lib/mem.h"
#include "server/schedule.h"
#include "server/store_board.h"

#include <math.h>
#include <stdlib.h>

/* A prefix of the series in the base's configuration. */
struct point {
	const char *name, *hash; /* NULL: there is none, or nobody told */
	bool measured;           /* it is compared, whatever came of it */
	bool ready;              /* it was built */
};

struct interval {
	int64_t low, high; /* patches that its ends hold */
	double size;       /* of the largest effect */
};

struct looking {
	struct db *db;
	struct pool *p;
	struct series series;
	struct sub_kernels kernels; /* in the order of the comparison's */
	struct point *point;        /* 0: the base */
	int64_t measured;           /* kernels that are compared */
	struct search_steps taken;
	struct job_list jobs;
	bool relinks; /* it has layouts, and what was built can be relinked as the others were */
	struct interval *wide;
	size_t wides;
	struct search_effects unsure; /* cells between neighbours that are undecided */
	struct search *out;
};

int64_t search_steps_max(const struct series *s)
{
	int64_t halves = 0;

	if (s->every)
		return 0;
	if (s->steps != NONE)
		return s->steps;
	while (((size_t)1 << halves) < s->count)
		halves++;
	return 2 * halves;
}

/* ---- prefixes */

static bool is_prefix(const struct looking *l, const struct sub_kernel *k)
{
	const struct sub_kernel *base = &l->kernels.at[0];

	return k->validates == NONE && str_eq(k->config_sha256, base->config_sha256) &&
	       k->config_whole == base->config_whole && k->patches <= (int64_t)l->series.count;
}

static void put_points(struct looking *l, const struct sub_kernels *of)
{
	for (size_t i = 0; i < of->count; i++) {
		const struct sub_kernel *k = &of->at[i];

		if (is_prefix(l, k))
			l->point[k->patches] = (struct point){.name = k->name,
			                                      .hash = k->section_hash,
			                                      .measured = !k->built_only,
			                                      .ready = str_eq(k->state, "ready")};
	}
}

/* With another compiler than the others had a prefix says nothing about its patches. */
static enum err find_compiler(struct looking *l, int64_t sub, struct why *w)
{
	const char *compiler = NULL;
	struct kernel base = {0};
	struct sub s;
	enum err e = store_sub_get(l->db, sub, l->p, &s, w);

	if (e != OK || s.layouts <= 1 || l->kernels.at[0].kernel_id == NONE) {
		l->relinks = true;
		return e;
	}
	e = store_kernel_get(l->db, l->kernels.at[0].kernel_id, l->p, &base, w);
	if (e == OK)
		e = store_toolchain_compiler(l->db, l->kernels.at[0].toolchain, l->p, &compiler, w);
	l->relinks = compiler && str_eq(compiler, base.compiler);
	return e;
}

static enum err load(struct looking *l, int64_t sub, struct why *w)
{
	struct sub_kernels built = {0};
	enum err e = store_series_get(l->db, sub, l->p, &l->series, w);

	if (e != OK || !l->series.is || !l->series.count)
		return e;
	e = store_sub_kernels(l->db, sub, l->p, &l->kernels, w);
	if (e == OK)
		e = store_sub_built_only(l->db, sub, l->p, &built, w);
	if (e == OK)
		e = store_search_steps(l->db, sub, l->p, &l->taken, w);
	if (e == OK)
		e = store_job_of_sub(l->db, sub, l->p, &l->jobs, w);
	if (e == OK)
		e = find_compiler(l, sub, w);
	if (e != OK)
		return e;
	l->measured = (int64_t)l->kernels.count;
	l->point = pool_alloc(l->p, (l->series.count + 1) * sizeof(*l->point));
	put_points(l, &l->kernels);
	put_points(l, &built);
	return OK;
}

static bool same_binary(const struct looking *l, int64_t a, int64_t b)
{
	return l->point[a].hash && str_eq(l->point[a].hash, l->point[b].hash);
}

/* Ends as near to each other as equal binaries allow: what changes does so in between. */
static struct interval trimmed(const struct looking *l, int64_t low, int64_t high)
{
	struct interval v = {.low = low, .high = high};

	for (int64_t i = low + 1; i < high; i++)
		if (same_binary(l, i, low))
			v.low = i;
	for (int64_t i = high - 1; i > v.low; i--)
		if (same_binary(l, i, high))
			v.high = i;
	return v;
}

/* ---- effects */

static struct search_effect *add_effect(struct looking *l, struct search_effects *to,
                                        const struct cmp *c, const struct cmp_cell *x,
                                        int64_t first, int64_t last)
{
	struct search_effect *e = pool_push(l->p, (void **)&to->at, &to->count, sizeof(*e));

	*e = (struct search_effect){.board = pool_str(l->p, c->board[x->board].name),
	                            .case_text = pool_str(l->p, c->case_[x->case_]),
	                            .metric = pool_str(l->p, c->metric[x->metric].name),
	                            .kernel = l->kernels.at[x->kernel].name,
	                            .against = l->kernels.at[x->base].name,
	                            .verdict = verdict_name(x->verdict),
	                            .first = first,
	                            .last = last,
	                            .change = x->change,
	                            .low = x->low,
	                            .high = x->high};
	return e;
}

static void add_wide(struct looking *l, const struct interval *v, double size)
{
	size_t i;

	for (i = 0; i < l->wides; i++)
		if (l->wide[i].low == v->low && l->wide[i].high == v->high)
			break;
	if (i == l->wides)
		*(struct interval *)pool_push(l->p, (void **)&l->wide, &l->wides,
		                              sizeof(*l->wide)) = *v;
	if (l->wide[i].size < size)
		l->wide[i].size = size;
}

/* Of two prefixes, the kernel and the one it is held against. */
static bool is_of_prefixes(const struct looking *l, const struct cmp *c, const struct cmp_cell *x)
{
	return x->kernel != c->baseline && is_prefix(l, &l->kernels.at[x->kernel]) &&
	       is_prefix(l, &l->kernels.at[x->base]);
}

static bool is_effect(const struct cmp_cell *x)
{
	return x->verdict == VERDICT_SLOWER || x->verdict == VERDICT_FASTER;
}

/* A step in the interval whose boots on the board did not take place: that says nothing
 * about the kernel, so another one would not help. */
static const char *trouble(const struct looking *l, const char *board, int64_t low, int64_t high)
{
	for (size_t i = 0; i < l->jobs.count; i++) {
		const struct job *j = &l->jobs.at[i];

		if (!str_eq(j->kind, "boot") || !str_eq(j->purpose, "work") ||
		    !str_eq(j->state, "failed") || !str_eq(j->class, "infra") ||
		    !str_eq(j->board, board))
			continue;
		for (size_t o = 0; o < l->taken.count; o++)
			if (l->taken.at[o].position > low && l->taken.at[o].position < high &&
			    str_eq(l->taken.at[o].kernel, j->name))
				return pool_fmt(l->p, "boots of %s did not take place: %s", j->name,
				                j->why ? j->why : "no reason given");
	}
	return NULL;
}

static void between_neighbours(struct looking *l, const struct cmp *c)
{
	for (size_t i = 0; i < c->cells; i++) {
		const struct cmp_cell *x = &c->cell[i];
		struct interval v;
		int64_t low, high;

		if (!is_of_prefixes(l, c, x))
			continue;
		low = l->kernels.at[x->base].patches;
		high = l->kernels.at[x->kernel].patches;
		if (x->verdict == VERDICT_UNSURE)
			add_effect(l, &l->unsure, c, x, low + 1, high);
		if (!is_effect(x))
			continue;
		v = trimmed(l, low, high);
		add_effect(l, &l->out->effects, c, x, v.low + 1, v.high);
		if (v.high - v.low > 1 && !trouble(l, c->board[x->board].name, v.low, v.high))
			add_wide(l, &v, fabs(x->change));
	}
}

/* Is a part of the interval in the list, with that verdict in that cell? */
static bool is_shown(const struct search_effects *in, const char *verdict, const struct cmp *c,
                     const struct cmp_cell *x, int64_t low, int64_t high)
{
	for (size_t i = 0; i < in->count; i++) {
		const struct search_effect *e = &in->at[i];

		if (e->first > low && e->last <= high && str_eq(e->verdict, verdict) &&
		    str_eq(e->board, c->board[x->board].name) &&
		    str_eq(e->case_text, c->case_[x->case_]) &&
		    str_eq(e->metric, c->metric[x->metric].name))
			return true;
	}
	return false;
}

/* Marks and tip as if nothing was booted in between: what only shows there. */
static void between_marks(struct looking *l, const struct cmp *c)
{
	for (size_t i = 0; i < c->cells; i++) {
		const struct cmp_cell *x = &c->cell[i];
		int64_t low, high;

		if (!is_of_prefixes(l, c, x) || !is_effect(x) || l->kernels.at[x->kernel].searched)
			continue;
		low = l->kernels.at[x->base].patches;
		high = l->kernels.at[x->kernel].patches;
		if (is_shown(&l->out->effects, verdict_name(x->verdict), c, x, low, high))
			continue;
		add_effect(l, &l->out->effects, c, x, low + 1, high)->why =
		        is_shown(&l->unsure, verdict_name(VERDICT_UNSURE), c, x, low, high)
		                ? "its parts are undecided with the boots that they have"
		                : "no part of them shows it by itself: patches that add up";
	}
}

/* ---- the next steps */

static bool is_chosen(const struct looking *l, int64_t position)
{
	for (size_t i = 0; i < l->out->next.count; i++)
		if (l->out->next.at[i].position == position)
			return true;
	return false;
}

/* The prefix nearest to the middle that can be booted; 0: there is none. */
static int64_t middle(const struct looking *l, const struct interval *v)
{
	int64_t best = 0, twice = v->low + v->high;

	for (int64_t i = v->low + 1; i < v->high; i++) {
		const struct point *x = &l->point[i];

		if (x->ready && !x->measured &&
		    (!best || llabs(2 * i - twice) < llabs(2 * best - twice)))
			best = i;
	}
	return best;
}

static int64_t steps_left(const struct looking *l)
{
	int64_t left = search_steps_max(&l->series) - (int64_t)l->taken.count,
	        room = SERIES_MEASURED_MAX - l->measured;

	return left < room ? left : room;
}

/* Larger effects first: there may be less steps left than intervals. */
static void choose(struct looking *l)
{
	for (int64_t left = steps_left(l); left > 0; left--) {
		struct interval *best = NULL;
		int64_t at = 0;

		for (size_t i = 0; i < l->wides; i++) {
			struct interval *v = &l->wide[i];
			int64_t m = middle(l, v);

			if (m && !is_chosen(l, m) && v->size > 0 &&
			    (!best || v->size > best->size)) {
				best = v;
				at = m;
			}
		}
		if (!best)
			break;
		*(struct search_step *)pool_push(l->p, (void **)&l->out->next.at,
		                                 &l->out->next.count, sizeof(*l->out->next.at)) =
		        (struct search_step){.position = at, .low = best->low, .high = best->high};
		best->size = 0;
	}
}

/* Why an effect is not one patch's, where no step is taken for it. */
static const char *why_wide(const struct looking *l, const struct search_effect *e, bool on)
{
	const struct interval v = {.low = e->first - 1, .high = e->last};
	int64_t max = search_steps_max(&l->series), m = middle(l, &v);
	const char *why = trouble(l, e->board, v.low, v.high);

	if (why || (on && m && is_chosen(l, m)))
		return why;
	if (!m)
		return "no prefix in between could be built and booted";
	if (!max)
		return "marks and tip alone are booted";
	if ((int64_t)l->taken.count >= max)
		return pool_fmt(l->p, "the %lld steps that the search may take are taken",
		                (long long)max);
	if (l->measured >= SERIES_MEASURED_MAX)
		return pool_fmt(l->p, "%d kernels are booted, and no more can be",
		                SERIES_MEASURED_MAX);
	return "the search had ended";
}

static const char *patches_of(struct pool *p, int64_t first, int64_t last)
{
	return first == last ? pool_fmt(p, "patch %lld", (long long)last)
	                     : pool_fmt(p, "one of the patches %lld to %lld", (long long)first,
	                                (long long)last);
}

size_t search_patches(struct pool *p, const struct search_effects *all, struct search_patch **out)
{
	size_t n = 0, at;

	*out = NULL;
	for (size_t i = 0; i < all->count; i++) {
		const struct search_effect *e = &all->at[i];

		for (at = 0; at < n; at++) {
			const struct search_effect *x = (*out)[at].most;

			if (x->first == e->first && x->last == e->last &&
			    str_eq(x->verdict, e->verdict))
				break;
		}
		if (at == n)
			*(struct search_patch *)pool_push(p, (void **)out, &n, sizeof(**out)) =
			        (struct search_patch){.most = e};
		if (fabs(e->change) > fabs((*out)[at].most->change))
			(*out)[at].most = e;
		(*out)[at].cells++;
	}
	return n;
}

/* One sentence for each patch, of its largest effect in a direction. */
static void note_effects(const struct looking *l, struct cmp *c)
{
	struct search_patch *patch;
	size_t n = search_patches(l->p, &l->out->effects, &patch);

	for (size_t i = 0; i < n; i++) {
		const struct search_effect *e = patch[i].most;

		cmp_add_note(c, "%s: %+.2f %% in %s on %s, %s against %s%s%s%s",
		             patches_of(l->p, e->first, e->last), e->change * 100, e->case_text,
		             e->board, e->kernel, e->against,
		             patch[i].cells > 1
		                     ? pool_fmt(l->p, ", and %zu more", patch[i].cells - 1)
		                     : "",
		             e->why ? "; " : "", e->why ? e->why : "");
	}
	if (l->taken.count)
		cmp_add_note(c,
		             "%zu prefix%s of %zu booted beside marks and tip to find the patches "
		             "that matter; effects that take each other back between two of them "
		             "do not show",
		             l->taken.count, l->taken.count == 1 ? "" : "es", l->series.count);
}

static int by_patch(const void *a, const void *b)
{
	const struct search_effect *x = a, *y = b;

	if (x->last != y->last)
		return x->last < y->last ? -1 : 1;
	return (x->first > y->first) - (x->first < y->first);
}

/* The effects in another view of the same boots. */
static enum err view_effects(struct looking *l, int64_t sub, const struct verdict_view *view,
                             void (*use)(struct looking *l, const struct cmp *c), struct why *w)
{
	struct judged v;
	enum err e = verdict_compute_view(l->db, sub, view, &v, w);

	if (e == OK)
		use(l, v.cmp);
	verdict_release(&v);
	return e;
}

enum err search_look(struct db *db, struct judged *v, bool live, struct search *s, struct why *w)
{
	const struct verdict_view neighbours = {.previous = true},
	                          marks = {.previous = true, .marks = true};
	struct looking l = {.db = db, .p = pool_new(), .out = s};
	bool on = live && v->finished && !v->exploratory;
	enum err e = OK;

	*s = (struct search){.pool = l.p};
	if (!v->finished && !v->cmp->complete)
		return OK;
	e = load(&l, v->cmp->submission, w);
	if (e != OK || !l.point)
		return e;
	s->is = true;
	e = view_effects(&l, v->cmp->submission, &neighbours, between_neighbours, w);
	if (e == OK && on && l.relinks)
		choose(&l);
	for (size_t i = 0; e == OK && i < s->effects.count; i++)
		if (s->effects.at[i].first < s->effects.at[i].last)
			s->effects.at[i].why = why_wide(&l, &s->effects.at[i], on);
	if (e == OK && l.taken.count)
		e = view_effects(&l, v->cmp->submission, &marks, between_marks, w);
	if (e != OK)
		return e;
	if (s->effects.count)
		qsort(s->effects.at, s->effects.count, sizeof(*s->effects.at), by_patch);
	note_effects(&l, v->cmp);
	if (s->next.count)
		v->finished = v->cmp->complete = false;
	return OK;
}

enum err search_save(struct db *db, const struct judged *v, const struct search *s, int64_t now_ms,
                     struct why *w)
{
	int64_t id = v->cmp->submission;
	struct sub sub = {0};
	enum err e;

	if (!s->is)
		return OK;
	e = store_search_effects_set(db, id, v->cmp->last_fact, &s->effects, w);
	if (e == OK)
		e = store_sub_get(db, id, s->pool, &sub, w);
	/* Cancelled, perhaps, since the facts were read. */
	if (e != OK || !s->next.count || sub.ended_ms != NONE)
		return e;
	for (size_t i = 0; e == OK && i < s->next.count; i++)
		e = store_search_step_add(db, id, &s->next.at[i], now_ms, w);
	return e == OK ? schedule_advance(db, id, now_ms, w) : e;
}

void search_release(struct search *s)
{
	pool_free(s->pool);
}
