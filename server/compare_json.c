/* compare_json.c - a comparison as docs/api.md's COMPARISON. */
#include "server/verdict.h"

#include "lib/clock.h"
#include "lib/json.h"

/* In what environments differ that the cell reaches across. */
static json_t *across_json(const struct cmp *c, const struct cmp_cell *x)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->acrosses; i++) {
		const struct cmp_across *a = &c->across[i];
		json_t *o;

		if (a->board != x->board || a->kernel != x->kernel)
			continue;
		o = json_object();
		json_put_str(o, "field", a->field);
		json_put_str(o, "one", a->one);
		json_put_str(o, "other", a->other);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *footnotes_json(const struct cmp *c, const struct cmp_cell *x)
{
	json_t *list = json_array();
	size_t at = 0;
	char *text;

	while ((text = cmp_footnote(c, x, &at))) {
		json_array_append_new(list, json_string(text));
		free(text);
	}
	return list;
}

static json_t *covariates_json(const struct cmp *c, const struct cmp_cell *x)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->covariates; i++) {
		const struct cmp_covariate *v = &c->covariate[i];
		json_t *o;

		if (&c->cell[v->cell] != x)
			continue;
		o = json_object();
		json_put_str(o, "name", v->name);
		json_put_real(o, "base_mean", v->base);
		json_put_real(o, "mean", v->mean);
		json_put_real(o, "change", v->change);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *known_json(const struct cmp *c, const struct cmp_known *k)
{
	json_t *o = json_object();
	char until[32];

	clock_iso(k->until_ms, until, sizeof(until));
	json_put_int(o, "id", k->id);
	json_put_str(o, "signature", k->signature);
	json_put_str(o, "why", k->why);
	json_put_str(o, "until", until);
	json_put_str(o, "board", c->board[k->board].name);
	json_put_str(o, "kernel", c->kernel[k->kernel].name);
	json_put_int(o, "boot", k->boot);
	return o;
}

static json_t *cell_json(const struct cmp *c, const struct cmp_cell *x)
{
	json_t *o = json_object();

	json_put_str(o, "board", c->board[x->board].name);
	json_put_str(o, "kernel", c->kernel[x->kernel].name);
	json_put_str(o, "against", c->kernel[x->base].name);
	json_put_str(o, "case", c->case_[x->case_]);
	json_put_str(o, "metric", c->metric[x->metric].name);
	json_put_str(o, "statistic", CMP_STATISTIC);
	json_put_real(o, "mean", x->mean);
	json_put_real(o, "change", x->change);
	json_put_real(o, "low", x->low);
	json_put_real(o, "high", x->high);
	json_put_real(o, "std_rel", x->std_rel);
	json_put_int(o, "boots", x->boots);
	json_put_int(o, "invalid_boots", x->invalid_boots);
	json_put_int(o, "runs", x->runs);
	json_put_str(o, "verdict", verdict_name(x->verdict));
	json_put_str(o, "why", x->why);
	json_put_bool(o, "skewed", x->skewed);
	json_put_real(o, "at_most", x->at_most);
	json_put_real(o, "base_mean", x->base_mean);
	json_put_real(o, "tau", x->tau);
	json_put_real(o, "floor", x->floor);
	json_put_int(o, "layouts", x->layouts);
	if (x->needed < 0)
		json_put(o, "needed", NULL);
	else
		json_put_int(o, "needed", x->needed);
	json_put(o, "across", across_json(c, x));
	json_put(o, "footnotes", footnotes_json(c, x));
	json_put(o, "covariates", covariates_json(c, x));
	return o;
}

static json_t *row_json(const struct cmp *c, const struct cmp_cell *x)
{
	json_t *o = json_object();

	json_put_str(o, "board", c->board[x->board].name);
	json_put_str(o, "kernel", c->kernel[x->kernel].name);
	json_put_bool(o, "baseline", cmp_is_baseline(c, x));
	json_put_str(o, "case", c->case_[x->case_]);
	json_put_str(o, "metric", c->metric[x->metric].name);
	json_put_real(o, "mean", x->mean);
	json_put_real(o, "std_rel", x->std_rel);
	json_put_int(o, "boots", x->boots);
	json_put_int(o, "invalid_boots", x->invalid_boots);
	json_put_int(o, "runs", x->runs);
	json_put_str(o, "why", x->why);
	json_put(o, "footnotes", footnotes_json(c, x));
	return o;
}

static json_t *thrown_json(const struct cmp *c, const struct cmp_thrown *t)
{
	json_t *o = json_object();

	json_put_str(o, "board", c->board[t->board].name);
	json_put_str(o, "kernel", c->kernel[t->kernel].name);
	json_put_int(o, "boot", t->boot);
	if (t->phase < 0)
		json_put(o, "phase", NULL);
	else
		json_put_int(o, "phase", t->phase);
	json_put_str(o, "why", t->why);
	json_put_str(o, "signature", t->signature);
	return o;
}

char *compare_json(const struct cmp *c)
{
	json_t *o = json_object(), *cells = json_array(), *rows = json_array();
	json_t *thrown = json_array(), *known = json_array(), *notes = json_array();
	char *text;
	size_t i;

	for (i = 0; i < c->cells; i++) {
		json_array_append_new(rows, row_json(c, &c->cell[i]));
		if (!cmp_is_baseline(c, &c->cell[i]))
			json_array_append_new(cells, cell_json(c, &c->cell[i]));
	}
	for (i = 0; i < c->throwns; i++)
		json_array_append_new(thrown, thrown_json(c, &c->thrown[i]));
	for (i = 0; i < c->knowns; i++)
		json_array_append_new(known, known_json(c, &c->known[i]));
	for (i = 0; i < c->notes; i++)
		json_array_append_new(notes, json_string(c->note[i]));
	json_put_int(o, "submission", c->submission);
	json_put_str(o, "baseline", c->kernel[c->baseline].name);
	json_put_bool(o, "complete", c->complete);
	json_put_int(o, "last_boot", c->last_fact);
	json_put(o, "last_known", c->last_known ? json_integer(c->last_known) : NULL);
	json_put(o, "cells", cells);
	json_put(o, "rows", rows);
	json_put(o, "thrown_out", thrown);
	json_put(o, "known_faults", known);
	json_put(o, "notes", notes);
	text = json_text(o);
	json_decref(o);
	return text;
}
