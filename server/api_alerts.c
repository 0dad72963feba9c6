/* api_alerts.c - alerts, what people say of them, and marks. */
#include "server/alerts.h"
#include "server/api_util.h"
#include "server/notify.h"
#include "server/show_alert.h"
#include "server/show_bisection.h"

#include "lib/log.h"

#include <stdlib.h>
#include <string.h>

#define WHY_MAX   2000
#define MARKS_MAX 500

static const char *const states[] = {"open",           "new",          "confirmed",
                                     "not_reproduced", "fixed",        "dismissed",
                                     "recovered",      "acknowledged", NULL};
static const char *const kinds[] = {"slower", "fault", "missing", NULL};
static const char *const marks[] = {"missed", "wrong", NULL};

/* ---- showing */

static enum err query_word(const struct http_req *req, const char *key, const char *const *words,
                           const char **out, struct why *w)
{
	char all[400];

	*out = http_query(req, key);
	if (!*out)
		return OK;
	for (size_t i = 0; words[i]; i++)
		if (str_eq(words[i], *out))
			return OK;
	json_words(words, "", all, sizeof(all));
	return err_set(w, ERR_INPUT, "%s: expected %s", key, all);
}

enum err alerts_filter(const struct http_req *req, struct alert_filter *f, struct why *w)
{
	enum err e = api_page(req, &f->limit, &f->before, w);

	if (e == OK)
		e = query_word(req, "state", states, &f->state, w);
	if (e == OK)
		e = query_word(req, "kind", kinds, &f->kind, w);
	f->board = http_query(req, "board");
	return e;
}

enum err alerts_list(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	struct pool *p = pool_new();
	struct alert_filter f = {0};
	struct alerts list = {0};
	json_t *out = json_array();
	size_t i;
	enum err e = alerts_filter(req, &f, w);

	if (e == OK)
		e = store_alert_list(db, &f, p, &list, w);
	for (i = 0; e == OK && i < list.count; i++) {
		struct alert_cells cells = {0};

		e = store_alert_cells(db, list.at[i].id, p, &cells, w);
		if (e == OK)
			json_array_append_new(out, show_alert(&list.at[i], &cells));
	}
	if (e == OK)
		r->json = api_list("alerts", json_incref(out), f.limit,
		                   list.count ? list.at[list.count - 1].id : 0);
	json_decref(out);
	pool_free(p);
	return e;
}

static enum err answer(struct http_req *req, int64_t id, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	struct pool *p = pool_new();
	struct alert a = {0};
	struct alert_cells cells = {0};
	struct alert_steps steps = {0};
	struct alert_marks said = {0};
	struct letters letters = {0};
	struct alert_works works = {0};
	json_t *bisection = NULL;
	enum err e = db_snapshot(db, w);

	if (e == OK) {
		e = store_alert_get(db, id, p, &a, w);
		if (e == OK)
			e = store_alert_cells(db, id, p, &cells, w);
		if (e == OK)
			e = store_alert_steps(db, id, p, &steps, w);
		if (e == OK)
			e = store_mark_list(db, id, INT64_MAX, MARKS_MAX, p, &said, w);
		if (e == OK)
			e = store_outbox_of(db, id, p, &letters, w);
		if (e == OK)
			e = store_work_of_alert(db, id, p, &works, w);
		if (e == OK)
			e = show_bisection_of(db, p, id, NONE, &bisection, w);
		db_snapshot_end(db);
	}
	if (e == OK) {
		r->json = show_alert(&a, &cells);
		json_put(r->json, "steps", show_alert_steps(&steps));
		json_put(r->json, "marks", show_alert_marks(&said));
		json_put(r->json, "told", show_letters(&letters));
		json_put(r->json, "work", show_works(&works));
		json_put(r->json, "bisection", json_incref(bisection));
	}
	json_decref(bisection);
	pool_free(p);
	return e;
}

enum err alert_get(struct http_req *req, struct http_resp *r, struct why *w)
{
	return answer(req, req->id, r, w);
}

/* ---- steps */

struct person {
	int64_t alert, now_ms;
	const char *to, *why, *by;
};

static const struct json_field why_fields[] = {
        {"why", JSON_STR, offsetof(struct person, why), JSON_MUST | JSON_TEXT, 1, WHY_MAX, NULL},
        {0},
};

static enum err step(struct db *db, void *arg, struct why *w)
{
	const struct person *s = arg;

	return alerts_person(db, s->alert, s->to, s->why, s->by, s->now_ms, w);
}

static enum err person(struct http_req *req, const char *to, struct http_resp *r, struct why *w)
{
	struct person s = {
	        .alert = req->id, .to = to, .by = api_who(req), .now_ms = clock_wall_ms()};
	json_t *body = NULL;
	enum err e = http_json(req, &body, w);

	if (e == OK)
		e = json_decode(body, "", why_fields, &s, w);
	if (e == OK)
		e = api_reason("why", s.why, w);
	if (e == OK)
		e = db_write(req->srv->store, step, &s, w);
	if (e == OK) {
		log_info("alert.step", "alert", log_i(s.alert), "to", to ? to : "note", "by", s.by,
		         NULL);
		notify_poke(req->srv);
		e = answer(req, s.alert, r, w);
	}
	json_decref(body);
	return e;
}

enum err alert_acknowledge(struct http_req *req, struct http_resp *r, struct why *w)
{
	return person(req, "acknowledged", r, w);
}

enum err alert_dismiss(struct http_req *req, struct http_resp *r, struct why *w)
{
	return person(req, "dismissed", r, w);
}

enum err alert_fix(struct http_req *req, struct http_resp *r, struct why *w)
{
	return person(req, "fixed", r, w);
}

enum err alert_note(struct http_req *req, struct http_resp *r, struct why *w)
{
	return person(req, NULL, r, w);
}

/* ---- marks */

struct marking {
	struct alert_mark m;
	int word;
	int64_t id;
};

static const struct json_field mark_fields[] = {
        {"mark", JSON_WORD, offsetof(struct marking, word), JSON_MUST, 0, 0, marks},
        {"why", JSON_STR, offsetof(struct marking, m.why), JSON_MUST | JSON_TEXT, 1, WHY_MAX, NULL},
        {0},
};

static const struct json_field missed_fields[] = {
        {"submission", JSON_INT, offsetof(struct marking, m.submission), JSON_MUST, 1, INT64_MAX,
         NULL},
        {"board", JSON_STR, offsetof(struct marking, m.board), JSON_NULLOK, 1, 64, NULL},
        {"case", JSON_STR, offsetof(struct marking, m.case_text), JSON_NULLOK, 1, 512, NULL},
        {"why", JSON_STR, offsetof(struct marking, m.why), JSON_MUST | JSON_TEXT, 1, WHY_MAX, NULL},
        {0},
};

static enum err add_mark(struct db *db, void *arg, struct why *w)
{
	struct marking *x = arg;
	struct pool *p = pool_new();
	struct alert a;
	struct sub s;
	enum err e = x->m.alert != NONE ? store_alert_get(db, x->m.alert, p, &a, w)
	                                : store_sub_get(db, x->m.submission, p, &s, w);

	pool_free(p);
	return e == OK ? store_mark_add(db, &x->m, &x->id, w) : e;
}

static enum err mark(struct http_req *req, struct marking *x, const struct json_field *fields,
                     json_t **body, struct why *w)
{
	enum err e = http_json(req, body, w);

	x->m.by = api_who(req);
	x->m.at_ms = clock_wall_ms();
	if (e == OK)
		e = json_decode(*body, "", fields, x, w);
	if (e == OK)
		e = api_reason("why", x->m.why, w);
	x->m.mark = marks[x->word];
	return e == OK ? db_write(req->srv->store, add_mark, x, w) : e;
}

enum err alert_mark(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct marking x = {.m = {.alert = req->id, .submission = NONE}};
	json_t *body = NULL;
	enum err e = mark(req, &x, mark_fields, &body, w);

	if (e == OK)
		e = answer(req, req->id, r, w);
	json_decref(body);
	return e;
}

/* What no alert told of. */
enum err mark_missed(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct marking x = {.m = {.alert = NONE, .submission = NONE}};
	json_t *body = NULL, *list;
	enum err e = mark(req, &x, missed_fields, &body, w);

	if (e == OK) {
		x.m.id = x.id;
		list = show_alert_marks(&(struct alert_marks){&x.m, 1});
		r->status = 201;
		r->json = json_incref(json_array_get(list, 0));
		json_decref(list);
	}
	json_decref(body);
	return e;
}

enum err marks_list(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	struct alert_marks list = {0};
	struct alert_quality quality;
	int64_t limit, before;
	enum err e = api_page(req, &limit, &before, w);

	if (e == OK)
		e = store_mark_list(db_reader(req->srv->store), NONE, before, limit, p, &list, w);
	if (e == OK)
		e = store_mark_quality(db_reader(req->srv->store), &quality, w);
	if (e == OK)
		r->json = api_list("marks", show_alert_marks(&list), limit,
		                   list.count ? list.at[list.count - 1].id : 0);
	if (e == OK)
		json_put(r->json, "quality", show_alert_quality(&quality));
	pool_free(p);
	return e;
}
