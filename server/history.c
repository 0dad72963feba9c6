/* history.c - points and changes of histories. */
#include "server/history.h"

#include "lib/mem.h"
#include "lib/stat/history.h"
#include "lib/stat/pairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Smaller changes are of no interest, where a comparison said nothing else
 * (docs/statistics.md). */
#define TAU_PHASES 0.001
#define TAU_BOOTS  0.01
#define ABOUT      4 /* changes on each side that a change may undo, or be undone by, and one */
#define FAR        4 /* scales, for a point to be suspected */

#define WINDOW STAT_WINDOW
#define MARGIN HISTORY_MARGIN

/* Of one history, while it is brought up to date. */
struct work_on {
	struct db *db;
	struct pool *p;
	struct history h;
	bool live;
	int64_t now_ms;
};

static double tau_of(const struct work_on *k, const struct history_point *x)
{
	if (!isnan(x->c.tau) && x->c.tau > 0)
		return x->c.tau;
	return k->h.deterministic ? TAU_PHASES : TAU_BOOTS;
}

static double *values(const struct history_point *x, size_t n)
{
	double *v = xcalloc(n ? n : 1, sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = x[i].c.value;
	return v;
}

/* ---- a deterministic board */

/* Their boots by phase, as lib/stat takes them. */
static enum err side_of(struct work_on *k, const struct history_point *x, struct stat_side *out,
                        struct why *w)
{
	struct phase_numbers l = {0};
	enum err e = store_history_phases(k->db, &k->h, x, k->p, &l, w);
	double *median = pool_alloc(k->p, l.count * sizeof(*median));
	double *mean = pool_alloc(k->p, l.count * sizeof(*mean));
	int64_t *phase = pool_alloc(k->p, l.count * sizeof(*phase));

	for (size_t i = 0; i < l.count; i++) {
		median[i] = l.at[i].median;
		mean[i] = l.at[i].mean;
		phase[i] = l.at[i].phase;
	}
	*out = (struct stat_side){.median = median, .mean = mean, .phase = phase, .n = l.count};
	return e;
}

/* Two points that no comparison has beside one another: by the boots of both or, where
 * they share too few phases, by their numbers, without an interval. */
static enum err step_apart(struct work_on *k, const struct history_point *before,
                           const struct history_point *x, struct history_change *c, bool *is,
                           struct why *w)
{
	struct stat_side base, side;
	struct stat_rule rule = stat_rule_default();
	struct stat_result r;
	enum err e = side_of(k, before, &base, w);

	if (e == OK)
		e = side_of(k, x, &side, w);
	if (e != OK)
		return e;
	rule.tau = tau_of(k, x);
	rule.more_is_better = k->h.more_is_better;
	stat_compare_phases(&base, &side, &rule, &r);
	if (!isnan(r.low)) {
		*is = r.verdict == VERDICT_SLOWER || r.verdict == VERDICT_FASTER;
		c->change = r.change;
		c->low = r.low;
		c->high = r.high;
		return OK;
	}
	c->change = c->before != 0 ? (c->after - c->before) / fabs(c->before) : NAN;
	*is = fabs(c->change) >= rule.tau;
	return OK;
}

static enum err step_between(struct work_on *k, const struct history_point *before,
                             const struct history_point *x, struct why *w)
{
	struct history_change c = {.history = k->h.id,
	                           .position = x->position,
	                           .class = "step",
	                           .low = NAN,
	                           .high = NAN,
	                           .score = NAN};
	bool is = false;
	enum err e = store_change_drop(k->db, k->h.id, x->position, x->position, w);

	if (e != OK || !before)
		return e;
	c.before = before->c.value;
	c.after = x->c.value;
	if (x->c.against == before->position) {
		is = x->c.moved;
		c.change = x->c.change;
		c.low = x->c.low;
		c.high = x->c.high;
	} else {
		e = step_apart(k, before, x, &c, &is, w);
	}
	return e == OK && is ? store_change_put(k->db, &c, w) : e;
}

/* A level that is left again for the one before it, within STAT_TRANSIENT points. */
static enum err undone(struct work_on *k, const struct history_change *one,
                       const struct history_change *next, bool *is, struct why *w)
{
	int64_t n = 0;
	enum err e = store_history_between(k->db, k->h.id, one->position, next->position,
	                                   STAT_TRANSIENT + 1, &n, w);

	*is = n <= STAT_TRANSIENT && one->before != 0 &&
	      fabs(next->after / one->before - 1) < (k->h.deterministic ? TAU_PHASES : TAU_BOOTS);
	return e;
}

/* Classes of the changes about a position. */
static enum err classify(struct work_on *k, int64_t position, struct why *w)
{
	struct history_changes l = {0};
	enum err e = store_change_around(k->db, k->h.id, position, ABOUT, ABOUT, k->p, &l, w);
	size_t here = 0;

	while (here < l.count && l.at[here].position < position)
		here++;
	for (size_t i = 0; e == OK && i < l.count; i++) {
		bool before = false, after = false;
		const char *class;

		/* Those at the ends have a neighbour that was not read. */
		if ((i == 0 && here == ABOUT) || (i + 1 == l.count && l.count - here == ABOUT))
			continue;
		if (i > 0)
			e = undone(k, &l.at[i - 1], &l.at[i], &before, w);
		if (e == OK && i + 1 < l.count)
			e = undone(k, &l.at[i], &l.at[i + 1], &after, w);
		class = before || after ? "transient" : "step";
		if (e == OK && !str_eq(class, l.at[i].class))
			e = store_change_class(k->db, k->h.id, l.at[i].position, class, w);
	}
	return e;
}

static enum err exact(struct work_on *k, int64_t position, struct why *w)
{
	struct history_points l = {0};
	enum err e = store_history_around(k->db, k->h.id, position, 1, 2, k->p, &l, w);

	if (e == OK)
		e = store_change_drop(k->db, k->h.id, position, position, w);
	for (size_t i = 0; e == OK && i < l.count; i++)
		if (l.at[i].position >= position)
			e = step_between(k, i ? &l.at[i - 1] : NULL, &l.at[i], w);
	return e == OK ? classify(k, position, w) : e;
}

/* ---- a board with noise */

/* Points about the one that came, ascending. */
struct slab {
	struct history_point *at;
	size_t n, here;    /* index of the position, or where it would be */
	bool begins, ends; /* the history's own first and newest are in it */
	double *value;
};

/* The changes and outliers of a window that lie in from..until of the slab. */
static enum err put_found(struct work_on *k, const struct slab *s, size_t start,
                          const struct stat_history *f, size_t from, size_t until, struct why *w)
{
	size_t i, at;
	enum err e =
	        store_change_drop(k->db, k->h.id, s->at[from].position, s->at[until].position, w);

	for (i = 0; e == OK && i < f->outliers; i++) {
		struct history_change c = {.history = k->h.id, .class = "outlier", .score = NAN};

		at = start + f->outlier[i];
		if (at < from || at > until)
			continue;
		c.position = s->at[at].position;
		c.before = at > start ? s->value[at - 1] : s->value[at];
		c.after = s->value[at];
		c.change = c.before != 0 ? (c.after - c.before) / fabs(c.before) : NAN;
		c.low = c.high = NAN;
		e = store_change_put(k->db, &c, w);
	}
	for (i = 0; e == OK && i < f->changes; i++) {
		const struct stat_change *x = &f->change[i];

		at = start + x->index;
		if (at >= from && at <= until)
			e = store_change_put(k->db,
			                     &(struct history_change){
			                             .history = k->h.id,
			                             .position = s->at[at].position,
			                             .class = x->transient ? "transient" : "step",
			                             .before = x->before,
			                             .after = x->after,
			                             .change = x->change,
			                             .low = x->low,
			                             .high = x->high,
			                             .score = x->score},
			                     w);
	}
	return e;
}

/* By how much the point lies off the level, in the units of f; its sign is the side. */
static double off(const struct stat_history *f, double x)
{
	return f->logs ? log(x) - log(f->level) : x - f->level;
}

static enum err tell(struct work_on *k, const struct slab *s, size_t start,
                     const struct stat_history *f, struct why *w)
{
	size_t newest = s->n - 1, first = newest;
	double far = fmax(f->tau, FAR * f->scale), d = off(f, s->value[newest]);
	bool worse = k->h.more_is_better ? d < 0 : d > 0;
	struct suspicion x = {.history = &k->h, .level = f->level};

	if (!k->live || !f->suspected || !worse || f->level == 0)
		return OK;
	while (first > start && fabs(off(f, s->value[first - 1])) > far &&
	       (off(f, s->value[first - 1]) > 0) == (d > 0))
		first--;
	x.first = &s->at[first];
	x.change = (s->value[newest] - f->level) / fabs(f->level);
	return alerts_suspected(k->db, &x, k->now_ms, w);
}

/* Steps that were too small to be suspected, once they are found. */
static enum err tell_steps(struct work_on *k, const struct slab *s, size_t start,
                           const struct stat_history *f, struct why *w)
{
	size_t from = s->n > start + 2 * STAT_TRANSIENT ? s->n - 2 * STAT_TRANSIENT : start, o;
	struct history_changes had = {0};
	enum err e = OK;

	if (!k->live || f->class != CLASS_STEP)
		return OK;
	e = store_change_around(k->db, k->h.id, s->at[from].position, 0, 4 * STAT_TRANSIENT, k->p,
	                        &had, w);
	for (size_t i = 0; e == OK && i < f->changes; i++) {
		const struct stat_change *c = &f->change[i];
		size_t at = start + c->index;
		struct suspicion x = {.history = &k->h,
		                      .first = &s->at[at],
		                      .level = c->before,
		                      .change = c->change,
		                      .step = true};

		for (o = 0; o < had.count && str_eq(had.at[o].class, "outlier"); o++)
			;
		/* A large one was suspected at its first point. */
		if (at < from || c->transient || o < had.count ||
		    fabs(f->logs ? log1p(c->change) : c->after - c->before) >
		            fmax(f->tau, FAR * f->scale) ||
		    (k->h.more_is_better ? c->change >= 0 : c->change <= 0))
			continue;
		e = alerts_suspected(k->db, &x, k->now_ms, w);
	}
	return e;
}

/* The newest window: what it says of all that no later one has judged. */
static enum err newest(struct work_on *k, const struct slab *s, int64_t position, struct why *w)
{
	size_t start = s->n > WINDOW ? s->n - WINDOW : 0;
	size_t from = start || !s->begins ? start + MARGIN : 0;
	struct stat_history f;
	enum err e = OK;

	stat_history(s->value + start, s->n - start, tau_of(k, &s->at[s->n - 1]), &f);
	if (!k->h.deterministic && position == s->at[s->n - 1].position)
		e = tell_steps(k, s, start, &f, w);
	if (e == OK && !k->h.deterministic && from < s->n)
		e = put_found(k, s, start, &f, from, s->n - 1, w);
	if (e == OK)
		e = store_history_state(k->db, k->h.id, stat_class_name(f.class), f.level, w);
	if (e == OK && !k->h.deterministic && position == s->at[s->n - 1].position)
		e = tell(k, s, start, &f, w);
	stat_history_release(&f);
	return e;
}

/* Where a place is judged: the newest point of that window. */
static size_t judged_at(const struct slab *s, size_t i)
{
	size_t at = i + WINDOW - 1 - MARGIN;

	return s->begins && at < WINDOW - 1 ? WINDOW - 1 : at;
}

/* Windows that see the position and will not move any more. */
static enum err settled(struct work_on *k, const struct slab *s, struct why *w)
{
	size_t lo = s->here > WINDOW - MARGIN ? s->here - (WINDOW - MARGIN) : 0, hi, i, at, start;
	enum err e = OK;

	if (s->begins && s->here <= WINDOW)
		lo = 0;
	hi = s->here + MARGIN;
	for (i = lo; e == OK && i <= hi && i < s->n; i++) {
		size_t until = i;
		struct stat_history f;

		at = judged_at(s, i);
		if (at + 1 >= s->n || (!s->begins && i < MARGIN))
			continue;
		start = at + 1 - WINDOW;
		if (s->begins && i < MARGIN)
			until = MARGIN; /* they share the first window */
		stat_history(s->value + start, WINDOW, tau_of(k, &s->at[at]), &f);
		e = put_found(k, s, start, &f, i, until, w);
		stat_history_release(&f);
		i = until;
	}
	return e;
}

static enum err look(struct work_on *k, int64_t position, struct slab *s, int64_t reach,
                     struct why *w)
{
	struct history_points l = {0};
	enum err e = store_history_around(k->db, k->h.id, position, reach, reach + 1, k->p, &l, w);

	s->at = l.at;
	s->n = l.count;
	while (s->here < s->n && s->at[s->here].position < position)
		s->here++;
	s->begins = s->here < (size_t)reach;
	s->ends = s->n - s->here <= (size_t)reach;
	s->value = values(s->at, s->n);
	return e;
}

static enum err noisy(struct work_on *k, int64_t position, struct why *w)
{
	struct slab s = {0};
	enum err e = look(k, position, &s, WINDOW, w);

	/* One that went. */
	if (e == OK)
		e = store_change_drop(k->db, k->h.id, position, position, w);
	if (e == OK && s.n && !(s.ends && s.here + 1 >= s.n))
		e = settled(k, &s, w);
	if (e == OK && s.n && s.ends)
		e = newest(k, &s, position, w);
	free(s.value);
	return e;
}

/* Class and level of the newest window, of a board whose changes are known. */
static enum err state_of(struct work_on *k, struct why *w)
{
	struct slab s = {0};
	enum err e = look(k, INT64_MAX, &s, WINDOW, w);

	if (e == OK && s.n)
		e = newest(k, &s, INT64_MAX, w);
	free(s.value);
	return e;
}

static enum err moved(struct work_on *k, int64_t position, struct why *w)
{
	/* A submission has many series, and each has a window. */
	struct pool *whole = k->p;
	enum err e;

	k->p = pool_new();
	e = k->h.deterministic ? exact(k, position, w) : noisy(k, position, w);
	if (e == OK && k->h.deterministic)
		e = state_of(k, w);
	pool_free(k->p);
	k->p = whole;
	return e;
}

/* ---- points */

static bool same_number(double a, double b)
{
	return isnan(a) ? isnan(b) : a == b;
}

/* What changes depend on. */
static bool same_judged(const struct history_cell *a, const struct history_cell *b)
{
	return same_number(a->value, b->value) && same_number(a->tau, b->tau) &&
	       a->against == b->against && a->moved == b->moved &&
	       same_number(a->change, b->change) && same_number(a->low, b->low) &&
	       same_number(a->high, b->high);
}

static bool same_all(const struct history_cell *a, const struct history_cell *b)
{
	return same_judged(a, b) && same_number(a->spread, b->spread) && a->boots == b->boots &&
	       a->carried == b->carried && a->kernel == b->kernel &&
	       a->submission == b->submission && a->last_boot == b->last_boot;
}

static bool same_series(const struct series_key *a, const struct series_key *b)
{
	return str_eq(a->board, b->board) && str_eq(a->case_text, b->case_text) &&
	       str_eq(a->metric, b->metric) && str_eq(a->config, b->config) &&
	       str_eq(a->env_id, b->env_id);
}

/* One a series: the first with a number. */
static void choose(struct history_cells *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++)
		if (!isnan(l->at[i].value) &&
		    (!n || !same_series(&l->at[n - 1].key, &l->at[i].key)))
			l->at[n++] = l->at[i];
	l->count = n;
}

static enum err put(struct work_on *k, const struct trackpoint *t, const struct history_cell *c,
                    struct history_points *had, bool *changed, struct why *w)
{
	struct history_point *old = NULL;
	bool rejudge = true;
	enum err e = store_history_of(k->db, c, k->p, &k->h, w);

	for (size_t i = 0; e == OK && i < had->count; i++)
		if (had->at[i].history == k->h.id) {
			old = &had->at[i];
			rejudge = !same_judged(&old->c, c);
			if (same_all(&old->c, c)) {
				had->at[i].history = NONE;
				return OK;
			}
		}
	if (e == OK)
		e = store_history_put(k->db, k->h.id, t->position, c, w);
	*changed = true;
	if (e == OK && rejudge)
		e = moved(k, t->position, w);
	if (old)
		old->history = NONE; /* it stands */
	return e;
}

/* Points that have a number no more: their boots were voided. */
static enum err drop_others(struct work_on *k, const struct trackpoint *t,
                            const struct history_points *had, bool *changed, struct why *w)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < had->count; i++) {
		if (had->at[i].history == NONE)
			continue;
		*changed = true;
		e = store_history_get(k->db, had->at[i].history, k->p, &k->h, w);
		if (e == OK)
			e = store_history_drop(k->db, k->h.id, t->position, w);
		if (e == OK)
			e = moved(k, t->position, w);
	}
	return e;
}

static enum err derive(struct work_on *k, const struct trackpoint *t, bool *changed, struct why *w)
{
	struct history_cells cells = {0};
	struct history_points had = {0};
	enum err e = store_history_cells(k->db, t, k->p, &cells, w);

	*changed = false;
	choose(&cells);
	if (e == OK && !cells.count && t->submission != NONE)
		e = store_history_carried(k->db, t, k->p, &cells, w);
	if (e == OK)
		e = store_history_at(k->db, t->track, t->position, k->p, &had, w);
	if (e == OK)
		e = store_history_faults_put(k->db, t, w);
	for (size_t i = 0; e == OK && i < cells.count; i++)
		e = put(k, t, &cells.at[i], &had, changed, w);
	return e == OK ? drop_others(k, t, &had, changed, w) : e;
}

enum err history_compared(struct db *db, int64_t submission, bool live, int64_t now_ms,
                          struct why *w)
{
	struct work_on k = {.db = db, .p = pool_new(), .live = live, .now_ms = now_ms};
	struct trackpoints points = {0};
	size_t i;
	enum err e = store_trackpoints_of(db, submission, k.p, &points, w);

	for (i = 0; e == OK && i < points.count; i++) {
		struct trackpoint t = points.at[i];
		bool changed = true, found = true;

		e = derive(&k, &t, &changed, w);
		/* Those behind it that carry its number on. */
		while (e == OK && changed && found) {
			e = store_trackpoint_next(db, t.track, t.position, k.p, &t, &found, w);
			if (e == OK && found)
				e = derive(&k, &t, &changed, w);
		}
	}
	pool_free(k.p);
	return err_at(w, e, "histories of submission %lld", (long long)submission);
}
