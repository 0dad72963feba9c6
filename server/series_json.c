/* series_json.c - see series_json.h. */
#include "server/series_json.h"

#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mailbox.h"
#include "lib/mem.h"
#include "server/search_json.h"

struct patch_in {
	const char *commit, *source, *subject, *author, *patch_id;
	json_t *persons;
};

static const struct json_field patch_fields[] = {
        {"commit", JSON_STR, offsetof(struct patch_in, commit), JSON_MUST, 40, 40, NULL},
        {"source", JSON_STR, offsetof(struct patch_in, source), JSON_NULLOK, 40, 40, NULL},
        {"subject", JSON_STR, offsetof(struct patch_in, subject), JSON_MUST | JSON_TEXT, 0, 4000,
         NULL},
        {"author", JSON_STR, offsetof(struct patch_in, author), JSON_MUST | JSON_TEXT, 0, 4000,
         NULL},
        {"patch_id", JSON_STR, offsetof(struct patch_in, patch_id), JSON_NULLOK, 40, 40, NULL},
        {"persons", JSON_ARR, offsetof(struct patch_in, persons), JSON_NULLOK, 0,
         SERIES_PERSONS_MAX, NULL},
        {0},
};

static enum err read_persons(struct pool *p, const json_t *list, const char *place,
                             struct series_patch *out, struct why *w)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		const char *address = json_string_value(one);

		if (!address || !mailbox_is_plain(address))
			return err_set(w, ERR_INPUT,
			               "%s.persons[%zu]: expected a plain address, x@example.org",
			               place, i);
		*(const char **)pool_push(p, (void **)&out->person, &out->persons,
		                          sizeof(*out->person)) = pool_str(p, address);
	}
	return OK;
}

enum err series_read_patches(struct pool *p, json_t *list, struct series *out, struct why *w)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		const char *place = pool_fmt(p, "resolve.patches[%zu]", i);
		struct patch_in in = {0};
		struct series_patch *patch;
		enum err e = json_decode(json_array_get(list, i), place, patch_fields, &in, w);

		if (e != OK)
			return e;
		if (!hex_is(in.commit, 40) || (in.patch_id && !hex_is(in.patch_id, 40)) ||
		    (in.source && !hex_is(in.source, 40)))
			return err_set(w, ERR_INPUT,
			               "%s: commit, source and patch_id have 40 lower-case hex "
			               "digits",
			               place);
		patch = pool_push(p, (void **)&out->patch, &out->count, sizeof(*out->patch));
		*patch = (struct series_patch){.commit = pool_str(p, in.commit),
		                               .source = pool_str(p, in.source),
		                               .subject = pool_str(p, in.subject),
		                               .author = pool_str(p, in.author),
		                               .patch_id = pool_str(p, in.patch_id)};
		e = read_persons(p, in.persons, place, patch, w);
		if (e != OK)
			return e;
	}
	return OK;
}

/* The kernel with so many patches: the first of the list. */
static const struct sub_kernel *with(const struct sub_kernels *k, int64_t patches)
{
	size_t i;

	for (i = 0; i < k->count; i++)
		if (k->at[i].patches == patches)
			return &k->at[i];
	return NULL;
}

static json_t *show_patch(const struct series *s, size_t i, const struct sub_kernels *measured,
                          const struct sub_kernels *built)
{
	const struct sub_kernel *k = with(measured, (int64_t)i + 1);
	json_t *o = json_object();

	if (!k)
		k = with(built, (int64_t)i + 1);
	json_put_int(o, "position", (int64_t)i + 1);
	json_put_str(o, "commit", s->patch[i].commit);
	json_put_str(o, "subject", s->patch[i].subject);
	json_put_str(o, "author", s->patch[i].author);
	json_put_str(o, "patch_id", s->patch[i].patch_id);
	json_put_str(o, "kernel", k ? k->name : NULL);
	/* A build that another submission asked for ends after this one, perhaps. */
	json_put_str(o, "state",
	             !k                                 ? NULL
	             : k->built_only && k->kernel_state ? k->kernel_state
	                                                : k->state);
	json_put_str(o, "why", k ? k->why : NULL);
	json_put_bool(o, "booted", k && !k->built_only);
	if (s->patch[i].earlier == NONE) {
		json_put(o, "earlier", NULL);
	} else {
		json_t *e = json_object();

		json_put_int(e, "submission", s->patch[i].earlier);
		json_put_int(e, "position", s->patch[i].earlier_position);
		json_put(o, "earlier", e);
	}
	return o;
}

static json_t *show_change(const struct series_change *c)
{
	json_t *o = json_object();

	json_put_str(o, "kernel", c->kernel);
	json_put_str(o, "board", c->board);
	json_put_str(o, "case", c->case_text);
	json_put_str(o, "metric", c->metric);
	json_put_int(o, "submission", c->earlier);
	json_put_str(o, "was", c->was);
	json_put_str(o, "is", c->is);
	return o;
}

enum err series_show(struct db *db, struct pool *p, const struct sub *sub,
                     const struct sub_kernels *measured, json_t **out, struct why *w)
{
	struct sub_kernels built = {0};
	struct series s;
	struct series_changes changes = {0};
	json_t *o, *marks, *patches, *list, *search = NULL;
	size_t i;
	enum err e = store_series_get(db, sub->id, p, &s, w);

	*out = NULL;
	if (e == OK && s.is)
		e = store_sub_built_only(db, sub->id, p, &built, w);
	if (e == OK && s.is)
		e = store_series_changes(db, sub->id, p, &changes, w);
	if (e == OK && s.is)
		e = search_show(db, p, sub, &s, measured, &built, &search, w);
	if (e != OK || !s.is)
		return e;
	o = json_object();
	marks = json_array();
	patches = json_array();
	for (i = 0; i < s.marks; i++) {
		json_t *m = json_object();

		json_put_str(m, "name", s.mark[i].name);
		json_put_int(m, "position", s.mark[i].position);
		json_array_append_new(marks, m);
	}
	for (i = 0; i < s.count; i++)
		json_array_append_new(patches, show_patch(&s, i, measured, &built));
	list = json_array();
	for (i = 0; i < changes.count; i++)
		json_array_append_new(list, show_change(&changes.at[i]));
	json_put(o, "changes", list);
	json_put_str(o, "bundle", s.bundle);
	json_put_str(o, "mails", s.patches);
	json_put_bool(o, "all", s.every);
	json_put_str(o, "tip_config", s.tip_config_name);
	json_put(o, "marks", marks);
	json_put(o, "patches", patches);
	json_put(o, "search", search);
	*out = o;
	return OK;
}
