/* api_faults.c - faults that boots showed, and those that are known. */
#include "server/api_util.h"
#include "server/store_fault.h"
#include "server/work.h"

#include "lib/log.h"
#include "lib/place.h"

#include <stdlib.h>
#include <string.h>

#define SEEN_MAX 200

/* ---- showing */

static json_t *known_json(const struct known_fault *k, int64_t now_ms)
{
	json_t *o = json_object();

	json_put_int(o, "id", k->id);
	json_put_str(o, "signature", k->signature);
	json_put_str(o, "board", k->board);
	json_put_str(o, "branch", k->branch);
	json_put_str(o, "why", k->why);
	show_period(o,
	            &(struct period){.until_ms = k->until_ms,
	                             .at_ms = k->at_ms,
	                             .ended_ms = k->ended_ms,
	                             .by = k->by,
	                             .ended_by = k->ended_by},
	            "known", now_ms);
	return o;
}

static json_t *seen_json(const struct seen_fault *s)
{
	json_t *o = json_object();

	json_put_str(o, "signature", s->signature);
	json_put_str(o, "place", s->place);
	json_put_str(o, "never", s->never);
	json_put_int(o, "boots", s->boots);
	json_put_int(o, "last_boot", s->last_boot);
	json_put_str(o, "board", s->board);
	return o;
}

enum err faults_list(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	struct pool *p = pool_new();
	struct known_faults known = {0};
	struct seen_faults seen = {0};
	json_t *k, *s;
	int64_t now = clock_wall_ms();
	size_t i;
	enum err e = store_known_list(db, NULL, p, &known, w);

	if (e == OK)
		e = store_place_seen(db, SEEN_MAX, p, &seen, w);
	if (e == OK) {
		k = json_array();
		s = json_array();
		for (i = 0; i < known.count; i++)
			json_array_append_new(k, known_json(&known.at[i], now));
		for (i = 0; i < seen.count; i++)
			json_array_append_new(s, seen_json(&seen.at[i]));
		r->json = json_object();
		json_put(r->json, "known", k);
		json_put(r->json, "seen", s);
	}
	pool_free(p);
	return e;
}

static enum err known_answer(struct http_req *req, int64_t id, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	struct known_fault k;
	enum err e = store_known_get(db_reader(req->srv->store), id, p, &k, w);

	if (e == OK)
		r->json = known_json(&k, clock_wall_ms());
	pool_free(p);
	return e;
}

/* ---- listing */

struct listing {
	struct known_fault k;
	const char *until;
	struct pool *pool;
	int64_t id;
};

static const struct json_field listing_fields[] = {
        {"signature", JSON_STR, offsetof(struct listing, k.signature), JSON_MUST, 1,
         PLACE_SIGNATURE_MAX, NULL},
        {"why", JSON_STR, offsetof(struct listing, k.why), JSON_MUST, 1, 500, NULL},
        {"until", JSON_STR, offsetof(struct listing, until), JSON_MUST, 1, 32, NULL},
        {"board", JSON_STR, offsetof(struct listing, k.board), JSON_NULLOK, 1, 64, NULL},
        {"branch", JSON_STR, offsetof(struct listing, k.branch), JSON_NULLOK, 1, 1024, NULL},
        {0},
};

static enum err add_listing(struct db *db, void *arg, struct why *w)
{
	struct listing *l = arg;
	const char *never = NULL;
	/* What boots showed of it may say more than its words do. */
	enum err e = store_place_never(db, l->k.signature, l->pool, &never, w);

	if (e == OK && never)
		return err_set(w, ERR_UNPROCESSABLE, "signature: \"%s\": %s", l->k.signature,
		               never);
	return e == OK ? store_known_add(db, &l->k, &l->id, w) : e;
}

enum err fault_known(struct http_req *req, struct http_resp *r, struct why *w)
{
	int64_t now = clock_wall_ms();
	struct listing l = {.k = {.by = api_who(req), .at_ms = now}, .pool = pool_new()};
	json_t *body = NULL;
	const char *never;
	enum err e = http_json(req, &body, w);

	if (e == OK)
		e = json_decode(body, "", listing_fields, &l, w);
	if (e == OK)
		e = api_reason("why", l.k.why, w);
	if (e == OK) {
		never = place_never(l.k.signature);
		if (never)
			e = err_set(w, ERR_UNPROCESSABLE, "signature: \"%s\": %s", l.k.signature,
			            never);
	}
	if (e == OK)
		e = api_until(l.until, now, "a known fault is looked at again by then",
		              &l.k.until_ms, w);
	if (e == OK)
		e = db_write(req->srv->store, add_listing, &l, w);
	if (e == OK) {
		log_info("fault.known", "signature", l.k.signature, "by", l.k.by, NULL);
		work_poke(req->srv);
		r->status = 201;
		e = known_answer(req, l.id, r, w);
	}
	json_decref(body);
	pool_free(l.pool);
	return e;
}

/* ---- ending */

struct ending {
	int64_t id, now_ms;
	const char *by;
};

static enum err end(struct db *db, void *arg, struct why *w)
{
	const struct ending *x = arg;

	return store_known_end(db, x->id, x->by, x->now_ms, w);
}

enum err fault_end(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct ending x = {.id = req->id, .now_ms = clock_wall_ms(), .by = api_who(req)};
	enum err e = db_write(req->srv->store, end, &x, w);

	if (e != OK)
		return e;
	log_info("fault.ended", "known", log_i(x.id), "by", x.by, NULL);
	work_poke(req->srv);
	return known_answer(req, x.id, r, w);
}
