#include "lib/stat/number.h"

#include "lib/mem.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

double stat_mean(const double *x, size_t n)
{
	return n ? gsl_stats_mean(x, 1, n) : NAN;
}

double stat_sd(const double *x, size_t n)
{
	return n >= 2 ? gsl_stats_sd(x, 1, n) : NAN;
}

/* Reorders x: selection, not sorting, since every run that comes in is counted. */
static double median_in_place(double *x, size_t n)
{
	return gsl_stats_median(x, 1, n);
}

double stat_median(const double *x, size_t n)
{
	double *copy, m;

	if (n == 0)
		return NAN;
	copy = xcalloc(n, sizeof(*copy));
	memcpy(copy, x, n * sizeof(*copy));
	m = median_in_place(copy, n);
	free(copy);
	return m;
}

struct stat_run stat_run_number(const int64_t *samples, size_t count, size_t warmup)
{
	struct stat_run r = {NAN, NAN, 0};
	double *x;

	if (count <= warmup)
		return r;
	r.iterations = count - warmup;
	x = xcalloc(r.iterations, sizeof(*x));
	for (size_t i = 0; i < r.iterations; i++)
		x[i] = (double)samples[warmup + i];
	r.mean = stat_mean(x, r.iterations);
	r.median = median_in_place(x, r.iterations);
	free(x);
	return r;
}

double stat_boot_number(const double *runs, size_t n)
{
	return stat_mean(runs, n);
}

double stat_std_rel(const double *runs, size_t n)
{
	double mean = stat_mean(runs, n);

	/* NAN fails the comparison and stays NAN */
	if (n < 2 || !(fabs(mean) > 0))
		return NAN;
	return stat_sd(runs, n) / fabs(mean);
}

bool stat_replicates_agree(const int64_t *a, size_t na, const int64_t *b, size_t nb, size_t *at)
{
	size_t n = na < nb ? na : nb, i = 0;

	while (i < n && a[i] == b[i])
		i++;
	if (at)
		*at = i;
	return i == na && i == nb;
}
