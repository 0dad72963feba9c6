/*
 * store_meta.h - how much there is of what: for /metrics.
 */
#ifndef FOLDWATCH_STORE_META_H
#define FOLDWATCH_STORE_META_H

#include "server/db.h"

/* Jobs that wait or run, by kind and state (zeros too), boards by kind and state,
 * alerts that ask for somebody by state, and steps that wait to be told by channel
 * (both zeros too; `b` is NULL). Reads indexes and small tables only, so that asking often costs
 * nothing, however much is stored. */
typedef void store_meta_fn(void *ctx, const char *a, const char *b, int64_t count);
enum err store_meta_jobs(struct db *db, store_meta_fn *each, void *ctx, struct why *w);
enum err store_meta_alerts(struct db *db, store_meta_fn *each, void *ctx, struct why *w);
enum err store_meta_outbox(struct db *db, store_meta_fn *each, void *ctx, struct why *w);
enum err store_meta_boards(struct db *db, store_meta_fn *each, void *ctx, struct why *w);

#endif
