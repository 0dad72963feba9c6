/*
 * cache.h - what the agent may lose: mirrors/, builds/, ccache/ and images/ below its
 * directory. Each direct child of these is one entry.
 *
 * A step that works in an entry holds it:
 *
 *     fd = cache_hold(conf->dir, "builds/0123456789abcdef", &w);
 *     ...
 *     close(fd);                    or simply end
 *
 * which makes the directory when it is missing, marks it as used now, and
 * keeps it from being evicted while the descriptor is open. (A shared flock(2)
 * on the directory: it vanishes with the process that held it.)
 *
 * When the disk is full, cache_evict() removes whole entries, the one that was
 * used longest ago first, until `want` bytes are free. spool/, state/, jobs/
 * and dead/ are never touched.
 */
#ifndef FOLDWATCH_CACHE_H
#define FOLDWATCH_CACHE_H

#include "lib/err.h"

#include <stdint.h>

/* The names of the four, closed by NULL. */
extern const char *const cache_rooms[];

/* `entry` is "ROOM/NAME". Returns a close-on-exec descriptor, or -1. */
int cache_hold(const char *dir, const char *entry, struct why *w);
/* Free bytes on the disk of `dir` are at least `want` afterwards, or
 * ERR_NO_SPACE when nothing is left to evict. *evicted (may be NULL) counts
 * the entries that were removed. Each is logged. */
enum err cache_evict(const char *dir, uint64_t want, int *evicted, struct why *w);

#endif
