/*
 * welch.h - comparing two kernels at boot level, for boards with noise.
 *
 * Boots differ (page allocator, firmware), so the boot is the unit of
 * replication: iterations and runs only sharpen a boot's one number. With
 * y = ln(a boot's number):
 *
 *     delta = mean(y_new) - mean(y_base)
 *     se^2  = s_new^2 / R_new + s_base^2 / R_base
 *     df    = se^4 / ((s_new^2/R_new)^2 / (R_new - 1) + (s_base^2/R_base)^2 / (R_base - 1))
 *     change and interval: exp(delta -+ t(df) * se) - 1
 *
 * B. L. Welch, "The generalization of 'Student's' problem when several
 * different population variances are involved", Biometrika 34 (1947); the df
 * are Satterthwaite's (Biometrics Bulletin 2, 1946). In the simulation of
 * lib/test/test_stat_sim.c this keeps its nominal 5 % where pooling iterations
 * raises 70 % false alarms.
 */
#ifndef FOLDWATCH_STAT_WELCH_H
#define FOLDWATCH_STAT_WELCH_H

#include "lib/stat/verdict.h"

#include <stdint.h>

/* What a kernel's valid boots gave. */
struct stat_side {
	const double *median; /* boots' numbers from the runs' medians */
	const double *mean;   /* the same from the runs' means, or NULL: no skew check */
	const int64_t *phase; /* deterministic boards only (pairs.h); else NULL */
	size_t n;
};

#define STAT_BOOTS_MIN 3 /* fewer boots of either kernel make a table, not a verdict */

/* ln-scale figures of two samples; any of them may be empty. */
struct stat_welch {
	double delta;           /* NAN when a side is empty */
	double se, df;          /* NAN under 2 a side */
	double sd_base, sd_new; /* of y */
};
/* False when a value is not a finite number above 0: it has no logarithm. */
bool stat_welch(const double *base, size_t nbase, const double *other, size_t nother,
                struct stat_welch *out);

/* Fills all of *out. Under STAT_BOOTS_MIN boots of a side: the change without
 * an interval, unsure. No boots, or a number that is 0: invalid. */
void stat_compare_boots(const struct stat_side *base, const struct stat_side *other,
                        const struct stat_rule *rule, struct stat_result *out);

#endif
