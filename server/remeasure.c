/* remeasure.c - measuring an alert again. */
#include "server/remeasure.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/stat/looks.h"
#include "server/alerts.h"
#include "server/notify.h"
#include "server/schedule.h"
#include "server/store_board.h"

#include <math.h>

#define RETRY_MS 60000

/* ---- beginning */

static enum err may_begin(struct db *db, struct pool *p, const struct alert *a, struct why *w)
{
	struct alert_works works = {0};
	enum err e = store_work_of_alert(db, a->id, p, &works, w);

	for (size_t i = 0; e == OK && i < works.count; i++)
		if (str_eq(works.at[i].state, "open") && str_eq(works.at[i].purpose, "remeasure"))
			return err_set(
			        w, ERR_CONFLICT,
			        "alert %lld is being re-measured already, in submission %lld",
			        (long long)a->id, (long long)works.at[i].submission);
	if (e == OK && !str_eq(a->kind, "slower"))
		e = err_set(w, ERR_UNPROCESSABLE,
		            "alert %lld is no slower kernel: re-measuring "
		            "tells nothing of it",
		            (long long)a->id);
	if (e == OK && str_eq(a->state, "dismissed"))
		e = err_set(w, ERR_CONFLICT, "alert %lld is dismissed", (long long)a->id);
	return e;
}

/* Where there is noise all boots of the last look are made at once: the luck of layouts is
 * known no better than the boots of each. */
static enum err layouts_of(struct db *db, struct pool *p, const struct alert_origin *o,
                           int64_t *layouts, int64_t *boots, struct why *w)
{
	enum err e = OK;

	*boots = o->sub.boots;
	*layouts = o->kernel.tree || o->base.tree ? REMEASURE_LAYOUTS : 1;
	for (size_t i = 0; e == OK && i < o->boards.count; i++) {
		struct board b = {0};

		e = store_board_get(db, o->boards.at[i], p, &b, w);
		if (e != OK || b.deterministic)
			continue;
		*boots = *boots == NONE ? (int64_t)stat_look[STAT_LOOKS - 1].boots : *boots;
		*layouts = *layouts > 1 ? REMEASURE_LAYOUTS_NOISE : 1;
	}
	return e;
}

static struct work_side side_of(const struct sub_kernel *k)
{
	return (struct work_side){.name = k->name,
	                          .tree = k->tree,
	                          .commit = k->commit,
	                          .image = k->image,
	                          .like = k};
}

enum err remeasure_begin(struct server *srv, struct db *db, int64_t alert, const char *by,
                         const char *why, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct alert_origin o = {0};
	struct alert a = {0};
	struct work_ask ask;
	int64_t sub = NONE, layouts = 1, boots = NONE;
	enum err e = store_alert_get(db, alert, p, &a, w);

	if (e == OK)
		e = may_begin(db, p, &a, w);
	if (e == OK)
		e = alert_origin(db, p, alert, &o, w);
	if (e == OK)
		e = layouts_of(db, p, &o, &layouts, &boots, w);
	if (e != OK)
		goto out;
	ask = (struct work_ask){.origin = &o,
	                        .good = side_of(&o.base),
	                        .bad = side_of(&o.kernel),
	                        .cases = &o.cases,
	                        .boots = boots,
	                        .layouts = layouts,
	                        .fresh = true,
	                        .purpose = "remeasure",
	                        .title = pool_fmt(p, "alert %lld again: %s against %s",
	                                          (long long)alert, o.kernel.name, o.base.name),
	                        .why = why ? why : "it is new, and of a branch that is followed",
	                        .by = by};
	e = alert_work_ask(srv, db, &ask, now_ms, &sub, w);
	if (e == OK)
		e = alerts_step(db, alert, a.state, a.state,
		                pool_fmt(p,
		                         "re-measuring begins, submission %lld: %lld layout%s of "
		                         "each kernel,"
		                         " boots of their own; so far %+.2f %% in %s on %s%s%s",
		                         (long long)sub, (long long)ask.layouts,
		                         ask.layouts == 1 ? "" : "s", o.largest->change * 100,
		                         o.largest->case_text, o.largest->board, why ? ": " : "",
		                         why ? why : ""),
		                by, now_ms, w);
out:
	pool_free(p);
	return e;
}

/* ---- ending */

static const char *now_is(struct pool *p, const struct work_cell *c)
{
	const char *interval =
	        isnan(c->low) ? ""
	                      : pool_fmt(p, " [%+.2f %%, %+.2f %%]", c->low * 100, c->high * 100);

	if (isnan(c->change))
		return pool_fmt(p, "no number%s%s", c->why ? ": " : "", c->why ? c->why : "");
	return pool_fmt(p, "%+.2f %%%s, %s", c->change * 100, interval, c->verdict);
}

static enum err end_one(struct db *db, struct pool *p, const struct alert_work *x, int64_t now_ms,
                        struct why *w)
{
	struct alert a = {0};
	struct sub s;
	struct work_cell c = {0};
	int64_t boots = 0;
	bool done;
	const char *text;
	enum err e = store_alert_get(db, x->alert, p, &a, w);

	if (e == OK)
		e = store_sub_get(db, x->submission, p, &s, w);
	if (e == OK)
		e = store_work_boots(db, x->submission, NONE, &boots, w);
	if (e == OK)
		e = store_work_cell(db, x->submission, x->board, x->case_text, a.kernel, p, &c, w);
	if (e != OK)
		return e;
	done = str_eq(s.state, "done");
	if (done)
		text = pool_fmt(p,
		                "re-measured, submission %lld: %lld boots, %lld layout%s of each "
		                "kernel%s: %s on %s was %+.2f %%, is %s",
		                (long long)s.id, (long long)boots, (long long)s.layouts,
		                s.layouts == 1 ? "" : "s",
		                s.layouts == 1 ? "" : " (0 as it is linked, others relinked)",
		                x->case_text, x->board, x->before * 100, now_is(p, &c));
	else
		text = pool_fmt(p, "re-measuring came to no end: submission %lld %s%s%s",
		                (long long)s.id,
		                str_eq(s.state, "failed") ? "failed" : "was cancelled",
		                s.why ? ": " : "", s.why ? s.why : "");
	e = store_work_end(db, x->submission, s.state, done ? str_eq(c.verdict, "slower") : NONE,
	                   now_ms, w);
	return e == OK ? alerts_step(db, a.id, a.state, a.state, text, NULL, now_ms, w) : e;
}

/* ---- the worker */

struct doing {
	struct server *srv;
	int64_t id, now_ms;
};

static enum err begin_fn(struct db *db, void *arg, struct why *w)
{
	const struct doing *d = arg;

	return remeasure_begin(d->srv, db, d->id, NULL, NULL, d->now_ms, w);
}

static enum err end_fn(struct db *db, void *arg, struct why *w)
{
	const struct doing *d = arg;
	struct pool *p = pool_new();
	struct alert_work x;
	enum err e = store_work_of_sub(db, d->id, p, &x, w);

	if (e == OK && x.submission && str_eq(x.state, "open"))
		e = end_one(db, p, &x, d->now_ms, w);
	pool_free(p);
	return e;
}

static void each(struct server *srv, const struct ids *ids, db_write_fn *fn, const char *event,
                 int64_t *retry_ms)
{
	for (size_t i = 0; i < ids->count; i++) {
		struct doing d = {.srv = srv, .id = ids->at[i], .now_ms = clock_wall_ms()};
		struct why w;
		enum err e = db_write(srv->store, fn, &d, &w);

		if (e == OK) {
			log_info(event, "id", log_i(d.id), NULL);
			notify_poke(srv);
			continue;
		}
		log_warn(event, "id", log_i(d.id), "why", w.text, NULL);
		*retry_ms = d.now_ms + RETRY_MS;
	}
}

void remeasure_work(struct server *srv, int64_t *retry_ms)
{
	struct db *db = db_reader(srv->store);
	struct pool *p = pool_new();
	struct ids ended = {0}, wanted = {0};
	struct why w;
	int64_t now = clock_wall_ms(), ignored = 0;
	enum err e = store_work_ended(db, p, &ended, &w);

	if (e == OK)
		each(srv, &ended, end_fn, "remeasure.ended", &ignored);
	if (e == OK && now >= *retry_ms)
		e = store_work_wanted(db, now, p, &wanted, &w);
	if (e == OK)
		each(srv, &wanted, begin_fn, "remeasure.begin", retry_ms);
	if (e != OK)
		log_error("remeasure.look", "why", w.text, NULL);
	pool_free(p);
}
