/*
 * file.h - files that survive a power cut, and trees of them.
 *
 * "Durable" below means: written to a temporary name in the same directory,
 * fsync'd, renamed over the target, and the directory fsync'd. A reader sees
 * the old content or the new, never a part.
 */
#ifndef FOLDWATCH_FILE_H
#define FOLDWATCH_FILE_H

#include "lib/buf.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* How the temporary names begin; what a crash leaves of them may be removed. */
#define FILE_DRAFT_PREFIX ".fw-draft-"

/* Read a whole file into out (initialised by the caller; its max is the cap,
 * past which ERR_TOO_LARGE). ERR_NOT_FOUND when there is none. */
enum err file_read(const char *path, struct buf *out, struct why *w);
/* Durable replace with the given mode (for instance 0600). */
enum err file_write(const char *path, const void *data, size_t len, mode_t mode, struct why *w);
/* Durable rename; both in the same file system. The content of a regular file is
 * fsync'd first. */
enum err file_rename(const char *from, const char *to, struct why *w);
/* Durable unlink; a file that is not there is OK. */
enum err file_remove(const char *path, struct why *w);
/* Durable copy of data and mode (0777 of it); reflinked where the system can. Only
 * regular files: ERR_INPUT for others. */
enum err file_copy(const char *from, const char *to, struct why *w);
enum err file_sync_dir(const char *path, struct why *w);

/* mkdir -p; directories that exist are OK, a file in the way is not. */
enum err dir_make(const char *path, mode_t mode, struct why *w);
/* rm -rf, by descriptors, never following a symbolic link out of the tree. Directories
 * that we own are made accessible. Stops at the first thing that cannot be removed;
 * what is mounted inside is such a thing and stays whole. */
enum err dir_remove(const char *path, struct why *w);
/* Bytes of all regular files below path (their lengths; a hole counts, a link does not).
 * What vanishes meanwhile is not counted. */
enum err dir_bytes(const char *path, uint64_t *bytes, struct why *w);
/* Free bytes for an unprivileged writer on the file system of path. */
enum err disk_free(const char *path, uint64_t *bytes, struct why *w);

/* An exclusive lock on path (made when missing), held until the returned
 * descriptor is closed or the process ends. ERR_CONFLICT when another holds
 * it; the sentence names that process by its pid where the file tells it. */
enum err file_lock(const char *path, int *fd, struct why *w);

/* "dir/name"; free() it. */
char *path_join(const char *dir, const char *name);
/* The part after the last slash. Borrowed. */
const char *path_base(const char *path);
bool path_exists(const char *path);
/* True when a relative path stays below its root: no leading slash, no empty,
 * "." or ".." component, no control character. */
bool path_is_safe(const char *path);

#endif
