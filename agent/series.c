/*
 * series.c - see series.h.
 */
#include "agent/series.h"

#include "agent/git_rules.h"
#include "agent/peer.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_MAX (64 << 10) /* of a bundle, before its pack */
#define LIST_MAX (4 << 20)  /* what git says of the commits */

static const char magic[] = "# v2 git bundle\n";

/* ---- the file */

enum err series_artifact(struct git *g, const char *sha256, char **path, struct why *w)
{
	char *name = xasprintf("series-%s", sha256), hex[SHA256_HEX];
	struct client *client = NULL;
	struct stat st;
	enum err e = OK;

	*path = path_join(g->step->dir, name);
	free(name);
	if (hash_file(*path, hex, NULL, NULL) || !str_eq(hex, sha256)) {
		step_progress(g->step, "download", 0, -1);
		e = peer_client(g->step->conf, &client, w);
		if (!e)
			e = client_get_artifact(client, sha256, *path, w);
		client_free(client);
		if (e)
			return git_ours(g, err_at(w, e, "series %.12s", sha256));
	}
	if (stat(*path, &st))
		return git_ours(g, err_sys(w, ERR_IO, "cannot look at \"%s\"", *path));
	if (st.st_size > SERIES_BYTES_MAX)
		return git_theirs(g,
		                  err_set(w, ERR_TOO_LARGE,
		                          "the series is %lld bytes long: more than %lld are not "
		                          "taken",
		                          (long long)st.st_size, (long long)SERIES_BYTES_MAX));
	return OK;
}

/* ---- the head of a bundle */

static enum err take_tip(const char *line, size_t n, struct bundle_head *h, struct why *w)
{
	if (n < 42 || line[40] != ' ')
		return err_set(w, ERR_INPUT,
		               "the bundle is malformed: a line of its head names "
		               "neither a commit nor a ref");
	if (h->tip[0])
		return err_set(w, ERR_INPUT, "the bundle has more than one tip");
	memcpy(h->tip, line, 40);
	if (!git_is_commit(h->tip))
		return err_set(w, ERR_INPUT,
		               "the bundle is malformed: its tip is no commit id of "
		               "40 digits");
	return OK;
}

static enum err take_base(const char *line, size_t n, struct bundle_head *h, struct why *w)
{
	if (h->base[0])
		return err_set(w, ERR_INPUT,
		               "the bundle stands on more than one commit: a series has one base");
	if (n >= 41)
		memcpy(h->base, line + 1, 40);
	if (!git_is_commit(h->base))
		return err_set(w, ERR_INPUT,
		               "the bundle is malformed: what it stands on is no "
		               "commit id of 40 digits");
	return OK;
}

enum err bundle_parse(const char *text, size_t len, struct bundle_head *h, struct why *w)
{
	size_t at = strlen(magic), n;
	enum err e = OK;

	*h = (struct bundle_head){0};
	if (len < at || memcmp(text, magic, at) != 0)
		return err_set(w, ERR_INPUT, "the artifact is no git bundle of version 2");
	for (; !e; at += n + 1) {
		const char *end = memchr(text + at, '\n', len - at);

		if (!end)
			return err_set(w, ERR_INPUT,
			               "the bundle's head does not end within %d "
			               "bytes",
			               HEAD_MAX);
		n = (size_t)(end - (text + at));
		if (!n)
			break;
		e = text[at] == '-' ? take_base(text + at, n, h, w) : take_tip(text + at, n, h, w);
	}
	if (!e && !h->tip[0])
		e = err_set(w, ERR_INPUT, "the bundle holds no commit");
	h->pack = at + 1;
	return e;
}

static enum err read_head(int fd, struct bundle_head *h, struct why *w)
{
	char *text = xmalloc(HEAD_MAX);
	ssize_t n = pread(fd, text, HEAD_MAX, 0);
	enum err e;

	e = n < 0 ? err_sys(w, ERR_IO, "cannot read the bundle") : OK;
	if (!e)
		e = bundle_parse(text, (size_t)n, h, w);
	free(text);
	return e;
}

/* What stands behind the head, as a file that git reads. */
static enum err write_pack(const struct git *g, int fd, size_t from, char **pack, struct why *w)
{
	char block[65536];
	off_t at = (off_t)from;
	ssize_t n;
	int out;
	enum err e = OK;

	*pack = path_join(g->step->dir, "series.pack");
	out = open(*pack, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (out < 0)
		return err_sys(w, ERR_IO, "cannot make \"%s\"", *pack);
	while (!e && (n = pread(fd, block, sizeof(block), at)) > 0) {
		if (write(out, block, (size_t)n) != n)
			e = err_sys(w, ERR_IO, "cannot write \"%s\"", *pack);
		at += n;
	}
	if (!e && n < 0)
		e = err_sys(w, ERR_IO, "cannot read the bundle");
	if (close(out) && !e)
		e = err_sys(w, ERR_IO, "cannot write \"%s\"", *pack);
	return e;
}

/* ---- its objects */

static enum err said_no(struct git *g, enum err e, struct why *w)
{
	struct why said = *w;

	if (e != ERR_IO)
		return e == ERR_TOO_LARGE ? git_theirs(g, e) : git_ours(g, e);
	return git_theirs(g, err_set(w, ERR_UNPROCESSABLE, "git does not take the bundle (%.500s)",
	                             said.text));
}

/* Every object is checked, and links to objects that are neither in the pack nor in the
 * mirror are errors. */
static enum err index_pack(struct git *g, const char *pack, struct why *w)
{
	struct argv a = {0};
	enum err e;

	git_begin(g, &a);
	argv_add(&a, "index-pack", "--stdin", "--fix-thin", "--strict", NULL);
	argv_addf(&a, "--max-input-size=%" PRId64, SERIES_BYTES_MAX);
	g->input = pack;
	e = git_run(g, &a, "fetch", w);
	g->input = NULL;
	argv_release(&a);
	return e ? said_no(g, e, w) : OK;
}

static enum err verify(struct git *g, const char *path, struct why *w)
{
	struct argv a = {0};
	enum err e;

	git_begin(g, &a);
	argv_add(&a, "bundle", "verify", "--quiet", path, NULL);
	e = git_run(g, &a, "fetch", w);
	argv_release(&a);
	return e ? said_no(g, e, w) : OK;
}

/* ---- its commits */

/* "COMMIT PARENT...", of the newest commits first. */
static enum err take_commits(struct git *g, const char *list, const char *base, struct series *out,
                             struct why *w)
{
	const char *line = list;
	size_t n;

	for (; *line; line += n + (line[n] == '\n')) {
		const char *before = out->count ? out->at[out->count - 1].commit : base;
		struct git_entry *p;

		n = strcspn(line, "\n");
		if (out->count == SERIES_PATCHES_MAX)
			return git_theirs(g, err_set(w, ERR_TOO_LARGE,
			                             "the series has more than %d patches",
			                             SERIES_PATCHES_MAX));
		if (n > 81)
			return git_theirs(g, err_set(w, ERR_UNPROCESSABLE,
			                             "%.12s is a merge: a series is one line of "
			                             "commits",
			                             line));
		if (n != 81 || memcmp(line + 41, before, 40) != 0)
			return git_theirs(g,
			                  err_set(w, ERR_UNPROCESSABLE,
			                          "%.12s does not stand on %.12s: a series is one "
			                          "line of commits from its base",
			                          line, before));
		out->at = xreallocarray(out->at, out->count + 1, sizeof(*out->at));
		p = &out->at[out->count++];
		*p = (struct git_entry){0};
		memcpy(p->commit, line, 40);
	}
	if (!out->count)
		return git_theirs(g, err_set(w, ERR_UNPROCESSABLE,
		                             "the series is empty: its tip is "
		                             "its base"));
	return OK;
}

static enum err list(struct git *g, const char *base, const char *tip, struct series *out,
                     struct why *w)
{
	struct argv a = {0};
	struct buf text;
	enum err e;

	buf_init(&text, LIST_MAX);
	git_begin(g, &a);
	argv_add(&a, "rev-list", "--reverse", "--topo-order", "--parents", NULL);
	argv_addf(&a, "--max-count=%d", SERIES_PATCHES_MAX + 1);
	argv_add(&a, tip, NULL);
	argv_addf(&a, "^%s", base);
	argv_add(&a, "--", NULL);
	e = git_ask(g, &a, &text, w);
	if (e || text.full)
		e = git_theirs(g, err_set(w, ERR_UNPROCESSABLE,
		                          "the bundle's tip %.12s is no commit "
		                          "that git can walk from",
		                          tip));
	else
		e = take_commits(g, text.data, base, out, w);
	argv_release(&a);
	buf_release(&text);
	return e;
}

/* Words and patch ids of the commits that were listed. */
static enum err describe(struct git *g, const char *base, struct series *s, struct why *w)
{
	struct git_list l = {0};
	enum err e;

	e = git_list(g, s->at[s->count - 1].commit, base, s->count, &l, w);
	if (!e && l.count != s->count)
		e = err_set(w, ERR_UNPROCESSABLE, "the series' commits cannot be listed");
	if (!e)
		e = err_at(w, git_patch_ids(g, &l, 0, l.count, w), "the series");
	if (e) {
		git_list_release(&l);
		return e == ERR_UNPROCESSABLE || e == ERR_TOO_LARGE ? git_theirs(g, e)
		                                                    : git_ours(g, e);
	}
	free(s->at);
	*s = (struct series){.at = l.at, .count = l.count};
	return OK;
}

/* Last of all: a ref proves that its commit is whole (git.h). */
static enum err keep(struct git *g, const struct series *s, struct why *w)
{
	char *path = path_join(g->step->dir, "series.refs");
	struct argv a = {0};
	struct buf text;
	size_t i;
	enum err e;

	buf_init(&text, LIST_MAX);
	for (i = 0; i < s->count; i++)
		buf_addf(&text, "update refs/series/%s %s\n", s->at[i].commit, s->at[i].commit);
	e = file_write(path, text.data, text.len, 0600, w);
	git_begin(g, &a);
	argv_add(&a, "update-ref", "--stdin", NULL);
	g->input = path;
	if (!e)
		e = git_ask(g, &a, NULL, w);
	g->input = NULL;
	argv_release(&a);
	buf_release(&text);
	free(path);
	return git_ours(g, e);
}

/* ---- the whole */

static enum err take_objects(struct git *g, const char *path, int fd, const struct bundle_head *h,
                             struct why *w)
{
	char *pack = NULL;
	enum err e = verify(g, path, w);

	if (!e)
		e = git_ours(g, write_pack(g, fd, h->pack, &pack, w));
	if (!e)
		e = index_pack(g, pack, w);
	if (pack)
		unlink(pack);
	free(pack);
	return e;
}

enum err series_bundle(struct git *g, const char *path, const char *base, struct series *out,
                       struct why *w)
{
	struct bundle_head h;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum err e;

	if (fd < 0)
		return git_ours(g, err_sys(w, ERR_IO, "cannot open \"%s\"", path));
	e = read_head(fd, &h, w);
	if (e == ERR_INPUT)
		git_theirs(g, e);
	else
		git_ours(g, e);
	if (!e && h.base[0] && !str_eq(h.base, base))
		e = git_theirs(g,
		               err_set(w, ERR_UNPROCESSABLE,
		                       "the bundle stands on commit %s, which is missing: its base "
		                       "is said to be %s",
		                       h.base, base));
	if (!e)
		e = take_objects(g, path, fd, &h, w);
	close(fd);
	/* Its tip may have been fetched before, alone. */
	if (!e)
		e = git_tidy_cuts(g, w);
	if (!e)
		e = list(g, base, h.tip, out, w);
	if (!e)
		e = describe(g, base, out, w);
	return e ? e : keep(g, out, w);
}

void series_release(struct series *s)
{
	struct git_list l = {.at = s->at, .count = s->count};

	git_list_release(&l);
	*s = (struct series){0};
}
