/*
 * store_alert_track.h - alerts of branches that are followed: what their later points say.
 * Conventions as in store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_ALERT_TRACK_H
#define FOLDWATCH_SERVER_STORE_ALERT_TRACK_H

#include "server/store_job.h"

/* The point of a track that a submission measures; track NONE: it measures none. */
struct measured_point {
	int64_t track, position;
	const char *commit;
	/* None behind it is measured: what fills a hole, or is computed again, says nothing of
	 * the branch as it is now. */
	bool newest;
};
enum err store_alert_point(struct db *db, int64_t submission, struct pool *p,
                           struct measured_point *out, struct why *w);
/* Alerts that are open, of kernels that were slower at an earlier point of that track, whoever
 * measured them first; oldest first. */
enum err store_alert_before(struct db *db, const struct measured_point *at, struct pool *p,
                            struct ids *out, struct why *w);
/* Alerts of a slower kernel between two points of that track, one before this one and one
 * behind it, oldest first: what this point shows may be their cause. */
enum err store_alert_spanning(struct db *db, const struct measured_point *at, struct pool *p,
                              struct ids *out, struct why *w);
/* Alerts of slower kernels that are open and came of the branch of that track, which has ended,
 * where no other one follows it; oldest first. */
enum err store_alert_left(struct db *db, int64_t track, struct pool *p, struct ids *out,
                          struct why *w);
/* The baseline's mean in a cell of that submission's comparison; NAN: it has no such cell. */
enum err store_alert_level(struct db *db, int64_t submission, const char *kernel, const char *board,
                           const char *case_text, const char *metric, double *out, struct why *w);
/* Were all valid boots that answer the two submissions on that board made in one
 * environment? */
enum err store_alert_one_env(struct db *db, int64_t one, int64_t other, const char *board, bool *is,
                             struct why *w);
/* Had another track of that branch measured the kernel's commit by then? */
enum err store_alert_behind(struct db *db, int64_t track, int64_t kernel, int64_t before_ms,
                            bool *is, struct why *w);
/* Was the submission made to look at what is behind the branch: for an alert, or in a hole
 * of a track? */
enum err store_alert_backward(struct db *db, int64_t submission, bool *is, struct why *w);

#endif
