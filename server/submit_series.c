/* submit_series.c - a submission's `series`, checked. */
#include "server/submit_priv.h"

#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "server/store_artifact.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MARKS_MAX 29 /* so that with base, tip and the tip's other configuration 32 are booted */
#define BYTES_MAX (INT64_C(64) << 20)

struct series_in {
	const char *tree, *base, *bundle, *patches, *toolchain;
	json_t *config, *tip_config, *marks;
	bool all;
	int64_t steps;
};

static const struct json_field series_fields[] = {
        {"tree", JSON_STR, offsetof(struct series_in, tree), JSON_MUST, 1, 1024, NULL},
        {"base", JSON_STR, offsetof(struct series_in, base), JSON_MUST, 1, 250, NULL},
        {"bundle", JSON_STR, offsetof(struct series_in, bundle), JSON_NULLOK, 64, 64, NULL},
        {"patches", JSON_STR, offsetof(struct series_in, patches), JSON_NULLOK, 64, 64, NULL},
        {"toolchain", JSON_STR, offsetof(struct series_in, toolchain), JSON_NULLOK, 1, 64, NULL},
        {"config", JSON_ANY, offsetof(struct series_in, config), JSON_NULLOK, 0, 0, NULL},
        {"tip_config", JSON_ANY, offsetof(struct series_in, tip_config), JSON_NULLOK, 0, 0, NULL},
        {"marks", JSON_OBJ, offsetof(struct series_in, marks), JSON_NULLOK, 0, 0, NULL},
        {"all", JSON_BOOL, offsetof(struct series_in, all), JSON_NULLOK, 0, 0, NULL},
        {"steps", JSON_INT, offsetof(struct series_in, steps), JSON_NULLOK, 0,
         SERIES_MEASURED_MAX - 1, NULL},
        {0},
};

static enum err check_artifact(struct checking *c, const char *sha256, const char *place,
                               struct why *w)
{
	int64_t bytes;
	enum err e;

	if (!hex_is(sha256, 64))
		return err_set(w, ERR_INPUT, "%s: expected 64 lower-case hex digits", place);
	e = artifact_find(c->db, sha256, &bytes, w);
	if (e == ERR_NOT_FOUND && c->who->dry) {
		submit_unseen(c, place);
		return OK;
	}
	if (e == ERR_NOT_FOUND)
		return err_set(w, ERR_UNPROCESSABLE, "%s: there is no artifact %s: upload it first",
		               place, sha256);
	if (e == OK && bytes > BYTES_MAX)
		return err_set(w, ERR_UNPROCESSABLE,
		               "%s: the artifact has %lld bytes: more than %lld are not taken",
		               place, (long long)bytes, (long long)BYTES_MAX);
	return e;
}

/* base, tip and p07 are names that the series gives itself. */
static bool is_own_name(const char *name)
{
	const char *p = name;

	if (str_eq(name, "base") || str_eq(name, "tip"))
		return true;
	if (*p++ != 'p' || !*p)
		return false;
	while (isdigit((unsigned char)*p))
		p++;
	return !*p;
}

static int by_position(const void *a, const void *b)
{
	const struct series_mark *x = a, *y = b;

	return (x->position > y->position) - (x->position < y->position);
}

static enum err check_marks(struct checking *c, json_t *marks, struct why *w)
{
	struct series *s = &c->out->series;
	const char *name;
	json_t *at;
	size_t i;

	json_object_foreach (marks, name, at) {
		int64_t position = json_is_integer(at) ? json_integer_value(at) : 0;

		if (!kernel_name_is_good(name) || strchr(name, '+') || strlen(name) > 32)
			return err_set(w, ERR_INPUT,
			               "series.marks: a mark is 1 to 32 of A-Z a-z 0-9 . _ -");
		if (is_own_name(name))
			return err_set(w, ERR_INPUT,
			               "series.marks.%s: base, tip and p1, p2, ... are names that "
			               "a series has already",
			               name);
		if (position < 1 || position > SERIES_PATCHES_MAX)
			return err_set(w, ERR_INPUT,
			               "series.marks.%s: expected the number of a patch, 1 to %d",
			               name, SERIES_PATCHES_MAX);
		if (s->marks == MARKS_MAX)
			return err_set(w, ERR_INPUT, "series.marks: more than %d", MARKS_MAX);
		*(struct series_mark *)pool_push(c->p, (void **)&s->mark, &s->marks,
		                                 sizeof(*s->mark)) =
		        (struct series_mark){.position = position, .name = pool_str(c->p, name)};
	}
	if (s->marks)
		qsort(s->mark, s->marks, sizeof(*s->mark), by_position);
	for (i = 1; i < s->marks; i++)
		if (s->mark[i].position == s->mark[i - 1].position)
			return err_set(w, ERR_INPUT,
			               "series.marks: \"%s\" and \"%s\" are at the same patch",
			               s->mark[i - 1].name, s->mark[i].name);
	return OK;
}

/* The base, which is the only kernel until the patches are known. */
static enum err add_base(struct checking *c, const struct series_in *in, struct why *w)
{
	struct wanted_kernel *k;

	k = pool_push(c->p, (void **)&c->out->kernel, &c->out->kernels, sizeof(*k));
	k->k = (struct sub_kernel){.name = "base",
	                           .tree = pool_str(c->p, in->tree),
	                           .ref = pool_str(c->p, in->base),
	                           .toolchain =
	                                   in->toolchain ? pool_str(c->p, in->toolchain) : "gcc",
	                           .kernel_id = NONE,
	                           .validates = NONE,
	                           .state = "new"};
	return submit_config(c, in->config, "series.config", k, w);
}

static enum err add_configs(struct checking *c, const struct series_in *in, bool validate,
                            struct why *w)
{
	const struct wanted_kernel *base = &c->out->kernel[0];
	struct series *s = &c->out->series;
	struct wanted_kernel tip = {0};
	char hex[SHA256_HEX];
	enum err e = OK;

	if (in->tip_config)
		e = submit_config(c, in->tip_config, "series.tip_config", &tip, w);
	if (e != OK)
		return e;
	if (in->tip_config && str_eq(tip.k.config_sha256, base->k.config_sha256))
		return err_set(w, ERR_INPUT, "series.tip_config: it is what all the others have");
	s->tip_config = tip.k.config_sha256;
	s->tip_config_name = tip.k.config_name;
	s->tip_config_whole = tip.k.config_whole;
	c->out->tip_text = tip.config_text;
	/* There is nothing that the checks could be added to. */
	if (!validate || base->k.config_whole)
		return OK;
	e = config_with(c->p, &c->sets, base->config_text, VALIDATE_SET, &c->out->check_text, w);
	if (e != OK)
		return err_at(w, e, "validate");
	hash_block(c->out->check_text, strlen(c->out->check_text), hex);
	s->check_config = pool_str(c->p, hex);
	s->check_config_name = pool_fmt(c->p, "%s+" VALIDATE_SET, base->k.config_name);
	return OK;
}

enum err submit_series(struct checking *c, json_t *o, bool validate, struct why *w)
{
	struct series *s = &c->out->series;
	struct series_in in = {.steps = NONE};
	enum err e = json_decode(o, "series", series_fields, &in, w);

	if (e != OK)
		return e;
	if (!in.bundle == !in.patches)
		return err_set(w, ERR_INPUT, "series: expected either a bundle or patches");
	if (in.toolchain && !word_is_good(in.toolchain))
		return err_set(w, ERR_INPUT,
		               "series.toolchain: expected 1 to 64 of A-Z a-z 0-9 . _ -");
	if (in.all && in.steps > 0)
		return err_set(w, ERR_INPUT,
		               "series.steps: with all every prefix is booted: there is nothing "
		               "to search");
	s->is = true;
	s->bundle = pool_str(c->p, in.bundle);
	s->patches = pool_str(c->p, in.patches);
	s->every = in.all;
	s->steps = in.steps;
	e = submit_tree(in.tree, in.base, "series", "base", w);
	if (e == OK)
		e = check_artifact(c, in.bundle ? in.bundle : in.patches,
		                   in.bundle ? "series.bundle" : "series.patches", w);
	if (e == OK && in.marks)
		e = check_marks(c, in.marks, w);
	if (e == OK)
		e = add_base(c, &in, w);
	return e == OK ? add_configs(c, &in, validate, w) : e;
}
