/*
 * git_cuts.c - where the mirror's history is cut (git.h).
 */
#include "agent/git.h"

#include "lib/file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CUTS_MAX (256 << 20) /* bytes of commit ids */

/* "COMMIT PARENT...", a line each, as they were made; those that are not here are left out. */
static enum err true_parents(struct git *g, const char *path, struct buf *out, struct why *w)
{
	struct argv a = {0};
	enum err e;

	git_begin(g, &a);
	/* No cuts: git's own word for it, as its fetch tells its helpers. */
	argv_add(&a, "--shallow-file", "", "rev-list", "--no-walk=unsorted", "--parents",
	         "--ignore-missing", "--stdin", NULL);
	g->input = path;
	e = git_ask(g, &a, out, w);
	g->input = NULL;
	argv_release(&a);
	return e;
}

/* All of them in order of the lines, "ID" or "ID missing". */
static enum err which_are_here(struct git *g, const struct buf *lines, struct buf *out,
                               struct why *w)
{
	char *path = path_join(g->step->dir, "cuts");
	struct argv a = {0};
	struct buf ids;
	enum err e;

	buf_init(&ids, CUTS_MAX);
	for (size_t at = 0; at + 40 < lines->len; at += 41)
		if (at && lines->data[at - 1] == ' ')
			buf_addf(&ids, "%.40s\n", lines->data + at);
	e = file_write(path, ids.data, ids.len, 0600, w);
	git_begin(g, &a);
	argv_add(&a, "cat-file", "--batch-check=%(objectname)", NULL);
	g->input = path;
	if (!e && ids.len)
		e = git_ask(g, &a, out, w);
	g->input = NULL;
	argv_release(&a);
	unlink(path);
	free(path);
	buf_release(&ids);
	return e;
}

/* Those that are here and lack a parent. */
static void pick(const struct buf *lines, const struct buf *here, struct buf *kept)
{
	const char *answer = here->len ? here->data : "", *line = lines->len ? lines->data : "";

	while (*line) {
		size_t n = strcspn(line, "\n");
		bool lacks = false;

		for (size_t parents = n / 41; parents && *answer; parents--) {
			size_t len = strcspn(answer, "\n");

			lacks |= len != 40;
			answer += len + (answer[len] == '\n');
		}
		if (lacks)
			buf_addf(kept, "%.40s\n", line);
		line += n + (line[n] == '\n');
	}
}

enum err git_tidy_cuts(struct git *g, struct why *w)
{
	char *path = path_join(g->mirror, "shallow");
	struct buf lines, here, kept, was;
	enum err e = OK;

	buf_init(&lines, CUTS_MAX);
	buf_init(&here, CUTS_MAX);
	buf_init(&kept, CUTS_MAX);
	buf_init(&was, CUTS_MAX);
	if (!path_exists(path))
		goto out;
	e = file_read(path, &was, w);
	if (!e)
		e = true_parents(g, path, &lines, w);
	if (!e)
		e = which_are_here(g, &lines, &here, w);
	if (e)
		goto out;
	pick(&lines, &here, &kept);
	if (!kept.len)
		e = file_remove(path, w);
	else if (kept.len < was.len)
		e = file_write(path, kept.data, kept.len, 0600, w);
out:
	free(path);
	buf_release(&lines);
	buf_release(&here);
	buf_release(&kept);
	buf_release(&was);
	return git_ours(g, e);
}
