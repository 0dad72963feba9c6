/*
 * search.h - which patches of a series matter, found with few boots.
 *
 *     struct search s;
 *     e = search_look(db, &judged, &s, &w);       in the snapshot of the comparison
 *     e = search_save(db, sub, &s, now, &w);      in the transaction that stores it
 *
 * Marks, tip and base are booted first. Where two neighbours of them differ in some case,
 * slower or faster, and there is more than one patch in between, a prefix in the middle is
 * booted as they were, and each half is looked at in the same way: the marginal effects of
 * a comparison (`against=previous`) say which half it is. So a patch is found with as many
 * prefixes as its interval can be halved, and every effect stands between two neighbours.
 *
 *     base ........ basic .................. tip        basic..tip is slower
 *                     |          p22         |          p22..tip is slower
 *                     |           |     p24  |  ...
 *
 * No boots are needed where a prefix is the same binary as an end of its interval. What
 * was not built, or never came up, is stepped over: the patches on both sides of it stay
 * together. An interval whose ends do not differ is not looked into: effects in it that
 * take each other back do not show. Nor are halves that do not differ by themselves while
 * both together do: that is said of the whole.
 */
#ifndef FOLDWATCH_SERVER_SEARCH_H
#define FOLDWATCH_SERVER_SEARCH_H

#include "server/store_search.h"
#include "server/store_series.h"
#include "server/verdict.h"

struct search {
	struct pool *pool;
	bool is; /* it was looked at: the effects are new */
	struct search_effects effects;
	struct search_steps next; /* prefixes that are to be booted; none: it has ended */
};

/* Prefixes that a search may boot beside marks and tip: as told or, NONE, twice as many
 * as halve the series; 0: none, or all are booted anyway. */
int64_t search_steps_max(const struct series *s);

/* The effects of one patch, or of several that stand together, in one direction. */
struct search_patch {
	const struct search_effect *most; /* the largest */
	size_t cells;
};
/* By patch and direction, in the order of the effects; how many. */
size_t search_patches(struct pool *p, const struct search_effects *all, struct search_patch **out);

/* What to do once nothing is left to run; s->is stays false for what is no series, and
 * while boots are to come. Adds sentences to the comparison. `live` false: it is computed
 * again, and nothing is asked for. Release it in any case. */
enum err search_look(struct db *db, struct judged *v, bool live, struct search *s, struct why *w);
enum err search_save(struct db *db, const struct judged *v, const struct search *s, int64_t now_ms,
                     struct why *w);
void search_release(struct search *s);

#endif
