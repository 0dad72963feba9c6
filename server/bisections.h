/*
 * bisections.h - the search for the commit behind an alert.
 *
 *     walking -> ends -> searching -> proving -> done
 *        any of them -> gave_up (with the reason) | cancelled
 *
 * A row of `bisection` is all its memory: each move is one transaction with what it asks
 * for (a walk, a submission) or found, and begins from what is stored, so that a stop at any
 * instruction leaves a state from which the next look goes on. What infra trouble ended is
 * asked again, later each time, and decides nothing.
 *
 *     walking    an agent tells the commits between the ends; those of a track or a series
 *                are known, so that it passes at once. One commit is the culprit with no step
 *     ends       both ends, measured as a step is; where they do not differ, it gives up
 *     searching  one commit at a time (bisect.h), the good end beside it. Few boots, then
 *                more, until lib/stat/sprt.h tells which end it is like; of a fault, whether
 *                boots show it. What does not build or boot is passed over; the binary of one
 *                that is decided is not booted
 *     proving    the culprit against its parent, as a person would submit them
 */
#ifndef FOLDWATCH_SERVER_BISECTIONS_H
#define FOLDWATCH_SERVER_BISECTIONS_H

#include "server/server.h"
#include "server/store_bisect.h"
#include "server/store_walk.h"

/* Inside a db_write() function; `by` NULL: the server; `reason` may be NULL. ERR_NOT_FOUND;
 * ERR_CONFLICT while one is open, or after the alert was dismissed; ERR_UNPROCESSABLE for what has
 * no commits in between. */
enum err bisections_begin(struct server *srv, struct db *db, int64_t alert, const char *by,
                          const char *reason, int64_t now_ms, struct why *w);
/* The open one of an alert, if there is any, is cancelled, with a step of the alert. */
enum err bisections_stop(struct db *db, int64_t alert, const char *why, const char *by,
                         int64_t now_ms, struct why *w);
/* A walk has ended, done or failed: what waits for it goes on at the next look. */
enum err bisections_walked(struct db *db, const struct walk *walk, int64_t now_ms, struct why *w);
/* The worker, at each look. What cannot be asked for now is tried again from *retry_ms on. */
void bisections_work(struct server *srv, int64_t *retry_ms);

/* For bisections*.c. One move of an open one, inside a db_write() function. */
enum err bisections_move(struct server *srv, struct db *db, int64_t id, int64_t now_ms,
                         struct why *w);
enum err bisections_end(struct db *db, struct bisection *b, const char *state, const char *why,
                        const char *by, int64_t now_ms, struct why *w);

#endif
