/*
 * pool.h - what other kernels' boots say of this one's spread.
 *
 * Three boots tell a variance badly. The same board and case has it of other
 * kernels too, and empirical Bayes says how much that is worth:
 *
 *     s_g^2 | sigma_g^2 ~ sigma_g^2 chi^2(d_g) / d_g
 *     1 / sigma_g^2     ~ chi^2(d0) / (d0 s0^2)
 *     pooled: (d0 s0^2 + d s^2) / (d0 + d)  with  d0 + d  degrees of freedom
 *
 * d0 and s0^2 come from the first two moments of ln s_g^2. G. K. Smyth, "Linear
 * models and empirical Bayes methods...", Stat. Appl. Genet. Mol. Biol. 3 (2004),
 * sections 3 and 6.2. Two bounds of ours: d0 is at most STAT_POOL_DF_MAX, and a
 * pooled variance is never below the kernel's own (a kernel that is two or three
 * times as restless as the others would else alarm in a fifth of all cases).
 */
#ifndef FOLDWATCH_STAT_POOL_H
#define FOLDWATCH_STAT_POOL_H

#include "lib/stat/welch.h"

#define STAT_POOL_DF_MAX 20
#define STAT_POOL_MIN    3 /* kernels, for a prior to be estimated */

struct stat_pool {
	double s2; /* s0^2, of one boot's ln(number); NAN: no pool */
	double df; /* d0, 0..STAT_POOL_DF_MAX; 0: the kernels have nothing in common */
	size_t kernels;
};

/* From the kernels' boot variances s2[i] of ln(number) with df[i] = boots - 1.
 * Entries that are not finite and above 0, or have no df, are left out. Under
 * STAT_POOL_MIN of them: no pool. */
struct stat_pool stat_pool(const double *s2, const double *df, size_t n);

/* One kernel's variance, and its df, with the pool; *used (may be NULL) is false
 * where the own ones are given back. */
void stat_pooled(const struct stat_pool *pool, double s2, double df, double *out_s2, double *out_df,
                 bool *used);

/* The inverse of the trigamma function, for x > 0 (Newton's method on 1 / psi'; Smyth,
 * appendix). */
double stat_trigamma_inverse(double x);

#endif
