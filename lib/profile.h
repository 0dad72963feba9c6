/*
 * profile.h - instructions by function inside foldbench's timed windows, and what
 * moved between two kernels.
 *
 * A profile is what agent/plugin/profile.c wrote of a run (its first comment has the
 * format), folded by the kernel's symbols. All figures are those of one window:
 * the sums over full windows by their number, less those of empty windows by
 * theirs, which takes the meter itself off. Addresses of user space are one row,
 * PROFILE_USER; what interrupts and other tasks ran is another, PROFILE_OTHERS.
 * So the rows of a profile sum to what ran between the two readings.
 */
#ifndef FOLDWATCH_PROFILE_H
#define FOLDWATCH_PROFILE_H

#include "lib/symbols.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROFILE_USER    "(foldbench itself)"
#define PROFILE_OTHERS  "(child and interrupts)"
#define PROFILE_UNKNOWN "(no symbol)"

struct profile_row {
	char *function;
	double instructions; /* a window */
	double calls;        /* times its first instruction ran, a window */
	uint64_t size;       /* bytes of it in the kernel; 0: not a function */
};

struct profile {
	struct profile_row *row; /* by function's name */
	size_t rows;
	double total;
	double tlbi, dsb;  /* such instructions, a window */
	uint64_t windows;  /* that were counted; 0: the run came to none, and nothing is here */
	uint64_t switches; /* of task, inside them */
};

/* Of all runs of a boot, in the order of its plan. */
struct profiles {
	struct profile *run;
	size_t runs;
};

/* `text` as it was written. ERR_INPUT with the line where it cannot be read or is
 * torn; profiles_release() what came of it. */
enum err profiles_fold(const char *text, size_t len, const struct symbols *kernel,
                       struct profiles *out, struct why *w);
void profiles_release(struct profiles *p);

/*
 * To keep them, as JSON:
 *     {"format":1,"runs":[{"windows":3,"switches":0,"tlbi":1,"dsb":2,
 *                          "rows":[["copy_page_range",8123.333,1],...]},...]}
 * A row is function, instructions, calls, rounded to a thousandth of one. Sizes are
 * not kept: they are the kernel's. free() the text.
 */
char *profiles_json(const struct profiles *p);
/* ERR_INPUT with the place where it cannot be read. */
enum err profiles_read(const char *text, size_t len, struct profiles *out, struct why *w);

/* One function in both. */
struct mover {
	const char *function; /* borrowed from a profile */
	double a, b;          /* instructions a window; 0: it did not run */
	double calls_a, calls_b;
	uint64_t size_a, size_b; /* 0: not there */
};

/* All functions of both, the largest |b - a| first; symbols NULL: their sizes are not
 * known. free() it. */
struct mover *profile_movers(const struct profile *a, const struct symbols *sa,
                             const struct profile *b, const struct symbols *sb, size_t *count);

#endif
