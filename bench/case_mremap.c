/*
 * case_mremap.c - one mremap(2) of a whole populated region to a given place.
 *
 * Timed: the call with MREMAP_MAYMOVE | MREMAP_FIXED. The source lies on a 2M
 * boundary; where the destination lies decides what the kernel has to do:
 *
 *   skew=N     N bytes off a 2M boundary, N no multiple of 64K: every PTE moves
 *              alone to another place in its block. Contiguous blocks are
 *              unfolded and can not be folded again.
 *   align=64K  64K off one: congruent modulo a block, not modulo a page table.
 *              PTEs move; blocks are unfolded and may be folded again.
 *   align=2M   on a 2M boundary: whole page tables move and no PTE is touched.
 *              The control: contiguous PTEs should make no difference here.
 *
 * Untimed: mapping and populating the source before every window. The
 * destination is a hole between its fences, so that the call has nothing to
 * unmap there.
 *
 * Proved: before the window the folios at the source. After it, with the same
 * means, that the same folios lie at the destination (where that is congruent
 * modulo a folio; otherwise that every page is present in its new place, in the
 * order of its content) and that nothing is left at the source.
 *
 * Left behind: nothing.
 */
#include "bench/bench.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCK (64u << 10)

/* How far the destination lies off a 2M boundary. */
static size_t destination_offset(const struct bench_case *c)
{
	if (c->given & 1u << PARAM_SKEW)
		return (size_t)c->value[PARAM_SKEW];
	if (c->given & 1u << PARAM_ALIGN && (size_t)c->value[PARAM_ALIGN] < REGION_ALIGN)
		return (size_t)c->value[PARAM_ALIGN];
	return 0;
}

static enum run_state mremap_open(struct run *r)
{
	size_t offset = destination_offset(r->c);

	if (offset % r->page)
		return run_answer(r, RUN_SKIP,
		                  "a destination %zu bytes off a boundary is no place "
		                  "for pages of %zu bytes",
		                  offset, r->page);
	if (!region_reserve(&r->a, r->size, r->page << r->order, 0, &r->why) ||
	    !region_reserve(&r->b, r->size, r->page << r->order, offset, &r->why))
		return RUN_SKIP;
	return RUN_VALID;
}

static enum run_state mremap_ready(struct run *r)
{
	/* At first a part of its fence, later the last window's destination. */
	if (!region_unmap(&r->b, &r->why))
		return RUN_INVALID;
	return run_populate(r, &r->a);
}

static enum run_state prove_moved(struct run *r)
{
	size_t folio = r->page << r->order;
	unsigned char first;

	if (proof_gone(r->a.at, r->a.size, &r->why) != PROOF_HOLDS)
		return RUN_INVALID;
	if (!((uintptr_t)r->b.at % folio))
		return run_prove(r, &r->b, &r->after);
	/* populate wrote i % 251 + 1 to page i */
	for (size_t i = 0; i < r->size / r->page; i++) {
		first = *(volatile unsigned char *)(r->b.at + i * r->page);
		if (first != 1 + i % 251)
			return run_answer(r, RUN_INVALID,
			                  "page %zu has not the content it had before the move", i);
	}
	return RUN_VALID;
}

static enum run_state mremap_prove(struct run *r, bool after)
{
	return after ? prove_moved(r) : run_prove(r, &r->a, &r->before);
}

static enum run_state mremap_window(struct run *r)
{
	void *got;

	meter_start(r->meter);
	got = mremap(r->a.at, r->size, r->size, MREMAP_MAYMOVE | MREMAP_FIXED, r->b.at);
	meter_stop(r->meter);

	if (got != r->b.at)
		return run_answer(r, RUN_INVALID, "mremap: %s", strerror(errno));
	return RUN_VALID;
}

static enum run_state mremap_reset(struct run *r)
{
	return region_unmap(&r->b, &r->why) ? RUN_VALID : RUN_INVALID;
}

const struct bench bench_mremap = {
        .name = "mremap",
        .open = mremap_open,
        .ready = mremap_ready,
        .prove = mremap_prove,
        .window = mremap_window,
        .reset = mremap_reset,
};
