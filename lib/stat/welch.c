#include "lib/stat/welch.h"

#include "lib/mem.h"
#include "lib/stat/inside.h"
#include "lib/stat/number.h"
#include "lib/stat/plan.h"
#include "lib/stat/pool.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* New array of ln(x), or NULL when one of them has none. */
static double *logs(const double *x, size_t n)
{
	double *y = xcalloc(n ? n : 1, sizeof(*y));

	for (size_t i = 0; i < n; i++) {
		if (!stat_has_log(x[i])) {
			free(y);
			return NULL;
		}
		y[i] = log(x[i]);
	}
	return y;
}

/* From both means' variances and their degrees of freedom. */
static void error(struct stat_welch *out, double vb, double db, double vn, double dn)
{
	out->se = sqrt(vb + vn);
	out->df = (vb + vn) * (vb + vn) / (vb * vb / db + vn * vn / dn);
	/* no spread at all: 0/0, and any df give an interval of no width */
	if (out->se == 0)
		out->df = db + dn;
}

bool stat_welch(const double *base, size_t nbase, const double *other, size_t nother,
                struct stat_welch *out)
{
	double *yb = logs(base, nbase), *yn = logs(other, nother);
	bool ok = yb && yn;

	*out = (struct stat_welch){NAN, NAN, NAN, NAN, NAN};
	if (ok) {
		out->delta = stat_mean(yn, nother) - stat_mean(yb, nbase);
		out->sd_base = stat_sd(yb, nbase);
		out->sd_new = stat_sd(yn, nother);
		error(out, out->sd_base * out->sd_base / (double)nbase, (double)nbase - 1,
		      out->sd_new * out->sd_new / (double)nother, (double)nother - 1);
	}
	free(yb);
	free(yn);
	return ok;
}

/* The same with what is known of other kernels; true where that changed it. */
static bool pool_in(const struct stat_pool *pool, size_t nbase, size_t nother, struct stat_welch *w)
{
	double vb, vn, db, dn;
	bool base, other;

	stat_pooled(pool, w->sd_base * w->sd_base, (double)nbase - 1, &vb, &db, &base);
	stat_pooled(pool, w->sd_new * w->sd_new, (double)nother - 1, &vn, &dn, &other);
	error(w, vb / (double)nbase, db, vn / (double)nother, dn);
	return base || other;
}

static void compare(const double *base, size_t nbase, const double *other, size_t nother,
                    const struct stat_rule *rule, struct stat_result *out)
{
	size_t least = nbase < nother ? nbase : nother;
	struct stat_welch w;
	double sd, half, one;

	stat_no_number(out, VERDICT_INVALID, "a number that is not above 0 has no ratio");
	out->base_n = nbase;
	out->new_n = nother;
	if (nbase == 0 || nother == 0) {
		snprintf(out->why, sizeof(out->why), "no valid boot of %s",
		         nbase ? "this kernel" : "the baseline");
		return;
	}
	if (!stat_welch(base, nbase, other, nother, &w))
		return;
	out->why[0] = '\0';
	out->change = expm1(w.delta);
	out->se = w.se;
	out->df = w.df;
	sd = sqrt((w.sd_base * w.sd_base + w.sd_new * w.sd_new) / 2);
	if (least < STAT_BOOTS_MIN) {
		out->verdict = VERDICT_UNSURE;
		out->needed =
		        stat_still_needed(out->change, sd, least, STAT_BOOTS_MIN, false, rule);
		if (out->needed < 0)
			out->needed = (long)(STAT_BOOTS_MIN - least);
		snprintf(out->why, sizeof(out->why),
		         "%zu and %zu boots (baseline and this kernel): a verdict needs %d of each",
		         nbase, nother, STAT_BOOTS_MIN);
		return;
	}
	if (rule->pool)
		out->pooled = pool_in(rule->pool, nbase, nother, &w);
	out->se = w.se;
	out->df = w.df;
	half = gsl_cdf_tdist_Pinv(1 - (1 - rule->level) / 2, w.df) * w.se;
	one = gsl_cdf_tdist_Pinv(0.95, w.df) * w.se;
	out->level = rule->level;
	out->low = expm1(w.delta - half);
	out->high = expm1(w.delta + half);
	out->at_most = rule->more_is_better ? -expm1(w.delta - one) : expm1(w.delta + one);
	out->verdict = stat_decide(out->change, out->low, out->high, rule);
	if (out->verdict == VERDICT_UNSURE) {
		out->needed =
		        stat_still_needed(out->change, sd, least, STAT_BOOTS_MIN, false, rule);
		stat_say_unsure(out, rule, "boot");
	}
}

void stat_compare_boots(const struct stat_side *base, const struct stat_side *other,
                        const struct stat_rule *rule, struct stat_result *out)
{
	compare(base->median, base->n, other->median, other->n, rule, out);
	if (base->mean && other->mean) {
		struct stat_result means;

		compare(base->mean, base->n, other->mean, other->n, rule, &means);
		stat_skew(out, &means, rule);
	}
}
