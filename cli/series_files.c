/* series_files.c - what a series is made of: a bundle of commits, or mails. */
#include "cli/series.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a bundle */

/* `path` holds the head of the bundle: the pack goes behind it. */
static enum err add_pack(const char *path, const struct series_range *r, struct why *w)
{
	static const char *const argv[] = {
	        "git",    "-c",       "pack.threads=1",      "pack-objects", "--revs",
	        "--thin", "--stdout", "--delta-base-offset", "--quiet",      NULL};
	char *revs = xasprintf("%s\n^%s\n", r->tip, r->base);
	struct proc_spec spec = {.argv = argv,
	                         .input = revs,
	                         .out_path = path,
	                         .out_only = true,
	                         .timeout_ns = 600 * NS_PER_S};
	enum err e = proc_run(&spec, NULL, w);

	free(revs);
	return err_at(w, e, "the commits cannot be packed");
}

static enum err write_bundle(const char *path, const struct series_range *r, struct why *w)
{
	char *head =
	        xasprintf("# v2 git bundle\n-%s base\n%s refs/heads/series\n\n", r->base, r->tip);
	struct stat st;
	enum err e = file_write(path, head, strlen(head), 0600, w);

	free(head);
	if (!e)
		e = add_pack(path, r, w);
	if (!e && stat(path, &st))
		e = err_sys(w, ERR_IO, "cannot look at \"%s\"", path);
	if (!e && st.st_size > SERIES_BYTES_MAX)
		e = err_set(w, ERR_TOO_LARGE,
		            "the commits are %lld bytes packed: more than %d are not taken",
		            (long long)st.st_size, SERIES_BYTES_MAX);
	return e;
}

enum err series_bundle(struct cli *cli, const struct series_range *r, char hex[SHA256_HEX],
                       struct why *w)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = xasprintf("%s/foldwatch-series-XXXXXX", tmp && *tmp ? tmp : "/tmp"), *path;
	enum err e;

	if (!mkdtemp(dir)) {
		e = err_sys(w, ERR_IO, "cannot make a directory like \"%s\"", dir);
		free(dir);
		return e;
	}
	path = path_join(dir, "bundle");
	e = write_bundle(path, r, w);
	if (!e)
		e = hash_file(path, hex, NULL, w);
	if (!e)
		e = cli_put_file(cli, path, hex, w);
	dir_remove(dir, NULL);
	free(path);
	free(dir);
	return e;
}

/* ---- mails */

bool series_base_trailer(const char *mails, char base[41])
{
	static const char key[] = "base-commit: ";
	const char *at = mails;
	bool found = false;

	for (; (at = strstr(at, key)); at++) {
		const char *id = at + sizeof(key) - 1;

		if ((at == mails || at[-1] == '\n') && strspn(id, "0123456789abcdef") == 40) {
			memcpy(base, id, 40);
			base[40] = '\0';
			found = true;
		}
	}
	return found;
}

static bool is_patch(const char *name)
{
	return name[0] != '.' && (str_ends(name, ".patch") || str_ends(name, ".eml") ||
	                          str_ends(name, ".mbox") || str_ends(name, ".mbx"));
}

/* One file behind the others, each mail behind a line that begins one. */
static enum err add_file(const char *path, struct buf *out, struct why *w)
{
	struct buf one;
	enum err e;

	buf_init(&one, SERIES_BYTES_MAX);
	e = cli_read_file(path, &one, w);
	if (!e) {
		if (out->len && out->data[out->len - 1] != '\n')
			buf_addc(out, '\n');
		if (!str_starts(one.data, "From "))
			buf_adds(out, "From patch Mon Sep 17 00:00:00 2001\n");
		buf_add(out, one.data, one.len);
		if (out->full)
			e = err_set(w, ERR_TOO_LARGE,
			            "the patches have more than %d bytes together",
			            SERIES_BYTES_MAX);
	}
	buf_release(&one);
	return e;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int wanted(const struct dirent *d)
{
	return is_patch(d->d_name);
}

static enum err add_folder(const char *dir, struct buf *out, struct why *w)
{
	struct dirent **names = NULL;
	int i, n = scandir(dir, &names, wanted, by_name);
	enum err e = OK;

	if (n < 0)
		return err_sys(w, ERR_INPUT, "cannot read the folder \"%s\"", dir);
	for (i = 0; i < n; i++) {
		char *path = path_join(dir, names[i]->d_name);

		if (!e)
			e = add_file(path, out, w);
		free(path);
		free(names[i]);
	}
	free(names);
	if (!e && !n)
		e = err_set(w, ERR_INPUT, "the folder \"%s\" has no *.patch, *.eml or *.mbox in it",
		            dir);
	return e;
}

enum err series_mails(const char *path, struct buf *out, struct why *w)
{
	struct stat st;
	enum err e;

	if (stat(path, &st))
		return err_sys(w, ERR_INPUT, "cannot read \"%s\"", path);
	e = S_ISDIR(st.st_mode) ? add_folder(path, out, w) : add_file(path, out, w);
	if (!e && !strstr(out->data, "\ndiff ") && !strstr(out->data, "\n--- "))
		e = err_set(w, ERR_INPUT, "\"%s\" holds no patch", path);
	return err_at(w, e, "--series");
}
