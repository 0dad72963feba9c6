/*
 * history.h - where did a series change?
 *
 * One number a commit, in order. The series is judged as y = ln x (as it stands
 * where a number is not above 0), in five steps:
 *
 *   1. Scale, from d1 = y[t+1] - y[t]:
 *          s = max(median |d1| / (.6745 sqrt 2), q90 |d1| / (1.6449 sqrt 2))
 *      (the 90 % quantile catches series of two modes); where that is 0,
 *      max(tau / 4, 1e-9).
 *   2. A point more than 4 s off the median of the 5 points around it is an
 *      outlier: replaced by that median and listed. Then s once more.
 *   3. Autocorrelation, with d2 = y[t+2] - y[t]:
 *          phi = (median |d2| / median |d1|)^2 - 1
 *      0 below 2 / sqrt n or where median |d1| is 0, at most .9.
 *      sigma^2 = s^2 / (1 - phi), V = (1 + phi) / (1 - phi).
 *   4. The segmentation that minimises SSE / sigma^2 + 3 V ln n a change, over
 *      all with at least STAT_SEGMENT_MIN points a segment (segment.h).
 *   5. Changes that do not stand are dropped, the weakest first, and their
 *      neighbours are looked at anew: where a t test with the variance
 *      (rss + 6 sigma^2) / (n - 1 + 6) a side, a standard error of sqrt V as
 *      much and (n1 + n2 - 2) / V + 6 degrees of freedom gives p > .001; where
 *      one straight line through both sides (of 8 points and more) fits better
 *      than the step: that is drift; where the step is less than tau.
 *
 * The p of a change that stands is its `score`. It is no p-value: the place was
 * chosen by the same data.
 *
 * Pure, as all of lib/stat.
 */
#ifndef FOLDWATCH_STAT_HISTORY_H
#define FOLDWATCH_STAT_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

#define STAT_WINDOW      400 /* points that a new point is judged with */
#define STAT_SEGMENT_MIN 4   /* points of a level */
#define STAT_TRANSIENT   6   /* points within which a change is undone */

/* What a series does beside its changes; the first that holds. */
enum stat_class {
	CLASS_DRIFT,     /* it moves along a line: by tau at least, where no step fits better */
	CLASS_VARIANCE,  /* its spread changes by half or to the double, at one place */
	CLASS_STEP,      /* at least one change stays */
	CLASS_TRANSIENT, /* all changes are undone within STAT_TRANSIENT points */
	CLASS_STEADY
};
const char *stat_class_name(enum stat_class c); /* "drift", ... */

struct stat_change {
	size_t index;         /* first point of the new level, from 0 */
	double before, after; /* the levels, in the series' unit (with logarithms: geometric) */
	/* after / before - 1; without logarithms the difference by |before|, NAN
	 * where that is 0. */
	double change;
	/* 95 % interval of the change by the test of step 5, as if the place had been
	 * known beforehand. */
	double low, high;
	double score;   /* see above; smaller is stronger */
	bool transient; /* undone, or undoing, within STAT_TRANSIENT points */
};

struct stat_history {
	struct stat_change *change; /* ascending */
	size_t changes;
	size_t *outlier; /* indices, ascending */
	size_t outliers;
	enum stat_class class;
	bool logs;
	/* In ln units; without logarithms in the series' own. */
	double tau, scale, phi;
	double level; /* of the newest segment, in the series' unit */
	/* The newest point as it came lies more than max(tau, 4 s) off its
	 * segment's level: a change is suspected, before it can be proved. */
	bool suspected;
};

/* `threshold`: the smallest change of interest, a fraction > 0. Without
 * logarithms it is one of the median of |x|. Every x is finite (the caller's
 * duty: there is no number to leave out of a series). Under 2 *
 * STAT_SEGMENT_MIN points nothing can be said: steady. */
void stat_history(const double *x, size_t n, double threshold, struct stat_history *out);
/* The same of the last STAT_WINDOW points, with indices of the whole series:
 * what appending a point costs, however long the series is. */
void stat_history_newest(const double *x, size_t n, double threshold, struct stat_history *out);
void stat_history_release(struct stat_history *h);

#endif
