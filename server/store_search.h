/*
 * store_search.h - the search for the patches of a series that matter: its steps, which
 * are facts, and what it found, which is derived. Conventions as in store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_SEARCH_H
#define FOLDWATCH_SERVER_STORE_SEARCH_H

#include "server/store_util.h"

#include <stdbool.h>

/* A prefix that is booted in the middle of an interval. */
struct search_step {
	int64_t number;    /* 1: the first */
	int64_t position;  /* patches that it holds */
	int64_t low, high; /* those that the interval's ends hold */
	bool laid;         /* its boots are asked for */
	int64_t at_ms;
	/* when read */
	const char *kernel; /* its name */
	int64_t boots;      /* that were made for it */
};
struct search_steps {
	struct search_step *at;
	size_t count, waiting; /* of them not laid */
};

/* A case that is slower or faster with the patches first..last than without. */
struct search_effect {
	const char *board, *case_text, *metric, *kernel, *against, *verdict;
	int64_t first, last;
	double change, low, high;
	const char *why; /* NULL: it is one patch, or the search goes on */
};
struct search_effects {
	struct search_effect *at;
	size_t count;
};

struct search_boots {
	int64_t made;       /* for the whole submission, its validation left out */
	int64_t per_kernel; /* of the kernel that has the most */
};

/* Takes the prefix, which was built only, for the next step. Its relinks, where the
 * submission has layouts, are asked for by schedule_advance(). */
enum err store_search_step_add(struct db *db, int64_t sub, const struct search_step *s,
                               int64_t now_ms, struct why *w);
enum err store_search_laid(struct db *db, int64_t sub, int64_t number, struct why *w);
/* In their order. */
enum err store_search_steps(struct db *db, int64_t sub, struct pool *p, struct search_steps *out,
                            struct why *w);
enum err store_search_boots(struct db *db, int64_t sub, struct search_boots *out, struct why *w);

/* All of them anew. */
enum err store_search_effects_set(struct db *db, int64_t sub, int64_t last_boot,
                                  const struct search_effects *l, struct why *w);
enum err store_search_effects(struct db *db, int64_t sub, struct pool *p,
                              struct search_effects *out, struct why *w);
enum err store_search_clear(struct db *db, struct why *w);

#endif
