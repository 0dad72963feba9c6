/* api_boards.c - boards, and the agents that announce them. */
#include "server/api_util.h"
#include "server/schedule.h"
#include "server/submit.h"
#include "server/work.h"

#include "lib/hash.h"
#include "lib/log.h"

#include <string.h>

static enum err board_object(struct db *db, struct pool *p, const char *name, bool single,
                             json_t **out, struct why *w)
{
	struct board_events events = {0};
	struct board b = {0};
	json_t *reference = NULL;
	int64_t good = NONE;
	enum err e = store_board_get(db, name, p, &b, w);

	if (e == OK)
		e = store_board_known_good(db, name, &good, w);
	if (e == OK && single)
		e = store_board_events(db, name, 100, p, &events, w);
	if (e == OK)
		e = api_reference_board(db, p, name, &reference, w);
	if (e != OK)
		return e;
	*out = show_board(&b, good);
	json_put(*out, "reference", reference);
	if (single)
		json_put(*out, "events", show_board_events(&events));
	return OK;
}

enum err boards_list(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct db *db = db_reader(req->srv->store);
	struct pool *p = pool_new();
	struct board_list list = {0};
	json_t *a = json_array(), *o;
	size_t i;
	enum err e = store_board_list(db, NULL, p, &list, w);

	for (i = 0; e == OK && i < list.count; i++) {
		e = board_object(db, p, list.at[i].name, false, &o, w);
		if (e == OK)
			json_array_append_new(a, o);
	}
	if (e == OK) {
		r->json = json_object();
		json_put(r->json, "boards", a);
	} else {
		json_decref(a);
	}
	pool_free(p);
	return e;
}

enum err board_get(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	enum err e = board_object(db_reader(req->srv->store), p, req->param[0], true, &r->json, w);

	pool_free(p);
	return e;
}

/* ---- drain, resume, quarantine */

typedef enum err board_change(struct db *db, const char *board, const char *why, const char *by,
                              int64_t now_ms, struct why *w);

struct changing {
	board_change *change;
	const char *board, *why, *by;
	int64_t now_ms;
};

static enum err change(struct db *db, void *arg, struct why *w)
{
	const struct changing *c = arg;

	return c->change(db, c->board, c->why, c->by, c->now_ms, w);
}

static enum err change_board(struct http_req *req, struct http_resp *r, const char *event,
                             board_change *fn, bool must, struct why *w)
{
	struct changing c = {.change = fn,
	                     .board = req->param[0],
	                     .by = api_who(req),
	                     .now_ms = clock_wall_ms()};
	const struct json_field fields[] = {
	        {"why", JSON_STR, offsetof(struct changing, why), must ? JSON_MUST : JSON_NULLOK, 1,
	         500, NULL},
	        {0},
	};
	json_t *body = NULL;
	enum err e = OK;

	if (must || req->body_len)
		e = http_json(req, &body, w);
	if (e == OK && body)
		e = json_decode(body, "", fields, &c, w);
	if (e == OK)
		e = db_write(req->srv->store, change, &c, w);
	if (e == OK) {
		log_info("board.changed", "board", c.board, "to", event, "by", c.by, NULL);
		work_poke(req->srv);
		e = board_get(req, r, w);
	}
	json_decref(body);
	return e;
}

enum err board_drain(struct http_req *req, struct http_resp *r, struct why *w)
{
	return change_board(req, r, "drained", schedule_drain, true, w);
}

enum err board_quarantine(struct http_req *req, struct http_resp *r, struct why *w)
{
	return change_board(req, r, "quarantined", schedule_quarantine, true, w);
}

enum err board_resume(struct http_req *req, struct http_resp *r, struct why *w)
{
	return change_board(req, r, "resumed", schedule_resume, false, w);
}

/* ---- agents */

enum err agents_list(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	struct agent_list list = {0};
	json_t *a = json_array();
	size_t i;
	enum err e = store_agent_list(db_reader(req->srv->store), p, &list, w);

	for (i = 0; e == OK && i < list.count; i++)
		json_array_append_new(a, show_agent(&list.at[i]));
	if (e == OK) {
		r->json = json_object();
		json_put(r->json, "agents", a);
	} else {
		json_decref(a);
	}
	pool_free(p);
	return e;
}

struct announcing {
	struct agent agent;
	json_t *toolchains, *trees, *boards;
	struct board_list list;
	int64_t now_ms;
};

static const struct json_field announce_fields[] = {
        {"version", JSON_STR, offsetof(struct announcing, agent.version), JSON_MUST, 1, 64, NULL},
        {"builds", JSON_BOOL, offsetof(struct announcing, agent.builds), JSON_MUST, 0, 0, NULL},
        {"bench", JSON_STR, offsetof(struct announcing, agent.bench), JSON_NULLOK, 1, 128, NULL},
        {"toolchains", JSON_ARR, offsetof(struct announcing, toolchains), JSON_MUST, 0, 64, NULL},
        {"trees", JSON_ARR, offsetof(struct announcing, trees), JSON_NULLOK, 0, 256, NULL},
        {"boards", JSON_ARR, offsetof(struct announcing, boards), JSON_MUST, 0, CLAIM_BOARDS, NULL},
        {0},
};

static const struct json_field toolchain_fields[] = {
        {"name", JSON_STR, offsetof(struct toolchain, name), JSON_MUST, 1, 64, NULL},
        {"compiler", JSON_STR, offsetof(struct toolchain, compiler), JSON_MUST, 1, 512, NULL},
        {0},
};

struct board_in {
	struct board b;
	json_t *labels, *capabilities;
};

static const char *const kinds[] = {"qemu", "self", "serial", NULL};

static const struct json_field board_fields[] = {
        {"name", JSON_STR, offsetof(struct board_in, b.name), JSON_MUST, 1, 64, NULL},
        {"kind", JSON_STR, offsetof(struct board_in, b.kind), JSON_MUST, 1, 16, NULL},
        {"profile", JSON_STR, offsetof(struct board_in, b.profile), JSON_NULLOK, 1, 64, NULL},
        {"labels", JSON_ARR, offsetof(struct board_in, labels), JSON_NULLOK, 0, 32, NULL},
        {"metric", JSON_STR, offsetof(struct board_in, b.metric), JSON_MUST, 1, 64, NULL},
        {"deterministic", JSON_BOOL, offsetof(struct board_in, b.deterministic), JSON_MUST, 0, 0,
         NULL},
        {"emulated", JSON_BOOL, offsetof(struct board_in, b.emulated), JSON_MUST, 0, 0, NULL},
        {"untrusted", JSON_BOOL, offsetof(struct board_in, b.untrusted), JSON_MUST, 0, 0, NULL},
        {"capabilities", JSON_OBJ, offsetof(struct board_in, capabilities), JSON_NULLOK, 0, 0,
         NULL},
        {"description", JSON_STR, offsetof(struct board_in, b.description), JSON_MUST, 1, 512,
         NULL},
        {0},
};

static enum err read_texts(struct pool *p, json_t *a, const char *place, size_t max,
                           struct texts *out, struct why *w)
{
	size_t i;

	for (i = 0; i < json_array_size(a); i++) {
		const char *s = json_string_value(json_array_get(a, i));

		if (!s || !*s || strlen(s) > max || utf8_has_control(s, strlen(s), false))
			return err_set(w, ERR_INPUT, "%s[%zu]: expected a string of 1 to %zu bytes",
			               place, i, max);
		*(const char **)pool_push(p, (void **)&out->at, &out->count, sizeof(*out->at)) =
		        pool_str(p, s);
	}
	return OK;
}

/* What makes a board's numbers comparable with its earlier ones. */
static const char *board_identity(struct pool *p, const struct board *b)
{
	char *text = xasprintf("%s\n%s\n%s\n%d\n%d\n%s\n", b->kind, b->profile ? b->profile : "",
	                       b->metric, b->deterministic, b->emulated, b->description);
	char hex[SHA256_HEX];

	hash_block(text, strlen(text), hex);
	free(text);
	return pool_str(p, hex);
}

static enum err read_board(struct pool *p, json_t *o, size_t at, struct board *out, struct why *w)
{
	const char *place = pool_fmt(p, "boards[%zu]", at);
	struct board_in in = {0};
	struct texts labels = {0};
	char *caps;
	size_t i;
	enum err e = json_decode(o, place, board_fields, &in, w);

	if (e != OK)
		return e;
	if (!word_is_good(in.b.name) || strcmp(in.b.name, "self-reported") == 0)
		return err_set(w, ERR_INPUT, "%s.name: expected 1 to 64 of A-Z a-z 0-9 . _ -",
		               place);
	for (i = 0; kinds[i] && strcmp(kinds[i], in.b.kind) != 0; i++)
		;
	if (!kinds[i])
		return err_set(w, ERR_INPUT, "%s.kind: expected qemu, self or serial", place);
	if (strcmp(in.b.metric, "instructions") != 0 && strcmp(in.b.metric, "ns") != 0)
		return err_set(w, ERR_INPUT, "%s.metric: expected instructions or ns", place);
	e = read_texts(p, in.labels, pool_fmt(p, "%s.labels", place), 64, &labels, w);
	if (e != OK)
		return e;
	in.b.labels = " ";
	for (i = 0; i < labels.count; i++) {
		if (!word_is_good(labels.at[i]))
			return err_set(w, ERR_INPUT,
			               "%s.labels[%zu]: expected 1 to 64 of A-Z a-z 0-9 . _ -",
			               place, i);
		in.b.labels = pool_fmt(p, "%s%s ", in.b.labels, labels.at[i]);
	}
	caps = in.capabilities ? json_canonical(in.capabilities) : xstrdup("{}");
	in.b.capabilities = pool_str(p, caps);
	free(caps);
	*out = in.b;
	out->identity = board_identity(p, &in.b);
	return OK;
}

static enum err read_announcement(struct pool *p, json_t *body, struct announcing *a, struct why *w)
{
	size_t i, o;
	enum err e = json_decode(body, "", announce_fields, a, w);

	for (i = 0; e == OK && i < json_array_size(a->toolchains); i++) {
		struct toolchain *t = pool_push(p, (void **)&a->agent.toolchain,
		                                &a->agent.toolchains, sizeof(*t));
		const char *place = pool_fmt(p, "toolchains[%zu]", i);

		e = json_decode(json_array_get(a->toolchains, i), place, toolchain_fields, t, w);
		if (e == OK && !word_is_good(t->name))
			e = err_set(w, ERR_INPUT, "%s.name: expected 1 to 64 of A-Z a-z 0-9 . _ -",
			            place);
		for (o = 0; e == OK && o < i; o++)
			if (strcmp(a->agent.toolchain[o].name, t->name) == 0)
				e = err_set(w, ERR_INPUT, "%s.name: \"%s\" stands there twice",
				            place, t->name);
	}
	if (e == OK)
		e = read_texts(p, a->trees, "trees", 1024, &a->agent.trees, w);
	for (i = 0; e == OK && i < json_array_size(a->boards); i++) {
		struct board *b = pool_push(p, (void **)&a->list.at, &a->list.count, sizeof(*b));

		e = read_board(p, json_array_get(a->boards, i), i, b, w);
		for (o = 0; e == OK && o < i; o++)
			if (strcmp(a->list.at[o].name, b->name) == 0)
				e = err_set(w, ERR_INPUT,
				            "boards[%zu].name: \"%s\" stands there twice", i,
				            b->name);
	}
	return e;
}

static enum err announce(struct db *db, void *arg, struct why *w)
{
	struct announcing *a = arg;
	enum err e = store_agent_put(db, &a->agent, a->list.at, a->list.count, a->now_ms, w);

	/* Submissions may have waited for a toolchain. */
	return e == OK ? schedule_all(db, a->now_ms, w) : e;
}

enum err agent_put(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct pool *p = pool_new();
	struct announcing a = {.now_ms = clock_wall_ms()};
	struct agent now = {0};
	json_t *body = NULL;
	enum err e = http_json(req, &body, w);

	if (e == OK)
		e = read_announcement(p, body, &a, w);
	a.agent.name = req->param[0];
	if (e == OK)
		e = db_write(req->srv->store, announce, &a, w);
	if (e == OK)
		e = store_agent_get(db_reader(req->srv->store), a.agent.name, p, &now, w);
	if (e == OK) {
		log_info("agent.announced", "agent", a.agent.name, "boards",
		         log_i((int64_t)a.list.count), NULL);
		r->json = show_agent(&now);
	}
	json_decref(body);
	pool_free(p);
	return e;
}
