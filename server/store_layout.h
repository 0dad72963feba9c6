/*
 * store_layout.h - relinks of a submission's kernels, and what boots of equal code
 * gave on a board. Conventions as in store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_LAYOUT_H
#define FOLDWATCH_SERVER_STORE_LAYOUT_H

#include "server/store_util.h"

/* A kernel of the submission in a layout above 0 (which is the kernel itself). */
struct sub_layout {
	int64_t pos, layout, kernel;
	const char *state, *why; /* of that kernel */
};
struct sub_layouts {
	struct sub_layout *at;
	size_t count;
};
enum err store_layout_add(struct db *db, int64_t sub, int64_t pos, int64_t layout, int64_t kernel,
                          struct why *w);
/* In order of position and layout. */
enum err store_layouts(struct db *db, int64_t sub, struct pool *p, struct sub_layouts *out,
                       struct why *w);

/* One boot's number in one case. */
struct floor_row {
	int64_t layout, submission, phase;
	double number; /* mean of its runs' medians */
};
/* What boots have in common whose code and conditions are equal: a case, a family (one
 * binary, as built for any submission, and its relinks), a plan, an environment. In
 * order of layout, submission, boot; valid until the call returns. */
struct floor_group {
	int64_t case_id;
	const struct floor_row *at;
	size_t count;
};
struct floor_want {
	const char *board, *identity, *metric;
	int64_t newest, boots; /* no boot above that id; so many of the newest */
	int64_t submission;    /* the cases of that one */
	bool layouts_only;     /* one image in several submissions tells nothing there */
	void (*group)(void *arg, const struct floor_group *g);
	void *arg;
};
/* Of kernels that were booted in several layouts, or for several submissions: calls
 * `group` with each, so that no more than one is in memory. */
enum err store_floor_groups(struct db *db, const struct floor_want *want, struct why *w);

#endif
