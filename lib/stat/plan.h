/*
 * plan.h - how many boots a question needs, and where the variance sits.
 *
 * Detectable effect. With R boots a kernel and S^2 the variance of one boot's
 * y = ln(number), the smallest true change that a two-sided test at alpha finds
 * with the given power is about
 *
 *     (t_{alpha/2}(df) + t_{1-power}(df)) * sqrt(c * S^2 / R)
 *
 * with c = 2 and df = 2(R - 1) for two independent samples, c = 1 and df = R - 1
 * for pairs. (The usual approximation to the noncentral t: within a boot of the
 * exact answer for R >= 5.) stat_boots_needed() turns it round.
 *
 * Variance by level: T. Kalibera, R. Jones, "Rigorous benchmarking in
 * reasonable time", ISMM 2013 (and "Quantifying performance changes with effect
 * size confidence intervals", 2012). Level 1 is the iteration, 2 the run, 3 the
 * boot. They explain and plan; a verdict's interval uses boots' values only.
 */
#ifndef FOLDWATCH_STAT_PLAN_H
#define FOLDWATCH_STAT_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#define STAT_BOOTS_MAX 10000 /* where counting boots stops making sense */

/* In ln units (about a fraction). NAN for R < 2 or sd that is not finite. */
double stat_detectable(double sd_boot, size_t boots, double level, double power, bool paired);

/* Boots (pairs) a kernel, in all, that find the fraction `wanted` > 0; at least
 * `min`. -1 when it takes more than STAT_BOOTS_MAX, or sd is not finite. */
long stat_boots_needed(double sd_boot, double wanted, double level, double power, bool paired,
                       size_t min);

/* A balanced design of three levels: sample[(boot * runs + run) * iterations + i]. */
struct stat_design {
	size_t boots, runs, iterations;
	const double *sample;
};

struct stat_levels {
	double mean;
	/* Biased-up variances S_i^2 of level i's means (index 0: iterations, 1:
	 * runs, 2: boots), and the level's own share T_i^2 = S_i^2 - S_{i-1}^2 / r_{i-1},
	 * clamped at 0. NAN where a level was done only once. */
	double s2[3], t2[3];
	/* T_3^2/R + T_2^2/(RM) + T_1^2/(RMN): of the mean of it all. S_3^2/R where
	 * runs or iterations were done only once. */
	double var_mean;
};

/* Everything NAN for an empty design. Units: those of the samples, squared. */
void stat_levels(const struct stat_design *d, struct stat_levels *out);

/* Best repetitions of iterations and runs (the boots are what is asked for):
 * r_i = ceil(sqrt((c_{i+1} / c_i) * (T_i^2 / T_{i+1}^2))), cost_s[i] what one
 * more of level i costs in seconds (index 2: a boot without its runs). Within
 * [1, max]; a zero or unknown T_{i+1}^2 gives max. */
void stat_best_repetitions(const struct stat_levels *l, const double cost_s[3], size_t max,
                           size_t *iterations, size_t *runs);

#endif
