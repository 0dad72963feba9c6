/*
 * cut.h - the part of each block that a case's calls name.
 *
 * A block is what PTEs with one contiguous bit map: 16 of them, 64K, with pages
 * of 4K. The part lies in the middle of it, rounded down to a page:
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

struct cut {
	size_t step; /* bytes from the start of one block to that of the next */
	size_t from; /* where in a block the part begins */
	size_t len;  /* bytes of it; 0 (and step 0): nothing is cut anywhere */
};

/* Bytes of a block with pages of that size (arch/arm64/include/asm/pgtable-hwdef.h,
 * CONT_PTE_SIZE): 64K with 4K, 2M with 16K (128 PTEs) and with 64K (32 PTEs). */
size_t block_bytes(size_t page);
/* `bytes` of each block: a multiple of a page, and no more than a block. */
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
