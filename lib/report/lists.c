#include "lib/report/lists.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_legend(struct buf *legend, struct buf *out)
{
	if (legend->len) {
		buf_add(out, legend->data, legend->len);
		buf_addc(out, '\n');
	}
	buf_release(legend);
}

/* ---- reply: the table that tabulate's "pipe" format prints */

#define MEAN_REL   10 /* widths of the numbers' columns */
#define STD_REL    9
#define REPLY_NAME (REPORT_COLUMNS - MEAN_REL - STD_REL - 10)

static void reply_row(struct buf *out, const char *name, size_t width, const char *mean,
                      const char *stdev)
{
	buf_adds(out, "| ");
	text_left(out, name, width);
	buf_adds(out, " | ");
	text_right(out, mean, MEAN_REL);
	buf_adds(out, " | ");
	text_right(out, stdev, STD_REL);
	buf_adds(out, " |\n");
}

static void reply_rule(struct buf *out, size_t width)
{
	buf_adds(out, "|:");
	text_fill(out, '-', width + 1);
	buf_addc(out, '|');
	text_fill(out, '-', MEAN_REL + 1);
	buf_adds(out, ":|");
	text_fill(out, '-', STD_REL + 1);
	buf_adds(out, ":|\n");
}

/* Why a word stands where a number should. */
static void reason(struct buf *out, const char *where, const char *kernel,
                   const struct cmp_cell *cell)
{
	if (cell && frame_has_no_number(cell))
		text_wrapf(out, 4, "- %s%s%s: %s: %s", where, *where ? ", " : "", kernel,
		           verdict_name(cell->verdict),
		           cell->why ? cell->why : "no reason was given");
}

static void reply_table(const struct view *v, const struct view_block *b, size_t board,
                        size_t case_, const struct labels *names, struct buf *out)
{
	size_t width = labels_width(names);
	struct buf below;

	/* tabulate leaves a heading two blanks of room */
	width = width < strlen("kernel") + 2 ? strlen("kernel") + 2 : width;
	buf_init(&below, 1 << 20);
	text_wrapf(out, 4, "%s, %s:", v->case_[case_].caption, v->c->board[board].name);
	buf_addc(out, '\n');
	reply_row(out, "kernel", width, "mean_rel", "std_rel");
	reply_rule(out, width);
	for (size_t i = 0; i < v->c->kernels; i++) {
		const struct cmp_cell *cell = view_cell(v, board, case_, b->metric, v->kernel[i]);
		char mean[PERCENT_TEXT], stdev[PERCENT_TEXT];

		frame_columns(v, cell, mean, stdev);
		reply_row(out, names->label[i], width, mean, stdev);
		reason(&below, "", names->label[i], cell);
	}
	buf_add(out, below.data, below.len);
	buf_release(&below);
	buf_addc(out, '\n');
}

void list_reply(const struct view *v, struct buf *out)
{
	struct labels names;
	struct buf legend;

	buf_init(&legend, 1 << 20);
	frame_kernels(v, REPLY_NAME, &names);
	for (size_t i = 0; i < v->blocks; i++) {
		const struct view_block *b = &v->block[i];

		frame_head(v, b, out);
		for (size_t s = 0; s < v->c->cases; s++)
			for (size_t k = 0; k < b->boards; k++)
				if (view_any(v, b->board[k], s, b->metric))
					reply_table(v, b, b->board[k], s, &names, out);
	}
	labels_legend(&names, &legend);
	labels_release(&names);
	put_legend(&legend, out);
}

/* ---- commit and cover: groups of two columns side by side */

#define GROUP_NAME 17 /* bytes of a group's heading */
#define FIRST_NAME 24 /* bytes of the first column while groups are shared out */

struct group {
	const char *name; /* heading: a board or an order */
	size_t board, case_;
};

struct groups {
	const char *corner[3]; /* "fork", "order-9", "256M" */
	size_t metric;
	struct group *group;
	size_t n;
	struct buf *legend; /* of all tables */
};

struct column {
	size_t mean, stdev; /* widths */
};

static size_t longer(size_t width, const char *text)
{
	size_t len = strlen(text);

	return len > width ? len : width;
}

static struct column group_width(const struct view *v, const struct groups *g, size_t i,
                                 const char *heading)
{
	struct column c = {strlen("mean") + 1, strlen("stdev")};
	size_t need = strlen(heading);

	for (size_t k = 0; k < v->c->kernels; k++) {
		char mean[PERCENT_TEXT], stdev[PERCENT_TEXT];

		frame_columns(v, view_cell(v, g->group[i].board, g->group[i].case_, g->metric, k),
		              mean, stdev);
		c.mean = longer(c.mean, mean);
		c.stdev = longer(c.stdev, stdev);
	}
	if (c.mean + 3 + c.stdev < need)
		c.mean = need - 3 - c.stdev;
	return c;
}

/* One line: the first column, then per group either its heading, a rule, or two
 * texts. */
static void first_cell(struct buf *out, const char *text, size_t width)
{
	buf_adds(out, "| ");
	text_left(out, text, width);
	buf_adds(out, " |");
}

static void two_cells(struct buf *out, const struct column *c, const char *mean, const char *stdev)
{
	buf_addc(out, ' ');
	text_right(out, mean, c->mean);
	buf_adds(out, " | ");
	text_right(out, stdev, c->stdev);
	buf_adds(out, " |");
}

static void group_heads(struct buf *out, char *const corner[3], size_t first,
                        const struct labels *heads, const struct column *col, size_t from,
                        size_t to)
{
	first_cell(out, corner[0], first);
	for (size_t i = from; i < to; i++) {
		buf_addc(out, ' ');
		text_right(out, heads->label[i], col[i].mean + 3 + col[i].stdev);
		buf_adds(out, " |");
	}
	buf_addc(out, '\n');
	first_cell(out, corner[1], first);
	for (size_t i = from; i < to; i++) {
		text_fill(out, '-', col[i].mean + col[i].stdev + 5);
		buf_addc(out, '|');
	}
	buf_addc(out, '\n');
	first_cell(out, corner[2], first);
	for (size_t i = from; i < to; i++)
		two_cells(out, &col[i], "mean", "stdev");
	buf_addc(out, '\n');
	buf_addc(out, '|');
	text_fill(out, '-', first + 2);
	buf_addc(out, '|');
	for (size_t i = from; i < to; i++) {
		text_fill(out, '-', col[i].mean + 2);
		buf_addc(out, '|');
		text_fill(out, '-', col[i].stdev + 2);
		buf_addc(out, '|');
	}
	buf_addc(out, '\n');
}

static void group_rows(const struct view *v, const struct groups *g, size_t room,
                       const struct labels *heads, const struct column *col, size_t from, size_t to,
                       struct buf *out)
{
	char *corner[3];
	struct labels names;
	struct buf below;
	size_t first;

	buf_init(&below, 1 << 20);
	frame_kernels(v, room, &names);
	first = labels_width(&names);
	for (int i = 0; i < 3; i++) {
		corner[i] = text_cut(g->corner[i], room);
		first = longer(first, corner[i]);
	}
	group_heads(out, corner, first, heads, col, from, to);
	for (size_t k = 0; k < v->c->kernels; k++) {
		first_cell(out, names.label[k], first);
		for (size_t i = from; i < to; i++) {
			const struct cmp_cell *cell = view_cell(
			        v, g->group[i].board, g->group[i].case_, g->metric, v->kernel[k]);
			char mean[PERCENT_TEXT], stdev[PERCENT_TEXT];

			frame_columns(v, cell, mean, stdev);
			two_cells(out, &col[i], mean, stdev);
			reason(&below, heads->label[i], names.label[k], cell);
		}
		buf_addc(out, '\n');
	}
	buf_add(out, below.data, below.len);
	labels_legend(&names, g->legend);
	for (int i = 0; i < 3; i++) {
		text_legend(corner[i], g->corner[i], g->legend);
		free(corner[i]);
	}
	labels_release(&names);
	buf_release(&below);
}

/* As many groups beside each other as 72 columns hold, then a further table. */
static void group_tables(const struct view *v, const struct groups *g, struct buf *out)
{
	const char **names = xcalloc(g->n, sizeof(*names));
	struct column *col = xcalloc(g->n, sizeof(*col));
	struct labels heads, kernels;
	size_t first;

	for (size_t i = 0; i < g->n; i++)
		names[i] = g->group[i].name;
	labels_init(&heads, names, g->n, GROUP_NAME);
	for (size_t i = 0; i < g->n; i++)
		col[i] = group_width(v, g, i, heads.label[i]);
	frame_kernels(v, FIRST_NAME, &kernels);
	first = labels_width(&kernels);
	for (int i = 0; i < 3; i++)
		first = longer(first, g->corner[i]);
	first = first > FIRST_NAME ? FIRST_NAME : first;
	for (size_t from = 0, to; from < g->n; from = to) {
		size_t used = 0;

		for (to = from; to < g->n; to++) {
			size_t one = col[to].mean + col[to].stdev + 6;

			if (to > from && first + 4 + used + one > REPORT_COLUMNS)
				break;
			used += one;
		}
		group_rows(v, g, REPORT_COLUMNS - 4 - used, &heads, col, from, to, out);
		buf_addc(out, '\n');
	}
	labels_legend(&heads, g->legend);
	labels_release(&kernels);
	labels_release(&heads);
	free(col);
	free(names);
}

void list_commit(const struct view *v, struct buf *out)
{
	struct group *group = xcalloc(v->c->boards ? v->c->boards : 1, sizeof(*group));
	struct buf legend;

	buf_init(&legend, 1 << 20);
	for (size_t i = 0; i < v->blocks; i++) {
		const struct view_block *b = &v->block[i];

		frame_head(v, b, out);
		for (size_t s = 0; s < v->c->cases; s++) {
			const struct view_case *w = &v->case_[s];
			struct groups g = {
			        {w->bench, w->order, w->rest}, b->metric, group, 0, &legend};

			for (size_t k = 0; k < b->boards; k++) {
				size_t board = b->board[k];

				if (view_any(v, board, s, b->metric))
					group[g.n++] =
					        (struct group){v->c->board[board].name, board, s};
			}
			if (g.n)
				group_tables(v, &g, out);
		}
	}
	put_legend(&legend, out);
	free(group);
}

static bool same_but_for_order(const struct view_case *a, const struct view_case *b)
{
	return strcmp(a->bench, b->bench) == 0 && strcmp(a->rest, b->rest) == 0;
}

static void cover_table(const struct view *v, const struct view_block *b, size_t board,
                        size_t case_, struct group *group, struct buf *legend, struct buf *out)
{
	const struct view_case *w = &v->case_[case_];
	char *name = text_ascii(v->c->board[board].name, true);
	struct groups g = {{w->bench, w->rest, name}, b->metric, group, 0, legend};

	for (size_t s = case_; s < v->c->cases; s++)
		if (same_but_for_order(w, &v->case_[s]) && view_any(v, board, s, b->metric))
			group[g.n++] = (struct group){v->case_[s].order, board, s};
	if (g.n)
		group_tables(v, &g, out);
	free(name);
}

void list_cover(const struct view *v, struct buf *out)
{
	struct group *group = xcalloc(v->c->cases ? v->c->cases : 1, sizeof(*group));
	struct buf legend;

	buf_init(&legend, 1 << 20);
	for (size_t i = 0; i < v->blocks; i++) {
		const struct view_block *b = &v->block[i];

		frame_head(v, b, out);
		for (size_t s = 0; s < v->c->cases; s++) {
			size_t earlier = 0;

			while (!same_but_for_order(&v->case_[earlier], &v->case_[s]))
				earlier++;
			if (earlier < s)
				continue; /* its table stands already */
			for (size_t k = 0; k < b->boards; k++)
				cover_table(v, b, b->board[k], s, group, &legend, out);
		}
	}
	put_legend(&legend, out);
	free(group);
}
