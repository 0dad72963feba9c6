/*
 * git_walk.h - the commits between two of a tree, oldest first.
 *
 *     struct git_walk k = {0};
 *     e = git_open(&g, s, url, &w);
 *     if (!e) e = git_walk(&g, "master", since, WALK_COMMITS_MAX, &k, &w);
 *     git_walk_release(&k);
 *
 * A mirror has no more history than it was asked for (git.h). For a walk it is deepened by
 * date, twice as far each time, until what leads to one of the two and not to the other is
 * all here. So a branch that is looked at often costs what was added to it, and one that
 * was rebased its stack. That what is cut off is older than all of that is told by the
 * committers' dates, which may be a day apart.
 *
 * Tips stay in the mirror (refs/foldwatch/), with some of their history: after a force-push
 * what a walk begins behind is still here, though the tree may have lost it.
 */
#ifndef FOLDWATCH_GIT_WALK_H
#define FOLDWATCH_GIT_WALK_H

#include "agent/git_list.h"

#include <stdbool.h>

#define WALK_COMMITS_MAX 5000

struct git_walk {
	char tip[41];
	char base[41]; /* of the tip and `since`; "" where they have no commit in common */
	bool linear;   /* `since` is an ancestor of the tip, or the tip itself */
	int64_t omitted;
	struct git_list commits;
	bool *known;    /* of each: the other side of the base has its patch as well */
	bool *mainline; /* it is on the line of first parents from the tip */
};

/* How a failure begins that says that `since` is neither here nor in the tree any more. */
#define WALK_SINCE "since: "

/* `since` NULL: the tip alone, without the id of its patch. g->fail as in git.h. */
enum err git_walk(struct git *g, const char *ref, const char *since, size_t limit,
                  struct git_walk *out, struct why *w);
void git_walk_release(struct git_walk *k);

#endif
