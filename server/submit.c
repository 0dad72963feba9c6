/* submit.c - a submission as a whole, and its kernels, checked. */
#include "server/submit.h"

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/image.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "server/schedule.h"
#include "server/store_artifact.h"
#include "server/submit_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- kernels */

struct kernel_in {
	const char *name, *tree, *ref, *toolchain, *image, *base_of, *onto;
	json_t *config;
};

static const struct json_field kernel_fields[] = {
        {"name", JSON_STR, offsetof(struct kernel_in, name), JSON_MUST, 1, 64, NULL},
        {"tree", JSON_STR, offsetof(struct kernel_in, tree), JSON_NULLOK, 1, 1024, NULL},
        {"ref", JSON_STR, offsetof(struct kernel_in, ref), JSON_NULLOK, 1, 250, NULL},
        {"config", JSON_ANY, offsetof(struct kernel_in, config), JSON_NULLOK, 0, 0, NULL},
        {"toolchain", JSON_STR, offsetof(struct kernel_in, toolchain), JSON_NULLOK, 1, 64, NULL},
        {"base_of", JSON_STR, offsetof(struct kernel_in, base_of), JSON_NULLOK, 1, 64, NULL},
        {"onto", JSON_STR, offsetof(struct kernel_in, onto), JSON_NULLOK, 1, 250, NULL},
        {"image", JSON_STR, offsetof(struct kernel_in, image), JSON_NULLOK, 64, 64, NULL},
        {0},
};

struct config_in {
	const char *text, *name, *sha256;
};

static const struct json_field config_fields[] = {
        {"text", JSON_STR, offsetof(struct config_in, text), JSON_NULLOK | JSON_TEXT, 1,
         CONFIG_TEXT_MAX, NULL},
        {"sha256", JSON_STR, offsetof(struct config_in, sha256), JSON_NULLOK, 64, 64, NULL},
        {"name", JSON_STR, offsetof(struct config_in, name), JSON_NULLOK, 1, 128, NULL},
        {0},
};

/* Lines over the base, a whole .config, or what an earlier submission was made with, to
 * the letter, however the sets have changed since. */
static enum err given_config(struct checking *c, json_t *config, const char *place,
                             struct wanted_kernel *k, struct why *w)
{
	struct config_in in = {0};
	enum err e = json_decode(config, place, config_fields, &in, w);

	if (e != OK)
		return e;
	if (!in.text && !in.sha256)
		return err_set(w, ERR_INPUT, "%s.text: missing (or a sha256)", place);
	if (in.text && in.sha256)
		return err_set(w, ERR_INPUT, "%s.sha256: excludes text", place);
	k->k.config_name = in.name ? pool_str(c->p, in.name) : "custom";
	if (in.text) {
		e = config_custom(c->p, &c->sets, in.text, &k->config_text, &k->k.config_whole, w);
		return err_at(w, e, "%s", place);
	}
	e = hex_is(in.sha256, 64) ? store_config_get(c->db, in.sha256, c->p, &k->config_text, w)
	                          : ERR_NOT_FOUND;
	if (e == ERR_NOT_FOUND)
		return err_set(w, ERR_UNPROCESSABLE, "%s.sha256: no submission had such a config",
		               place);
	k->k.config_whole = e == OK && config_is_whole(k->config_text);
	return e;
}

enum err submit_config(struct checking *c, json_t *config, const char *place,
                       struct wanted_kernel *k, struct why *w)
{
	char hex[SHA256_HEX];
	enum err e = OK;

	if (!c->sets_loaded)
		e = config_sets_load(c->p, c->who->srv->conf.kernel_dir, &c->sets, w);
	c->sets_loaded = e == OK;
	if (e != OK)
		return err_at(w, e, "%s", place);
	if (!config || json_is_null(config) || json_is_string(config)) {
		const char *name = json_is_string(config) ? json_string_value(config) : CONFIG_BASE;

		if (strlen(name) > 256 || utf8_has_control(name, strlen(name), false))
			return err_set(w, ERR_INPUT, "%s: expected names of config sets", place);
		k->k.config_name = pool_str(c->p, name);
		e = config_text(c->p, &c->sets, name, &k->config_text, w);
	} else if (json_is_object(config)) {
		e = given_config(c, config, place, k, w);
		if (e != OK)
			return e;
	} else {
		return err_set(w, ERR_INPUT, "%s: expected a string or an object", place);
	}
	if (e != OK)
		return err_at(w, e, "%s", place);
	hash_block(k->config_text, strlen(k->config_text), hex);
	k->k.config_sha256 = pool_str(c->p, hex);
	return OK;
}

static const char *join_build_ids(struct pool *p, const struct image *img)
{
	const char *ids = "";
	size_t i;

	for (i = 0; i < img->build_id_count; i++)
		ids = pool_fmt(p, "%s%s%s", ids, i ? " " : "", img->build_id[i]);
	return ids;
}

void submit_unseen(struct checking *c, const char *place)
{
	*(const char **)pool_push(c->p, (void **)&c->out->unseen.at, &c->out->unseen.count,
	                          sizeof(*c->out->unseen.at)) =
	        pool_fmt(c->p, "%s: it is not uploaded yet, so nobody looked into it", place);
}

static enum err check_image(struct checking *c, const char *sha256, const char *place,
                            struct wanted_kernel *k, struct why *w)
{
	struct image img;
	struct kernel *x = &k->image;
	char domain[17], *path, *release;
	int64_t bytes;
	enum err e;

	if (!hex_is(sha256, 64))
		return err_set(w, ERR_INPUT, "%s: expected 64 lower-case hex digits", place);
	schedule_image_key(sha256, k->key);
	k->k.image = pool_str(c->p, sha256);
	k->k.state = "ready";
	e = artifact_find(c->db, sha256, &bytes, w);
	if (e == ERR_NOT_FOUND && c->who->dry) {
		submit_unseen(c, place);
		return OK;
	}
	if (e == ERR_NOT_FOUND)
		return err_set(w, ERR_UNPROCESSABLE,
		               "%s: there is no artifact %s: upload the image first", place,
		               sha256);
	if (e != OK)
		return e;
	path = artifact_path(c->who->srv->conf.dir, sha256);
	e = image_probe(path, &img, w);
	free(path);
	if (e != OK)
		return err_at(w, ERR_UNPROCESSABLE, "%s", place);
	schedule_domain(c->out->s.submitter, NULL, domain);
	*x = (struct kernel){.key = k->key,
	                     .domain = pool_str(c->p, domain),
	                     .state = "ready",
	                     .image = k->k.image,
	                     .image_bytes = bytes,
	                     .build_ids = join_build_ids(c->p, &img),
	                     .objects = NONE,
	                     .seconds = NAN,
	                     .created_ms = c->out->s.created_ms};
	/* The vDSO inside has a build-id as well: of several, a boot tells the kernel's. */
	if (img.build_id_count == 1)
		x->build_id = pool_str(c->p, img.build_id[0]);
	if (str_starts(img.banner, "Linux version ")) {
		release = img.banner + strlen("Linux version ");
		x->release = pool_strn(c->p, release, strcspn(release, " "));
	}
	return OK;
}

enum err submit_tree(const char *tree, const char *ref, const char *place, const char *key,
                     struct why *w)
{
	const char *fault = tree_fault(tree);

	if (fault)
		return err_set(w, ERR_INPUT, "%s.tree: %s", place, fault);
	if (!ref_is_good(ref))
		return err_set(w, ERR_INPUT,
		               "%s.%s: \"%s\" is no branch, tag or commit by git's rules", place,
		               key, ref);
	return OK;
}

/* What it is the base of may come behind it: settle_bases() looks. */
static enum err base_kernel(struct checking *c, const struct kernel_in *in, struct wanted_kernel *k,
                            const char *place, struct why *w)
{
	if (in->tree || in->ref)
		return err_set(w, ERR_INPUT,
		               "%s.base_of: excludes tree and ref: they are those of"
		               " \"%s\"",
		               place, in->base_of);
	if (in->onto && !ref_is_good(in->onto))
		return err_set(w, ERR_INPUT,
		               "%s.onto: \"%s\" is no branch, tag or commit by git's rules", place,
		               in->onto);
	if (in->toolchain && !word_is_good(in->toolchain))
		return err_set(w, ERR_INPUT, "%s.toolchain: expected 1 to 64 of A-Z a-z 0-9 . _ -",
		               place);
	k->k.base_of = pool_str(c->p, in->base_of);
	/* The tree's default branch. */
	k->k.ref = in->onto ? pool_str(c->p, in->onto) : "HEAD";
	k->k.toolchain = pool_str(c->p, in->toolchain);
	k->k.state = "new";
	return in->config ? submit_config(c, in->config, pool_fmt(c->p, "%s.config", place), k, w)
	                  : OK;
}

/* A merge base has the tree of its branch and, where it does not say, its configuration
 * and compiler. */
static enum err settle_bases(struct checking *c, struct why *w)
{
	for (size_t i = 0; i < c->out->kernels; i++) {
		struct wanted_kernel *k = &c->out->kernel[i];
		const struct wanted_kernel *of = NULL;

		if (!k->k.base_of)
			continue;
		for (size_t o = 0; o < c->out->kernels; o++)
			if (o != i && str_eq(c->out->kernel[o].k.name, k->k.base_of))
				of = &c->out->kernel[o];
		if (!of)
			return err_set(w, ERR_INPUT,
			               "kernels[%zu].base_of: \"%s\" is none of the other kernels",
			               i, k->k.base_of);
		if (of->k.image || of->k.base_of)
			return err_set(
			        w, ERR_INPUT,
			        "kernels[%zu].base_of: \"%s\" is no kernel of a tree and ref", i,
			        k->k.base_of);
		k->k.tree = of->k.tree;
		if (!k->k.toolchain)
			k->k.toolchain = of->k.toolchain;
		if (k->config_text)
			continue;
		k->config_text = of->config_text;
		k->k.config_sha256 = of->k.config_sha256;
		k->k.config_name = of->k.config_name;
		k->k.config_whole = of->k.config_whole;
	}
	return OK;
}

static enum err check_kernel(struct checking *c, json_t *o, size_t at, struct why *w)
{
	struct kernel_in in = {0};
	struct wanted_kernel *k;
	const char *place = pool_fmt(c->p, "kernels[%zu]", at);
	size_t i;
	enum err e = json_decode(o, place, kernel_fields, &in, w);

	if (e != OK)
		return e;
	if (!kernel_name_is_good(in.name))
		return err_set(w, ERR_INPUT, "%s.name: expected 1 to 64 of A-Z a-z 0-9 . _ + -",
		               place);
	for (i = 0; i < c->out->kernels; i++)
		if (strcmp(c->out->kernel[i].k.name, in.name) == 0)
			return err_set(w, ERR_INPUT, "%s.name: \"%s\" is kernels[%zu]'s already",
			               place, in.name, i);
	k = pool_push(c->p, (void **)&c->out->kernel, &c->out->kernels, sizeof(*k));
	k->k = (struct sub_kernel){.pos = (int64_t)at,
	                           .name = pool_str(c->p, in.name),
	                           .kernel_id = NONE,
	                           .validates = NONE};
	if (in.image) {
		if (in.tree || in.ref || in.toolchain || in.config || in.base_of)
			return err_set(
			        w, ERR_INPUT,
			        "%s.image: excludes tree, ref, base_of, config and toolchain",
			        place);
		return check_image(c, in.image, pool_fmt(c->p, "%s.image", place), k, w);
	}
	if (in.onto && !in.base_of)
		return err_set(w, ERR_INPUT, "%s.onto: it goes with base_of", place);
	if (in.base_of)
		return base_kernel(c, &in, k, place, w);
	if (!in.tree)
		return err_set(w, ERR_INPUT, "%s.tree: missing (or an image)", place);
	if (!in.ref)
		return err_set(w, ERR_INPUT, "%s.ref: missing", place);
	e = submit_tree(in.tree, in.ref, place, "ref", w);
	if (e != OK)
		return e;
	if (in.toolchain && !word_is_good(in.toolchain))
		return err_set(w, ERR_INPUT, "%s.toolchain: expected 1 to 64 of A-Z a-z 0-9 . _ -",
		               place);
	k->k.tree = pool_str(c->p, in.tree);
	k->k.ref = pool_str(c->p, in.ref);
	k->k.toolchain = in.toolchain ? pool_str(c->p, in.toolchain) : "gcc";
	k->k.state = "new";
	return submit_config(c, in.config, pool_fmt(c->p, "%s.config", place), k, w);
}

/* The same commits with the kernel's own checks on: kernels of the submission that are
 * booted for their log and never compared. A prebuilt image or a whole .config has
 * nothing that could be added to; the comparison says so. */
static enum err add_validators(struct checking *c, struct why *w)
{
	size_t i, n = c->out->kernels;
	enum err e = OK;

	for (i = 0; e == OK && i < n; i++) {
		struct wanted_kernel *k, *of = &c->out->kernel[i];
		char hex[SHA256_HEX];

		if (of->k.image || of->k.config_whole)
			continue;
		k = pool_push(c->p, (void **)&c->out->kernel, &c->out->kernels, sizeof(*k));
		of = &c->out->kernel[i]; /* it may have moved */
		k->k = of->k;
		k->k.validates = of->k.pos;
		k->k.pos = (int64_t)c->out->kernels - 1;
		k->k.name = pool_fmt(c->p, "%s (validation)", of->k.name);
		k->k.config_name = pool_fmt(c->p, "%s+" VALIDATE_SET, of->k.config_name);
		e = config_with(c->p, &c->sets, of->config_text, VALIDATE_SET, &k->config_text, w);
		if (e != OK)
			return err_at(w, e, "validate");
		hash_block(k->config_text, strlen(k->config_text), hex);
		k->k.config_sha256 = pool_str(c->p, hex);
	}
	if (c->out->kernels == n)
		return err_set(
		        w, ERR_UNPROCESSABLE,
		        "validate: no kernel is built here from a named config or fragments: "
		        "there is nothing that the checks could be added to");
	return e;
}

/* ---- the whole */

struct body_in {
	const char *title, *baseline, *pages;
	json_t *series, *kernels, *boards, *cases, *plan;
	double threshold;
	int64_t priority;
	bool reuse, rebuild, validate, across;
};

static const struct json_field body_fields[] = {
        {"title", JSON_STR, offsetof(struct body_in, title), JSON_MUST, 1, 200, NULL},
        {"kernels", JSON_ARR, offsetof(struct body_in, kernels), JSON_NULLOK, 1, KERNELS_MAX, NULL},
        {"series", JSON_OBJ, offsetof(struct body_in, series), JSON_NULLOK, 0, 0, NULL},
        {"baseline", JSON_STR, offsetof(struct body_in, baseline), JSON_NULLOK, 1, 64, NULL},
        {"boards", JSON_ARR, offsetof(struct body_in, boards), JSON_NULLOK, 1, 64, NULL},
        {"cases", JSON_ARR, offsetof(struct body_in, cases), JSON_MUST, 1, CASES_MAX, NULL},
        {"pages", JSON_STR, offsetof(struct body_in, pages), JSON_NULLOK, 1, 8, NULL},
        {"plan", JSON_OBJ, offsetof(struct body_in, plan), JSON_NULLOK, 0, 0, NULL},
        {"threshold", JSON_NUM, offsetof(struct body_in, threshold), JSON_NULLOK, 0, 0, NULL},
        {"priority", JSON_INT, offsetof(struct body_in, priority), JSON_NULLOK, -100, 100, NULL},
        {"reuse", JSON_BOOL, offsetof(struct body_in, reuse), JSON_NULLOK, 0, 0, NULL},
        {"rebuild", JSON_BOOL, offsetof(struct body_in, rebuild), JSON_NULLOK, 0, 0, NULL},
        {"across_environments", JSON_BOOL, offsetof(struct body_in, across), JSON_NULLOK, 0, 0,
         NULL},
        {"validate", JSON_BOOL, offsetof(struct body_in, validate), JSON_NULLOK, 0, 0, NULL},
        {0},
};

static enum err find_baseline(struct wanted *x, const char *name, struct why *w)
{
	size_t i;

	for (i = 0; name && i < x->kernels; i++)
		if (strcmp(x->kernel[i].k.name, name) == 0)
			break;
	if (name && i == x->kernels)
		return err_set(w, ERR_INPUT, "baseline: \"%s\" is none of the kernels", name);
	x->s.baseline = name ? (int64_t)i : 0;
	return OK;
}

/* Kernels by name, or a series, which makes its own. */
static enum err check_kernels(struct checking *c, const struct body_in *in, bool validate,
                              struct why *w)
{
	size_t i;
	enum err e = OK;

	if (!in->series && !in->kernels)
		return err_set(w, ERR_INPUT, "kernels: missing (or a series)");
	if (in->series && (in->kernels || in->baseline))
		return err_set(w, ERR_INPUT,
		               "series: excludes kernels and baseline: its base is "
		               "the baseline");
	if (in->series)
		return submit_series(c, in->series, validate, w);
	for (i = 0; e == OK && i < json_array_size(in->kernels); i++)
		e = check_kernel(c, json_array_get(in->kernels, i), i, w);
	if (e == OK)
		e = settle_bases(c, w);
	if (e == OK)
		e = find_baseline(c->out, in->baseline, w);
	return e == OK && validate ? add_validators(c, w) : e;
}

enum err submit_read(const struct submitter *who, struct pool *p, json_t *body, struct wanted *out,
                     struct why *w)
{
	struct checking c = {.who = who, .p = p, .db = who->db, .out = out};
	struct body_in in = {.threshold = NAN, .reuse = true};
	struct sub *s = &out->s;
	char *canon, hex[SHA256_HEX];
	enum err e = json_decode(body, "", body_fields, &in, w);

	if (e != OK)
		return e;
	if (!isnan(in.threshold) && (in.threshold < 0 || in.threshold > 1))
		return err_set(w, ERR_INPUT, "threshold: expected a fraction from 0 to 1");
	canon = json_canonical(body);
	hash_block(canon, strlen(canon), hex);
	free(canon);
	*s = (struct sub){.submitter = pool_str(p, who->label ? who->label : ""),
	                  .idem_key = s->idem_key,
	                  .content_hash = pool_str(p, hex),
	                  .title = pool_str(p, in.title),
	                  .threshold = in.threshold,
	                  .priority = in.priority,
	                  .reuse = in.reuse,
	                  .rebuild = in.rebuild,
	                  .across = in.across,
	                  .boots = NONE,
	                  .runs = 1,
	                  .iterations = 5,
	                  .warmup = 1,
	                  .layouts = 1,
	                  .state = "resolving",
	                  .created_ms = clock_wall_ms(),
	                  .ended_ms = NONE,
	                  .part_of = NONE};
	/* What is measured afresh is built afresh, unless told otherwise. */
	if (!json_is_boolean(json_object_get(body, "rebuild")))
		s->rebuild = !in.reuse;
	/* Of a series the tip is validated, unless told otherwise. */
	if (in.series && !json_is_boolean(json_object_get(body, "validate")))
		in.validate = true;
	c.pages = in.pages;
	e = submit_pages(in.pages, w);
	if (e == OK)
		e = check_kernels(&c, &in, in.validate, w);
	if (e == OK)
		e = submit_cases(&c, in.cases, w);
	if (e == OK && in.plan)
		e = submit_plan(&c, in.plan, w);
	if (e == OK)
		e = submit_boards(&c, in.boards, w);
	if (e == OK)
		e = submit_write_plan(&c, w);
	return e == OK ? submit_asked(c.db, p, out, w) : e;
}
