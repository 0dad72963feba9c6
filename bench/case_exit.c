/*
 * case_exit.c - the exit of a child that shares a populated region.
 *
 * Timed: from the write(2) to a pipe that releases the child until waitpid(2)
 * has it. Instructions are all those of the CPU in between (meter_wide()): the
 * write and the wait of the parent, two changes of task, and the child's way out
 * of its read(2) and through do_exit(). The child is bound to the same CPU. A
 * counter of the parent would see a write and a wait, and one of the child is
 * closed by newer kernels before the address space goes.
 *
 * The child shares the folios with its parent, so that its exit takes down
 * mappings, counts and page tables, and frees no folio. What a child without a
 * region takes to end is part of each sample.
 *
 * Untimed: populating the region, forking the child, and waiting until it
 * waits, before every window.
 *
 * Proved: before the window the folios, in the parent and in the child; after
 * it that they are the same in the parent, and mapped there alone.
 *
 * Left behind: nothing; the child is reaped.
 */
#include "bench/bench.h"

#include "bench/child.h"

#include <errno.h>
#include <string.h>

static struct child held;

static enum run_state exit_open(struct run *r)
{
	r->sleeps = 1; /* waitpid() */
	return meter_wide(r->meter, &r->why) ? run_open_region(r) : RUN_SKIP;
}

static enum run_state exit_ready(struct run *r)
{
	enum run_state s = run_ready_region(r);

	if (s != RUN_VALID)
		return s;
	return child_hold(&held, &r->why) ? RUN_VALID : RUN_INVALID;
}

static enum run_state exit_prove(struct run *r, bool after)
{
	const struct proof_range child = {
	        .at = r->a.at, .size = r->a.size, .order = r->order, .pid = held.pid};
	enum run_state s = run_prove(r, &r->a, after ? &r->after : &r->before);
	struct proof p;

	if (s != RUN_VALID)
		return s;
	if (!after)
		return run_proof(proof_range(&child, &p, &r->why));
	return run_proof(proof_exclusive(r->a.at, r->a.size, true, &r->why));
}

static enum run_state exit_window(struct run *r)
{
	bool released, reaped;

	meter_start(r->meter);
	released = child_release(&held);
	reaped = released && child_reap(&held, &r->why);
	meter_stop(r->meter);

	if (!released)
		return run_answer(r, RUN_INVALID, "the child cannot be released: %s",
		                  strerror(errno));
	return reaped ? RUN_VALID : RUN_INVALID;
}

const struct bench bench_exit = {
        .name = "exit",
        .open = exit_open,
        .ready = exit_ready,
        .prove = exit_prove,
        .window = exit_window,
        .reset = run_reset_region,
};
