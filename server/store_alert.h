/*
 * store_alert.h - alerts, their steps and cells, marks, and mutes.
 * Conventions as in store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_ALERT_H
#define FOLDWATCH_SERVER_STORE_ALERT_H

#include "server/store_submission.h"

struct alert {
	int64_t id;
	const char *kind, *cause, *title;
	int64_t submission; /* NONE */
	const char *kernel;
	int64_t boot; /* NONE */
	const char *signature;
	int64_t track; /* missing: that has gone quiet; 0 or NONE: none */
	const char *state, *owner;
	int64_t created_ms, changed_ms;
	/* When read: of its kernel and baseline in the submission; NULL: not known. */
	const char *tree, *ref, *commit, *subject, *config;
	const char *base, *base_tree, *base_ref, *base_commit, *base_subject, *base_config;
	bool muted; /* all its cells are */
};
struct alerts {
	struct alert *at;
	size_t count;
};

struct alert_step {
	int64_t id;
	const char *from; /* NULL: it was made */
	const char *to, *why, *by;
	int64_t at_ms;
};
struct alert_steps {
	struct alert_step *at;
	size_t count;
};

struct alert_cell {
	int64_t submission, boot; /* NONE */
	const char *board;
	const char *case_text, *metric, *verdict; /* NULL: of a fault */
	double base_mean, mean, change, low, high;
	int64_t boots; /* NONE */
	int64_t mute;  /* NONE: it is told */
	bool emulated; /* when read: the board is */
};
struct alert_cells {
	struct alert_cell *at;
	size_t count;
};

/* `state` etc. as given; *id is its id. */
enum err store_alert_add(struct db *db, const struct alert *a, int64_t *id, struct why *w);
enum err store_alert_get(struct db *db, int64_t id, struct pool *p, struct alert *out,
                         struct why *w);
/* *id is NONE when there is none. */
enum err store_alert_by_cause(struct db *db, const char *cause, int64_t *id, struct why *w);

struct alert_filter {
	const char *state, *kind,
	        *board; /* NULL: any; state "open": what still asks for somebody */
	int64_t before, limit;
};
/* Newest first. */
enum err store_alert_list(struct db *db, const struct alert_filter *f, struct pool *p,
                          struct alerts *out, struct why *w);

/* Adds a step; where it leads elsewhere, the alert's state follows, with a new owner
 * unless that is NULL. */
enum err store_alert_step(struct db *db, int64_t alert, const struct alert_step *s,
                          const char *owner, int64_t *id, struct why *w);
/* Was its state given by the server? */
enum err store_alert_by_server(struct db *db, int64_t alert, bool *is, struct why *w);
/* Oldest first. */
enum err store_alert_steps(struct db *db, int64_t alert, struct pool *p, struct alert_steps *out,
                           struct why *w);
enum err store_alert_step_get(struct db *db, int64_t step, struct pool *p, struct alert_step *out,
                              struct why *w);

/* Replaces an alert's. */
enum err store_alert_cells_set(struct db *db, int64_t alert, const struct alert_cells *cells,
                               struct why *w);
enum err store_alert_cells(struct db *db, int64_t alert, struct pool *p, struct alert_cells *out,
                           struct why *w);
/* Boots of the kernel, in whatever layout, that were made for this submission, not reused. */
enum err store_alert_fresh(struct db *db, int64_t submission, int64_t kernel, int64_t *boots,
                           struct why *w);

/* When a kernel of its commit, or the same binary, was first asked for. */
enum err store_alert_kernel_since(struct db *db, int64_t kernel, int64_t *since_ms, struct why *w);

/* ---- marks */

struct alert_mark {
	int64_t id;
	const char *mark;
	int64_t alert, submission; /* NONE */
	const char *board, *case_text, *why, *by;
	int64_t at_ms;
};
struct alert_marks {
	struct alert_mark *at;
	size_t count;
};
enum err store_mark_add(struct db *db, const struct alert_mark *m, int64_t *id, struct why *w);
/* Newest first; `alert` NONE: of all. */
enum err store_mark_list(struct db *db, int64_t alert, int64_t before, int64_t limit,
                         struct pool *p, struct alert_marks *out, struct why *w);

/* Of alerts of slower kernels and of faults. */
struct alert_quality {
	int64_t alerts, confirmed, not_reproduced; /* that were, at some time */
	int64_t wrong, missed;                     /* marked: alerts; marks without one */
};
enum err store_mark_quality(struct db *db, struct alert_quality *out, struct why *w);

/* ---- mutes */

struct mute {
	int64_t id;
	const char *board, *case_glob, *branch, *why, *by;
	int64_t until_ms, at_ms, ended_ms; /* ended NONE */
	const char *ended_by;
};
struct mutes {
	struct mute *at;
	size_t count;
};
enum err store_mute_add(struct db *db, const struct mute *m, int64_t *id, struct why *w);
/* ERR_NOT_FOUND; ERR_CONFLICT when it was ended already. */
enum err store_mute_end(struct db *db, int64_t id, const char *by, int64_t now_ms, struct why *w);
enum err store_mute_get(struct db *db, int64_t id, struct pool *p, struct mute *out, struct why *w);
/* Open alerts with cells that a mute keeps quiet which is over by then. */
enum err store_mute_over(struct db *db, int64_t now_ms, struct pool *p, struct ids *out,
                         struct why *w);
/* Oldest first; `now_ms` NONE: those that are over too. */
enum err store_mute_list(struct db *db, int64_t now_ms, struct pool *p, struct mutes *out,
                         struct why *w);

#endif
