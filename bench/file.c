#include "bench/file.h"

#include "bench/folio.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#endif

static int fd = -1;

/* tmpfs without a mount of ours: the kernel's own by memfd_create(2), or the one
 * that devtmpfs is. */
static int nameless(void)
{
	int got = memfd_create("foldbench", MFD_CLOEXEC);

	return got < 0 && errno == ENOSYS ? open("/dev", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)
	                                  : got;
}

enum run_state file_open(struct run *r)
{
	size_t folio = r->page << r->order;

	if (r->size <= folio)
		return run_answer(
		        r, RUN_SKIP,
		        "a file of one folio of %zu bytes: its first page is written, and "
		        "no folio is left",
		        folio);
	if (!region_reserve(&r->a, r->size, folio, 0, &r->why) ||
	    !region_reserve(&r->b, r->size, folio, 0, &r->why))
		return RUN_SKIP;
	return RUN_VALID;
}

static bool map(const struct region *at, int flags, struct reason *w)
{
	if (mmap(at->at, at->size, PROT_READ | PROT_WRITE, flags | MAP_FIXED | MAP_NORESERVE, fd,
	         0) == at->at)
		return true;
	reason_set(w, "a mapping of %zu bytes of a file: %s", at->size, strerror(errno));
	return false;
}

/* The pages read, in one call or by a fault each, and the first one written. */
static bool touch(const struct region *at, size_t page, struct reason *w)
{
	/* Only PTEs, also where the folio would fit a PMD entry. */
	if (madvise(at->at, at->size, MADV_NOHUGEPAGE) && errno != EINVAL) {
		reason_set(w, "madvise MADV_NOHUGEPAGE: %s", strerror(errno));
		return false;
	}
	if (madvise(at->at, at->size, MADV_POPULATE_READ) && errno != EINVAL) {
		reason_set(w, "reading %zu bytes of a file: %s", at->size, strerror(errno));
		return false;
	}
	for (size_t i = 0; i < at->size; i += page)
		(void)*(volatile unsigned char *)(at->at + i);
	*(volatile unsigned char *)at->at = folio_byte(0);
	return true;
}

enum run_state file_ready(struct run *r)
{
	fd = nameless();
	if (fd < 0)
		return run_answer(r, RUN_SKIP, "this kernel has no tmpfs for a file: %s",
		                  strerror(errno));
	if (ftruncate(fd, (off_t)r->size))
		return run_answer(r, RUN_INVALID, "a file of %zu bytes: %s", r->size,
		                  strerror(errno));
	if (!map(&r->b, MAP_SHARED, &r->why) ||
	    !folio_populate(r->b.at, r->b.size, r->order, &r->why) || !region_unmap(&r->b, &r->why))
		return RUN_INVALID;
	if (!map(&r->a, MAP_PRIVATE, &r->why) || !touch(&r->a, r->page, &r->why))
		return RUN_INVALID;
	return RUN_VALID;
}

enum run_state file_prove(struct run *r, struct proof *p)
{
	size_t folio = r->page << r->order;
	const struct proof_bits first = {.cut = {.step = r->size, .len = r->page},
	                                 .mask = PM_PRESENT | PM_FILE,
	                                 .in = PM_PRESENT,
	                                 .out = PM_PRESENT | PM_FILE,
	                                 .what = "is not the file's (the first: not written)"};
	const struct proof_range rest = {.at = r->a.at + folio,
	                                 .size = r->size - folio,
	                                 .order = r->order,
	                                 .inner = true,
	                                 .file = true};

	if (proof_bits(r->a.at, r->size, &first, &r->why) != PROOF_HOLDS)
		return RUN_INVALID;
	if (p == &r->after)
		r->moved = true;
	return run_proof(proof_range(&rest, p, &r->why));
}

enum run_state file_reset(struct run *r)
{
	close(fd);
	fd = -1;
	return run_reset_region(r);
}
