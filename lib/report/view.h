/*
 * view.h - a comparison arranged for printing: blocks, rows, cells by index;
 * inside lib/report only.
 */
#ifndef FOLDWATCH_REPORT_VIEW_H
#define FOLDWATCH_REPORT_VIEW_H

#include "lib/compare.h"

/* What may stand in one table: one metric on boards of one nature. */
struct view_block {
	size_t metric;
	bool emulated, deterministic;
	size_t *board; /* indices, in the comparison's order */
	size_t boards;
};

/* A case's words: "fork", "order-9", "256M, skew 4K". */
struct view_case {
	char *bench;
	char *order;   /* "no order" where the case has none */
	char *rest;    /* "" when there is no other parameter */
	char *caption; /* all of them: "mremap, order-9, 16M, skew 4K" */
	char *brief;   /* "mremap o9 16M skew 4K" */
};

struct view {
	const struct cmp *c;
	size_t *kernel;           /* order of rows: the baseline first */
	struct view_block *block; /* hardware before emulated */
	size_t blocks;
	struct view_case *case_; /* parallel to c->case_ */
	size_t *at;              /* cell's index + 1, by board, case, metric, kernel */
};

void view_init(struct view *v, const struct cmp *c);
void view_release(struct view *v);
/* NULL when there is none. */
const struct cmp_cell *view_cell(const struct view *v, size_t board, size_t case_, size_t metric,
                                 size_t kernel);
/* True for a cell of that metric on one of the block's boards. */
bool view_in_block(const struct view_block *b, const struct cmp_cell *x);
/* True when any kernel has a cell there. */
bool view_any(const struct view *v, size_t board, size_t case_, size_t metric);

#endif
