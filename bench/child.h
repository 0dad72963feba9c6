/*
 * child.h - a child that shares the region until it is told to end.
 *
 *     child_hold(&c, &w);       fork(); the child waits, and says so first
 *     child_release(&c);        it ends at once: one write(2), nothing else
 *     child_reap(&c, &w);       wait for it; it must have ended with 0
 *     child_fork(r)             fork() as a timed window, its child reaped outside
 *
 * A child never outlives the run: it ends when the run's process does.
 */
#ifndef FOLDBENCH_CHILD_H
#define FOLDBENCH_CHILD_H

#include "bench/bench.h"

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid; /* 0: there is none */
	int go;    /* the pipe's end that releases it */
};

bool child_hold(struct child *c, struct reason *w);
bool child_release(const struct child *c);
/* Also when there is none. */
bool child_reap(struct child *c, struct reason *w);
/* Released and reaped. */
bool child_end(struct child *c, struct reason *w);

/*
 * The window of every case that times fork(2): the call in the parent alone.
 *
 * The child's work is not in it. The counter of instructions is this task's
 * own and is not inherited. For time, the parent runs under a real-time policy
 * where it may, which the child does not inherit, so that a child on the same
 * CPU waits until the parent does; where it may not, a window in which the
 * parent lost its CPU is taken again (run.c).
 *
 * FOLDBENCH_CHILD_SPIN=N in the environment makes the child count to N before
 * it ends. No sample may change by it: tests/ uses it to show that.
 */
enum run_state child_fork(struct run *r);

#endif
