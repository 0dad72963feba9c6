/*
 * verdict.h - from facts to a comparison, and its derived rows.
 *
 *     e = verdict_update(srv, 7, &w);           compute, store, end when nothing is left
 *
 *     e = verdict_compute(db, 7, &v, &w);       the same without storing
 *     use(v.cmp);
 *     verdict_release(&v);
 *
 * Everything comes from facts: the boots that answer the submission, their
 * runs' numbers, its jobs' ends. Equal facts give equal rows, so that
 * server_rebuild() (server.h) can drop and compute them again.
 */
#ifndef FOLDWATCH_SERVER_VERDICT_H
#define FOLDWATCH_SERVER_VERDICT_H

#include "server/server.h"
#include "server/store_compare.h"

struct mismatch {
	const char *board, *why;
};
struct mismatches {
	struct mismatch *at;
	size_t count;
};

/* Boots from..until - 1 of every kernel, for the board's next look. */
struct more_boots {
	const char *board;
	int64_t from, until;
};
struct more {
	struct more_boots *at;
	size_t count;
};

struct judged {
	struct pool *pool; /* of what is listed below */
	struct cmp *cmp;
	struct boot_voids voids;
	struct mismatches mismatches; /* boards that are not deterministic after all */
	struct more more;             /* boards whose cells another look may decide */
	bool exploratory; /* boots were added when the result was known: it alerts of nothing */
	bool finished;    /* open, with nothing left to run, and none of those */
};

enum err verdict_compute(struct db *db, int64_t sub, struct judged *v, struct why *w);
/* The same from the same boots, looked at in another way, which is never stored. */
struct verdict_view {
	bool across;   /* with boots of other environments than the baseline's in it, flagged */
	bool previous; /* each kernel against the one before it: what a patch group adds */
	bool marks;    /* and that is none which a search added */
};
enum err verdict_compute_view(struct db *db, int64_t sub, const struct verdict_view *view,
                              struct judged *v, struct why *w);
void verdict_release(struct judged *v);

/* Only one runs at a time, so the newest facts win. */
enum err verdict_update(struct server *srv, int64_t sub, struct why *w);

/* The stored comparison for rendering as text; computed where none is stored.
 * cmp_free() it. */
enum err verdict_load(struct db *db, int64_t sub, struct cmp **out, struct why *w);

/* docs/api.md's COMPARISON (compare_json.c). */
char *compare_json(const struct cmp *c);

#endif
