/* search_json.c - see search_json.h. */
#include "server/search_json.h"

#include "lib/json.h"
#include "lib/mem.h"
#include "server/search.h"
#include "server/show.h"

struct showing {
	const struct sub *sub;
	const struct sub_kernels *measured, *built;
	struct search_steps steps;
	struct search_effects effects;
	struct search_boots boots;
	int64_t max;
};

static const char *state_of(const struct showing *s)
{
	if (!s->max)
		return "off";
	if (str_eq(s->sub->state, "done"))
		return "done";
	if (s->sub->ended_ms != NONE)
		return "stopped";
	return s->steps.count ? "searching" : "waiting";
}

static json_t *show_step(const struct search_step *x)
{
	json_t *o = json_object();

	json_put_int(o, "number", x->number);
	json_put_str(o, "kernel", x->kernel);
	json_put_int(o, "position", x->position);
	json_put_int(o, "after", x->low);
	json_put_int(o, "until", x->high);
	json_put_int(o, "boots", x->boots);
	json_put(o, "at", show_time(x->at_ms));
	return o;
}

static json_t *show_effect(const struct search_effect *x)
{
	json_t *o = json_object();

	json_put_str(o, "board", x->board);
	json_put_str(o, "case", x->case_text);
	json_put_str(o, "metric", x->metric);
	json_put_int(o, "first", x->first);
	json_put_int(o, "last", x->last);
	json_put_str(o, "kernel", x->kernel);
	json_put_str(o, "against", x->against);
	json_put_str(o, "verdict", x->verdict);
	json_put_real(o, "change", x->change);
	json_put_real(o, "low", x->low);
	json_put_real(o, "high", x->high);
	json_put_str(o, "why", x->why);
	return o;
}

/* Between two neighbouring prefixes that no search added. */
static json_t *show_interval(const struct showing *s, const struct sub_kernel *low,
                             const struct sub_kernel *high)
{
	json_t *o = json_object();
	int64_t steps = 0, effects = 0, patches = high->patches - low->patches;
	const char *why = NULL;

	for (size_t i = 0; i < s->steps.count; i++)
		steps += s->steps.at[i].position > low->patches &&
		         s->steps.at[i].position < high->patches;
	for (size_t i = 0; i < s->effects.count; i++)
		effects += s->effects.at[i].first > low->patches &&
		           s->effects.at[i].last <= high->patches;
	if (str_eq(s->sub->state, "done") && !effects && patches > 1)
		why = "no case is slower or faster between its ends: effects of its patches that "
		      "take each other back would not show";
	json_put_str(o, "against", low->name);
	json_put_str(o, "kernel", high->name);
	json_put_int(o, "after", low->patches);
	json_put_int(o, "until", high->patches);
	json_put_int(o, "steps", steps);
	json_put_int(o, "effects", effects);
	json_put_str(o, "why", why);
	return o;
}

static json_t *show_intervals(const struct showing *s)
{
	const struct sub_kernel *base = &s->measured->at[0], *low = base;
	json_t *list = json_array();

	for (size_t i = 1; i < s->measured->count; i++) {
		const struct sub_kernel *k = &s->measured->at[i];

		if (k->searched || !str_eq(k->config_sha256, base->config_sha256) ||
		    str_eq(k->state, "failed"))
			continue;
		json_array_append_new(list, show_interval(s, low, k));
		low = k;
	}
	return list;
}

/* Kernels that would be booted if all prefixes were. */
static int64_t all_of(const struct sub_kernels *k)
{
	int64_t n = 0;

	for (size_t i = 0; i < k->count; i++)
		n += !str_eq(k->at[i].state, "failed");
	return n;
}

static json_t *show_boots(const struct showing *s)
{
	json_t *o = json_object();
	int64_t search = 0;

	for (size_t i = 0; i < s->steps.count; i++)
		search += s->steps.at[i].boots;
	json_put_int(o, "made", s->boots.made);
	json_put_int(o, "search", search);
	json_put_int(o, "all", s->boots.per_kernel * (all_of(s->measured) + all_of(s->built)));
	return o;
}

enum err search_show(struct db *db, struct pool *p, const struct sub *sub, const struct series *s,
                     const struct sub_kernels *measured, const struct sub_kernels *built,
                     json_t **out, struct why *w)
{
	struct showing x = {.sub = sub, .measured = measured, .built = built};
	json_t *o, *steps, *effects;
	enum err e = store_search_steps(db, sub->id, p, &x.steps, w);

	*out = NULL;
	if (e == OK)
		e = store_search_effects(db, sub->id, p, &x.effects, w);
	if (e == OK)
		e = store_search_boots(db, sub->id, &x.boots, w);
	if (e != OK)
		return e;
	x.max = search_steps_max(s);
	o = json_object();
	steps = json_array();
	effects = json_array();
	for (size_t i = 0; i < x.steps.count; i++)
		json_array_append_new(steps, show_step(&x.steps.at[i]));
	for (size_t i = 0; i < x.effects.count; i++)
		json_array_append_new(effects, show_effect(&x.effects.at[i]));
	json_put_str(o, "state", state_of(&x));
	json_put_int(o, "steps_max", x.max);
	json_put(o, "steps", steps);
	json_put(o, "boots", show_boots(&x));
	json_put(o, "intervals", s->count ? show_intervals(&x) : json_array());
	json_put(o, "effects", effects);
	*out = o;
	return OK;
}
