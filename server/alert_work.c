/* alert_work.c - what the server asks for by itself. */
#include "server/alert_work.h"

#include "lib/json.h"
#include "lib/mem.h"
#include "server/alerts.h"
#include "server/bisections.h"
#include "server/schedule.h"
#include "server/store_board.h"
#include "server/submit.h"

#include <jansson.h>
#include <math.h>

/* Ahead of ordinary work, and of that of persons who are in a hurry. */
#define AHEAD        10
#define PRIORITY_MAX 100

const char *commit_short(struct pool *p, const char *commit)
{
	return pool_strn(p, commit, 12);
}

/* ---- what it is like */

static void add_text(struct pool *p, struct texts *t, const char *text)
{
	for (size_t i = 0; i < t->count; i++)
		if (str_eq(t->at[i], text))
			return;
	*(const char **)pool_push(p, (void **)&t->at, &t->count, sizeof(*t->at)) = text;
}

/* Largest first; of equal ones that of a board that repeats itself, by name. */
static void place_cells(struct pool *p, struct alert_origin *o)
{
	for (size_t i = 0; i < o->cells.count; i++) {
		const struct alert_cell *c = &o->cells.at[i];

		if (c->case_text && !str_eq(c->verdict, "slower"))
			continue;
		if (!o->largest || (c->case_text && (fabs(c->change) > fabs(o->largest->change) ||
		                                     (fabs(c->change) == fabs(o->largest->change) &&
		                                      c->emulated && !o->largest->emulated))))
			o->largest = c;
	}
	if (!o->largest)
		return;
	add_text(p, &o->boards, o->largest->board);
	if (o->largest->case_text)
		add_text(p, &o->cases, o->largest->case_text);
	for (size_t i = 0; i < o->cells.count; i++) {
		add_text(p, &o->boards, o->cells.at[i].board);
		if (o->cells.at[i].case_text)
			add_text(p, &o->cases, o->cells.at[i].case_text);
	}
}

enum err alert_origin(struct db *db, struct pool *p, int64_t alert, struct alert_origin *out,
                      struct why *w)
{
	struct sub_kernels kernels = {0};
	enum err e;

	*out = (struct alert_origin){0};
	e = store_alert_get(db, alert, p, &out->alert, w);
	if (e == OK)
		e = store_alert_cells(db, alert, p, &out->cells, w);
	if (e == OK && out->alert.submission == NONE)
		return err_set(w, ERR_UNPROCESSABLE, "alert %lld has no submission",
		               (long long)alert);
	if (e == OK)
		e = store_sub_get(db, out->alert.submission, p, &out->sub, w);
	if (e == OK)
		e = store_sub_kernels(db, out->alert.submission, p, &kernels, w);
	for (size_t i = 0; e == OK && i < kernels.count; i++) {
		if (str_eq(kernels.at[i].name, out->alert.kernel))
			out->kernel = kernels.at[i];
		else if ((int64_t)i == out->sub.baseline)
			out->base = kernels.at[i];
	}
	if (e != OK)
		return e;
	if (!out->kernel.name || out->sub.imported)
		return err_set(w, ERR_UNPROCESSABLE,
		               "alert %lld is about no kernel that submission %lld compares",
		               (long long)alert, (long long)out->alert.submission);
	place_cells(p, out);
	if (!out->largest)
		return err_set(w, ERR_UNPROCESSABLE, "alert %lld shows nowhere", (long long)alert);
	return out->alert.signature
	               ? store_sub_cases(db, out->alert.submission, p, &out->cases, NULL, w)
	               : OK;
}

/* ---- asking */

static json_t *side(const struct work_side *s)
{
	json_t *o = json_object(), *config;

	json_put_str(o, "name", s->name);
	if (s->image) {
		json_put_str(o, "image", s->image);
		return o;
	}
	config = json_object();
	json_put_str(config, "sha256", s->like->config_sha256);
	json_put_str(config, "name", s->like->config_name);
	json_put_str(o, "tree", s->tree);
	json_put_str(o, "ref", s->commit);
	json_put_str(o, "toolchain", s->like->toolchain);
	json_put(o, "config", config);
	return o;
}

static json_t *strings(const struct texts *t)
{
	json_t *list = json_array();

	for (size_t i = 0; i < t->count; i++)
		json_array_append_new(list, json_string(t->at[i]));
	return list;
}

/* Boards that nobody offers now, or that are not trusted, would have all of it refused. */
static enum err usable(struct db *db, struct pool *p, const struct texts *boards, struct texts *out,
                       struct why *w)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < boards->count; i++) {
		struct board b = {0};

		e = store_board_get(db, boards->at[i], p, &b, w);
		if (e == OK && b.offered && str_eq(b.state, "active"))
			add_text(p, out, boards->at[i]);
	}
	/* Let the one who asks hear what is the matter with them. */
	if (e == OK && !out->count)
		*out = *boards;
	return e;
}

static enum err body_of(struct db *db, struct pool *p, const struct work_ask *a, json_t **out,
                        struct why *w)
{
	const struct sub *s = &a->origin->sub;
	struct texts boards = {0};
	json_t *o = json_object(), *kernels = json_array(), *plan = json_object();
	int64_t priority = s->priority + AHEAD;
	enum err e = OK;

	if (a->board)
		add_text(p, &boards, a->board);
	else
		e = usable(db, p, &a->origin->boards, &boards, w);
	json_array_append_new(kernels, side(&a->good));
	json_array_append_new(kernels, side(&a->bad));
	if (a->boots != NONE)
		json_put_int(plan, "boots", a->boots);
	json_put_int(plan, "runs", s->runs);
	json_put_int(plan, "iterations", s->iterations);
	json_put_int(plan, "warmup", s->warmup);
	json_put_int(plan, "layouts", a->layouts);
	json_put_str(o, "title", a->title);
	json_put(o, "kernels", kernels);
	json_put_str(o, "baseline", a->good.name);
	json_put(o, "boards", strings(&boards));
	json_put(o, "cases", strings(a->cases));
	json_put(o, "plan", plan);
	if (!isnan(s->threshold))
		json_put_real(o, "threshold", s->threshold);
	json_put_int(o, "priority", priority > PRIORITY_MAX ? PRIORITY_MAX : priority);
	json_put_bool(o, "reuse", !a->fresh);
	json_put_bool(o, "rebuild", false);
	json_put_bool(o, "validate", false);
	*out = o;
	return e;
}

enum err alert_work_ask(struct server *srv, struct db *db, const struct work_ask *a, int64_t now_ms,
                        int64_t *sub, struct why *w)
{
	const struct alert_origin *o = a->origin;
	struct pool *p = pool_new();
	struct submitter who = {.srv = srv, .db = db, .label = o->sub.submitter};
	struct alert_work x = {.alert = o->alert.id,
	                       .purpose = a->purpose,
	                       .why = a->why,
	                       .by = a->by,
	                       .before = NAN,
	                       .begun_ms = now_ms};
	json_t *body = NULL;
	enum err e = store_work_admin(db, o->sub.submitter, &who.admin, w);

	if (e == OK)
		e = body_of(db, p, a, &body, w);
	if (e == OK)
		e = submit_own(&who, body, sub, w);
	x.submission = *sub;
	if (str_eq(a->purpose, "remeasure")) {
		x.board = o->largest->board;
		x.case_text = o->largest->case_text;
		x.metric = o->largest->metric;
		x.before = o->largest->change;
	}
	if (e == OK)
		e = store_work_add(db, &x, w);
	json_decref(body);
	pool_free(p);
	return e;
}

/* ---- stopping */

enum err alert_work_cancel(struct db *db, int64_t sub, int64_t now_ms, struct why *w)
{
	enum err e = schedule_cancel(db, sub, now_ms, w);

	return e == OK ? store_work_end(db, sub, "cancelled", NONE, now_ms, w) : e;
}

enum err alert_work_stop(struct db *db, int64_t alert, const char *why, int64_t now_ms,
                         struct why *w)
{
	struct pool *p = pool_new();
	struct alert_works works = {0};
	struct alert a = {0};
	enum err e = store_work_of_alert(db, alert, p, &works, w);

	for (size_t i = 0; e == OK && i < works.count; i++) {
		const struct alert_work *x = &works.at[i];

		if (!str_eq(x->state, "open"))
			continue;
		e = alert_work_cancel(db, x->submission, now_ms, w);
		if (e == OK)
			e = store_alert_get(db, alert, p, &a, w);
		if (e == OK && str_eq(x->purpose, "remeasure"))
			e = alerts_step(db, alert, a.state, a.state,
			                pool_fmt(p,
			                         "re-measuring is cancelled, submission %lld: %s",
			                         (long long)x->submission, why),
			                NULL, now_ms, w);
	}
	if (e == OK)
		e = bisections_stop(db, alert, why, NULL, now_ms, w);
	pool_free(p);
	return e;
}
