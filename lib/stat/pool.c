#include "lib/stat/pool.h"

#include "lib/stat/inside.h"

#include <gsl/gsl_sf_psi.h>
#include <math.h>

double stat_trigamma_inverse(double x)
{
	double y;

	/* psi'(y) is about 1 / y for large y, and 1 / y^2 for small. */
	if (x > 1e7)
		return 1 / sqrt(x);
	if (x < 1e-6)
		return 1 / x;
	y = .5 + 1 / x;
	for (int i = 0; i < 50; i++) {
		double tri = gsl_sf_psi_1(y);
		double d = tri * (1 - tri / x) / gsl_sf_psi_n(2, y);

		y += d;
		if (-d / y < 1e-10)
			break;
	}
	return y;
}

struct stat_pool stat_pool(const double *s2, const double *df, size_t n)
{
	struct stat_pool pool = {NAN, 0, 0};
	double sum = 0, square = 0, expected = 0, mean, spread;

	for (size_t i = 0; i < n; i++) {
		double half = df[i] / 2, e;

		if (!stat_has_log(s2[i]) || !(df[i] > 0))
			continue;
		e = log(s2[i]) - gsl_sf_psi(half) + log(half);
		sum += e;
		square += e * e;
		expected += gsl_sf_psi_1(half);
		pool.kernels++;
	}
	if (pool.kernels < STAT_POOL_MIN)
		return pool;
	mean = sum / (double)pool.kernels;
	spread = (square - sum * mean) / (double)(pool.kernels - 1) -
	         expected / (double)pool.kernels;
	/* No more spread than chance makes: one variance for all. */
	pool.df = spread > 0 ? 2 * stat_trigamma_inverse(spread) : INFINITY;
	pool.s2 = exp(mean);
	if (isfinite(pool.df))
		pool.s2 *= exp(gsl_sf_psi(pool.df / 2) - log(pool.df / 2));
	if (pool.df > STAT_POOL_DF_MAX)
		pool.df = STAT_POOL_DF_MAX;
	return pool;
}

void stat_pooled(const struct stat_pool *pool, double s2, double df, double *out_s2, double *out_df,
                 bool *used)
{
	double both = (pool->df * pool->s2 + df * s2) / (pool->df + df);
	bool use = pool->df > 0 && both >= s2;

	*out_s2 = use ? both : s2;
	*out_df = use ? pool->df + df : df;
	if (used)
		*used = use;
}
