/*
 * case_munmap.c - munmap(2) of a populated region, whole or in pieces.
 *
 * Timed: without block= the one call from the region's first byte to its last:
 * clearing the PTEs, flushing, freeing the folios and the page tables. With
 * block=N (cut.h) a call a block, all of them in one window: each splits a VMA
 * twice, unmaps its part, and leaves the rest of the block mapped; where the
 * block's PTEs are contiguous they are unfolded at the edges of the cut. The
 * VMAs are the larger part of such a window.
 *
 * Untimed: mapping and populating the region before every window.
 *
 * Proved: before the window the folios. After it that no VMA is left between
 * the fences; with block= that there are as many as the cuts leave, that every
 * page of a cut is gone, and that every other is present.
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
	enum run_state s = run_open_cut(r);

	if (s == RUN_VALID)
		s = run_open_vmas(r, cut_left(&r->cut, r->size));
	return s == RUN_VALID ? run_open_region(r) : s;
}

static enum run_state munmap_prove(struct run *r, bool after)
{
	const struct proof_bits rest = {.cut = r->cut,
	                                .mask = PM_PRESENT | PM_SWAP,
	                                .out = PM_PRESENT,
	                                .what = "is not as the cuts leave it"};

	if (!after)
		return run_prove(r, &r->a, &r->before);
	if (proof_vmas(r->a.at, r->a.size, cut_left(&r->cut, r->a.size), &r->why) != PROOF_HOLDS)
		return RUN_INVALID;
	return run_proof(proof_bits(r->a.at, r->a.size, &rest, &r->why));
}

static enum run_state munmap_window(struct run *r)
{
	int rc = 0;

	meter_start(r->meter);
	for (size_t i = r->cut.from; i < r->a.size; i += r->cut.step)
		rc |= munmap(r->a.at + i, r->cut.len);
	meter_stop(r->meter);

	if (rc)
		return run_answer(r, RUN_INVALID, "munmap: %s", strerror(errno));
	return RUN_VALID;
}

const struct bench bench_munmap = {
        .name = "munmap",
        .open = munmap_open,
        .ready = run_ready_region,
        .prove = munmap_prove,
        .window = munmap_window,
        .reset = run_reset_region,
};
