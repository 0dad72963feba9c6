/*
 * case_refs.c - the accessed bit: cleared for all pages, and set again.
 *
 * Timed:
 *
 *   mode=clear     write(2) of 1 to /proc/self/clear_refs: the accessed bit of
 *                  every PTE of this process, of which all but some dozen pages
 *                  are the region
 *   mode=retouch   a read of each page behind that: where the CPU sets the bit
 *                  itself no read faults, otherwise each does, or one a block
 *
 * Untimed: mapping and populating the region before every window; for
 * mode=retouch the clearing, and a flush of the TLB: clear_refs leaves that to
 * chance, and through an entry that is still there no read sets a bit.
 *
 * Proved: before the window the folios. smaps has the whole region as
 * "Referenced:" before a clear and behind a retouch, and nothing of it between.
 *
 * Left behind: nothing.
 */
#include "bench/bench.h"

#include "bench/folio.h"
#include "bench/reads.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int refs = -1;

/* So many bytes that the kernel flushes all entries of the process instead of
 * each: more pages than a page has PTEs on arm64 (MAX_DVM_OPS), than 33 on x86. */
static size_t flush_bytes(size_t page)
{
	return 2 * table_bytes(page);
}

static enum run_state refs_open(struct run *r)
{
	refs = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
	if (refs < 0)
		return run_answer(r, RUN_SKIP, "/proc/self/clear_refs: %s", strerror(errno));
	if (!run_mode(r, REFS_RETOUCH))
		return run_open_region(r);
	r->calls = r->size / r->page;
	if (!region_reserve(&r->b, flush_bytes(r->page), 0, 0, &r->why))
		return RUN_SKIP;
	return run_open_region(r);
}

static bool clear(void)
{
	return write(refs, "1", 1) == 1;
}

/* Small pages, mapped and unmapped, and no large folios counted for them. */
static bool flush_tlb(struct run *r)
{
	return region_map(&r->b, &r->why) && folio_populate(r->b.at, r->b.size, 0, &r->why) &&
	       region_unmap(&r->b, &r->why);
}

static enum run_state refs_ready(struct run *r)
{
	enum run_state s = run_ready_region(r);

	if (s != RUN_VALID || run_mode(r, REFS_CLEAR))
		return s;
	if (!clear())
		return run_answer(r, RUN_INVALID, "/proc/self/clear_refs: %s", strerror(errno));
	return flush_tlb(r) ? RUN_VALID : RUN_INVALID;
}

static enum run_state refs_prove(struct run *r, bool after)
{
	bool set = run_mode(r, REFS_RETOUCH) == after;
	enum run_state s = run_prove(r, &r->a, after ? &r->after : &r->before);

	if (s != RUN_VALID)
		return s;
	return run_proof(proof_smaps_kb(r->a.at, r->a.size,
	                                "Referenced:", set ? r->a.size / 1024 : 0, &r->why));
}

static enum run_state clear_window(struct run *r)
{
	bool cleared;

	meter_start(r->meter);
	cleared = clear();
	meter_stop(r->meter);

	return cleared ? RUN_VALID
	               : run_answer(r, RUN_INVALID, "/proc/self/clear_refs: %s", strerror(errno));
}

static enum run_state refs_window(struct run *r)
{
	return run_mode(r, REFS_CLEAR) ? clear_window(r) : reads_each_window(r, &r->a);
}

const struct bench bench_refs = {
        .name = "refs",
        .open = refs_open,
        .ready = refs_ready,
        .prove = refs_prove,
        .window = refs_window,
        .reset = run_reset_region,
};
