/* api_tell.c - who is told of what: subscriptions; and what is not told: mutes. */
#include "server/api_util.h"
#include "server/notify.h"
#include "server/show_alert.h"
#include "server/tell.h"

#include "lib/client_out.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/mailbox.h"

#include <stdlib.h>
#include <string.h>

#define SECRET_BYTES 32

/* ---- mutes */

enum err mutes_list(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	struct mutes list = {0};
	int64_t now = clock_wall_ms();
	json_t *out;
	enum err e = store_mute_list(db_reader(req->srv->store), NONE, p, &list, w);

	if (e == OK) {
		out = json_array();
		for (size_t i = 0; i < list.count; i++)
			json_array_append_new(out, show_mute(&list.at[i], now));
		r->json = json_object();
		json_put(r->json, "mutes", out);
	}
	pool_free(p);
	return e;
}

static enum err mute_answer(struct http_req *req, int64_t id, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	struct mute m = {0};
	enum err e = store_mute_get(db_reader(req->srv->store), id, p, &m, w);

	if (e == OK)
		r->json = show_mute(&m, clock_wall_ms());
	pool_free(p);
	return e;
}

struct muting {
	struct mute m;
	const char *until;
	int64_t id;
};

static const struct json_field mute_fields[] = {
        {"board", JSON_STR, offsetof(struct muting, m.board), JSON_NULLOK, 1, 64, NULL},
        {"case", JSON_STR, offsetof(struct muting, m.case_glob), JSON_NULLOK, 1, 512, NULL},
        {"branch", JSON_STR, offsetof(struct muting, m.branch), JSON_NULLOK, 1, 1024, NULL},
        {"why", JSON_STR, offsetof(struct muting, m.why), JSON_MUST, 1, 500, NULL},
        {"until", JSON_STR, offsetof(struct muting, until), JSON_MUST, 1, 32, NULL},
        {0},
};

static enum err add_mute(struct db *db, void *arg, struct why *w)
{
	struct muting *x = arg;

	return store_mute_add(db, &x->m, &x->id, w);
}

enum err mute_make(struct http_req *req, struct http_resp *r, struct why *w)
{
	int64_t now = clock_wall_ms();
	struct muting x = {.m = {.by = api_who(req), .at_ms = now}};
	json_t *body = NULL;
	enum err e = http_json(req, &body, w);

	if (e == OK)
		e = json_decode(body, "", mute_fields, &x, w);
	if (e == OK)
		e = api_reason("why", x.m.why, w);
	if (e == OK && !x.m.board && !x.m.case_glob && !x.m.branch)
		e = err_set(w, ERR_INPUT, "board, case or branch: one of them says what is muted");
	if (e == OK)
		e = api_until(x.until, now, "a mute is looked at again by then", &x.m.until_ms, w);
	if (e == OK)
		e = db_write(req->srv->store, add_mute, &x, w);
	if (e == OK) {
		r->status = 201;
		e = mute_answer(req, x.id, r, w);
	}
	json_decref(body);
	return e;
}

struct ending {
	int64_t id, now_ms;
	const char *by;
};

static enum err end_mute(struct db *db, void *arg, struct why *w)
{
	const struct ending *x = arg;

	return store_mute_end(db, x->id, x->by, x->now_ms, w);
}

enum err mute_end(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct ending x = {.id = req->id, .now_ms = clock_wall_ms(), .by = api_who(req)};
	enum err e = db_write(req->srv->store, end_mute, &x, w);

	return e == OK ? mute_answer(req, x.id, r, w) : e;
}

/* ---- subscriptions */

static const char *const channels[] = {"mail", "webhook", "slack", NULL};
static const char *const directions[] = {"slower", "any", NULL};

struct asked {
	struct subscription s;
	int channel, direction;
	int64_t id;
	char secret[2 * SECRET_BYTES + 1]; /* made here; else "" */
};

static const struct json_field asked_fields[] = {
        {"channel", JSON_WORD, offsetof(struct asked, channel), JSON_MUST, 0, 0, channels},
        {"to", JSON_STR, offsetof(struct asked, s.address), JSON_MUST, 3, 2048, NULL},
        {"secret", JSON_STR, offsetof(struct asked, s.secret), JSON_NULLOK, 16, 256, NULL},
        {"branch", JSON_STR, offsetof(struct asked, s.branch), JSON_NULLOK, 1, 1024, NULL},
        {"board", JSON_STR, offsetof(struct asked, s.board), JSON_NULLOK, 1, 64, NULL},
        {"case", JSON_STR, offsetof(struct asked, s.case_glob), JSON_NULLOK, 1, 512, NULL},
        {"min_size", JSON_NUM, offsetof(struct asked, s.min_size), JSON_NULLOK, 0, 0, NULL},
        {"direction", JSON_WORD, offsetof(struct asked, direction), JSON_NULLOK, 0, 0, directions},
        {0},
};

/* "https://hooks.example.org/...": what stands behind the host is a secret as well. */
static enum err check_url(struct http_req *req, struct asked *x, struct pool *p, struct why *w)
{
	char *scheme, *host;
	struct guard g;
	enum err e = err_at(w, out_url_host(x->s.address, &scheme, &host, w), "to");

	if (e != OK)
		return e;
	e = notify_guard(&req->srv->conf, &g, w);
	if (e == OK && !guard_permits_text(&g, host))
		e = err_set(w, ERR_UNPROCESSABLE,
		            "to: \"%s\" is a private address, which the operator does not allow",
		            host);
	x->s.shown = pool_fmt(p, strchr(host, ':') ? "%s://[%s]/..." : "%s://%s/...", scheme, host);
	guard_release(&g);
	free(scheme);
	free(host);
	return e;
}

static enum err check(struct http_req *req, struct asked *x, struct pool *p, struct why *w)
{
	bool mail;

	x->s.channel = channels[x->channel];
	x->s.direction = directions[x->direction];
	mail = str_eq(x->s.channel, "mail");
	if (x->s.secret && !str_eq(x->s.channel, "webhook"))
		return err_set(w, ERR_INPUT, "secret: only a webhook is signed");
	if (!isnan(x->s.min_size) && (x->s.min_size < 0 || x->s.min_size > 100))
		return err_set(w, ERR_INPUT, "min_size: expected a fraction from 0 to 100");
	if (!mail)
		return check_url(req, x, p, w);
	if (!mailbox_is_plain(x->s.address))
		return err_set(w, ERR_INPUT, "to: \"%s\" is not a mail address", x->s.address);
	if (!req->srv->conf.mail_server)
		return err_set(w, ERR_UNPROCESSABLE,
		               "this server sends no mail: mail_server is not configured");
	x->s.shown = x->s.address;
	return OK;
}

static enum err add_subscription(struct db *db, void *arg, struct why *w)
{
	struct asked *x = arg;

	return store_subscription_add(db, &x->s, &x->id, w);
}

static enum err subscription_answer(struct http_req *req, int64_t id, struct http_resp *r,
                                    struct why *w)
{
	struct pool *p = pool_new();
	struct subscription s = {0};
	enum err e = store_subscription_get(db_reader(req->srv->store), id, p, &s, w);

	if (e == OK)
		r->json = show_subscription(&s);
	pool_free(p);
	return e;
}

enum err subscription_make(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct asked x = {.s = {.by = api_who(req), .at_ms = clock_wall_ms(), .min_size = NAN}};
	struct pool *p = pool_new();
	json_t *body = NULL;
	enum err e = http_json(req, &body, w);

	if (e == OK)
		e = json_decode(body, "", asked_fields, &x, w);
	if (e == OK)
		e = check(req, &x, p, w);
	if (e == OK && str_eq(x.s.channel, "webhook") && !x.s.secret) {
		random_hex(x.secret, SECRET_BYTES);
		x.s.secret = x.secret;
	}
	if (e == OK)
		e = db_write(req->srv->store, add_subscription, &x, w);
	if (e == OK) {
		log_info("subscription.made", "subscription", log_i(x.id), "channel", x.s.channel,
		         "by", x.s.by, NULL);
		r->status = 201;
		e = subscription_answer(req, x.id, r, w);
		if (e == OK && x.secret[0])
			json_put_str(r->json, "secret", x.secret); /* this once */
	}
	explicit_bzero(x.secret, sizeof(x.secret));
	json_decref(body);
	pool_free(p);
	return e;
}

enum err subscriptions_list(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	struct subscriptions list = {0};
	json_t *out;
	enum err e = store_subscription_list(db_reader(req->srv->store), p, &list, w);

	if (e == OK) {
		out = json_array();
		for (size_t i = 0; i < list.count; i++)
			json_array_append_new(out, show_subscription(&list.at[i]));
		r->json = json_object();
		json_put(r->json, "subscriptions", out);
	}
	pool_free(p);
	return e;
}

static enum err end_subscription(struct db *db, void *arg, struct why *w)
{
	const struct ending *x = arg;

	return store_subscription_end(db, x->id, x->by, x->now_ms, w);
}

enum err subscription_end(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct ending x = {.id = req->id, .now_ms = clock_wall_ms(), .by = api_who(req)};
	enum err e = db_write(req->srv->store, end_subscription, &x, w);

	return e == OK ? subscription_answer(req, x.id, r, w) : e;
}
