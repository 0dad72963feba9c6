/*
 * checkout.c - see checkout.h.
 */
#include "agent/checkout.h"

#include "lib/file.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <unistd.h>

static void begin(const struct git *g, const char *tree_dir, struct argv *a)
{
	git_begin(g, a);
	argv_add(a, "-c", "core.bare=false", "-c", "core.symlinks=true", "-c", "core.fileMode=true",
	         NULL);
	argv_addf(a, "--work-tree=%s", tree_dir);
}

static enum err write_tree(struct git *g, const char *commit, const char *tree_dir, struct why *w)
{
	struct argv a = {0};
	enum err e;

	/* --reset also rewrites a file whose time or size differs from the index:
	 * what a killed checkout left half-written. */
	begin(g, tree_dir, &a);
	argv_add(&a, "read-tree", "-v", "--reset", "-u", commit, NULL);
	e = git_run(g, &a, "checkout", w);
	argv_release(&a);
	if (e)
		return e;
	begin(g, tree_dir, &a);
	argv_add(&a, "clean", "-ffdxq", NULL);
	e = git_run(g, &a, "checkout", w);
	argv_release(&a);
	return e;
}

static enum err clear(const char *tree_dir, const char *index, struct why *w)
{
	enum err e = dir_remove(tree_dir, w);

	if (!e || e == ERR_NOT_FOUND)
		e = file_remove(index, w);
	if (!e)
		e = dir_make(tree_dir, 0755, w);
	return e;
}

enum err checkout(struct git *g, const char *commit, const char *tree_dir, const char *index,
                  struct why *w)
{
	size_t kept = g->env.n;
	char *lock = xasprintf("%s.lock", index);
	enum err e;

	unlink(lock); /* of a git that was killed */
	argv_addf(&g->env, "GIT_INDEX_FILE=%s", index);
	/* A small pack may unfold to a tree without end. */
	g->written = tree_dir;
	step_progress(g->step, "checkout", 0, -1);
	if (path_exists(index) && path_exists(tree_dir))
		e = write_tree(g, commit, tree_dir, w);
	else
		e = ERR_IO;
	if (e == ERR_IO) {
		unlink(lock);
		e = clear(tree_dir, index, w);
		if (!e)
			e = write_tree(g, commit, tree_dir, w);
	}
	if (e)
		g->fail = e == ERR_TOO_LARGE ? FAIL_BUILD : FAIL_INFRA;
	/* The index is this checkout's own. */
	g->written = NULL;
	while (g->env.n > kept)
		free(g->env.v[--g->env.n]);
	g->env.v[kept] = NULL;
	free(lock);
	return e;
}
