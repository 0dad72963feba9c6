/*
 * outfile.h - take a file out of a directory that untrusted code wrote.
 *
 * What lies there may be a symbolic link to a secret of this machine, a pipe
 * that never ends, or of any size: the path is resolved beneath the directory
 * without following any link, and only a plain file up to a maximum is read.
 */
#ifndef FOLDWATCH_OUTFILE_H
#define FOLDWATCH_OUTFILE_H

#include "lib/buf.h"
#include "lib/err.h"

#include <stdint.h>

/* Copy root/name to `to` (made anew, mode 0644) and sync it. ERR_NOT_FOUND when
 * there is none; *bytes (may be NULL) gets its length. */
enum err outfile_copy(const char *root, const char *name, const char *to, int64_t max,
                      int64_t *bytes, struct why *w);
/* Its content, up to out->max bytes (more is ERR_TOO_LARGE). */
enum err outfile_read(const char *root, const char *name, struct buf *out, struct why *w);

#endif
