/* bisections.c - bisections begin, end, and go on. */
#include "server/bisections.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "server/alert_work.h"
#include "server/alerts.h"
#include "server/notify.h"
#include "server/store_search.h"
#include "server/store_series.h"
#include "server/walk.h"

#include <math.h>

#define RETRY_MS     60000
#define MOVES_MAX    16 /* at a look */
/* A patch that the stack had before it was rebased. */
#define WEIGHT_KNOWN .1

/* ---- candidates */

static void add_commit(struct pool *p, struct bisection *b, const char *commit, const char *subject,
                       const char *author, bool known)
{
	*(struct bisection_commit *)pool_push(p, (void **)&b->commit, &b->commits,
	                                      sizeof(*b->commit)) =
	        (struct bisection_commit){.commit = commit,
	                                  .subject = subject,
	                                  .author = author,
	                                  .weight = known ? WEIGHT_KNOWN : 1};
}

static enum err of_walk(struct db *db, struct pool *p, struct bisection *b, int64_t first,
                        int64_t last, bool rebased, struct why *w)
{
	struct walk k = {0};
	enum err e = store_walk_get(db, b->walk, p, &k, w);

	if (e == OK)
		e = store_walk_commits(db, &k, p, w);
	for (int64_t i = first; e == OK && i <= last && i <= (int64_t)k.count; i++) {
		const struct walk_commit *c = &k.commit[i - 1];

		add_commit(p, b, c->commit, c->subject, c->author, rebased && c->known);
	}
	b->omitted = first == 1 ? k.omitted : 0;
	return e;
}

/* Where the submission's search has found the patch already, it is the only candidate. */
static enum err of_search(struct db *db, struct pool *p, const struct alert_origin *o,
                          const struct series *s, int64_t *good, int64_t *bad, struct why *w)
{
	struct search_effects l = {0};
	double most = fabs(o->largest->change) / 2;
	enum err e = store_search_effects(db, o->sub.id, p, &l, w);

	for (size_t i = 0; e == OK && i < l.count; i++) {
		const struct search_effect *x = &l.at[i];

		if (!str_eq(x->verdict, "slower") || !str_eq(x->board, o->largest->board) ||
		    !str_eq(x->case_text, o->largest->case_text) || x->last > o->kernel.patches ||
		    x->last > (int64_t)s->count || !(fabs(x->change) > most))
			continue;
		most = fabs(x->change);
		*good = x->first - 1;
		*bad = x->last;
	}
	return e;
}

/* Prefixes that were measured narrow it down to the patches between two of them. */
static enum err of_series(struct db *db, struct pool *p, const struct alert_origin *o,
                          const struct series *s, struct bisection *b, struct why *w)
{
	struct sub_kernels kernels = {0};
	int64_t good = 0, bad = o->kernel.patches;
	enum err e = store_sub_kernels(db, o->sub.id, p, &kernels, w);

	for (size_t i = 0; e == OK && o->largest->case_text && i < kernels.count; i++) {
		const struct sub_kernel *k = &kernels.at[i];
		struct work_cell c;

		if (k->patches < 1 || k->patches >= bad ||
		    !str_eq(k->config_sha256, o->kernel.config_sha256))
			continue;
		e = store_work_cell(db, o->sub.id, o->largest->board, o->largest->case_text,
		                    k->name, p, &c, w);
		if (e != OK)
			return e;
		if (str_eq(c.verdict, "slower") && fabs(c.change) > fabs(o->largest->change) / 2)
			bad = k->patches;
		else if (k->patches > good &&
		         (str_eq(c.verdict, "same") || str_eq(c.verdict, "faster")))
			good = k->patches;
	}
	if (e != OK || bad > (int64_t)s->count)
		return e;
	if (good >= bad)
		good = 0;
	e = of_search(db, p, o, s, &good, &bad, w);
	if (e != OK)
		return e;
	if (good)
		b->good = s->patch[good - 1].commit;
	b->bad = s->patch[bad - 1].commit;
	for (int64_t i = good; i < bad; i++)
		add_commit(p, b, s->patch[i].commit, s->patch[i].subject, s->patch[i].author,
		           false);
	return e;
}

static enum err between(const struct alert_origin *o, struct why *w)
{
	const struct sub_kernel *k = &o->kernel, *base = &o->base;
	long long id = (long long)o->alert.id;

	if (!base->name)
		return err_set(w, ERR_UNPROCESSABLE,
		               "alert %lld shows in the baseline itself: there is no good end", id);
	if (!k->commit || !base->commit || !k->tree || !str_eq(k->tree, base->tree))
		return err_set(w, ERR_UNPROCESSABLE,
		               "alert %lld: its kernels are no two commits of one tree", id);
	if (str_eq(k->commit, base->commit))
		return err_set(w, ERR_UNPROCESSABLE, "alert %lld: its kernels are one commit", id);
	if (!str_eq(k->config_sha256, base->config_sha256) ||
	    !str_eq(k->toolchain, base->toolchain))
		return err_set(w, ERR_UNPROCESSABLE,
		               "alert %lld: its kernels differ in more than the commit, in their "
		               "configuration or toolchain",
		               id);
	return OK;
}

/* From a track, a series, or else a walk that is asked for. */
static enum err candidates(struct db *db, struct pool *p, const struct alert_origin *o,
                           struct bisection *b, int64_t now_ms, struct why *w)
{
	struct bisect_point point;
	struct series s = {0};
	enum err e = store_bisect_point(db, o->sub.id, b->good, b->bad, p, &point, w);

	if (e == OK && point.walk != NONE) {
		b->walk = point.walk;
		b->good = point.good;
		return of_walk(db, p, b, point.first, point.last, point.rebased, w);
	}
	if (e == OK)
		e = store_series_get(db, o->sub.id, p, &s, w);
	if (e == OK && s.is && o->kernel.patches > 0)
		return of_series(db, p, o, &s, b, w);
	return e == OK ? walk_ask(db, o->sub.submitter, b->tree, b->bad, b->good, o->sub.priority,
	                          now_ms, &b->walk, w)
	               : e;
}

/* ---- beginning */

static enum err may_begin(struct db *db, struct pool *p, int64_t alert, const struct alert *a,
                          struct why *w)
{
	struct bisection last;
	enum err e = store_bisect_of_alert(db, alert, p, &last, w);

	if (e == OK && last.id && last.ended_ms == NONE)
		return err_set(w, ERR_CONFLICT, "alert %lld is being bisected already",
		               (long long)alert);
	if (e == OK && str_eq(a->state, "dismissed"))
		return err_set(w, ERR_CONFLICT, "alert %lld is dismissed", (long long)alert);
	return e;
}

enum err bisections_begin(struct server *srv, struct db *db, int64_t alert, const char *by,
                          const char *reason, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct alert_origin o = {0};
	struct alert a = {0};
	struct bisection b;
	const char *text;
	enum err e = store_alert_get(db, alert, p, &a, w);

	(void)srv;
	if (e == OK)
		e = may_begin(db, p, alert, &a, w);
	if (e == OK)
		e = alert_origin(db, p, alert, &o, w);
	if (e == OK)
		e = between(&o, w);
	if (e != OK)
		goto out;
	b = (struct bisection){.alert = alert,
	                       .by = by,
	                       .tree = o.kernel.tree,
	                       .good = o.base.commit,
	                       .bad = o.kernel.commit,
	                       .board = o.largest->board,
	                       .case_text = o.largest->case_text,
	                       .metric = o.largest->metric,
	                       .walk = NONE,
	                       .created_ms = now_ms,
	                       .ended_ms = NONE};
	e = candidates(db, p, &o, &b, now_ms, w);
	if (e != OK)
		goto out;
	b.state = b.commits ? "ends" : "walking";
	e = store_bisect_add(db, &b, &b.id, w);
	if (e == OK)
		e = store_bisect_commits(db, &b, w);
	text = b.commits ? pool_fmt(p, "bisection begins: %zu commit%s behind %.12s, up to %.12s",
	                            b.commits, b.commits == 1 ? "" : "s", b.good, b.bad)
	                 : pool_fmt(p, "bisection begins: the commits from %.12s to %.12s", b.good,
	                            b.bad);
	if (reason)
		text = pool_fmt(p, "%s: %s", text, reason);
	if (e == OK)
		e = alerts_step(db, alert, a.state, a.state, text, by, now_ms, w);
out:
	pool_free(p);
	return e;
}

/* ---- ending */

enum err bisections_end(struct db *db, struct bisection *b, const char *state, const char *why,
                        const char *by, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct alert a = {0};
	enum err e;

	b->state = state;
	b->why = why;
	b->submission = NONE;
	b->ended_ms = now_ms;
	e = store_bisect_save(db, b, w);
	if (e == OK)
		e = store_alert_get(db, b->alert, p, &a, w);
	if (e == OK && !str_eq(state, "done"))
		e = alerts_step(db, a.id, a.state, a.state,
		                pool_fmt(p, "bisection %s: %s",
		                         str_eq(state, "cancelled") ? "cancelled" : "gave up", why),
		                by, now_ms, w);
	pool_free(p);
	return e;
}

enum err bisections_stop(struct db *db, int64_t alert, const char *why, const char *by,
                         int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct bisection b;
	struct bisection_step s;
	enum err e = store_bisect_of_alert(db, alert, p, &b, w);

	if (e != OK || !b.id || b.ended_ms != NONE)
		goto out;
	if (str_eq(b.state, "walking"))
		e = walk_cancel(db, b.walk, why, now_ms, w);
	else if (b.submission != NONE)
		e = alert_work_cancel(db, b.submission, now_ms, w);
	if (e == OK)
		e = store_bisect_load(db, &b, p, w);
	if (e == OK && b.steps && !b.at[b.steps - 1].outcome) {
		s = b.at[b.steps - 1];
		s.outcome = "skip";
		s.why = "the bisection was cancelled";
		s.ended_ms = now_ms;
		e = store_bisect_step(db, b.id, &s, w);
	}
	if (e == OK)
		e = bisections_end(db, &b, "cancelled", why, by, now_ms, w);
out:
	pool_free(p);
	return e;
}

/* ---- walks */

/* From the merge base on: what is on both branches is in both ends. */
static enum err walked(struct db *db, struct pool *p, struct bisection *b, int64_t now_ms,
                       struct why *w)
{
	struct walk k = {0};
	enum err e = store_walk_get(db, b->walk, p, &k, w);

	if (e != OK || str_eq(k.state, "asked"))
		return e;
	if (str_eq(k.state, "failed"))
		return bisections_end(db, b, "gave_up",
		                      pool_fmt(p, "the commits between could not be listed: %s",
		                               k.why ? k.why : "no reason given"),
		                      NULL, now_ms, w);
	if (!k.base)
		return bisections_end(db, b, "gave_up", "the two ends have no commit in common",
		                      NULL, now_ms, w);
	b->good = k.base;
	e = of_walk(db, p, b, 1, INT64_MAX, !k.linear, w);
	if (e == OK && (!b->commits || !str_eq(b->commit[b->commits - 1].commit, b->bad)))
		return bisections_end(db, b, "gave_up",
		                      "the bad end is no commit behind the good one", NULL, now_ms,
		                      w);
	if (e == OK)
		e = store_bisect_commits(db, b, w);
	b->state = "ends";
	return e == OK ? store_bisect_save(db, b, w) : e;
}

enum err bisections_walked(struct db *db, const struct walk *walk, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct ids ids = {0};
	enum err e = store_bisect_of_walk(db, walk->id, p, &ids, w);

	for (size_t i = 0; e == OK && i < ids.count; i++) {
		struct bisection b = {0};

		e = store_bisect_get(db, ids.at[i], p, &b, w);
		if (e == OK)
			e = walked(db, p, &b, now_ms, w);
	}
	pool_free(p);
	return e;
}

/* ---- the worker */

struct doing {
	struct server *srv;
	int64_t id, now_ms;
	const char *why;
};

static enum err move_fn(struct db *db, void *arg, struct why *w)
{
	const struct doing *d = arg;
	struct pool *p = pool_new();
	struct bisection b = {0};
	enum err e = store_bisect_get(db, d->id, p, &b, w);

	if (e == OK && b.ended_ms == NONE)
		e = str_eq(b.state, "walking") ? walked(db, p, &b, d->now_ms, w)
		                               : bisections_move(d->srv, db, b.id, d->now_ms, w);
	pool_free(p);
	return e;
}

/* What cannot be asked for now (a board that is away) is told, and tried again. */
static enum err wait_fn(struct db *db, void *arg, struct why *w)
{
	const struct doing *d = arg;
	struct pool *p = pool_new();
	struct bisection b = {0};
	enum err e = store_bisect_get(db, d->id, p, &b, w);

	if (e == OK && b.ended_ms == NONE) {
		b.why = pool_fmt(p, "waits: %s", d->why);
		b.next_ms = d->now_ms + RETRY_MS;
		e = store_bisect_save(db, &b, w);
	}
	pool_free(p);
	return e;
}

static enum err begin_fn(struct db *db, void *arg, struct why *w)
{
	const struct doing *d = arg;

	return bisections_begin(d->srv, db, d->id, NULL, NULL, d->now_ms, w);
}

/* What has no commits in between is told once, and not tried at every look. */
static enum err refuse_fn(struct db *db, void *arg, struct why *w)
{
	const struct doing *d = arg;
	struct pool *p = pool_new();
	struct alert a = {0};
	struct bisection b = {.alert = d->id,
	                      .state = "gave_up",
	                      .why = d->why,
	                      .board = "",
	                      .walk = NONE,
	                      .created_ms = d->now_ms,
	                      .ended_ms = d->now_ms};
	enum err e = store_alert_get(db, d->id, p, &a, w);

	b.tree = a.tree ? a.tree : "";
	b.good = a.base_commit ? a.base_commit : "";
	b.bad = a.commit ? a.commit : "";
	if (e == OK)
		e = store_bisect_add(db, &b, &b.id, w);
	if (e == OK)
		e = alerts_step(db, d->id, a.state, a.state,
		                pool_fmt(p, "it is not bisected: %s", d->why), NULL, d->now_ms, w);
	pool_free(p);
	return e;
}

static void move(struct server *srv, const struct ids *due)
{
	for (size_t i = 0; i < due->count; i++) {
		struct doing d = {.srv = srv, .id = due->at[i], .now_ms = clock_wall_ms()};
		struct why w, again;
		enum err e = db_write(srv->store, move_fn, &d, &w);

		if (e == OK) {
			notify_poke(srv);
			continue;
		}
		log_warn("bisection.waits", "bisection", log_i(d.id), "why", w.text, NULL);
		d.why = w.text;
		if (db_write(srv->store, wait_fn, &d, &again) != OK)
			log_error("bisection.waits", "bisection", log_i(d.id), "why", again.text,
			          NULL);
	}
}

static void begin(struct server *srv, const struct ids *wanted, int64_t *retry_ms)
{
	for (size_t i = 0; i < wanted->count; i++) {
		struct doing d = {.srv = srv, .id = wanted->at[i], .now_ms = clock_wall_ms()};
		struct why w, again;
		enum err e = db_write(srv->store, begin_fn, &d, &w);

		if (e == OK) {
			log_info("bisection.begin", "alert", log_i(d.id), NULL);
			continue;
		}
		log_warn("bisection.begin", "alert", log_i(d.id), "why", w.text, NULL);
		*retry_ms = d.now_ms + RETRY_MS;
		d.why = w.text;
		if (e == ERR_UNPROCESSABLE && db_write(srv->store, refuse_fn, &d, &again) != OK)
			log_error("bisection.begin", "alert", log_i(d.id), "why", again.text, NULL);
	}
}

void bisections_work(struct server *srv, int64_t *retry_ms)
{
	struct db *db = db_reader(srv->store);
	struct pool *p = pool_new();
	struct ids wanted = {0}, due = {0};
	struct why w;
	int64_t now = clock_wall_ms();
	enum err e = OK;

	if (now >= *retry_ms)
		e = store_bisect_wanted(db, p, &wanted, &w);
	if (e == OK)
		begin(srv, &wanted, retry_ms);
	/* One move may be all that the next one waits for. */
	for (int i = 0; e == OK && i < MOVES_MAX; i++) {
		due.count = 0;
		e = store_bisect_due(db, now, p, &due, &w);
		if (e == OK)
			move(srv, &due);
		if (!due.count)
			break;
	}
	if (e != OK)
		log_error("bisection.look", "why", w.text, NULL);
	pool_free(p);
}
