/*
 * series.h - the commits of a patch series, brought into a tree's mirror.
 *
 *     struct series s = {0};
 *     e = git_fetch(&g, base, NULL, &w);
 *     if (!e) e = series_artifact(&g, sha256, &path, &w);
 *     if (!e) e = series_bundle(&g, path, base, &s, &w);
 *     use(s.at[0].commit);              oldest first
 *     series_release(&s);
 *
 * A series travels as a git bundle: "# v2 git bundle", what it stands on, one tip,
 * and a thin pack (gitformat-bundle(5)). It comes from whoever submits, so nothing
 * in it is believed: its head is parsed here, its pack is written by `git index-pack
 * --strict`, which checks every object in it as a fetch would (git's own fetch from a
 * bundle does not, before 2.46), and its commits must be one line from the base to
 * the tip. After that each has its ref (git_has_patch()).
 *
 * On an error g->fail says whose it is, as in git.h.
 */
#ifndef FOLDWATCH_SERIES_H
#define FOLDWATCH_SERIES_H

#include "agent/git.h"
#include "lib/conf.h"

#include <stddef.h>

#define SERIES_PATCHES_MAX 500
#define SERIES_PERSONS_MAX 20                  /* of a patch */
#define SERIES_BYTES_MAX   (INT64_C(64) << 20) /* of a bundle, or of patches as text */

struct series_patch {
	char commit[41];
	char source[41];          /* the tree of its files: equal sources are one kernel */
	char patch_id[41];        /* git patch-id --stable; "" where the commit changes nothing */
	char *subject;            /* scrubbed to UTF-8, one line */
	char *author;             /* "Name <address>", the same */
	struct conf_list persons; /* addresses in its trailers, in plain form */
};

struct series {
	struct series_patch *at;
	size_t count;
};

/* The artifact in the job's own directory, from the server unless it is there
 * already; free() *path. */
enum err series_artifact(struct git *g, const char *sha256, char **path, struct why *w);
/* `base` is in the mirror already. */
enum err series_bundle(struct git *g, const char *path, const char *base, struct series *out,
                       struct why *w);
void series_release(struct series *s);

/* ---- pure parts, for tests */

struct bundle_head {
	char base[41], tip[41]; /* base "": it stands on nothing */
	size_t pack;            /* where the pack begins */
};
/* The addresses in values of trailers, which US separates, once each. */
void series_persons(const char *values, size_t len, struct conf_list *out);
/* `text` is the file's beginning. */
enum err bundle_parse(const char *text, size_t len, struct bundle_head *h, struct why *w);

#endif
