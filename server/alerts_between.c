/* alerts_between.c - a point that was measured late shows what an alert says already. */
#include "server/alerts.h"

#include "lib/mem.h"
#include "server/store_alert_track.h"

/* A cell that is slower in both. */
static const struct alert_cell *shared(const struct alert_cells *a, const struct alert_cells *b)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct alert_cell *x = &a->at[i];

		if (!str_eq(x->verdict, "slower"))
			continue;
		for (size_t o = 0; o < b->count; o++)
			if (str_eq(b->at[o].verdict, "slower") &&
			    str_eq(b->at[o].board, x->board) &&
			    str_eq(b->at[o].case_text, x->case_text) &&
			    str_eq(b->at[o].metric, x->metric))
				return x;
	}
	return NULL;
}

/* A comparison that is computed again says the same again. */
static enum err note_once(struct db *db, struct pool *p, int64_t alert, const char *why,
                          int64_t now_ms, struct why *w)
{
	struct alert_steps steps = {0};
	struct alert a = {0};
	enum err e = store_alert_get(db, alert, p, &a, w);

	if (e == OK)
		e = store_alert_steps(db, alert, p, &steps, w);
	for (size_t i = 0; e == OK && i < steps.count; i++)
		if (str_eq(steps.at[i].why, why))
			return OK;
	return e == OK ? alerts_step(db, alert, a.state, a.state, why, NULL, now_ms, w) : e;
}

enum err alerts_between(struct db *db, int64_t submission, const struct alert_cells *cells,
                        int64_t now_ms, bool *is, struct why *w)
{
	struct pool *p = pool_new();
	struct measured_point point;
	struct ids ids = {0};
	enum err e = store_alert_point(db, submission, p, &point, w);

	*is = false;
	if (e == OK && point.track != NONE)
		e = store_alert_spanning(db, &point, p, &ids, w);
	for (size_t i = 0; e == OK && !*is && i < ids.count; i++) {
		struct alert_cells there = {0};
		const struct alert_cell *c;

		e = store_alert_cells(db, ids.at[i], p, &there, w);
		c = e == OK ? shared(cells, &there) : NULL;
		if (!c)
			continue;
		*is = true;
		e = note_once(db, p, ids.at[i],
		              pool_fmt(p,
		                       "%.12s shows it as well, measured since: %s in %s on %s, "
		                       "in submission %lld",
		                       point.commit,
		                       alerts_size(p, c->metric, c->verdict, c->change),
		                       c->case_text, c->board, (long long)submission),
		              now_ms, w);
	}
	pool_free(p);
	return e;
}
