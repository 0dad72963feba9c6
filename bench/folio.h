/*
 * folio.h - populate a region with folios of one order, mapped by PTEs.
 */
#ifndef FOLDBENCH_FOLIO_H
#define FOLDBENCH_FOLIO_H

#include "bench/text.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Make every page of [at, at + size) present, writable and not zero, in folios
 * of `order`. The range was mapped anew: nothing is present in it.
 *
 * - order 0: MADV_NOHUGEPAGE first, so that no large folio can be there.
 * - larger: MADV_HUGEPAGE (thp_only() has switched this one size on), populate,
 *   MADV_NOHUGEPAGE, so that khugepaged keeps off.
 * - the order that a PMD maps: the kernel maps the folio by one PMD entry. For
 *   each such folio MADV_DONTFORK and MADV_DOFORK on one of its pages: splitting
 *   the VMA in its middle splits the PMD entry into PTEs, and joining the VMA
 *   again leaves them. A round trip of mprotect(2) would split as well, but
 *   changes one PTE, which unfolds its block where PTEs are contiguous: not the
 *   same start for both kernels.
 */
bool folio_populate(char *at, size_t size, unsigned int order, struct reason *w);
/* What that writes to the first byte of page `index` of the range; the rest is 0.
 * A prime number of them: no power of two of pages on are equal ones. */
#define FOLIO_BYTES 251u
static inline unsigned char folio_byte(size_t index)
{
	return (unsigned char)(1 + index % FOLIO_BYTES);
}

#endif
