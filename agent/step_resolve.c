/*
 * step_resolve.c - job `resolve`: a tree and a ref become a commit that is here (or
 * the merge base of that and of `base_of`), and a series on it the commits of its
 * patches.
 */
#include "agent/git.h"
#include "agent/series.h"
#include "agent/series_am.h"
#include "agent/step.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct resolve_spec {
	const char *tree, *ref, *base_of;
	json_t *series;
};

struct series_spec {
	const char *bundle, *patches; /* artifacts: commits, or mails */
};

static const struct json_field fields[] = {
        {"tree", JSON_STR, offsetof(struct resolve_spec, tree), JSON_MUST, 1, 4096, NULL},
        {"ref", JSON_STR, offsetof(struct resolve_spec, ref), JSON_MUST, 1, 4096, NULL},
        {"base_of", JSON_STR, offsetof(struct resolve_spec, base_of), JSON_NULLOK, 40, 40, NULL},
        {"series", JSON_OBJ, offsetof(struct resolve_spec, series), JSON_NULLOK, 0, 0, NULL},
        {0},
};

static const struct json_field series_fields[] = {
        {"bundle", JSON_STR, offsetof(struct series_spec, bundle), JSON_NULLOK, 64, 64, NULL},
        {"patches", JSON_STR, offsetof(struct series_spec, patches), JSON_NULLOK, 64, 64, NULL},
        {0},
};

static json_t *show_patches(const struct series *s)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < s->count; i++) {
		const struct git_entry *p = &s->at[i];
		json_t *o = json_object(), *persons = json_array();

		json_put_str(o, "commit", p->commit);
		json_put_str(o, "source", p->source);
		json_put_str(o, "subject", p->subject);
		json_put_str(o, "author", p->author);
		json_put_str(o, "patch_id", p->patch_id[0] ? p->patch_id : NULL);
		for (size_t k = 0; k < p->persons.count; k++)
			json_array_append_new(persons, json_string(p->persons.items[k]));
		json_put(o, "persons", persons);
		json_array_append_new(list, o);
	}
	return list;
}

static enum err resolve_series(struct git *g, const struct series_spec *spec, const char *base,
                               struct step_outcome *out, struct why *w)
{
	const char *artifact = spec->bundle ? spec->bundle : spec->patches;
	struct series s = {0};
	char *path = NULL, *made = NULL;
	enum err e = series_artifact(g, artifact, &path, w);

	if (!e && !spec->bundle) {
		e = series_am(g, path, base, &made, w);
		if (!e && step_artifact_add(out, made, w)) {
			g->fail = FAIL_INFRA;
			e = ERR_IO;
		}
	}
	if (!e)
		e = series_bundle(g, made ? made : path, base, &s, w);
	if (!e)
		json_put(out->body, "patches", show_patches(&s));
	/* Whoever builds takes the commits, and applies nothing. */
	if (!e && made)
		json_put_str(out->body, "bundle", out->artifact[0].sha256);
	series_release(&s);
	free(path);
	free(made);
	return e;
}

static enum err resolve(struct git *g, const struct step *s, const struct resolve_spec *r,
                        const struct series_spec *series, struct step_outcome *out, struct why *w)
{
	struct git_commit d = {0};
	char commit[41];
	enum err e;

	e = git_open(g, s, r->tree, w);
	if (!e)
		e = git_resolve(g, r->ref, commit, w);
	if (!e && r->base_of) {
		const char *const of[2] = {r->base_of, commit};
		char base[41];

		e = git_merge_base(g, of, base, w);
		if (!e)
			memcpy(commit, base, sizeof(base));
	}
	if (!e) {
		e = git_fetch(g, commit, r->base_of ? NULL : r->ref, w);
		if (r->series)
			e = err_at(w, e, "the base of the series");
	}
	if (!e)
		e = git_describe(g, commit, &d, w);
	if (!e) {
		out->body = json_object();
		json_put_str(out->body, "commit", commit);
		json_put_str(out->body, "subject", d.subject);
		json_put_int(out->body, "author_time", d.author_time);
		json_put_int(out->body, "bytes_fetched", g->bytes_fetched);
	}
	if (!e && r->series)
		e = resolve_series(g, series, commit, out, w);
	git_commit_release(&d);
	return e;
}

enum err step_resolve(const struct step *s, struct step_outcome *out, struct why *w)
{
	struct resolve_spec r = {0};
	struct series_spec series = {0};
	struct git g;
	enum err e;

	e = json_decode((json_t *)s->spec, "spec", fields, &r, w);
	if (!e && r.series)
		e = json_decode(r.series, "spec.series", series_fields, &series, w);
	if (!e && r.series && !series.bundle == !series.patches)
		e = err_set(w, ERR_INPUT, "spec.series: expected either a bundle or patches");
	if (e)
		return e;
	e = resolve(&g, s, &r, &series, out, w);
	if (e) {
		out->fail = g.fail;
		out->why = *w;
	}
	git_close(&g);
	return e ? OK : s->mark(s->mark_ctx, "fetched", w);
}
