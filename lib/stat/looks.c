#include "lib/stat/looks.h"

#include "lib/mem.h"
#include "lib/stat/inside.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const struct stat_look stat_look[STAT_LOOKS] = {{3, .01}, {6, .015}, {10, .025}};

size_t stat_looks_done(size_t have)
{
	size_t n = 0;

	while (n < STAT_LOOKS && have >= stat_look[n].boots)
		n++;
	return n;
}

size_t stat_bh(const double *p, size_t m, double q, bool *rejected)
{
	double *sorted = xcalloc(m ? m : 1, sizeof(*sorted)), most = -1;
	size_t n = 0, count = 0;

	for (size_t i = 0; i < m; i++)
		if (!isnan(p[i]))
			sorted[n++] = p[i];
	gsl_sort(sorted, 1, n);
	for (size_t k = n; k > 0; k--)
		if (sorted[k - 1] <= q * (double)k / (double)m) {
			most = sorted[k - 1];
			break;
		}
	free(sorted);
	for (size_t i = 0; i < m; i++) {
		rejected[i] |= p[i] <= most;
		count += rejected[i];
	}
	return count;
}

double stat_p(const struct stat_result *r)
{
	double delta = log1p(r->change);

	if (isnan(r->se) || isnan(r->low))
		return NAN;
	if (r->se == 0)
		return delta == 0 ? 1 : 0;
	return 2 * gsl_cdf_tdist_Q(fabs(delta) / r->se, r->df);
}

static void interval(struct stat_result *r, double level)
{
	double half = gsl_cdf_tdist_Pinv(1 - (1 - level) / 2, r->df) * r->se;

	r->level = level;
	r->low = expm1(log1p(r->change) - half);
	r->high = expm1(log1p(r->change) + half);
}

static void look_at(struct stat_result *r, size_t look, const struct stat_rule *rule, bool rejected)
{
	bool last = look + 1 == STAT_LOOKS;
	bool skew = r->skewed && r->verdict == VERDICT_UNSURE;
	struct stat_rule own = *rule;

	/* The means contradict the medians: no look mends that. */
	if (skew)
		return;
	if (r->tau > 0) /* its floor is its own */
		own.tau = r->tau;
	rule = &own;
	r->verdict = stat_decide(r->change, r->low, r->high, rule);
	r->why[0] = '\0';
	if ((r->verdict == VERDICT_SLOWER || r->verdict == VERDICT_FASTER) && !rejected) {
		r->verdict = VERDICT_UNSURE;
		snprintf(r->why, sizeof(r->why),
		         "the interval excludes 0, but not among this many cells at once%s",
		         last ? "" : ": more boots decide");
	} else if (r->verdict == VERDICT_SAME && !last) {
		r->verdict = VERDICT_UNSURE;
		snprintf(r->why, sizeof(r->why), "no difference after %zu boots: said after %zu",
		         r->base_n < r->new_n ? r->base_n : r->new_n,
		         stat_look[STAT_LOOKS - 1].boots);
	} else if (r->verdict == VERDICT_UNSURE) {
		stat_say_unsure(r, rule, "boot");
	}
}

void stat_looked(struct stat_result *const *r, size_t m, size_t look, const struct stat_rule *rule,
                 bool *rejected)
{
	double *p = xcalloc(m ? m : 1, sizeof(*p)), q = stat_look[look].q;
	size_t count;

	for (size_t i = 0; i < m; i++)
		p[i] = stat_p(r[i]);
	count = stat_bh(p, m, q, rejected);
	for (size_t i = 0; i < m; i++) {
		if (isnan(p[i]))
			continue;
		interval(r[i], rejected[i] ? 1 - q * (double)count / (double)m : rule->level);
		look_at(r[i], look, rule, rejected[i]);
	}
	free(p);
}
