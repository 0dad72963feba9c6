/*
 * case_pageout.c - a region paged out to swap, and back in.
 *
 * Timed:
 *
 *   mode=out   one madvise(MADV_PAGEOUT): contiguous PTEs are unfolded where the
 *              first of a block goes. Compressing is the larger part
 *   mode=in    a read of each page behind that: a fault a page, or one for as
 *              many pages as this kernel swaps in together
 *
 * Untimed: mapping and populating the region before every window; for mode=in
 * the paging out. Swap is zram (swap.h), for the length of the run.
 *
 * Proved: before the window the folios (mode=in: that every page is in swap);
 * after it that every page is in swap (mode=in: is present, with its content).
 *
 * Left behind: nothing; swap that the run has set up is taken down.
 *
 * The trap: where swap has no room for a folio in one piece the kernel splits
 * it first. That is part of the call, and `thp_split_page` tells.
 */
#include "bench/bench.h"

#include "bench/reads.h"
#include "bench/swap.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21 /* Linux 5.4 */
#endif

static enum run_state pageout_open(struct run *r)
{
	enum run_state s = run_proof(swap_open(r->size, &r->why));

	if (s != RUN_VALID)
		return s;
	if (run_mode(r, PAGEOUT_IN))
		r->calls = r->size / r->page;
	r->splits = true;
	return run_open_region(r);
}

static bool page_out(const struct run *r)
{
	return !madvise(r->a.at, r->a.size, MADV_PAGEOUT);
}

static enum run_state pageout_ready(struct run *r)
{
	enum run_state s = run_ready_region(r);

	if (s == RUN_VALID && run_mode(r, PAGEOUT_IN) && !page_out(r))
		return run_answer(r, RUN_INVALID, "madvise: %s", strerror(errno));
	return s;
}

static enum run_state pageout_prove(struct run *r, bool after)
{
	bool swapped = run_mode(r, PAGEOUT_OUT) == after;
	const struct proof_bits want = {.mask = PM_PRESENT | PM_SWAP,
	                                .out = swapped ? PM_SWAP : PM_PRESENT,
	                                .what = swapped ? "is not in swap" : "is not present"};

	if (!after && !swapped)
		return run_prove(r, &r->a, &r->before);
	return run_proof(proof_bits(r->a.at, r->a.size, &want, &r->why));
}

static enum run_state out_window(struct run *r)
{
	bool out;

	meter_start(r->meter);
	out = page_out(r);
	meter_stop(r->meter);

	return out ? RUN_VALID : run_answer(r, RUN_INVALID, "madvise: %s", strerror(errno));
}

static enum run_state pageout_window(struct run *r)
{
	return run_mode(r, PAGEOUT_OUT) ? out_window(r) : reads_each_window(r, &r->a);
}

static void pageout_close(struct run *r)
{
	/* What is still in swap would have to be read back first. */
	region_release(&r->a);
	swap_close();
}

const struct bench bench_pageout = {
        .name = "pageout",
        .open = pageout_open,
        .ready = pageout_ready,
        .prove = pageout_prove,
        .window = pageout_window,
        .reset = run_reset_region,
        .close = pageout_close,
};
