/*
 * checkout.h - the files of a commit, without a .git among them.
 *
 * The work tree holds nothing but the commit's files; git's directory is the
 * mirror and its index lies beside. Only what differs from the last checkout
 * is written, so that make finds little to do; what does not belong to the
 * commit is removed.
 */
#ifndef FOLDWATCH_CHECKOUT_H
#define FOLDWATCH_CHECKOUT_H

#include "agent/git.h"

/* `tree_dir` and `index` may be missing or in any state that a killed checkout
 * left: they are made anew when git cannot go on from them. The caller holds
 * the lock of what they lie in. */
enum err checkout(struct git *g, const char *commit, const char *tree_dir, const char *index,
                  struct why *w);

#endif
