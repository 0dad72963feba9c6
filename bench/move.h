/*
 * move.h - a populated region that mremap(2) moves to a given place.
 *
 * The source, r->a, lies on a 2M boundary; where the destination, r->b, lies
 * decides what the kernel has to do:
 *
 *   skew=N     N bytes off a 2M boundary, N no multiple of 64K: every PTE moves
 *              alone to another place in its block. Contiguous blocks are
 *              unfolded and can not be folded again.
 *   align=64K  64K off one: congruent modulo a block, not modulo a page table.
 *              PTEs move; blocks are unfolded and may be folded again.
 *   align=2M   on a 2M boundary: whole page tables move and no PTE is touched.
 *              The control: contiguous PTEs should make no difference here.
 */
#ifndef FOLDBENCH_MOVE_H
#define FOLDBENCH_MOVE_H

#include "bench/bench.h"

/* For open(): both places are reserved. */
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
