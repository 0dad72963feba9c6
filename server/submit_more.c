/* submit_more.c - more boots for what is done. */
#include "server/submit_more.h"

#include "lib/case.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "server/schedule.h"
#include "server/store_board.h"
#include "server/store_more.h"
#include "server/submit_priv.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

struct more_in {
	int64_t boots;
	json_t *boards, *kernels, *cases;
};

static const struct json_field more_fields[] = {
        {"boots", JSON_INT, offsetof(struct more_in, boots), JSON_NULLOK, 1, BOOTS_MAX, NULL},
        {"boards", JSON_ARR, offsetof(struct more_in, boards), JSON_NULLOK, 1, 64, NULL},
        {"kernels", JSON_ARR, offsetof(struct more_in, kernels), JSON_NULLOK, 1, KERNELS_MAX, NULL},
        {"cases", JSON_ARR, offsetof(struct more_in, cases), JSON_NULLOK, 1, CASES_MAX, NULL},
        {0},
};

static enum err only_strings(const json_t *list, const char *place, struct why *w)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!json_is_string(json_array_get(list, i)))
			return err_set(w, ERR_INPUT, "%s[%zu]: expected a string", place, i);
	return OK;
}

enum err more_read(json_t *body, struct more_asked *out, struct why *w)
{
	struct more_in in = {.boots = NONE};
	enum err e = json_decode(body, "", more_fields, &in, w);

	if (e == OK && in.boots == NONE && !in.cases)
		e = err_set(w, ERR_INPUT, "boots: missing (or cases)");
	if (e == OK)
		e = only_strings(in.boards, "boards", w);
	if (e == OK)
		e = only_strings(in.kernels, "kernels", w);
	if (e == OK)
		e = only_strings(in.cases, "cases", w);
	out->boots = in.boots;
	out->boards = in.boards;
	out->kernels = in.kernels;
	out->cases = in.cases;
	return e;
}

struct adding {
	struct more_asked *m;
	struct pool *p;
	struct sub s;
	struct sub_kernels kernels;
	struct texts boards; /* of the submission, then those that were chosen */
	bool *chosen;        /* by place in kernels */
	int64_t rows;        /* kernels that are booted, the baseline among them */
};

static enum err may(const struct adding *a, struct why *w)
{
	if (!a->m->admin && !str_eq(a->s.submitter, a->m->by))
		return err_set(w, ERR_DENIED, "submission %lld is another submitter's",
		               (long long)a->s.id);
	if (a->s.imported)
		return err_set(w, ERR_UNPROCESSABLE,
		               "submission %lld is imported: nobody here can boot it",
		               (long long)a->s.id);
	return OK;
}

static enum err is_done(const struct adding *a, struct why *w)
{
	return str_eq(a->s.state, "done")
	               ? OK
	               : err_set(w, ERR_CONFLICT,
	                         "submission %lld is %s: boots are added to one that is done",
	                         (long long)a->s.id, a->s.state);
}

static enum err choose_kernels(struct adding *a, struct why *w)
{
	const json_t *names = a->m->kernels;
	size_t i, k;

	a->chosen = pool_alloc(a->p, a->kernels.count);
	for (k = 0; !names && k < a->kernels.count; k++)
		a->chosen[k] = true;
	for (i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));

		for (k = 0; k < a->kernels.count && !str_eq(a->kernels.at[k].name, name); k++)
			;
		if (k == a->kernels.count)
			return err_set(w, ERR_UNPROCESSABLE,
			               "kernels[%zu]: submission %lld compares no kernel \"%.64s\"",
			               i, (long long)a->s.id, name);
		if (!str_eq(a->kernels.at[k].state, "ready"))
			return err_set(w, ERR_UNPROCESSABLE, "kernels[%zu]: \"%s\" is %s: %s", i,
			               name, a->kernels.at[k].state,
			               a->kernels.at[k].why ? a->kernels.at[k].why
			                                    : "no reason given");
		a->chosen[k] = true;
	}
	a->chosen[a->s.baseline] = true;
	for (k = 0; k < a->kernels.count; k++)
		a->rows += a->chosen[k] && str_eq(a->kernels.at[k].state, "ready");
	return OK;
}

static enum err choose_boards(struct adding *a, struct why *w)
{
	struct texts of = a->boards;
	size_t i, o;

	if (!a->m->boards)
		return OK;
	a->boards = (struct texts){0};
	for (i = 0; i < json_array_size(a->m->boards); i++) {
		const char *name = json_string_value(json_array_get(a->m->boards, i));
		bool again = false;

		for (o = 0; o < a->boards.count; o++)
			again |= str_eq(a->boards.at[o], name);
		for (o = 0; o < of.count && !str_eq(of.at[o], name); o++)
			;
		if (o == of.count)
			return err_set(w, ERR_UNPROCESSABLE,
			               "boards[%zu]: submission %lld has no board \"%.64s\"", i,
			               (long long)a->s.id, name);
		if (!again)
			*(const char **)pool_push(a->p, (void **)&a->boards.at, &a->boards.count,
			                          sizeof(*a->boards.at)) = of.at[o];
	}
	return OK;
}

static enum err get_board(struct db *db, const struct adding *a, const char *name, struct board *b,
                          struct why *w)
{
	enum err e = store_board_get(db, name, a->p, b, w);

	if (e == OK && !b->offered)
		e = err_set(w, ERR_UNPROCESSABLE, "agent \"%s\" no longer offers board \"%s\"",
		            b->agent, name);
	else if (e == OK && str_eq(b->state, "quarantined"))
		e = err_set(w, ERR_UNPROCESSABLE, "board \"%s\" is quarantined: %s", name,
		            b->why ? b->why : "no reason given");
	return e;
}

/* *first: the phase that is free. */
static enum err check_board(struct db *db, struct adding *a, const char *name, int64_t *first,
                            struct why *w)
{
	struct board b = {0};
	enum err e = get_board(db, a, name, &b, w);

	if (e == OK)
		e = store_more_laid(db, a->s.id, name, first, w);
	if (e == OK && *first + a->m->boots > BOOTS_MAX)
		e = err_set(
		        w, ERR_UNPROCESSABLE,
		        "boots: %lld of a kernel were laid on \"%s\", and %d are the most there "
		        "can be: expected %lld more at most",
		        (long long)*first, name, BOOTS_MAX, (long long)(BOOTS_MAX - *first));
	/* Each layout in each phase. */
	a->m->ask.more[QUOTA_BOOTS] += a->rows * a->m->boots * (b.deterministic ? a->s.layouts : 1);
	return e;
}

static enum err lay(struct db *db, struct adding *a, const int64_t *first, struct why *w)
{
	struct more_asked *m = a->m;
	enum err e = store_more_reopen(db, m->sub, w);

	for (size_t i = 0; e == OK && i < a->boards.count; i++) {
		e = store_more_add(db, m->sub, a->boards.at[i], first[i], m->boots, m->by,
		                   m->now_ms, w);
		if (e == OK)
			e = schedule_added(db, m->sub, a->boards.at[i], a->chosen, first[i],
			                   first[i] + m->boots, m->now_ms, w);
	}
	return e;
}

/* ---- a part */

/* With a key that was used before: the part that was made then. */
static enum err asked_before(struct db *db, struct adding *a, struct why *w)
{
	struct more_asked *m = a->m;
	const char *hash = NULL;
	enum err e = OK;

	if (m->key)
		e = store_sub_by_key(db, a->s.submitter, m->key, a->p, &m->made, &hash, w);
	if (e == OK && m->made != NONE && !str_eq(hash, m->content_hash))
		e = err_set(w, ERR_CONFLICT,
		            "Idempotency-Key \"%s\" came with other content as submission %lld",
		            m->key, (long long)m->made);
	return e;
}

/* Does it name this case? A name in whatever order of its parameters, or a pattern. */
static enum err name_of(const char *text, const char *place, char out[CASE_TEXT], struct why *w)
{
	struct bench_case one;
	char err[400];

	if (submit_is_glob(text)) {
		if (submit_glob_fits(text, place, w) != OK)
			return ERR_INPUT;
		snprintf(out, CASE_TEXT, "%s", text);
		return OK;
	}
	if (case_parse(text, &one, err, sizeof(err)) != 0)
		return err_set(w, ERR_INPUT, "%s: %s", place, err);
	case_format(&one, out, CASE_TEXT);
	return OK;
}

/* Those of the submission that are named, in its own order. */
static enum err choose_cases(struct db *db, struct adding *a, struct texts *out, struct why *w)
{
	struct texts all = {0};
	enum err e = store_sub_cases(db, a->s.id, a->p, &all, NULL, w);
	bool *chosen = pool_alloc(a->p, all.count + 1);

	for (size_t i = 0; e == OK && i < json_array_size(a->m->cases); i++) {
		const char *text = json_string_value(json_array_get(a->m->cases, i));
		const char *place = pool_fmt(a->p, "cases[%zu]", i);
		char want[CASE_TEXT];
		size_t hits = 0;

		e = name_of(text, place, want, w);
		for (size_t c = 0; e == OK && c < all.count; c++) {
			bool hit = submit_is_glob(text) ? fnmatch(want, all.at[c], 0) == 0
			                                : str_eq(want, all.at[c]);

			chosen[c] |= hit;
			hits += hit;
		}
		if (e == OK && !hits)
			e = err_set(w, ERR_UNPROCESSABLE,
			            "%s: submission %lld has no case \"%.128s\"", place,
			            (long long)a->s.id, text);
	}
	for (size_t c = 0; e == OK && c < all.count; c++)
		if (chosen[c])
			*(const char **)pool_push(a->p, (void **)&out->at, &out->count,
			                          sizeof(*out->at)) = all.at[c];
	if (e == OK && out->count == all.count)
		e = err_set(
		        w, ERR_UNPROCESSABLE,
		        "cases: these are all cases of submission %lld: without \"cases\" boots "
		        "are added to it",
		        (long long)a->s.id);
	return e;
}

/* What it is made of stands: nothing is resolved or built. */
static enum err take_kernels(struct db *db, const struct adding *a, struct wanted *x, struct why *w)
{
	struct sub_layouts all = {0};
	enum err e = store_layouts(db, a->s.id, a->p, &all, w);

	for (size_t k = 0; e == OK && k < a->kernels.count; k++) {
		const struct sub_kernel *of = &a->kernels.at[k];
		struct wanted_kernel *to;

		if (!a->chosen[k] || !str_eq(of->state, "ready"))
			continue;
		to = pool_push(a->p, (void **)&x->kernel, &x->kernels, sizeof(*to));
		to->k = *of;
		to->k.pos = (int64_t)x->kernels - 1;
		to->k.patches = 0; /* of a series, which the part is not */
		if (of->image)
			schedule_image_key(of->image, to->key);
		if ((int64_t)k == a->s.baseline)
			x->s.baseline = to->k.pos;
		for (size_t l = 0; l < all.count; l++) {
			struct sub_layout *own;

			if (all.at[l].pos != of->pos)
				continue;
			own = pool_push(a->p, (void **)&x->relinks.at, &x->relinks.count,
			                sizeof(*own));
			*own = all.at[l];
			own->pos = to->k.pos;
		}
	}
	return e;
}

/* Of a part, which has no other boots, fewer could decide nothing. */
static enum err check_least(struct db *db, const struct adding *a, const char *name, struct why *w)
{
	struct board b = {0};
	enum err e = get_board(db, a, name, &b, w);
	int64_t least = schedule_boots_least(b.deterministic);

	if (e == OK && a->m->boots != NONE && a->m->boots < least)
		e = err_set(w, ERR_UNPROCESSABLE,
		            "boots: some of the cases are compared by themselves, and on \"%s\" "
		            "that takes %lld boots of a kernel at least",
		            name, (long long)least);
	return e;
}

static enum err make_part(struct db *db, struct adding *a, struct why *w)
{
	struct more_asked *m = a->m;
	struct wanted x = {.s = a->s, .boards = a->boards};
	struct checking c = {.p = a->p, .db = db, .out = &x};
	enum err e = OK;

	for (size_t i = 0; e == OK && i < a->boards.count; i++)
		e = check_least(db, a, a->boards.at[i], w);
	if (e == OK)
		e = choose_cases(db, a, &x.cases, w);
	if (e == OK)
		e = take_kernels(db, a, &x, w);
	if (e != OK)
		return e;
	/* The guest keeps its memory: the plan is all that differs. */
	x.s.idem_key = m->key;
	x.s.content_hash = m->content_hash;
	x.s.title = pool_fmt(a->p, "%zu case%s of submission %lld again, by %s", x.cases.count,
	                     x.cases.count == 1 ? "" : "s", (long long)a->s.id,
	                     x.cases.count == 1 ? "itself" : "themselves");
	x.s.boots = m->boots;
	x.s.rebuild = false;
	x.s.state = "resolving";
	x.s.why = NULL;
	x.s.planned = false;
	x.s.created_ms = m->now_ms;
	x.s.ended_ms = NONE;
	x.s.part_of = a->s.id;
	e = submit_write_plan(&c, w);
	if (e == OK)
		e = submit_asked(db, a->p, &x, w);
	m->ask.more[QUOTA_BOOTS] = m->ask.more[QUOTA_JOBS] = x.s.asked_boots;
	if (e == OK)
		e = quota_check(db, &m->ask, w);
	if (e == OK)
		e = submit_store(db, &x, w);
	if (e == OK)
		e = store_more_part(db, a->s.id, w);
	m->made = x.id;
	m->is_new = e == OK;
	return e;
}

/* ---- */

/* To the boots that are there. */
static enum err add_boots(struct db *db, struct adding *a, struct why *w)
{
	struct more_asked *m = a->m;
	int64_t *first = pool_alloc(a->p, a->boards.count * sizeof(*first));
	enum err e = OK;

	for (size_t i = 0; e == OK && i < a->boards.count; i++)
		e = check_board(db, a, a->boards.at[i], &first[i], w);
	m->ask.more[QUOTA_JOBS] = m->ask.more[QUOTA_BOOTS];
	m->made = m->sub;
	if (e == OK)
		e = quota_check(db, &m->ask, w);
	return e == OK ? lay(db, a, first, w) : e;
}

enum err more_store(struct db *db, void *arg, struct why *w)
{
	struct adding a = {.m = arg, .p = pool_new()};
	enum err e = store_sub_get(db, a.m->sub, a.p, &a.s, w);

	memset(a.m->ask.more, 0, sizeof(a.m->ask.more));
	a.m->ask.more[QUOTA_SUBMISSIONS] = 1;
	a.m->made = NONE;
	if (e == OK)
		e = may(&a, w);
	if (e == OK && a.m->cases)
		e = asked_before(db, &a, w);
	if (e != OK || a.m->made != NONE)
		goto out;
	e = is_done(&a, w);
	if (e == OK)
		e = store_sub_kernels(db, a.s.id, a.p, &a.kernels, w);
	if (e == OK)
		e = store_sub_boards(db, a.s.id, a.p, &a.boards, w);
	if (e == OK)
		e = choose_kernels(&a, w);
	if (e == OK)
		e = choose_boards(&a, w);
	if (e == OK)
		e = a.m->cases ? make_part(db, &a, w) : add_boots(db, &a, w);
out:
	pool_free(a.p);
	return e;
}
