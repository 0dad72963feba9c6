/*
 * layout.h - relinked kernels: the layout is a level above boots.
 *
 * Where a linker puts code moves numbers by luck, and every boot of one link has
 * the same luck. Boots of one layout are therefore not independent, and with L
 * layouts a kernel, L >= 2:
 *
 *   boards with noise   the layout is the unit (T. Kalibera, R. Jones, "Rigorous
 *                       benchmarking in reasonable time", ISMM 2013: what is
 *                       drawn at the highest level is what replicates). A layout's
 *                       value is the mean of ln over its boots; welch.h goes on
 *                       with L values a kernel, so under 3 it is unsure.
 *   deterministic ones  phases pair kernels, within a layout; a phase's value is
 *                       the mean of ln over layouts that both kernels have, and
 *                       pairs.h goes on. The luck that is left in a mean over L
 *                       layouts goes into tau, as the floor:
 *
 *     s^2   = sum over kernels of sum_l (y_l - mean y)^2 / sum over kernels of (L_k - 1)
 *     floor = exp(t(.975, df) * s * sqrt(2 / L)) - 1,   df = sum of (L_k - 1)
 *
 * the change which relinking alone exceeds in one comparison of twenty: |change|
 * >= floor is the t test over layouts, with the kernels' variance pooled. The same
 * sum over the means that one image gave in several submissions is the A/A floor.
 */
#ifndef FOLDWATCH_STAT_LAYOUT_H
#define FOLDWATCH_STAT_LAYOUT_H

#include "lib/stat/welch.h"

/* Sums of squares within kernels. Begins as {0}. */
struct stat_floor {
	double ss, df;
};
/* y: ln numbers of one kernel, one a layout (or a submission). Under 2: nothing;
 * a value that is not finite: nothing of this kernel. */
void stat_floor_add(struct stat_floor *f, const double *y, size_t n);
/* For a comparison of means over `layouts` a side; NAN where nothing was added. */
double stat_floor(const struct stat_floor *f, size_t layouts);

/* Layouts that occur on both sides. `layout` has one number a boot. */
size_t stat_common_layouts(const struct stat_side *a, const int64_t *a_layout,
                           const struct stat_side *b, const int64_t *b_layout);

/* Boards with noise. `layout` runs beside the sides' boots; as units the layouts
 * of each side, whichever they are. rule->pool is not used: it is of boots. base_n
 * and new_n are layouts, `needed` boots. */
void stat_compare_layouts(const struct stat_side *base, const int64_t *base_layout,
                          const struct stat_side *other, const int64_t *other_layout,
                          const struct stat_rule *rule, struct stat_result *out);

/* Deterministic boards. Phases that lack a common layout on a side are left out. */
void stat_compare_phases_layouts(const struct stat_side *base, const int64_t *base_layout,
                                 const struct stat_side *other, const int64_t *other_layout,
                                 const struct stat_rule *rule, struct stat_result *out);

#endif
