/* tracks_point.c - what is measured of a track's points. */
#include "server/tracks.h"

#include "lib/json.h"
#include "lib/mem.h"
#include "server/submit.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS     INT64_C(86400000)
#define TITLE_MAX  200
#define PARENTS_OF 12 /* digits of a commit that name it */

/* ---- what is asked */

static json_t *kernel_of(const struct track *t, const char *what, const char *commit)
{
	json_t *o = json_object();
	char name[64];

	snprintf(name, sizeof(name), "%s%.*s", what, PARENTS_OF, commit);
	json_put_str(o, "name", name);
	json_put_str(o, "tree", t->tree);
	json_put_str(o, "ref", commit);
	json_put(o, "config", json_loads(t->config, JSON_DECODE_ANY, NULL));
	if (t->toolchain)
		json_put_str(o, "toolchain", t->toolchain);
	return o;
}

static void put_title(json_t *o, const struct track *t, const char *what, const char *subject)
{
	struct buf b;
	size_t n;

	buf_init(&b, 8192);
	buf_addf(&b, "track %lld, %s: %s%s%s", (long long)t->id, t->branch, what,
	         subject ? " " : "", subject ? subject : "");
	for (n = 0; n < b.len; n++)
		if ((unsigned char)b.data[n] < ' ' || b.data[n] == 0x7f)
			b.data[n] = ' ';
	/* No character is cut in two. */
	if (b.len > TITLE_MAX) {
		for (n = TITLE_MAX; n && ((unsigned char)b.data[n] & 0xc0) == 0x80; n--)
			;
		b.data[n] = '\0';
	}
	json_put_str(o, "title", b.data);
	buf_release(&b);
}

/* `before` NULL: it is the first; `base` NULL: no merge base is measured beside it. */
static json_t *body_of(const struct track *t, const struct track_point *x,
                       const struct track_point *before, const struct track_point *base)
{
	json_t *o = json_loads(t->request, 0, NULL), *kernels = json_array();
	bool apart = x->rebased && (before || base);
	char what[32];

	snprintf(what, sizeof(what), "%.*s", PARENTS_OF, x->commit);
	put_title(o, t, what, x->subject);
	if (before)
		json_array_append_new(kernels, kernel_of(t, apart ? "old-" : "", before->commit));
	if (base)
		json_array_append_new(kernels, kernel_of(t, "base-", base->commit));
	json_array_append_new(kernels, kernel_of(t, apart ? "tip-" : "", x->commit));
	json_put(o, "kernels", kernels);
	if (x->filled)
		json_put_int(o, "priority", TRACK_FILL_PRIORITY);
	return o;
}

json_t *tracks_trial(const struct track *t)
{
	json_t *o = json_loads(t->request, 0, NULL), *kernels = json_array(),
	       *k = kernel_of(t, "tip", "");

	json_put_str(k, "ref", t->branch);
	json_array_append_new(kernels, k);
	json_put(o, "kernels", kernels);
	json_put_str(o, "title", "trial");
	return o;
}

/* In the transaction of its cause. What a board, a config set or a token no longer allows
 * is no error of the track's: it says so, and tries again. *sub NONE then. */
static enum err submit(struct server *srv, struct db *db, struct pool *p, struct track *t,
                       json_t *body, int64_t *sub, struct why *w)
{
	const struct submitter who = {
	        .srv = srv, .db = db, .label = t->submitter, .admin = t->admin};
	struct wanted x = {0};
	struct why why;
	enum err e = submit_read(&who, p, body, &x, &why);

	json_decref(body);
	*sub = NONE;
	/* What fails from here on takes all of the step back. */
	if (e == OK) {
		e = submit_store(db, &x, w);
		*sub = x.id;
		t->blocked = NULL;
		return e;
	}
	if (e == ERR_INPUT || e == ERR_UNPROCESSABLE || e == ERR_DENIED || e == ERR_NOT_FOUND) {
		t->blocked = pool_str(p, why.text);
		return OK;
	}
	*w = why;
	return e;
}

/* ---- a point against the one before */

enum err tracks_submit(struct server *srv, struct db *db, struct pool *p, struct track *t,
                       int64_t now_ms, bool *did, struct why *w)
{
	struct track_points waiting = {0};
	struct track_point before, *x, *base = NULL;
	int64_t at, sub = NONE;
	enum err e = store_point_waiting(db, t->id, 2, p, &waiting, w);

	(void)now_ms;
	if (e != OK || !waiting.count) {
		t->blocked = NULL;
		return e;
	}
	x = &waiting.at[0];
	at = x->position;
	if (str_eq(x->kind, "base") && waiting.count > 1) {
		base = x;
		x = &waiting.at[1];
	}
	/* Its boots are used again, so it comes first. */
	e = store_point_before(db, t->id, at, false, p, &before, w);
	if (e != OK || (before.position != NONE && before.ended_ms == NONE))
		return e;
	e = store_point_before(db, t->id, at, true, p, &before, w);
	if (e == OK)
		e = submit(srv, db, p, t,
		           body_of(t, x, before.position == NONE ? NULL : &before, base), &sub, w);
	if (e != OK || sub == NONE)
		return e;
	*did = true;
	e = store_point_submit(db, t->id, x->position, sub, w);
	if (e == OK && base)
		e = store_point_submit(db, t->id, base->position, sub, w);
	return e;
}

/* ---- the tip against the release */

enum err tracks_release(struct server *srv, struct db *db, struct pool *p, struct track *t,
                        int64_t now_ms, bool *did, struct why *w)
{
	struct track_point x;
	json_t *body, *kernels, *release;
	int64_t sub = NONE;
	enum err e;

	(void)now_ms;
	if (!t->release)
		return OK;
	e = store_point_unreleased(db, t->id, p, &x, w);
	if (e != OK || x.position == NONE)
		return e;
	body = body_of(t, &x, NULL, NULL);
	kernels = json_object_get(body, "kernels");
	release = kernel_of(t, "release", "");
	json_put_str(release, "ref", t->release);
	json_array_insert_new(kernels, 0, release);
	put_title(body, t, "against the release", t->release);
	e = submit(srv, db, p, t, body, &sub, w);
	if (e != OK || sub == NONE)
		return e;
	*did = true;
	return store_point_release(db, t->id, x.position, sub, w);
}

/* ---- holes */

enum err tracks_fill(struct db *db, struct pool *p, struct track *t, int64_t now_ms, bool *did,
                     struct why *w)
{
	struct track_point x;
	int64_t filled;
	bool idle;
	enum err e;

	if (str_eq(t->mode, "all"))
		return OK;
	e = store_point_idle(db, t->id, now_ms - TRACK_FILL_MS, &idle, w);
	if (e != OK || !idle)
		return e;
	e = store_point_filled(db, t->id, now_ms - DAY_MS, &filled, w);
	if (e != OK || filled >= TRACK_FILLS_A_DAY)
		return e;
	e = store_point_hole(db, t->id, p, &x, w);
	if (e != OK || x.position == NONE)
		return e;
	*did = true;
	x.seen_ms = now_ms;
	return store_point_add(db, t->id, &x, w);
}
