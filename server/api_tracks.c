/* api_tracks.c - branches that are followed. */
#include "server/alerts.h"
#include "server/api_util.h"
#include "server/notify.h"
#include "server/schedule.h"
#include "server/show_track.h"
#include "server/store_board.h"
#include "server/submit.h"
#include "server/tracks.h"
#include "server/walk.h"
#include "server/work.h"

#include "lib/hash.h"
#include "lib/log.h"

#include <stdlib.h>
#include <string.h>

#define WHY_MAX   2000
#define EVERY_S   900
#define CASES_MAX 1000

static const char *const states[] = {"open", "active", "paused", "ended", NULL};
static const char *const modes[] = {"tips", "all", "merges", NULL};

/* ---- showing */

enum err tracks_list(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	struct pool *p = pool_new();
	struct tracks list = {0};
	const char *state = http_query(req, "state");
	json_t *out = json_array(), *o;
	int64_t limit, before;
	size_t i;
	enum err e = api_page(req, &limit, &before, w);

	for (i = 0; e == OK && state && states[i] && strcmp(states[i], state) != 0; i++)
		;
	if (e == OK && state && !states[i])
		e = err_set(w, ERR_INPUT, "state: expected open, active, paused or ended");
	if (e == OK)
		e = db_snapshot(db, w);
	if (e == OK) {
		e = store_track_list(db, state, before, limit, p, &list, w);
		for (i = 0; e == OK && i < list.count; i++) {
			e = show_track(db, &list.at[i], &o, w);
			if (e == OK)
				json_array_append_new(out, o);
		}
		db_snapshot_end(db);
	}
	if (e == OK)
		r->json = api_list("tracks", json_incref(out), limit,
		                   list.count ? list.at[list.count - 1].id : 0);
	json_decref(out);
	pool_free(p);
	return e;
}

static enum err put_points(struct db *db, struct pool *p, int64_t track, int64_t before,
                           int64_t limit, json_t *o, struct why *w)
{
	struct track_points list = {0};
	json_t *out = json_array(), *x;
	enum err e = store_point_list(db, track, before, limit, p, &list, w);

	for (size_t i = 0; e == OK && i < list.count; i++) {
		e = show_track_point(db, &list.at[i], &x, w);
		if (e == OK)
			json_array_append_new(out, x);
	}
	json_put(o, "points", out);
	show_int(o, "points_next",
	         (int64_t)list.count == limit ? list.at[list.count - 1].position : NONE);
	return e;
}

static enum err answer(struct http_req *req, int64_t id, int64_t before, int64_t limit,
                       struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	struct pool *p = pool_new();
	struct track t;
	json_t *o = NULL;
	enum err e = db_snapshot(db, w);

	if (e == OK) {
		e = store_track_get(db, id, p, &t, w);
		if (e == OK)
			e = show_track(db, &t, &o, w);
		if (e == OK) {
			e = put_points(db, p, id, before, limit, o, w);
			if (e == OK)
				r->json = json_incref(o);
			json_decref(o);
		}
		db_snapshot_end(db);
	}
	pool_free(p);
	return e;
}

enum err track_get(struct http_req *req, struct http_resp *r, struct why *w)
{
	int64_t limit, before;
	enum err e = api_page(req, &limit, &before, w);

	return e == OK ? answer(req, req->id, before, limit, r, w) : e;
}

/* ---- a new one */

struct asked {
	const char *tree, *branch, *toolchain, *release;
	int64_t every_s, priority;
	int mode;
	double threshold;
	json_t *config, *boards, *cases, *plan;
};

static const struct json_field fields[] = {
        {"tree", JSON_STR, offsetof(struct asked, tree), JSON_MUST, 1, 1024, NULL},
        {"branch", JSON_STR, offsetof(struct asked, branch), JSON_MUST, 1, 250, NULL},
        {"every_s", JSON_INT, offsetof(struct asked, every_s), JSON_NULLOK, TRACK_EVERY_MIN_S,
         TRACK_EVERY_MAX_S, NULL},
        {"mode", JSON_WORD, offsetof(struct asked, mode), JSON_NULLOK, 0, 0, modes},
        {"config", JSON_ANY, offsetof(struct asked, config), JSON_NULLOK, 0, 0, NULL},
        {"toolchain", JSON_STR, offsetof(struct asked, toolchain), JSON_NULLOK, 1, 64, NULL},
        {"boards", JSON_ARR, offsetof(struct asked, boards), JSON_NULLOK, 1, 64, NULL},
        {"cases", JSON_ARR, offsetof(struct asked, cases), JSON_MUST, 1, CASES_MAX, NULL},
        {"plan", JSON_OBJ, offsetof(struct asked, plan), JSON_NULLOK, 0, 0, NULL},
        {"threshold", JSON_NUM, offsetof(struct asked, threshold), JSON_NULLOK, 0, 0, NULL},
        {"release", JSON_STR, offsetof(struct asked, release), JSON_NULLOK, 1, 250, NULL},
        {"priority", JSON_INT, offsetof(struct asked, priority), JSON_NULLOK, -100, 100, NULL},
        {0},
};

static void put_asked(json_t *o, const char *key, json_t *x)
{
	if (x && !json_is_null(x))
		json_put(o, key, json_incref(x));
}

/* A submission without title and kernels. */
static const char *request_of(struct pool *p, const struct asked *in)
{
	json_t *o = json_object();
	char *text;
	const char *out;

	put_asked(o, "boards", in->boards);
	put_asked(o, "cases", in->cases);
	put_asked(o, "plan", in->plan);
	if (!isnan(in->threshold))
		json_put_real(o, "threshold", in->threshold);
	json_put_int(o, "priority", in->priority);
	text = json_canonical(o);
	out = pool_str(p, text);
	free(text);
	json_decref(o);
	return out;
}

static enum err check_names(const struct asked *in, struct why *w)
{
	const char *fault = tree_fault(in->tree);

	if (fault)
		return err_set(w, ERR_INPUT, "tree: %s", fault);
	if (!ref_is_good(in->branch))
		return err_set(w, ERR_INPUT, "branch: \"%s\" is no branch by git's rules",
		               in->branch);
	if (hex_is(in->branch, 40))
		return err_set(w, ERR_INPUT, "branch: a commit does not move: expected a branch");
	if (in->release && !ref_is_good(in->release))
		return err_set(w, ERR_INPUT,
		               "release: \"%s\" is no branch, tag or commit by git's rules",
		               in->release);
	return OK;
}

/* A person may ask for a table of few boots; a track lives from verdicts. */
static enum err check_boots(struct db *db, struct pool *p, const struct wanted *x, struct why *w)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && x->s.boots != NONE && i < x->boards.count; i++) {
		struct board b = {0};
		int64_t least;

		e = store_board_get(db, x->boards.at[i], p, &b, w);
		least = schedule_boots_least(b.deterministic);
		if (e == OK && x->s.boots < least)
			e = err_set(w, ERR_UNPROCESSABLE,
			            "plan.boots: a verdict on \"%s\" takes %lld boots of a kernel "
			            "at least, and a track with %lld would never have one",
			            b.name, (long long)least, (long long)x->s.boots);
	}
	return e;
}

/* All that a submission of it would be checked for. */
static enum err try_it(struct http_req *req, struct pool *p, const struct track *t, struct why *w)
{
	const struct submitter who = {.srv = req->srv,
	                              .db = db_reader(req->srv->store),
	                              .label = t->submitter,
	                              .admin = t->admin};
	static const char place[] = "kernels[0].";
	struct wanted x = {0};
	json_t *body = tracks_trial(t);
	enum err e = submit_read(&who, p, body, &x, w);

	json_decref(body);
	if (e == OK)
		e = check_boots(who.db, p, &x, w);
	/* The track's own place. */
	if (e != OK && str_starts(w->text, place))
		memmove(w->text, w->text + strlen(place), strlen(w->text) + 1 - strlen(place));
	return e;
}

static enum err read_asked(struct http_req *req, struct pool *p, json_t *body, struct track *t,
                           struct why *w)
{
	struct asked in = {.every_s = EVERY_S, .threshold = NAN};
	char *config;
	enum err e = json_decode(body, "", fields, &in, w);

	if (e == OK)
		e = check_names(&in, w);
	if (e != OK)
		return e;
	config = in.config ? json_dumps(in.config, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS)
	                   : NULL;
	*t = (struct track){.tree = pool_str(p, in.tree),
	                    .branch = pool_str(p, in.branch),
	                    .every_ms = in.every_s * 1000,
	                    .mode = modes[in.mode],
	                    .request = request_of(p, &in),
	                    .config = pool_str(p, config ? config : "null"),
	                    .toolchain = pool_str(p, in.toolchain),
	                    .release = pool_str(p, in.release),
	                    .submitter = pool_str(p, api_who(req)),
	                    .admin = req->role == ROLE_ADMIN,
	                    .created_ms = clock_wall_ms()};
	free(config);
	return try_it(req, p, t, w);
}

static enum err make(struct db *db, void *arg, struct why *w)
{
	struct track *t = arg;
	int64_t other;
	enum err e = store_track_same(db, t, &other, w);

	if (e == OK && other != NONE)
		e = err_set(w, ERR_CONFLICT, "track %lld of yours follows \"%s\" of that tree",
		            (long long)other, t->branch);
	return e == OK ? store_track_add(db, t, &t->id, w) : e;
}

enum err track_make(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	struct track t;
	json_t *body = NULL;
	enum err e = http_json(req, &body, w);

	if (e == OK)
		e = read_asked(req, p, body, &t, w);
	if (e == OK)
		e = db_write(req->srv->store, make, &t, w);
	if (e == OK) {
		log_info("track.made", "track", log_i(t.id), "by", t.submitter, "branch", t.branch,
		         NULL);
		work_poke(req->srv);
		r->status = 201;
		e = answer(req, t.id, INT64_MAX, 1, r, w);
	}
	json_decref(body);
	pool_free(p);
	return e;
}

/* ---- pause, resume, end, look */

struct changing {
	int64_t track, now_ms;
	enum { PAUSE, RESUME, END, LOOK } what;
	const char *why, *until, *by;
	int64_t until_ms;
};

static const char *const done[] = {"track.paused", "track.resumed", "track.ended", "track.look"};

static enum err may(const struct changing *c, const struct track *t, struct why *w)
{
	bool paused = str_eq(t->state, "paused");

	if (str_eq(t->state, "ended"))
		return err_set(w, ERR_CONFLICT, "track %lld has ended", (long long)t->id);
	if (c->what == RESUME && !paused)
		return err_set(w, ERR_CONFLICT, "track %lld is not paused", (long long)t->id);
	if (c->what == LOOK && paused)
		return err_set(w, ERR_CONFLICT, "track %lld is paused: resume it first",
		               (long long)t->id);
	return OK;
}

static enum err change(struct db *db, void *arg, struct why *w)
{
	const struct changing *c = arg;
	struct pool *p = pool_new();
	struct track t;
	enum err e = store_track_get(db, c->track, p, &t, w);

	if (e == OK)
		e = may(c, &t, w);
	if (e == OK && c->what != LOOK) {
		t.state = c->what == PAUSE ? "paused" : c->what == RESUME ? "active" : "ended";
		t.stop_why = c->why;
		t.stop_by = c->what == RESUME ? NULL : c->by;
		t.until_ms = c->until_ms;
		t.changed_ms = c->now_ms;
	}
	/* What it waits for comes to nobody. */
	if (e == OK && (c->what == PAUSE || c->what == END) && t.walk != NONE) {
		e = walk_cancel(db, t.walk,
		                c->what == PAUSE ? "the track was paused" : "the track has ended",
		                c->now_ms, w);
		t.walk = NONE;
	}
	if (e == OK && c->what == PAUSE)
		e = alerts_declared(db, &t, c->now_ms, w);
	if (c->what == RESUME || c->what == LOOK)
		t.next_ms = c->now_ms;
	t.wake_ms = c->now_ms;
	if (e == OK)
		e = c->what == END ? tracks_end(db, &t, c->now_ms, w) : store_track_save(db, &t, w);
	pool_free(p);
	return e;
}

static const struct json_field pause_fields[] = {
        {"why", JSON_STR, offsetof(struct changing, why), JSON_MUST | JSON_TEXT, 1, WHY_MAX, NULL},
        {"until", JSON_STR, offsetof(struct changing, until), JSON_NULLOK, 1, 32, NULL},
        {0},
};

static const struct json_field end_fields[] = {
        {"why", JSON_STR, offsetof(struct changing, why), JSON_MUST | JSON_TEXT, 1, WHY_MAX, NULL},
        {0},
};

static enum err change_track(struct http_req *req, struct http_resp *r, int what,
                             const struct json_field *fields_of, struct why *w)
{
	struct changing c = {.track = req->id,
	                     .what = what,
	                     .by = api_who(req),
	                     .now_ms = clock_wall_ms(),
	                     .until_ms = NONE};
	json_t *body = NULL;
	enum err e = fields_of ? http_json(req, &body, w) : OK;

	if (e == OK && fields_of)
		e = json_decode(body, "", fields_of, &c, w);
	if (e == OK && c.why)
		e = api_reason("why", c.why, w);
	if (e == OK && c.until)
		e = api_until(c.until, c.now_ms, "end the track, and add it again", &c.until_ms, w);
	if (e == OK)
		e = db_write(req->srv->store, change, &c, w);
	if (e == OK) {
		notify_poke(req->srv);
		log_info(done[c.what], "track", log_i(c.track), "by", c.by, NULL);
		work_poke(req->srv);
		e = answer(req, c.track, INT64_MAX, 1, r, w);
	}
	json_decref(body);
	return e;
}

enum err track_pause(struct http_req *req, struct http_resp *r, struct why *w)
{
	return change_track(req, r, PAUSE, pause_fields, w);
}

enum err track_resume(struct http_req *req, struct http_resp *r, struct why *w)
{
	return change_track(req, r, RESUME, NULL, w);
}

enum err track_end(struct http_req *req, struct http_resp *r, struct why *w)
{
	return change_track(req, r, END, end_fields, w);
}

enum err track_look(struct http_req *req, struct http_resp *r, struct why *w)
{
	return change_track(req, r, LOOK, NULL, w);
}
