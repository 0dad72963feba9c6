/*
 * store_walk.h - walks: the commits between two of a tree, oldest first.
 * Conventions as in store_submission.h.
 *
 *     asked -> done | failed
 */
#ifndef FOLDWATCH_SERVER_STORE_WALK_H
#define FOLDWATCH_SERVER_STORE_WALK_H

#include "server/store_util.h"

#include <stdbool.h>

/* Of a walk; of a longer one the oldest are left out, and counted. */
#define WALK_COMMITS_MAX 5000

struct walk_commit {
	const char *commit;
	const char *source; /* the tree of its files, by git */
	const char *subject, *author;
	bool mainline;   /* on the line of first parents from the tip */
	int64_t parents; /* 2 and more: a merge */
	const char
	        *patch_id; /* NULL: a merge, it changes nothing, or the tip alone was asked for */
	bool known;        /* the other side of the base has this patch as well */
};

struct walk {
	int64_t id, job; /* job NONE: not made yet */
	const char *submitter, *tree, *ref;
	const char *since; /* NULL: the tip alone */
	const char *state, *why;
	/* Of one that is done. base NULL: the two have no commit in common; then the commits
	 * are all that lead to the tip. Without `since` the tip is its one commit. */
	const char *tip, *base;
	bool linear; /* `since` is an ancestor of the tip */
	int64_t omitted;
	int64_t asked_ms, answered_ms; /* answered NONE */
	struct walk_commit *commit;    /* position 1 first */
	size_t count;
};

/* submitter, tree, ref, since as given; state `asked`. */
enum err store_walk_add(struct db *db, const struct walk *k, int64_t now_ms, int64_t *id,
                        struct why *w);
enum err store_walk_job(struct db *db, int64_t id, int64_t job, struct why *w);
/* Without its commits. ERR_NOT_FOUND. */
enum err store_walk_get(struct db *db, int64_t id, struct pool *p, struct walk *out, struct why *w);
/* The walk that a job does. ERR_NOT_FOUND. */
enum err store_walk_of_job(struct db *db, int64_t job, struct pool *p, struct walk *out,
                           struct why *w);
/* Adds the commits of one that store_walk_get() has read. */
enum err store_walk_commits(struct db *db, struct walk *k, struct pool *p, struct why *w);
/* tip, base, linear, omitted and the commits of k->id; it is done then. */
enum err store_walk_done(struct db *db, const struct walk *k, int64_t now_ms, struct why *w);
enum err store_walk_failed(struct db *db, int64_t id, const char *why, int64_t now_ms,
                           struct why *w);
/* The walk of the same branch before k->id, for the same submitter; 0: there is none that
 * has ended, or something came of it. */
enum err store_walk_in_vain(struct db *db, const struct walk *k, int64_t *id, struct why *w);
/* With its job. */
enum err store_walk_drop(struct db *db, int64_t id, struct why *w);

#endif
