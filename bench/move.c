#include "bench/move.h"

#include "bench/folio.h"

#include <sys/mman.h>

/* Is the word another thing with pages of this size? Says which. */
static enum run_state word_holds(struct run *r, size_t skew, size_t modulus)
{
	size_t block = block_bytes(r->page);

	if (skew % r->page)
		return run_answer(r, RUN_SKIP, "skew=%zuK is no multiple of a page, %zuK here",
		                  skew >> 10, r->page >> 10);
	if (skew && skew % block == 0)
		return run_answer(
		        r, RUN_SKIP,
		        "skew=%zuK is a multiple of a block, %zuK here: what is congruent "
		        "modulo a block is asked for by align=",
		        skew >> 10, block >> 10);
	if (modulus && modulus < block)
		return run_answer(
		        r, RUN_SKIP,
		        "align=%zuK is less than a block, %zuK here: what is not congruent "
		        "modulo a block is asked for by skew=",
		        modulus >> 10, block >> 10);
	return RUN_VALID;
}

enum run_state move_open(struct run *r)
{
	size_t skew = run_given(r, PARAM_SKEW) ? (size_t)r->c->value[PARAM_SKEW] : 0;
	size_t modulus = run_given(r, PARAM_ALIGN) ? (size_t)r->c->value[PARAM_ALIGN] : 0;
	size_t align = r->page << r->order;
	/* Off the boundary of a table where no more is asked for than a block's. */
	size_t offset = modulus && modulus < table_bytes(r->page) ? modulus : skew;
	enum run_state s = word_holds(r, skew, modulus);

	if (s != RUN_VALID)
		return s;
	if (align < modulus)
		align = modulus;
	if (!region_reserve(&r->a, r->size, align, 0, &r->why) ||
	    !region_reserve(&r->b, r->size, align, offset, &r->why))
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
