#include "lib/stat/plan.h"

#include "lib/mem.h"
#include "lib/stat/number.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

double stat_detectable(double sd_boot, size_t boots, double level, double power, bool paired)
{
	double df, t;

	if (boots < 2 || !isfinite(sd_boot) || sd_boot < 0)
		return NAN;
	df = (paired ? 1.0 : 2.0) * ((double)boots - 1);
	t = gsl_cdf_tdist_Pinv(1 - (1 - level) / 2, df) + gsl_cdf_tdist_Pinv(power, df);
	return t * sd_boot * sqrt((paired ? 1.0 : 2.0) / (double)boots);
}

long stat_boots_needed(double sd_boot, double wanted, double level, double power, bool paired,
                       size_t min)
{
	double effect = log1p(wanted);
	size_t low = min < 2 ? 2 : min, high = STAT_BOOTS_MAX;

	if (!isfinite(sd_boot) || sd_boot < 0 || !(effect > 0) || low > high ||
	    stat_detectable(sd_boot, high, level, power, paired) > effect)
		return -1;
	/* the detectable effect falls with every boot, so bisection finds the first */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (stat_detectable(sd_boot, mid, level, power, paired) <= effect)
			high = mid;
		else
			low = mid + 1;
	}
	return (long)low;
}

/* Means of consecutive groups of `per` values, and the variance of the values
 * around their own group's mean with (per - 1) * groups degrees of freedom. */
static double level_up(const double *x, size_t groups, size_t per, double *means)
{
	double ss = 0;

	for (size_t g = 0; g < groups; g++) {
		const double *part = x + g * per;

		means[g] = stat_mean(part, per);
		for (size_t i = 0; i < per; i++)
			ss += (part[i] - means[g]) * (part[i] - means[g]);
	}
	return per >= 2 ? ss / ((double)(per - 1) * (double)groups) : NAN;
}

void stat_levels(const struct stat_design *d, struct stat_levels *out)
{
	size_t r[3] = {d->iterations, d->runs, d->boots};
	double *run_mean, *boot_mean;

	*out = (struct stat_levels){NAN, {NAN, NAN, NAN}, {NAN, NAN, NAN}, NAN};
	if (d->boots == 0 || d->runs == 0 || d->iterations == 0)
		return;
	run_mean = xcalloc(d->boots * d->runs, sizeof(*run_mean));
	boot_mean = xcalloc(d->boots, sizeof(*boot_mean));
	out->s2[0] = level_up(d->sample, d->boots * d->runs, d->iterations, run_mean);
	out->s2[1] = level_up(run_mean, d->boots, d->runs, boot_mean);
	out->s2[2] = level_up(boot_mean, 1, d->boots, &out->mean);
	free(run_mean);
	free(boot_mean);
	out->t2[0] = out->s2[0];
	for (int i = 1; i < 3; i++) {
		double own = out->s2[i] - out->s2[i - 1] / (double)r[i - 1];

		out->t2[i] = own < 0 ? 0 : own; /* an estimate; NAN stays NAN */
	}
	out->var_mean = out->t2[2] / (double)r[2] + out->t2[1] / ((double)r[2] * (double)r[1]) +
	                out->t2[0] / ((double)r[2] * (double)r[1] * (double)r[0]);
	/* the sum telescopes to this, which needs no level below the boots */
	if (isnan(out->var_mean))
		out->var_mean = out->s2[2] / (double)r[2];
}

static size_t best(double t2, double t2_above, double cost, double cost_above, size_t max)
{
	double r = ceil(sqrt(cost_above / cost * t2 / t2_above));

	if (!(t2_above > 0) || !(cost > 0) || !(r < (double)max))
		return max;
	return r < 1 ? 1 : (size_t)r;
}

void stat_best_repetitions(const struct stat_levels *l, const double cost_s[3], size_t max,
                           size_t *iterations, size_t *runs)
{
	*iterations = best(l->t2[0], l->t2[1], cost_s[0], cost_s[1], max);
	*runs = best(l->t2[1], l->t2[2], cost_s[1], cost_s[2], max);
}
