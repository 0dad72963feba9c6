/*
 * disk.h - a disk with an empty file system, for guests that exercise files
 * (bench/files.h).
 */
#ifndef FOLDWATCH_DISK_H
#define FOLDWATCH_DISK_H

#include "lib/err.h"

#include <stdint.h>

/* What mkfs.xfs asks for at least. The file is sparse: an empty file system takes about
 * 64M of it, its log. */
#define DISK_BYTES (INT64_C(320) << 20)

/* A new file with XFS on it. ERR_NOT_FOUND without mkfs.xfs (Debian: xfsprogs), with
 * the program's own last words in other failures; the file is removed again. */
enum err disk_make(const char *path, struct why *w);

#endif
