/*
 * store_across.h - environments that a comparison reaches across, as derived rows;
 * inside store_compare.c only. Conventions as in store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_ACROSS_H
#define FOLDWATCH_SERVER_STORE_ACROSS_H

#include "lib/compare.h"
#include "server/store_util.h"

enum err store_across_add(struct db *db, const struct cmp *c, size_t pos, struct why *w);
/* Into a cmp that has its kernels and boards. */
enum err store_across_load(struct db *db, struct cmp *c, struct why *w);

#endif
