/*
 * relink.h - the same objects linked at other addresses (inside step_build).
 *
 * How fast code runs also depends on where it lies: functions share cache lines,
 * pages and branch predictor entries with others by luck. A layout is one such
 * draw. Layout 0 is the kernel as its tree links it; layout k > 0 has a gap of 16,
 * 32, ..., 256 bytes of undefined instructions before the text of each object,
 * drawn by a generator that starts from k. Only addresses change: each object
 * stays what the compiler made, and one number always gives the same bytes.
 * (T. Mytkowicz et al., "Producing wrong data without doing anything obviously
 * wrong!", ASPLOS 2009.)
 *
 * The tree takes no part in it: make finds a linker of ours first in PATH, which
 * hands every call to the real one, and puts the gaps between the objects where
 * the output is the kernel itself. make's O= directory is that of layout 0, so a
 * relink compiles nothing.
 */
#ifndef FOLDWATCH_RELINK_H
#define FOLDWATCH_RELINK_H

#include "agent/build.h"

#define LAYOUTS_MAX 8 /* numbers 0 to 7 */

/* Before make: when out/ holds the kernel in another layout, it is removed, so
 * that make links again; b->linkers is there for layouts above 0. */
enum err relink_prepare(struct build *b, struct why *w);
/* After make: how many gaps were put in, of how many bytes together; 0 and 0 for
 * layout 0. ERR_UNPROCESSABLE where the tree's link did not come by. */
enum err relink_done(const struct build *b, int64_t *gaps, int64_t *bytes, struct why *w);

#endif
