#include "server/show_alert.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "server/show.h"

static json_t *show_cell(const struct alert_cell *c)
{
	json_t *o = json_object();

	show_int(o, "submission", c->submission);
	show_int(o, "boot", c->boot);
	json_put_str(o, "board", c->board);
	json_put_str(o, "case", c->case_text);
	json_put_str(o, "metric", c->metric);
	json_put_bool(o, "emulated", c->emulated);
	json_put_str(o, "verdict", c->verdict);
	json_put_real(o, "base_mean", c->base_mean);
	json_put_real(o, "mean", c->mean);
	json_put_real(o, "change", c->change);
	json_put_real(o, "low", c->low);
	json_put_real(o, "high", c->high);
	show_int(o, "boots", c->boots);
	show_int(o, "mute", c->mute);
	return o;
}

static json_t *show_side(const char *name, const char *tree, const char *ref, const char *commit,
                         const char *subject)
{
	json_t *o;

	if (!name)
		return json_null();
	o = json_object();
	json_put_str(o, "name", name);
	json_put_str(o, "tree", tree);
	json_put_str(o, "ref", ref);
	json_put_str(o, "commit", commit);
	json_put_str(o, "subject", subject);
	return o;
}

json_t *show_alert(const struct alert *a, const struct alert_cells *cells)
{
	json_t *o = json_object(), *list = json_array();

	json_put_int(o, "id", a->id);
	json_put_str(o, "kind", a->kind);
	json_put_str(o, "state", a->state);
	json_put_str(o, "title", a->title);
	json_put_str(o, "owner", a->owner);
	json_put_bool(o, "muted", a->muted);
	show_int(o, "submission", a->submission);
	json_put(o, "kernel", show_side(a->kernel, a->tree, a->ref, a->commit, a->subject));
	json_put(o, "baseline",
	         show_side(a->kernel ? a->base : NULL, a->base_tree, a->base_ref, a->base_commit,
	                   a->base_subject));
	show_int(o, "boot", a->boot);
	json_put_str(o, "signature", a->signature);
	show_int(o, "track", a->track);
	json_put(o, "created", show_time(a->created_ms));
	json_put(o, "changed", show_time(a->changed_ms));
	for (size_t i = 0; i < cells->count; i++)
		json_array_append_new(list, show_cell(&cells->at[i]));
	json_put(o, "cells", list);
	return o;
}

json_t *show_alert_steps(const struct alert_steps *steps)
{
	json_t *list = json_array();

	for (size_t i = 0; i < steps->count; i++) {
		const struct alert_step *s = &steps->at[i];
		json_t *o = json_object();

		json_put_int(o, "id", s->id);
		json_put_str(o, "from", s->from);
		json_put_str(o, "to", s->to);
		json_put_str(o, "why", s->why);
		json_put_str(o, "by", s->by);
		json_put(o, "at", show_time(s->at_ms));
		json_array_append_new(list, o);
	}
	return list;
}

json_t *show_alert_quality(const struct alert_quality *q)
{
	json_t *o = json_object();
	double right = (double)(q->alerts - q->wrong);

	json_put_int(o, "alerts", q->alerts);
	json_put_int(o, "confirmed", q->confirmed);
	json_put_int(o, "not_reproduced", q->not_reproduced);
	json_put_int(o, "wrong", q->wrong);
	json_put_int(o, "missed", q->missed);
	json_put_real(o, "wrong_share", q->alerts ? (double)q->wrong / (double)q->alerts : NAN);
	json_put_real(o, "missed_share",
	              right + (double)q->missed > 0
	                      ? (double)q->missed / (right + (double)q->missed)
	                      : NAN);
	return o;
}

json_t *show_alert_marks(const struct alert_marks *marks)
{
	json_t *list = json_array();

	for (size_t i = 0; i < marks->count; i++) {
		const struct alert_mark *m = &marks->at[i];
		json_t *o = json_object();

		json_put_int(o, "id", m->id);
		json_put_str(o, "mark", m->mark);
		show_int(o, "alert", m->alert);
		show_int(o, "submission", m->submission);
		json_put_str(o, "board", m->board);
		json_put_str(o, "case", m->case_text);
		json_put_str(o, "why", m->why);
		json_put_str(o, "by", m->by);
		json_put(o, "at", show_time(m->at_ms));
		json_array_append_new(list, o);
	}
	return list;
}

json_t *show_letters(const struct letters *letters)
{
	json_t *list = json_array();

	for (size_t i = 0; i < letters->count; i++) {
		const struct letter *l = &letters->at[i];
		json_t *o = json_object();

		json_put_str(o, "delivery", l->delivery);
		json_put_int(o, "step", l->step);
		json_put_int(o, "subscription", l->subscription);
		json_put_str(o, "channel", l->channel);
		json_put_str(o, "state", l->state);
		json_put_int(o, "attempts", l->attempts);
		json_put_str(o, "why", l->why);
		json_put(o, "next", show_time(str_eq(l->state, "waiting") ? l->next_ms : NONE));
		json_put(o, "created", show_time(l->created_ms));
		json_put(o, "ended", show_time(l->ended_ms));
		json_array_append_new(list, o);
	}
	return list;
}

json_t *show_mute(const struct mute *m, int64_t now_ms)
{
	json_t *o = json_object();

	json_put_int(o, "id", m->id);
	json_put_str(o, "board", m->board);
	json_put_str(o, "case", m->case_glob);
	json_put_str(o, "branch", m->branch);
	json_put_str(o, "why", m->why);
	show_period(o,
	            &(struct period){.until_ms = m->until_ms,
	                             .at_ms = m->at_ms,
	                             .ended_ms = m->ended_ms,
	                             .by = m->by,
	                             .ended_by = m->ended_by},
	            "muted", now_ms);
	return o;
}

json_t *show_subscription(const struct subscription *s)
{
	json_t *o = json_object();

	json_put_int(o, "id", s->id);
	json_put_str(o, "channel", s->channel);
	json_put_str(o, "to", s->shown);
	json_put_bool(o, "signed", s->secret != NULL);
	json_put_str(o, "branch", s->branch);
	json_put_str(o, "board", s->board);
	json_put_str(o, "case", s->case_glob);
	json_put_real(o, "min_size", s->min_size);
	json_put_str(o, "direction", s->direction);
	json_put_str(o, "by", s->by);
	json_put(o, "at", show_time(s->at_ms));
	json_put(o, "ended", show_time(s->ended_ms));
	json_put_str(o, "ended_by", s->ended_by);
	return o;
}
