/* walk_json.c - what an agent says of a walk, checked. */
#include "server/walk_json.h"

#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

/* More than any branch has; a track's positions grow by it. */
#define OMITTED_MAX 1000000000

struct walk_in {
	const char *tip, *base;
	bool linear;
	int64_t omitted;
	json_t *commits;
};

static const struct json_field walk_fields[] = {
        {"tip", JSON_STR, offsetof(struct walk_in, tip), JSON_MUST, 40, 40, NULL},
        {"base", JSON_STR, offsetof(struct walk_in, base), JSON_NULLOK, 40, 40, NULL},
        {"linear", JSON_BOOL, offsetof(struct walk_in, linear), JSON_MUST, 0, 0, NULL},
        {"omitted", JSON_INT, offsetof(struct walk_in, omitted), JSON_NULLOK, 0, OMITTED_MAX, NULL},
        {"commits", JSON_ARR, offsetof(struct walk_in, commits), JSON_MUST, 0, WALK_COMMITS_MAX,
         NULL},
        {0},
};

static const struct json_field commit_fields[] = {
        {"commit", JSON_STR, offsetof(struct walk_commit, commit), JSON_MUST, 40, 40, NULL},
        {"source", JSON_STR, offsetof(struct walk_commit, source), JSON_MUST, 40, 40, NULL},
        {"subject", JSON_STR, offsetof(struct walk_commit, subject), JSON_MUST | JSON_TEXT, 0, 4000,
         NULL},
        {"author", JSON_STR, offsetof(struct walk_commit, author), JSON_MUST | JSON_TEXT, 0, 4000,
         NULL},
        {"parents", JSON_INT, offsetof(struct walk_commit, parents), JSON_MUST, 0, 1000, NULL},
        {"patch_id", JSON_STR, offsetof(struct walk_commit, patch_id), JSON_NULLOK, 40, 40, NULL},
        {"known", JSON_BOOL, offsetof(struct walk_commit, known), JSON_MUST, 0, 0, NULL},
        {"mainline", JSON_BOOL, offsetof(struct walk_commit, mainline), JSON_MUST, 0, 0, NULL},
        {0},
};

static enum err need_id(const char *id, const char *place, const char *field, struct why *w)
{
	return !id || hex_is(id, 40)
	               ? OK
	               : err_set(w, ERR_UNPROCESSABLE, "%s.%s: expected 40 lower-case hex digits",
	                         place, field);
}

static enum err read_commit(struct pool *p, json_t *o, const char *place, struct walk_commit *c,
                            struct why *w)
{
	enum err e = json_decode(o, place, commit_fields, c, w);

	if (e == OK)
		e = need_id(c->commit, place, "commit", w);
	if (e == OK)
		e = need_id(c->source, place, "source", w);
	if (e == OK)
		e = need_id(c->patch_id, place, "patch_id", w);
	if (e != OK)
		return e;
	c->commit = pool_str(p, c->commit);
	c->source = pool_str(p, c->source);
	c->subject = pool_str(p, c->subject);
	c->author = pool_str(p, c->author);
	c->patch_id = pool_str(p, c->patch_id);
	return OK;
}

static enum err read_commits(struct pool *p, json_t *list, struct walk *k, struct why *w)
{
	size_t i;
	enum err e = OK;

	k->commit = NULL;
	k->count = 0;
	for (i = 0; e == OK && i < json_array_size(list); i++) {
		struct walk_commit *c =
		        pool_push(p, (void **)&k->commit, &k->count, sizeof(*k->commit));
		char place[40];

		*c = (struct walk_commit){0};
		snprintf(place, sizeof(place), "walk.commits[%zu]", i);
		e = read_commit(p, json_array_get(list, i), place, c, w);
	}
	return e;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum err check_twice(const struct walk *k, struct why *w)
{
	const char **id = xcalloc(k->count + 1, sizeof(*id));
	size_t i;
	enum err e = OK;

	for (i = 0; i < k->count; i++)
		id[i] = k->commit[i].commit;
	qsort(id, k->count, sizeof(*id), by_id);
	for (i = 1; e == OK && i < k->count; i++)
		if (strcmp(id[i - 1], id[i]) == 0)
			e = err_set(w, ERR_UNPROCESSABLE, "walk.commits: %s stands there twice",
			            id[i]);
	free(id);
	return e;
}

static enum err check_ends(const struct walk *k, struct why *w)
{
	if (k->linear != (k->since && str_eq(k->base, k->since)))
		return err_set(w, ERR_UNPROCESSABLE,
		               "walk.linear: it is true where the base is what the walk begins "
		               "behind, and else false");
	if (!k->since && (k->base || k->count != 1 || k->omitted))
		return err_set(w, ERR_UNPROCESSABLE,
		               "walk: the tip alone was asked for: one commit, no base");
	if (!k->count && !str_eq(k->tip, k->base))
		return err_set(w, ERR_UNPROCESSABLE,
		               "walk.commits: empty, and the tip is not the base");
	if (k->count && !str_eq(k->commit[k->count - 1].commit, k->tip))
		return err_set(w, ERR_UNPROCESSABLE, "walk.commits[%zu]: the last is not the tip",
		               k->count - 1);
	if (k->omitted && k->count < WALK_COMMITS_MAX)
		return err_set(w, ERR_UNPROCESSABLE,
		               "walk.omitted: %lld, and there are fewer than %d commits",
		               (long long)k->omitted, WALK_COMMITS_MAX);
	return check_twice(k, w);
}

enum err walk_read(struct pool *p, json_t *o, struct walk *k, struct why *w)
{
	struct walk_in in = {0};
	enum err e = json_decode(o, "walk", walk_fields, &in, w);

	if (e == OK)
		e = need_id(in.tip, "walk", "tip", w);
	if (e == OK)
		e = need_id(in.base, "walk", "base", w);
	if (e == OK)
		e = read_commits(p, in.commits, k, w);
	if (e != OK)
		return e;
	k->tip = pool_str(p, in.tip);
	k->base = pool_str(p, in.base);
	k->linear = in.linear;
	k->omitted = in.omitted;
	return check_ends(k, w);
}
