/*
 * case.h - the words of a benchmark case, known to server, agent, command line
 * and foldbench alike (this file and case.c use nothing but libc: foldbench
 * links them too).
 *
 * A case is a benchmark with its parameters: `fork/order=9,size=256M`. The
 * canonical text lists the parameters in the order of the table below, sizes in
 * their shortest form, and leaves out those that were left out. Two texts with
 * one canonical form are one case.
 */
#ifndef FOLDWATCH_CASE_H
#define FOLDWATCH_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CASE_TEXT 128 /* bytes of a canonical text with its NUL */
#define CASE_PARAMS 12

enum case_param {
	PARAM_ORDER, /* folio order: 0, 2..9 */
	PARAM_SIZE,  /* bytes of the region */
	PARAM_SKEW,  /* mremap: destination is off a block boundary by this many bytes */
	PARAM_ALIGN, /* mremap: source and destination are congruent modulo this */
	PARAM_FILL,  /* how the region is populated */
	PARAM_BLOCK, /* bytes touched in each block */
	PARAM_MODE,  /* a variant of the operation, by word */
	PARAM_COUNT
};

enum case_unit { UNIT_NUMBER, UNIT_BYTES, UNIT_WORD };

struct case_param_def {
	const char *name;
	enum case_unit unit;
	int64_t min, max;
	const char *help;
};

struct case_bench_def {
	const char *name;	 /* [a-z0-9-] */
	const char *help;	 /* one line: what is timed */
	unsigned int takes;	 /* bit per enum case_param */
	unsigned int must;	 /* those that must be given */
	const char *const *modes; /* words for mode, NULL-terminated, or NULL */
};

struct bench_case {
	const struct case_bench_def *bench; /* into the table, never NULL once parsed */
	unsigned int given;	/* bit per enum case_param */
	int64_t value[PARAM_COUNT]; /* UNIT_WORD: index into the words */
};

const struct case_param_def *case_param_table(void);		 /* PARAM_COUNT entries */
const struct case_bench_def *case_bench_table(size_t *count);
const struct case_bench_def *case_bench_find(const char *name);

/* Returns 0, or -1 with one sentence in err (`fork/order=7x: order: expected a
 * number from 0 to 9, got "7x"`). Checks bounds, unknown and repeated
 * parameters, and what the benchmark needs. */
int case_parse(const char *text, struct bench_case *c, char *err, size_t err_size);
/* The canonical text into out (CASE_TEXT bytes). */
void case_format(const struct bench_case *c, char *out, size_t size);
/* Bytes of memory the case's region needs (its size; a default where the
 * benchmark has one). A guest gets the largest of its plan + 2 GiB. */
uint64_t case_bytes(const struct bench_case *c);

#endif
