/* alerts_tell.c - a step of an alert, and to whom it goes. */
#include "server/alerts.h"

#include "lib/hash.h"
#include "lib/mem.h"
#include "server/store_tell.h"

#include <math.h>

#define DELIVERY_BYTES 16

static bool wants_cell(const struct subscription *s, const struct alert_cell *c)
{
	if (c->mute != NONE || !alerts_matches(s->board, c->board))
		return false;
	if (!c->case_text) /* a fault has neither case nor size */
		return true;
	return alerts_matches(s->case_glob, c->case_text) &&
	       (str_eq(s->direction, "any") || str_eq(s->direction, c->verdict)) &&
	       (isnan(s->min_size) || fabs(c->change) >= s->min_size);
}

static bool wants(struct pool *p, const struct subscription *s, const struct alert *a,
                  const struct alert_cells *cells)
{
	if (!alerts_of_branch(p, s->branch, a->tree, a->ref))
		return false;
	/* A branch that has gone quiet has no cell: who asks for some gets it not. */
	if (str_eq(a->kind, "missing"))
		return !s->board && !s->case_glob;
	for (size_t i = 0; i < cells->count; i++)
		if (wants_cell(s, &cells->at[i]))
			return true;
	return false;
}

/* One that has no cells is muted by what mutes its branch and all boards. */
static enum err branch_is_muted(struct db *db, struct pool *p, const struct alert *a,
                                int64_t now_ms, bool *muted, struct why *w)
{
	struct mutes mutes = {0};
	enum err e = str_eq(a->kind, "missing") ? store_mute_list(db, now_ms, p, &mutes, w) : OK;

	*muted = a->muted;
	for (size_t i = 0; e == OK && i < mutes.count; i++)
		*muted |= !mutes.at[i].board && !mutes.at[i].case_glob &&
		          alerts_of_branch(p, mutes.at[i].branch, a->tree, a->ref);
	return e;
}

static enum err tell(struct db *db, int64_t alert, int64_t step, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct alert a = {0};
	struct alert_cells cells = {0};
	struct subscriptions subs = {0};
	char delivery[2 * DELIVERY_BYTES + 1];
	bool muted = false;
	size_t i;
	enum err e = store_alert_get(db, alert, p, &a, w);

	if (e == OK)
		e = branch_is_muted(db, p, &a, now_ms, &muted, w);
	a.muted = muted;
	if (e == OK && !a.muted)
		e = store_alert_cells(db, alert, p, &cells, w);
	if (e == OK && !a.muted)
		e = store_subscription_list(db, p, &subs, w);
	for (i = 0; e == OK && i < subs.count; i++) {
		const struct subscription *s = &subs.at[i];
		bool told = false;

		if (s->ended_ms != NONE)
			continue;
		/* Who has heard of it hears how it went on. */
		e = store_outbox_knows(db, alert, s->id, &told, w);
		if (e != OK || (!told && !wants(p, s, &a, &cells)))
			continue;
		random_hex(delivery, DELIVERY_BYTES);
		e = store_outbox_add(db, alert, step, s, delivery, now_ms, w);
	}
	pool_free(p);
	return e;
}

enum err alerts_step(struct db *db, int64_t alert, const char *from, const char *to,
                     const char *why, const char *by, int64_t now_ms, struct why *w)
{
	struct alert_step s = {.from = from, .to = to, .why = why, .by = by, .at_ms = now_ms};
	const char *owner = by && str_eq(to, "acknowledged") ? by : NULL;
	int64_t id;
	enum err e = store_alert_step(db, alert, &s, owner, &id, w);

	if (e != OK || str_eq(from, to))
		return e;
	return tell(db, alert, id, now_ms, w);
}

enum err alerts_step_told(struct db *db, int64_t alert, const char *state, const char *why,
                          int64_t now_ms, int64_t *id, struct why *w)
{
	struct alert_step s = {.from = state, .to = state, .why = why, .at_ms = now_ms};
	enum err e = store_alert_step(db, alert, &s, NULL, id, w);

	return e == OK ? tell(db, alert, *id, now_ms, w) : e;
}
