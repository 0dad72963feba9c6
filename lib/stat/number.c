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

<<<<<<< HEAD
/* Reorders x: selection, not sorting, since every run that comes in is counted. */
static double median_in_place(double *x, size_t n)
{
	return gsl_stats_median(x, 1, n);
=======
static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void swap(double *a, double *b)
{
	double t = *a;

	*a = *b;
	*b = t;
}

/* Halvings that chance does not need; input made to be slow is sorted instead. */
#define TURNS 100

/* Moves values until x[k] is what sorting would put there, with none larger
 * before it (Hoare's Find, CACM 4/7, 1961, algorithm 65). */
static double select_kth(double *x, size_t n, size_t k)
{
	size_t low = 0, high = n - 1;
	int turns = 0;

	while (low < high && turns++ < TURNS) {
		double pivot = x[low + (high - low) / 2];
		size_t i = low, j = high;

		for (;; i++, j--) {
			while (x[i] < pivot)
				i++;
			while (pivot < x[j])
				j--;
			if (i >= j)
				break;
			swap(&x[i], &x[j]);
		}
		/* x[low..j] <= pivot <= x[j+1..high], and j < high: the pivot is
		 * never the last of two or more. */
		if (k <= j)
			high = j;
		else
			low = j + 1;
	}
	if (low < high)
		qsort(x + low, high - low + 1, sizeof(*x), by_value);
	return x[k];
}

/* Reorders x. */
static double median_in_place(double *x, size_t n)
{
	double upper = select_kth(x, n, n / 2), lower = upper;
	size_t i;

	if (n % 2 == 0) {
		lower = x[0];
		for (i = 1; i < n / 2; i++)
			lower = x[i] > lower ? x[i] : lower;
	}
	return (lower + upper) / 2;
>>>>>>> mbench
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
