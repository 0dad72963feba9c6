/*
 * profile.h - instructions by function inside foldbench's timed windows, and what
 * moved between two kernels.
 *
 * A profile is what agent/plugin/profile.c wrote (its first comment has the
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
	uint64_t windows;  /* that were counted */
	uint64_t switches; /* of task, inside them */
};

/* `text` as it was written. ERR_INPUT with the line where it cannot be read, is
 * torn, or holds no window. */
enum err profile_fold(const char *text, size_t len, const struct symbols *kernel,
                      struct profile *out, struct why *w);
void profile_release(struct profile *p);

/* One function in both. */
struct mover {
	const char *function; /* borrowed from a profile */
	double a, b;          /* instructions a window; 0: it did not run */
	double calls_a, calls_b;
	uint64_t size_a, size_b; /* 0: not there */
};

/* All functions of both, the largest |b - a| first. free() it. */
struct mover *profile_movers(const struct profile *a, const struct symbols *sa,
                             const struct profile *b, const struct symbols *sb, size_t *count);

#endif
