/*
 * history.h - the numbers of a track's points, series by series, and where they change.
 *
 *     e = history_compared(db, 7, live, now_ms, &w);      a comparison was stored
 *
 * A history is one board, environment, configuration, case and metric along a track. It has
 * a number for each point whose kernel was measured there: that of its own submission, else
 * of one that it is the baseline of, in a finished comparison. So the point before a new
 * environment is the first of the history that begins with it. A point that is the same
 * binary as the one before it, and was not booted, has that one's number.
 *
 * Changes. On a deterministic board a step is known at its first point: where the comparison
 * with the point before says slower or faster. Where no comparison has the two beside one
 * another (a hole was filled later, a merge base lies in between), their boots are paired
 * here or, where they share too few phases, their numbers decide, without an interval. On
 * other boards lib/stat/history.h
 * finds them; each stands as the window of STAT_WINDOW points says in which HISTORY_MARGIN
 * points come before it, or the newest window, for what is nearer to the end. So it depends
 * on the numbers alone and never on when they came: a rebuild makes the same rows. A new
 * point at the end costs one window, a hole that is filled later as many as see it.
 *
 * Where a newest point is suspected to begin a worse level, it is told (alerts_history.c).
 */
#ifndef FOLDWATCH_SERVER_HISTORY_H
#define FOLDWATCH_SERVER_HISTORY_H

#include "server/store_history.h"

#define HISTORY_MARGIN 100

/* Inside a db_write() function, once the submission's comparison is stored. `live`: what
 * is suspected is told; not in a rebuild. */
enum err history_compared(struct db *db, int64_t submission, bool live, int64_t now_ms,
                          struct why *w);

/* The newest point of a history lies above or below its level, as do those since `first`. */
struct suspicion {
	const struct history *history;
	const struct history_point *first;
	double level, change; /* of the newest against the level */
	bool step;            /* no suspicion any more: a step was found there */
};
/* Makes it an alert of the point's kernel, unless it is one (alerts_history.c). */
enum err alerts_suspected(struct db *db, const struct suspicion *s, int64_t now_ms, struct why *w);

#endif
