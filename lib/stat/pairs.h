/*
 * pairs.h - comparing two kernels on the deterministic board: boots paired by
 * phase.
 *
 * Exactly repeatable is not free of noise: how many pages a helper holds when
 * the case starts moves the count, to the digit, again and again. So each
 * kernel boots once in each of a list of phases, and per phase
 *
 *     d = ln(new / base)
 *
 * The change is the exponential of the median of the Walsh averages
 * (d_i + d_j) / 2, i <= j (the Hodges-Lehmann estimator), its interval from the
 * k-th smallest to the k-th largest of them. k comes from the exact
 * distribution of Wilcoxon's signed-rank statistic T over n pairs:
 *
 *     the largest k with 1 - 2 P(T <= k - 1) >= level
 *
 * which is 4, 3, 1 at n = 8, 7, 6 for 95 % (covering 96.1, 95.3, 96.9 %).
 * Ties and zeros are kept. Under 6 pairs no k reaches 95 %: unsure.
 *
 * J. L. Hodges, E. L. Lehmann, Ann. Math. Statist. 34 (1963); M. Hollander,
 * D. A. Wolfe, "Nonparametric Statistical Methods", 3.2-3.3.
 */
#ifndef FOLDWATCH_STAT_PAIRS_H
#define FOLDWATCH_STAT_PAIRS_H

#include "lib/stat/welch.h"

#define STAT_PAIRS_MIN   6
#define STAT_PAIRS_EXACT 256 /* above it the normal approximation, which is then within 1e-4 */

/* P(T <= t) for n pairs. 1 for t at or above n(n+1)/2, 0 below 0. */
double stat_signed_rank_cdf(unsigned int n, long t);
/* The k above for a two-sided level; *covers (may be NULL) gets what it really
 * covers. 0 when n pairs cannot reach the level. */
unsigned int stat_signed_rank_k(unsigned int n, double level, double *covers);

/* All n(n+1)/2 Walsh averages of d, ascending, into out. */
void stat_walsh(const double *d, size_t n, double *out);

/* Both sides carry their phases. A phase that only one kernel has is left out
 * of the pairs; of a phase booted twice the first counts (the replicate's
 * agreement is checked before, number.h). */
void stat_compare_phases(const struct stat_side *base, const struct stat_side *other,
                         const struct stat_rule *rule, struct stat_result *out);

#endif
