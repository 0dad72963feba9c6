/*
 * git.c - see git.h.
 */
#include "agent/git.h"

#include "agent/cache.h"
#include "agent/git_rules.h"
#include "agent/lock.h"
#include "agent/watch.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LISTING_MAX (4 << 20) /* of git ls-remote for one name, and of changed paths */

static enum err failed(struct git *g, enum fail_class fail, enum err e)
{
	g->fail = fail;
	return e;
}

enum err git_theirs(struct git *g, enum err e)
{
	return failed(g, FAIL_BUILD, e);
}

enum err git_ours(struct git *g, enum err e)
{
	return e ? failed(g, FAIL_INFRA, e) : e;
}

/* ---- the repository */

/* Locks and half-written packs of a git that was killed: we hold the mirror's
 * own lock, so nobody uses them, and git would wait for their removal for ever. */
static int drop_stale(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + ftw->base;

	(void)st;
	if (type == FTW_F && (str_ends(name, ".lock") || str_starts(name, "tmp_")))
		unlink(path);
	return 0;
}

static enum err make_env(struct git *g, struct why *w)
{
	static const char *const passed[] = {
	        "FOLDWATCH_JOB_DIR", "http_proxy", "https_proxy", "HTTPS_PROXY",   "all_proxy",
	        "ALL_PROXY",         "no_proxy",   "NO_PROXY",    "SSL_CERT_FILE", "SSL_CERT_DIR"};
	/* A local tree may belong to another user; that the owner of the agent
	 * lists it is the permission git asks for. */
	static const char trust_local[] = "[safe]\n\tdirectory = *\n";
	char scheme[16];
	char *config = path_join(g->step->dir, "gitconfig");
	enum err e;
	size_t i;

	git_url_scheme(g->url, scheme, sizeof(scheme));
	e = file_write(config, trust_local, str_eq(scheme, "file") ? sizeof(trust_local) - 1 : 0,
	               0600, w);
	argv_add(&g->env, "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TZ=UTC",
	         "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_TERMINAL_PROMPT=0",
	         "GIT_ASKPASS=/bin/false", "SSH_ASKPASS=/bin/false", "GIT_ATTR_NOSYSTEM=1",
	         "GIT_PROTOCOL_FROM_USER=0", "GIT_NO_REPLACE_OBJECTS=1",
	         "GIT_SSH_COMMAND=ssh -oBatchMode=yes -oStrictHostKeyChecking=yes", NULL);
	/* No ~/.netrc, no ~/.ssh: the job's own directory is the home. */
	argv_addf(&g->env, "HOME=%s", g->step->dir);
	argv_addf(&g->env, "GIT_CONFIG_GLOBAL=%s", config);
	argv_addf(&g->env, "GIT_ALLOW_PROTOCOL=%s", scheme);
	for (i = 0; i < ARRAY_SIZE(passed); i++)
		argv_pass_env(&g->env, passed[i]);
	free(config);
	return e;
}

void git_begin(const struct git *g, struct argv *a)
{
	argv_add(a, "prlimit", "--core=0", NULL);
	argv_addf(a, "--fsize=%" PRId64, g->step->conf->fetch_max_bytes);
	argv_add(a, "git", NULL);
	argv_addf(a, "--git-dir=%s", g->mirror);
	argv_add(a, "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c",
	         "core.autocrlf=false", "-c", "core.attributesFile=/dev/null", "-c",
	         "submodule.recurse=false", "-c", "gc.auto=0", "-c", "credential.helper=", "-c",
	         "transfer.fsckObjects=true", "-c", "advice.detachedHead=false", NULL);
	/* Where a redirect, or a list of other servers that have objects, leads nobody has
	 * looked. Also of one that only asks: git may fetch what a mirror without files lacks. */
	argv_add(a, "-c", "http.followRedirects=false", NULL);
}

static enum err make_mirror(struct git *g, struct why *w)
{
	char *head = path_join(g->mirror, "HEAD"), *objects = path_join(g->mirror, "objects");
	const char *argv[] = {"git", "init", "--quiet", "--bare", "--template=", g->mirror, NULL};
	struct proc_spec spec = {
	        .argv = argv, .env = argv_list(&g->env), .timeout_ns = 60 * NS_PER_S};
	enum err e = OK;

	if (!path_exists(head) || !path_exists(objects)) {
		e = proc_run(&spec, NULL, w);
		if (!e)
			e = file_sync_dir(g->mirror, w);
	}
	free(head);
	free(objects);
	return e;
}

/* Another step of this agent fetches into the mirror, or checks out from it. */
static void say_it_waits(const void *s)
{
	step_progress(s, "wait for the mirror", 0, -1);
}

enum err git_open(struct git *g, const struct step *s, const char *url, struct why *w)
{
	char hex[SHA256_HEX], *entry, *lock;
	enum err e;

	*g = (struct git){
	        .step = s, .url = xstrdup(url), .hold_fd = -1, .lock_fd = -1, .fail = FAIL_INFRA};
	e = git_check_url(&s->conf->trees, url, w);
	if (e)
		return failed(g, FAIL_BUILD, e);
	hash_block(url, strlen(url), hex);
	entry = xasprintf("mirrors/%.32s.git", hex);
	g->mirror = path_join(s->conf->dir, entry);
	e = make_env(g, w);
	if (!e) {
		g->hold_fd = cache_hold(s->conf->dir, entry, w);
		e = g->hold_fd < 0 ? ERR_IO : OK;
	}
	if (!e) {
		lock = path_join(g->mirror, "foldwatch-in-use");
		g->lock_fd = lock_wait(lock, say_it_waits, s, w);
		e = g->lock_fd < 0 ? ERR_IO : OK;
		free(lock);
	}
	if (!e)
		nftw(g->mirror, drop_stale, 16, FTW_PHYS);
	if (!e)
		e = make_mirror(g, w);
	free(entry);
	return e;
}

void git_close(struct git *g)
{
	if (g->lock_fd >= 0)
		close(g->lock_fd);
	if (g->hold_fd >= 0)
		close(g->hold_fd);
	free(g->url);
	free(g->mirror);
	free(g->resolve);
	argv_release(&g->env);
	*g = (struct git){.hold_fd = -1, .lock_fd = -1};
}

/* ---- running git */

struct git_talk {
	const struct git *g;
	const char *step;
	int64_t shown_ns;
	char last[512]; /* its last line that is no progress */
	char fatal[512];
};

bool git_progress_parse(const char *line, int64_t *done, int64_t *total)
{
	const char *p = strstr(line, "% (");
	char *end;

	if (!p)
		return false;
	*done = strtoll(p + 3, &end, 10);
	if (*end != '/' || end == p + 3)
		return false;
	*total = strtoll(end + 1, &end, 10);
	return *end == ')' && *done >= 0 && *total >= *done;
}

static void git_line(void *ctx, const char *line)
{
	struct git_talk *t = ctx;
	int64_t done, total, now = clock_mono_ns();
	struct buf clean;

	if (git_progress_parse(line, &done, &total)) {
		/* The part that takes the time; counting and resolving follow fast. */
		bool shown = strstr(line, "Receiving objects") || strstr(line, "Updating files") ||
		             strstr(line, "Resolving deltas");

		if (shown && (done == total || now - t->shown_ns > NS_PER_S)) {
			step_progress(t->g->step, t->step, done, total);
			t->shown_ns = now;
		}
		/* Its last word goes to the log. */
		if (!strstr(line, "done"))
			return;
	}
	buf_init(&clean, 2 * WATCH_LINE);
	utf8_scrub(&clean, line, strlen(line));
	snprintf(t->last, sizeof(t->last), "%s", clean.data);
	if (!t->fatal[0] && (strstr(line, "fatal: ") || strstr(line, "error: ")))
		snprintf(t->fatal, sizeof(t->fatal), "%s", clean.data);
	buf_addc(&clean, '\n');
	watch_log("git: ", 5);
	watch_log(clean.data, clean.len);
	buf_release(&clean);
}

enum err git_run(struct git *g, const struct argv *a, const char *step, struct why *w)
{
	struct git_talk talk = {.g = g, .step = step};
	const struct agent_conf *c = g->step->conf;
	struct watch wt = {.name = "git",
	                   .argv = argv_list(a),
	                   .env = argv_list(&g->env),
	                   .input_path = g->input,
	                   .timeout_s = c->fetch_timeout_s,
	                   .disk = {g->written ? g->written : g->mirror},
	                   .disk_max = g->written ? c->build_max_bytes : c->fetch_max_bytes,
	                   .disk_key = g->written ? "build_max_bytes" : "fetch_max_bytes",
	                   .memory_max = c->build_memory_bytes,
	                   .disk_reserve = c->disk_reserve_bytes,
	                   .line = git_line,
	                   .ctx = &talk};
	char words[80];
	enum err e;
	int status;

	e = watch_run(&wt, &status, w);
	if (e || (WIFEXITED(status) && !WEXITSTATUS(status)))
		return e;
	if (talk.fatal[0])
		return err_set(w, ERR_IO, "%s", talk.fatal);
	proc_status_words(status, words, sizeof(words));
	return err_set(w, ERR_IO, "git %s%s%s", words, talk.last[0] ? ": " : "", talk.last);
}

enum err git_ask(struct git *g, const struct argv *a, struct buf *out, struct why *w)
{
	struct proc_spec spec = {.argv = argv_list(a),
	                         .env = argv_list(&g->env),
	                         .input_path = g->input,
	                         .timeout_ns = 120 * NS_PER_S,
	                         .out_only = true};

	return proc_run(&spec, out, w);
}

/* ---- what went wrong, in words */

static const struct blame {
	const char *pattern;
	enum fail_class fail;
	const char *sentence;
} blames[] = {
        {"Could not resolve host", FAIL_INFRA, "its host cannot be found"},
        {"Name or service not known", FAIL_INFRA, "its host cannot be found"},
        {"SSL certificate problem", FAIL_INFRA, "its host's certificate is not trusted"},
        {"certificate verification failed", FAIL_INFRA, "its host's certificate is not trusted"},
        {"Failed to connect", FAIL_INFRA, "its host does not answer"},
        {"Couldn't connect", FAIL_INFRA, "its host does not answer"},
        {"Connection refused", FAIL_INFRA, "its host does not answer"},
        {"onnection timed out", FAIL_INFRA, "its host does not answer"},
        {"Operation too slow", FAIL_INFRA, "the connection died"},
        {"No space left on device", FAIL_INFRA, "the agent's disk is full"},
        {"terminal prompts disabled", FAIL_BUILD,
         "it asks for a password: it is private, or does not exist"},
        {"could not read Username", FAIL_BUILD,
         "it asks for a password: it is private, or does not exist"},
        {"Authentication failed", FAIL_BUILD,
         "it asks for a password: it is private, or does not exist"},
        {"returned error: 403", FAIL_BUILD, "its host does not allow reading it"},
        {"returned error: 404", FAIL_BUILD, "there is no git tree at this address"},
        {"returned error: 410", FAIL_BUILD, "there is no git tree at this address"},
        {"does not appear to be a git repo", FAIL_BUILD, "there is no git tree at this address"},
        {"is this a git repository", FAIL_BUILD, "there is no git tree at this address"},
        {"' not found", FAIL_BUILD, "there is no git tree at this address"},
        {"unable to update url base", FAIL_BUILD,
         "its host sends to another address, which agents do not follow: ask for that one"},
        {"returned error: 30", FAIL_BUILD,
         "its host sends to another address, which agents do not follow: ask for that one"},
        {"transport '", FAIL_BUILD, "its protocol is not allowed"},
        {"not our ref", FAIL_BUILD, "it has no such commit"},
        {"unadvertised object", FAIL_BUILD, "it has no such commit among its branches and tags"},
        {"couldn't find remote ref", FAIL_BUILD, "it has no such ref"},
        {"fsck error", FAIL_BUILD, "an object in it is malformed"},
        {"exceeds maximum allowed", FAIL_BUILD, "it is too large"},
};

enum fail_class git_blame(const char *message, const char **sentence)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(blames); i++) {
		if (strstr(message, blames[i].pattern)) {
			*sentence = blames[i].sentence;
			return blames[i].fail;
		}
	}
	/* The connection broke off, the server had a fault, or something that
	 * nobody has seen yet: trying again is right. */
	*sentence = "the transfer failed";
	return FAIL_INFRA;
}

enum err git_blamed(struct git *g, enum err e, struct why *w)
{
	const char *sentence;
	char said[400];

	if (e == ERR_TOO_LARGE || e == ERR_DENIED)
		return failed(g, FAIL_BUILD, err_at(w, e, "tree \"%s\"", g->url));
	if (e != ERR_IO)
		return failed(g, FAIL_INFRA, err_at(w, e, "tree \"%s\"", g->url));
	snprintf(said, sizeof(said), "%.399s", w->text);
	g->fail = git_blame(said, &sentence);
	return err_set(w, g->fail == FAIL_BUILD ? ERR_UNPROCESSABLE : ERR_UNAVAILABLE,
	               "tree \"%s\": %s (%s)", g->url, sentence, said);
}

/* ---- which commit */

static bool listed(const char *listing, const char *name, char commit[41])
{
	const char *line = listing;

	while (*line) {
		size_t n = strcspn(line, "\n");

		if (n > 41 && line[40] == '\t' && strlen(name) == n - 41 &&
		    !strncmp(line + 41, name, n - 41)) {
			memcpy(commit, line, 40);
			commit[40] = '\0';
			return git_is_commit(commit);
		}
		line += n + (line[n] == '\n');
	}
	return false;
}

bool git_pick_ref(const char *listing, const char *ref, char commit[41])
{
	/* gitrevisions(7): the order in which a short name is looked up. */
	static const char *const places[] = {"%s", "refs/%s", "refs/tags/%s", "refs/heads/%s"};
	size_t i;
	bool found = false;

	for (i = 0; i < ARRAY_SIZE(places) && !found; i++) {
		char *peeled, *name;
		int keep = (int)strcspn(places[i], "%");

		name = xasprintf("%.*s%s", keep, places[i], ref);
		peeled = xasprintf("%s^{}", name);
		/* "^{}": what an annotated tag stands for. */
		found = listed(listing, peeled, commit) || listed(listing, name, commit);
		free(peeled);
		free(name);
	}
	return found;
}

enum err git_resolve(struct git *g, const char *ref, char commit[41], struct why *w)
{
	struct argv a = {0};
	struct buf out;
	enum err e;

	e = git_check_ref(ref, w);
	if (e)
		return failed(g, FAIL_BUILD, e);
	if (git_is_commit(ref)) {
		memcpy(commit, ref, 41);
		return OK;
	}
	step_progress(g->step, "resolve", 0, -1);
	buf_init(&out, LISTING_MAX);
	e = git_begin_remote(g, &a, w);
	argv_add(&a, "ls-remote", "--", g->url, ref, NULL);
	argv_addf(&a, "%s^{}", ref);
	if (!e) {
		struct proc_spec spec = {.argv = argv_list(&a),
		                         .env = argv_list(&g->env),
		                         .timeout_ns = 300 * NS_PER_S};

		e = proc_run(&spec, &out, w);
	}
	if (e == ERR_IO && out.len) {
		/* Both streams are in `out`; what git calls fatal says most. */
		const char *fatal = strstr(out.data, "fatal: ");

		if (fatal)
			err_set(w, e, "%.*s", (int)strcspn(fatal, "\n"), fatal);
	}
	if (e)
		e = git_blamed(g, e, w);
	else if (out.full)
		e = failed(g, FAIL_BUILD,
		           err_set(w, ERR_TOO_LARGE, "tree \"%s\": too many refs end in \"%s\"",
		                   g->url, ref));
	else if (!git_pick_ref(out.data, ref, commit))
		e = failed(g, FAIL_BUILD,
		           err_set(w, ERR_NOT_FOUND, "tree \"%s\" has no branch or tag \"%s\"",
		                   g->url, ref));
	argv_release(&a);
	buf_release(&out);
	return e;
}

/* ---- its words */

enum err git_describe(struct git *g, const char *commit, struct git_commit *d, struct why *w)
{
	struct argv a = {0};
	struct buf out, clean;
	char *subject;
	enum err e;

	*d = (struct git_commit){0};
	buf_init(&out, 1 << 20);
	buf_init(&clean, 4096);
	git_begin(g, &a);
	argv_add(&a, "log", "-1", "--no-show-signature", "--encoding=UTF-8", "--format=%at%n%s",
	         commit, "--", NULL);
	e = git_ask(g, &a, &out, w);
	if (!e) {
		d->author_time = strtoll(out.data, &subject, 10);
		subject += *subject == '\n';
		subject[strcspn(subject, "\n")] = '\0';
		utf8_scrub(&clean, subject, strnlen(subject, 1000));
		d->subject = buf_take(&clean, NULL);
	}
	argv_release(&a);
	buf_release(&out);
	buf_release(&clean);
	return e ? failed(g, FAIL_INFRA, e) : OK;
}

void git_commit_release(struct git_commit *d)
{
	free(d->subject);
	*d = (struct git_commit){0};
}

bool git_differs(struct git *g, const char *from, const char *to, bool (*matters)(const char *path))
{
	struct argv a = {0};
	struct buf out;
	const char *p;
	bool differs;

	if (str_eq(from, to))
		return false;
	if (!(git_has(g, from) || git_has_patch(g, from)) ||
	    !(git_has(g, to) || git_has_patch(g, to)))
		return true;
	buf_init(&out, LISTING_MAX);
	git_begin(g, &a);
	argv_add(&a, "diff-tree", "-r", "-z", "--name-only", "--no-renames", from, to, NULL);
	differs = git_ask(g, &a, &out, NULL) || out.full;
	for (p = out.data; !differs && p < out.data + out.len; p += strlen(p) + 1)
		differs = matters(p);
	argv_release(&a);
	buf_release(&out);
	return differs;
}
