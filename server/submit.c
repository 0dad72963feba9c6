/* submit.c - checking a submission. */
#include "server/submit.h"

#include "lib/case.h"
#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/image.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "server/schedule.h"
#include "server/store_artifact.h"
#include "server/store_board.h"
#include "server/submit_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KERNELS_MAX 32
#define CASES_MAX   1000

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* ---- words */

static bool only(const char *s, const char *chars, size_t max)
{
	size_t n = strspn(s, chars);

	return n > 0 && n <= max && !s[n];
}

bool word_is_good(const char *word)
{
	return only(word, ALNUM "._-", 64);
}

bool kernel_name_is_good(const char *name)
{
	return only(name, ALNUM "._+-", 64);
}

bool ref_is_good(const char *ref)
{
	size_t len = strlen(ref), i;

	if (!len || len > 250 || ref[0] == '-' || ref[0] == '/' || ref[len - 1] == '/' ||
	    ref[len - 1] == '.' || strcmp(ref, "@") == 0 || strstr(ref, "..") ||
	    strstr(ref, "@{") || strstr(ref, "//") || strstr(ref, "/.") || ref[0] == '.' ||
	    str_ends(ref, ".lock") || strstr(ref, ".lock/"))
		return false;
	for (i = 0; i < len; i++)
		if ((unsigned char)ref[i] <= ' ' || ref[i] == 0x7f || strchr("~^:?*[\\", ref[i]))
			return false;
	return true;
}

const char *tree_fault(const char *url)
{
	static const char *const schemes[] = {"https://", "http://", "git://", "ssh://",
	                                      "file:///"};
	const char *rest = NULL, *at, *colon;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(schemes); i++)
		if (str_starts(url, schemes[i]))
			rest = url + strlen(schemes[i]);
	if (!rest || !*rest)
		return "expected a URL of the scheme https, http, git, ssh or file";
	for (i = 0; url[i]; i++)
		if ((unsigned char)url[i] <= ' ' || url[i] == 0x7f)
			return "a URL has no blanks or control characters";
	if (rest[0] == '-')
		return "a host does not begin with '-'";
	at = memchr(rest, '@', strcspn(rest, "/"));
	colon = at ? memchr(rest, ':', (size_t)(at - rest)) : NULL;
	if (colon)
		return "a password in a URL would be shown to everyone: leave it out";
	return NULL;
}

/* ---- kernels */

struct kernel_in {
	const char *name, *tree, *ref, *toolchain, *image;
	json_t *config;
};

static const struct json_field kernel_fields[] = {
        {"name", JSON_STR, offsetof(struct kernel_in, name), JSON_MUST, 1, 64, NULL},
        {"tree", JSON_STR, offsetof(struct kernel_in, tree), JSON_NULLOK, 1, 1024, NULL},
        {"ref", JSON_STR, offsetof(struct kernel_in, ref), JSON_NULLOK, 1, 250, NULL},
        {"config", JSON_ANY, offsetof(struct kernel_in, config), JSON_NULLOK, 0, 0, NULL},
        {"toolchain", JSON_STR, offsetof(struct kernel_in, toolchain), JSON_NULLOK, 1, 64, NULL},
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
	e = artifact_find(c->db, sha256, &bytes, w);
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
	schedule_image_key(sha256, k->key);
	*x = (struct kernel){.key = k->key,
	                     .domain = pool_str(c->p, domain),
	                     .state = "ready",
	                     .image = pool_str(c->p, sha256),
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
	k->k.image = x->image;
	k->k.state = "ready";
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
		if (in.tree || in.ref || in.toolchain || in.config)
			return err_set(w, ERR_INPUT,
			               "%s.image: excludes tree, ref, config and toolchain", place);
		return check_image(c, in.image, pool_fmt(c->p, "%s.image", place), k, w);
	}
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

/* ---- boards */

static bool may_boot(const struct checking *c, const struct board *b)
{
	/* An admin answers for what they submit; others' kernels go where the
	 * board's owner lets untrusted ones. */
	return c->who->admin || b->untrusted;
}

static void take_board(struct checking *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->out->boards.count; i++)
		if (strcmp(c->out->boards.at[i], name) == 0)
			return;
	*(const char **)pool_push(c->p, (void **)&c->out->boards.at, &c->out->boards.count,
	                          sizeof(*c->out->boards.at)) = name;
}

/* All active boards, or those of a label. */
static enum err take_boards(struct checking *c, const char *label, const char *place, struct why *w)
{
	struct board_list list = {0};
	size_t i, before = c->out->boards.count;
	enum err e = store_board_list(c->db, label, c->p, &list, w);

	for (i = 0; e == OK && i < list.count; i++)
		if (list.at[i].offered && str_eq(list.at[i].state, "active") &&
		    may_boot(c, &list.at[i]))
			take_board(c, list.at[i].name);
	if (e == OK && c->out->boards.count == before)
		e = err_set(w, ERR_UNPROCESSABLE,
		            label ? "%s: no active board that you may use has the label \"%s\""
		                  : "%s: there is no active board that you may use",
		            place, label);
	return e;
}

static enum err one_board(struct checking *c, const char *name, const char *place, struct why *w)
{
	struct board b = {0};
	int64_t health = NONE;
	enum err e;

	if (str_starts(name, "label:"))
		return take_boards(c, name + strlen("label:"), place, w);
	e = store_board_get(c->db, name, c->p, &b, w);
	if (e == ERR_NOT_FOUND)
		return err_set(w, ERR_UNPROCESSABLE, "%s: there is no board \"%s\"", place, name);
	if (e == OK && !may_boot(c, &b))
		return err_set(w, ERR_DENIED,
		               "%s: board \"%s\" boots kernels of trusted submitters only", place,
		               name);
	if (e == OK && !b.offered)
		return err_set(w, ERR_UNPROCESSABLE,
		               "%s: agent \"%s\" no longer offers board \"%s\"", place, b.agent,
		               name);
	if (e == OK && str_eq(b.state, "quarantined"))
		e = store_job_health(c->db, name, &health, w);
	if (e == OK && str_eq(b.state, "quarantined") && health == NONE)
		return err_set(w, ERR_UNPROCESSABLE, "%s: board \"%s\" is quarantined: %s", place,
		               name, b.why ? b.why : "no reason given");
	if (e == OK)
		take_board(c, b.name);
	return e;
}

static enum err check_boards(struct checking *c, json_t *boards, struct why *w)
{
	size_t i;
	enum err e = OK;

	if (!boards || json_is_null(boards))
		return take_boards(c, NULL, "boards", w);
	for (i = 0; e == OK && i < json_array_size(boards); i++) {
		json_t *x = json_array_get(boards, i);
		const char *place = pool_fmt(c->p, "boards[%zu]", i);
		const char *name = json_string_value(x);

		if (!name)
			return err_set(w, ERR_INPUT, "%s: expected a string", place);
		if (!word_is_good(str_starts(name, "label:") ? name + 6 : name))
			return err_set(w, ERR_INPUT, "%s: expected a board's name or label:WORD",
			               place);
		e = one_board(c, name, place, w);
	}
	return e;
}

/* ---- cases and plan */

static enum err check_cases(struct checking *c, json_t *cases, struct why *w)
{
	uint64_t largest = 0;
	size_t i, o;

	for (i = 0; i < json_array_size(cases); i++) {
		const char *text = json_string_value(json_array_get(cases, i));
		struct bench_case one;
		char err[400], canon[CASE_TEXT];
		bool again = false;

		if (!text)
			return err_set(w, ERR_INPUT, "cases[%zu]: expected a string", i);
		if (case_parse(text, &one, err, sizeof(err)) != 0)
			return err_set(w, ERR_INPUT, "cases[%zu]: %s", i, err);
		case_format(&one, canon, sizeof(canon));
		for (o = 0; o < c->out->cases.count; o++)
			again |= strcmp(c->out->cases.at[o], canon) == 0;
		if (again)
			continue;
		*(const char **)pool_push(c->p, (void **)&c->out->cases.at, &c->out->cases.count,
		                          sizeof(*c->out->cases.at)) = pool_str(c->p, canon);
		if (case_bytes(&one) > largest)
			largest = case_bytes(&one);
	}
	c->out->s.memory_bytes = (int64_t)largest + GUEST_EXTRA_BYTES;
	return OK;
}

static const struct json_field plan_fields[] = {
        {"boots", JSON_INT, offsetof(struct sub, boots), JSON_NULLOK, 1, BOOTS_MAX, NULL},
        {"runs", JSON_INT, offsetof(struct sub, runs), JSON_NULLOK, 1, 1000, NULL},
        {"iterations", JSON_INT, offsetof(struct sub, iterations), JSON_NULLOK, 1, 100000, NULL},
        {"warmup", JSON_INT, offsetof(struct sub, warmup), JSON_NULLOK, 0, 1000, NULL},
        {"layouts", JSON_INT, offsetof(struct sub, layouts), JSON_NULLOK, 1, LAYOUTS_MAX, NULL},
        {0},
};

static enum err write_plan(struct checking *c, struct why *w)
{
	struct sub *s = &c->out->s;
	struct buf b;
	size_t i;
	enum err e = OK;

	buf_init(&b, 256 * 1024);
	buf_adds(&b, "# foldbench plan 1\n");
	for (i = 0; i < c->out->cases.count; i++)
		buf_addf(&b, "%s runs=%lld iterations=%lld warmup=%lld\n", c->out->cases.at[i],
		         (long long)s->runs, (long long)s->iterations, (long long)s->warmup);
	if (b.full)
		e = err_set(w, ERR_INPUT, "cases: the plan is larger than 256 KiB");
	else
		s->plan = pool_strn(c->p, b.data, b.len);
	buf_release(&b);
	return e;
}

/* ---- the whole */

struct body_in {
	const char *title, *baseline;
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
	                  .ended_ms = NONE};
	/* What is measured afresh is built afresh, unless told otherwise. */
	if (!json_is_boolean(json_object_get(body, "rebuild")))
		s->rebuild = !in.reuse;
	/* Of a series the tip is validated, unless told otherwise. */
	if (in.series && !json_is_boolean(json_object_get(body, "validate")))
		in.validate = true;
	e = check_kernels(&c, &in, in.validate, w);
	if (e == OK)
		e = check_cases(&c, in.cases, w);
	if (e == OK && in.plan)
		e = json_decode(in.plan, "plan", plan_fields, s, w);
	if (e == OK)
		e = check_boards(&c, in.boards, w);
	return e == OK ? write_plan(&c, w) : e;
}
