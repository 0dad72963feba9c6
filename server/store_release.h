/*
 * store_release.h - tips of tracks held against a release. Conventions as in
 * store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_RELEASE_H
#define FOLDWATCH_SERVER_STORE_RELEASE_H

#include "server/store_submission.h"

struct release {
	int64_t track, position;
	const char *release; /* the track's */
	int64_t submission;
};
/* Of a submission; *found false: it holds nothing against a release. */
enum err store_release_of(struct db *db, int64_t submission, struct pool *p, struct release *out,
                          bool *found, struct why *w);
/* The newest of a track; *found false. */
enum err store_release_newest(struct db *db, int64_t track, struct pool *p, struct release *out,
                              bool *found, struct why *w);

/* The product of 1 + change over the steps of a series behind the release, where the track
 * has it as a point, up to a position; 1: there are none. */
enum err store_release_steps(struct db *db, const struct release *r, const char *release_commit,
                             const char *board, const char *case_text, const char *metric,
                             double *out, struct why *w);

#endif
