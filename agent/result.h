/*
 * result.h - is this the whole result of this boot, of the kernel that was
 * asked for? (docs/foldbench-format.md)
 *
 * Nothing of a result is believed before result_check() said RESULT_PROVED: a
 * torn file, another boot's, or another kernel's is told apart by the word.
 */
#ifndef FOLDWATCH_RESULT_H
#define FOLDWATCH_RESULT_H

#include "lib/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESULT_MAX (64 << 20)

enum result_state {
	RESULT_PROVED,
	RESULT_NONE,         /* nothing was written */
	RESULT_TORN,         /* no end line, or its length, CRC or number of runs differs */
	RESULT_FOREIGN,      /* another nonce: the answer to another boot */
	RESULT_OTHER_KERNEL, /* its build-id is not among those asked for, or is not told */
	RESULT_MALFORMED     /* whole, but not in the format */
};

struct result_want {
	const char *nonce;
	const char *metric;
	const json_t *build_ids; /* array of hex strings */
};

struct result {
	json_t *begin; /* its first line; NULL unless that could be read */
	int64_t taint_before, taint_after;
	int64_t runs, valid_runs;
};

/* `r` is filled as far as the text could be read, whatever the answer is;
 * release it. The sentence stands in *w unless RESULT_PROVED. */
enum result_state result_check(const char *data, size_t len, const struct result_want *want,
                               struct result *r, struct why *w);
void result_release(struct result *r);

/* The taint bits that make a boot's numbers invalid: M (4) machine check, B (5)
 * bad page, D (7) died, W (9) warning, L (14) soft lockup
 * (Documentation/admin-guide/tainted-kernels.rst). Writes the letters that are
 * set, "" for none. */
void taint_letters(int64_t taint, char out[8]);

#endif
