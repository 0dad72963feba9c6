/* show_dry_run.c - a dry run as JSON: the request with what it left open, and its cost. */
#include "server/show.h"

#include "lib/json.h"
#include "server/dry_run.h"

#include <math.h>

static json_t *minutes(struct span_s s)
{
	json_t *o = json_object();

	json_put_real(o, "low", round(s.low / 6) / 10);
	json_put_real(o, "expected", round(s.expected / 6) / 10);
	json_put_real(o, "high", round(s.high / 6) / 10);
	return o;
}

static json_t *words(const struct texts *t)
{
	json_t *list = json_array();

	for (size_t i = 0; i < t->count; i++)
		json_array_append_new(list, json_string(t->at[i]));
	return list;
}

/* As it came, and what it left to the service. */
static json_t *canonical(const struct wanted *x, const json_t *body)
{
	json_t *o = json_deep_copy(body), *plan = json_object(), *k;
	size_t i;

	json_array_foreach (json_object_get(o, "kernels"), i, k) {
		const struct sub_kernel *s = &x->kernel[i].k;

		if (s->image)
			continue;
		if (s->base_of)
			json_put_str(k, "onto", s->ref);
		json_put_str(k, "toolchain", s->toolchain);
		if (!json_is_object(json_object_get(k, "config")))
			json_put_str(k, "config", s->config_name);
	}
	if (!x->series.is)
		json_put_str(o, "baseline", x->kernel[x->s.baseline].k.name);
	json_put(o, "boards", words(&x->boards));
	json_put(o, "cases", words(&x->cases));
	show_int(plan, "boots", x->s.boots);
	json_put_int(plan, "runs", x->s.runs);
	json_put_int(plan, "iterations", x->s.iterations);
	json_put_int(plan, "warmup", x->s.warmup);
	json_put_int(plan, "layouts", x->s.layouts);
	json_put(o, "plan", plan);
	json_put_real(o, "threshold", x->s.threshold);
	json_put_int(o, "priority", x->s.priority);
	json_put_bool(o, "reuse", x->s.reuse);
	json_put_bool(o, "across_environments", x->s.across);
	return o;
}

json_t *show_dry_run(const struct wanted *x, const struct dry_run *d, const json_t *body)
{
	json_t *o = json_object(), *list = json_array(), *builds = json_object();

	json_put(o, "request", canonical(x, body));
	json_put_int(o, "resolves", d->resolves);
	json_put_int(builds, "new", d->builds);
	json_put_int(builds, "known", d->known);
	json_put(builds, "minutes", minutes(d->build));
	json_put_str(builds, "basis", d->basis);
	json_put(o, "builds", builds);
	for (size_t i = 0; i < d->boards; i++) {
		const struct dry_board *b = &d->board[i];
		json_t *one = json_object();

		json_put_str(one, "board", b->name);
		json_put_int(one, "new", b->boots - b->reused);
		json_put_int(one, "known", b->reused);
		json_put_real(one, "boot_s", round(b->each.expected * 10) / 10);
		json_put(one, "minutes", minutes(b->all));
		json_put_str(one, "basis", b->basis);
		json_array_append_new(list, one);
	}
	json_put(o, "boots", list);
	json_put(o, "minutes", minutes(d->total));
	json_put(o, "elapsed_minutes", minutes(d->elapsed));
	json_put_bool(o, "guess", d->guess);
	json_put(o, "notes", words(&d->notes));
	return o;
}
