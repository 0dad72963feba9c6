#include "lib/report/frame.h"

#include "lib/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_MAX       300 /* bytes of a reason; the whole stands in the JSON */
#define THROWN_MAX    20  /* lines */
#define BOOT_IDS_MAX  8   /* ids named in one line */
#define COMMIT_DIGITS 12  /* as kernel people quote them */

static const char *plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

/* A submission without a plan (imports): what the cells hold. */
static void head_from_cells(const struct view *v, const struct view_block *b, const char *what,
                            const char *unit, struct buf *out)
{
	int64_t low = INT64_MAX, high = 0;

	for (size_t i = 0; i < v->c->cells; i++) {
		const struct cmp_cell *x = &v->c->cell[i];

		if (!view_in_block(b, x))
			continue;
		low = x->boots < low ? x->boots : low;
		high = x->boots > high ? x->boots : high;
	}
	if (low >= high)
		text_wrapf(out, 0, "%s, %" PRId64 " %s%s a kernel;", what, high, unit,
		           plural(high));
	else
		text_wrapf(out, 0, "%s, %" PRId64 " to %" PRId64 " %ss a kernel;", what, low, high,
		           unit);
}

static void head_plan(const struct view *v, const struct view_block *b, const char *what,
                      struct buf *out)
{
	const struct cmp_plan *p = &v->c->plan;
	const char *unit = b->deterministic ? "phase" : "boot";

	if (p->boots <= 0)
		head_from_cells(v, b, what, unit, out);
	else if (p->runs <= 0)
		text_wrapf(out, 0, "%s, %" PRId64 " %s%s a kernel;", what, p->boots, unit,
		           plural(p->boots));
	else
		text_wrapf(out, 0, "%s, %" PRId64 " %s%s a kernel, %" PRId64 " run%s a %s;", what,
		           p->boots, unit, plural(p->boots), p->runs, plural(p->runs), unit);
	if (p->iterations <= 0)
		text_wrapf(out, 0, "per run: median of its iterations after warm-up;");
	else if (p->warmup <= 0)
		text_wrapf(out, 0, "per run: median of %" PRId64 " iteration%s;", p->iterations,
		           plural(p->iterations));
	else
		text_wrapf(out, 0,
		           "per run: median of %" PRId64 " iteration%s, after %" PRId64
		           " of warm-up;",
		           p->iterations, plural(p->iterations), p->warmup);
}

void frame_head(const struct view *v, const struct view_block *b, struct buf *out)
{
	const struct cmp_metric *m = &v->c->metric[b->metric];
	const char *unit = m->unit ? m->unit : m->name;

	if (!v->c->complete)
		text_wrapf(out, 0, "Not complete yet: results are still to come.");
	if (cmp_counts_instructions(v->c, b->metric)) {
		head_plan(v, b, "Retired instructions", out);
		text_wrapf(out, 0, "positive is more instructions; %s",
		           b->emulated ? "emulated, not time" : "not time");
	} else if (strcmp(m->name, "ns") == 0) {
		head_plan(v, b, "Time", out);
		text_wrapf(out, 0, "positive is slower%s",
		           b->emulated ? "; emulated, not hardware" : "");
	} else {
		char *what = strcmp(unit, m->name) == 0
		                     ? xasprintf("Metric %s", m->name)
		                     : xasprintf("Metric %s in %s", m->name, unit);

		head_plan(v, b, what, out);
		text_wrapf(out, 0, "positive is %s%s", m->more_is_better ? "faster" : "slower",
		           b->emulated ? "; emulated, not hardware" : "");
		free(what);
	}
	if (v->c->previous)
		text_wrapf(out, 0, "each row is against the kernel in the row above it");
	buf_addc(out, '\n');
}

/* ---- foot */

static void add_part(struct buf *b, const char *word, const char *value)
{
	if (value && *value)
		buf_addf(b, "%s%s %s", b->len ? ", " : "", word, value);
}

static void add_commit(struct buf *b, const struct cmp_kernel *k)
{
	char digits[COMMIT_DIGITS + 1];

	if (k->commit && *k->commit) {
		snprintf(digits, sizeof(digits), "%s", k->commit);
		add_part(b, "commit", digits);
		if (k->subject && *k->subject)
			buf_addf(b, " (\"%s\")", k->subject);
	} else if (k->image && *k->image) {
		snprintf(digits, sizeof(digits), "%s", k->image);
		add_part(b, "prebuilt image", digits);
	}
}

static void foot_kernels(const struct view *v, struct buf *out)
{
	const struct cmp_kernel *base = &v->c->kernel[v->c->baseline];
	struct buf b;

	buf_init(&b, 64 * 1024);
	for (size_t i = 0; i < v->c->kernels; i++) {
		const struct cmp_kernel *k = &v->c->kernel[v->kernel[i]];
		bool same = i > 0 && k->commit && str_eq(k->commit, base->commit);

		buf_reset(&b);
		if (same)
			buf_adds(&b, "same commit");
		else
			add_commit(&b, k);
		add_part(&b, "config", k->config);
		if (i == 0 || !str_eq(k->compiler, base->compiler))
			add_part(&b, "compiler", k->compiler);
		text_wrapf(out, 4, "%s %s: %s.", i ? "Kernel" : "Baseline", k->name,
		           b.len ? b.data : "nothing is known of its source");
	}
	buf_release(&b);
}

static bool same_reason(const struct cmp_thrown *a, const struct cmp_thrown *b)
{
	return a->board == b->board && a->kernel == b->kernel && str_eq(a->why, b->why) &&
	       str_eq(a->signature, b->signature);
}

static void foot_group(const struct cmp *c, size_t first, struct buf *out)
{
	const struct cmp_thrown *t = &c->thrown[first];
	size_t n = 0;
	struct buf ids;

	buf_init(&ids, 4096);
	for (size_t i = first; i < c->throwns; i++) {
		if (!same_reason(&c->thrown[i], t))
			continue;
		if (n == BOOT_IDS_MAX)
			buf_adds(&ids, ", ...");
		if (n++ >= BOOT_IDS_MAX)
			continue;
		buf_addf(&ids, "%s%" PRId64, n > 1 ? ", " : "", c->thrown[i].boot);
		if (c->thrown[i].phase >= 0)
			buf_addf(&ids, " (phase %" PRId64 ")", c->thrown[i].phase);
	}
	text_wrapf(out, 4, "- %s, %s, boot%s %s: %.*s%s%s%s%s", c->board[t->board].name,
	           c->kernel[t->kernel].name, plural((int64_t)n), ids.data, WHY_MAX,
	           t->why ? t->why : "no reason was given",
	           t->why && strlen(t->why) > WHY_MAX ? "..." : "", t->signature ? " [" : "",
	           t->signature ? t->signature : "", t->signature ? "]" : "");
	buf_release(&ids);
}

static void foot_thrown(const struct cmp *c, struct buf *out)
{
	size_t lines = 0;

	if (c->throwns == 0) {
		text_wrapf(out, 4, "Thrown out: nothing.");
		return;
	}
	text_wrapf(out, 4, "Thrown out: %zu boot%s.", c->throwns, plural((int64_t)c->throwns));
	for (size_t i = 0; i < c->throwns; i++) {
		size_t earlier = 0;

		while (earlier < i && !same_reason(&c->thrown[earlier], &c->thrown[i]))
			earlier++;
		if (earlier < i)
			continue;
		if (lines++ < THROWN_MAX)
			foot_group(c, i, out);
	}
	if (lines > THROWN_MAX)
		text_wrapf(out, 4, "- and %zu other reasons", lines - THROWN_MAX);
}

static void foot_known(const struct cmp *c, struct buf *out)
{
	size_t at = 0;
	char *text;

	while ((text = cmp_footnote(c, NULL, &at))) {
		text_wrapf(out, 4, "Known fault: %s.", text);
		free(text);
	}
}

void frame_foot(const struct view *v, const struct report_opts *o, struct buf *out)
{
	if (v->c->kernels)
		foot_kernels(v, out);
	foot_thrown(v->c, out);
	foot_known(v->c, out);
	for (size_t i = 0; i < v->c->notes; i++)
		text_wrapf(out, 4, "Note: %s.", v->c->note[i]);
	if (o && o->address)
		text_wrapf(out, 0, "%s", o->address);
}

/* ---- cells */

void frame_kernels(const struct view *v, size_t width, struct labels *l)
{
	const char **names = xcalloc(v->c->kernels ? v->c->kernels : 1, sizeof(*names));

	for (size_t i = 0; i < v->c->kernels; i++)
		names[i] = v->c->kernel[v->kernel[i]].name;
	labels_init(l, names, v->c->kernels, width);
	free(names);
}

const char *frame_verdict(const struct view *v, const struct cmp_cell *cell)
{
	if (cmp_counts_instructions(v->c, cell->metric)) {
		if (cell->verdict == VERDICT_SLOWER)
			return "more";
		if (cell->verdict == VERDICT_FASTER)
			return "fewer";
	}
	return verdict_name(cell->verdict);
}

bool frame_has_no_number(const struct cmp_cell *cell)
{
	return cell->verdict == VERDICT_SKIP || cell->verdict == VERDICT_INVALID;
}

void frame_columns(const struct view *v, const struct cmp_cell *cell, char mean[PERCENT_TEXT],
                   char stdev[PERCENT_TEXT])
{
	snprintf(mean, PERCENT_TEXT, "-");
	snprintf(stdev, PERCENT_TEXT, "-");
	if (!cell)
		return;
	if (frame_has_no_number(cell)) {
		snprintf(mean, PERCENT_TEXT, "%s", verdict_name(cell->verdict));
		return;
	}
	text_percent(mean, cmp_is_baseline(v->c, cell) ? 0 : cell->change, 1, false);
	text_percent(stdev, cell->std_rel, 1, false);
}
