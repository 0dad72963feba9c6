/* api_bisect.c - an alert measured again, and the search for its commit. */
#include "server/alert_work.h"
#include "server/api_util.h"
#include "server/bisections.h"
#include "server/notify.h"
#include "server/remeasure.h"
#include "server/show_bisection.h"
#include "server/work.h"

#include "lib/log.h"

#define WHY_MAX 2000

struct asking {
	struct server *srv;
	int64_t alert, now_ms;
	const char *by, *why;
};

static const struct json_field why_fields[] = {
        {"why", JSON_STR, offsetof(struct asking, why), JSON_NULLOK | JSON_TEXT, 1, WHY_MAX, NULL},
        {0},
};

/* A body is not needed. */
static enum err read(struct http_req *req, struct asking *x, json_t **body, struct why *w)
{
	enum err e = OK;

	*x = (struct asking){
	        .srv = req->srv, .alert = req->id, .by = api_who(req), .now_ms = clock_wall_ms()};
	if (req->body_len)
		e = http_json(req, body, w);
	if (e == OK && *body)
		e = json_decode(*body, "", why_fields, x, w);
	if (e == OK && x->why)
		e = api_reason("why", x->why, w);
	return e;
}

static enum err remeasure(struct db *db, void *arg, struct why *w)
{
	const struct asking *x = arg;

	return remeasure_begin(x->srv, db, x->alert, x->by, x->why ? x->why : "on request",
	                       x->now_ms, w);
}

enum err alert_remeasure(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct asking x;
	json_t *body = NULL;
	enum err e = read(req, &x, &body, w);

	if (e == OK)
		e = db_write(req->srv->store, remeasure, &x, w);
	if (e == OK) {
		log_info("alert.remeasure", "alert", log_i(x.alert), "by", x.by, NULL);
		notify_poke(req->srv);
		e = alert_get(req, r, w);
	}
	json_decref(body);
	return e;
}

static enum err answer(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	struct pool *p = pool_new();
	struct bisection b = {0};
	struct alert a = {0};
	enum err e = db_snapshot(db, w);

	if (e == OK) {
		e = store_alert_get(db, req->id, p, &a, w);
		if (e == OK)
			e = store_bisect_of_alert(db, req->id, p, &b, w);
		if (e == OK && !b.id)
			e = err_set(w, ERR_NOT_FOUND, "alert %lld was never bisected",
			            (long long)req->id);
		if (e == OK)
			e = store_bisect_load(db, &b, p, w);
		if (e == OK)
			e = show_bisection(db, p, &b, &r->json, w);
		db_snapshot_end(db);
	}
	pool_free(p);
	return e;
}

enum err bisection_get(struct http_req *req, struct http_resp *r, struct why *w)
{
	return answer(req, r, w);
}

static enum err begin(struct db *db, void *arg, struct why *w)
{
	const struct asking *x = arg;

	return bisections_begin(x->srv, db, x->alert, x->by, x->why, x->now_ms, w);
}

enum err bisection_begin(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct asking x;
	json_t *body = NULL;
	enum err e = read(req, &x, &body, w);

	if (e == OK)
		e = db_write(req->srv->store, begin, &x, w);
	if (e == OK) {
		log_info("bisection.begin", "alert", log_i(x.alert), "by", x.by, NULL);
		work_poke(req->srv);
		r->status = 201;
		e = answer(req, r, w);
	}
	json_decref(body);
	return e;
}

static enum err stop(struct db *db, void *arg, struct why *w)
{
	const struct asking *x = arg;
	struct pool *p = pool_new();
	struct bisection b = {0};
	struct alert a;
	enum err e = store_alert_get(db, x->alert, p, &a, w);

	if (e == OK)
		e = store_bisect_of_alert(db, x->alert, p, &b, w);
	if (e == OK && !b.id)
		e = err_set(w, ERR_NOT_FOUND, "alert %lld was never bisected", (long long)x->alert);
	else if (e == OK && b.ended_ms != NONE)
		e = err_set(w, ERR_CONFLICT, "the bisection of alert %lld is %s already",
		            (long long)x->alert, b.state);
	if (e == OK)
		e = bisections_stop(db, x->alert, "on request", x->by, x->now_ms, w);
	pool_free(p);
	return e;
}

enum err bisection_cancel(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct asking x = {
	        .srv = req->srv, .alert = req->id, .by = api_who(req), .now_ms = clock_wall_ms()};
	enum err e = db_write(req->srv->store, stop, &x, w);

	if (e == OK)
		log_info("bisection.cancel", "alert", log_i(x.alert), "by", x.by, NULL);
	return e == OK ? answer(req, r, w) : e;
}
