/*
 * looks.h - many cells, looked at more than once.
 *
 * A comparison has many cells (cases x boards x kernels), and on a board with
 * noise it is looked at while its boots come in. Each cell on its own at 95 %
 * would alarm in one of twenty, at every look. So the looks are fixed
 * beforehand, each with its share of the false discoveries:
 *
 *     boots a kernel   3      6      10
 *     q                .01    .015   .025        5 % in all
 *
 * At a look Benjamini and Hochberg's step-up rule at that look's q is applied to
 * the p-values of all cells. What it rejects (the hypothesis "no difference")
 * stays rejected. The interval of a rejected cell is chosen by the data, so it
 * is widened to the level 1 - q * rejected / m (Benjamini & Yekutieli, "False
 * discovery rate-adjusted multiple confidence intervals for selected
 * parameters", JASA 100, 2005). `same` is given at the last look only. Boots
 * end when every cell is decided or the looks are spent.
 *
 * Not for the deterministic board: there each cell stands on its own interval.
 */
#ifndef FOLDWATCH_STAT_LOOKS_H
#define FOLDWATCH_STAT_LOOKS_H

#include "lib/stat/welch.h"

#define STAT_LOOKS 3

struct stat_look {
	size_t boots; /* a kernel */
	double q;
};
extern const struct stat_look stat_look[STAT_LOOKS];

/* Boots that `have` are enough for: the number of looks done, 0..STAT_LOOKS. */
size_t stat_looks_done(size_t have);

/* Benjamini-Hochberg: sets rejected[i] for the cells that are rejected at q, and
 * leaves the others as they are (so that earlier looks' stay). NAN (no interval)
 * is never rejected, and counts as a cell. How many are set in the end. */
size_t stat_bh(const double *p, size_t m, double q, bool *rejected);

/* Two-sided p of a difference of 0: of `se` and `df` as welch.h has them. 1 for
 * no difference at all; NAN where the cell has no se. */
double stat_p(const struct stat_result *r);

/* Turn the cells of one comparison, as stat_compare_boots() left them, into what
 * stands at look `look` (0-based, the last that is done). r[i].low and high are
 * made anew, at the rejected cells' level or 95 %; a cell that is not rejected
 * is neither slower nor faster, and before the last look not the same. rejected:
 * in, what earlier looks rejected; out, with this look's. */
void stat_looked(struct stat_result *const *r, size_t m, size_t look, const struct stat_rule *rule,
                 bool *rejected);

#endif
