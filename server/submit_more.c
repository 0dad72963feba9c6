/* submit_more.c - adding boots to what is done. */
#include "server/submit_more.h"

#include "lib/json.h"
#include "lib/mem.h"
#include "server/schedule.h"
#include "server/store_board.h"
#include "server/store_more.h"
#include "server/submit_priv.h"

#include <string.h>

struct more_in {
	int64_t boots;
	json_t *boards, *kernels, *cases;
};

static const struct json_field more_fields[] = {
        {"boots", JSON_INT, offsetof(struct more_in, boots), JSON_MUST, 1, BOOTS_MAX, NULL},
        {"boards", JSON_ARR, offsetof(struct more_in, boards), JSON_NULLOK, 1, 64, NULL},
        {"kernels", JSON_ARR, offsetof(struct more_in, kernels), JSON_NULLOK, 1, KERNELS_MAX, NULL},
        {"cases", JSON_ANY, offsetof(struct more_in, cases), JSON_NULLOK, 0, 0, NULL},
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
	struct more_in in = {0};
	enum err e = json_decode(body, "", more_fields, &in, w);

	if (e == OK && in.cases && !json_is_null(in.cases))
		e = err_set(w, ERR_UNPROCESSABLE,
		            "cases: a boot runs all cases of its submission's plan, or its counts "
		            "would not compare with those of the boots that are there: submit "
		            "those cases by themselves");
	if (e == OK)
		e = only_strings(in.boards, "boards", w);
	if (e == OK)
		e = only_strings(in.kernels, "kernels", w);
	out->boots = in.boots;
	out->boards = in.boards;
	out->kernels = in.kernels;
	return e;
}

struct adding {
	struct more_asked *m;
	struct pool *p;
	struct sub s;
	struct sub_kernels kernels;
	struct texts boards; /* of the submission */
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
	if (!str_eq(a->s.state, "done"))
		return err_set(w, ERR_CONFLICT,
		               "submission %lld is %s: boots are added to one that is done",
		               (long long)a->s.id, a->s.state);
	return OK;
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

/* *first: the phase that is free. */
static enum err check_board(struct db *db, struct adding *a, const char *name, int64_t *first,
                            struct why *w)
{
	struct board b = {0};
	enum err e = store_board_get(db, name, a->p, &b, w);

	if (e == OK && !b.offered)
		return err_set(w, ERR_UNPROCESSABLE, "agent \"%s\" no longer offers board \"%s\"",
		               b.agent, name);
	if (e == OK && str_eq(b.state, "quarantined"))
		return err_set(w, ERR_UNPROCESSABLE, "board \"%s\" is quarantined: %s", name,
		               b.why ? b.why : "no reason given");
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

enum err more_store(struct db *db, void *arg, struct why *w)
{
	struct adding a = {.m = arg, .p = pool_new()};
	int64_t *first = NULL;
	enum err e = store_sub_get(db, a.m->sub, a.p, &a.s, w);

	memset(a.m->ask.more, 0, sizeof(a.m->ask.more));
	if (e == OK)
		e = may(&a, w);
	if (e == OK)
		e = store_sub_kernels(db, a.s.id, a.p, &a.kernels, w);
	if (e == OK)
		e = store_sub_boards(db, a.s.id, a.p, &a.boards, w);
	if (e == OK)
		e = choose_kernels(&a, w);
	if (e == OK)
		e = choose_boards(&a, w);
	if (e == OK)
		first = pool_alloc(a.p, a.boards.count * sizeof(*first));
	for (size_t i = 0; e == OK && i < a.boards.count; i++)
		e = check_board(db, &a, a.boards.at[i], &first[i], w);
	a.m->ask.more[QUOTA_JOBS] = a.m->ask.more[QUOTA_BOOTS];
	a.m->ask.more[QUOTA_SUBMISSIONS] = 1;
	if (e == OK)
		e = quota_check(db, &a.m->ask, w);
	if (e == OK)
		e = lay(db, &a, first, w);
	pool_free(a.p);
	return e;
}
