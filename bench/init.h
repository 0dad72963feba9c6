/*
 * init.h - foldbench as the first process of a virtual board's guest.
 *
 * Mounts proc, sysfs and devtmpfs, reads the command line, finds the port for
 * the results before anything is measured, holds the phase's pages, runs
 * /plan, hands over the results, and powers the guest off. Whatever fails is
 * one sentence on the console, `foldbench: failed: ...`, and then there is no
 * `foldbench: end` line: a boot without its end is no boot.
 */
#ifndef FOLDBENCH_INIT_H
#define FOLDBENCH_INIT_H

#include "bench/meter.h"
#include "bench/system.h"
#include "bench/text.h"

#include <stdbool.h>

#define INIT_PLAN "/plan"
#define INIT_PORT "org.foldwatch.results"
#define PHASE_MAX 9999

struct init_words {
	char nonce[NONCE_SIZE];
	unsigned int phase;
	enum metric metric;
};

/* foldwatch.nonce=, foldwatch.phase= and foldwatch.metric= of a kernel's
 * command line. Those that are missing are zeros and instructions; false for
 * one that is there and wrong, or there twice. */
bool init_words(const char *cmdline, struct init_words *out, struct reason *w);

/* Does not return. */
void init_main(void) __attribute__((noreturn));

#endif
