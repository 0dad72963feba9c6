/*
 * store_series.h - a submission's patch series: what was asked for, and its patches once
 * an agent has resolved it. Conventions as in store_submission.h. Its kernels are the
 * submission's (sub_kernel.patches, built_only).
 */
#ifndef FOLDWATCH_SERVER_STORE_SERIES_H
#define FOLDWATCH_SERVER_STORE_SERIES_H

#include "server/store_util.h"

#include <stdbool.h>

#define SERIES_PATCHES_MAX  500
#define SERIES_PERSONS_MAX  20 /* of a patch */
/* Kernels that are booted for one, its base among them. */
#define SERIES_MEASURED_MAX 64

struct series_mark {
	int64_t position; /* 1: the first patch */
	const char *name;
};
struct series_patch {
	const char *commit, *subject, *author;
	const char *source;   /* the tree of its files; NULL: not told */
	const char *patch_id; /* NULL: it changes nothing */
	const char **person;  /* addresses in its trailers; when storing */
	size_t persons;
	/* Of the newest earlier series of this submitter on this tree that has a patch
	 * with this patch-id; NONE. When reading. */
	int64_t earlier, earlier_position;
};

/* A cell that says something else than it did for the same patch of an earlier series. */
struct series_change {
	const char *kernel, *board, *case_text, *metric, *was, *is;
	int64_t earlier; /* its submission */
};
struct series_changes {
	struct series_change *at;
	size_t count;
};

struct series {
	bool is;                      /* the submission has one */
	const char *bundle, *patches; /* artifacts; `bundle` NULL: not applied yet */
	bool every;
	int64_t steps; /* that a search may take; NONE: by its length */
	/* Configurations beside the baseline's, as hashes of texts; NULL: none. */
	const char *tip_config, *tip_config_name, *check_config, *check_config_name;
	bool tip_config_whole;
	struct series_mark *mark; /* in order of position */
	size_t marks;
	struct series_patch *patch; /* none before it is resolved */
	size_t count;
};

enum err store_series_add(struct db *db, int64_t sub, const struct series *s, struct why *w);
/* out->is false where the submission has none. */
enum err store_series_get(struct db *db, int64_t sub, struct pool *p, struct series *out,
                          struct why *w);
/* The patches, and the bundle that holds them; once. */
enum err store_series_resolved(struct db *db, int64_t sub, const struct series *s, struct why *w);
/* Whom the first `patches` patches name, those of earlier ones first; at most `limit`. */
enum err store_series_persons(struct db *db, int64_t sub, int64_t patches, int64_t limit,
                              struct pool *p, const char ***out, size_t *count, struct why *w);
/* Verdicts of stored comparisons, in the order of the cells. */
enum err store_series_changes(struct db *db, int64_t sub, struct pool *p,
                              struct series_changes *out, struct why *w);
/* A patch of a series that this submitter sent on this tree, by its commit; commit NULL:
 * there is none. */
enum err store_series_commit(struct db *db, const char *submitter, const char *tree,
                             const char *commit, struct pool *p, struct series_patch *out,
                             struct why *w);
/* The bundle of the submission's series if that commit is a patch of it, else that of the
 * newest other of its submitter's that has it, else NULL; and the commit that the series
 * stands on. */
enum err store_series_bundle(struct db *db, int64_t sub, const char *commit, struct pool *p,
                             const char **bundle, const char **base, struct why *w);

#endif
