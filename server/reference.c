/* reference.c - the pinned kernel, night by night. */
#include "server/reference.h"

#include "lib/hash.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "server/alerts.h"
#include "server/store_board.h"
#include "server/submit.h"
#include "server/work.h"

#include <string.h>

#define DAY_MS     INT64_C(86400000)
#define HOUR_MS    INT64_C(3600000)
#define NIGHTS_MAX 100 /* that are looked back on */

/* When the night at that time began. */
static int64_t night_of(int64_t now_ms, int64_t hour)
{
	int64_t since = now_ms - hour * HOUR_MS;

	return since - since % DAY_MS + hour * HOUR_MS;
}

/* The newest whose pattern the board's name has; NULL: none. */
static const struct reference *of_board(const struct references *l, const char *board)
{
	for (size_t i = l->count; i-- > 0;)
		if (alerts_matches(l->at[i].board, board))
			return &l->at[i];
	return NULL;
}

static json_t *body_of(const struct reference *r, const char *board)
{
	json_t *o = json_object(), *kernels = json_array(), *boards = json_array();
	json_t *kernel = json_loads(r->kernel, 0, NULL);
	char *title = xasprintf(REFERENCE_PREFIX "%s", board ? board : "every board");

	json_put_str(kernel, "name", "reference");
	json_array_append_new(kernels, kernel);
	json_put_str(o, "title", title);
	json_put(o, "kernels", kernels);
	json_put(o, "cases", json_loads(r->cases, 0, NULL));
	json_put_bool(o, "reuse", false);
	if (board) {
		json_array_append_new(boards, json_string(board));
		json_put(o, "boards", boards);
	} else {
		json_decref(boards);
	}
	free(title);
	return o;
}

enum err reference_check(struct server *srv, const struct reference *r, const char *label,
                         struct why *w)
{
	struct submitter who = {
	        .srv = srv, .db = db_reader(srv->store), .label = label, .admin = true};
	json_t *kernel = json_loads(r->kernel, 0, NULL), *body;
	const char *ref = json_str(kernel, "ref", NULL);
	struct pool *p = pool_new();
	struct wanted x = {0};
	enum err e = OK;

	if (json_object_get(kernel, "name"))
		e = err_set(w, ERR_INPUT, "kernel.name: unknown field: it is called \"reference\"");
	else if (!json_str(kernel, "image", NULL) && (!ref || !hex_is(ref, 40)))
		e = err_set(
		        w, ERR_INPUT,
		        "kernel.ref: expected a whole commit id (40 hex digits): a branch or tag "
		        "moves, and the reference must not");
	body = body_of(r, NULL);
	if (e == OK)
		e = submit_read(&who, p, body, &x, w);
	if (e != OK && str_starts(w->text, "kernels[0]")) {
		const char *rest = pool_str(p, w->text + strlen("kernels[0]"));

		e = err_set(w, e, "kernel%s", rest);
	}
	/* Boards come and go: each night sees which there are. */
	if (e == ERR_UNPROCESSABLE && str_starts(w->text, "boards"))
		e = OK;
	json_decref(body);
	json_decref(kernel);
	pool_free(p);
	return e;
}

/* ---- asking */

struct asking {
	struct server *srv;
	const struct reference *r;
	struct reference_night n;
};

static enum err ask(struct db *db, void *arg, struct why *w)
{
	struct asking *a = arg;
	struct submitter who = {.srv = a->srv, .db = db, .label = a->r->by, .admin = true};
	json_t *body = body_of(a->r, a->n.board);
	enum err e = submit_own(&who, body, &a->n.submission, w);

	a->n.why = NULL;
	json_decref(body);
	return e == OK ? store_night_put(db, &a->n, w) : e;
}

static enum err put_why(struct db *db, void *arg, struct why *w)
{
	const struct asking *a = arg;

	return store_night_put(db, &a->n, w);
}

static bool under_way(const struct reference_night *n)
{
	return n->state && !str_eq(n->state, "done") && !str_eq(n->state, "failed") &&
	       !str_eq(n->state, "cancelled");
}

/* The newest that has a submission; NULL: none. */
static const struct reference_night *asked(const struct reference_nights *l)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->at[i].submission != NONE)
			return &l->at[i];
	return NULL;
}

static enum err one_board(struct server *srv, const struct references *refs, const struct board *b,
                          int64_t now_ms, struct pool *p, struct why *w)
{
	struct asking a = {.srv = srv, .r = of_board(refs, b->name)};
	const char *identity = pool_fmt(p, "%s %s", b->identity, b->bench ? b->bench : "-");
	struct reference_nights nights = {0};
	const struct reference_night *last;
	const char *why = NULL;
	int64_t night;
	enum err e;

	if (!a.r)
		return OK;
	e = store_night_list(db_reader(srv->store), b->name, NIGHTS_MAX, p, &nights, w);
	last = e == OK ? asked(&nights) : NULL;
	night = night_of(now_ms, a.r->hour);
	if (e != OK || (last && under_way(last)))
		return e;
	/* Another environment asks for it at once, beside the night's own. */
	if (last && str_eq(last->identity, identity) && last->reference == a.r->id &&
	    last->night_ms >= night)
		return OK;
	if (last && last->night_ms >= night)
		night = now_ms;
	a.n = (struct reference_night){.board = b->name,
	                               .night_ms = night,
	                               .reference = a.r->id,
	                               .identity = identity,
	                               .submission = NONE,
	                               .at_ms = now_ms};
	if (!b->offered)
		why = pool_fmt(p, "agent \"%s\" does not announce the board", b->agent);
	else if (!str_eq(b->state, "active"))
		why = pool_fmt(p, "the board is %s%s%s", b->state, b->why ? ": " : "",
		               b->why ? b->why : "");
	else {
		e = db_write(srv->store, ask, &a, w);
		if (e == OK) {
			log_info("reference.asked", "board", b->name, "submission",
			         log_i(a.n.submission), NULL);
			work_poke(srv);
			return OK;
		}
		why = pool_str(p, w->text);
		a.n.submission = NONE;
	}
	/* Only what is new is written: this is asked every few seconds. */
	for (size_t i = 0; i < nights.count; i++)
		if (nights.at[i].submission == NONE && str_eq(nights.at[i].why, why) &&
		    (nights.at[i].night_ms == night || night == now_ms))
			return OK;
	a.n.why = why;
	return db_write(srv->store, put_why, &a, w);
}

void reference_look(struct server *srv, int64_t now_ms)
{
	struct pool *p = pool_new();
	struct references refs = {0};
	struct board_list boards = {0};
	struct why w;
	size_t i;
	enum err e = store_reference_list(db_reader(srv->store), p, &refs, &w);

	if (e == OK && refs.count)
		e = store_board_list(db_reader(srv->store), NULL, p, &boards, &w);
	for (i = 0; e == OK && i < boards.count; i++) {
		e = one_board(srv, &refs, &boards.at[i], now_ms, p, &w);
		if (e != OK)
			log_error("reference.ask", "board", boards.at[i].name, "why", w.text, NULL);
		e = OK;
	}
	if (e != OK)
		log_error("reference.look", "why", w.text, NULL);
	pool_free(p);
}

/* ---- how it goes */

enum err reference_state(struct db *db, const char *board, int64_t now_ms, struct pool *p,
                         struct reference_state *out, struct why *w)
{
	struct references refs = {0};
	struct reference_nights nights = {0};
	const struct reference *r;
	const struct reference_night *last;
	int64_t night, since;
	enum err e = store_reference_list(db, p, &refs, w);

	*out = (struct reference_state){.reference = NONE, .last_ms = NONE, .submission = NONE};
	r = e == OK ? of_board(&refs, board) : NULL;
	if (!r)
		return e;
	out->reference = r->id;
	e = store_night_list(db, board, NIGHTS_MAX, p, &nights, w);
	if (e != OK)
		return e;
	for (size_t i = 0; i < nights.count && out->last_ms == NONE; i++)
		if (str_eq(nights.at[i].state, "done"))
			out->last_ms = nights.at[i].night_ms;
	last = asked(&nights);
	if (last) {
		out->submission = last->submission;
		out->state = last->state;
	}
	night = night_of(now_ms, r->hour);
	since = night_of(out->last_ms == NONE ? r->at_ms : out->last_ms, r->hour);
	out->missed = (night - since) / DAY_MS - 1;
	if (out->missed < 0)
		out->missed = 0;
	if (last && last->night_ms >= night)
		return OK;
	if (last && under_way(last))
		out->why = pool_fmt(p, "submission %lld of an earlier night has not ended",
		                    (long long)last->submission);
	else if (nights.count && nights.at[0].submission == NONE)
		out->why = nights.at[0].why;
	return OK;
}
