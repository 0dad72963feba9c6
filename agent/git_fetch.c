/*
 * git_fetch.c - a commit and its files, brought into the mirror (git.h).
 */
#include "agent/git.h"

#include "agent/cache.h"
#include "agent/git_rules.h"
#include "lib/file.h"

#include <string.h>

static enum err failed(struct git *g, enum fail_class fail, enum err e)
{
	g->fail = fail;
	return e;
}

static bool has_ref(struct git *g, const char *where, const char *commit)
{
	struct argv a = {0};
	enum err e;

	git_begin(g, &a);
	argv_add(&a, "rev-parse", "--quiet", "--verify", NULL);
	argv_addf(&a, "refs/%s/%s^{commit}", where, commit);
	e = git_ask(g, &a, NULL, NULL);
	argv_release(&a);
	return e == OK;
}

bool git_has(struct git *g, const char *commit)
{
	return has_ref(g, "foldwatch", commit);
}

bool git_has_patch(struct git *g, const char *commit)
{
	return has_ref(g, "series", commit);
}

enum fetch_way { FETCH_COMMIT, FETCH_REF, FETCH_REF_WHOLE, FETCH_ALL };

static enum err fetch_once(struct git *g, enum fetch_way way, const char *commit, const char *ref,
                           struct why *w)
{
	struct argv a = {0};
	enum err e = git_begin_fetch(g, &a, w);

	if (way == FETCH_COMMIT || way == FETCH_REF)
		argv_add(&a, "--depth=1", NULL);
	argv_add(&a, "--", g->url, NULL);
	if (way == FETCH_COMMIT)
		argv_addf(&a, "+%s:refs/foldwatch/%s", commit, commit);
	else if (way == FETCH_ALL)
		argv_add(&a, "+refs/heads/*:refs/other/heads/*", "+refs/tags/*:refs/other/tags/*",
		         NULL);
	else
		argv_addf(&a, "+%s:refs/other/asked", ref);
	if (!e)
		e = git_run(g, &a, "fetch", w);
	argv_release(&a);
	return e;
}

/* Name the commit by its own ref, once one of the other ways brought it. */
static enum err keep(struct git *g, const char *commit, struct why *w)
{
	struct argv a = {0};
	enum err e;

	git_begin(g, &a);
	argv_add(&a, "update-ref", NULL);
	argv_addf(&a, "refs/foldwatch/%s", commit);
	argv_add(&a, commit, NULL);
	e = git_ask(g, &a, NULL, w);
	argv_release(&a);
	return e;
}

/* Servers without protocol version 2 give only what they list, and the oldest
 * kind of web server knows no --depth. */
static bool needs_other_way(const char *said)
{
	return strstr(said, "unadvertised object") || strstr(said, "does not support shallow");
}

static enum err fetch_some_way(struct git *g, const char *commit, const char *ref, struct why *w)
{
	bool named = ref && !git_is_commit(ref), whole;
	struct why first;
	enum err e;

	e = fetch_once(g, FETCH_COMMIT, commit, ref, w);
	/* "not our ref" is final: fetching all would bring the whole history of a
	 * tree that has lost the commit. */
	if (e != ERR_IO || !needs_other_way(w->text))
		return e;
	first = *w;
	whole = strstr(w->text, "shallow") != NULL;
	if (named) {
		e = fetch_once(g, whole ? FETCH_REF_WHOLE : FETCH_REF, commit, ref, w);
		if (!e && !keep(g, commit, w))
			return OK;
	}
	e = fetch_once(g, FETCH_ALL, commit, ref, w);
	if (!e && keep(g, commit, NULL)) {
		*w = first;
		return ERR_IO;
	}
	return e;
}

bool git_is_here(struct git *g, const char *commit)
{
	struct argv a = {0};
	bool is;

	git_begin(g, &a);
	argv_add(&a, "rev-parse", "--quiet", "--verify", NULL);
	argv_addf(&a, "%s^{tree}", commit);
	is = git_ask(g, &a, NULL, NULL) == OK;
	argv_release(&a);
	return is;
}

/* One that leads to a commit which was fetched from the tree, with its history, is here. */
static bool is_behind(struct git *g, const char *commit)
{
	struct argv a = {0};
	struct buf out;
	bool is;

	if (!git_is_here(g, commit))
		return false;
	buf_init(&out, 4096);
	git_begin(g, &a);
	argv_add(&a, "for-each-ref", "--count=1", "--contains", commit, "refs/foldwatch/", NULL);
	is = !git_ask(g, &a, &out, NULL) && out.len > 0;
	argv_release(&a);
	buf_release(&out);
	return is;
}

enum err git_fetch(struct git *g, const char *commit, const char *ref, struct why *w)
{
	uint64_t before = 0, after = 0;
	enum err e;

	if (!git_is_commit(commit))
		return failed(
		        g, FAIL_BUILD,
		        err_set(w, ERR_INPUT, "\"%.64s\" is no commit id of 40 digits", commit));
	if (ref && git_check_ref(ref, w))
		return failed(g, FAIL_BUILD, ERR_INPUT);
	if (git_has(g, commit) || (is_behind(g, commit) && keep(g, commit, NULL) == OK))
		return OK;
	step_progress(g->step, "fetch", 0, -1);
	dir_bytes(g->mirror, &before, NULL);
	e = cache_evict(g->step->conf->dir, (uint64_t)g->step->conf->disk_reserve_bytes, NULL, w);
	if (e)
		return failed(g, FAIL_INFRA, e);
	e = fetch_some_way(g, commit, ref, w);
	if (e) {
		struct why detail = *w;

		e = git_blamed(g, e, w);
		if (strstr(detail.text, "not our ref") || strstr(detail.text, "unadvertised"))
			err_set(w, e, "tree \"%s\" has no commit %s", g->url, commit);
		return e;
	}
	dir_bytes(g->mirror, &after, NULL);
	g->bytes_fetched += after > before ? (int64_t)(after - before) : 0;
	if (!git_has(g, commit))
		return failed(g, FAIL_BUILD,
		              err_set(w, ERR_UNPROCESSABLE, "tree \"%s\": %s is no commit", g->url,
		                      commit));
	return OK;
}
