/*
 * store_history.h - the numbers of a track's points, series by series, and where they
 * change. Derived (history.h says how). Conventions as in store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_HISTORY_H
#define FOLDWATCH_SERVER_STORE_HISTORY_H

#include "server/store_submission.h"

/* ---- what histories are made of */

/* A point of a track, as far as they need it. */
struct trackpoint {
	int64_t track, position;
	const char *commit, *kind;
	int64_t submission; /* its own; NONE */
};
struct trackpoints {
	struct trackpoint *at;
	size_t count;
};
/* Points whose commit is a kernel of this submission, which is one of their track's. */
enum err store_trackpoints_of(struct db *db, int64_t submission, struct pool *p,
                              struct trackpoints *out, struct why *w);
/* The first behind a position; *found false: it is the newest. */
enum err store_trackpoint_next(struct db *db, int64_t track, int64_t position, struct pool *p,
                               struct trackpoint *out, bool *found, struct why *w);

/* Its tree and branch. ERR_NOT_FOUND. */
enum err store_track_branch(struct db *db, int64_t track, struct pool *p, const char **tree,
                            const char **branch, struct why *w);

/* One series: what must be equal for two numbers to stand in one history. */
struct series_key {
	int64_t track;
	const char *board, *case_text, *metric, *config, *env_id;
};

/* A number that a finished comparison of the track has for a point. */
struct history_cell {
	struct series_key key;
	const char *config_name;
	bool deterministic;
	double value;  /* in the metric's unit; NAN: none */
	double spread; /* cmp_cell.std_rel (lib/compare.h); with all below NAN: unknown */
	double tau, change, low, high; /* fractions, as its comparison has them */
	int64_t boots, against;        /* position of what it was compared with; NONE */
	bool carried, moved;
	int64_t kernel, submission, last_boot;
};
struct history_cells {
	struct history_cell *at;
	size_t count;
};
/* In order of their series; of one series the point's own submission first, then the
 * oldest. */
enum err store_history_cells(struct db *db, const struct trackpoint *t, struct pool *p,
                             struct history_cells *out, struct why *w);
/* Of a point that has a kernel and no number: those that the point before it has in each
 * of its series, where it is the same binary. */
enum err store_history_carried(struct db *db, const struct trackpoint *t, struct pool *p,
                               struct history_cells *out, struct why *w);

/* ---- histories */

struct history {
	int64_t id;
	struct series_key key;
	const char *config_name, *class, *unit;
	bool deterministic, more_is_better;
	int64_t points;
	double level; /* of the newest window, in the metric's unit; NAN: none */
};
struct histories {
	struct history *at;
	size_t count;
};
/* Found, or made for this cell. */
enum err store_history_of(struct db *db, const struct history_cell *c, struct pool *p,
                          struct history *out, struct why *w);
struct history_filter {
	int64_t track;
	const char *board, *case_text, *metric, *config_name, *env_id; /* NULL: any */
};
/* Those of one series beside one another, by their first points. */
enum err store_history_list(struct db *db, const struct history_filter *f, struct pool *p,
                            struct histories *out, struct why *w);
/* ERR_NOT_FOUND. */
enum err store_history_get(struct db *db, int64_t id, struct pool *p, struct history *out,
                           struct why *w);
/* The newest window's. */
enum err store_history_state(struct db *db, int64_t id, const char *class, double level,
                             struct why *w);
/* Drops all of them. */
enum err store_history_clear(struct db *db, struct why *w);

/* A point of a history. */
struct history_point {
	int64_t history, position;
	struct history_cell c; /* without its key */
};
struct history_points {
	struct history_point *at;
	size_t count;
};
/* What stands for a point of the track, in order of their histories. */
enum err store_history_at(struct db *db, int64_t track, int64_t position, struct pool *p,
                          struct history_points *out, struct why *w);
/* Adds or replaces. */
enum err store_history_put(struct db *db, int64_t history, int64_t position,
                           const struct history_cell *c, struct why *w);
enum err store_history_drop(struct db *db, int64_t history, int64_t position, struct why *w);
/* Up to `before` points below the position and `after` from it on, ascending. */
enum err store_history_around(struct db *db, int64_t history, int64_t position, int64_t before,
                              int64_t after, struct pool *p, struct history_points *out,
                              struct why *w);

/* A point's numbers by phase, from the boots behind it. */
struct phase_number {
	int64_t phase;
	double median, mean;
};
struct phase_numbers {
	struct phase_number *at;
	size_t count;
};
enum err store_history_phases(struct db *db, const struct history *h, const struct history_point *x,
                              struct pool *p, struct phase_numbers *out, struct why *w);

/* ---- changes (store_change.c) */

struct history_change {
	int64_t history, position;
	const char *class;        /* step, transient, outlier */
	double before, after;     /* levels, in the metric's unit */
	double change, low, high; /* fractions of `before`; NAN: unknown, or no interval */
	double score;             /* lib/stat/history.h; NAN on a deterministic board */
};
struct history_changes {
	struct history_change *at;
	size_t count;
};
enum err store_change_put(struct db *db, const struct history_change *c, struct why *w);
enum err store_change_class(struct db *db, int64_t history, int64_t position, const char *class,
                            struct why *w);
/* Those from..until, both included. */
enum err store_change_drop(struct db *db, int64_t history, int64_t from, int64_t until,
                           struct why *w);
/* Up to `before` below the position and `after` from it on, ascending. */
enum err store_change_around(struct db *db, int64_t history, int64_t position, int64_t before,
                             int64_t after, struct pool *p, struct history_changes *out,
                             struct why *w);
/* Points from..until - 1, at most `most`. */
enum err store_history_between(struct db *db, int64_t history, int64_t from, int64_t until,
                               int64_t most, int64_t *n, struct why *w);

/* Faults of a point's own submission, as its comparison has them. */
enum err store_history_faults_put(struct db *db, const struct trackpoint *t, struct why *w);

/* ---- reading (store_history_read.c) */

/* A point for people; what its kernel is. */
struct history_shown {
	struct history_point x;
	const char *commit, *subject, *kind;
	bool rebased;
	int64_t seen_ms;
};
struct history_showns {
	struct history_shown *at;
	size_t count;
};
/* Those from..until, both included, ascending; at most `most`, the newest. */
enum err store_history_read(struct db *db, int64_t history, int64_t from, int64_t until,
                            int64_t most, struct pool *p, struct history_showns *out,
                            struct why *w);
/* Position of the first and the newest; *n 0: there are none in from..until. Counts up to
 * `most`. */
enum err store_history_extent(struct db *db, int64_t history, int64_t from, int64_t until,
                              int64_t most, int64_t *first, int64_t *last, int64_t *n,
                              struct why *w);
#define HISTORY_BLOCK 256 /* positions whose points are summed up beforehand */
struct history_bucket {
	int64_t from, until; /* both included */
	int64_t n;           /* 0: nothing in it */
	double min, max, mean;
};
/* Fills n, min, max and mean of one that has from and until: quickly where it begins and
 * ends with a block. */
enum err store_history_bucket(struct db *db, int64_t history, struct history_bucket *b,
                              struct why *w);

struct change_shown {
	struct history_change x;
	const char *commit, *subject;
	int64_t submission;
};
struct change_showns {
	struct change_shown *at;
	size_t count;
};
/* The newest `most` of from..until, newest first; `outliers`: those too. */
enum err store_history_changed(struct db *db, int64_t history, int64_t from, int64_t until,
                               bool outliers, int64_t most, struct pool *p,
                               struct change_showns *out, struct why *w);

struct history_fault {
	int64_t position, boot, submission;
	const char *commit, *subject, *why, *signature;
};
struct history_faults {
	struct history_fault *at;
	size_t count;
};
/* The newest `most` of from..until, newest first. */
enum err store_history_faults(struct db *db, int64_t track, const char *board, int64_t from,
                              int64_t until, int64_t most, struct pool *p,
                              struct history_faults *out, struct why *w);

/* ---- rows, for store_history*.c and store_change.c */

#define HISTORY_POINT                                                                        \
	"x.history_id, x.position, x.value, x.spread, x.boots, x.carried, x.tau, x.against," \
	" x.change, x.low, x.high, x.moved, x.kernel_id, x.submission_id, x.last_boot"
#define HISTORY_CHANGE                                                                   \
	"x.history_id, x.position, x.class, x.before, x.after, x.change, x.low, x.high," \
	" x.score"
/* Of a statement that begins with those columns. */
void history_point_row(struct db_stmt *q, struct history_point *out);
/* ?1 to ?3 of a statement for what lies about a position. */
void history_bind_around(struct db_stmt *q, int64_t history, int64_t position, int64_t n);
void history_change_row(struct db_stmt *q, struct pool *p, struct history_change *out);

#endif
