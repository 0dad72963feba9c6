/*
 * store_share.h - whose turn it is: the lanes of waiting jobs, and who used how much.
 *
 * A board, or the agents that resolve and build ("": all of them as one), is shared by
 * lanes. A lane is one submitter's jobs of one urgency there; only its first waiting job
 * is looked at by a claim, in the order of submissions and of each one's own order.
 * Which lane is next (store_claim.c):
 *
 *     checks on a board
 *     the highest level: its urgency, and one more for each LANE_STEP_MS that it has
 *         waited since it was served last, or since its first job came
 *     the submitter who used least of the board lately: milliseconds of jobs that ended, but
 *         for walks, of which half are forgotten every USAGE_HALF_MS
 *     the oldest submission
 *
 * So no lane starves. After (100 - urgency + 1) x LANE_STEP_MS of waiting every other lane
 * is served at most once before it: being served takes away what that one had waited, and
 * from then on it is behind by more than urgencies can make up for.
 *
 * Both tables are derived from jobs. usage.heat is log2 of the milliseconds as they would
 * be grown to 1970, so that it says who used less at any time and changes only when
 * something is added.
 */
#ifndef FOLDWATCH_SERVER_STORE_SHARE_H
#define FOLDWATCH_SERVER_STORE_SHARE_H

#include "server/store_util.h"

#define LANE_STEP_MS  INT64_C(600000)
#define USAGE_HALF_MS INT64_C(3600000)

/* A job of this lane waits. `board` NULL: it is resolved, walked or built. */
enum err store_lane_add(struct db *db, const char *board, const char *submitter, int64_t urgency,
                        struct why *w);
/* One of its jobs was begun. */
enum err store_lane_begun(struct db *db, const char *board, const char *submitter, int64_t urgency,
                          int64_t now_ms, struct why *w);
/* Adds (or, of a job that is put back, takes away) what a job used that ended then. */
enum err store_usage_add(struct db *db, const char *board, const char *submitter,
                         int64_t started_ms, int64_t ended_ms, bool put_back, struct why *w);
/* Both tables anew, from the jobs. */
enum err store_share_rebuild(struct db *db, struct why *w);

#endif
