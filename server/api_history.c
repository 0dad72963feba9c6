/* api_history.c - histories of a track: which there are, and one. */
#include "server/api_util.h"
#include "server/history_view.h"
#include "server/store_board.h"
#include "server/store_release.h"

#include <math.h>
#include <string.h>

/* ---- the list */

static json_t *change_json(const struct change_shown *c, double scale)
{
	json_t *o = json_object();

	json_put_int(o, "position", c->x.position);
	json_put_str(o, "commit", c->commit);
	json_put_str(o, "subject", c->subject);
	json_put_int(o, "submission", c->submission);
	json_put_str(o, "class", c->x.class);
	json_put_real(o, "before", c->x.before * scale);
	json_put_real(o, "after", c->x.after * scale);
	json_put_real(o, "change", c->x.change);
	json_put_real(o, "low", c->x.low);
	json_put_real(o, "high", c->x.high);
	json_put_real(o, "score", c->x.score);
	return o;
}

static enum err is_emulated(struct db *db, struct pool *p, const char *board, bool *out,
                            struct why *w)
{
	struct board b = {0};
	enum err e = store_board_get(db, board, p, &b, w);

	*out = b.emulated;
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err listed(struct db *db, struct pool *p, const struct history *h, json_t **out,
                       struct why *w)
{
	struct history_showns last = {0};
	struct change_showns changes = {0};
	bool emulated = false;
	json_t *o, *x;
	enum err e = store_history_read(db, h->id, 0, INT64_MAX, 1, p, &last, w);

	if (e == OK)
		e = store_history_changed(db, h->id, 0, INT64_MAX, false, 1, p, &changes, w);
	if (e == OK)
		e = is_emulated(db, p, h->key.board, &emulated, w);
	if (e != OK)
		return e;
	o = json_object();
	json_put_str(o, "board", h->key.board);
	json_put_str(o, "env", h->key.env_id);
	json_put_str(o, "config", h->config_name);
	json_put_str(o, "case", h->key.case_text);
	json_put_str(o, "metric", h->key.metric);
	json_put_str(o, "unit", h->unit);
	json_put_bool(o, "deterministic", h->deterministic);
	json_put_bool(o, "emulated", emulated);
	json_put_int(o, "points", h->points);
	json_put_str(o, "class", h->class);
	x = json_null();
	if (last.count) {
		x = json_object();
		json_put_int(x, "position", last.at[0].x.position);
		json_put_str(x, "commit", last.at[0].commit);
		json_put_str(x, "subject", last.at[0].subject);
		json_put_real(x, "value", last.at[0].x.c.value);
	}
	json_put(o, "last", x);
	json_put(o, "change", changes.count ? change_json(&changes.at[0], 1) : json_null());
	*out = o;
	return OK;
}

static json_t *release_json(const struct release *r)
{
	json_t *o = json_object();

	json_put_str(o, "release", r->release);
	json_put_int(o, "position", r->position);
	json_put_int(o, "submission", r->submission);
	return o;
}

enum err histories_list(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	struct pool *p = pool_new();
	struct history_filter f = {.track = req->id};
	struct histories list = {0};
	struct release held = {0};
	bool found = false;
	const char *tree, *branch;
	json_t *a = json_array(), *o;
	size_t i;
	enum err e = db_snapshot(db, w);

	if (e == OK) {
		e = store_track_branch(db, req->id, p, &tree, &branch, w);
		if (e == OK)
			e = store_history_list(db, &f, p, &list, w);
		for (i = 0; e == OK && i < list.count; i++) {
			e = listed(db, p, &list.at[i], &o, w);
			if (e == OK)
				json_array_append_new(a, o);
		}
		if (e == OK)
			e = store_release_newest(db, req->id, p, &held, &found, w);
		db_snapshot_end(db);
	}
	if (e == OK) {
		r->json = json_object();
		json_put(r->json, "histories", json_incref(a));
		json_put(r->json, "release", found ? release_json(&held) : json_null());
	}
	json_decref(a);
	pool_free(p);
	return e;
}

/* ---- one */

static double scale_of(const struct segment *s)
{
	return isnan(s->scale) ? 1 : s->scale;
}

static json_t *segment_json(const struct segment *s)
{
	json_t *o = json_object();

	json_put_str(o, "env", s->h.key.env_id);
	json_put_int(o, "first", s->first);
	json_put_int(o, "last", s->last);
	json_put_int(o, "points", s->points);
	json_put_str(o, "class", s->h.class);
	json_put_real(o, "level", s->h.level * scale_of(s));
	json_put_real(o, "scale", s->scale);
	return o;
}

static json_t *point_json(const struct history_shown *x, size_t segment, double scale)
{
	const struct history_cell *c = &x->x.c;
	json_t *o = json_object();

	json_put_int(o, "segment", (int64_t)segment);
	json_put_int(o, "position", x->x.position);
	json_put_str(o, "commit", x->commit);
	json_put_str(o, "subject", x->subject);
	json_put_str(o, "kind", x->kind);
	json_put_bool(o, "rebased", x->rebased);
	json_put(o, "seen", show_time(x->seen_ms));
	json_put_real(o, "value", c->value);
	json_put_real(o, "shown", c->value * scale);
	json_put_real(o, "std_rel", c->spread);
	json_put_int(o, "boots", c->boots);
	json_put_bool(o, "carried", c->carried);
	json_put_int(o, "submission", c->submission);
	return o;
}

static json_t *bucket_json(const struct history_bucket *b, size_t segment, double scale)
{
	json_t *o = json_object();

	json_put_int(o, "segment", (int64_t)segment);
	json_put_int(o, "from", b->from);
	json_put_int(o, "until", b->until);
	json_put_int(o, "points", b->n);
	json_put_real(o, "min", b->min * scale);
	json_put_real(o, "mean", b->mean * scale);
	json_put_real(o, "max", b->max * scale);
	return o;
}

static json_t *fault_json(const struct history_fault *f)
{
	json_t *o = json_object();

	json_put_int(o, "position", f->position);
	json_put_str(o, "commit", f->commit);
	json_put_str(o, "subject", f->subject);
	json_put_int(o, "submission", f->submission);
	json_put_int(o, "boot", f->boot);
	json_put_str(o, "why", f->why);
	json_put_str(o, "signature", f->signature);
	return o;
}

/* Oldest first, as all in it. */
static void put_segments(json_t *o, const struct history_view *v)
{
	json_t *segments = json_array(), *points = json_array(), *buckets = json_array();
	json_t *changes = json_array(), *faults = json_array(), *x;

	for (size_t i = 0; i < v->count; i++) {
		const struct segment *s = &v->at[i];
		double scale = scale_of(s);

		json_array_append_new(segments, segment_json(s));
		for (size_t k = 0; k < s->shown.count; k++)
			json_array_append_new(points, point_json(&s->shown.at[k], i, scale));
		for (size_t k = 0; k < s->buckets; k++)
			json_array_append_new(buckets, bucket_json(&s->bucket[k], i, scale));
		for (size_t k = s->changes.count; k-- > 0;) {
			x = change_json(&s->changes.at[k], scale);
			json_put_int(x, "segment", (int64_t)i);
			json_array_append_new(changes, x);
		}
	}
	for (size_t i = v->faults.count; i-- > 0;)
		json_array_append_new(faults, fault_json(&v->faults.at[i]));
	json_put(o, "segments", segments);
	json_put(o, "points", points);
	json_put(o, "buckets", buckets);
	json_put(o, "changes", changes);
	json_put(o, "faults", faults);
}

static enum err asked(const struct http_req *req, char canon[CASE_TEXT], struct history_asked *a,
                      struct why *w)
{
	enum err e = api_case(req, canon, w);

	a->f = (struct history_filter){.track = req->id,
	                               .board = http_query(req, "board"),
	                               .case_text = canon,
	                               .metric = http_query(req, "metric"),
	                               .config_name = http_query(req, "config"),
	                               .env_id = http_query(req, "env")};
	if (e == OK)
		e = http_query_int(req, "from", 0, INT64_MAX, 0, &a->from, w);
	if (e == OK)
		e = http_query_int(req, "until", 0, INT64_MAX, INT64_MAX, &a->until, w);
	if (e == OK)
		e = http_query_int(req, "buckets", 1, HISTORY_POINTS_MAX, NONE, &a->buckets, w);
	if (e == OK && a->from > a->until)
		e = err_set(w, ERR_INPUT, "from: %lld lies behind until, which is %lld",
		            (long long)a->from, (long long)a->until);
	return e;
}

enum err history_get(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	struct pool *p = pool_new();
	struct history_asked a;
	struct history_view v = {0};
	struct history first = {0};
	struct histories line = {0};
	const char *tree = NULL, *branch = NULL;
	char canon[CASE_TEXT];
	bool emulated = false;
	enum err e = asked(req, canon, &a, w);

	if (e == OK)
		e = db_snapshot(db, w);
	if (e == OK) {
		e = store_track_branch(db, req->id, p, &tree, &branch, w);
		if (e == OK)
			e = history_view(db, &a, p, &v, w);
		if (e == OK)
			e = store_history_list(db, &a.f, p, &line, w);
		if (e == OK && line.count) {
			first = line.at[line.count - 1];
			e = is_emulated(db, p, first.key.board, &emulated, w);
		}
		db_snapshot_end(db);
	}
	if (e == OK) {
		r->json = json_object();
		json_put_int(r->json, "track", req->id);
		json_put_str(r->json, "tree", tree);
		json_put_str(r->json, "branch", branch);
		json_put_str(r->json, "board", first.key.board);
		json_put_str(r->json, "config", first.config_name);
		json_put_str(r->json, "case", canon);
		json_put_str(r->json, "metric", first.key.metric);
		json_put_str(r->json, "unit", first.unit);
		json_put_bool(r->json, "deterministic", first.deterministic);
		json_put_bool(r->json, "emulated", emulated);
		json_put_bool(r->json, "more_is_better", first.more_is_better);
		json_put_int(r->json, "total", v.points);
		json_put_bool(r->json, "bucketed", v.bucketed);
		put_segments(r->json, &v);
	}
	pool_free(p);
	return e;
}
