/*
 * git.h - one bare mirror for each tree, and what is fetched into it.
 *
 *     struct git g;
 *     e = git_open(&g, s, url, &w);
 *     if (!e) e = git_resolve(&g, "v6.12", commit, &w);
 *     if (!e) e = git_fetch(&g, commit, "v6.12", &w);
 *     if (!e) e = git_describe(&g, commit, &d, &w);
 *     git_close(&g);
 *
 * On an error g.fail says whose it is: FAIL_BUILD where the tree or the ref is
 * wrong, FAIL_INFRA where the network or this machine is.
 *
 * A mirror lies at DIR/mirrors/<first 32 digits of the address's sha256>.git. A commit
 * that was fetched whole is kept by a ref of its own, refs/foldwatch/COMMIT: git writes
 * that ref last, so its presence proves that the commit is complete. Only the
 * commit itself is fetched, not its history (--depth=1), where the other side
 * can do that. Beside git's own the mirror's directory has foldwatch-in-use, the lock,
 * foldwatch-depth, how far back a walk brought its history (git_walk.c), and
 * foldwatch-commits, a repository of commits without files (git_base.c).
 *
 * git runs with an environment of its own: no configuration of the user or the
 * system, no credentials, no prompts, no hooks, no submodules, and the one
 * protocol that the address names.
 */
#ifndef FOLDWATCH_GIT_H
#define FOLDWATCH_GIT_H

#include "agent/argv.h"
#include "agent/step.h"
#include "lib/buf.h"

struct git {
	const struct step *step;
	char *url;
	char *mirror; /* path of the bare repository */
	struct argv env;
	int hold_fd, lock_fd; /* against eviction; against another user of the mirror */
	enum fail_class fail; /* whose the error is */
	int64_t bytes_fetched;
	const char *written; /* the directory that git_run()'s git writes; NULL: the mirror */
	const char *input;   /* the file that the next git reads as its input; NULL: none */
	bool found;          /* the tree's host was looked up */
	char *resolve;       /* where it was, as an option of git's; NULL: git may look itself */
};

struct git_commit {
	char *subject;       /* scrubbed to UTF-8, one line */
	int64_t author_time; /* seconds since 1970 */
};

/* Checks the address, makes the mirror and waits for its lock. git_close()
 * also after an error. */
enum err git_open(struct git *g, const struct step *s, const char *url, struct why *w);
void git_close(struct git *g);

/* What the ref points to now, on the other side: a full name, HEAD, a tag or a
 * branch (a tag wins, as with git), or 40 digits, which are their own answer. */
enum err git_resolve(struct git *g, const char *ref, char commit[41], struct why *w);
/* Make the commit and its files present in the mirror. `ref` helps where a
 * server gives no single commits; it may be NULL. */
enum err git_fetch(struct git *g, const char *commit, const char *ref, struct why *w);
bool git_has(struct git *g, const char *commit);
/* Is it in the mirror at all, whoever brought it? */
bool git_is_here(struct git *g, const char *commit);
/* The same of a commit that a series brought (series.h) and the tree never had: under a
 * ref of its own, refs/series/COMMIT, so that nobody gets it who asks the tree for it. */
bool git_has_patch(struct git *g, const char *commit);
enum err git_describe(struct git *g, const char *commit, struct git_commit *d, struct why *w);
void git_commit_release(struct git_commit *d);

/* A commit that is fetched alone is written down as one at which history is cut, and git
 * shows it without parents from then on, also when those came later by another way (a
 * series, a walk); and it dies when the other side says that a cut at a commit which is
 * not here is none any more. Keeps the cuts that are some (git_cuts.c). */
enum err git_tidy_cuts(struct git *g, struct why *w);

/* The newest commit that two have in common (git_base.c), by as much of the tree's history
 * as that takes; FAIL_BUILD where they have none. */
enum err git_merge_base(struct git *g, const char *const commit[2], char base[41], struct why *w);

/* True when a path for which matters() is true differs between two commits, or
 * when that cannot be told. */
bool git_differs(struct git *g, const char *from, const char *to,
                 bool (*matters)(const char *path));

/* The beginning of every git command: program, limits, settings. */
void git_begin(const struct git *g, struct argv *a);
/* The same of one that goes to the tree (git_remote.c), and of one that fetches. Its host
 * must be of the public internet (lib/guard.h), unless it is named in the prefix that allows
 * it (git_names_host()); no redirect is followed. ERR_DENIED, or ERR_IO as git_run(): for
 * git_blamed(). What is in `a` is released by the caller then, too. */
enum err git_begin_remote(struct git *g, struct argv *a, struct why *w);
enum err git_begin_fetch(struct git *g, struct argv *a, struct why *w);
/* Run git to its end with its progress shown as `step` ("fetch", "checkout").
 * ERR_IO with git's own last word in *w when it ended with another status
 * than 0. */
enum err git_run(struct git *g, const struct argv *a, const char *step, struct why *w);
/* Both give e back and leave in g->fail whose it is: of whoever made the tree or the series,
 * or this machine's, if it is an error at all. */
enum err git_theirs(struct git *g, enum err e);
enum err git_ours(struct git *g, enum err e);
/* Turns the word that git_run() left for a fetch into a sentence about the tree; g->fail
 * says whose it is. */
enum err git_blamed(struct git *g, enum err e, struct why *w);
/* One that only asks the mirror, or writes a ref; its standard output goes to `out` (may be
 * NULL), what it complains of to the job's log. */
enum err git_ask(struct git *g, const struct argv *a, struct buf *out, struct why *w);

/* ---- pure parts, for tests */

/* "https://Host:444/x" -> "host" and "444"; the scheme's own port where none is said, an IPv6
 * address without its brackets, ssh without its user. False: a host that is not made of
 * letters, digits, '-' and '.', and no address in brackets. */
bool git_url_host(const char *url, char *host, size_t size, char port[6]);
/* "Receiving objects:  12% (123/1000), 5.00 MiB" -> 123 of 1000. */
bool git_progress_parse(const char *line, int64_t *done, int64_t *total);
/* Whose failure git's message tells of, and a sentence for it. */
enum fail_class git_blame(const char *message, const char **sentence);
/* Pick the commit of `ref` from git ls-remote's output. False: not there. */
bool git_pick_ref(const char *listing, const char *ref, char commit[41]);

#endif
