/*
 * case_munmap.c - one munmap(2) of a whole populated region.
 *
 * Timed: the call, from the region's first byte to its last: clearing the
 * PTEs, flushing, freeing the folios and the page tables.
 *
 * Untimed: mapping and populating the region before every window.
 *
 * Proved: before the window the folios; after it that no VMA is left between
 * the fences.
 *
 * Left behind: nothing. Page tables are freed behind an RCU grace period, which
 * may end after the window; that part is nobody's window.
 */
#include "bench/bench.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static enum run_state munmap_open(struct run *r)
{
	if (!region_reserve(&r->a, r->size, r->page << r->order, 0, &r->why))
		return RUN_SKIP;
	return RUN_VALID;
}

static enum run_state munmap_ready(struct run *r)
{
	return run_populate(r, &r->a);
}

static enum run_state munmap_prove(struct run *r, bool after)
{
	if (!after)
		return run_prove(r, &r->a, &r->before);
	return proof_gone(r->a.at, r->a.size, &r->why) == PROOF_HOLDS ? RUN_VALID : RUN_INVALID;
}

static enum run_state munmap_window(struct run *r)
{
	int rc;

	meter_start(r->meter);
	rc = munmap(r->a.at, r->a.size);
	meter_stop(r->meter);

	if (rc)
		return run_answer(r, RUN_INVALID, "munmap: %s", strerror(errno));
	return RUN_VALID;
}

static enum run_state munmap_reset(struct run *r)
{
	(void)r; /* the window took everything */
	return RUN_VALID;
}

const struct bench bench_munmap = {
        .name = "munmap",
        .open = munmap_open,
        .ready = munmap_ready,
        .prove = munmap_prove,
        .window = munmap_window,
        .reset = munmap_reset,
};
