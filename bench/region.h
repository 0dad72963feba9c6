/*
 * region.h - memory at a place of its own.
 *
 * A region is reserved with room to spare, PROT_NONE, and the part that a case
 * uses lies inside it on a boundary of what a page of PTEs maps, 2M with pages of
 * 4K (and further off it by `offset`). What
 * stays PROT_NONE on both sides is the fence: the kernel can neither merge the
 * region with a neighbour nor put something beside it, and page tables that
 * the region shares with others would only be the fence's, which has none.
 *
 *     region_reserve(&r, size, align, offset, &w);
 *     region_map(&r, &w);      private, anonymous, readable and writable
 *     region_unmap(&r);        a hole between its fences
 */
#ifndef FOLDBENCH_REGION_H
#define FOLDBENCH_REGION_H

#include "bench/text.h"

#include <stdbool.h>
#include <stddef.h>

struct region {
	char *at;
	size_t size;
	char *reserved;
	size_t reserved_size;
};

/* What a page of PTEs maps, of 8 bytes each: 2M with pages of 4K, 32M with 16K,
 * 512M with 64K. */
size_t table_bytes(size_t page);
/* On a boundary of that, or of `align` where it is more. */
bool region_reserve(struct region *r, size_t size, size_t align, size_t offset, struct reason *w);
bool region_map(struct region *r, struct reason *w);
bool region_unmap(struct region *r, struct reason *w);
/* The fences too. */
void region_release(struct region *r);

#endif
