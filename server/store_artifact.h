/*
 * store_artifact.h - content-addressed files: dir/artifacts/ab/cdef...
 *
 * A file is there before its row, and a row is never without its file unless
 * somebody deleted it by hand; putting the content again mends that.
 */
#ifndef FOLDWATCH_STORE_ARTIFACT_H
#define FOLDWATCH_STORE_ARTIFACT_H

#include "lib/hash.h"
#include "server/db.h"

#include <stdbool.h>

/* Where the content with this hash is kept (or would be); free() it. */
char *artifact_path(const char *dir, const char *sha256);
/* ERR_NOT_FOUND when it was never put. */
enum err artifact_find(struct db *db, const char *sha256, int64_t *bytes, struct why *w);
/* Takes a complete, fsync'd file of the same file system, whose hash the caller
 * has computed, by renaming it (or leaves it alone when the content is there
 * already). *fresh says which. Durable when it returns. `by`: the submitter whose
 * quota it counts for, or NULL. */
enum err artifact_take(struct db_store *store, const char *dir, const char *file,
                       const char *sha256, int64_t bytes, const char *by, bool *fresh,
                       struct why *w);
/* The same for content in memory; computes the hash. */
enum err artifact_keep(struct db_store *store, const char *dir, const void *data, size_t len,
                       char sha256[SHA256_HEX], struct why *w);

#endif
