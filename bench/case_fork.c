/*
 * case_fork.c - fork(2) of a process with a populated region.
 *
 * Timed: the call to fork(), in the parent alone (child.h).
 *
 *   fill=anon   (or none) anonymous memory, all written
 *   fill=file   a private mapping of a file in large folios, all read and its
 *               first page written (file.h)
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
#include "bench/file.h"

static bool of_file(const struct run *r)
{
	return run_given(r, PARAM_FILL) && r->c->value[PARAM_FILL] == FILL_FILE;
}

static enum run_state fork_open(struct run *r)
{
	return of_file(r) ? file_open(r) : run_open_region(r);
}

static enum run_state fork_ready(struct run *r)
{
	return of_file(r) ? file_ready(r) : run_ready_region(r);
}

static enum run_state fork_prove(struct run *r, bool after)
{
	struct proof *p = after ? &r->after : &r->before;

	return of_file(r) ? file_prove(r, p) : run_prove(r, &r->a, p);
}

static enum run_state fork_reset(struct run *r)
{
	return of_file(r) ? file_reset(r) : run_reset_region(r);
}

const struct bench bench_fork = {
        .name = "fork",
        .open = fork_open,
        .ready = fork_ready,
        .prove = fork_prove,
        .window = child_fork,
        .reset = fork_reset,
};
