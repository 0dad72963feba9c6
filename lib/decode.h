/*
 * decode.h - which source line a kernel's `function+0x8a4/0xb50` is: the symbols
 * and the DWARF line tables of its vmlinux.
 *
 *     e = decode_open("vmlinux", &d, &w);
 *     decode_frame(d, &(struct decode_ask){"copy_page_range", 0x8a4, 0xb50, true}, &out);
 *     out.unit "mm/memory.c", out.file "include/linux/rmap.h", out.line 208
 *     decoded_release(&out);
 *     decode_close(d);
 *
 * Offsets into functions are the same wherever a kernel was put in memory, so
 * nothing here needs to know of its randomised base.
 *
 * A vmlinux is what other people's Makefiles made: parse one in a process that
 * may die.
 */
#ifndef FOLDWATCH_DECODE_H
#define FOLDWATCH_DECODE_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

struct decode;

struct decode_ask {
	const char *name;      /* as the log has it, with its .isra.0 */
	uint64_t offset, size; /* size 0: not told */
	bool exact;            /* the program counter itself; else a return address */
};

/* All strings are ours to free; each may be NULL. */
struct decoded {
	char *unit;        /* the file that was compiled, as a path in the tree: "mm/memory.c" */
	char *file;        /* where the line is: the unit, or a header that was inlined */
	unsigned int line; /* 0: unknown */
	char *object;      /* what the symbol table alone says: "memory.c" */
	char *why;         /* why there is no unit: one sentence's end */
};

/* ERR_INPUT for a file that is no ELF file or has no symbols. One without line
 * tables is good: units are then unknown. */
enum err decode_open(const char *path, struct decode **out, struct why *w);
void decode_close(struct decode *d);
void decode_frame(struct decode *d, const struct decode_ask *ask, struct decoded *out);
void decoded_release(struct decoded *out);

#endif
