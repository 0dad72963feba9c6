/* tracks.c - what a track does next. */
#include "server/tracks.h"

#include "lib/log.h"
#include "lib/mem.h"
#include "server/alerts.h"
#include "server/notify.h"
#include "server/store_board.h"
#include "server/store_token.h"
#include "server/walk.h"

#include <stdlib.h>
#include <string.h>

#define FAILS_MAX 6 /* doublings of the pause after looks that fail */

enum err tracks_walked(struct db *db, int64_t walk, int64_t now_ms, struct why *w)
{
	return store_track_wake_walk(db, walk, now_ms, w);
}

enum err tracks_end(struct db *db, struct track *t, int64_t now_ms, struct why *w)
{
	enum err e;

	t->state = "ended";
	t->until_ms = NONE;
	t->changed_ms = now_ms;
	e = alerts_declared(db, t, now_ms, w);
	if (e == OK)
		e = store_track_save(db, t, w);
	return e == OK ? alerts_ended(db, t, now_ms, w) : e;
}

/* The priority that its looks and points have. */
static int64_t priority_of(const struct track *t)
{
	json_t *o = json_loads(t->request, 0, NULL);
	int64_t priority = json_integer_value(json_object_get(o, "priority"));

	json_decref(o);
	return priority;
}

/* ---- a look */

static enum err ask(struct db *db, struct pool *p, struct track *t, int64_t now_ms, struct why *w)
{
	struct track_point newest;
	enum err e = store_point_before(db, t->id, INT64_MAX, false, p, &newest, w);

	if (e == OK)
		e = walk_ask(db, t->submitter, t->tree, t->branch, newest.commit, priority_of(t),
		             now_ms, &t->walk, w);
	t->next_ms = now_ms + t->every_ms;
	return e;
}

/* Later and later, up to a day, unless it is looked at more seldom anyway. */
static int64_t back_off(const struct track *t)
{
	int64_t wait = t->every_ms, most = INT64_C(86400000);

	for (int64_t i = 1; i < t->fails && i < FAILS_MAX; i++)
		wait *= 2;
	return t->every_ms > most ? t->every_ms : wait > most ? most : wait;
}

static enum err look_failed(struct db *db, struct pool *p, struct track *t, const struct walk *k,
                            int64_t now_ms, struct why *w)
{
	bool gone = k->since && str_starts(k->why, WALK_SINCE);
	int64_t since;

	t->why = k->why;
	t->walk = NONE;
	if (gone) {
		/* Nothing joins the two any more: it goes on from the new tip. */
		t->next_ms = now_ms + t->every_ms;
		return walk_ask(db, t->submitter, t->tree, t->branch, NULL, priority_of(t), now_ms,
		                &t->walk, w);
	}
	t->fails++;
	t->next_ms = now_ms + back_off(t);
	since = t->looked_ms > t->changed_ms ? t->looked_ms : t->changed_ms;
	if (!k->why || !strstr(k->why, WALK_NO_REF) || now_ms - since < TRACK_GONE_MS)
		return OK;
	t->stop_why = pool_fmt(p, "its branch has been gone for %lld days: %s",
	                       (long long)((now_ms - since) / 86400000), k->why);
	return tracks_end(db, t, now_ms, w);
}

/* It waits, and says for what: an agent may come. */
static enum err still_asked(struct db *db, struct pool *p, struct track *t, const struct walk *k,
                            struct why *w)
{
	bool offered = false;
	enum err e = store_tree_offered(db, t->tree, &offered, w);

	(void)k;
	if (e == OK && !offered)
		t->why = pool_fmt(p, "no agent that builds may fetch from \"%s\" yet", t->tree);
	return e;
}

static enum err take(struct db *db, struct pool *p, struct track *t, int64_t now_ms, bool *did,
                     struct why *w)
{
	struct walk k;
	enum err e = store_walk_get(db, t->walk, p, &k, w);

	if (e != OK)
		return e;
	if (str_eq(k.state, "asked"))
		return still_asked(db, p, t, &k, w);
	*did = true;
	e = walk_tidy(db, &k, w);
	if (e != OK)
		return e;
	if (str_eq(k.state, "failed"))
		return look_failed(db, p, t, &k, now_ms, w);
	e = store_walk_commits(db, &k, p, w);
	if (e == OK)
		e = tracks_take_walk(db, p, t, &k, now_ms, w);
	t->walk = NONE;
	t->why = NULL;
	t->fails = 0;
	t->looked_ms = k.answered_ms;
	return e;
}

/* ---- one step */

static void resume(struct track *t, int64_t now_ms)
{
	t->state = "active";
	t->stop_why = t->stop_by = NULL;
	t->until_ms = NONE;
	t->next_ms = now_ms;
	t->changed_ms = now_ms;
}

static enum err active(struct server *srv, struct db *db, struct pool *p, struct track *t,
                       int64_t now_ms, bool *did, struct why *w)
{
	enum role role;
	enum err e = token_role_of(db, t->submitter, &role, w);

	if (e != OK)
		return e;
	/* On behalf of one who may do it no more nothing is asked. */
	if (role == ROLE_NONE) {
		t->blocked = pool_fmt(p, "no token of \"%s\" may submit any more", t->submitter);
		return alerts_missing(db, t, now_ms, w);
	}
	t->admin &= role == ROLE_ADMIN;
	if (t->walk != NONE) {
		e = take(db, p, t, now_ms, did, w);
	} else if (t->next_ms <= now_ms) {
		*did = true;
		e = ask(db, p, t, now_ms, w);
	}
	if (e == OK && !*did)
		e = tracks_submit(srv, db, p, t, now_ms, did, w);
	if (e == OK && !*did)
		e = tracks_release(srv, db, p, t, now_ms, did, w);
	if (e == OK && !*did)
		e = tracks_fill(db, p, t, now_ms, did, w);
	if (e == OK && !*did)
		e = alerts_missing(db, t, now_ms, w);
	return e;
}

struct stepping {
	struct server *srv;
	int64_t track, now_ms;
	bool did;
};

static enum err step(struct db *db, void *arg, struct why *w)
{
	struct stepping *x = arg;
	struct pool *p = pool_new();
	struct track t = {.state = "ended"};
	enum err e = store_track_get(db, x->track, p, &t, w);
	bool ended = str_eq(t.state, "ended");

	x->did = false;
	if (e == OK && str_eq(t.state, "paused") && t.until_ms != NONE && t.until_ms <= x->now_ms) {
		resume(&t, x->now_ms);
		x->did = true;
	} else if (e == OK && str_eq(t.state, "active")) {
		e = active(x->srv, db, p, &t, x->now_ms, &x->did, w);
	}
	t.wake_ms = x->now_ms + TRACK_LOOK_MS;
	if (str_eq(t.state, "active") && t.walk == NONE && t.next_ms < t.wake_ms)
		t.wake_ms = t.next_ms;
	else if (str_eq(t.state, "paused"))
		t.wake_ms = t.until_ms == NONE ? INT64_MAX : t.until_ms;
	if (x->did)
		t.wake_ms = x->now_ms;
	/* One that ends here is saved by tracks_end(), and once more with the rest of it. */
	if (e == OK && !ended)
		e = store_track_save(db, &t, w);
	pool_free(p);
	return e;
}

/* Steps of one track, bounded so that the others have their turn: it is due again then. */
#define STEPS_MAX 8

static enum err one_track(struct server *srv, int64_t id, int64_t now_ms, struct why *w)
{
	struct stepping x = {.srv = srv, .track = id, .now_ms = now_ms, .did = true};
	enum err e = OK;

	for (int i = 0; e == OK && x.did && i < STEPS_MAX; i++)
		e = db_write(srv->store, step, &x, w);
	return e;
}

enum err tracks_run(struct server *srv, int64_t now_ms, struct why *w)
{
	struct pool *p = pool_new();
	struct ids due = {0};
	struct why why;
	enum err e = store_track_due(db_reader(srv->store), now_ms, p, &due, w);

	/* One that cannot go on keeps no other from it. */
	for (size_t i = 0; e == OK && i < due.count; i++)
		if (one_track(srv, due.at[i], now_ms, &why) != OK)
			log_error("track.step", "track", log_i(due.at[i]), "why", why.text, NULL);
	if (due.count)
		notify_poke(srv);
	pool_free(p);
	return e;
}
