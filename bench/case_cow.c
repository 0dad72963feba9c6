/*
 * case_cow.c - copy-on-write of a region that a child shared.
 *
 * Timed: one byte written to each page, from the first to the last: a fault a
 * page where the write-protection of a fork(2) is still there. A contiguous
 * block is unfolded by its first.
 *
 *   mode=alive   the child waits and shares the pages: each is copied
 *   mode=gone    the child has ended: small pages are made writable again where
 *                they lie; large folios some kernels copy even so
 *
 * Untimed: populating the region, the fork, and for mode=gone the child's end,
 * before every window.
 *
 * Proved: before the window the folios, and that each page is mapped by two
 * (alive) or by this process alone (gone). After it that each page is this
 * process' alone, and has what was written.
 *
 * Left behind: nothing; the child is reaped.
 *
 * The trap: copying dominates, and it is the same for all kernels.
 */
#include "bench/bench.h"

#include "bench/child.h"

#define WRITTEN 0xfe /* no byte that populating leaves */

static struct child sharer;

static enum run_state cow_open(struct run *r)
{
	r->calls = r->size / r->page;
	return run_open_region(r);
}

static enum run_state cow_ready(struct run *r)
{
	enum run_state s = run_ready_region(r);

	if (s != RUN_VALID)
		return s;
	if (!child_hold(&sharer, &r->why) ||
	    (run_mode(r, COW_GONE) && !child_end(&sharer, &r->why)))
		return RUN_INVALID;
	return RUN_VALID;
}

static enum run_state cow_prove(struct run *r, bool after)
{
	enum run_state s;

	if (!after) {
		s = run_prove(r, &r->a, &r->before);
		if (s != RUN_VALID)
			return s;
		return run_proof(
		        proof_exclusive(r->a.at, r->a.size, run_mode(r, COW_GONE), &r->why));
	}
	for (size_t i = 0; i < r->a.size; i += r->page)
		if (*(volatile unsigned char *)(r->a.at + i) != WRITTEN)
			return run_answer(r, RUN_INVALID, "page %zu has not what was written to it",
			                  i / r->page);
	return run_proof(proof_exclusive(r->a.at, r->a.size, true, &r->why));
}

static enum run_state cow_window(struct run *r)
{
	meter_start(r->meter);
	for (size_t i = 0; i < r->a.size; i += r->page)
		*(volatile unsigned char *)(r->a.at + i) = WRITTEN;
	meter_stop(r->meter);

	return RUN_VALID;
}

static enum run_state cow_reset(struct run *r)
{
	return child_end(&sharer, &r->why) ? run_reset_region(r) : RUN_INVALID;
}

const struct bench bench_cow = {
        .name = "cow",
        .open = cow_open,
        .ready = cow_ready,
        .prove = cow_prove,
        .window = cow_window,
        .reset = cow_reset,
};
