#include "lib/stat/history.h"

#include "lib/mem.h"
#include "lib/stat/inside.h"
#include "lib/stat/number.h"
#include "lib/stat/segment.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

#define OUTLIER      4 /* scales off */
#define SCALE_LEAST  1e-9
#define PHI_MOST     .9
#define PENALTY      3
#define PRIOR_DF     6
#define SCORE_MOST   .001
#define LINE_MIN     8 /* points a side, for a line to be told from a step */
#define SPREAD_RATIO 2 /* of mean |residual|, for a change of variance */

const char *stat_class_name(enum stat_class c)
{
	static const char *const names[] = {"drift", "variance", "step", "transient", "steady"};

	return names[c];
}

/* What is being worked on. */
struct series {
	double *y; /* outliers replaced */
	size_t n;
	double tau, scale, sigma2, inflation; /* V of the header */
	struct stat_sums sums;
	struct cut {
		size_t at;
		double t, p, df;
	} * cut;
	size_t cuts;
	bool drift;
};

/* ---- scale, outliers, autocorrelation */

/* |y[t + lag] - y[t]|, ascending. */
static double *steps(const double *y, size_t n, size_t lag)
{
	double *d = xcalloc(n, sizeof(*d));

	for (size_t i = 0; i + lag < n; i++)
		d[i] = fabs(y[i + lag] - y[i]);
	gsl_sort(d, 1, n - lag);
	return d;
}

static double scale(const double *y, size_t n, double tau)
{
	double *d = steps(y, n, 1), s, tail;

	s = gsl_stats_median_from_sorted_data(d, 1, n - 1) / (.6745 * M_SQRT2);
	tail = gsl_stats_quantile_from_sorted_data(d, 1, n - 1, .9) / (1.6449 * M_SQRT2);
	free(d);
	if (tail > s)
		s = tail;
	if (s > 0)
		return s;
	return tau / 4 > SCALE_LEAST ? tau / 4 : SCALE_LEAST;
}

/* Of the 5 points around i, fewer of one side at the ends. */
static double median_around(const double *y, size_t n, size_t i)
{
	size_t from = i < 2 ? 0 : i - 2;

	if (from + 5 > n)
		from = n - 5;
	return stat_median(y + from, 5);
}

static void replace_outliers(struct series *s, const double *raw, struct stat_history *out)
{
	for (size_t i = 0; i < s->n; i++) {
		double m = median_around(raw, s->n, i);

		s->y[i] = raw[i];
		if (fabs(raw[i] - m) <= OUTLIER * s->scale)
			continue;
		s->y[i] = m;
		out->outlier[out->outliers++] = i;
	}
}

static double autocorrelation(const double *y, size_t n)
{
	double *one = steps(y, n, 1), *two = steps(y, n, 2), ratio, phi = 0;
	double m1 = gsl_stats_median_from_sorted_data(one, 1, n - 1);
	double m2 = gsl_stats_median_from_sorted_data(two, 1, n - 2);

	free(one);
	free(two);
	if (m1 > 0) {
		ratio = m2 / m1;
		phi = ratio * ratio - 1;
	}
	if (phi < 2 / sqrt((double)n))
		return 0;
	return phi > PHI_MOST ? PHI_MOST : phi;
}

/* ---- which changes stand */

static size_t begin_of(const struct series *s, size_t i)
{
	return i ? s->cut[i - 1].at : 0;
}

static size_t end_of(const struct series *s, size_t i)
{
	return i + 1 < s->cuts ? s->cut[i + 1].at : s->n;
}

static void test(struct series *s, size_t i)
{
	struct cut *c = &s->cut[i];
	size_t from = begin_of(s, i), until = end_of(s, i);
	double n1 = (double)(c->at - from), n2 = (double)(until - c->at);
	double prior = PRIOR_DF * s->sigma2;
	double v1 = (stat_sums_sse(&s->sums, from, c->at) + prior) / (n1 - 1 + PRIOR_DF);
	double v2 = (stat_sums_sse(&s->sums, c->at, until) + prior) / (n2 - 1 + PRIOR_DF);
	double se = sqrt((v1 / n1 + v2 / n2) * s->inflation);
	double step =
	        stat_sums_mean(&s->sums, c->at, until) - stat_sums_mean(&s->sums, from, c->at);

	c->t = fabs(step) / se;
	c->df = (n1 + n2 - 2) / s->inflation + PRIOR_DF;
	c->p = 2 * gsl_cdf_tdist_Q(c->t, c->df);
}

static double step_of(const struct series *s, size_t i)
{
	return stat_sums_mean(&s->sums, s->cut[i].at, end_of(s, i)) -
	       stat_sums_mean(&s->sums, begin_of(s, i), s->cut[i].at);
}

static bool is_line(const struct series *s, size_t i)
{
	size_t from = begin_of(s, i), at = s->cut[i].at, until = end_of(s, i);

	return at - from >= LINE_MIN && until - at >= LINE_MIN &&
	       stat_sums_line(&s->sums, from, until, NULL) <
	               stat_sums_sse(&s->sums, from, at) + stat_sums_sse(&s->sums, at, until);
}

/* Drop the weakest that does not stand; false when all do. */
static bool drop_one(struct series *s)
{
	size_t weakest = s->cuts;
	bool line = false;

	for (size_t i = 0; i < s->cuts; i++) {
		const struct cut *c = &s->cut[i];
		bool bent = is_line(s, i);

		if (c->p <= SCORE_MOST && !bent && fabs(step_of(s, i)) >= s->tau)
			continue;
		if (weakest < s->cuts && s->cut[weakest].t <= c->t)
			continue;
		weakest = i;
		line = bent && c->p <= SCORE_MOST && fabs(step_of(s, i)) >= s->tau;
	}
	if (weakest == s->cuts)
		return false;
	s->drift |= line;
	for (size_t i = weakest; i + 1 < s->cuts; i++)
		s->cut[i] = s->cut[i + 1];
	s->cuts--;
	if (weakest > 0)
		test(s, weakest - 1);
	if (weakest < s->cuts)
		test(s, weakest);
	return true;
}

static void segment(struct series *s)
{
	size_t *at = xcalloc(s->n, sizeof(*at));
	double penalty = PENALTY * s->inflation * log((double)s->n) * s->sigma2;

	s->cuts = stat_segment(s->y, s->n, penalty, STAT_SEGMENT_MIN, at);
	s->cut = xcalloc(s->cuts + 1, sizeof(*s->cut));
	for (size_t i = 0; i < s->cuts; i++)
		s->cut[i].at = at[i];
	free(at);
	for (size_t i = 0; i < s->cuts; i++)
		test(s, i);
	while (drop_one(s))
		;
}

/* ---- classes */

/* A segment that moves by tau along its line, and surely so. */
static bool drifts(const struct series *s, size_t from, size_t until)
{
	double n = (double)(until - from), slope, sse, se, df;

	if (until - from < 2 * LINE_MIN)
		return false;
	sse = stat_sums_line(&s->sums, from, until, &slope);
	se = sqrt((sse + PRIOR_DF * s->sigma2) / (n - 2 + PRIOR_DF) * s->inflation /
	          (n * (n * n - 1) / 12));
	df = (n - 2) / s->inflation + PRIOR_DF;
	return fabs(slope) * (n - 1) >= s->tau &&
	       2 * gsl_cdf_tdist_Q(fabs(slope) / se, df) <= SCORE_MOST;
}

/* |residuals| about the levels: their cumulated sum, as a bridge, is held against
 * Kolmogorov's distribution, P(sup > x) < 2 exp(-2 x^2). */
static bool spread_changes(const struct series *s, const double *raw)
{
	double *r = xcalloc(s->n, sizeof(*r)), mean, sd, sum = 0, top = 0, first = 0, rest;
	size_t n = s->n, at = 0, part = 0;
	bool found;

	for (size_t i = 0; i < n; i++) {
		size_t from = part ? s->cut[part - 1].at : 0;
		size_t until = part < s->cuts ? s->cut[part].at : n;

		r[i] = fabs(raw[i] - stat_sums_mean(&s->sums, from, until));
		/* An outlier is one point, not a spread. */
		if (r[i] > OUTLIER * s->scale)
			r[i] = OUTLIER * s->scale;
		part += i + 1 == until;
	}
	mean = stat_mean(r, n);
	sd = stat_sd(r, n);
	for (size_t i = 0; i + 1 < n; i++) {
		sum += r[i];
		if (fabs(sum - mean * (double)(i + 1)) > top) {
			top = fabs(sum - mean * (double)(i + 1));
			at = i + 1;
			first = sum;
		}
	}
	sum += r[n - 1];
	rest = at ? (sum - first) / (double)(n - at) : 0;
	first = at ? first / (double)at : 0;
	free(r);
	found = sd > 0 &&
	        top / (sd * sqrt((double)n * s->inflation)) > sqrt(log(2 / SCORE_MOST) / 2);
	return found && (first >= SPREAD_RATIO * rest || rest >= SPREAD_RATIO * first);
}

static enum stat_class class_of(const struct series *s, const double *raw,
                                const struct stat_history *h)
{
	bool step = false;

	for (size_t i = 0, from = 0; i <= s->cuts; i++) {
		size_t until = i < s->cuts ? s->cut[i].at : s->n;

		if (drifts(s, from, until))
			return CLASS_DRIFT;
		from = until;
	}
	if (s->drift)
		return CLASS_DRIFT;
	if (spread_changes(s, raw))
		return CLASS_VARIANCE;
	for (size_t i = 0; i < h->changes; i++)
		step |= !h->change[i].transient;
	if (step)
		return CLASS_STEP;
	return h->changes ? CLASS_TRANSIENT : CLASS_STEADY;
}

/* ---- the answer */

static double back(const struct stat_history *h, double y)
{
	return h->logs ? exp(y) : y;
}

/* A level that came back, within what would be no change. */
static void mark_transients(const struct series *s, struct stat_history *h)
{
	for (size_t i = 0; i + 1 < s->cuts; i++) {
		double before = stat_sums_mean(&s->sums, begin_of(s, i), s->cut[i].at);
		double after = stat_sums_mean(&s->sums, s->cut[i + 1].at, end_of(s, i + 1));
		double n = (double)(end_of(s, i + 1) - s->cut[i + 1].at);
		/* Levels of few points are known no better than this. */
		double near = 2 * sqrt(s->sigma2 * s->inflation *
		                       (1 / n + 1 / (double)(s->cut[i].at - begin_of(s, i))));

		if (s->cut[i + 1].at - s->cut[i].at > STAT_TRANSIENT)
			continue;
		if (fabs(after - before) < (near > s->tau ? near : s->tau))
			h->change[i].transient = h->change[i + 1].transient = true;
	}
}

static double size_of(const struct stat_history *h, double before, double step)
{
	if (h->logs)
		return expm1(step);
	return before != 0 ? step / fabs(before) : NAN;
}

static void fill(const struct series *s, struct stat_history *h)
{
	double half;

	h->change = xcalloc(s->cuts + 1, sizeof(*h->change));
	h->changes = s->cuts;
	for (size_t i = 0; i < s->cuts; i++) {
		struct stat_change *c = &h->change[i];
		double before = stat_sums_mean(&s->sums, begin_of(s, i), s->cut[i].at);
		double after = stat_sums_mean(&s->sums, s->cut[i].at, end_of(s, i));

		c->index = s->cut[i].at;
		c->before = back(h, before);
		c->after = back(h, after);
		c->score = s->cut[i].p;
		half = gsl_cdf_tdist_Pinv(.975, s->cut[i].df) * fabs(after - before) / s->cut[i].t;
		c->change = size_of(h, before, after - before);
		c->low = size_of(h, before, after - before - half);
		c->high = size_of(h, before, after - before + half);
	}
	mark_transients(s, h);
}

/* y, and the threshold in its unit. */
static double *scaled(const double *x, size_t n, double threshold, struct stat_history *out)
{
	double *y = xcalloc(n ? n : 1, sizeof(*y)), size;

	out->logs = true;
	for (size_t i = 0; i < n; i++)
		out->logs &= stat_has_log(x[i]);
	for (size_t i = 0; i < n; i++)
		y[i] = out->logs ? log(x[i]) : fabs(x[i]);
	out->tau = log1p(threshold);
	if (out->logs)
		return y;
	size = stat_median(y, n);
	if (!(size > 0))
		size = stat_mean(y, n);
	out->tau = threshold * size;
	for (size_t i = 0; i < n; i++)
		y[i] = x[i];
	return y;
}

void stat_history(const double *x, size_t n, double threshold, struct stat_history *out)
{
	struct series s = {.n = n};
	double *raw;

	*out = (struct stat_history){.class = CLASS_STEADY, .scale = NAN, .level = NAN};
	raw = scaled(x, n, threshold, out);
	if (n < 2 * STAT_SEGMENT_MIN) {
		if (n)
			out->level = back(out, stat_median(raw, n));
		free(raw);
		return;
	}
	s.tau = out->tau;
	s.y = xcalloc(n, sizeof(*s.y));
	out->outlier = xcalloc(n, sizeof(*out->outlier));
	s.scale = scale(raw, n, s.tau);
	replace_outliers(&s, raw, out);
	s.scale = scale(s.y, n, s.tau);
	out->scale = s.scale;
	out->phi = autocorrelation(s.y, n);
	s.sigma2 = s.scale * s.scale / (1 - out->phi);
	s.inflation = (1 + out->phi) / (1 - out->phi);
	stat_sums_make(&s.sums, s.y, n);
	segment(&s);
	fill(&s, out);
	out->class = class_of(&s, raw, out);
	{
		size_t from = s.cuts ? s.cut[s.cuts - 1].at : 0;
		double level = stat_sums_mean(&s.sums, from, n), far = OUTLIER * s.scale;

		out->level = back(out, level);
		out->suspected = fabs(raw[n - 1] - level) > (far > s.tau ? far : s.tau);
	}
	stat_sums_release(&s.sums);
	free(s.cut);
	free(s.y);
	free(raw);
}

void stat_history_newest(const double *x, size_t n, double threshold, struct stat_history *out)
{
	size_t skip = n > STAT_WINDOW ? n - STAT_WINDOW : 0;

	stat_history(x + skip, n - skip, threshold, out);
	for (size_t i = 0; i < out->changes; i++)
		out->change[i].index += skip;
	for (size_t i = 0; i < out->outliers; i++)
		out->outlier[i] += skip;
}

void stat_history_release(struct stat_history *h)
{
	free(h->change);
	free(h->outlier);
	*h = (struct stat_history){0};
}
