/*
 * alert_work.h - submissions that the server makes by itself for an alert: like the one
 * that showed it (configuration, toolchain, iterations, threshold, submitter and so trust
 * domain), ahead of ordinary work.
 *
 *     e = alert_origin(db, p, alert, &o, &w);            what it is like
 *     ask = (struct work_ask){.origin = &o, .purpose = "ends", ...};
 *     e = alert_work_ask(srv, db, &ask, now_ms, &sub, &w);
 *
 * All run inside a db_write() function: the submission and the row that says whose it is
 * are one transaction with their cause.
 */
#ifndef FOLDWATCH_SERVER_ALERT_WORK_H
#define FOLDWATCH_SERVER_ALERT_WORK_H

#include "server/server.h"
#include "server/store_work.h"

struct alert_origin {
	struct alert alert;
	struct alert_cells cells;
	struct sub sub;                   /* that showed it */
	struct sub_kernel kernel, base;   /* of that; base.name NULL: the kernel is the baseline */
	const struct alert_cell *largest; /* of those that are slower; of a fault the first */
	struct texts boards, cases;       /* where it shows, the largest first; of a fault the
	                                     submission's cases */
};

/* ERR_UNPROCESSABLE where it has no submission with kernels of ours. */
enum err alert_origin(struct db *db, struct pool *p, int64_t alert, struct alert_origin *out,
                      struct why *w);

struct work_side {
	const char *name, *tree, *commit; /* or image */
	const char *image;
	const struct sub_kernel *like; /* configuration and toolchain */
};

struct work_ask {
	const struct alert_origin *origin;
	struct work_side good, bad; /* the first is the baseline */
	const char *board;          /* NULL: all of the origin that can be used now */
	const struct texts *cases;
	int64_t boots, layouts; /* boots NONE: the board's default */
	bool fresh;             /* boots of its own; kernels that stand are used all the same */
	const char *purpose, *title, *why, *by;
};

enum err alert_work_ask(struct server *srv, struct db *db, const struct work_ask *a, int64_t now_ms,
                        int64_t *sub, struct why *w);

/* Stops one of them, without a step. */
enum err alert_work_cancel(struct db *db, int64_t sub, int64_t now_ms, struct why *w);
/* An alert is dismissed: what the server does for it is stopped, with a step. */
enum err alert_work_stop(struct db *db, int64_t alert, const char *why, int64_t now_ms,
                         struct why *w);

/* "0123456789ab" */
const char *commit_short(struct pool *p, const char *commit);

#endif
