/*
 * verdict_cell.h - one cell of a comparison: board x case x kernel.
 *
 * verdict.c lays cells out and stores them; verdict_looks.c judges many at once.
 */
#ifndef FOLDWATCH_SERVER_VERDICT_CELL_H
#define FOLDWATCH_SERVER_VERDICT_CELL_H

#include "lib/stat/welch.h"
#include "server/verdict_facts.h"

#define ALL_BOOTS INT64_MAX

/* A kernel's values in one slot, as lib/stat takes them; memory of the pool. */
struct side {
	struct stat_side stat;
	int64_t *layout; /* one a boot */
	double *run;
	size_t runs;
};

/* Of the boots that count, those whose number (on a deterministic board: phase)
 * is below `boots`. */
struct side verdict_side(struct pool *p, const struct facts *f, const struct slot *s,
                         int64_t boots);

/* Layouts that both sides were measured in: paired on a deterministic board, the
 * fewer on others. 1: a single one. */
size_t verdict_layouts(const struct facts *f, size_t board, const struct side *base,
                       const struct side *side);

/* Threshold, floor and direction on that board, and the spread that others have in
 * that case. */
struct stat_rule verdict_rule(const struct facts *f, size_t board, size_t case_, size_t layouts);

/* Why a kernel has no number in a slot: its verdict and the sentence. */
enum verdict verdict_no_number(const struct facts *f, struct pool *p, size_t board, size_t kernel,
                               const struct slot *s, const char **why);
/* Boots that were thrown out, or gave no number for the case. */
int64_t verdict_invalid_boots(const struct facts *f, size_t board, size_t kernel,
                              const struct slot *s);

/* Kernel k against the baseline by itself: no looks, no correction. */
void verdict_judge(const struct facts *f, struct pool *p, size_t board, size_t case_, size_t k,
                   const struct side *base, const struct side *side, struct stat_result *r);

#endif
