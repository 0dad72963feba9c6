/*
 * explain.h - where the two profiles come from that `foldwatch explain` sets side by
 * side: kept by the server, from a boot of the submission, or from boots made here.
 */
#ifndef FOLDWATCH_CLI_EXPLAIN_H
#define FOLDWATCH_CLI_EXPLAIN_H

#include "cli/cli.h"
#include "cli/kernel_files.h"
#include "lib/case.h"
#include "lib/profile.h"

struct explain_opts {
	const char *submission, *share;
	int64_t top, iterations;
	bool boot;
};

/* One of the two kernels, and what its boot gave. */
struct explain_side {
	struct kernel_files kernel;
	struct symbols *symbols;
	struct profiles kept;
	struct profile profile; /* the run of it, borrowed */
	double mean;            /* of the samples that the profile stands beside */
	int64_t boot;           /* the server's that it is of; 0: booted here */
	int64_t phase_pages;
	char *board; /* of the server's boot, or NULL */
};

struct explaining {
	const struct explain_opts *o;
	char *dir;            /* for files */
	char text[CASE_TEXT]; /* the case */
	struct explain_side side[2];
};

/* Both kernels by their names from the server: true when it has a profile of each, of
 * one board and phase; false when it has not, for whatever reason that is no error. */
enum err explain_stored(struct cli *cli, struct explaining *x, char **names, bool *found,
                        struct why *w);
/* Boots both kernels, whose files are known, on a virtual board here. */
enum err explain_boot(struct explaining *x, struct why *w);

#endif
