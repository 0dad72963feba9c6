/*
 * tracks.h - branches that are followed.
 *
 *     tracks_run(srv, now, &w);          the worker's thread, each second
 *
 * For each track that has something to do it makes one step after another, each of them a
 * transaction of its own with all that follows from it, so that a stop between two loses
 * nothing and asks for nothing twice:
 *
 *     a look is due               a walk from the newest point to the branch
 *     the walk has ended          its points (tracks_walk.c), the next look
 *     a point has no submission   it against the point before (tracks_point.c)
 *     a tip was measured          it against the release
 *     nobody wants the boards     the middle of the largest hole
 *     a pause is over             it goes on
 *     it has gone quiet           an alert (alerts_missing.c), and its end
 *     its branch is gone for long its own end
 */
#ifndef FOLDWATCH_SERVER_TRACKS_H
#define FOLDWATCH_SERVER_TRACKS_H

#include "server/server.h"
#include "server/store_track.h"
#include "server/store_walk.h"

#include <jansson.h>

#define TRACK_EVERY_MIN_S   60
#define TRACK_EVERY_MAX_S   604800
#define TRACK_FILLS_A_DAY   8
#define TRACK_FILL_MS       INT64_C(3600000) /* one hole at a time on a board, for so long */
#define TRACK_FILL_PRIORITY (-100)           /* below whatever a person asks for */
#define TRACK_RETRY_MS      60000            /* of what waits for a board, a config set, ... */
#define TRACK_LOOK_MS       60000            /* that it is looked at at least so often */
#define TRACK_QUIET_POINTS  3 /* measured points without a number of a cell that had some */
#define TRACK_GONE_MS       (INT64_C(14) * 86400000) /* without its branch it ends by itself */
#define TRACK_QUIET_MS      (INT64_C(6) * 3600000) /* points may wait so long, whatever is usual */

enum err tracks_run(struct server *srv, int64_t now_ms, struct why *w);

/* `t` is saved as ended, for t->stop_why, with what follows for its alerts. */
enum err tracks_end(struct db *db, struct track *t, int64_t now_ms, struct why *w);

/* A walk has ended: who waits for it is due. */
enum err tracks_walked(struct db *db, int64_t walk, int64_t now_ms, struct why *w);

/* ---- for tracks*.c and api_tracks.c */

/* The points that a walk brought, and what it says of the track. `t` is saved by the
 * caller. */
enum err tracks_take_walk(struct db *db, struct pool *p, struct track *t, struct walk *k,
                          int64_t now_ms, struct why *w);
/* What a point's submission says, as docs/api.md has it, without commits: to check a track
 * before it is made. */
json_t *tracks_trial(const struct track *t);
/* At most one step each; *did: there may be more to do. */
enum err tracks_submit(struct server *srv, struct db *db, struct pool *p, struct track *t,
                       int64_t now_ms, bool *did, struct why *w);
enum err tracks_release(struct server *srv, struct db *db, struct pool *p, struct track *t,
                        int64_t now_ms, bool *did, struct why *w);
enum err tracks_fill(struct db *db, struct pool *p, struct track *t, int64_t now_ms, bool *did,
                     struct why *w);

#endif
