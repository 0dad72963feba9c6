/*
 * reference.h - the pinned kernel that every board boots each night.
 *
 * A night begins at the reference's hour (UTC). Once a night, and at once where what makes
 * a board's numbers comparable has changed (board.identity), the server makes a submission
 * of that one kernel for that board alone, with boots of its own. Never two at once: while
 * one is under way nothing is asked for, and a night in which nothing could be is missed.
 * A night that could not be asked for is tried again until the next begins, so a board that
 * comes back in the morning makes up for it.
 *
 * What its numbers are for: history_view.h.
 */
#ifndef FOLDWATCH_SERVER_REFERENCE_H
#define FOLDWATCH_SERVER_REFERENCE_H

#include "server/server.h"
#include "server/store_reference.h"

#define REFERENCE_PREFIX "reference on " /* of its submissions' titles */

/* The kernel is pinned, as far as can be told without asking an agent: an image, or a tree
 * and a whole commit id; and a submission of it could be read. */
enum err reference_check(struct server *srv, const struct reference *r, const char *label,
                         struct why *w);

/* Asks for what is due now; from the worker's thread. Never fails: what went wrong is
 * logged, and of a board it is stored. */
void reference_look(struct server *srv, int64_t now_ms);

/* How it goes on a board. */
struct reference_state {
	int64_t reference;  /* NONE: no reference is for this board */
	int64_t last_ms;    /* the last night that was measured; NONE */
	int64_t submission; /* of the newest night that has one; NONE */
	const char *state;  /* its state */
	int64_t missed;     /* nights since the last one that was measured, but for this one */
	const char
	        *why; /* why there is nothing of this night; NULL: there is, or it is under way */
};
enum err reference_state(struct db *db, const char *board, int64_t now_ms, struct pool *p,
                         struct reference_state *out, struct why *w);

#endif
