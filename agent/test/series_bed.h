/*
 * series_bed.h - a tree that an agent may fetch, a clone of it with commits more, and
 * `resolve` jobs of a series made from files of that clone.
 */
#ifndef FOLDWATCH_TEST_SERIES_BED_H
#define FOLDWATCH_TEST_SERIES_BED_H

#include "agent/test/steps.h"

struct series_bed {
	/* Of its origin: mm/a.c has 200 lines "line N", mm/b.c one; branch main, tag v1. */
	struct step_bed bed;
	char *work; /* the clone */
	char base[41];
};

/* `commits`: a script that runs in the clone. */
void series_bed_init(struct series_bed *b, const char *commits);
void series_bed_release(struct series_bed *b);
/* A shell script in that directory, by a git whose author and dates are fixed. */
void series_script(const char *dir, const char *script);
/* Resolve with that file of the clone as the artifact `kind` ("bundle" or "patches") of
 * a series on `ref`. */
enum err series_resolve(struct series_bed *b, const char *kind, const char *file, const char *ref,
                        struct step_outcome *out);

#endif
