/*
 * stat_boots.h - one kernel's numbers as a file gives them: boots of runs of
 * iterations, nested arrays of numbers.
 */
#ifndef FOLDWATCH_CLI_STAT_BOOTS_H
#define FOLDWATCH_CLI_STAT_BOOTS_H

#include "lib/err.h"
#include "lib/stat/plan.h"
#include "lib/stat/welch.h"

#include <jansson.h>
#include <stddef.h>

struct stat_boots {
	double *median, *mean; /* a boot's number, from its runs' medians and means */
	size_t boots;
	double std_rel; /* over all runs; NAN with one */
	/* Variance by level, from as many runs of each boot and iterations of each
	 * run as all have. */
	struct stat_levels levels;
};

/* `place` stands in front of messages: `baseline[1][0][7]: expected a number, got
 * a string`. Every boot has a run and every run an iteration; there may be no boot. */
enum err stat_boots_read(const json_t *value, const char *place, struct stat_boots *out,
                         struct why *w);
void stat_boots_release(struct stat_boots *b);

#endif
