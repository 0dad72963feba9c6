/*
 * case_dontneed.c - madvise(MADV_DONTNEED) of a populated region.
 *
 * Timed: clearing the PTEs, flushing, freeing the folios; page tables stay.
 *
 *   mode=whole      one call over the region
 *   mode=each-page  a call a page, from the first to the last, all in one window
 *   block=N         a call a block over N bytes of it (cut.h): less than a block
 *                   unfolds contiguous PTEs, which are not folded again
 *
 * Untimed: mapping and populating the region before every window; unmapping it
 * behind each, so that the next window finds no page tables either.
 *
 * Proved: before the window the folios. After it that the pages the calls named
 * are gone, that the others are present, and that it is one VMA still.
 *
 * Left behind: nothing. Folios of which a part was dropped wait in the kernel's
 * list of those to be split until the region goes.
 */
#include "bench/bench.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static enum run_state dontneed_open(struct run *r)
{
	enum run_state s = run_open_cut(r);

	if (run_mode(r, DONTNEED_EACH_PAGE)) {
		r->cut = cut_all(r->page);
		r->calls = cut_count(&r->cut, r->size);
	}
	return s == RUN_VALID ? run_open_region(r) : s;
}

static enum run_state dontneed_prove(struct run *r, bool after)
{
	const struct proof_bits rest = {.cut = r->cut,
	                                .mask = PM_PRESENT | PM_SWAP,
	                                .out = PM_PRESENT,
	                                .what = "is not as the calls leave it"};

	if (!after)
		return run_prove(r, &r->a, &r->before);
	if (proof_vmas(r->a.at, r->a.size, 1, &r->why) != PROOF_HOLDS)
		return RUN_INVALID;
	return run_proof(proof_bits(r->a.at, r->a.size, &rest, &r->why));
}

static enum run_state dontneed_window(struct run *r)
{
	int rc = 0;

	meter_start(r->meter);
	for (size_t i = r->cut.from; i < r->a.size; i += r->cut.step)
		rc |= madvise(r->a.at + i, r->cut.len, MADV_DONTNEED);
	meter_stop(r->meter);

	return rc ? run_answer(r, RUN_INVALID, "madvise: %s", strerror(errno)) : RUN_VALID;
}

const struct bench bench_dontneed = {
        .name = "dontneed",
        .open = dontneed_open,
        .ready = run_ready_region,
        .prove = dontneed_prove,
        .window = dontneed_window,
        .reset = run_reset_region,
};
