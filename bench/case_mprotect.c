/*
 * case_mprotect.c - mprotect(2) of a populated region.
 *
 * Timed: the calls.
 *
 *   mode=ro   one call, the region to PROT_READ
 *   mode=rw   one call, back to PROT_READ | PROT_WRITE
 *   block=N   a call a block, N bytes of it to PROT_READ (cut.h). Each splits the
 *             VMA twice, which is the larger part of such a window; where the
 *             block's PTEs are contiguous, less than a block unfolds them
 *
 * Untimed: mapping and populating the region before every window; for mode=rw
 * the call that makes it read-only.
 *
 * Proved: before the window the folios; after it that they are the same, all
 * still mapped by PTEs, in as many VMAs as the calls make, and that smaps has
 * each VMA's permissions as they were asked for.
 *
 * Left behind: nothing.
 *
 * The trap: PROT_READ | PROT_WRITE makes PTEs writable only where the kernel
 * knows the page to be this process' own; that the pages were written and never
 * shared is what makes the window a walk over PTEs that change.
 */
#include "bench/bench.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static enum run_state mprotect_open(struct run *r)
{
	enum run_state s = run_open_cut(r);

	if (s == RUN_VALID)
		s = run_open_vmas(r, cut_pieces(&r->cut, r->size));
	return s == RUN_VALID ? run_open_region(r) : s;
}

static enum run_state mprotect_ready(struct run *r)
{
	enum run_state s = run_ready_region(r);

	if (s == RUN_VALID && run_mode(r, MPROTECT_RW) && mprotect(r->a.at, r->a.size, PROT_READ))
		return run_answer(r, RUN_INVALID, "mprotect to PROT_READ: %s", strerror(errno));
	return s;
}

static enum run_state mprotect_prove(struct run *r, bool after)
{
	const struct proof_range pieces = {.at = r->a.at,
	                                   .size = r->a.size,
	                                   .order = r->order,
	                                   .vmas = cut_pieces(&r->cut, r->a.size)};
	size_t written = r->a.size;

	if (!after)
		return run_prove(r, &r->a, &r->before);
	r->moved = true;
	if (proof_range(&pieces, &r->after, &r->why) != PROOF_HOLDS)
		return RUN_INVALID;
	if (!run_mode(r, MPROTECT_RW))
		written -= cut_count(&r->cut, r->a.size) * r->cut.len;
	return run_proof(proof_writable(r->a.at, r->a.size, written, &r->why));
}

static enum run_state mprotect_window(struct run *r)
{
	int prot = run_mode(r, MPROTECT_RW) ? PROT_READ | PROT_WRITE : PROT_READ;
	int rc = 0;

	meter_start(r->meter);
	for (size_t i = r->cut.from; i < r->a.size; i += r->cut.step)
		rc |= mprotect(r->a.at + i, r->cut.len, prot);
	meter_stop(r->meter);

	return rc ? run_answer(r, RUN_INVALID, "mprotect: %s", strerror(errno)) : RUN_VALID;
}

const struct bench bench_mprotect = {
        .name = "mprotect",
        .open = mprotect_open,
        .ready = mprotect_ready,
        .prove = mprotect_prove,
        .window = mprotect_window,
        .reset = run_reset_region,
};
