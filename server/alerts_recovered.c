/* alerts_recovered.c - an alert of a followed branch ends where a later point is well again. */
#include "server/alerts.h"

#include "lib/mem.h"
#include "server/store_alert_track.h"

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

		if (!str_eq(c->verdict, "slower"))
			continue;
		x = cell_of(l, c);
		e = store_alert_level(db, a->submission, a->kernel, c->board, c->case_text,
		                      c->metric, &level, w);
		if (e != OK)
			break;
		*is = x && x->mean > 0 && level > 0 && x->verdict != VERDICT_INVALID &&
		      x->verdict != VERDICT_SKIP;
		if (!*is)
			break;
		sign = l->c->metric[x->metric].more_is_better ? -1 : 1;
		*is = sign * (x->mean / level - 1) < x->tau;
		if (*is)
			e = store_alert_one_env(db, a->submission, l->c->submission, c->board, is,
			                        w);
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

/* On every board that showed it the point has valid boots, and none of its boots shows it. */
static enum err fault_ended(struct db *db, const struct later *l, const struct alert *a,
                            const struct alert_cells *cells, const char **why, struct why *w)
{
	int64_t boots = 0;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < cells->count; i++) {
		int64_t valid, showed;

		e = store_alert_shown(db, l->c->submission, l->kernel->kernel_id,
		                      cells->at[i].board, a->signature, &valid, &showed, w);
		if (e != OK || !valid || showed)
			return e;
		boots += valid;
	}
	if (e == OK && boots)
		*why = pool_fmt(l->pool, "%lld %s of %.12s did not show it, in submission %lld",
		                (long long)boots, boots == 1 ? "boot" : "boots", l->point.commit,
		                (long long)l->c->submission);
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
		e = fault_ended(db, l, &a, &cells, &why, w);
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
	for (size_t i = 0; e == OK && i < alerts.count; i++)
		e = one_alert(db, &l, alerts.at[i], w);
	pool_free(l.pool);
	return e;
}
