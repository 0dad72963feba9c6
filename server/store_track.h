/*
 * store_track.h - tracks: branches that are followed, and their points.
 * Conventions as in store_submission.h.
 *
 *     active <-> paused,  active | paused -> ended
 */
#ifndef FOLDWATCH_SERVER_STORE_TRACK_H
#define FOLDWATCH_SERVER_STORE_TRACK_H

#include "server/store_submission.h"

struct track {
	int64_t id;
	const char *tree, *branch;
	int64_t every_ms;
	const char *mode;      /* tips, all, merges */
	const char *request;   /* JSON: a submission without its kernels */
	const char *config;    /* JSON: of its kernels */
	const char *toolchain; /* NULL: the default's */
	const char *release;   /* NULL: none */
	const char *submitter;
	bool admin;
	const char *state;
	const char *why;     /* of the last look, where it failed */
	const char *blocked; /* why its points cannot be asked for */
	const char *stop_why, *stop_by;
	int64_t until_ms; /* of a pause; NONE: until somebody resumes it */
	const char *tip;
	int64_t looked_ms; /* NONE: never */
	int64_t fails;
	int64_t next_ms, wake_ms;
	int64_t walk; /* under way; NONE */
	int64_t created_ms, changed_ms;
};
struct tracks {
	struct track *at;
	size_t count;
};

enum err store_track_add(struct db *db, const struct track *t, int64_t *id, struct why *w);
enum err store_track_get(struct db *db, int64_t id, struct pool *p, struct track *out,
                         struct why *w);
/* Newest first below `before`; state NULL: any, "open": not ended. */
enum err store_track_list(struct db *db, const char *state, int64_t before, int64_t limit,
                          struct pool *p, struct tracks *out, struct why *w);
/* The one of that submitter's on the branch that has not ended; NONE. */
enum err store_track_same(struct db *db, const struct track *t, int64_t *id, struct why *w);
/* Those that the server has something to do for. */
enum err store_track_due(struct db *db, int64_t now_ms, struct pool *p, struct ids *out,
                         struct why *w);
/* All that moves: from `state` on, but for created_ms. */
enum err store_track_save(struct db *db, const struct track *t, struct why *w);
/* What waits for a walk, or for a point's submission, is due. */
enum err store_track_wake_walk(struct db *db, int64_t walk, int64_t now_ms, struct why *w);
enum err store_track_wake_sub(struct db *db, int64_t sub, int64_t now_ms, struct why *w);

/* ---- points */

struct track_point {
	int64_t position;
	const char *commit, *kind;
	int64_t walk, walk_position; /* walk_position NONE: a base */
	bool rebased, filled;
	int64_t submission, release; /* NONE */
	const char *note;
	int64_t seen_ms;
	/* When read. */
	const char *subject, *author;        /* NULL: not known */
	const char *sub_state, *sub_why;     /* of its submission; NULL: it waits */
	int64_t ended_ms;                    /* the same; NONE */
	const char *name;                    /* in its submission */
	const char *base_name, *base_commit; /* of the baseline there; NULL: it is that */
	bool hashed, same; /* its binary is known, with the baseline's; is equal */
};
struct track_points {
	struct track_point *at;
	size_t count;
};

enum err store_point_add(struct db *db, int64_t track, const struct track_point *x, struct why *w);
/* Newest first, positions below `before`. */
enum err store_point_list(struct db *db, int64_t track, int64_t before, int64_t limit,
                          struct pool *p, struct track_points *out, struct why *w);
enum err store_point_count(struct db *db, int64_t track, int64_t *count, struct why *w);
/* Those that have no submission yet, oldest first. */
enum err store_point_waiting(struct db *db, int64_t track, int64_t limit, struct pool *p,
                             struct track_points *out, struct why *w);
/* The point before a position; of `measured` ones, whose kernel has numbers. position NONE
 * where there is none. */
enum err store_point_before(struct db *db, int64_t track, int64_t position, bool measured,
                            struct pool *p, struct track_point *out, struct why *w);
enum err store_point_submit(struct db *db, int64_t track, int64_t position, int64_t sub,
                            struct why *w);
enum err store_point_release(struct db *db, int64_t track, int64_t position, int64_t sub,
                             struct why *w);
/* Holes that were filled since. */
enum err store_point_filled(struct db *db, int64_t track, int64_t since_ms, int64_t *count,
                            struct why *w);
/* May a hole be filled now? Not while a point of the track waits or is measured; a job waits
 * for one of its boards or runs there; something for one of them is being built or looked
 * up; or a hole is being filled there for this or another track since `since_ms` (one that
 * takes longer keeps nobody waiting). Its boards are those of its newest point. What
 * is open elsewhere, or waits for what never comes, is of no matter. */
enum err store_point_idle(struct db *db, int64_t track, int64_t since_ms, bool *idle,
                          struct why *w);
/* The largest hole with a commit of the main line in it: that nearest to its middle.
 * position NONE where there is none. */
enum err store_point_hole(struct db *db, int64_t track, struct pool *p, struct track_point *out,
                          struct why *w);
/* The newest tip that was measured and not held against the release; position NONE. */
enum err store_point_unreleased(struct db *db, int64_t track, struct pool *p,
                                struct track_point *out, struct why *w);
/* How long the last ones took, from seen to measured, and when the last was; of holes
 * nothing. `oldest_ms`: when the oldest that is not measured was seen; NONE. */
struct point_times {
	int64_t took_ms[9];
	size_t count;
	int64_t last_ms, oldest_ms;
};
enum err store_point_times(struct db *db, int64_t track, struct point_times *out, struct why *w);

/* Boards x cases of the track's histories without a number at its newest `points` points
 * that were measured: how many, and the one that has had none for longest. None while a
 * fault of the track is an open alert: that is why. */
struct quiet_cells {
	int64_t count, points;
	const char *board, *case_text;
};
enum err store_point_quiet(struct db *db, int64_t track, int64_t points, struct pool *p,
                           struct quiet_cells *out, struct why *w);

/* Cells of a kernel of a submission by their verdict. */
typedef void store_verdict_fn(void *ctx, const char *verdict, int64_t count);
enum err store_point_verdicts(struct db *db, int64_t sub, const char *kernel,
                              store_verdict_fn *each, void *ctx, struct why *w);

/* What a submission is to a track. */
struct track_sub {
	int64_t track;           /* NONE: nothing */
	const char *base_commit; /* measured beside a tip that was rebased, only to be told apart */
};
enum err store_track_of_sub(struct db *db, int64_t sub, struct pool *p, struct track_sub *out,
                            struct why *w);

#endif
