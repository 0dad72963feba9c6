/*
 * case_reads.c - random reads of one byte all over a populated region.
 *
 * Timed: as many reads as the region has pages (reads.h), each waiting for the
 * one before it. This is the side of contiguous PTEs that pays: one TLB entry
 * serves a block.
 *
 * Untimed: mapping and populating the region before every window.
 *
 * Proved: before and after the window the folios; that the reads saw what was
 * written.
 *
 * Left behind: nothing.
 *
 * The trap: a count of instructions is the same for all folios, as no read
 * faults. Only time on hardware, and a region beyond the TLB's reach, tells.
 */
#include "bench/bench.h"

#include "bench/reads.h"

static enum run_state reads_open(struct run *r)
{
	r->calls = reads_count(r->size, r->page);
	return run_open_region(r);
}

static enum run_state reads_prove(struct run *r, bool after)
{
	return run_prove(r, &r->a, after ? &r->after : &r->before);
}

static enum run_state window(struct run *r)
{
	return reads_window(r, &r->a);
}

const struct bench bench_reads = {
        .name = "reads",
        .open = reads_open,
        .ready = run_ready_region,
        .prove = reads_prove,
        .window = window,
        .reset = run_reset_region,
};
