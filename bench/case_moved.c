/*
 * case_moved.c - what follows a mremap(2): the same region at its new place.
 *
 * A move unfolds contiguous PTEs; at a place that is not congruent modulo a block
 * (skew=N) they stay so, at one that is (align=) they may be folded again. What
 * that costs or saves afterwards is in no window of `mremap`.
 *
 * Timed: in the region at its destination (move.h)
 *
 *   mode=fork    one fork(2), in the parent (child.h)
 *   mode=reads   random reads (reads.h), as many as pages
 *
 * Untimed: populating the source and moving it, before every window.
 *
 * Proved: before the window, and after it, that folios of the case's order lie
 * at the destination, each page with its content, and nothing at the source; of
 * reads that they saw what is there.
 *
 * Left behind: nothing.
 */
#include "bench/bench.h"

#include "bench/child.h"
#include "bench/move.h"
#include "bench/reads.h"

#include <errno.h>
#include <string.h>

static enum run_state moved_open(struct run *r)
{
	enum run_state s = move_open(r);

	if (run_mode(r, MOVED_READS))
		r->calls = reads_count(r->size, r->page);
	return s;
}

static enum run_state moved_ready(struct run *r)
{
	enum run_state s = move_ready(r);

	if (s == RUN_VALID && !move_call(r))
		return run_answer(r, RUN_INVALID, "mremap: %s", strerror(errno));
	return s;
}

static enum run_state moved_prove(struct run *r, bool after)
{
	return move_prove(r, after ? &r->after : &r->before);
}

static enum run_state moved_window(struct run *r)
{
	return run_mode(r, MOVED_READS) ? reads_window(r, &r->b) : child_fork(r);
}

const struct bench bench_moved = {
        .name = "moved",
        .open = moved_open,
        .ready = moved_ready,
        .prove = moved_prove,
        .window = moved_window,
        .reset = move_reset,
};
