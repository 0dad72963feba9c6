/*
 * case_fork.c - fork(2) of a process with a populated region.
 *
 * Timed: the call to fork(), in the parent alone.
 *
 * Untimed: the region, made anew before every window (fork write-protects
 * every PTE of it, and writing it again would unfold contiguous blocks, so a
 * second fork of the same pages would neither write-protect anything nor find
 * what a first one finds); the child, which ends at once; its exit, and the
 * wait for it.
 *
 * The child's work is not in the window. The counter of instructions is this
 * task's own and is not inherited. For time, the parent runs under a real-time
 * policy where it may, which the child does not inherit, so that a child on
 * the same CPU waits until the parent does; where it may not, a window in which
 * the parent lost its CPU is taken again (run.c).
 *
 * Proved: before the window the folios of the region, by pagemap and
 * kpageflags; after it, with the child gone, that they are still the same.
 *
 * Left behind: nothing; the child is reaped.
 *
 * FOLDBENCH_CHILD_SPIN=N in the environment makes the child count to N before
 * it ends. No sample may change by it: tests/ uses it to show that.
 */
#include "bench/bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t child_spin;

static enum run_state fork_open(struct run *r)
{
	const char *spin = getenv("FOLDBENCH_CHILD_SPIN");

	if (spin && !u64_parse(spin, strlen(spin), &child_spin))
		return run_answer(r, RUN_SKIP,
		                  "FOLDBENCH_CHILD_SPIN: expected a number, got \"%.40s\"", spin);
	if (!region_reserve(&r->a, r->size, r->page << r->order, 0, &r->why))
		return RUN_SKIP;
	return RUN_VALID;
}

static enum run_state fork_ready(struct run *r)
{
	return run_populate(r, &r->a);
}

static enum run_state fork_prove(struct run *r, bool after)
{
	return run_prove(r, &r->a, after ? &r->after : &r->before);
}

static void child(void)
{
	for (volatile uint64_t i = 0; i < child_spin; i++)
		;
	_exit(0);
}

static enum run_state fork_window(struct run *r)
{
	int status;
	pid_t pid;

	meter_start(r->meter);
	pid = fork();
	if (!pid)
		child();
	meter_stop(r->meter);

	if (pid < 0)
		return run_answer(r, RUN_INVALID, "fork: %s", strerror(errno));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return run_answer(r, RUN_INVALID, "waitpid: %s", strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return run_answer(r, RUN_INVALID, "the child ended with status 0x%x", status);
	return RUN_VALID;
}

static enum run_state fork_reset(struct run *r)
{
	return region_unmap(&r->a, &r->why) ? RUN_VALID : RUN_INVALID;
}

const struct bench bench_fork = {
        .name = "fork",
        .open = fork_open,
        .ready = fork_ready,
        .prove = fork_prove,
        .window = fork_window,
        .reset = fork_reset,
};
