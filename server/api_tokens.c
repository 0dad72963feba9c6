#include "server/api.h"
#include "server/auth.h"

#include "lib/clock.h"
#include "lib/json.h"

#include <stddef.h>

static json_t *time_json(int64_t ms)
{
	char text[32];

	if (ms < 0)
		return NULL;
	clock_iso(ms, text, sizeof(text));
	return json_string(text);
}

static json_t *token_json(const struct token *t)
{
	json_t *o = json_object();

	json_put_int(o, "id", t->id);
	json_put_str(o, "label", t->label);
	json_put_str(o, "role", token_roles[t->role - 1]);
	json_put(o, "created", time_json(t->created_ms));
	json_put(o, "revoked", time_json(t->revoked_ms));
	return o;
}

static void list_one(void *ctx, const struct token *t)
{
	json_array_append_new(ctx, token_json(t));
}

enum err tokens_list(struct http_req *req, struct http_resp *r, struct why *w)
{
	json_t *list = json_array();

	r->json = json_object();
	json_put(r->json, "tokens", list);
	return token_each(db_reader(req->srv->store), list_one, list, w);
}

enum err token_make(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct {
		const char *label;
		int role;
	} in = {0};
	static const struct json_field fields[] = {
	        {"label", JSON_STR, 0, JSON_MUST, 1, TOKEN_LABEL - 1, NULL},
	        {"role", JSON_WORD, sizeof(const char *), JSON_MUST, 0, 0, token_roles},
	        {0},
	};
	char text[TOKEN_TEXT];
	struct token t;
	json_t *body = NULL;
	enum err e;

	e = http_json(req, &body, w);
	if (e == OK)
		e = json_decode(body, "", fields, &in, w);
	if (e == OK)
		e = auth_issue(req->srv, in.label, (enum role)(in.role + 1), text, &t, w);
	if (e == OK) {
		r->status = 201;
		r->json = token_json(&t);
		json_put_str(r->json, "token", text);
	}
	json_decref(body);
	return e;
}

enum err token_delete(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct token t = {0};
	enum err e = token_revoke(req->srv->store, req->id, clock_wall_ms(), &t, w);

	if (e == OK)
		r->json = token_json(&t);
	return e;
}
