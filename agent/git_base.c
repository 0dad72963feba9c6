/*
 * git_base.c - the merge base of two commits.
 *
 * The mirror has single commits with their files and no history. What is needed here is
 * the reverse: commits without files. They lie in a repository of their own inside the
 * mirror's directory, so that they are locked, counted and evicted with it, and so that
 * no build finds a commit there whose files it would lack.
 *
 * History is fetched as deep as it takes: a thousand commits from both, eight times as
 * many, and so on. A common commit that is found in a cut history may not be the newest
 * one: a longer way may lead from both to a newer one, beyond the cut. It is the newest
 * when nothing that the two have and it has not was cut.
 */
#include "agent/git.h"

#include "agent/git_rules.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_FIRST 1000
#define DEPTH_TIMES 8
#define DEPTH_LAST  1000000    /* after that: all there is */
#define DEPTH_ALL   2147483647 /* git's word for it */
#define LIST_MAX    (4 << 20)

static enum err make_history(struct git *g, struct why *w)
{
	char *objects = path_join(g->mirror, "objects");
	const char *argv[] = {"git", "init", "--quiet", "--bare", "--template=", g->mirror, NULL};
	struct proc_spec spec = {
	        .argv = argv, .env = argv_list(&g->env), .timeout_ns = 60 * NS_PER_S};
	enum err e = path_exists(objects) ? OK : proc_run(&spec, NULL, w);

	free(objects);
	return e;
}

/* The commits at which history is cut, a line each; nothing where it is whole. */
static void read_cut(const struct git *g, struct buf *out)
{
	char *path = path_join(g->mirror, "shallow");

	buf_reset(out);
	if (path_exists(path))
		file_read(path, out, NULL);
	free(path);
}

static enum err fetch(struct git *g, const char *const commit[2], bool all, int depth,
                      struct why *w)
{
	struct argv a = {0};
	enum err e = git_begin_fetch(g, &a, w);

	argv_add(&a, "--filter=tree:0", NULL);
	argv_addf(&a, "--depth=%d", depth);
	argv_add(&a, "--", g->url, NULL);
	for (int i = 0; i < 2 && !all; i++)
		argv_addf(&a, "+%s:refs/history/%s", commit[i], commit[i]);
	if (all)
		argv_add(&a, "+refs/heads/*:refs/other/heads/*", "+refs/tags/*:refs/other/tags/*",
		         NULL);
	if (!e)
		e = git_run(g, &a, "fetch", w);
	argv_release(&a);
	return e;
}

/* By a ref of its own, which git writes last. To ask for an object that is missing would
 * make git fetch it, with all that it stands on. */
static bool has(struct git *g, const char *commit)
{
	struct argv a = {0};
	enum err e;

	git_begin(g, &a);
	argv_add(&a, "rev-parse", "--quiet", "--verify", NULL);
	argv_addf(&a, "refs/history/%s", commit);
	e = git_ask(g, &a, NULL, NULL);
	argv_release(&a);
	return e == OK;
}

/* Names a commit that came with all the others. */
static bool keep(struct git *g, const char *commit)
{
	struct argv a = {0};
	enum err e;

	git_begin(g, &a);
	argv_add(&a, "update-ref", NULL);
	argv_addf(&a, "refs/history/%s", commit);
	argv_add(&a, commit, NULL);
	e = git_ask(g, &a, NULL, NULL);
	argv_release(&a);
	return e == OK;
}

/* base "": none that is known here. */
static void common(struct git *g, const char *const commit[2], char base[41])
{
	struct argv a = {0};
	struct buf out;

	base[0] = '\0';
	buf_init(&out, LIST_MAX);
	git_begin(g, &a);
	argv_add(&a, "merge-base", commit[0], commit[1], NULL);
	/* Its status says that there is none; so does its silence. */
	if (!git_ask(g, &a, &out, NULL) && out.len >= 40) {
		memcpy(base, out.data, 40);
		base[40] = '\0';
		if (!git_is_commit(base))
			base[0] = '\0';
	}
	argv_release(&a);
	buf_release(&out);
}

/* Was anything cut off that the two have and `base` has not? What was cut shows as a
 * commit without parents. */
static bool is_cut(struct git *g, const char *const commit[2], const char *base,
                   const struct buf *cut)
{
	struct argv a = {0};
	struct buf out;
	bool is;

	if (!cut->len)
		return false;
	buf_init(&out, LIST_MAX);
	git_begin(g, &a);
	argv_add(&a, "rev-list", "--max-parents=0", commit[0], commit[1], NULL);
	argv_addf(&a, "^%s", base);
	argv_add(&a, "--", NULL);
	is = git_ask(g, &a, &out, NULL) != OK || out.full;
	for (const char *line = out.data; !is && line && strlen(line) > 40; line += 41) {
		char one[42];

		memcpy(one, line, 41);
		one[41] = '\0';
		is = strstr(cut->data, one) != NULL;
	}
	argv_release(&a);
	buf_release(&out);
	return is;
}

static enum err deepen(struct git *g, const char *const commit[2], bool *all, int depth,
                       struct why *w)
{
	enum err e = *all ? ERR_IO : fetch(g, commit, false, depth, w);

	/* A server that gives only what it lists. */
	if (e == ERR_IO && (*all || strstr(w->text, "unadvertised object"))) {
		*all = true;
		e = fetch(g, commit, true, depth, w);
	}
	if (e)
		return git_blamed(g, e, w);
	for (int i = 0; i < 2; i++)
		if (!has(g, commit[i]) && !keep(g, commit[i])) {
			g->fail = FAIL_BUILD;
			return err_set(w, ERR_UNPROCESSABLE, "tree \"%s\" has no commit %s", g->url,
			               commit[i]);
		}
	return OK;
}

static enum err find(struct git *g, const char *const commit[2], char base[41], struct why *w)
{
	bool all = false, done = false;
	struct buf cut;
	enum err e = make_history(g, w);

	g->fail = FAIL_INFRA;
	buf_init(&cut, 16 << 20);
	/* All of it may be there from another time. */
	read_cut(g, &cut);
	if (!e && has(g, commit[0]) && has(g, commit[1])) {
		common(g, commit, base);
		done = base[0] && !is_cut(g, commit, base, &cut);
	}
	for (int64_t depth = DEPTH_FIRST; !e && !done; depth *= DEPTH_TIMES) {
		if (depth > DEPTH_LAST)
			depth = DEPTH_ALL;
		e = deepen(g, commit, &all, (int)depth, w);
		if (e)
			break;
		read_cut(g, &cut);
		common(g, commit, base);
		done = !cut.len || depth == DEPTH_ALL ||
		       (base[0] && !is_cut(g, commit, base, &cut));
	}
	if (!e && !base[0]) {
		g->fail = FAIL_BUILD;
		e = err_set(w, ERR_UNPROCESSABLE,
		            "tree \"%s\": commits %s and %s have no common history", g->url,
		            commit[0], commit[1]);
	}
	buf_release(&cut);
	return e;
}

enum err git_merge_base(struct git *g, const char *const commit[2], char base[41], struct why *w)
{
	char *mirror = g->mirror;
	enum err e;

	for (int i = 0; i < 2; i++)
		if (!git_is_commit(commit[i])) {
			g->fail = FAIL_BUILD;
			return err_set(w, ERR_INPUT, "\"%.64s\" is no commit id of 40 digits",
			               commit[i]);
		}
	g->mirror = path_join(mirror, "foldwatch-commits");
	e = find(g, commit, base, w);
	free(g->mirror);
	g->mirror = mirror;
	return e;
}
