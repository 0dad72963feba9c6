/*
 * reads.h - reads of a populated region as windows.
 *
 * Random: one byte of a cache line anywhere in the region, the next address
 * made from the generator and from what was read, so that no two reads overlap
 * and each waits for its translation. The seed is fixed: every window of every
 * run reads the same places. What was read is added up and compared with what
 * folio_populate() wrote there.
 *
 * The generator is Marsaglia's xorshift64 ("Xorshift RNGs", 2003; 13, 7, 17).
 */
#ifndef FOLDBENCH_READS_H
#define FOLDBENCH_READS_H

#include "bench/bench.h"

#include <stddef.h>
#include <stdint.h>

/* Random reads in one window: as many as the region has pages. */
uint64_t reads_count(size_t size, size_t page);
/* A window of them; sets no r->calls. */
enum run_state reads_window(struct run *r, const struct region *at);
/* A window in which the first byte of every page is read, in order. */
enum run_state reads_each_window(struct run *r, const struct region *at);

#endif
