/*
 * scan_excerpts.h - what kernels print, and what a scan must say of it.
 *
 * Those in files are of real boots: the kernel of contpte-y-checks with
 * tests/kernel/faults.patch, foldwatch_fault=NAME, from the line that tells the
 * fault to the end of its report, without time stamps (the tests put all kinds of
 * them there) and cut in the middle of long lists. Those in C are of other
 * machines, other releases, and what no kernel was made to say.
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

/* Reads the files at the first call; aborts when one is missing. */
const struct excerpt *scan_excerpts(size_t *count);

#endif
