#include "lib/mem.h"
#include "lib/report/lists.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COL_CHANGE, COL_FROM, COL_TO, COL_VERDICT, COL_BOOTS, COLS };

static const char *const heads[COLS] = {"change", "from", "to", "verdict", "boots"};

struct row {
	const struct cmp_cell *cell;
	char text[COLS][PERCENT_TEXT];
	char *sentence; /* what stands below the table, or NULL */
};

static void precise(char out[PERCENT_TEXT], double fraction)
{
	text_percent(out, fraction, fabs(fraction) >= 1 ? 1 : 2, true);
}

/* "slower by at most +0.70% (95%)"; a bound below nothing turns it round. */
static void add_bound(const struct view *v, const struct cmp_cell *x, struct buf *b)
{
	static const char *const words[2][2] = {{"slower", "faster"},
	                                        {"more instructions", "fewer instructions"}};
	bool count = cmp_counts_instructions(v->c, x->metric);
	char p[PERCENT_TEXT];

	if (isnan(x->at_most) || !(x->verdict == VERDICT_SAME || x->verdict == VERDICT_UNSURE))
		return;
	text_percent(p, fabs(x->at_most), fabs(x->at_most) >= 1 ? 1 : 2, x->at_most >= 0);
	buf_addf(b, "%s%s by at %s %s (95%%)", b->len ? "; " : "", words[count][x->at_most < 0],
	         x->at_most < 0 ? "least" : "most", p);
}

static char *sentence(const struct view *v, const struct cmp_cell *x)
{
	char p[PERCENT_TEXT], *text;
	struct buf b;

	buf_init(&b, 8192);
	if (x->why)
		buf_addf(&b, "%s: %.*s", frame_verdict(v, x), 1000, x->why);
	add_bound(v, x, &b);
	if (x->skewed) {
		precise(p, x->mean_change);
		buf_addf(&b, "%sskewed: the iterations' mean says %s", b.len ? "; " : "", p);
	}
	text = b.len ? buf_take(&b, NULL) : NULL;
	buf_release(&b);
	return text;
}

/* "8", or "7/8" when one was thrown out. */
static void boots(char out[PERCENT_TEXT], const struct cmp_cell *x)
{
	if (x->boots > 9999 || x->invalid_boots > 9999)
		snprintf(out, PERCENT_TEXT, ">9999");
	else if (x->invalid_boots > 0)
		snprintf(out, PERCENT_TEXT, "%" PRId64 "/%" PRId64, x->boots,
		         x->boots + x->invalid_boots);
	else
		snprintf(out, PERCENT_TEXT, "%" PRId64, x->boots);
}

static void fill(const struct view *v, const struct cmp_cell *x, struct row *r)
{
	r->cell = x;
	precise(r->text[COL_CHANGE], x->change);
	precise(r->text[COL_FROM], x->low);
	precise(r->text[COL_TO], x->high);
	snprintf(r->text[COL_VERDICT], PERCENT_TEXT, "%s", frame_verdict(v, x));
	boots(r->text[COL_BOOTS], x);
	r->sentence = sentence(v, x);
}

/* Sentences below the table, each once, however many cells it is true of. */
static void sentences(const struct row *row, size_t n, const struct labels *names, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		size_t first = 0, all = 0;

		for (size_t j = 0; j < n; j++) {
			if (!str_eq(row[j].sentence, row[i].sentence))
				continue;
			if (all++ == 0)
				first = j;
		}
		if (!row[i].sentence || first < i)
			continue;
		if (all == n && n > 1)
			text_wrapf(out, 4, "- all: %s", row[i].sentence);
		else if (all > 1)
			text_wrapf(out, 4, "- %s and %zu more: %s", names->label[i], all - 1,
			           row[i].sentence);
		else
			text_wrapf(out, 4, "- %s: %s", names->label[i], row[i].sentence);
	}
}

static void print_line(struct buf *out, const char *name, size_t width,
                       const char text[COLS][PERCENT_TEXT], const size_t col[COLS])
{
	text_left(out, name, width);
	for (int i = 0; i < COLS; i++) {
		buf_adds(out, "  ");
		if (i == COL_VERDICT)
			text_left(out, text[i], col[i]);
		else
			text_right(out, text[i], col[i]);
	}
	buf_addc(out, '\n');
}

static void table(const struct view *v, const struct row *row, size_t n, struct buf *out)
{
	const char **cases = xcalloc(n, sizeof(*cases));
	char title[COLS][PERCENT_TEXT];
	size_t col[COLS] = {0}, used = 0, width;
	struct labels names;

	for (size_t i = 0; i < n; i++)
		cases[i] = v->case_[row[i].cell->case_].brief;
	for (int k = 0; k < COLS; k++) {
		snprintf(title[k], PERCENT_TEXT, "%s", heads[k]);
		col[k] = strlen(heads[k]);
		for (size_t i = 0; i < n; i++)
			if (strlen(row[i].text[k]) > col[k])
				col[k] = strlen(row[i].text[k]);
		used += col[k] + 2;
	}
	labels_init(&names, cases, n, REPORT_COLUMNS - used);
	width = labels_width(&names);
	print_line(out, "case", width, title, col);
	for (size_t i = 0; i < n; i++)
		print_line(out, names.label[i], width, row[i].text, col);
	sentences(row, n, &names, out);
	labels_legend(&names, out);
	labels_release(&names);
	free(cases);
}

static void one_kernel(const struct view *v, const struct view_block *b, size_t board,
                       size_t kernel, struct row *row, struct buf *out)
{
	size_t n = 0;

	for (size_t s = 0; s < v->c->cases; s++) {
		const struct cmp_cell *x = view_cell(v, board, s, b->metric, kernel);

		if (x)
			fill(v, x, &row[n++]);
	}
	if (n == 0)
		return;
	text_wrapf(out, 4, "Kernel %s against %s on %s:", v->c->kernel[kernel].name,
	           v->c->kernel[row[0].cell->base].name, v->c->board[board].name);
	buf_addc(out, '\n');
	table(v, row, n, out);
	buf_addc(out, '\n');
	for (size_t i = 0; i < n; i++)
		free(row[i].sentence);
}

struct range {
	double low, high;
};

static void widen(struct range *r, double x)
{
	r->low = fmin(r->low, x); /* of a number and a NAN: the number */
	r->high = fmax(r->high, x);
}

static void add_range(struct buf *b, const struct range *r)
{
	buf_addf(b, "%.3g%%", 100 * r->low);
	if (r->high > r->low)
		buf_addf(b, " to %.3g%%", 100 * r->high);
}

/* "12 cells: 3 more, 9 same", and what change and interval are measured by. */
static void totals(const struct view *v, const struct view_block *b, struct buf *out)
{
	size_t count[VERDICT_COUNT] = {0}, all = 0;
	struct range tau = {NAN, NAN}, level = {NAN, NAN};
	struct buf line;

	for (size_t i = 0; i < v->c->cells; i++) {
		const struct cmp_cell *x = &v->c->cell[i];

		if (cmp_is_baseline(v->c, x) || !view_in_block(b, x))
			continue;
		all++;
		count[x->verdict]++;
		if (frame_has_no_number(x))
			continue;
		widen(&tau, x->tau);
		widen(&level, x->level);
	}
	buf_init(&line, 4096);
	buf_addf(&line, "%zu cell%s", all, all == 1 ? "" : "s");
	for (int k = 0, n = 0; k < VERDICT_COUNT; k++) {
		struct cmp_cell word = {.metric = b->metric, .verdict = (enum verdict)k};

		if (count[k])
			buf_addf(&line, "%s %zu %s", n++ ? "," : ":", count[k],
			         frame_verdict(v, &word));
	}
	text_wrapf(out, 0, "%s.", line.data);
	buf_reset(&line);
	if (!isnan(tau.low)) {
		buf_adds(&line, "A change counts from tau = ");
		add_range(&line, &tau);
		buf_adds(&line, " on");
	}
	if (!isnan(level.low)) {
		buf_addf(&line, "%s interval (from, to) is at ",
		         line.len ? "; its" : "The change's");
		add_range(&line, &level);
	}
	if (line.len)
		text_wrapf(out, 0, "%s.", line.data);
	buf_addc(out, '\n');
	buf_release(&line);
}

void list_summary(const struct view *v, struct buf *out)
{
	struct row *row = xcalloc(v->c->cases ? v->c->cases : 1, sizeof(*row));

	for (size_t i = 0; i < v->blocks; i++) {
		const struct view_block *b = &v->block[i];

		frame_head(v, b, out);
		totals(v, b, out);
		for (size_t k = 0; k < b->boards; k++)
			for (size_t j = 1; j < v->c->kernels; j++)
				one_kernel(v, b, b->board[k], v->kernel[j], row, out);
	}
	free(row);
}
