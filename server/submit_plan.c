/* submit_plan.c - a submission's boards, cases and plan, checked. */
#include "server/submit_priv.h"

#include "lib/case.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "server/schedule.h"
#include "server/store_board.h"

#include <string.h>

/* ---- boards */

static bool may_boot(const struct checking *c, const struct board *b)
{
	/* An admin answers for what they submit; others' kernels go where the
	 * board's owner lets untrusted ones. */
	return c->who->admin || b->untrusted;
}

static void take_board(struct checking *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->out->boards.count; i++)
		if (strcmp(c->out->boards.at[i], name) == 0)
			return;
	*(const char **)pool_push(c->p, (void **)&c->out->boards.at, &c->out->boards.count,
	                          sizeof(*c->out->boards.at)) = name;
}

/* All active boards, or those of a label. */
static enum err take_boards(struct checking *c, const char *label, const char *place, struct why *w)
{
	struct board_list list = {0};
	size_t i, before = c->out->boards.count;
	enum err e = store_board_list(c->db, label, c->p, &list, w);

	for (i = 0; e == OK && i < list.count; i++)
		if (list.at[i].offered && str_eq(list.at[i].state, "active") &&
		    may_boot(c, &list.at[i]))
			take_board(c, list.at[i].name);
	if (e == OK && c->out->boards.count == before)
		e = err_set(w, ERR_UNPROCESSABLE,
		            label ? "%s: no active board that you may use has the label \"%s\""
		                  : "%s: there is no active board that you may use",
		            place, label);
	return e;
}

static enum err one_board(struct checking *c, const char *name, const char *place, struct why *w)
{
	struct board b = {0};
	int64_t health = NONE;
	enum err e;

	if (str_starts(name, "label:"))
		return take_boards(c, name + strlen("label:"), place, w);
	e = store_board_get(c->db, name, c->p, &b, w);
	if (e == ERR_NOT_FOUND)
		return err_set(w, ERR_UNPROCESSABLE, "%s: there is no board \"%s\"", place, name);
	if (e == OK && !may_boot(c, &b))
		return err_set(w, ERR_DENIED,
		               "%s: board \"%s\" boots kernels of trusted submitters only", place,
		               name);
	if (e == OK && !b.offered)
		return err_set(w, ERR_UNPROCESSABLE,
		               "%s: agent \"%s\" no longer offers board \"%s\"", place, b.agent,
		               name);
	if (e == OK && str_eq(b.state, "quarantined"))
		e = store_job_health(c->db, name, &health, w);
	if (e == OK && str_eq(b.state, "quarantined") && health == NONE)
		return err_set(w, ERR_UNPROCESSABLE, "%s: board \"%s\" is quarantined: %s", place,
		               name, b.why ? b.why : "no reason given");
	if (e == OK)
		take_board(c, b.name);
	return e;
}

enum err submit_boards(struct checking *c, json_t *boards, struct why *w)
{
	size_t i;
	enum err e = OK;

	if (!boards || json_is_null(boards))
		return take_boards(c, NULL, "boards", w);
	for (i = 0; e == OK && i < json_array_size(boards); i++) {
		json_t *x = json_array_get(boards, i);
		const char *place = pool_fmt(c->p, "boards[%zu]", i);
		const char *name = json_string_value(x);

		if (!name)
			return err_set(w, ERR_INPUT, "%s: expected a string", place);
		if (!word_is_good(str_starts(name, "label:") ? name + 6 : name))
			return err_set(w, ERR_INPUT, "%s: expected a board's name or label:WORD",
			               place);
		e = one_board(c, name, place, w);
	}
	return e;
}

/* ---- cases and plan */

struct gathering {
	struct checking *c;
	uint64_t largest;
};

/* However often it is named, it counts once. */
static enum err take_case(struct gathering *g, const char *text, const char *place, struct why *w)
{
	struct texts *cases = &g->c->out->cases;
	struct bench_case one;
	char err[400], canon[CASE_TEXT];

	if (case_parse(text, &one, err, sizeof(err)) != 0)
		return err_set(w, ERR_INPUT, "%s: %s", place, err);
	case_format(&one, canon, sizeof(canon));
	for (size_t o = 0; o < cases->count; o++)
		if (strcmp(cases->at[o], canon) == 0)
			return OK;
	if (cases->count == CASES_MAX)
		return err_set(w, ERR_INPUT, "%s: more than %d cases", place, CASES_MAX);
	*(const char **)pool_push(g->c->p, (void **)&cases->at, &cases->count, sizeof(*cases->at)) =
	        pool_str(g->c->p, canon);
	if (case_bytes(&one) > g->largest)
		g->largest = case_bytes(&one);
	return OK;
}

enum err submit_cases(struct checking *c, json_t *cases, struct why *w)
{
	struct gathering g = {.c = c};
	enum err e = OK;

	for (size_t i = 0; e == OK && i < json_array_size(cases); i++) {
		const char *text = json_string_value(json_array_get(cases, i));
		const char *place = pool_fmt(c->p, "cases[%zu]", i);
		json_t *list = NULL, *one;
		size_t at;

		if (!text)
			return err_set(w, ERR_INPUT, "%s: expected a string", place);
		if (!submit_is_glob(text)) {
			e = take_case(&g, text, place, w);
			continue;
		}
		e = submit_glob(c, text, place, &list, w);
		json_array_foreach (list, at, one)
			if (e == OK)
				e = take_case(&g, json_string_value(one), place, w);
		json_decref(list);
	}
	c->out->s.memory_bytes = (int64_t)g.largest + GUEST_EXTRA_BYTES;
	return e;
}

static const struct json_field plan_fields[] = {
        {"boots", JSON_INT, offsetof(struct sub, boots), JSON_NULLOK, 1, BOOTS_MAX, NULL},
        {"runs", JSON_INT, offsetof(struct sub, runs), JSON_NULLOK, 1, 1000, NULL},
        {"iterations", JSON_INT, offsetof(struct sub, iterations), JSON_NULLOK, 1, 100000, NULL},
        {"warmup", JSON_INT, offsetof(struct sub, warmup), JSON_NULLOK, 0, 1000, NULL},
        {"layouts", JSON_INT, offsetof(struct sub, layouts), JSON_NULLOK, 1, LAYOUTS_MAX, NULL},
        {0},
};

enum err submit_plan(struct checking *c, json_t *plan, struct why *w)
{
	return json_decode(plan, "plan", plan_fields, &c->out->s, w);
}

enum err submit_write_plan(struct checking *c, struct why *w)
{
	struct sub *s = &c->out->s;
	struct buf b;
	size_t i;
	enum err e = OK;

	buf_init(&b, 256 * 1024);
	buf_adds(&b, "# foldbench plan 1\n");
	for (i = 0; i < c->out->cases.count; i++)
		buf_addf(&b, "%s runs=%lld iterations=%lld warmup=%lld\n", c->out->cases.at[i],
		         (long long)s->runs, (long long)s->iterations, (long long)s->warmup);
	if (b.full)
		e = err_set(w, ERR_INPUT, "cases: the plan is larger than 256 KiB");
	else
		s->plan = pool_strn(c->p, b.data, b.len);
	buf_release(&b);
	return e;
}
