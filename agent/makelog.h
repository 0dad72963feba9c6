/*
 * makelog.h - what the lines of a kernel build say: how far it is, and what
 * the first errors are.
 */
#ifndef FOLDWATCH_MAKELOG_H
#define FOLDWATCH_MAKELOG_H

#include "lib/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define MAKELOG_ERRORS 3 /* how many lines are quoted */

struct makelog {
	int64_t objects;   /* object files that were made for the kernel */
	char current[256]; /* the last of them: "mm/memory.o" */
	int errors;
	char error[MAKELOG_ERRORS]
	          [240];   /* the first error lines of compiler, assembler or linker */
	char stopped[240]; /* the first "*** ... " line of make */
};

/* One line of make's output, without its newline. True when it made an object. */
bool makelog_line(struct makelog *m, const char *line);
/* The sentence: the error lines joined by "; ", else make's own line, else "". */
void makelog_sentence(const struct makelog *m, struct buf *out);

#endif
