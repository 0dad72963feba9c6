#include "server/test/bisect_bed.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "server/store_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PATIENCE_NS (30 * NS_PER_S)

struct branch branch;

void branch_of(int commits, int culprit)
{
	branch = (struct branch){.commits = commits, .culprit = culprit, .size = .02};
}

const char *branch_commit(int i)
{
	static char text[16][65];
	static unsigned int turn;
	char *out = text[turn++ % ARRAY_SIZE(text)];
	char what[64];

	snprintf(what, sizeof(what), "commit %d of the branch", i);
	hash_block(what, strlen(what), out);
	out[40] = '\0';
	return out;
}

const char *branch_name(int i)
{
	char *out = (char *)branch_commit(i);

	out[12] = '\0';
	return out;
}

/* -1: another kernel. */
static int index_of(const char *name)
{
	for (int i = 0; i <= branch.commits; i++)
		if (strcmp(branch_name(i), name) == 0)
			return i;
	return -1;
}

double branch_effect(const char *name)
{
	int i = index_of(name);

	if (i < branch.culprit)
		return 0;
	return branch.second && i < branch.second ? branch.size / 2 : branch.size;
}

bool branch_bad(const char *name)
{
	return index_of(name) >= branch.culprit;
}

const char *branch_binary(const char *name)
{
	return branch.same && index_of(name) == branch.same ? branch_name(branch.same_as) : name;
}

int64_t branch_measured(struct fake *f, const char *boards, const char *more)
{
	char *body =
	        xasprintf("{\"title\":\"t\",\"kernels\":[{\"name\":\"%s\",\"tree\":\"" BRANCH_TREE
	                  "\",\"ref\":\"%s\"},{\"name\":\"%s\",\"tree\":\"" BRANCH_TREE
	                  "\",\"ref\":\"%s\"}],\"boards\":[%s],\"cases\":[" BRANCH_CASES "]%s}",
	                  branch_name(0), branch_commit(0), branch_name(branch.commits),
	                  branch_commit(branch.commits), boards, more);
	int64_t sub = fake_submit(f, body), until = clock_mono_ns() + PATIENCE_NS;
	char path[64];

	free(body);
	snprintf(path, sizeof(path), "/api/v1/submissions/%lld", (long long)sub);
	for (bool done = false; !done;) {
		json_t *o;

		fake_work(f);
		o = fake_get(f, path);
		done = json_is_string(at(o, "ended"));
		json_decref(o);
		if (clock_mono_ns() > until)
			fail_msg("submission %lld does not end", (long long)sub);
		sleep_ms(5);
	}
	return sub;
}

/* ---- what a walk or a track would have stored */

struct filling {
	int64_t walk, sub;
};

static void fill(struct walk *k, struct walk_commit *c)
{
	static char subject[128][32];

	*k = (struct walk){.id = k->id,
	                   .tip = xstrdup(branch_commit(branch.commits)),
	                   .base = xstrdup(branch_commit(0)),
	                   .linear = true,
	                   .commit = c,
	                   .count = (size_t)branch.commits};
	for (int i = 1; i <= branch.commits; i++) {
		char *id = xstrdup(branch_commit(i));

		snprintf(subject[i], sizeof(subject[i]), "mm: commit %d", i);
		c[i - 1] = (struct walk_commit){.commit = id,
		                                .source = id,
		                                .subject = subject[i],
		                                .author = "A. Author <a@example.org>",
		                                .parents = 1,
		                                .patch_id = id,
		                                .known = branch.rebased && i != 3 &&
		                                         i != branch.culprit};
	}
}

static void empty(struct walk *k)
{
	free((char *)k->tip);
	free((char *)k->base);
	for (size_t i = 0; i < k->count; i++)
		free((char *)k->commit[i].commit);
}

static enum err add_point(struct db *db, int64_t track, int64_t walk, int i, int64_t position,
                          int64_t sub, struct why *w)
{
	struct db_stmt *q = db_prepare(
	        db, "INSERT INTO track_point (track_id, position, commit_id, kind, walk_id,"
	            " walk_position, rebased, submission_id, seen_ms)"
	            " VALUES (?1, ?2, ?3, 'tip', ?4, ?5, ?7, ?6, 0)");

	db_bind_int(q, 1, track);
	db_bind_int(q, 2, position);
	db_bind_text(q, 3, branch_commit(i));
	db_bind_int(q, 4, walk);
	db_bind_int(q, 5, i ? i : 1);
	bind_opt(q, 6, sub);
	db_bind_int(q, 7, branch.rebased && i);
	return db_run(q, w);
}

static enum err add_walk(struct db *db, const char *since, int64_t *id, struct why *w)
{
	return store_walk_add(
	        db,
	        &(struct walk){
	                .submitter = "s", .tree = BRANCH_TREE, .ref = "main", .since = since},
	        0, id, w);
}

static enum err follow(struct db *db, void *arg, struct why *w)
{
	struct filling *x = arg;
	struct walk_commit c[128];
	struct walk k = {0};
	struct db_stmt *q;
	int64_t first, track;
	enum err e = add_walk(db, NULL, &first, w);

	if (e == OK)
		e = store_walk_done(db,
		                    &(struct walk){.id = first,
		                                   .tip = branch_commit(0),
		                                   .base = branch_commit(0),
		                                   .linear = true},
		                    0, w);
	if (e == OK)
		e = add_walk(db, branch_commit(branch.walked ? branch.point : 0), &k.id, w);
	fill(&k, c);
	if (e == OK)
		e = store_walk_done(db, &k, 0, w);
	q = db_prepare(db, "INSERT INTO track (tree, branch, every_ms, mode, request, config,"
	                   " submitter, admin, state, next_ms, wake_ms, created_ms,"
	                   " changed_ms) VALUES (?1, ?2, 60000, 'tips', '{}', '\"virt\"', 's', 0,"
	                   " 'active', 9000000000000, 9000000000000, 0, 0)"
	                   " RETURNING id");
	db_bind_text(q, 1, BRANCH_TREE);
	db_bind_text(q, 2, branch_name(branch.commits));
	if (e == OK)
		e = db_run_int(q, &track, w);
	else
		db_done(q);
	if (e == OK)
		e = add_point(db, track, first, 0, 1, NONE, w);
	if (e == OK && branch.point)
		e = add_point(db, track, branch.walked ? first : k.id, branch.point,
		              1 + branch.point, NONE, w);
	if (e == OK)
		e = add_point(db, track, k.id, branch.commits, 1 + branch.commits, x->sub, w);
	empty(&k);
	return e;
}

static enum err walked(struct db *db, void *arg, struct why *w)
{
	struct walk_commit c[128];
	struct walk k = {0};
	enum err e = db_run_int(db_prepare(db, "SELECT max(id) FROM walk WHERE state = 'asked'"),
	                        &k.id, w);

	(void)arg;
	fill(&k, c);
	if (e == OK)
		e = store_walk_done(db, &k, 0, w);
	empty(&k);
	return e;
}

static void offline(struct fake *f, db_write_fn *fn, void *arg)
{
	char *path = path_join(f->d->dir, "state/foldwatch.db");
	struct db_store *store;
	struct why w;

	daemon_stop(f->d);
	if (db_open(path, 1, &store, &w) != OK || db_write(store, fn, arg, &w) != OK)
		fail_msg("%s", w.text);
	db_close(store);
	free(path);
	daemon_start(f->d);
}

void branch_follow(struct fake *f, int64_t sub)
{
	offline(f, follow, &(struct filling){.sub = sub});
}

void branch_walked(struct fake *f)
{
	offline(f, walked, NULL);
}

/* ---- waiting */

json_t *alert_now(struct fake *f, int64_t alert)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/alerts/%lld", (long long)alert);
	return fake_get(f, path);
}

json_t *alert_told(struct fake *f, int64_t alert, const char *words)
{
	int64_t until = clock_mono_ns() + PATIENCE_NS;

	for (;;) {
		json_t *o, *s;
		size_t i;

		fake_work(f);
		o = alert_now(f, alert);
		json_array_foreach (at(o, "steps"), i, s) {
			if (strstr(json_str(s, "why", ""), words))
				return o;
		}
		if (clock_mono_ns() > until) {
			char *text = json_dumps(o, JSON_INDENT(1));

			fail_msg("no step says \"%s\":\n%s", words, text);
		}
		json_decref(o);
		sleep_ms(5);
	}
}

json_t *bisected(struct fake *f, int64_t alert, const char *state)
{
	int64_t until = clock_mono_ns() + PATIENCE_NS;
	char path[64];

	snprintf(path, sizeof(path), "/api/v1/alerts/%lld/bisection", (long long)alert);
	for (;;) {
		json_t *o = NULL;
		int status = ask_json(f->d, "GET", path, NULL, NULL, &o);

		if (status == 200 && strcmp(str_at(o, "state"), state) == 0)
			return o;
		if (clock_mono_ns() > until || (status == 200 && !json_is_null(at(o, "ended")))) {
			json_t *a = alert_now(f, alert);
			char *text = json_dumps(o, JSON_INDENT(1));
			char *story = json_dumps(at(a, "steps"), JSON_INDENT(1));

			fail_msg("not %s:\n%s\n%s", state, text, story);
		}
		json_decref(o);
		fake_work(f);
		sleep_ms(5);
	}
}
