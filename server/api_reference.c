/* api_reference.c - the pinned kernel that boards boot every night. */
#include "server/api_util.h"
#include "server/reference.h"
#include "server/work.h"

#include "lib/log.h"

#include <stdlib.h>
#include <string.h>

#define HOUR 2 /* UTC, unless asked otherwise */

static json_t *reference_json(const struct reference *r)
{
	json_t *o = json_object();

	json_put_int(o, "id", r->id);
	json_put_str(o, "board", r->board);
	json_put(o, "kernel", json_loads(r->kernel, 0, NULL));
	json_put(o, "cases", json_loads(r->cases, 0, NULL));
	json_put_int(o, "hour", r->hour);
	json_put_str(o, "by", r->by);
	json_put(o, "at", show_time(r->at_ms));
	json_put(o, "ended", show_time(r->ended_ms));
	json_put_str(o, "ended_by", r->ended_by);
	return o;
}

enum err api_reference_board(struct db *db, struct pool *p, const char *board, json_t **out,
                             struct why *w)
{
	struct reference_state s;
	json_t *o;
	enum err e = reference_state(db, board, clock_wall_ms(), p, &s, w);

	*out = NULL;
	if (e != OK)
		return e;
	if (s.reference == NONE) {
		*out = json_null();
		return OK;
	}
	*out = o = json_object();
	json_put_str(o, "board", board);
	json_put_int(o, "reference", s.reference);
	json_put(o, "last", show_time(s.last_ms));
	show_int(o, "submission", s.submission);
	json_put_str(o, "state", s.state);
	json_put_int(o, "missed", s.missed);
	json_put_str(o, "why", s.why);
	return OK;
}

enum err reference_list(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	struct pool *p = pool_new();
	struct references refs = {0};
	struct board_list boards = {0};
	json_t *a = json_array(), *b = json_array(), *o = NULL;
	size_t i;
	enum err e = store_reference_list(db, p, &refs, w);

	if (e == OK)
		e = store_board_list(db, NULL, p, &boards, w);
	for (i = 0; e == OK && i < refs.count; i++)
		json_array_append_new(a, reference_json(&refs.at[i]));
	for (i = 0; e == OK && i < boards.count; i++) {
		e = api_reference_board(db, p, boards.at[i].name, &o, w);
		if (json_is_object(o))
			json_array_append_new(b, o);
	}
	if (e == OK) {
		r->json = json_object();
		json_put(r->json, "references", json_incref(a));
		json_put(r->json, "boards", json_incref(b));
	}
	json_decref(a);
	json_decref(b);
	pool_free(p);
	return e;
}

struct setting {
	struct reference r;
	json_t *kernel, *cases;
	int64_t id;
};

static const struct json_field fields[] = {
        {"board", JSON_STR, offsetof(struct setting, r.board), JSON_NULLOK, 1, 64, NULL},
        {"kernel", JSON_OBJ, offsetof(struct setting, kernel), JSON_MUST, 0, 0, NULL},
        {"cases", JSON_ARR, offsetof(struct setting, cases), JSON_MUST, 1, 1000, NULL},
        {"hour", JSON_INT, offsetof(struct setting, r.hour), JSON_NULLOK, 0, 23, NULL},
        {0},
};

static enum err set(struct db *db, void *arg, struct why *w)
{
	struct setting *s = arg;

	return store_reference_set(db, &s->r, &s->id, w);
}

enum err reference_set(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct setting s = {.r = {.hour = HOUR,
	                          .by = api_who(req),
	                          .at_ms = clock_wall_ms(),
	                          .ended_ms = NONE}};
	char *kernel = NULL, *cases = NULL;
	json_t *body = NULL;
	enum err e = http_json(req, &body, w);

	if (e == OK)
		e = json_decode(body, "", fields, &s, w);
	if (e == OK) {
		s.r.kernel = kernel = json_canonical(s.kernel);
		s.r.cases = cases = json_canonical(s.cases);
		e = reference_check(req->srv, &s.r, s.r.by, w);
	}
	if (e == OK)
		e = db_write(req->srv->store, set, &s, w);
	if (e == OK) {
		s.r.id = s.id;
		log_info("reference.set", "id", log_i(s.id), "by", s.r.by, NULL);
		work_poke(req->srv);
		r->json = reference_json(&s.r);
	}
	free(kernel);
	free(cases);
	json_decref(body);
	return e;
}

struct ending {
	struct pool *p;
	const char *board, *by;
	int64_t now_ms;
	struct reference out;
};

static enum err end(struct db *db, void *arg, struct why *w)
{
	struct ending *x = arg;

	return store_reference_end(db, x->board, x->by, x->now_ms, x->p, &x->out, w);
}

enum err reference_end(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct ending x = {.p = pool_new(),
	                   .board = http_query(req, "board"),
	                   .by = api_who(req),
	                   .now_ms = clock_wall_ms()};
	enum err e = db_write(req->srv->store, end, &x, w);

	if (e == OK) {
		log_info("reference.ended", "id", log_i(x.out.id), "by", x.by, NULL);
		r->json = reference_json(&x.out);
	}
	pool_free(x.p);
	return e;
}
