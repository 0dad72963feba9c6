#include "lib/stat/layout.h"

#include "lib/mem.h"
#include "lib/stat/inside.h"
#include "lib/stat/number.h"
#include "lib/stat/pairs.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void stat_floor_add(struct stat_floor *f, const double *y, size_t n)
{
	double mean = stat_mean(y, n), ss = 0;

	if (n < 2)
		return;
	for (size_t i = 0; i < n; i++)
		ss += (y[i] - mean) * (y[i] - mean);
	if (!isfinite(ss))
		return;
	f->ss += ss;
	f->df += (double)n - 1;
}

double stat_floor(const struct stat_floor *f, size_t layouts)
{
	if (!(f->df > 0) || !layouts)
		return NAN;
	return expm1(gsl_cdf_tdist_Pinv(.975, f->df) * sqrt(f->ss / f->df) *
	             sqrt(2 / (double)layouts));
}

static bool has(const int64_t *layout, size_t n, int64_t which)
{
	for (size_t i = 0; i < n; i++)
		if (layout[i] == which)
			return true;
	return false;
}

size_t stat_common_layouts(const struct stat_side *a, const int64_t *a_layout,
                           const struct stat_side *b, const int64_t *b_layout)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += !has(a_layout, i, a_layout[i]) && has(b_layout, b->n, a_layout[i]);
	return n;
}

/* A side that was folded: arrays of its own. */
struct folded {
	struct stat_side side;
	double *median, *mean;
	int64_t *phase;
};

static void fold_open(struct folded *f, const struct stat_side *of)
{
	size_t n = of->n ? of->n : 1;

	*f = (struct folded){.median = xcalloc(n, sizeof(double)),
	                     .mean = of->mean ? xcalloc(n, sizeof(double)) : NULL,
	                     .phase = xcalloc(n, sizeof(int64_t))};
	f->side = (struct stat_side){.median = f->median, .mean = f->mean, .phase = f->phase};
}

static void fold_close(struct folded *f)
{
	free(f->median);
	free(f->mean);
	free(f->phase);
}

/* The geometric mean of the boots that are marked; 0, which has no logarithm
 * either, where one of them has none. */
static double folded_mean(const double *y, const bool *in, size_t n)
{
	double sum = 0;
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if (!in[i])
			continue;
		if (!stat_has_log(y[i]))
			return 0;
		sum += log(y[i]);
		count++;
	}
	return exp(sum / (double)count);
}

static void fold_add(struct folded *f, const struct stat_side *of, const bool *in, int64_t phase)
{
	f->median[f->side.n] = folded_mean(of->median, in, of->n);
	if (f->mean)
		f->mean[f->side.n] = folded_mean(of->mean, in, of->n);
	f->phase[f->side.n++] = phase;
}

/* ---- boards with noise */

static void fold_layouts(const struct stat_side *s, const int64_t *layout, struct folded *out)
{
	bool *in = xcalloc(s->n ? s->n : 1, sizeof(*in));

	fold_open(out, s);
	for (size_t i = 0; i < s->n; i++) {
		if (has(layout, i, layout[i]))
			continue;
		for (size_t j = 0; j < s->n; j++)
			in[j] = layout[j] == layout[i];
		fold_add(out, s, in, 0);
	}
	out->side.phase = NULL;
	free(in);
}

void stat_compare_layouts(const struct stat_side *base, const int64_t *base_layout,
                          const struct stat_side *other, const int64_t *other_layout,
                          const struct stat_rule *rule, struct stat_result *out)
{
	struct stat_rule own = *rule;
	struct folded b, o;
	size_t few;

	own.pool = NULL;
	fold_layouts(base, base_layout, &b);
	fold_layouts(other, other_layout, &o);
	stat_compare_boots(&b.side, &o.side, &own, out);
	few = b.side.n < o.side.n ? b.side.n : o.side.n;
	if (out->verdict == VERDICT_UNSURE && few && few < STAT_BOOTS_MIN)
		snprintf(out->why, sizeof(out->why),
		         "%zu layout%s of each kernel: with layouts as the unit a verdict needs %d",
		         few, few == 1 ? "" : "s", STAT_BOOTS_MIN);
	if (out->needed > 0 && o.side.n)
		out->needed *= (long)((other->n + o.side.n - 1) / o.side.n);
	fold_close(&b);
	fold_close(&o);
}

/* ---- deterministic boards */

static size_t find(const struct stat_side *s, const int64_t *layout, int64_t phase, int64_t which)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->phase[i] == phase && layout[i] == which)
			break;
	return i;
}

/* Marks the boots of a phase in all common layouts; false: one is not there. */
static bool mark(const struct stat_side *s, const int64_t *s_layout, const struct stat_side *base,
                 const int64_t *base_layout, const struct stat_side *other,
                 const int64_t *other_layout, int64_t phase, bool *in)
{
	for (size_t i = 0; i < s->n; i++)
		in[i] = false;
	for (size_t i = 0; i < base->n; i++) {
		size_t at;

		if (!has(other_layout, other->n, base_layout[i]))
			continue;
		at = find(s, s_layout, phase, base_layout[i]);
		if (at == s->n)
			return false;
		in[at] = true;
	}
	return true;
}

void stat_compare_phases_layouts(const struct stat_side *base, const int64_t *base_layout,
                                 const struct stat_side *other, const int64_t *other_layout,
                                 const struct stat_rule *rule, struct stat_result *out)
{
	bool *in_b = xcalloc(base->n ? base->n : 1, sizeof(*in_b));
	bool *in_o = xcalloc(other->n ? other->n : 1, sizeof(*in_o));
	struct folded b, o;

	fold_open(&b, base);
	fold_open(&o, other);
	for (size_t i = 0;
	     i < base->n && stat_common_layouts(base, base_layout, other, other_layout); i++) {
		if (has(base->phase, i, base->phase[i]) ||
		    !mark(base, base_layout, base, base_layout, other, other_layout, base->phase[i],
		          in_b) ||
		    !mark(other, other_layout, base, base_layout, other, other_layout,
		          base->phase[i], in_o))
			continue;
		fold_add(&b, base, in_b, base->phase[i]);
		fold_add(&o, other, in_o, base->phase[i]);
	}
	if (base->n && other->n && !b.side.n)
		stat_no_number(out, VERDICT_INVALID,
		               "no phase was measured on both kernels in all their layouts");
	else
		stat_compare_phases(&b.side, &o.side, rule, out);
	fold_close(&b);
	fold_close(&o);
	free(in_b);
	free(in_o);
}
