/*
 * git_list.h - what git tells of commits in the mirror: words, and ids of their patches.
 *
 *     struct git_list l = {0};
 *     e = git_list(&g, tip, base, max, &l, &w);         oldest first
 *     if (!e) e = git_patch_ids(&g, &l, 0, l.count, &w);
 *     git_list_release(&l);
 *
 * All of a commit comes from people: subjects and authors are scrubbed to UTF-8, one line
 * each, of at most 1000 bytes.
 */
#ifndef FOLDWATCH_GIT_LIST_H
#define FOLDWATCH_GIT_LIST_H

#include "agent/git.h"
#include "lib/conf.h"

#include <stddef.h>

#define GIT_DIFF_MAX    (256 << 20) /* bytes of patches that are read at once */
#define GIT_PERSONS_MAX 20          /* of a commit */

struct git_entry {
	char commit[41];
	char source[41];   /* the tree of its files: equal sources are one kernel */
	char patch_id[41]; /* git patch-id --stable; "" of a merge, or where it changes nothing */
	char parent[41];   /* the first; "" of a root, or where the mirror has none */
	int64_t parents;
	char *subject;
	char *author;             /* "Name <address>" */
	struct conf_list persons; /* addresses in its trailers, in plain form, once each */
};

struct git_list {
	struct git_entry *at;
	size_t count;
};

/* The commits that lead to `tip` and not to `base` (NULL: all), the newest `max` of
 * them, in an order in which parents come before their children. ERR_UNPROCESSABLE where
 * their words are too long together. */
enum err git_list(struct git *g, const char *tip, const char *base, size_t max,
                  struct git_list *out, struct why *w);
/* How many they are. */
enum err git_count(struct git *g, const char *tip, const char *base, int64_t *count, struct why *w);
/* Of the commits from..until - 1. ERR_TOO_LARGE where their patches are longer than
 * GIT_DIFF_MAX together. */
enum err git_patch_ids(struct git *g, struct git_list *l, size_t from, size_t until, struct why *w);
void git_list_release(struct git_list *l);

/* The addresses in values of trailers, which US separates, once each: what git_list()
 * does with them, for tests. */
void git_persons(const char *values, size_t len, struct conf_list *out);

#endif
