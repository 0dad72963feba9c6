/* alerts_history.c - alerts of histories: a level that got worse, before a measurement of
 * its own proves it. */
#include "server/history.h"

#include "lib/mem.h"
#include "server/alerts.h"

#include <math.h>

struct pair {
	struct pool *pool;
	const struct suspicion *s;
	const char *branch, *tree;
	struct sub_kernel kernel, base;
};

static enum err load(struct db *db, struct pair *x, bool *is, struct why *w)
{
	struct sub_kernels kernels = {0};
	struct sub sub = {0};
	const struct history_cell *c = &x->s->first->c;
	size_t own = 0;
	enum err e = store_sub_get(db, c->submission, x->pool, &sub, w);

	if (e == OK)
		e = store_sub_kernels(db, c->submission, x->pool, &kernels, w);
	if (e == OK)
		e = store_track_branch(db, x->s->history->key.track, x->pool, &x->tree, &x->branch,
		                       w);
	while (own < kernels.count && kernels.at[own].kernel_id != c->kernel)
		own++;
	/* A baseline has nothing that it was compared with. */
	*is = e == OK && own < kernels.count && (int64_t)own != sub.baseline &&
	      kernels.at[sub.baseline].kernel_id != NONE;
	if (*is) {
		x->kernel = kernels.at[own];
		x->base = kernels.at[sub.baseline];
	}
	return e;
}

static enum err mute_of(struct db *db, const struct pair *x, int64_t now_ms, int64_t *mute,
                        struct why *w)
{
	struct mutes mutes = {0};
	const struct series_key *k = &x->s->history->key;
	enum err e = store_mute_list(db, now_ms, x->pool, &mutes, w);

	*mute = alerts_muted(&mutes, x->pool, x->tree, x->branch, k->board, k->case_text);
	return e;
}

static enum err cell_of(struct db *db, const struct pair *x, int64_t now_ms, struct alert_cell *c,
                        struct why *w)
{
	const struct suspicion *s = x->s;

	*c = (struct alert_cell){.submission = s->first->c.submission,
	                         .boot = NONE,
	                         .board = s->history->key.board,
	                         .case_text = s->history->key.case_text,
	                         .metric = s->history->key.metric,
	                         .verdict = "slower",
	                         .base_mean = s->level,
	                         .mean = s->level * (1 + s->change),
	                         .change = s->change,
	                         .low = NAN,
	                         .high = NAN,
	                         .boots = s->first->c.boots};
	return mute_of(db, x, now_ms, &c->mute, w);
}

static enum err make(struct db *db, const struct pair *x, const char *cause, int64_t now_ms,
                     struct why *w)
{
	const struct suspicion *s = x->s;
	struct alert_cell cell;
	struct alert_cells cells = {&cell, 1};
	const char *size = alerts_size(x->pool, s->history->key.metric, "slower", s->change);
	struct alert a = {
	        .kind = "slower",
	        .cause = cause,
	        .title = pool_fmt(
	                x->pool, "%s: %s than before in %s on %s, suspected by its history",
	                x->branch, size, s->history->key.case_text, s->history->key.board),
	        .submission = s->first->c.submission,
	        .kernel = x->kernel.name,
	        .boot = NONE,
	        .state = "new",
	        .created_ms = now_ms};
	int64_t id = NONE;
	bool is = false;
	enum err e = cell_of(db, x, now_ms, &cell, w);

	if (e == OK)
		e = alerts_between(db, s->first->c.submission, &cells, now_ms, &is, w);
	if (e == OK && is)
		return OK;
	if (e == OK)
		e = store_alert_add(db, &a, &id, w);
	if (e == OK)
		e = store_alert_cells_set(db, id, &cells, w);
	return e == OK ? alerts_step(db, id, NULL, "new",
	                             pool_fmt(x->pool,
	                                      s->step ? "a step in its history, since \"%s\" in "
	                                                "submission %lld"
	                                              : "its history's level is left, since \"%s\" "
	                                                "in submission %lld",
	                                      x->kernel.name, (long long)s->first->c.submission),
	                             NULL, now_ms, w)
	               : e;
}

/* Another case or board of a pair that is suspected already. */
static enum err join(struct db *db, const struct pair *x, int64_t id, int64_t now_ms, struct why *w)
{
	struct alert_cells cells = {0};
	struct alert a = {0};
	enum err e = store_alert_get(db, id, x->pool, &a, w);

	if (e == OK)
		e = store_alert_cells(db, id, x->pool, &cells, w);
	if (e != OK || !str_eq(a.state, "new"))
		return e;
	for (size_t i = 0; i < cells.count; i++) {
		const struct alert_cell *c = &cells.at[i];

		if (!isnan(c->low) || c->submission != x->s->first->c.submission ||
		    (str_eq(c->board, x->s->history->key.board) &&
		     str_eq(c->case_text, x->s->history->key.case_text) &&
		     str_eq(c->metric, x->s->history->key.metric)))
			return OK;
	}
	e = cell_of(db, x, now_ms,
	            pool_push(x->pool, (void **)&cells.at, &cells.count, sizeof(*cells.at)), w);
	return e == OK ? store_alert_cells_set(db, id, &cells, w) : e;
}

enum err alerts_suspected(struct db *db, const struct suspicion *s, int64_t now_ms, struct why *w)
{
	struct pair x = {.pool = pool_new(), .s = s};
	const char *cause = NULL;
	int64_t id = NONE;
	bool is = false;
	enum err e = load(db, &x, &is, w);

	if (e == OK && is)
		e = alerts_pair(db, x.pool, x.kernel.kernel_id, x.base.kernel_id, &cause, w);
	if (e == OK && is)
		e = store_alert_by_cause(db, cause, &id, w);
	if (e == OK && is)
		e = id == NONE ? make(db, &x, cause, now_ms, w) : join(db, &x, id, now_ms, w);
	pool_free(x.pool);
	return e;
}
