/*
 * case_mremap.c - one mremap(2) of a whole populated region to a given place.
 *
 * Timed: the call with MREMAP_MAYMOVE | MREMAP_FIXED, to one of the places of
 * move.h: skew=N, align=64K, align=2M.
 *
 * Untimed: mapping and populating the source before every window. The
 * destination is a hole between its fences, so that the call has nothing to
 * unmap there.
 *
 * Proved: before the window the folios at the source. After it, with the same
 * means, that folios of the same order lie at the destination, each page with
 * the content of its old place, and that nothing is left at the source.
 *
 * Left behind: nothing.
 */
#include "bench/bench.h"

#include "bench/move.h"

#include <errno.h>
#include <string.h>

static enum run_state mremap_prove(struct run *r, bool after)
{
	return after ? move_prove(r, &r->after) : run_prove(r, &r->a, &r->before);
}

static enum run_state mremap_window(struct run *r)
{
	bool moved;

	meter_start(r->meter);
	moved = move_call(r);
	meter_stop(r->meter);

	return moved ? RUN_VALID : run_answer(r, RUN_INVALID, "mremap: %s", strerror(errno));
}

const struct bench bench_mremap = {
        .name = "mremap",
        .open = move_open,
        .ready = move_ready,
        .prove = mremap_prove,
        .window = mremap_window,
        .reset = move_reset,
};
