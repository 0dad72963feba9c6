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

#define CASE_TEXT   128 /* bytes of a canonical text with its NUL */
#define CASE_PARAMS 12

enum case_param {
	PARAM_ORDER, /* folio order: 0, 2..9 */
	PARAM_SIZE,  /* bytes of the region */
	PARAM_SKEW,  /* mremap: the destination is off a boundary by this, no whole block */
	PARAM_ALIGN, /* mremap: source and destination are congruent modulo this */
	PARAM_FILL,  /* how the region is populated */
	PARAM_BLOCK, /* bytes touched in each block */
	PARAM_MODE,  /* a variant of the operation, by word */
	PARAM_COUNT
};

enum case_fill { FILL_ANON, FILL_FILE }; /* PARAM_FILL's words */

/* PARAM_MODE's words, by benchmark. */
enum dontneed_mode { DONTNEED_WHOLE, DONTNEED_EACH_PAGE };
enum mprotect_mode { MPROTECT_RO, MPROTECT_RW };
enum split_mode { SPLIT_MLOCK, SPLIT_DONTFORK };
enum cow_mode { COW_ALIVE, COW_GONE };
enum walk_mode { WALK_PAGEMAP, WALK_SMAPS, WALK_MINCORE };
enum refs_mode { REFS_CLEAR, REFS_RETOUCH };
enum moved_mode { MOVED_FORK, MOVED_READS };
enum pageout_mode { PAGEOUT_OUT, PAGEOUT_IN };

enum case_unit { UNIT_NUMBER, UNIT_BYTES, UNIT_WORD };

struct case_param_def {
	const char *name;
	enum case_unit unit;
	int64_t min, max;    /* where the benchmark has no bounds of its own */
	int64_t step;        /* the value is a multiple of it (0: any) */
	const int64_t *only; /* the values that may be given, or NULL: all in the bounds */
	size_t only_count;
	const char *const *words; /* UNIT_WORD: NULL-terminated; NULL: the benchmark's modes */
	const char *help;
};

struct case_bench_def {
	const char *name;            /* [a-z0-9-] */
	const char *help;            /* one line: what is timed */
	unsigned int takes;          /* bit per enum case_param */
	unsigned int must;           /* those that must be given */
	unsigned int one_of;         /* of these exactly one must be given (0: no such rule) */
	int64_t size;                /* bytes of the region when the case names none */
	int64_t size_min, size_step; /* bounds of PARAM_SIZE here; its max is the table's */
	const char *const *modes;    /* words for mode, NULL-terminated, or NULL */
	/* Other tasks do its work: instructions are all those of the CPU. */
	bool whole_cpu;
};

struct bench_case {
	const struct case_bench_def *bench; /* into the table, never NULL once parsed */
	unsigned int given;                 /* bit per enum case_param */
	/* UNIT_WORD: index into the words. Not given: 0, but the size, which is
	 * then the benchmark's own. */
	int64_t value[PARAM_COUNT];
};

const struct case_param_def *case_param_table(void); /* PARAM_COUNT entries */
const struct case_bench_def *case_bench_table(size_t *count);
const struct case_bench_def *case_bench_find(const char *name);

/* Returns 0, or -1 with one sentence in err (`fork/order=7x: order: expected a
 * number from 0 to 9, got "7x"`). Checks bounds, unknown and repeated
 * parameters, and what the benchmark needs. The sentence is one line of ASCII;
 * 400 bytes hold every one. */
int case_parse(const char *text, struct bench_case *c, char *err, size_t err_size);
/* The words of a UNIT_WORD parameter for that benchmark: NULL-terminated, or NULL. */
const char *const *case_words(const struct case_bench_def *bench, enum case_param param);
/* The canonical text into out (CASE_TEXT bytes). */
void case_format(const struct bench_case *c, char *out, size_t size);
/* Bytes of memory the case's region needs (its size; a default where the
 * benchmark has one). A guest gets the largest of its plan + 2 GiB. */
uint64_t case_bytes(const struct bench_case *c);

#endif
