/*
 * number.h - one number a run, one a boot, and the list's std_rel.
 *
 * A run's number is the median of its iterations after warm-up; the mean of
 * them stands beside it. A boot's number is the mean over its valid runs. The
 * row's std_rel is the sample standard deviation (n - 1) over all its run
 * values relative to their own mean.
 *
 * Callers leave invalid runs and boots out before; nothing here decides what
 * is valid. Where there is nothing to take a number of, it is NAN.
 */
#ifndef FOLDWATCH_STAT_NUMBER_H
#define FOLDWATCH_STAT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stat_run {
	double median; /* the run's number: of an even count the mean of the middle two */
	double mean;
	size_t iterations; /* that counted; 0: both are NAN */
};

/* `samples` in the order taken, the first `warmup` of them left out. */
struct stat_run stat_run_number(const int64_t *samples, size_t count, size_t warmup);

double stat_mean(const double *x, size_t n);   /* NAN for n = 0 */
double stat_sd(const double *x, size_t n);     /* n - 1 below; NAN for n < 2 */
double stat_median(const double *x, size_t n); /* NAN for n = 0; x is left as it is */

/* A boot's number: mean of its valid runs' numbers. Give the runs' medians,
 * and once more the runs' means for what stands beside. */
double stat_boot_number(const double *runs, size_t n);

/* sd over run values / |mean of them|; NAN under 2 runs or for a mean of 0. */
double stat_std_rel(const double *runs, size_t n);

/* The replicate of a deterministic board: two boots of one phase must agree in
 * every sample. *at (may be NULL) gets the index of the first that differs;
 * where one list is only longer, the length of the shorter. */
bool stat_replicates_agree(const int64_t *a, size_t na, const int64_t *b, size_t nb, size_t *at);

#endif
