/*
 * cut.h - the part of each block that a case's calls name.
 *
 * A block is the 64K whose PTEs can carry one contiguous bit with 4K pages. The
 * part lies in the middle of it, rounded down to a page:
 *
 *     block=4K    . . . . . . . X . . . . . . . .   one page in mid-block
 *     block=60K   X X X X X X X X X X X X X X X .   all but the last page
 *     block=64K   X X X X X X X X X X X X X X X X   whole blocks, one at a time
 *
 *     c = cut_block(bytes, page);
 *     for (size_t i = c.from; i < size; i += c.step)
 *             madvise(at + i, c.len, ...);
 */
#ifndef FOLDBENCH_CUT_H
#define FOLDBENCH_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CUT_BLOCK (64ul << 10)

struct cut {
	size_t step; /* bytes from the start of one block to that of the next */
	size_t from; /* where in a block the part begins */
	size_t len;  /* bytes of it; 0 (and step 0): nothing is cut anywhere */
};

/* `bytes` of each block; both are multiples of a page. */
struct cut cut_block(size_t bytes, size_t page);
/* The whole region in calls of `len` bytes. */
struct cut cut_all(size_t len);
/* Is the byte at this offset of the region in the part? */
bool cut_has(const struct cut *c, size_t offset);
/* Calls that it takes for a region of `size`, a multiple of the step. */
uint64_t cut_count(const struct cut *c, size_t size);
/* Into how many pieces the cuts divide a region: those that are cut out and
 * those that stay. Pieces of one kind that touch are one. */
uint64_t cut_pieces(const struct cut *c, size_t size);
/* The same of those that stay. */
uint64_t cut_left(const struct cut *c, size_t size);

#endif
