/* alerts_recovered.c - an alert of a followed branch ends where a later point is well again. */
#include "server/alerts.h"

#include "lib/mem.h"
#include "lib/stat/presence.h"
#include "server/store_alert_track.h"
#include "server/store_presence.h"

#include <math.h>

struct later {
	const struct cmp *c;
	struct pool *pool;
	struct measured_point point;
	const struct sub_kernel *kernel; /* the point's, of `c` */
	size_t index;                    /* in c->kernel */
	int64_t now_ms;
};

static const struct cmp_cell *cell_of(const struct later *l, const struct alert_cell *a)
{
	for (size_t i = 0; i < l->c->cells; i++) {
		const struct cmp_cell *x = &l->c->cell[i];

		if (x->kernel == l->index && str_eq(l->c->board[x->board].name, a->board) &&
		    str_eq(l->c->case_[x->case_], a->case_text) &&
		    str_eq(l->c->metric[x->metric].name, a->metric))
			return x;
	}
	return NULL;
}

struct was {
	const struct alert_cell *cell; /* that had moved most */
	double now, level;
};

/* Each cell that was slower has a number again, in the same environment, and it is no
 * further above the level of before than a verdict would ask for. That level is the one of
 * the track's own submission: what measured it again had other cases beside it. */
static enum err is_as_before(struct db *db, const struct later *l, const struct alert *a,
                             const struct alert_cells *cells, bool *is, struct was *was,
                             struct why *w)
{
	enum err e = OK;

	*is = true;
	for (size_t i = 0; e == OK && *is && i < cells->count; i++) {
		const struct alert_cell *c = &cells->at[i];
		const struct cmp_cell *x;
		double level, sign;
		bool added;

		if (!str_eq(c->verdict, "slower"))
			continue;
		x = cell_of(l, c);
		e = store_alert_level(db, a->submission, a->kernel, c->board, c->case_text,
		                      c->metric, &level, w);
		if (e != OK)
			break;
		/* One that another submission added, perhaps on a board that the branch is
		 * not measured on. */
		added = isnan(level);
		if (added && !x)
			continue;
		if (added)
			level = c->base_mean;
		*is = x && x->mean > 0 && level > 0 && x->verdict != VERDICT_INVALID &&
		      x->verdict != VERDICT_SKIP;
		if (!*is)
			break;
		sign = l->c->metric[x->metric].more_is_better ? -1 : 1;
		*is = sign * (x->mean / level - 1) < x->tau;
		if (*is)
			e = store_alert_one_env(db, added ? c->submission : a->submission,
			                        l->c->submission, c->board, is, w);
		if (!was->cell || fabs(c->change) > fabs(was->cell->change))
			*was = (struct was){.cell = c, .now = x->mean, .level = level};
	}
	*is = *is && was->cell;
	return e;
}

static enum err slower_ended(struct db *db, const struct later *l, const struct alert *a,
                             const struct alert_cells *cells, const char **why, struct why *w)
{
	struct was was = {0};
	bool is = false;
	enum err e = is_as_before(db, l, a, cells, &is, &was, w);

	if (e != OK || !is)
		return e;
	*why = pool_fmt(l->pool,
	                "%.12s is back where it was: %s on %s is %+.2f %% from the level before, in"
	                " submission %lld",
	                l->point.commit, was.cell->case_text, was.cell->board,
	                (was.now / was.level - 1) * 100, (long long)l->c->submission);
	return OK;
}

/* ---- a fault */

#define SEEN_MAX 100 /* boots that showed it, the newest, by which its rate is told */

struct gone {
	struct presence_boots boots;
	const char *board; /* where the row says least */
	double chance;     /* of such a row, if it is still there */
};

/* Since the last point that showed it there have been as many boots without it as its rate
 * asks for (lib/stat/presence.h). */
static enum err gone_from(struct db *db, const struct later *l, const struct presence_place *x,
                          const char *signature, struct gone *g, bool *is, struct why *w)
{
	struct presence_boots n = {0};
	/* Of a track that another point than this one is the newest of, all there is. */
	int64_t until = x->track == l->point.track ? l->point.position : INT64_MAX;
	enum err e = OK;
	double chance;

	*is = x->last < until;
	if (*is)
		e = store_presence_boots(db, x, signature, until, &n, w);
	*is = e == OK && *is && n.showed &&
	      n.without >= (int64_t)stat_gone_after((size_t)n.showed, (size_t)n.boots);
	if (!*is)
		return e;
	chance = stat_still_there((size_t)n.showed, (size_t)n.boots, (size_t)n.without);
	if (!g->board || chance > g->chance)
		*g = (struct gone){.boots = n, .board = x->board, .chance = chance};
	return OK;
}

static const char *counted(struct pool *p, const struct gone *g)
{
	const struct presence_boots *n = &g->boots;

	return pool_fmt(p, "%lld %s of %lld %s on %s without it, where %lld of %lld showed it: %s",
	                (long long)n->without, n->without == 1 ? "boot" : "boots",
	                (long long)n->points, n->points == 1 ? "point" : "points", g->board,
	                (long long)n->showed, (long long)n->boots,
	                g->chance < .001 ? "less than 0.1 % probable if it were still there"
	                                 : pool_fmt(p, "%.1f %% probable if it were still there",
	                                            g->chance * 100));
}

/* It showed there in another environment since: the older one is no board's any more, and
 * would keep the alert open for ever. */
static bool outlived(const struct presence_places *all, const struct presence_place *x)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct presence_place *o = &all->at[i];

		if (o->track == x->track && o->last > x->last && str_eq(o->board, x->board) &&
		    str_eq(o->purpose, x->purpose) && str_eq(o->config, x->config))
			return true;
	}
	return false;
}

/* In every place of every branch that showed it, and one of them is this one. */
static enum err fault_ended(struct db *db, const struct later *l, const struct alert *a,
                            const char **why, struct why *w)
{
	struct presence_places places = {0};
	struct gone g = {0};
	int64_t since;
	bool here = false, is = true;
	enum err e = store_presence_since(db, a->id, &since, w);

	if (e == OK)
		e = store_presence_places(db, a->signature, since, SEEN_MAX, l->pool, &places, w);
	for (size_t i = 0; i < places.count; i++)
		here |= places.at[i].track == l->point.track;
	for (size_t i = 0; e == OK && here && is && i < places.count; i++)
		if (!outlived(&places, &places.at[i]))
			e = gone_from(db, l, &places.at[i], a->signature, &g, &is, w);
	if (e == OK && here && is)
		*why = pool_fmt(l->pool, "%s; the newest is %.12s, in submission %lld",
		                counted(l->pool, &g), l->point.commit, (long long)l->c->submission);
	return e;
}

static enum err one_alert(struct db *db, const struct later *l, int64_t id, struct why *w)
{
	struct alert_cells cells = {0};
	struct alert a = {0};
	const char *why = NULL;
	enum err e = store_alert_get(db, id, l->pool, &a, w);

	if (e == OK)
		e = store_alert_cells(db, id, l->pool, &cells, w);
	if (e == OK && str_eq(a.kind, "slower"))
		e = slower_ended(db, l, &a, &cells, &why, w);
	else if (e == OK && str_eq(a.kind, "fault"))
		e = fault_ended(db, l, &a, &why, w);
	return e == OK && why ? alerts_step(db, id, a.state, "recovered", why, NULL, l->now_ms, w)
	                      : e;
}

enum err alerts_recovered(struct db *db, const struct cmp *c, int64_t now_ms, struct why *w)
{
	struct later l = {.c = c, .pool = pool_new(), .now_ms = now_ms};
	struct sub_kernels kernels = {0};
	struct ids alerts = {0};
	enum err e = store_alert_point(db, c->submission, l.pool, &l.point, w);

	if (e == OK && l.point.track != NONE && l.point.newest)
		e = store_sub_kernels(db, c->submission, l.pool, &kernels, w);
	for (size_t i = 0; e == OK && i < c->kernels && i < kernels.count; i++) {
		if (kernels.at[i].kernel_id != NONE &&
		    str_eq(kernels.at[i].commit, l.point.commit)) {
			l.kernel = &kernels.at[i];
			l.index = i;
		}
	}
	if (e == OK && l.kernel)
		e = store_alert_before(db, &l.point, l.pool, &alerts, w);
	if (e == OK && l.kernel)
		e = store_presence_open(db, l.pool, &alerts, w);
	for (size_t i = 0; e == OK && i < alerts.count; i++)
		e = one_alert(db, &l, alerts.at[i], w);
	pool_free(l.pool);
	return e;
}
