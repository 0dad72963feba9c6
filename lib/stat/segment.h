/*
 * segment.h - the best cut of a series into levels.
 *
 *     minimise  sum over segments of SSE  +  penalty a cut
 *
 * over all cuts whose segments have at least `least` points: the exact optimum.
 * Functional pruning: for every place of the newest cut the cost is a parabola
 * of the newest level, and only those that are the lowest for some level are
 * kept. R. Maidstone, T. Hocking, G. Rigaill, P. Fearnhead, "On optimal multiple
 * changepoint algorithms for large data", Statistics and Computing 27 (2017).
 * It takes O(n log n) where nothing changes, which is where pruning by inequality
 * (PELT) keeps everything and takes O(n^2).
 */
#ifndef FOLDWATCH_STAT_SEGMENT_H
#define FOLDWATCH_STAT_SEGMENT_H

#include <stddef.h>

/* The first points of all segments but the first, ascending, into cut (room for
 * n / least); how many. `penalty` > 0 in squared units of y; least >= 1. 0 where
 * n < 2 * least. */
size_t stat_segment(const double *y, size_t n, double penalty, size_t least, size_t *cut);

/* Sums of y from the first point on, to take any segment's mean and SSE. They are
 * taken about the mean of it all, so that little is lost to cancellation. */
struct stat_sums {
	double *sum, *square; /* n + 1 each */
	double *line;         /* of t * y */
	double centre;
};
void stat_sums_make(struct stat_sums *s, const double *y, size_t n);
void stat_sums_release(struct stat_sums *s);
/* Of the points from..until - 1 */
double stat_sums_mean(const struct stat_sums *s, size_t from, size_t until);
double stat_sums_sse(const struct stat_sums *s, size_t from, size_t until);
/* The same about the least-squares line, and that line's slope a point (may be
 * NULL). At least 3 points. */
double stat_sums_line(const struct stat_sums *s, size_t from, size_t until, double *slope);

#endif
