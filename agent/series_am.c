/*
 * series_am.c - see series_am.h.
 */
#include "agent/series_am.h"

#include "agent/outfile.h"
#include "agent/sandbox.h"
#include "agent/series.h"
#include "agent/watch.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ONE_TIMEOUT_S  300
#define PATCH_MAX      (16 << 20)
#define INFO_MAX       (64 << 10)
#define SUBJECT_SHOWN  120
#define COMMITTER      "GIT_COMMITTER_NAME=foldwatch"
#define COMMITTER_MAIL "GIT_COMMITTER_EMAIL=foldwatch@localhost"

struct am {
	struct git *g;
	const char *base;
	char *out;               /* the scratch directory: repo.git, index, mails/, msg, patch */
	const char *at, *mirror; /* it and the mirror as git sees them */
	bool sandboxed;
	char parent[41];
	int number; /* of the patch that is worked on; 0: none */
	char subject[SUBJECT_SHOWN + 8];
	struct buf said; /* the output of the last git */
};

/* From mailinfo. */
struct mail {
	char *author, *email, *subject, *date;
};

static enum err theirs(struct am *a, enum err e)
{
	a->g->fail = FAIL_BUILD;
	return e;
}

static enum err ours(struct am *a, enum err e)
{
	if (e)
		a->g->fail = FAIL_INFRA;
	return e;
}

/* ---- one git */

static void one_line(void *ctx, const char *line)
{
	struct am *a = ctx;

	buf_addf(&a->said, "%s\n", line);
}

static void add_env(const struct am *a, const struct mail *m, struct argv *env)
{
	argv_addf(env, "GIT_DIR=%s/repo.git", a->at);
	argv_addf(env, "GIT_INDEX_FILE=%s/index", a->at);
	argv_addf(env, "GIT_ALTERNATE_OBJECT_DIRECTORIES=%s/objects", a->mirror);
	argv_add(env, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1",
	         "GIT_NO_REPLACE_OBJECTS=1", "GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=none",
	         COMMITTER, COMMITTER_MAIL, NULL);
	if (!m)
		return;
	argv_addf(env, "GIT_AUTHOR_NAME=%s", *m->author ? m->author : m->email);
	argv_addf(env, "GIT_AUTHOR_EMAIL=%s", m->email);
	argv_addf(env, "GIT_AUTHOR_DATE=%s", m->date);
	argv_addf(env, "GIT_COMMITTER_DATE=%s", m->date);
}

static void begin(struct argv *a)
{
	argv_add(a, "git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c",
	         "core.autocrlf=false", "-c", "core.attributesFile=/dev/null", "-c", "gc.auto=0",
	         "-c", "core.protectHFS=true", "-c", "core.protectNTFS=true", "-c",
	         "pack.threads=1", "-c", "core.bare=true", NULL);
}

/* Its output is in a->said; ERR_UNPROCESSABLE where git said no. */
static enum err run(struct am *a, const struct argv *command, const struct mail *m,
                    const char *input, struct why *w)
{
	const struct agent_conf *c = a->g->step->conf;
	const struct sandbox_mount mounts[] = {{a->g->mirror, "/mirror", false},
	                                       {a->out, "/out", true}};
	struct argv inner = {0}, env = {0}, outer = {0};
	struct sandbox box = {.mounts = mounts,
	                      .mount_count = ARRAY_SIZE(mounts),
	                      .dir = "/out",
	                      .memory_bytes = c->build_memory_bytes,
	                      .file_bytes = c->fetch_max_bytes,
	                      .processes = c->build_processes};
	struct watch wt = {.name = "git",
	                   .timeout_s = ONE_TIMEOUT_S,
	                   .input_path = input,
	                   .disk = {a->out},
	                   .disk_max = c->fetch_max_bytes,
	                   .disk_key = "fetch_max_bytes",
	                   .disk_reserve = c->disk_reserve_bytes,
	                   .memory_max = c->build_memory_bytes,
	                   .line = one_line,
	                   .ctx = a};
	int status = 0;
	enum err e;

	buf_reset(&a->said);
	add_env(a, m, &env);
	box.env = argv_list(&env);
	argv_pass_env(&outer, "FOLDWATCH_JOB_DIR");
	argv_add(&outer, "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", NULL);
	if (a->sandboxed) {
		sandbox_begin(&box, &inner);
	} else {
		argv_addf(&outer, "HOME=%s", a->out);
		argv_extend(&outer, argv_list(&env));
		argv_add(&inner, "prlimit", "--core=0", NULL);
		argv_addf(&inner, "--fsize=%" PRId64, c->fetch_max_bytes);
		wt.dir = a->out;
	}
	argv_extend(&inner, argv_list(command));
	wt.argv = argv_list(&inner);
	wt.env = argv_list(&outer);
	e = watch_run(&wt, &status, w);
	if (e == ERR_TOO_LARGE)
		theirs(a, e);
	else
		ours(a, e);
	if (!e && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
		e = theirs(a, ERR_UNPROCESSABLE);
	argv_release(&inner);
	argv_release(&env);
	argv_release(&outer);
	return e;
}

/* The first thing that git complained of, without its own prefix. */
static const char *complaint(struct am *a)
{
	static const char *const prefixes[] = {"error: ", "fatal: "};
	char *at = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(prefixes) && !at; i++) {
		at = strstr(a->said.data, prefixes[i]);
		at = at ? at + strlen(prefixes[i]) : NULL;
	}
	if (!at)
		at = a->said.data;
	at[strcspn(at, "\n")] = '\0';
	return *at ? at : "it does not say why";
}

/* The line of output that is an object's name; git may warn beside it. */
static enum err take_id(struct am *a, char id[41], struct why *w)
{
	const char *at = a->said.data;
	size_t n;

	for (; *at; at += n + (at[n] == '\n')) {
		n = strcspn(at, "\n");
		if (n != 40 || strspn(at, "0123456789abcdef") != 40)
			continue;
		memcpy(id, at, 40);
		id[40] = '\0';
		return OK;
	}
	return ours(a, err_set(w, ERR_INTERNAL, "git answers \"%.60s\"", a->said.data));
}

/* ---- sentences about a patch */

static enum err patch_fault(struct am *a, struct why *w, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
static enum err patch_fault(struct am *a, struct why *w, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	err_set(w, ERR_UNPROCESSABLE, "patch %d \"%s\" %s", a->number, a->subject, text);
	free(text);
	return theirs(a, ERR_UNPROCESSABLE);
}

/* Is this line about that file: "+++ b/PATH" or "--- a/PATH"? */
static bool names(const char *line, size_t n, const char *path)
{
	size_t len = strlen(path);

	return n >= len + 6 && (!strncmp(line, "+++ ", 4) || !strncmp(line, "--- ", 4)) &&
	       line[5] == '/' && !strncmp(line + 6, path, len) &&
	       (n == len + 6 || line[len + 6] == '\t');
}

int patch_hunk(const char *patch, const char *path, long line)
{
	const char *at = patch;
	bool here = false;
	int hunk = 0;

	while (*at) {
		size_t n = strcspn(at, "\n");

		if (!strncmp(at, "diff --git ", 11)) {
			here = false;
			hunk = 0;
		} else if (names(at, n, path)) {
			here = true;
		} else if (here && !strncmp(at, "@@ -", 4)) {
			hunk++;
			if (strtol(at + 4, NULL, 10) == line)
				return hunk;
		}
		at += n + (at[n] == '\n');
	}
	return 0;
}

/* git-apply(1) says "patch failed: PATH:LINE" of the first hunk that does not fit. */
static enum err conflict(struct am *a, struct why *w)
{
	static const char failed[] = "patch failed: ";
	const char *said = complaint(a);
	char path[512];
	const char *colon = strrchr(said, ':');
	struct buf patch;
	long line;
	int hunk;

	if (!str_starts(said, failed) || !colon)
		return patch_fault(a, w, "cannot be applied: %.300s", said);
	said += sizeof(failed) - 1;
	snprintf(path, sizeof(path), "%.*s", (int)(colon - said), said);
	line = strtol(colon + 1, NULL, 10);
	buf_init(&patch, PATCH_MAX);
	hunk = outfile_read(a->out, "patch", &patch, NULL) ? 0 : patch_hunk(patch.data, path, line);
	buf_release(&patch);
	if (hunk)
		return patch_fault(a, w,
		                   "does not apply: hunk %d of %.200s, at line %ld, does not fit",
		                   hunk, path, line);
	return patch_fault(a, w, "does not apply: %.200s at line %ld does not fit", path, line);
}

/* ---- one mail */

static void set_subject(struct am *a, const char *subject)
{
	struct buf b;

	buf_init(&b, 4096);
	utf8_scrub(&b, subject, strnlen(subject, SUBJECT_SHOWN));
	snprintf(a->subject, sizeof(a->subject), "%s", b.data);
	buf_release(&b);
}

/* "[PATCH v2 00/19] ..." before mailinfo takes it away. */
static bool is_cover(const char *mail)
{
	const char *at = str_starts(mail, "Subject:") ? mail : strstr(mail, "\nSubject:");
	const char *end, *p;

	if (!at)
		return false;
	end = strchr(at, ']');
	p = strchr(at, '[');
	for (; p && end && p < end; p++)
		if (*p == '0' && (p[-1] == ' ' || p[-1] == '[')) {
			p += strspn(p, "0");
			if (*p == '/')
				return true;
		}
	return false;
}

static char *field(const char *info, const char *name)
{
	const char *at = info;
	size_t n = strlen(name);

	while (*at) {
		size_t len = strcspn(at, "\n");

		if (!strncmp(at, name, n) && at[n] == ':')
			return xstrndup(at + n + 1 + (at[n + 1] == ' '),
			                len - n - 1 - (at[n + 1] == ' '));
		at += len + (at[len] == '\n');
	}
	return xstrdup("");
}

static void mail_release(struct mail *m)
{
	free(m->author);
	free(m->email);
	free(m->subject);
	free(m->date);
	*m = (struct mail){0};
}

static enum err git_do(struct am *a, const struct mail *m, const char *input, struct why *w, ...)
        __attribute__((sentinel));
static enum err git_do(struct am *a, const struct mail *m, const char *input, struct why *w, ...)
{
	struct argv c = {0};
	const char *s;
	va_list ap;
	enum err e;

	begin(&c);
	va_start(ap, w);
	while ((s = va_arg(ap, const char *)) != NULL)
		argv_add(&c, s, NULL);
	va_end(ap);
	e = run(a, &c, m, input, w);
	argv_release(&c);
	return e;
}

/* The mail's parts into m, out/msg and out/patch. */
static enum err split(struct am *a, const char *path, struct mail *m, struct why *w)
{
	char *msg = xasprintf("%s/msg", a->at), *patch = xasprintf("%s/patch", a->at);
	enum err e = git_do(a, NULL, path, w, "mailinfo", msg, patch, NULL);

	if (e == ERR_UNPROCESSABLE) {
		set_subject(a, "?");
		patch_fault(a, w, "cannot be read: %.300s", complaint(a));
	} else if (!e && a->said.full) {
		e = theirs(a, err_set(w, ERR_UNPROCESSABLE, "patch %d has a head without end",
		                      a->number));
	} else if (!e) {
		*m = (struct mail){.author = field(a->said.data, "Author"),
		                   .email = field(a->said.data, "Email"),
		                   .subject = field(a->said.data, "Subject"),
		                   .date = field(a->said.data, "Date")};
		set_subject(a, m->subject);
	}
	free(msg);
	free(patch);
	return e;
}

/* The commit's message: the subject, and the mail's text down to its "---". */
static enum err write_message(struct am *a, const struct mail *m, struct why *w)
{
	char *path = path_join(a->out, "message");
	struct buf text, body;
	enum err e;

	buf_init(&text, PATCH_MAX);
	buf_init(&body, PATCH_MAX / 2);
	e = outfile_read(a->out, "msg", &body, w);
	if (e)
		e = theirs(a, err_set(w, ERR_TOO_LARGE,
		                      "patch %d \"%s\" has a text of more than "
		                      "%d bytes",
		                      a->number, a->subject, PATCH_MAX / 2));
	while (body.len && strchr(" \n\t", body.data[body.len - 1]))
		body.data[--body.len] = '\0';
	buf_addf(&text, "%s\n", *m->subject ? m->subject : "(no subject)");
	if (body.len) {
		buf_addc(&text, '\n');
		buf_add(&text, body.data + strspn(body.data, "\n"),
		        body.len - strspn(body.data, "\n"));
		buf_addc(&text, '\n');
	}
	if (!e)
		e = ours(a, file_write(path, text.data, text.len, 0600, w));
	buf_release(&text);
	buf_release(&body);
	free(path);
	return e;
}

static enum err commit(struct am *a, const struct mail *m, struct why *w)
{
	char *message = xasprintf("%s/message", a->at), tree[41];
	enum err e = write_message(a, m, w);

	if (!e && (e = git_do(a, m, NULL, w, "write-tree", NULL)) == ERR_UNPROCESSABLE)
		patch_fault(a, w, "gives no tree: %.300s", complaint(a));
	if (!e)
		e = take_id(a, tree, w);
	if (!e) {
		e = git_do(a, m, NULL, w, "commit-tree", "-p", a->parent, "-F", message, tree,
		           NULL);
		if (e == ERR_UNPROCESSABLE)
			patch_fault(a, w, "gives no commit: %.300s", complaint(a));
	}
	if (!e)
		e = take_id(a, a->parent, w);
	free(message);
	return e;
}

/* Into the index; *empty where there is no diff in it after all. */
static enum err apply(struct am *a, bool *empty, struct why *w)
{
	char *patch = xasprintf("%s/patch", a->at);
	enum err e = git_do(a, NULL, NULL, w, "apply", "--cached", "--whitespace=nowarn", "--",
	                    patch, NULL);

	free(patch);
	*empty = e == ERR_UNPROCESSABLE && strstr(a->said.data, "No valid patches in input");
	if (*empty)
		return OK;
	return e == ERR_UNPROCESSABLE ? conflict(a, w) : e;
}

/* *empty: it holds no diff. */
static enum err look(struct am *a, bool *empty, struct why *w)
{
	char *path = path_join(a->out, "patch");
	struct stat st;
	enum err e = OK;

	if (lstat(path, &st) || !S_ISREG(st.st_mode))
		e = ours(a, err_set(w, ERR_IO, "git left no patch at \"%s\"", path));
	else if (st.st_size > PATCH_MAX)
		e = patch_fault(a, w, "has %lld bytes: more than %d are not taken",
		                (long long)st.st_size, PATCH_MAX);
	else
		*empty = st.st_size == 0;
	free(path);
	return e;
}

static enum err one(struct am *a, int mail, struct why *w)
{
	char *name = xasprintf("mails/%04d", mail), *path = path_join(a->out, name);
	struct mail m = {0};
	struct buf text;
	bool empty = false;
	enum err e;

	buf_init(&text, SERIES_BYTES_MAX);
	a->number++;
	e = ours(a, outfile_read(a->out, name, &text, w));
	if (!e)
		e = split(a, path, &m, w);
	if (!e)
		e = look(a, &empty, w);
	if (!e && !empty && a->number > SERIES_PATCHES_MAX)
		e = theirs(a, err_set(w, ERR_TOO_LARGE, "the series has more than %d patches",
		                      SERIES_PATCHES_MAX));
	if (!e && !empty)
		e = apply(a, &empty, w);
	if (!e && empty && is_cover(text.data))
		a->number--;
	else if (!e && empty)
		e = patch_fault(a, w, "holds no diff");
	else if (!e && !(m.email && *m.email))
		e = patch_fault(a, w, "names no author");
	else if (!e && !(m.date && *m.date))
		e = patch_fault(a, w, "has no date");
	else if (!e)
		e = commit(a, &m, w);
	mail_release(&m);
	buf_release(&text);
	free(name);
	free(path);
	return e;
}

/* ---- the whole */

static enum err decide_sandbox(struct am *a, struct why *w)
{
	const struct conf_list *trusted = &a->g->step->conf->trusted_trees;
	enum err e = sandbox_probe(w);
	size_t i;

	a->sandboxed = !e;
	a->at = e ? a->out : "/out";
	a->mirror = e ? a->g->mirror : "/mirror";
	for (i = 0; e && i < trusted->count; i++)
		if (str_eq(trusted->items[i], a->g->url))
			return OK;
	return ours(a, err_at(w, e,
	                      "patches to tree \"%s\" are not applied without a sandbox unless "
	                      "the agent's owner lists it in trusted_trees",
	                      a->g->url));
}

/* An empty repository that sees the mirror's objects, and an index of the base. The
 * mirror may have no parents of the base: here it has none. */
static enum err prepare(struct am *a, struct why *w)
{
	char *mails = path_join(a->out, "mails"), *shallow = path_join(a->out, "repo.git/shallow"),
	     *repo = xasprintf("%s/repo.git", a->at), line[42];
	enum err e = dir_remove(a->out, w);

	if (!e || e == ERR_NOT_FOUND)
		e = dir_make(mails, 0700, w);
	ours(a, e);
	if (!e)
		e = git_do(a, NULL, NULL, w, "init", "--quiet", "--bare", "--template=", repo,
		           NULL);
	snprintf(line, sizeof(line), "%s\n", a->base);
	if (!e)
		e = ours(a, file_write(shallow, line, 41, 0600, w));
	if (!e)
		e = git_do(a, NULL, NULL, w, "read-tree", a->base, NULL);
	if (e == ERR_UNPROCESSABLE)
		e = ours(a, err_set(w, ERR_IO, "cannot begin at %.12s: %.300s", a->base,
		                    complaint(a)));
	free(mails);
	free(shallow);
	free(repo);
	return e;
}

static enum err split_mbox(struct am *a, const char *mbox, int *count, struct why *w)
{
	char *mails = xasprintf("-o%s/mails", a->at);
	struct stat st = {.st_size = 0};
	enum err e = OK;

	*count = 0;
	if (!stat(mbox, &st) && st.st_size > 0)
		e = git_do(a, NULL, mbox, w, "mailsplit", "-b", "-d4", mails, NULL);
	free(mails);
	if (e == ERR_UNPROCESSABLE)
		return theirs(a, err_set(w, e, "the series is no mailbox: %.300s", complaint(a)));
	if (!e && st.st_size > 0)
		*count = (int)strtol(a->said.data, NULL, 10);
	/* A cover letter is one more. */
	if (!e && *count > SERIES_PATCHES_MAX + 1)
		e = theirs(a, err_set(w, ERR_TOO_LARGE,
		                      "the series has %d mails: more than %d patches are not taken",
		                      *count, SERIES_PATCHES_MAX));
	return e;
}

static enum err make_bundle(struct am *a, char **bundle, struct why *w)
{
	char *out = xasprintf("%s/bundle", a->at), *not_base = xasprintf("^%s", a->base);
	enum err e = git_do(a, NULL, NULL, w, "update-ref", "refs/heads/series", a->parent, NULL);

	if (!e)
		e = git_do(a, NULL, NULL, w, "bundle", "create", "--quiet", "--version=2", out,
		           "refs/heads/series", not_base, NULL);
	if (e == ERR_UNPROCESSABLE)
		e = ours(a, err_set(w, ERR_IO, "cannot bundle the series: %.300s", complaint(a)));
	*bundle = path_join(a->g->step->dir, "series.bundle");
	if (!e)
		e = ours(a, outfile_copy(a->out, "bundle", *bundle, SERIES_BYTES_MAX, NULL, w));
	free(out);
	free(not_base);
	return e;
}

enum err series_am(struct git *g, const char *mbox, const char *base, char **bundle, struct why *w)
{
	struct am a = {.g = g, .base = base, .out = path_join(g->step->dir, "am")};
	int i, count = 0;
	enum err e;

	*bundle = NULL;
	buf_init(&a.said, INFO_MAX);
	memcpy(a.parent, base, 41);
	e = decide_sandbox(&a, w);
	if (!e)
		e = prepare(&a, w);
	if (!e)
		e = split_mbox(&a, mbox, &count, w);
	for (i = 1; !e && i <= count; i++) {
		step_progress(g->step, "apply", i - 1, count);
		e = one(&a, i, w);
	}
	if (!e && !a.number)
		e = theirs(&a, err_set(w, ERR_UNPROCESSABLE,
		                       "the series is empty: there is no patch in it"));
	if (!e)
		e = make_bundle(&a, bundle, w);
	dir_remove(a.out, NULL);
	buf_release(&a.said);
	free(a.out);
	return e;
}
