/* Markdown's table of all cells, and CSV: whole names, no width. */
#include "lib/mem.h"
#include "lib/report/lists.h"
#include "lib/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Valid UTF-8 without control characters but those in `keep`. */
static char *scrub(const char *s, const char *keep)
{
	size_t len = s ? strlen(s) : 0, at = 0, step;
	char *out = xmalloc(len + 1);

	for (size_t i = 0; i < len; i += step ? step : 1) {
		unsigned char c = (unsigned char)s[i];

		step = utf8_step(s + i, len - i);
		if (step == 0)
			out[at++] = '?';
		else if ((c < 0x20 && !strchr(keep, c)) || c == 0x7f)
			out[at++] = ' ';
		else
			for (size_t k = 0; k < step; k++)
				out[at++] = s[i + k];
	}
	out[at] = '\0';
	return out;
}

/* ---- Markdown */

static void md_text(struct buf *out, const char *s)
{
	char *clean = scrub(s, "");

	for (const char *p = clean; *p; p++) {
		if (*p == '&') {
			buf_adds(out, "&amp;");
			continue;
		}
		if (strchr("\\`*_{}[]<>()#+!|~$\"'", *p))
			buf_addc(out, '\\');
		buf_addc(out, *p);
	}
	free(clean);
}

static void md_cell(struct buf *out, const char *s)
{
	buf_adds(out, "| ");
	md_text(out, s);
	buf_addc(out, ' ');
}

static void md_percent(struct buf *out, double fraction)
{
	char p[PERCENT_TEXT];

	text_percent(p, fraction, 2, true);
	buf_addf(out, "| %s ", p);
}

static void md_row(const struct view *v, const struct cmp_cell *x, struct buf *out)
{
	const struct cmp *c = v->c;

	md_cell(out, c->board[x->board].name);
	md_cell(out, c->kernel[x->kernel].name);
	md_cell(out, c->case_[x->case_]);
	md_percent(out, x->change);
	md_percent(out, x->low);
	md_percent(out, x->high);
	buf_addf(out, "| %s%s | %" PRId64, frame_verdict(v, x), x->skewed ? ", skewed" : "",
	         x->boots);
	if (x->invalid_boots > 0)
		buf_addf(out, " (%" PRId64 " out)", x->invalid_boots);
	buf_addc(out, ' ');
	md_cell(out, x->why ? x->why : "");
	buf_adds(out, "|\n");
}

static void md_block(const struct view *v, const struct view_block *b, struct buf *out)
{
	struct buf head;

	buf_init(&head, 4096);
	frame_head(v, b, &head);
	md_text(out, head.data); /* its newlines become blanks */
	buf_release(&head);
	buf_adds(out, "\n\n| board | kernel | case | change | from | to | verdict | boots | why |\n"
	              "|:--|:--|:--|--:|--:|--:|:--|--:|:--|\n");
	for (size_t k = 0; k < b->boards; k++)
		for (size_t j = 1; j < v->c->kernels; j++)
			for (size_t s = 0; s < v->c->cases; s++) {
				const struct cmp_cell *x =
				        view_cell(v, b->board[k], s, b->metric, v->kernel[j]);

				if (x)
					md_row(v, x, out);
			}
	buf_addc(out, '\n');
}

void markdown_summary(const struct view *v, const struct report_opts *o, struct buf *out)
{
	if (v->blocks == 0)
		buf_adds(out, "No result.\n\n");
	for (size_t i = 0; i < v->blocks; i++)
		md_block(v, &v->block[i], out);
	buf_adds(out, "`````text\n");
	frame_foot(v, o, out);
	buf_adds(out, "`````\n");
}

/* ---- CSV */

/* A spreadsheet takes text that begins like this for a formula. */
static bool like_a_formula(const char *s)
{
	s += strspn(s, " ");
	return *s && strchr("=+-@\t\r\n", *s);
}

static void csv_text(struct buf *out, const char *s)
{
	char *clean = scrub(s, "\t\r\n");
	const char *mark = like_a_formula(clean) ? "'" : "";

	if (!strpbrk(clean, "\",\r\n") && clean[0] != ' ') {
		buf_addf(out, "%s%s", mark, clean);
	} else {
		buf_addf(out, "\"%s", mark);
		for (const char *p = clean; *p; p++) {
			if (*p == '"')
				buf_addc(out, '"');
			buf_addc(out, *p);
		}
		buf_addc(out, '"');
	}
	free(clean);
}

/* The shortest decimal that reads back as the same double. */
static void csv_real(struct buf *out, double x)
{
	char text[40];

	if (!isfinite(x))
		return;
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, x);
		if (strtod(text, NULL) == x)
			break;
	}
	buf_adds(out, text);
}

enum csv_kind { CSV_TEXT, CSV_REAL, CSV_INT, CSV_BOOL };

struct csv_field {
	enum csv_kind kind;
	const char *text;
	double real;
	int64_t number;
};

static const char csv_head[] =
        "board,kernel,case,metric,statistic,mean,change,low,high,std_rel,boots,invalid_boots,runs,"
        "verdict,why,skewed,at_most,base_mean,tau,needed,across,covariates,footnotes\r\n";

/* "board.qemu: 7.2 -> 9.1; ..."; free() it. */
static char *across_text(const struct cmp *c, const struct cmp_cell *x)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < c->acrosses; i++) {
		const struct cmp_across *a = &c->across[i];
		char *longer;

		if (a->board != x->board || a->kernel != x->kernel)
			continue;
		longer = xasprintf("%s%s%s: %s -> %s", text, *text ? "; " : "", a->field,
		                   a->one ? a->one : "absent", a->other ? a->other : "absent");
		free(text);
		text = longer;
	}
	return text;
}

/* "cycles: 2000000 -> 2060000 (+3.00 %); ..."; free() it. */
static char *covariates(const struct cmp *c, const struct cmp_cell *x)
{
	struct buf b;
	char *text;

	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < c->covariates; i++) {
		const struct cmp_covariate *v = &c->covariate[i];

		if (&c->cell[v->cell] != x)
			continue;
		buf_addf(&b, "%s%s: ", b.len ? "; " : "", v->name);
		csv_real(&b, v->base);
		buf_adds(&b, isnan(v->base) ? "absent -> " : " -> ");
		csv_real(&b, v->mean);
		buf_adds(&b, isnan(v->mean) ? "absent" : "");
		if (isfinite(v->change))
			buf_addf(&b, " (%+.2f %%)", 100 * v->change);
	}
	text = buf_take(&b, NULL);
	buf_release(&b);
	return text ? text : xstrdup("");
}

/* All of a cell's footnotes; free() it. */
static char *footnotes(const struct cmp *c, const struct cmp_cell *x)
{
	char *all = xstrdup(""), *one, *longer;
	size_t at = 0;

	while ((one = cmp_footnote(c, x, &at))) {
		longer = xasprintf("%s%s%s", all, *all ? "; " : "", one);
		free(all);
		free(one);
		all = longer;
	}
	return all;
}

static void csv_row(const struct cmp *c, const struct cmp_cell *x, struct buf *out)
{
	char *across = across_text(c, x), *foot = footnotes(c, x), *counted = covariates(c, x);
	const struct csv_field field[] = {
	        {CSV_TEXT, .text = c->board[x->board].name},
	        {CSV_TEXT, .text = c->kernel[x->kernel].name},
	        {CSV_TEXT, .text = c->case_[x->case_]},
	        {CSV_TEXT, .text = c->metric[x->metric].name},
	        {CSV_TEXT, .text = CMP_STATISTIC},
	        {CSV_REAL, .real = x->mean},
	        {CSV_REAL, .real = x->change},
	        {CSV_REAL, .real = x->low},
	        {CSV_REAL, .real = x->high},
	        {CSV_REAL, .real = x->std_rel},
	        {CSV_INT, .number = x->boots},
	        {CSV_INT, .number = x->invalid_boots},
	        {CSV_INT, .number = x->runs},
	        {CSV_TEXT, .text = verdict_name(x->verdict)},
	        {CSV_TEXT, .text = x->why},
	        {CSV_BOOL, .number = x->skewed},
	        {CSV_REAL, .real = x->at_most},
	        {CSV_REAL, .real = x->base_mean},
	        {CSV_REAL, .real = x->tau},
	        {CSV_INT, .number = x->needed},
	        {CSV_TEXT, .text = across},
	        {CSV_TEXT, .text = counted},
	        {CSV_TEXT, .text = foot},
	};

	for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
		const struct csv_field *f = &field[i];

		if (i)
			buf_addc(out, ',');
		if (f->kind == CSV_TEXT)
			csv_text(out, f->text);
		else if (f->kind == CSV_REAL)
			csv_real(out, f->real);
		else if (f->kind == CSV_BOOL)
			buf_adds(out, f->number ? "true" : "false");
		else if (f->number >= 0) /* needed: -1 is null */
			buf_addf(out, "%" PRId64, f->number);
	}
	buf_adds(out, "\r\n");
	free(across);
	free(counted);
	free(foot);
}

void report_csv(const struct cmp *c, struct buf *out)
{
	buf_adds(out, csv_head);
	for (size_t i = 0; i < c->cells; i++)
		if (!cmp_is_baseline(c, &c->cell[i]))
			csv_row(c, &c->cell[i], out);
}
