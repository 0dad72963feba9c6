/*
 * preset.h - plans with a name: what a mail means by "as we always measure it".
 *
 *     seed-fork      fork of 1 GiB at order 0 and 9, 100 iterations, 8 runs over
 *                    2 boots: the lists' table. Two boots are no verdict.
 *     contpte-quick  every operation at orders 0, 4 and 9, in small regions: some
 *                    seconds a boot on the virtual board
 *     contpte-full   every operation at orders 0, 2, 3, 4, 5 and 9, at the sizes of
 *                    the lists
 *
 * Orders and words are those of pages of 4K. For a kernel with others a preset asks
 * the same questions in other words (skew=16K instead of skew=4K): one page, all
 * but one page of a block, the order that fills a block.
 */
#ifndef FOLDWATCH_PRESET_H
#define FOLDWATCH_PRESET_H

#include "lib/buf.h"
#include "lib/err.h"

#include <jansson.h>
#include <stdint.h>

enum preset_orders { ORDERS_LISTS, ORDERS_QUICK, ORDERS_FULL, ORDERS_KINDS };

struct preset {
	const char *name;
	int64_t boots, runs, iterations, warmup; /* -1: the service's own */
	enum preset_orders orders;
	bool small;                    /* regions of the quick size, else each operation's own */
	const char *const *operations; /* "mremap,skew={page}"; closed by NULL */
};

/* The words of one size of pages. */
struct preset_pages {
	const char *page, *rest, *block; /* one page, a block without one, a block */
	const char *control;             /* the move of whole page tables; NULL: left out */
	const char *small;               /* size of small regions */
	const int *orders[ORDERS_KINDS]; /* closed by -1 */
};

/* ERR_INPUT with the names that are known. */
enum err preset_find(const char *name, const struct preset **out, struct why *w);
/* `name` is 4K, 16K or 64K; NULL: 4K. */
enum err preset_pages_find(const char *name, const struct preset_pages **out, struct why *w);
/* Its cases, in canonical form, appended to the array. */
void preset_cases(const struct preset *p, const struct preset_pages *pages, json_t *cases);
/* The whole as a plan for foldbench. What the preset leaves to the service is 1
 * run, 5 iterations and 1 warm-up. */
void preset_plan(const struct preset *p, const struct preset_pages *pages, struct buf *out);

#endif
