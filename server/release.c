/* release.c - asks for tips to be compared with the release. */
#include "server/release.h"

#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "server/submit.h"
#include "server/work.h"

#include <stdlib.h>
#include <string.h>

struct asking {
	struct server *srv;
	struct release *r;
	json_t *body;
	int64_t now_ms;
};

static json_t *kernel_of(const struct release *r, const char *name, const char *ref)
{
	json_t *o = json_object();

	json_put_str(o, "name", name);
	json_put_str(o, "tree", r->tree);
	json_put_str(o, "ref", ref);
	json_put(o, "config", json_loads(r->config, JSON_DECODE_ANY, NULL));
	json_put_str(o, "toolchain", r->toolchain);
	return o;
}

/* The track's request, on the boards that the point's own submission had. */
static json_t *body_of(const struct release *r, const struct texts *boards)
{
	bool good = kernel_name_is_good(r->release);
	json_t *o = json_loads(r->request, 0, NULL), *kernels = json_array(), *list = json_array();
	char *title = xasprintf("%.12s against %.150s", r->commit, r->release);
	char *tip = xasprintf("%.12s", r->commit);

	if (!o)
		o = json_object();
	if (good && str_eq(tip, r->release))
		good = false;
	json_array_append_new(kernels, kernel_of(r, good ? r->release : "release", r->release));
	json_array_append_new(kernels, kernel_of(r, tip, r->commit));
	for (size_t i = 0; i < boards->count; i++)
		json_array_append_new(list, json_string(boards->at[i]));
	json_put_str(o, "title", title);
	json_put(o, "kernels", kernels);
	json_put(o, "boards", list);
	json_put_bool(o, "reuse", true);
	json_object_del(o, "baseline");
	free(title);
	free(tip);
	return o;
}

static enum err ask(struct db *db, void *arg, struct why *w)
{
	struct asking *a = arg;
	/* Its own submission was let onto these boards with the same tree. */
	struct submitter who = {
	        .srv = a->srv, .db = db, .label = a->r->submitter, .admin = true};
	enum err e = submit_own(&who, a->body, &a->r->submission, w);

	return e == OK ? store_release_put(db, a->r, a->now_ms, w) : e;
}

static enum err put_why(struct db *db, void *arg, struct why *w)
{
	const struct asking *a = arg;

	return store_release_put(db, a->r, a->now_ms, w);
}

static enum err one(struct server *srv, struct release *r, int64_t now_ms, struct pool *p,
                    struct why *w)
{
	struct asking a = {.srv = srv, .r = r, .now_ms = now_ms};
	struct texts boards = {0};
	enum err e = store_sub_boards(db_reader(srv->store), r->own, p, &boards, w);

	if (e != OK)
		return e;
	a.body = body_of(r, &boards);
	e = db_write(srv->store, ask, &a, w);
	if (e == OK) {
		work_poke(srv);
		log_info("release.asked", "track", log_i(r->track), "submission",
		         log_i(r->submission), NULL);
	} else if (e == ERR_INPUT || e == ERR_UNPROCESSABLE || e == ERR_DENIED ||
	           e == ERR_NOT_FOUND) {
		r->submission = NONE;
		r->why = pool_str(p, w->text);
		e = db_write(srv->store, put_why, &a, w);
	}
	json_decref(a.body);
	return e;
}

void release_look(struct server *srv, int64_t now_ms)
{
	struct pool *p = pool_new();
	struct releases due = {0};
	struct why w;
	enum err e = store_release_due(db_reader(srv->store), p, &due, &w);

	if (e != OK)
		log_error("release.look", "why", w.text, NULL);
	for (size_t i = 0; e == OK && i < due.count; i++)
		if (one(srv, &due.at[i], now_ms, p, &w) != OK)
			log_error("release.ask", "track", log_i(due.at[i].track), "why", w.text,
			          NULL);
	pool_free(p);
}
