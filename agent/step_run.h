/*
 * step_run.h - what the supervisor does with the steps of step.h: run one in
 * the child process that was forked for it, or answer in its place.
 */
#ifndef FOLDWATCH_STEP_RUN_H
#define FOLDWATCH_STEP_RUN_H

#include "agent/state.h"
#include "agent/step.h"

struct step_run {
	const struct agent_conf *conf;
	const struct step_table *table;
	const char *dir;     /* the job's; holds lease.json as the server sent it */
	struct state *state; /* the child's own copy, whose file it writes from now on */
};

/* In the child: runs the step and leaves dir/result.json. Returns the exit
 * status: 0 with a durable result of whatever sort, 1 without. When the disk is
 * full, caches are evicted to make room. */
int step_run(const struct step_run *r, int say);

/* The result of a step that could not write its own: it was killed, or its
 * process died. */
enum err step_fail(const char *dir, enum fail_class class, const char *sentence, struct why *w);

#endif
