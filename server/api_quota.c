/* api_quota.c - what a token may use, and what is used. */
#include "server/api_util.h"
#include "server/quota.h"

#include "server/store_token.h"

#include <stdio.h>

static json_t *limits_json(const int64_t limit[QUOTAS])
{
	json_t *o = json_object();

	for (int i = 0; i < QUOTAS; i++)
		show_int(o, quota_name[i], limit[i]);
	return o;
}

struct asked {
	int64_t token;
	const char *label;
	enum role role;
};

static enum err show_quotas(struct db *db, const struct server_conf *conf, const struct asked *a,
                            json_t **out, struct why *w)
{
	int64_t limit[QUOTAS] = {0}, used[QUOTAS] = {0};
	bool exempt = a->role == ROLE_ADMIN;
	json_t *list;
	enum err e = OK;

	if (!exempt)
		e = quota_limits(db, a->token, conf, limit, w);
	if (e == OK)
		e = store_quota_used(db, a->label, clock_wall_ms(), used, w);
	if (e != OK)
		return e;
	list = json_array();
	for (int i = 0; i < QUOTAS; i++) {
		json_t *o = json_object();

		json_put_str(o, "name", quota_name[i]);
		json_put_str(o, "what", quota_what[i]);
		json_put_int(o, "used", used[i]);
		show_int(o, "limit", limit[i] ? limit[i] : NONE);
		json_array_append_new(list, o);
	}
	*out = json_object();
	json_put_str(*out, "label", a->label);
	json_put_bool(*out, "exempt", exempt);
	json_put(*out, "quotas", list);
	return OK;
}

enum err quota_get(struct http_req *req, struct http_resp *r, struct why *w)
{
	const struct asked a = {
	        .token = req->token_id, .label = req->token_label, .role = req->role};
	struct db *db = db_reader(req->srv->store);
	enum err e = db_snapshot(db, w);

	if (e == OK) {
		e = show_quotas(db, &req->srv->conf, &a, &r->json, w);
		db_snapshot_end(db);
	}
	return e;
}

/* ---- setting */

#define LIMIT_MAX INT64_C(1000000000000000) /* a petabyte */

struct setting {
	int64_t token, now_ms;
	const char *by;
	json_t *body;
	int64_t limit[QUOTAS];
};

/* What is not named stays as it is; null is the configuration's. */
static enum err read_limits(struct setting *s, struct why *w)
{
	const char *key;
	json_t *v;

	if (!json_is_object(s->body) || !json_object_size(s->body))
		return err_set(w, ERR_INPUT,
		               "expected an object with submissions, jobs, boots or bytes");
	json_object_foreach (s->body, key, v) {
		int i = 0;

		while (i < QUOTAS && !str_eq(quota_name[i], key))
			i++;
		if (i == QUOTAS)
			return err_set(w, ERR_INPUT, "\"%.64s\" is no field of this object", key);
		if (!json_is_null(v) && (!json_is_integer(v) || json_integer_value(v) < 0 ||
		                         json_integer_value(v) > LIMIT_MAX))
			return err_set(w, ERR_INPUT, "%s: expected 0 (no limit) to %lld, or null",
			               key, (long long)LIMIT_MAX);
		s->limit[i] = json_is_null(v) ? NONE : json_integer_value(v);
	}
	return OK;
}

static void find_one(void *ctx, const struct token *t)
{
	struct token *want = ctx;

	if (t->id == want->id)
		*want = *t;
}

/* One that quotas hold for. */
static enum err find(struct db *db, int64_t id, struct token *t, struct why *w)
{
	enum err e;

	*t = (struct token){.id = id, .role = ROLE_NONE};
	e = token_each(db, find_one, t, w);
	if (e == OK && t->role == ROLE_NONE)
		return err_set(w, ERR_NOT_FOUND, "there is no token %lld", (long long)id);
	if (e == OK && t->role != ROLE_SUBMIT)
		return err_set(w, ERR_UNPROCESSABLE,
		               "token %lld has role %s: only those of role submit have quotas",
		               (long long)id, token_roles[t->role - 1]);
	return e;
}

enum err token_quota_get(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	struct token t;
	enum err e = db_snapshot(db, w);

	if (e == OK) {
		e = find(db, req->id, &t, w);
		if (e == OK)
			e = show_quotas(
			        db, &req->srv->conf,
			        &(struct asked){.token = t.id, .label = t.label, .role = t.role},
			        &r->json, w);
		db_snapshot_end(db);
	}
	return e;
}

static enum err set(struct db *db, void *arg, struct why *w)
{
	struct setting *s = arg;
	struct token t;
	enum err e = find(db, s->token, &t, w);

	if (e == OK && t.revoked_ms >= 0)
		return err_set(w, ERR_CONFLICT, "token %lld is revoked", (long long)s->token);
	if (e == OK)
		e = store_quota_limits(db, s->token, s->limit, w);
	if (e == OK)
		e = read_limits(s, w);
	return e == OK ? store_quota_set(db, s->token, s->limit, s->by, s->now_ms, w) : e;
}

enum err token_quota(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct setting s = {.token = req->id, .now_ms = clock_wall_ms(), .by = api_who(req)};
	enum err e = http_json(req, &s.body, w);

	if (e == OK)
		e = db_write(req->srv->store, set, &s, w);
	if (e == OK) {
		r->json = limits_json(s.limit);
		json_put_int(r->json, "token", s.token);
	}
	json_decref(s.body);
	return e;
}
