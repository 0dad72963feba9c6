/*
 * step_walk.c - job `walk`: the commits between two of a tree.
 */
#include "agent/git_walk.h"
#include "agent/step.h"
#include "lib/json.h"

#include <stddef.h>

struct walk_spec {
	const char *tree, *ref, *since;
	int64_t limit;
};

static const struct json_field fields[] = {
        {"tree", JSON_STR, offsetof(struct walk_spec, tree), JSON_MUST, 1, 4096, NULL},
        {"ref", JSON_STR, offsetof(struct walk_spec, ref), JSON_MUST, 1, 4096, NULL},
        {"since", JSON_STR, offsetof(struct walk_spec, since), JSON_NULLOK, 40, 40, NULL},
        {"limit", JSON_INT, offsetof(struct walk_spec, limit), JSON_NULLOK, 1, WALK_COMMITS_MAX,
         NULL},
        {0},
};

static json_t *show_walk(const struct git_walk *k)
{
	json_t *o = json_object(), *list = json_array();
	size_t i;

	for (i = 0; i < k->commits.count; i++) {
		const struct git_entry *x = &k->commits.at[i];
		json_t *c = json_object();

		json_put_str(c, "commit", x->commit);
		json_put_str(c, "source", x->source);
		json_put_str(c, "subject", x->subject);
		json_put_str(c, "author", x->author);
		json_put_int(c, "parents", x->parents);
		json_put_str(c, "patch_id", x->patch_id[0] ? x->patch_id : NULL);
		json_put_bool(c, "known", k->known[i]);
		json_put_bool(c, "mainline", k->mainline[i]);
		json_array_append_new(list, c);
	}
	json_put_str(o, "tip", k->tip);
	json_put_str(o, "base", k->base[0] ? k->base : NULL);
	json_put_bool(o, "linear", k->linear);
	json_put_int(o, "omitted", k->omitted);
	json_put(o, "commits", list);
	return o;
}

enum err step_walk(const struct step *s, struct step_outcome *out, struct why *w)
{
	struct walk_spec spec = {.limit = WALK_COMMITS_MAX};
	struct git_walk k = {0};
	struct git g;
	enum err e = json_decode((json_t *)s->spec, "spec", fields, &spec, w);

	if (e)
		return e;
	e = git_open(&g, s, spec.tree, w);
	if (!e)
		e = git_walk(&g, spec.ref, spec.since, (size_t)spec.limit, &k, w);
	if (!e) {
		out->body = show_walk(&k);
	} else {
		out->fail = g.fail;
		out->why = *w;
	}
	git_walk_release(&k);
	git_close(&g);
	return e ? OK : s->mark(s->mark_ctx, "fetched", w);
}
