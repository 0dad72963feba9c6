#include "lib/stat/sprt.h"

#include "lib/stat/inside.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

#define BETWEEN_LOW  .2
#define BETWEEN_HIGH .8
#define BETWEEN_P    .001 /* two-sided, against either end */

double stat_sprt_upper(const struct sprt_rule *r)
{
	return log((1 - r->beta) / r->alpha);
}

double stat_sprt_lower(const struct sprt_rule *r)
{
	return log(r->beta / (1 - r->alpha));
}

double stat_sprt_sure(double llr)
{
	return 1 / (1 + exp(-fabs(llr)));
}

static struct sprt nothing(void)
{
	return (struct sprt){.llr = NAN, .level = NAN, .sd = NAN};
}

static bool has_logs(const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!stat_has_log(x[i]))
			return false;
	return true;
}

/* `p_good`, `p_bad`: two-sided, of the level against each end's. */
static void decide(struct sprt *s, double p_good, double p_bad, const struct sprt_rule *r)
{
	s->between = s->level > BETWEEN_LOW && s->level < BETWEEN_HIGH && p_good < BETWEEN_P &&
	             p_bad < BETWEEN_P;
	if (s->between)
		s->answer = s->level < .5 ? SPRT_GOOD : SPRT_BAD;
	else if (s->llr >= stat_sprt_upper(r))
		s->answer = SPRT_BAD;
	else if (s->llr <= stat_sprt_lower(r))
		s->answer = SPRT_GOOD;
}

struct sprt stat_sprt_phases(const double *good, const double *bad, const double *x, size_t n,
                             const struct sprt_rule *r)
{
	struct sprt s = nothing();
	double d = 0, y = 0, squares = 0, ratio = 0, se;

	if (!n || !has_logs(good, n) || !has_logs(bad, n) || !has_logs(x, n))
		return s;
	for (size_t i = 0; i < n; i++) {
		d += log(bad[i] / good[i]) / (double)n;
		y += log(x[i] / good[i]) / (double)n;
	}
	if (!(fabs(d) > 0))
		return s;
	s.level = y / d;
	/* About the level that it has, wherever that is. */
	for (size_t i = 0; i < n; i++) {
		double di = log(bad[i] / good[i]), yi = log(x[i] / good[i]);

		squares += (yi - s.level * di) * (yi - s.level * di);
		ratio += yi * yi - (yi - di) * (yi - di);
	}
	s.n = n;
	s.sd = n > 1 ? fmax(r->floor, sqrt(squares / (double)(n - 1))) : r->floor;
	s.llr = ratio / (2 * s.sd * s.sd);
	se = s.sd / sqrt((double)n);
	decide(&s, 2 * gsl_cdf_ugaussian_Q(fabs(y) / se), 2 * gsl_cdf_ugaussian_Q(fabs(d - y) / se),
	       r);
	return s;
}

/* Mean of the logarithms; adds the squares about it. */
static double centre(const double *x, size_t n, double *squares)
{
	double mean = 0;

	for (size_t i = 0; i < n; i++)
		mean += log(x[i]) / (double)n;
	for (size_t i = 0; i < n; i++)
		*squares += (log(x[i]) - mean) * (log(x[i]) - mean);
	return mean;
}

struct sprt stat_sprt_boots(const double *good, size_t ngood, const double *bad, size_t nbad,
                            const double *x, size_t n, const struct sprt_rule *r)
{
	struct sprt s = nothing();
	double squares = 0, g, b, m, shift, vg, vb, nu, tg, tb;

	if (ngood < 2 || nbad < 2 || !n || !has_logs(good, ngood) || !has_logs(bad, nbad) ||
	    !has_logs(x, n))
		return s;
	g = centre(good, ngood, &squares);
	b = centre(bad, nbad, &squares);
	m = centre(x, n, &squares);
	if (!(fabs(b - g) > 0))
		return s;
	nu = (double)(ngood + nbad + n - 3);
	squares = fmax(squares, nu * r->floor * r->floor);
	shift = r->shift * r->shift * nu / squares;
	vg = 1 / (double)n + 1 / (double)ngood + shift;
	vb = 1 / (double)n + 1 / (double)nbad + shift;
	tg = (m - g) * (m - g) / vg;
	tb = (m - b) * (m - b) / vb;
	s.n = n;
	s.sd = sqrt(squares / nu);
	s.level = (m - g) / (b - g);
	s.llr = log(vg / vb) / 2 - (nu + 1) / 2 * log((squares + tb) / (squares + tg));
	decide(&s, 2 * gsl_cdf_tdist_Q(sqrt(tg) / s.sd, nu),
	       2 * gsl_cdf_tdist_Q(sqrt(tb) / s.sd, nu), r);
	return s;
}
