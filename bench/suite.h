/*
 * suite.h - a whole plan: each run in a process of its own, their lines in one
 * buffer.
 *
 *     suite_memory(&s, &w);     takes and touches the buffer for all results
 *     suite_run(&s, &w);        begin, runs, end
 *     ... s.out.data, s.out.len ...
 */
#ifndef FOLDBENCH_SUITE_H
#define FOLDBENCH_SUITE_H

#include "bench/emit.h"
#include "bench/meter.h"
#include "bench/plan.h"
#include "bench/system.h"
#include "bench/text.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define SUITE_MEMORY_MAX (256ul << 20)

struct suite {
	const struct plan *plan;
	enum metric metric;
	char nonce[NONCE_SIZE];
	unsigned int phase_pages;
	/* This program, to be started again for each run, or NULL: then a run is
	 * a child that goes on in this image (tests). */
	const char *self;
	/* With self NULL: a tick of the clock, longer than it is; 0: its own. */
	uint64_t tick_ns;
	/* Told before each case; NULL: nobody. */
	void (*progress)(size_t number, size_t count, const char *text);
	volatile sig_atomic_t *stop; /* set by a signal: end before the next run */
	struct emit out;
	void *memory;
	size_t memory_size;
	uint64_t runs;
};

/* Does nothing, where each run begins, also one that is skipped: whoever watches this
 * program's instructions from outside (agent/plugin/profile.c) tells the runs apart
 * by its address. */
void suite_next_run(void);

bool suite_memory(struct suite *s, struct reason *w);
/* False when it was stopped, or the results did not fit. */
bool suite_run(struct suite *s, struct reason *w);
void suite_release(struct suite *s);

/* What `self` is started with for one run: the words after the program's name.
 * Writes the line to descriptor 3 and returns the exit status. */
#define SUITE_ONE "--one"
int suite_one(int argc, char **argv);

#endif
