/*
 * walk.h - asks an agent which commits lie between two of a tree.
 *
 *     e = walk_ask(db, "alice", tree, "master", since, urgency, now_ms, &walk, &w);
 *     ... an agent that builds and may fetch from the tree does it ...
 *     e = store_walk_get(db, walk, p, &k, &w);     k.state: asked, done, failed
 *
 * It runs inside a db_write() function.
 */
#ifndef FOLDWATCH_SERVER_WALK_H
#define FOLDWATCH_SERVER_WALK_H

#include "server/store_job.h"
#include "server/store_walk.h"

/* A walk and its job. `since` NULL: the tip alone. The job's urgency is a submission's
 * priority. */
enum err walk_ask(struct db *db, const char *submitter, const char *tree, const char *ref,
                  const char *since, int64_t urgency, int64_t now_ms, int64_t *walk, struct why *w);

/* What follows from its job's end; k: id and what the agent found. */
enum err walk_answered(struct db *db, const struct job *j, const struct walk *k, int64_t now_ms,
                       struct why *w);
enum err walk_failed(struct db *db, const struct job *j, const char *why, int64_t now_ms,
                     struct why *w);
/* Nobody waits for it any more; nothing where it has ended. */
enum err walk_cancel(struct db *db, int64_t walk, const char *why, int64_t now_ms, struct why *w);
/* Forgets the walks of the same branch right before this one, which has ended, of which
 * nothing came: a branch that stands still is looked at as often as one that moves. The
 * newest stays, for an answer that comes twice. */
enum err walk_tidy(struct db *db, const struct walk *k, struct why *w);

/* A failed one whose `since` neither the tree nor an agent has any more: the reason begins
 * so. */
#define WALK_SINCE  "since: "
/* Where the tree is there and the branch is not, the reason has these words (agent/git.c). */
#define WALK_NO_REF " has no branch or tag "

#endif
