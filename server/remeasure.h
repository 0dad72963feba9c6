/*
 * remeasure.h - an alert is measured again, with boots of its own and in several layouts
 * of each kernel, before anybody is asked to look.
 *
 *     e = remeasure_begin(srv, db, alert, by, why, now_ms, &w);     a person asks
 *     remeasure_work(srv, &retry_ms);                               the worker, at each look
 *
 * Alerts of tracks are measured again by themselves. The comparison that comes of it leads
 * the alert to confirmed or not reproduced (alerts.h), whatever its kernels hash to: it is
 * known to be this alert's. A step of the alert tells that it began, and how it ended.
 */
#ifndef FOLDWATCH_SERVER_REMEASURE_H
#define FOLDWATCH_SERVER_REMEASURE_H

#include "server/alert_work.h"

/* Layouts of a kernel that is built here: as its tree links it, and relinked. On a board
 * with noise layouts are what is counted, and fewer are never a verdict (lib/stat/layout.h). */
#define REMEASURE_LAYOUTS       2
#define REMEASURE_LAYOUTS_NOISE 3

/* Inside a db_write() function; `by` NULL: the server. ERR_NOT_FOUND; ERR_CONFLICT while it
 * is under way, or after the alert was dismissed; ERR_UNPROCESSABLE for what cannot be
 * measured again. */
enum err remeasure_begin(struct server *srv, struct db *db, int64_t alert, const char *by,
                         const char *why, int64_t now_ms, struct why *w);
/* Begins what is wanted, ends what has ended. One that cannot begin (no board) is tried
 * again, from *retry_ms on, which starts at 0. What went wrong is logged. */
void remeasure_work(struct server *srv, int64_t *retry_ms);

#endif
