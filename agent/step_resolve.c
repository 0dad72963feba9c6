/*
 * step_resolve.c - job `resolve`: a tree and a ref become a commit that is here.
 */
#include "agent/git.h"
#include "agent/step.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <stddef.h>

struct resolve_spec {
	const char *tree, *ref;
};

static const struct json_field fields[] = {
        {"tree", JSON_STR, offsetof(struct resolve_spec, tree), JSON_MUST, 1, 4096, NULL},
        {"ref", JSON_STR, offsetof(struct resolve_spec, ref), JSON_MUST, 1, 4096, NULL},
        {0},
};

static enum err resolve(struct git *g, const struct step *s, const struct resolve_spec *r,
                        struct step_outcome *out, struct why *w)
{
	struct git_commit d = {0};
	char commit[41];
	enum err e;

	e = git_open(g, s, r->tree, w);
	if (!e)
		e = git_resolve(g, r->ref, commit, w);
	if (!e)
		e = git_fetch(g, commit, r->ref, w);
	if (!e)
		e = git_describe(g, commit, &d, w);
	if (!e) {
		out->body = json_object();
		json_put_str(out->body, "commit", commit);
		json_put_str(out->body, "subject", d.subject);
		json_put_int(out->body, "author_time", d.author_time);
		json_put_int(out->body, "bytes_fetched", g->bytes_fetched);
	}
	git_commit_release(&d);
	return e;
}

enum err step_resolve(const struct step *s, struct step_outcome *out, struct why *w)
{
	struct resolve_spec r = {0};
	struct git g;
	enum err e;

	e = json_decode((json_t *)s->spec, "spec", fields, &r, w);
	if (e)
		return e;
	e = resolve(&g, s, &r, out, w);
	if (e) {
		out->fail = g.fail;
		out->why = *w;
	}
	git_close(&g);
	return e ? OK : s->mark(s->mark_ctx, "fetched", w);
}
