#include "bench/move.h"

#include "bench/folio.h"

#include <sys/mman.h>

/* How far the destination lies off a 2M boundary. */
static size_t destination_offset(const struct run *r)
{
	if (run_given(r, PARAM_SKEW))
		return (size_t)r->c->value[PARAM_SKEW];
	if (run_given(r, PARAM_ALIGN) && (size_t)r->c->value[PARAM_ALIGN] < REGION_ALIGN)
		return (size_t)r->c->value[PARAM_ALIGN];
	return 0;
}

enum run_state move_open(struct run *r)
{
	size_t offset = destination_offset(r);

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

enum run_state move_ready(struct run *r)
{
	/* At first a part of its fence, later the last window's destination. */
	if (!region_unmap(&r->b, &r->why))
		return RUN_INVALID;
	return run_populate(r, &r->a);
}

bool move_call(const struct run *r)
{
	return mremap(r->a.at, r->size, r->size, MREMAP_MAYMOVE | MREMAP_FIXED, r->b.at) == r->b.at;
}

enum run_state move_prove(struct run *r, struct proof *p)
{
	const struct proof_range there = {
	        .at = r->b.at, .size = r->size, .order = r->order, .skewed = true};

	if (proof_gone(r->a.at, r->a.size, &r->why) != PROOF_HOLDS)
		return RUN_INVALID;
	for (size_t i = 0; i < r->size / r->page; i++)
		if (*(volatile unsigned char *)(r->b.at + i * r->page) != folio_byte(i))
			return run_answer(r, RUN_INVALID,
			                  "page %zu has not the content it had before the move", i);
	if (p == &r->after)
		r->moved = true;
	return run_proof(proof_range(&there, p, &r->why));
}

enum run_state move_reset(struct run *r)
{
	return region_unmap(&r->b, &r->why) ? RUN_VALID : RUN_INVALID;
}
