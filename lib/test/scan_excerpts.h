/*
 * scan_excerpts.h - what kernels print, and what a scan must say of it.
 */
#ifndef FOLDWATCH_LIB_TEST_SCAN_EXCERPTS_H
#define FOLDWATCH_LIB_TEST_SCAN_EXCERPTS_H

#include <stddef.h>

struct expected_fault {
	const char *kind;
	const char *function; /* NULL: none is told */
	const char *text;     /* what the fault's text begins with */
	int fatal;
};

struct excerpt {
	const char *name;
	const char *log;
	struct expected_fault faults[4]; /* up to the first without a kind */
};

const struct excerpt *scan_excerpts(size_t *count);

#endif
