#include "lib/stat/pairs.h"

#include "lib/mem.h"
#include "lib/stat/inside.h"
#include "lib/stat/number.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* P(T = t) for t = 0 ... n(n+1)/2, new array: ranks 1 to n each fall to the
 * positive side with probability one half, independently. */
static double *signed_rank_pmf(unsigned int n, size_t *count)
{
	size_t top = (size_t)n * (n + 1) / 2, filled = 0;
	double *p = xcalloc(top + 1, sizeof(*p));

	p[0] = 1;
	for (unsigned int rank = 1; rank <= n; rank++) {
		filled += rank;
		/* downwards, so that p[t - rank] is still that without this rank */
		for (size_t t = filled + 1; t-- > 0;)
			p[t] = (p[t] + (t >= rank ? p[t - rank] : 0)) / 2;
	}
	*count = top + 1;
	return p;
}

static double signed_rank_normal(unsigned int n, double t)
{
	double m = n, mean = m * (m + 1) / 4, var = m * (m + 1) * (2 * m + 1) / 24;

	return gsl_cdf_ugaussian_P((t + 0.5 - mean) / sqrt(var));
}

double stat_signed_rank_cdf(unsigned int n, long t)
{
	double sum = 0, *p;
	size_t count;

	if (t < 0)
		return 0;
	if ((unsigned long)t >= (unsigned long)n * (n + 1) / 2)
		return 1;
	if (n > STAT_PAIRS_EXACT)
		return signed_rank_normal(n, (double)t);
	p = signed_rank_pmf(n, &count);
	for (size_t i = 0; i < count && i <= (size_t)t; i++)
		sum += p[i];
	free(p);
	return sum;
}

/* The largest k with P(T <= k - 1) <= tail, and that probability. */
static unsigned int rank_for_tail(unsigned int n, double tail, double *really)
{
	double sum = 0, *p = NULL;
	unsigned int k = 0, top = n * (n + 1) / 2;
	size_t count = 0;

	*really = 0;
	if (n <= STAT_PAIRS_EXACT)
		p = signed_rank_pmf(n, &count);
	while (k <= top) {
		sum = p ? sum + p[k] : signed_rank_normal(n, k);
		/* sums of powers of two are exact for small n; a hair for large */
		if (sum > tail * (1 + 1e-12))
			break;
		*really = sum;
		k++;
	}
	free(p);
	return k;
}

unsigned int stat_signed_rank_k(unsigned int n, double level, double *covers)
{
	double tail;
	unsigned int k = rank_for_tail(n, (1 - level) / 2, &tail);

	if (covers)
		*covers = k ? 1 - 2 * tail : NAN;
	return k;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void stat_walsh(const double *d, size_t n, double *out)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = i; j < n; j++)
			out[at++] = (d[i] + d[j]) / 2;
	qsort(out, at, sizeof(*out), by_value);
}

/* Places of the other side's boots, in the order of the base's phases. */
struct pair {
	size_t base, other;
};

static bool seen(const int64_t *phase, size_t before, int64_t p)
{
	for (size_t i = 0; i < before; i++)
		if (phase[i] == p)
			return true;
	return false;
}

static size_t pair_up(const struct stat_side *base, const struct stat_side *other,
                      struct pair *pairs)
{
	size_t n = 0;

	for (size_t i = 0; i < base->n; i++) {
		if (seen(base->phase, i, base->phase[i]))
			continue;
		for (size_t j = 0; j < other->n; j++) {
			if (other->phase[j] == base->phase[i]) {
				pairs[n++] = (struct pair){i, j};
				break;
			}
		}
	}
	return n;
}

/* d per pair; false where a number has no logarithm. */
static bool differences(const double *base, const double *other, const struct pair *pairs, size_t n,
                        double *d)
{
	for (size_t i = 0; i < n; i++) {
		double b = base[pairs[i].base], o = other[pairs[i].other];

		if (!stat_has_log(b) || !stat_has_log(o))
			return false;
		d[i] = log(o / b);
	}
	return true;
}

static void interval(const double *walsh, size_t count, size_t n, const struct stat_rule *rule,
                     struct stat_result *out)
{
	unsigned int k = stat_signed_rank_k((unsigned int)n, rule->level, &out->level), one;
	double tail;

	if (k == 0)
		return; /* a level that so few pairs cannot reach */
	out->low = expm1(walsh[k - 1]);
	out->high = expm1(walsh[count - k]);
	one = rank_for_tail((unsigned int)n, 0.05, &tail);
	out->at_most = rule->more_is_better ? -expm1(walsh[one - 1]) : expm1(walsh[count - one]);
}

static void compare(const double *base, const double *other, const struct pair *pairs, size_t n,
                    const struct stat_rule *rule, struct stat_result *out)
{
	size_t count = n * (n + 1) / 2;
	double *d = xcalloc(n, sizeof(*d)), *walsh = xcalloc(count, sizeof(*walsh));
	double sd;

	stat_no_number(out, VERDICT_INVALID, "a number that is not above 0 has no ratio");
	out->base_n = out->new_n = n;
	if (!differences(base, other, pairs, n, d))
		goto out;
	out->why[0] = '\0';
	stat_walsh(d, n, walsh);
	sd = stat_sd(d, n);
	out->change = expm1(stat_median(walsh, count));
	if (n >= STAT_PAIRS_MIN)
		interval(walsh, count, n, rule, out);
	out->verdict = stat_decide(out->change, out->low, out->high, rule);
	if (out->verdict != VERDICT_UNSURE)
		goto out;
	out->needed = stat_still_needed(out->change, sd, n, STAT_PAIRS_MIN, true, rule);
	if (n >= STAT_PAIRS_MIN) {
		stat_say_unsure(out, rule, "phase");
	} else {
		if (out->needed < 0)
			out->needed = (long)(STAT_PAIRS_MIN - n);
		snprintf(out->why, sizeof(out->why),
		         "%zu phase%s measured on both kernels: a verdict needs %d", n,
		         n == 1 ? "" : "s", STAT_PAIRS_MIN);
	}
out:
	free(d);
	free(walsh);
}

void stat_compare_phases(const struct stat_side *base, const struct stat_side *other,
                         const struct stat_rule *rule, struct stat_result *out)
{
	struct pair *pairs = xcalloc(base->n ? base->n : 1, sizeof(*pairs));
	size_t n = pair_up(base, other, pairs);

	if (n == 0) {
		if (base->n == 0 || other->n == 0)
			stat_no_number(out, VERDICT_INVALID, "no valid boot of %s",
			               base->n ? "this kernel" : "the baseline");
		else
			stat_no_number(out, VERDICT_INVALID,
			               "no phase was measured on both kernels");
		goto out;
	}
	compare(base->median, other->median, pairs, n, rule, out);
	if (base->mean && other->mean) {
		struct stat_result means;

		compare(base->mean, other->mean, pairs, n, rule, &means);
		stat_skew(out, &means, rule);
	}
out:
	free(pairs);
}
