/*
 * case_fork.c - fork(2) of a process with a populated region.
 *
 * Timed: the call to fork(), in the parent alone (child.h).
 *
 * Untimed: the region, made anew before every window (fork write-protects
 * every PTE of it, and writing it again would unfold contiguous blocks, so a
 * second fork of the same pages would neither write-protect anything nor find
 * what a first one finds); the child, which ends at once; its exit, and the
 * wait for it.
 *
 * Proved: before the window the folios of the region, by pagemap and
 * kpageflags; after it, with the child gone, that they are still the same.
 *
 * Left behind: nothing; the child is reaped.
 */
#include "bench/bench.h"

#include "bench/child.h"

static enum run_state fork_prove(struct run *r, bool after)
{
	return run_prove(r, &r->a, after ? &r->after : &r->before);
}

const struct bench bench_fork = {
        .name = "fork",
        .open = run_open_region,
        .ready = run_ready_region,
        .prove = fork_prove,
        .window = child_fork,
        .reset = run_reset_region,
};
