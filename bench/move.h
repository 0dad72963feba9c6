/*
 * move.h - a populated region that mremap(2) moves to a given place.
 *
 * The source, r->a, lies on a boundary of what a page of PTEs maps (2M with pages
 * of 4K, 32M with 16K, 512M with 64K); where the destination, r->b, lies decides
 * what the kernel has to do. With pages of 4K:
 *
 *   skew=N     N bytes off a 2M boundary, N no multiple of 64K: every PTE moves
 *              alone to another place in its block. Contiguous blocks are
 *              unfolded and can not be folded again.
 *   align=64K  64K off one: congruent modulo a block, not modulo a page table.
 *              PTEs move; blocks are unfolded and may be folded again.
 *   align=2M   on a 2M boundary: whole page tables move and no PTE is touched.
 *              The control: contiguous PTEs should make no difference here.
 *
 * With larger pages a block is 2M: align=2M is what align=64K is here, and
 * align=32M, or 512M, the control (of a region of that size or more).
 */
#ifndef FOLDBENCH_MOVE_H
#define FOLDBENCH_MOVE_H

#include "bench/bench.h"

/* For open(): both places are reserved. Skips what is something else with pages of
 * this size than with those that the word was chosen for. */
enum run_state move_open(struct run *r);
/* For ready(): the source populated, the destination a hole. */
enum run_state move_ready(struct run *r);
/* The call, nothing else: errno stands where it fails. */
bool move_call(const struct run *r);
/* For prove(): nothing is left at the source, every page has the content that
 * its place had there, and the destination's folios are as they were (in memory;
 * not congruent with their addresses where the destination is not). */
enum run_state move_prove(struct run *r, struct proof *p);
/* For reset(). */
enum run_state move_reset(struct run *r);

#endif
