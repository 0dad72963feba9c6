/*
 * files.h - a small userland on a real file system, for boots whose log is what
 * counts: files in large folios are written, mapped, copied on write, forked over,
 * moved, cut, punched, truncated, read around the cache and run, and every byte is
 * looked at again. The bug that voided the published figures of fork batching was in
 * a private mapping of a file, which a region of anonymous memory never meets.
 *
 *     files_exercise();      before the first case; nothing without a disk
 *     files_describe(e);     "files": {...} of the result's env
 *
 * The disk is the first virtio block device, with a file system on it that the agent
 * made (agent/disk.h). A byte that is not what was written, or a task that ends by a
 * signal, is a "BUG: foldbench: files: ..." in the kernel's log, where the scan of the
 * boot finds it. What this kernel cannot do is left out and counted as such.
 */
#ifndef FOLDBENCH_FILES_H
#define FOLDBENCH_FILES_H

#include "bench/emit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILES_DISK "/dev/vda"

/* In guests alone: mounts, and empties the page cache. */
void files_exercise(void);
/* Adds "files": {"type":"xfs","exercises":12,"left_out":0,"checks":...,"folio_order":9},
 * with "wrong" when there was a BUG and "why" when nothing could be tried; nothing at
 * all without a disk. */
void files_describe(struct emit *e);

/* ---- for the exercises (files_do.c) */

#define FILES_SIZE  (8ul << 20)
#define FILES_CHUNK (2ul << 20) /* of a write: a folio that a PMD could map fits in */

struct files_tally {
	uint64_t checks; /* ranges that were compared */
	uint64_t exercises, left_out, wrong;
	unsigned int folio_order; /* of the largest folio that was seen mapped */
	char type[16], why[128], now[32];
};

struct files {
	int dir; /* of the mounted file system */
	size_t page;
	char *buf; /* FILES_CHUNK bytes */
	int log;   /* where a BUG goes: /dev/kmsg */
	struct files_tally *tally;
};

struct files_exercise {
	const char *name;
	/* False: this kernel or file system cannot do it. */
	bool (*run)(struct files *f);
};
extern const struct files_exercise files_exercises[]; /* ends with a NULL name */

/* What a file with that seed holds at an offset that is a multiple of 8. */
uint64_t files_word(uint64_t seed, uint64_t offset);
/* Fill, or compare, bytes of a file from a multiple of 8 on. A difference is a BUG. */
void files_fill(void *at, uint64_t offset, size_t len, uint64_t seed);
bool files_same(struct files *f, const char *what, const void *at, uint64_t offset, size_t len,
                uint64_t seed);
bool files_zero(struct files *f, const char *what, const void *at, size_t len);
/* For the log: one line. */
void files_bug(struct files *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What has to hold for an exercise to mean something; else a BUG with errno. */
bool files_must(struct files *f, bool holds, const char *what);

#endif
