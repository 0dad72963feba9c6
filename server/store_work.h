/*
 * store_work.h - submissions that the server made by itself for an alert.
 * Conventions as in store_submission.h.
 *
 *     open -> done | failed | cancelled
 */
#ifndef FOLDWATCH_SERVER_STORE_WORK_H
#define FOLDWATCH_SERVER_STORE_WORK_H

#include "server/store_alert.h"

struct alert_work {
	int64_t submission, alert;
	const char *purpose; /* remeasure, ends, step, proof */
	const char *why, *by;
	const char *board, *case_text, *metric; /* remeasure: its largest cell ... */
	double before;                          /* ... and its change; NAN */
	const char *state;
	int64_t stands; /* remeasure: 1 it was slower again, 0 it was not; NONE */
	int64_t begun_ms, ended_ms;
};
struct alert_works {
	struct alert_work *at;
	size_t count;
};

enum err store_work_add(struct db *db, const struct alert_work *x, struct why *w);
/* open -> state. */
enum err store_work_end(struct db *db, int64_t submission, const char *state, int64_t stands,
                        int64_t now_ms, struct why *w);
/* submission 0: it is nobody's. */
enum err store_work_of_sub(struct db *db, int64_t submission, struct pool *p,
                           struct alert_work *out, struct why *w);
/* Of an alert, oldest first. */
enum err store_work_of_alert(struct db *db, int64_t alert, struct pool *p, struct alert_works *out,
                             struct why *w);
/* Re-measurings that are open and whose submission has ended. */
enum err store_work_ended(struct db *db, struct pool *p, struct ids *out, struct why *w);
/* Alerts of tracks that are to be measured again: still new, and not three times in vain
 * (it failed, or was unsure), nor just before. */
enum err store_work_wanted(struct db *db, int64_t now_ms, struct pool *p, struct ids *out,
                           struct why *w);

/* What the newest comparison of a submission says of a kernel's cell; boots < 0: nothing. */
struct work_cell {
	double change, low, high, tau, floor;
	int64_t boots, layouts;
	const char *verdict, *why;
};
enum err store_work_cell(struct db *db, int64_t submission, const char *board,
                         const char *case_text, const char *kernel, struct pool *p,
                         struct work_cell *out, struct why *w);
/* Its cells that moved, of a kernel: the slower ones first, of each the largest first. */
enum err store_work_cells(struct db *db, int64_t submission, const char *kernel, struct pool *p,
                          struct alert_cells *out, struct why *w);
/* Boots that were made for a submission, not reused; of one kernel's alone, in whatever
 * layout, or (NONE) of all. */
enum err store_work_boots(struct db *db, int64_t submission, int64_t kernel, int64_t *boots,
                          struct why *w);
/* Has the label a valid token of an admin? */
enum err store_work_admin(struct db *db, const char *label, bool *is, struct why *w);

#endif
