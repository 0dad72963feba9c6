/*
 * frame.h - what stands before and after every table; inside lib/report only.
 */
#ifndef FOLDWATCH_REPORT_FRAME_H
#define FOLDWATCH_REPORT_FRAME_H

#include "lib/report/report.h"
#include "lib/report/text.h"
#include "lib/report/view.h"

/* Iterations, runs, boots or phases, and which way is which. */
void frame_head(const struct view *v, const struct view_block *b, struct buf *out);
/* Baseline, the other kernels, what was thrown out and why, notes, address. */
void frame_foot(const struct view *v, const struct report_opts *o, struct buf *out);

/* Kernels' names in the order of rows. */
void frame_kernels(const struct view *v, size_t width, struct labels *l);

/* "slower", or "more" where instructions are counted. */
const char *frame_verdict(const struct view *v, const struct cmp_cell *cell);
/* The list's two columns: the change (0.0% for the baseline, a word for skip and
 * invalid, "-" where there is no cell) and the row's own spread. */
void frame_columns(const struct view *v, const struct cmp_cell *cell, char mean[PERCENT_TEXT],
                   char stdev[PERCENT_TEXT]);
/* True for a cell that shows a word instead of a number. */
bool frame_has_no_number(const struct cmp_cell *cell);

#endif
