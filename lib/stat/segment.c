#include "lib/stat/segment.h"

#include "lib/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* ---- sums */

void stat_sums_make(struct stat_sums *s, const double *y, size_t n)
{
	double mean = 0;

	for (size_t i = 0; i < n; i++)
		mean += (y[i] - mean) / (double)(i + 1);
	s->centre = mean;
	s->sum = xcalloc(n + 1, sizeof(*s->sum));
	s->square = xcalloc(n + 1, sizeof(*s->square));
	s->line = xcalloc(n + 1, sizeof(*s->line));
	for (size_t i = 0; i < n; i++) {
		double v = y[i] - mean;

		s->sum[i + 1] = s->sum[i] + v;
		s->square[i + 1] = s->square[i] + v * v;
		s->line[i + 1] = s->line[i] + (double)i * v;
	}
}

void stat_sums_release(struct stat_sums *s)
{
	free(s->sum);
	free(s->square);
	free(s->line);
	*s = (struct stat_sums){0};
}

double stat_sums_mean(const struct stat_sums *s, size_t from, size_t until)
{
	return s->centre + (s->sum[until] - s->sum[from]) / (double)(until - from);
}

double stat_sums_sse(const struct stat_sums *s, size_t from, size_t until)
{
	double sum = s->sum[until] - s->sum[from];
	double sse = s->square[until] - s->square[from] - sum * sum / (double)(until - from);

	return sse > 0 ? sse : 0;
}

double stat_sums_line(const struct stat_sums *s, size_t from, size_t until, double *slope)
{
	double n = (double)(until - from), middle = ((double)from + (double)until - 1) / 2;
	double stt = n * (n * n - 1) / 12; /* of 0, 1, ... n-1 about their mean */
	double sty = s->line[until] - s->line[from] - middle * (s->sum[until] - s->sum[from]);
	double sse = stat_sums_sse(s, from, until) - sty * sty / stt;

	if (slope)
		*slope = sty / stt;
	return sse > 0 ? sse : 0;
}

/* ---- functional pruning */

/* A place of the newest cut: what is before it costs `before`, penalty included. */
struct place {
	size_t at;
	double before;
};

/* From `low` (the end of the piece before) to `high` the place is the best. */
struct piece {
	size_t place;
	double high;
};

struct pieces {
	struct piece *at;
	size_t count, room;
};

static void add(struct pieces *p, size_t place, double high)
{
	if (p->count && p->at[p->count - 1].place == place) {
		p->at[p->count - 1].high = high;
		return;
	}
	if (p->count == p->room) {
		p->room = p->room ? p->room * 2 : 16;
		p->at = xreallocarray(p->at, p->room, sizeof(*p->at));
	}
	p->at[p->count++] = (struct piece){place, high};
}

/* cost(level) = n level^2 - 2 sum level + square, about the centre. */
struct parabola {
	double n, sum, square;
};

static struct parabola parabola(const struct stat_sums *s, const struct place *p, size_t until)
{
	return (struct parabola){(double)(until - p->at), s->sum[until] - s->sum[p->at],
	                         p->before + s->square[until] - s->square[p->at]};
}

/* Lowest within [low, high]; its place in *where. */
static double lowest(const struct parabola *q, double low, double high)
{
	double x = q->sum / q->n;

	x = x < low ? low : x > high ? high : x;
	return (q->n * x - 2 * q->sum) * x + q->square;
}

/* Where the older place is no worse than the newer: its parabola is the steeper
 * one, so that is an interval, or empty. */
static bool older_wins(const struct parabola *old, const struct parabola *new, double *from,
                       double *to)
{
	double a = old->n - new->n, b = old->sum - new->sum, c = old->square - new->square;
	double root = b * b - a * c;

	if (root < 0)
		return false;
	root = sqrt(root);
	*from = (b - root) / a;
	*to = (b + root) / a;
	return true;
}

/* The pieces once the newest place may be cut at. */
static void enter(const struct stat_sums *s, const struct place *place, size_t newest, size_t until,
                  double low, const struct pieces *old, struct pieces *out)
{
	struct parabola new = parabola(s, &place[newest], until);

	out->count = 0;
	for (size_t i = 0; i < old->count; i++) {
		struct parabola q = parabola(s, &place[old->at[i].place], until);
		double high = old->at[i].high, from, to;

		if (!older_wins(&q, &new, &from, &to) || to <= low || from >= high) {
			add(out, newest, high);
		} else {
			if (from > low)
				add(out, newest, from);
			add(out, old->at[i].place, to < high ? to : high);
			if (to < high)
				add(out, newest, high);
		}
		low = high;
	}
}

static size_t best(const struct stat_sums *s, const struct place *place, const struct pieces *p,
                   size_t until, double low, double *cost)
{
	size_t found = 0;

	*cost = INFINITY;
	for (size_t i = 0; i < p->count; i++) {
		struct parabola q = parabola(s, &place[p->at[i].place], until);
		double c = lowest(&q, low, p->at[i].high);

		if (c < *cost) {
			*cost = c;
			found = p->at[i].place;
		}
		low = p->at[i].high;
	}
	return found;
}

static size_t trace(const struct place *place, const size_t *last, size_t n, size_t *cut)
{
	size_t count = 0;

	for (size_t at = n; place[last[at]].at > 0; at = place[last[at]].at)
		cut[count++] = place[last[at]].at;
	for (size_t i = 0; i < count / 2; i++) {
		size_t t = cut[i];

		cut[i] = cut[count - 1 - i];
		cut[count - 1 - i] = t;
	}
	return count;
}

size_t stat_segment(const double *y, size_t n, double penalty, size_t least, size_t *cut)
{
	struct stat_sums s;
	struct place *place; /* number t: a cut before point t */
	size_t *last, count; /* of the first t points: the newest place of their best cut */
	struct pieces now = {0}, next = {0};
	double low = INFINITY, high = -INFINITY;

	if (n < 2 * least)
		return 0;
	stat_sums_make(&s, y, n);
	for (size_t i = 0; i < n; i++) {
		double v = y[i] - s.centre;

		low = v < low ? v : low;
		high = v > high ? v : high;
	}
	place = xcalloc(n + 1, sizeof(*place));
	last = xcalloc(n + 1, sizeof(*last));
	add(&now, 0, high);
	for (size_t t = least; t <= n; t++) {
		double cost;

		/* A cut that makes the newest segment just long enough. Before
		 * 2 * least it would make the one before it too short. */
		if (t >= 2 * least) {
			struct pieces swap = now;

			enter(&s, place, t - least, t, low, &now, &next);
			now = next;
			next = swap;
		}
		last[t] = best(&s, place, &now, t, low, &cost);
		place[t] = (struct place){t, cost + penalty};
	}
	count = trace(place, last, n, cut);
	free(now.at);
	free(next.at);
	free(place);
	free(last);
	stat_sums_release(&s);
	return count;
}
