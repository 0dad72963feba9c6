/*
 * verdict_looks.h - a board with noise: its cells judged together, look by look.
 *
 * Where a submission leaves the number of boots to us, a board that is not
 * deterministic gets 3, and 6 and 10 where cells are undecided (lib/stat/looks.h).
 * What each look rejected is found again from the boots that it had, so that a
 * comparison comes out of facts alone.
 */
#ifndef FOLDWATCH_SERVER_VERDICT_LOOKS_H
#define FOLDWATCH_SERVER_VERDICT_LOOKS_H

#include "server/verdict_cell.h"

struct looked {
	int64_t boots; /* a kernel, of the last look that is done; those before it count */
	int64_t laid;  /* boots a kernel that were planned so far */
	int64_t next;  /* boots a kernel of the look that should follow; 0: none */
	struct stat_result *cell; /* [case][kernel] */
};

/* NULL: the board has no looks (deterministic, boots told or added, imported), or not
 * all boots of the first one have ended. Memory of the pool. */
struct looked *looked_at(const struct facts *f, struct pool *p, size_t board);
const struct stat_result *looked_cell(const struct looked *l, const struct facts *f, size_t case_,
                                      size_t kernel);

/* Boots a kernel that the board's looks have come to, from the boots that ended:
 * at least those of the first. */
int64_t looks_laid(const struct facts *f, size_t board);

#endif
