/* alerts_creep.c - a tip that is slower than the release, though no step says why: what is
 * too small for a step adds up, 0.08 % a week is 4 % a year. */
#include "server/alerts.h"
#include "server/store_history.h"
#include "server/store_release.h"

#include "lib/mem.h"

#include <math.h>

struct creep {
	struct db *db;
	struct pool *p;
	const struct cmp *c;
	struct release r;
	const char *tree, *branch;
	size_t tip;
	struct mutes mutes;
	struct alert_cells cells;
};

/* What the steps since do not account for, at least tau. */
static enum err collect(struct creep *k, struct why *w)
{
	const struct cmp *c = k->c;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < c->cells; i++) {
		const struct cmp_cell *x = &c->cell[i];
		const char *board = c->board[x->board].name, *case_text = c->case_[x->case_];
		const char *metric = c->metric[x->metric].name;
		bool more = c->metric[x->metric].more_is_better;
		double steps, left;

		if (x->kernel != k->tip || x->verdict != VERDICT_SLOWER)
			continue;
		e = store_release_steps(k->db, &k->r, c->kernel[c->baseline].commit, board,
		                        case_text, metric, &steps, w);
		left = steps > 0 ? (1 + x->change) / steps - 1 : x->change;
		if (e != OK || (more ? -left : left) < x->tau)
			continue;
		*(struct alert_cell *)pool_push(k->p, (void **)&k->cells.at, &k->cells.count,
		                                sizeof(*k->cells.at)) =
		        (struct alert_cell){.submission = c->submission,
		                            .boot = NONE,
		                            .board = board,
		                            .case_text = case_text,
		                            .metric = metric,
		                            .verdict = "slower",
		                            .base_mean = x->base_mean,
		                            .mean = x->mean,
		                            .change = x->change,
		                            .low = x->low,
		                            .high = x->high,
		                            .boots = x->boots,
		                            .mute = alerts_muted(&k->mutes, k->p, k->tree,
		                                                 k->branch, board, case_text)};
	}
	return e;
}

static const char *title_of(const struct creep *k)
{
	const struct alert_cell *worst = &k->cells.at[0];
	const char *more = "";

	for (size_t i = 1; i < k->cells.count; i++)
		if (fabs(k->cells.at[i].change) > fabs(worst->change))
			worst = &k->cells.at[i];
	if (k->cells.count > 1)
		more = pool_fmt(k->p, ", and %zu more", k->cells.count - 1);
	return pool_fmt(k->p, "%s: %s than %s in %s on %s, without a step%s", k->branch,
	                alerts_size(k->p, worst->metric, "slower", worst->change), k->r.release,
	                worst->case_text, worst->board, more);
}

static const char *counted(const struct creep *k)
{
	return pool_fmt(k->p,
	                "%.12s against %s: %zu %s worse by more than its steps, in submission "
	                "%lld",
	                k->c->kernel[k->tip].commit, k->r.release, k->cells.count,
	                k->cells.count == 1 ? "cell is" : "cells are", (long long)k->c->submission);
}

static enum err make(struct creep *k, const char *cause, int64_t now_ms, struct why *w)
{
	struct alert a = {.kind = "slower",
	                  .cause = cause,
	                  .title = title_of(k),
	                  .submission = k->c->submission,
	                  .kernel = k->c->kernel[k->tip].name,
	                  .boot = NONE,
	                  .state = "new",
	                  .created_ms = now_ms};
	int64_t id = NONE;
	enum err e = store_alert_add(k->db, &a, &id, w);

	if (e == OK)
		e = store_alert_cells_set(k->db, id, &k->cells, w);
	return e == OK ? alerts_step(k->db, id, NULL, "new", counted(k), NULL, now_ms, w) : e;
}

static enum err go_on(struct creep *k, int64_t id, int64_t now_ms, struct why *w)
{
	struct alert_cells before = {0};
	struct alert a = {0};
	const char *to;
	bool over;
	enum err e = store_alert_get(k->db, id, k->p, &a, w);

	if (e == OK)
		e = store_alert_cells(k->db, id, k->p, &before, w);
	/* An older tip that is computed again says nothing about now. */
	if (e != OK || (before.count && before.at[0].submission > k->c->submission))
		return e;
	/* One that somebody called fixed is told anew once it was well. */
	over = str_eq(a.state, "recovered") || str_eq(a.state, "not_reproduced");
	if (!k->cells.count)
		return over || str_eq(a.state, "dismissed")
		               ? OK
		               : alerts_step(k->db, id, a.state, "recovered", counted(k), NULL,
		                             now_ms, w);
	/* A second tip that is slower, on boots of its own, is what re-measuring would be. */
	to = over ? "new" : a.state;
	if (str_eq(a.state, "new") && before.count && before.at[0].submission != k->c->submission)
		to = "confirmed";
	e = store_alert_cells_set(k->db, id, &k->cells, w);
	return e == OK && !str_eq(to, a.state)
	               ? alerts_step(k->db, id, a.state, to, counted(k), NULL, now_ms, w)
	               : e;
}

enum err alerts_crept(struct db *db, const struct cmp *c, int64_t now_ms, bool *is, struct why *w)
{
	struct creep k = {.db = db, .p = pool_new(), .c = c};
	const char *cause;
	int64_t id = NONE;
	enum err e = store_release_of(db, c->submission, k.p, &k.r, is, w);

	if (e == OK && *is && c->kernels == 2) {
		k.tip = c->baseline ? 0 : 1;
		e = store_track_branch(db, k.r.track, k.p, &k.tree, &k.branch, w);
		if (e == OK)
			e = store_mute_list(db, now_ms, k.p, &k.mutes, w);
		if (e == OK)
			e = collect(&k, w);
		cause = pool_fmt(k.p, "creep/%lld/%s", (long long)k.r.track, k.r.release);
		if (e == OK)
			e = store_alert_by_cause(db, cause, &id, w);
		if (e == OK && id != NONE)
			e = go_on(&k, id, now_ms, w);
		else if (e == OK && k.cells.count)
			e = make(&k, cause, now_ms, w);
	}
	pool_free(k.p);
	return err_at(w, e, "release of submission %lld", (long long)c->submission);
}
