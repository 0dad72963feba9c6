/*
 * store_compare.h - comparisons as derived rows. Conventions as in
 * store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_COMPARE_H
#define FOLDWATCH_SERVER_STORE_COMPARE_H

#include "lib/buf.h"
#include "lib/compare.h"
#include "server/store_submission.h"

/* A boot that later evidence made invalid for a submission. */
struct boot_void {
	int64_t boot;
	const char *why;
};
struct boot_voids {
	struct boot_void *at;
	size_t count;
};

/* Replaces what stood for c->submission. `body` is the JSON that is served. */
enum err store_cmp_save(struct db *db, const struct cmp *c, const struct boot_voids *voids,
                        const char *body, struct why *w);
/* Appends the served JSON; *found false: none was computed yet. */
enum err store_cmp_body(struct db *db, int64_t submission, struct buf *out, bool *found,
                        struct why *w);
/* Cells, thrown-out boots, notes, completeness into a cmp that has its kernels
 * and boards. *found false: none was computed yet. */
enum err store_cmp_load(struct db *db, struct cmp *c, bool *found, struct why *w);
/* Drops all derived rows but runs' numbers. */
enum err store_cmp_clear(struct db *db, struct why *w);
/* Submissions whose comparison has not seen their newest boot or their end. */
enum err store_cmp_stale(struct db *db, struct pool *p, struct ids *out, struct why *w);

#endif
