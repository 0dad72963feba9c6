/*
 * series_am.h - patches as mails become commits on a base, in a bundle.
 *
 *     e = series_am(&g, mbox, base, &bundle, &w);
 *     if (!e) e = series_bundle(&g, bundle, base, &s, &w);      series.h
 *
 * It does what git-am(1) does without --3way, with the same parts (mailsplit, mailinfo,
 * apply, commit-tree), but on an index alone: no file of a patch is ever written to a
 * disk, and a tree of 80,000 files is not checked out. It runs where builds run, in
 * bubblewrap, on a repository of its own that only reads the tree's mirror; what comes
 * out is a bundle, which is then believed no more than anybody's.
 *
 * The committer is always the same and the committer's date the author's, so that the
 * same mails on the same base give the same commits, on every agent and every time: an
 * unchanged prefix of a later version has its kernels already.
 *
 * A mail without a diff whose subject says "0/N" is a cover letter and left out. On an
 * error g->fail says whose it is; a patch is named by its number and its subject.
 */
#ifndef FOLDWATCH_SERIES_AM_H
#define FOLDWATCH_SERIES_AM_H

#include "agent/git.h"

/* `base` is in the mirror. free() *bundle, a file in the job's own directory. */
enum err series_am(struct git *g, const char *mbox, const char *base, char **bundle, struct why *w);

/* ---- pure parts, for tests */

/* "patch failed: mm/a.c:100" of git-apply(1), and the patch it spoke of: which hunk of
 * that file begins there. 0: not found. */
int patch_hunk(const char *patch, const char *path, long line);

#endif
