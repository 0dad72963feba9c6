#include "bench/region.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

size_t table_bytes(size_t page)
{
	return page / sizeof(uint64_t) * page;
}

bool region_reserve(struct region *r, size_t size, size_t align, size_t offset, struct reason *w)
{
	size_t reserved, table = table_bytes((size_t)sysconf(_SC_PAGESIZE));

	if (align < table)
		align = table;
	/* At least one alignment of fence on each side, wherever mmap() puts it. */
	if (__builtin_add_overflow(size, 4 * align, &reserved)) {
		reason_set(w, "a region of %zu bytes does not fit the address space", size);
		return false;
	}
	*r = (struct region){.size = size, .reserved_size = reserved};
	r->reserved =
	        mmap(NULL, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (r->reserved == MAP_FAILED) {
		r->reserved = NULL;
		reason_set(w, "no room for %zu bytes of addresses: %s", reserved, strerror(errno));
		return false;
	}
	r->at = (char *)(((uintptr_t)r->reserved + 2 * align - 1) & ~(align - 1)) + offset;
	return true;
}

bool region_map(struct region *r, struct reason *w)
{
	void *got = mmap(r->at, r->size, PROT_READ | PROT_WRITE,
	                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);

	if (got == MAP_FAILED) {
		reason_set(w, "no memory for a region of %zu bytes: %s", r->size, strerror(errno));
		return false;
	}
	return true;
}

bool region_unmap(struct region *r, struct reason *w)
{
	if (munmap(r->at, r->size)) {
		reason_set(w, "munmap of the region: %s", strerror(errno));
		return false;
	}
	return true;
}

void region_release(struct region *r)
{
	if (r->reserved)
		munmap(r->reserved, r->reserved_size);
	*r = (struct region){0};
}
