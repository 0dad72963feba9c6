/* alerts_missing.c - a followed branch that has gone quiet. */
#include "server/alerts.h"

#include "lib/mem.h"
#include "server/store_track.h"
#include "server/tracks.h"

#include <stdlib.h>

#define HOUR_MS INT64_C(3600000)

/* "5 h", "3 days" */
static const char *span(struct pool *p, int64_t ms)
{
	int64_t hours = ms / HOUR_MS;

	if (hours < 1)
		return pool_fmt(p, "%lld min", (long long)(ms / 60000));
	return hours < 72 ? pool_fmt(p, "%lld h", (long long)hours)
	                  : pool_fmt(p, "%lld days", (long long)(hours / 24));
}

static int by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* A declared stop is none of its silence. */
static int64_t since(const struct track *t, int64_t ms)
{
	return ms > t->changed_ms ? ms : t->changed_ms;
}

static const char *no_look(struct pool *p, const struct track *t, int64_t now_ms)
{
	int64_t quiet = now_ms - since(t, t->looked_ms);
	const char *why;

	if (quiet <= 3 * t->every_ms + HOUR_MS)
		return NULL;
	why = t->why ? t->why : t->blocked;
	return pool_fmt(p, "no look has succeeded for %s%s%s", span(p, quiet), why ? ": " : "",
	                why ? why : "");
}

static enum err no_points(struct db *db, struct pool *p, const struct track *t, int64_t now_ms,
                          const char **why, struct why *w)
{
	struct point_times x;
	int64_t usual = 0, quiet;
	enum err e = store_point_times(db, t->id, &x, w);

	*why = NULL;
	if (e != OK || x.oldest_ms == NONE)
		return e;
	if (x.count) {
		qsort(x.took_ms, x.count, sizeof(*x.took_ms), by_size);
		usual = x.took_ms[x.count / 2];
	}
	/* Where one after another is measured, they only wait their turn. */
	quiet = now_ms - since(t, x.last_ms > x.oldest_ms ? x.last_ms : x.oldest_ms);
	if (quiet <= TRACK_QUIET_MS || quiet <= 3 * usual)
		return OK;
	*why = pool_fmt(p, "no point was measured for %s, and some wait%s%s", span(p, quiet),
	                t->blocked ? ": " : "", t->blocked ? t->blocked : "");
	return OK;
}

/* Cells that had numbers once. A fault that is told already is why. */
static enum err no_numbers(struct db *db, struct pool *p, const struct track *t, const char **why,
                           struct why *w)
{
	struct quiet_cells q;
	enum err e = store_point_quiet(db, t->id, TRACK_QUIET_POINTS, p, &q, w);

	if (e != OK || !q.count)
		return e;
	*why = pool_fmt(p, "%s on %s has had no number for %lld points%s", q.case_text, q.board,
	                (long long)q.points,
	                q.count == 1 ? "" : pool_fmt(p, ", and %lld more", (long long)q.count - 1));
	return OK;
}

static enum err make(struct db *db, struct pool *p, const struct track *t, const char *cause,
                     const char *why, int64_t now_ms, struct why *w)
{
	struct alert a = {.kind = "missing",
	                  .cause = cause,
	                  .title = pool_fmt(p, "track %lld of \"%s\" has gone quiet",
	                                    (long long)t->id, t->branch),
	                  .submission = NONE,
	                  .boot = NONE,
	                  .track = t->id,
	                  .state = "new",
	                  .created_ms = now_ms};
	int64_t id;
	enum err e = store_alert_add(db, &a, &id, w);

	return e == OK ? alerts_step(db, id, NULL, "new", why, NULL, now_ms, w) : e;
}

/* One that somebody dismissed or called fixed is told anew only after it was well. */
static enum err move(struct db *db, struct pool *p, int64_t id, const char *why, int64_t now_ms,
                     struct why *w)
{
	struct alert a;
	enum err e = store_alert_get(db, id, p, &a, w);
	bool over;

	if (e != OK)
		return e;
	over = str_eq(a.state, "recovered");
	if (why)
		return over ? alerts_step(db, id, a.state, "new", why, NULL, now_ms, w) : OK;
	return over ? OK
	            : alerts_step(db, id, a.state, "recovered",
	                          "it is looked at, its points are measured, and they have numbers",
	                          NULL, now_ms, w);
}

enum err alerts_missing(struct db *db, const struct track *t, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	const char *cause = pool_fmt(p, "missing/track/%lld", (long long)t->id);
	const char *why = no_look(p, t, now_ms);
	int64_t id;
	enum err e = why ? OK : no_points(db, p, t, now_ms, &why, w);

	if (e == OK && !why)
		e = no_numbers(db, p, t, &why, w);
	if (e == OK)
		e = store_alert_by_cause(db, cause, &id, w);
	if (e == OK && id != NONE)
		e = move(db, p, id, why, now_ms, w);
	else if (e == OK && why)
		e = make(db, p, t, cause, why, now_ms, w);
	pool_free(p);
	return err_at(w, e, "alert of track %lld", (long long)t->id);
}

enum err alerts_declared(struct db *db, const struct track *t, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct alert a = {0};
	int64_t id;
	enum err e = store_alert_by_cause(db, pool_fmt(p, "missing/track/%lld", (long long)t->id),
	                                  &id, w);

	if (e == OK && id != NONE)
		e = store_alert_get(db, id, p, &a, w);
	if (e == OK && id != NONE && !str_eq(a.state, "recovered"))
		e = alerts_step(db, id, a.state, "recovered",
		                pool_fmt(p, "the track %s: %s",
		                         str_eq(t->state, "paused") ? "is paused" : "has ended",
		                         t->stop_why),
		                NULL, now_ms, w);
	pool_free(p);
	return err_at(w, e, "alert of track %lld", (long long)t->id);
}
