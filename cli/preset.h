/*
 * preset.h - plans with a name: what a mail means by "as we always measure it".
 *
 *     seed-fork      fork of 1 GiB at order 0 and 9, 100 iterations, 8 runs over
 *                    2 boots: the lists' table. Two boots are no verdict.
 *     contpte-quick  every operation at orders 0, 4 and 9, in small regions: some
 *                    seconds a boot on the virtual board
 *     contpte-full   every operation at orders 0, 2, 3, 4, 5 and 9, at the sizes of
 *                    the lists
 */
#ifndef FOLDWATCH_CLI_PRESET_H
#define FOLDWATCH_CLI_PRESET_H

#include "lib/err.h"

#include <jansson.h>
#include <stdint.h>

struct preset {
	const char *name;
	int64_t boots, runs, iterations, warmup; /* -1: the service's own */
	const int *orders;                       /* closed by -1 */
	const char *size;                        /* NULL: each operation's own */
	const char *const *operations;           /* "mremap,skew=4K"; closed by NULL */
};

/* ERR_INPUT with the names that are known. */
enum err preset_find(const char *name, const struct preset **out, struct why *w);
/* Its cases, in canonical form, appended to the array. */
void preset_cases(const struct preset *p, json_t *cases);

#endif
