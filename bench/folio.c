#include "bench/folio.h"

#include "bench/thp.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

static bool advise(char *at, size_t size, int advice, const char *name, struct reason *w)
{
	if (!madvise(at, size, advice))
		return true;
	reason_set(w, "madvise %s of %zu bytes: %s", name, size, strerror(errno));
	return false;
}

/* PMD entries to PTEs, one folio after the other, each VMA joined again before
 * the next is split. */
static bool split_pmds(char *at, size_t size, size_t folio, size_t page, struct reason *w)
{
	for (char *p = at; p < at + size; p += folio)
		if (!advise(p, page, MADV_DONTFORK, "MADV_DONTFORK", w) ||
		    !advise(p, page, MADV_DOFORK, "MADV_DOFORK", w))
			return false;
	return true;
}

bool folio_populate(char *at, size_t size, unsigned int order, struct reason *w)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	/* A kernel without large folios answers EINVAL, and needs no telling. */
	if (!order) {
		if (madvise(at, size, MADV_NOHUGEPAGE) && errno != EINVAL) {
			reason_set(w, "madvise MADV_NOHUGEPAGE: %s", strerror(errno));
			return false;
		}
	} else if (!advise(at, size, MADV_HUGEPAGE, "MADV_HUGEPAGE", w)) {
		return false;
	}
	/* One call instead of a fault a page; where it is not there yet, the
	 * writes below fault instead. */
	if (madvise(at, size, MADV_POPULATE_WRITE) && errno != EINVAL) {
		reason_set(w, "populating %zu bytes: %s", size, strerror(errno));
		return false;
	}
	for (size_t i = 0; i < size; i += page)
		*(volatile unsigned char *)(at + i) = folio_byte(i / page);
	if (!order)
		return true;
	if (!advise(at, size, MADV_NOHUGEPAGE, "MADV_NOHUGEPAGE", w))
		return false;
	if ((int)order == thp_pmd_order())
		return split_pmds(at, size, page << order, page, w);
	return true;
}
