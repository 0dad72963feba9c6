/* alerts.c - alerts of slower kernels and of faults, and persons' steps. */
#include "server/alerts.h"

#include "lib/mem.h"
#include "server/alert_work.h"
#include "server/store_alert_track.h"
#include "server/store_kernel.h"
#include "server/store_track.h"

#include <fnmatch.h>
#include <math.h>
#include <string.h>

bool alerts_matches(const char *pattern, const char *text)
{
	return !pattern || (text && fnmatch(pattern, text, 0) == 0);
}

bool alerts_of_branch(struct pool *p, const char *pattern, const char *tree, const char *ref)
{
	if (!pattern || !ref)
		return !pattern;
	return alerts_matches(
	        pattern, strchr(pattern, '#') ? pool_fmt(p, "%s#%s", tree ? tree : "", ref) : ref);
}

const char *alerts_size(struct pool *p, const char *metric, const char *verdict, double change)
{
	bool slower = str_eq(verdict, "slower");
	const char *word = str_eq(metric, "instructions")
	                           ? slower ? "more instructions" : "fewer instructions"
	                           : verdict;

	return pool_fmt(p, "%.2f %% %s", fabs(change) * 100, word);
}

int64_t alerts_muted(const struct mutes *l, struct pool *p, const char *tree, const char *ref,
                     const char *board, const char *case_text)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct mute *m = &l->at[i];

		if (alerts_matches(m->board, board) && alerts_matches(m->case_glob, case_text) &&
		    alerts_of_branch(p, m->branch, tree, ref))
			return m->id;
	}
	return NONE;
}

static const char *plural(int64_t n, const char *one, const char *more)
{
	return n == 1 ? one : more;
}

/* ---- a kernel that is slower */

struct slower {
	const struct cmp *c;
	struct pool *pool;
	struct mutes mutes;
	int64_t of; /* the alert that the server measures again with it; NONE */
	const struct sub_kernel *kernel, *base;
	struct track_sub track;   /* that asked for it */
	struct alert_cells cells; /* that moved */
	int64_t slower;           /* of them */
	int64_t compared;         /* of all its cells */
};

static void collect(struct slower *s, size_t kernel)
{
	const struct cmp *c = s->c;

	s->cells = (struct alert_cells){0};
	s->slower = s->compared = 0;
	for (size_t i = 0; i < c->cells; i++) {
		const struct cmp_cell *x = &c->cell[i];
		struct alert_cell *a;

		if (x->kernel != kernel)
			continue;
		s->compared++;
		if (x->verdict != VERDICT_SLOWER && x->verdict != VERDICT_FASTER)
			continue;
		s->slower += x->verdict == VERDICT_SLOWER;
		a = pool_push(s->pool, (void **)&s->cells.at, &s->cells.count, sizeof(*a));
		*a = (struct alert_cell){.submission = c->submission,
		                         .boot = NONE,
		                         .board = c->board[x->board].name,
		                         .case_text = c->case_[x->case_],
		                         .metric = c->metric[x->metric].name,
		                         .verdict = verdict_name(x->verdict),
		                         .base_mean = x->base_mean,
		                         .mean = x->mean,
		                         .change = x->change,
		                         .low = x->low,
		                         .high = x->high,
		                         .boots = x->boots};
		a->mute = alerts_muted(&s->mutes, s->pool, s->kernel->tree, s->kernel->branch,
		                       a->board, a->case_text);
	}
}

/* "slow: 2.00 % more instructions in fork/order=0,size=16M on det, and 3 more" */
static const char *title_of(const struct slower *s)
{
	const struct alert_cell *worst = NULL;
	const char *more = "", *who;

	for (size_t i = 0; i < s->cells.count; i++) {
		const struct alert_cell *c = &s->cells.at[i];

		if (str_eq(c->verdict, "slower") &&
		    (!worst || fabs(c->change) > fabs(worst->change)))
			worst = c;
	}
	if (!worst)
		return NULL;
	if (s->slower > 1)
		more = pool_fmt(s->pool, ", and %lld more", (long long)s->slower - 1);
	/* A point of a branch that is followed is called by its commit. */
	who = s->track.track == NONE || !s->kernel->branch
	              ? s->kernel->name
	              : pool_fmt(s->pool, "%s at %s", s->kernel->branch, s->kernel->name);
	return pool_fmt(s->pool, "%s: %s in %s on %s%s", who,
	                alerts_size(s->pool, worst->metric, worst->verdict, worst->change),
	                worst->case_text, worst->board, more);
}

static const char *counted(const struct slower *s)
{
	return pool_fmt(s->pool, "%lld of %lld %s worse than \"%s\" in submission %lld",
	                (long long)s->slower, (long long)s->compared,
	                plural(s->compared, "cell is", "cells are"), s->base->name,
	                (long long)s->c->submission);
}

static enum err make_slower(struct db *db, const struct slower *s, const char *cause,
                            int64_t now_ms, struct why *w)
{
	struct alert a = {.kind = "slower",
	                  .cause = cause,
	                  .title = title_of(s),
	                  .submission = s->c->submission,
	                  .kernel = s->kernel->name,
	                  .boot = NONE,
	                  .state = "new",
	                  .created_ms = now_ms};
	int64_t id;
	bool is;
	enum err e = alerts_between(db, s->c->submission, &s->cells, now_ms, &is, w);

	if (e != OK || is)
		return e;
	e = store_alert_add(db, &a, &id, w);
	if (e == OK)
		e = store_alert_cells_set(db, id, &s->cells, w);
	return e == OK ? alerts_step(db, id, NULL, "new", counted(s), NULL, now_ms, w) : e;
}

/* The cells of before that are slower again; *gone: measured, and not. */
static int64_t again(const struct slower *s, size_t kernel, const struct alert_cells *before,
                     int64_t *gone)
{
	const struct cmp *c = s->c;
	int64_t n = 0;

	*gone = 0;
	for (size_t i = 0; i < before->count; i++) {
		if (!str_eq(before->at[i].verdict, "slower"))
			continue;
		for (size_t o = 0; o < c->cells; o++) {
			const struct cmp_cell *x = &c->cell[o];

			if (x->kernel != kernel ||
			    !str_eq(c->board[x->board].name, before->at[i].board) ||
			    !str_eq(c->case_[x->case_], before->at[i].case_text) ||
			    !str_eq(c->metric[x->metric].name, before->at[i].metric))
				continue;
			n += x->verdict == VERDICT_SLOWER;
			*gone += x->verdict == VERDICT_SAME || x->verdict == VERDICT_FASTER;
		}
	}
	return n;
}

static bool same_cell(const struct alert_cell *a, const struct alert_cell *b)
{
	return str_eq(a->board, b->board) && str_eq(a->case_text, b->case_text) &&
	       str_eq(a->metric, b->metric);
}

/* Puts the cells of before that this comparison has not measured behind its own. *more: it
 * has slower ones that were not there. */
static void add_others(struct slower *s, size_t kernel, const struct alert_cells *before,
                       int64_t *more)
{
	const struct cmp *c = s->c;
	size_t own = s->cells.count;

	*more = 0;
	for (size_t i = 0; i < own; i++) {
		bool was = false;

		for (size_t o = 0; o < before->count; o++)
			was |= same_cell(&s->cells.at[i], &before->at[o]);
		*more += !was && str_eq(s->cells.at[i].verdict, "slower");
	}
	for (size_t i = 0; i < before->count; i++) {
		const struct alert_cell *b = &before->at[i];
		bool measured = false;

		for (size_t o = 0; o < c->cells; o++) {
			const struct cmp_cell *x = &c->cell[o];

			measured |= x->kernel == kernel &&
			            str_eq(c->board[x->board].name, b->board) &&
			            str_eq(c->case_[x->case_], b->case_text) &&
			            str_eq(c->metric[x->metric].name, b->metric);
		}
		if (!measured)
			*(struct alert_cell *)pool_push(s->pool, (void **)&s->cells.at,
			                                &s->cells.count, sizeof(*b)) = *b;
	}
}

/* The same submission, computed anew: boots were voided, or count again. */
static enum err recomputed(struct db *db, const struct slower *s, const struct alert *a,
                           const struct alert_cells *before, int64_t now_ms, struct why *w)
{
	bool open = str_eq(a->state, "new") || str_eq(a->state, "confirmed"), suspected = false;
	int64_t had = 0;
	enum err e;

	for (size_t i = 0; i < before->count; i++) {
		had += str_eq(before->at[i].verdict, "slower");
		suspected |= isnan(before->at[i].low);
	}
	/* What a history suspects no comparison of the same boots denies. */
	if (!s->slower && suspected)
		return OK;
	if (!s->slower)
		return open ? alerts_step(db, a->id, a->state, "not_reproduced",
		                          pool_fmt(s->pool, "computed again: %s", counted(s)), NULL,
		                          now_ms, w)
		            : OK;
	e = store_alert_cells_set(db, a->id, &s->cells, w);
	if (e != OK || (had == s->slower && !str_eq(a->state, "not_reproduced")))
		return e;
	return alerts_step(db, a->id, a->state,
	                   str_eq(a->state, "not_reproduced") ? "new" : a->state,
	                   pool_fmt(s->pool, "computed again: %s", counted(s)), NULL, now_ms, w);
}

/* Another submission of the same two kernels: it counts where it has boots of its own. */
static enum err remeasured(struct db *db, struct slower *s, size_t kernel, const struct alert *a,
                           const struct alert_cells *before, int64_t now_ms, struct why *w)
{
	bool waits = str_eq(a->state, "new") || str_eq(a->state, "confirmed") ||
	             str_eq(a->state, "not_reproduced");
	int64_t fresh, gone, more, id, n = again(s, kernel, before, &gone);
	const char *to = a->state, *why;
	enum err e = store_alert_fresh(db, s->c->submission, s->kernel->kernel_id, &fresh, w);

	if (e != OK || (!waits && !str_eq(a->state, "acknowledged")))
		return e;
	add_others(s, kernel, before, &more);
	/* Seen on a board, or in a case, that nobody had looked at before. */
	if (!n && !gone && more) {
		e = store_alert_cells_set(db, a->id, &s->cells, w);
		why = pool_fmt(s->pool, "it shows in other cells as well: %s", counted(s));
		if (e == OK && str_eq(a->state, "not_reproduced"))
			return alerts_step(db, a->id, a->state, "new", why, NULL, now_ms, w);
		return e == OK ? alerts_step_told(db, a->id, a->state, why, now_ms, &id, w) : e;
	}
	if (!fresh || (!n && !gone))
		return e;
	if (waits)
		to = n ? "confirmed" : "not_reproduced";
	why = pool_fmt(s->pool, "measured again, %s: %s", n ? "and worse again" : "and not worse",
	               counted(s));
	if (n)
		e = store_alert_cells_set(db, a->id, &s->cells, w);
	return e == OK ? alerts_step(db, a->id, a->state, to, why, NULL, now_ms, w) : e;
}

/* What a kernel is, however often it is built. */
static enum err binary_of(struct db *db, struct pool *p, int64_t kernel, const char **out,
                          struct why *w)
{
	struct kernel k = {0};
	enum err e = store_kernel_get(db, kernel, p, &k, w);

	*out = k.section_hash ? k.section_hash
	       : k.image      ? k.image
	                      : pool_fmt(p, "%lld", (long long)kernel);
	return e;
}

enum err alerts_pair(struct db *db, struct pool *p, int64_t kernel, int64_t base, const char **out,
                     struct why *w)
{
	const char *binary = NULL, *against = NULL;
	enum err e = binary_of(db, p, kernel, &binary, w);

	if (e == OK)
		e = binary_of(db, p, base, &against, w);
	if (e == OK)
		*out = pool_fmt(p, "slower/%s/%s", binary, against);
	return e;
}

/* A branch that went back to the slower of the two, on whatever boots. */
static enum err is_back(struct db *db, const struct slower *s, const struct alert *a,
                        int64_t now_ms, struct why *w)
{
	enum err e = store_alert_cells_set(db, a->id, &s->cells, w);

	return e == OK ? alerts_step(db, a->id, a->state, "new",
	                             pool_fmt(s->pool, "it is back, in \"%s\": %s", s->kernel->name,
	                                      counted(s)),
	                             NULL, now_ms, w)
	               : e;
}

enum err alerts_over(struct db *db, const struct alert *a, bool *left, bool *over, struct why *w)
{
	enum err e = OK;

	*left = false;
	if (str_eq(a->state, "dismissed"))
		e = store_alert_by_server(db, a->id, left, w);
	*over = *left || str_eq(a->state, "recovered") || str_eq(a->state, "fixed");
	return e;
}

static enum err one_kernel(struct db *db, struct slower *s, size_t kernel, int64_t now_ms,
                           struct why *w)
{
	const char *cause = NULL;
	struct alert_cells before = {0};
	struct alert a = {0};
	int64_t id = NONE, newest;
	bool left, over, behind = false;
	enum err e = alerts_pair(db, s->pool, s->kernel->kernel_id, s->base->kernel_id, &cause, w);

	if (e == OK && s->of != NONE)
		id = s->of;
	else if (e == OK)
		e = store_alert_by_cause(db, cause, &id, w);
	collect(s, kernel);
	if (e != OK || (id == NONE && !s->slower))
		return e;
	if (id == NONE)
		return make_slower(db, s, cause, now_ms, w);
	e = store_alert_get(db, id, s->pool, &a, w);
	if (e == OK)
		e = store_alert_cells(db, id, s->pool, &before, w);
	if (e == OK)
		e = alerts_over(db, &a, &left, &over, w);
	if (e != OK)
		return e;
	newest = before.count ? before.at[0].submission : a.submission;
	/* One of two tracks of a branch may be behind: what it brings is older than the end. */
	if (over && !left && s->track.track != NONE)
		e = store_alert_behind(db, s->track.track, s->kernel->kernel_id, a.changed_ms,
		                       &behind, w);
	if (e != OK || (over && behind))
		return e;
	if (s->c->submission > newest && s->slower && s->track.track != NONE && over)
		return is_back(db, s, &a, now_ms, w);
	if (s->c->submission == newest)
		return recomputed(db, s, &a, &before, now_ms, w);
	return s->c->submission > newest ? remeasured(db, s, kernel, &a, &before, now_ms, w) : OK;
}

/* Patches of the whole series; 0: there is none. */
static int64_t series_patches(const struct sub_kernels *k)
{
	int64_t all = 0;

	for (size_t i = 0; i < k->count; i++)
		if (k->at[i].patches > all)
			all = k->at[i].patches;
	return all;
}

enum err alerts_compared(struct db *db, const struct cmp *c, int64_t now_ms, struct why *w)
{
	struct slower s = {.c = c, .pool = pool_new(), .of = NONE};
	struct sub_kernels kernels = {0};
	struct alert_work work;
	int64_t patches;
	size_t i;
	enum err e = store_work_of_sub(db, c->submission, s.pool, &work, w);

	/* A bisection's steps are about an alert that there is. */
	if (e != OK || (work.submission && !str_eq(work.purpose, "remeasure"))) {
		pool_free(s.pool);
		return e;
	}
	if (work.submission)
		s.of = work.alert;
	e = store_sub_kernels(db, c->submission, s.pool, &kernels, w);

	if (e == OK)
		e = store_mute_list(db, now_ms, s.pool, &s.mutes, w);
	if (e == OK)
		e = store_track_of_sub(db, c->submission, s.pool, &s.track, w);
	if (e == OK && s.track.track != NONE)
		e = store_track_wake_sub(db, c->submission, now_ms, w);
	patches = series_patches(&kernels);
	for (i = 0; e == OK && i < c->kernels && i < kernels.count; i++) {
		s.kernel = &kernels.at[i];
		s.base = &kernels.at[c->baseline];
		/* What slows one prefix of a series slows those behind it: its tip stands
		 * for all. */
		if (s.kernel->patches > 0 && s.kernel->patches < patches)
			continue;
		/* A merge base is measured to tell what a rebase brought from what was
		 * written. */
		if (s.track.base_commit && str_eq(s.kernel->commit, s.track.base_commit))
			continue;
		/* Of what somebody imported nobody here saw a boot. */
		if (i != c->baseline && s.kernel->kernel_id != NONE && s.base->kernel_id != NONE &&
		    !c->kernel[i].self_reported)
			e = one_kernel(db, &s, i, now_ms, w);
	}
	if (e == OK)
		e = alerts_recovered(db, c, now_ms, w);
	pool_free(s.pool);
	return err_at(w, e, "alerts of submission %lld", (long long)c->submission);
}

/* ---- a person */

enum err alerts_person(struct db *db, int64_t alert, const char *to, const char *why,
                       const char *by, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct alert a = {0};
	enum err e = store_alert_get(db, alert, p, &a, w);

	if (e == OK && str_eq(a.state, to))
		e = err_set(w, ERR_CONFLICT, "alert %lld is %s already", (long long)alert, to);
	if (e == OK)
		e = alerts_step(db, alert, a.state, to ? to : a.state, why, by, now_ms, w);
	if (e == OK && str_eq(to, "dismissed"))
		e = alert_work_stop(db, alert, "the alert was dismissed", now_ms, w);
	pool_free(p);
	return e;
}
