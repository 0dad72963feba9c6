/*
 * history_view.h - a history as it is shown: the series of one board, case, metric and
 * configuration along a track, over all its environments.
 *
 * Each environment is a segment. The reference (reference.h), measured in two environments,
 * gives the ratio by which the earlier is shown scaled, so that segments chain up to the
 * newest, which is shown as it is. Where it was not measured on both sides a border is a
 * mark and nothing more.
 */
#ifndef FOLDWATCH_SERVER_HISTORY_VIEW_H
#define FOLDWATCH_SERVER_HISTORY_VIEW_H

#include "server/store_history.h"

#define HISTORY_POINTS_MAX  5000 /* more are answered as buckets */
#define HISTORY_BUCKETS     1000 /* unless asked otherwise */
#define HISTORY_CHANGES_MAX 1000 /* of a segment, the newest */

struct segment {
	struct history h;
	int64_t first, last, points; /* of what was asked for */
	/* Numbers are shown times this; NAN: they cannot be held against the newest, and are
	 * shown as they are. */
	double scale;
	struct history_showns shown; /* or buckets */
	struct history_bucket *bucket;
	size_t buckets;
	struct change_showns changes; /* newest first */
};
struct history_view {
	struct segment *at; /* by their first points */
	size_t count;
	int64_t points;
	bool bucketed;
	struct history_faults faults; /* newest first */
};

struct history_asked {
	struct history_filter f; /* with board, case_text and metric */
	int64_t from, until;     /* positions, both included */
	int64_t buckets;         /* NONE: points, unless they are more than HISTORY_POINTS_MAX */
};
/* ERR_NOT_FOUND: there is no such history; ERR_INPUT: it is several, with their names. */
enum err history_view(struct db *db, const struct history_asked *a, struct pool *p,
                      struct history_view *out, struct why *w);

#endif
