/*
 * step_build.c - job `build`: a commit and a configuration become an Image.
 */
#include "agent/build.h"
#include "agent/cache.h"
#include "agent/checkout.h"
#include "agent/elfhash.h"
#include "agent/git.h"
#include "agent/kconfig.h"
#include "agent/outfile.h"
#include "agent/relink.h"
#include "agent/series.h"
#include "agent/watch.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/file.h"
#include "lib/image.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_MAX (4 << 20)
#define IMAGE_MAX  (INT64_C(1) << 30)
#define EM_ARM64   183

/* What is known of the finished kernel. */
struct product {
	char *image, *vmlinux, *config; /* copies in the job's own directory */
	int64_t image_bytes, objects, started_ns;
	int64_t gaps, gap_bytes; /* of its layout */
	struct elf_facts elf;
	char config_hash[SHA256_HEX];
	char release[128];
};

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	va_list ap;
	char *line;

	va_start(ap, fmt);
	line = xvasprintf(fmt, ap);
	va_end(ap);
	watch_log(line, strlen(line));
	watch_log("\n", 1);
	free(line);
}

/* A commit that only the series' bundle has; its ref is there where this agent resolved
 * the series and the mirror stands. */
static enum err fetch_patch(struct git *g, const struct build_spec *spec, struct why *w)
{
	struct series s = {0};
	char *path = NULL;
	enum err e;

	if (git_has_patch(g, spec->commit))
		return OK;
	e = git_fetch(g, spec->base, NULL, w);
	if (!e)
		e = series_artifact(g, spec->series, &path, w);
	if (!e)
		e = series_bundle(g, path, spec->base, &s, w);
	if (!e && !git_has_patch(g, spec->commit)) {
		g->fail = FAIL_BUILD;
		e = err_set(w, ERR_UNPROCESSABLE, "the series has no commit %s", spec->commit);
	}
	series_release(&s);
	free(path);
	return e;
}

static enum err fetch(struct build *b, struct why *w)
{
	char before[41];
	struct git g;
	enum err e;

	e = git_open(&g, b->step, b->spec.tree, w);
	if (!e)
		e = b->spec.series ? fetch_patch(&g, &b->spec, w)
		                   : git_fetch(&g, b->spec.commit, b->spec.ref, w);
	if (!e)
		e = checkout(&g, b->spec.commit, b->src, b->index, w);
	if (!e && build_get_configured(b, before))
		b->configured = !git_differs(&g, before, b->spec.commit, build_path_configures);
	b->fail = g.fail;
	git_close(&g);
	if (!e)
		b->fail = FAIL_INFRA;
	return e;
}

/* ---- the configuration */

static enum err verify(struct build *b, const struct kconfig *asked, const struct buf *text,
                       struct why *w)
{
	struct kconfig got = {0}, prompts = {0};
	struct buf said;
	size_t n;
	enum err e;

	buf_init(&said, 8192);
	e = kconfig_parse(&got, text->data, text->len, w);
	b->debug_info = !e && str_eq(kconfig_value(&got, "DEBUG_INFO"), "y");
	if (!e && b->spec.whole)
		e = kconfig_read_prompts(&prompts, b->src, w);
	if (!e) {
		n = kconfig_verify(asked, &got, b->spec.whole ? &prompts : NULL, &said);
		if (n) {
			say("%zu symbol%s did not take: %s", n, n == 1 ? "" : "s", said.data);
			b->fail = FAIL_BUILD;
			e = err_set(w, ERR_UNPROCESSABLE, "%s", said.data);
		}
	}
	kconfig_release(&got);
	kconfig_release(&prompts);
	buf_release(&said);
	return e;
}

/* Fragments stand on allnoconfig, so that what nobody asked for is off in
 * every tree; a whole .config keeps its own word, and symbols that are new
 * since get their defaults. */
static enum err make_config(struct build *b, struct why *w)
{
	static const char *const merge[] = {"allnoconfig", NULL};
	static const char *const update[] = {"olddefconfig", NULL};
	const char *asked = build_at(b, "/asked.config", b->asked);
	struct argv env = {0}, copy = {0};
	enum err e = OK;

	if (b->spec.whole) {
		argv_add(&copy, "cp", "--remove-destination", asked, NULL);
		argv_addf(&copy, "%s/.config", build_at(b, "/out", b->out));
		e = build_run(b, &copy, w);
		if (!e)
			e = build_make(b, "configure", update, NULL, w);
	} else {
		argv_addf(&env, "KCONFIG_ALLCONFIG=%s", asked);
		e = build_make(b, "configure", merge, argv_list(&env), w);
	}
	argv_release(&env);
	argv_release(&copy);
	return e;
}

/* A make that ended by itself, also with an error, leaves nothing torn; one
 * that was ended leaves its mark. */
static enum err end_make(struct build *b, enum err e, struct why *w)
{
	struct why other;
	enum err e2;

	if (e && e != ERR_UNPROCESSABLE)
		return e;
	e2 = build_end_make(b, e ? &other : w);
	return e ? e : e2;
}

static enum err configure(struct build *b, const struct kconfig *asked, struct why *w)
{
	struct buf text;
	enum err e;

	buf_init(&text, CONFIG_MAX);
	if (b->configured && !b->fresh) {
		say("the configuration stands: nothing that it depends on has changed");
		e = OK;
	} else {
		e = build_set_configured(b, NULL, w);
		if (!e)
			e = build_begin_make(b, w);
		if (!e)
			e = make_config(b, w);
		e = end_make(b, e, w);
	}
	if (!e) {
		b->fail = FAIL_BUILD;
		e = err_at(w, outfile_read(b->out, ".config", &text, w), "the build's result");
	}
	if (!e) {
		b->fail = FAIL_INFRA;
		e = verify(b, asked, &text, w);
	}
	if (!e)
		e = build_set_configured(b, b->spec.commit, w);
	buf_release(&text);
	return e;
}

/* ---- the result */

static void read_release(const struct build *b, struct product *p)
{
	struct buf text;
	size_t i;

	buf_init(&text, sizeof(p->release) - 1);
	if (!outfile_read(b->out, "include/config/kernel.release", &text, NULL)) {
		for (i = 0; i < text.len && isgraph((unsigned char)text.data[i]); i++)
			p->release[i] = text.data[i];
	}
	buf_release(&text);
}

static enum err take_files(struct build *b, struct product *p, struct why *w)
{
	const struct {
		const char *from;
		char **to;
		const char *name;
		int64_t max, *bytes;
	} files[] = {
	        {"arch/arm64/boot/Image", &p->image, "Image", IMAGE_MAX, &p->image_bytes},
	        {"vmlinux", &p->vmlinux, "vmlinux", b->step->conf->build_max_bytes, NULL},
	        {".config", &p->config, "config", CONFIG_MAX, NULL},
	};
	enum err e = OK;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files) && !e; i++) {
		*files[i].to = path_join(b->step->dir, files[i].name);
		e = outfile_copy(b->out, files[i].from, *files[i].to, files[i].max, files[i].bytes,
		                 w);
	}
	return e;
}

static enum err examine(struct build *b, struct product *p, struct why *w)
{
	struct image image;
	struct kconfig k = {0};
	struct buf text;
	enum err e;

	buf_init(&text, CONFIG_MAX);
	e = file_read(p->config, &text, w);
	if (!e)
		e = kconfig_parse(&k, text.data, text.len, w);
	if (!e) {
		kconfig_hash(text.data, text.len, p->config_hash);
		e = elf_facts(p->vmlinux, str_eq(kconfig_value(&k, "DEBUG_BUGVERBOSE"), "y"),
		              &p->elf, w);
	}
	if (!e && p->elf.machine != EM_ARM64)
		e = err_set(w, ERR_INPUT, "vmlinux is for machine %u, not for arm64",
		            p->elf.machine);
	if (!e && !p->elf.build_id[0])
		e = err_set(w, ERR_INPUT,
		            "vmlinux carries no GNU build-id: its boots could not be told from "
		            "others");
	if (!e)
		e = image_probe(p->image, &image, w);
	read_release(b, p);
	kconfig_release(&k);
	buf_release(&text);
	return e;
}

static enum err put_artifact(struct step_outcome *out, const char *key, const char *path,
                             struct why *w)
{
	enum err e = step_artifact_add(out, path, w);

	if (!e)
		json_put_str(out->body, key, out->artifact[out->artifacts - 1].sha256);
	return e;
}

static enum err report(struct build *b, struct product *p, struct step_outcome *out, struct why *w)
{
	json_t *o = json_object(), *tools = json_object();
	enum err e;

	out->body = o;
	e = put_artifact(out, "image", p->image, w);
	if (!e)
		e = put_artifact(out, "vmlinux", p->vmlinux, w);
	if (!e)
		e = put_artifact(out, "config", p->config, w);
	json_put_int(o, "image_bytes", p->image_bytes);
	json_put_str(o, "build_id", p->elf.build_id);
	json_put_str(o, "section_hash", p->elf.section_hash);
	json_put_str(o, "config_hash", p->config_hash);
	json_put_str(tools, "name", b->spec.toolchain);
	json_put_str(tools, "compiler", b->facts.compiler);
	json_put_str(tools, "linker", b->facts.linker);
	json_put(o, "toolchain", tools);
	json_put_str(o, "release", p->release);
	json_put_int(o, "objects", p->objects);
	json_put_int(o, "layout", b->spec.layout);
	json_put_int(o, "gaps", p->gaps);
	json_put_int(o, "gap_bytes", p->gap_bytes);
	json_put_real(o, "seconds", (double)(clock_mono_ns() - p->started_ns) / (double)NS_PER_S);
	json_put_bool(o, "trusted", !b->sandboxed);
	json_put_str(o, "sandbox", b->sandboxed ? "bubblewrap" : "none");
	return e;
}

static enum err compile(struct build *b, struct product *p, struct why *w)
{
	static const char *const targets[] = {"Image", NULL};
	enum err e = build_begin_make(b, w);

	if (!e)
		e = relink_prepare(b, w);
	if (!e)
		e = build_make(b, "compile", targets, NULL, w);
	e = end_make(b, e, w);
	if (e)
		return e;
	p->objects = build_objects(b);
	say("%" PRId64 " objects made, %" PRId64 " in a whole build", b->log.objects, p->objects);
	b->fail = FAIL_BUILD;
	e = relink_done(b, &p->gaps, &p->gap_bytes, w);
	if (!e)
		e = take_files(b, p, w);
	if (!e)
		e = examine(b, p, w);
	if (!e || e == ERR_IO || e == ERR_NO_SPACE)
		b->fail = FAIL_INFRA;
	return err_at(w, e, "the build's result");
}

/* How long each part took, for whoever reads the log. */
static void say_lap(const char *what, int64_t *since_ns)
{
	int64_t now = clock_mono_ns();

	say("%s in %.1f s", what, (double)(now - *since_ns) / (double)NS_PER_S);
	*since_ns = now;
}

static enum err build(struct build *b, struct product *p, struct step_outcome *out, struct why *w)
{
	const struct step *s = b->step;
	struct kconfig asked = {0};
	int64_t lap = clock_mono_ns();
	enum err e;

	e = kconfig_parse(&asked, b->spec.text, strlen(b->spec.text), w);
	if (e) {
		b->fail = FAIL_BUILD;
		kconfig_release(&asked);
		return e;
	}
	e = fetch(b, w);
	say_lap("fetched and checked out", &lap);
	if (!e)
		e = s->mark(s->mark_ctx, "fetched", w);
	if (!e)
		e = cache_evict(s->conf->dir, (uint64_t)s->conf->disk_reserve_bytes, NULL, w);
	if (!e)
		e = build_prepare(b, w);
	if (!e)
		e = configure(b, &asked, w);
	kconfig_release(&asked);
	say_lap("configured", &lap);
	if (!e)
		e = s->mark(s->mark_ctx, "configured", w);
	if (!e)
		e = compile(b, p, w);
	if (!e) {
		e = report(b, p, out, w);
		say_lap("compiled and examined", &lap);
	}
	if (!e)
		e = s->mark(s->mark_ctx, "built", w);
	return e;
}

enum err step_build(const struct step *s, struct step_outcome *out, struct why *w)
{
	struct product p = {.started_ns = clock_mono_ns()};
	struct build b;
	enum err e;

	e = build_open(&b, s, w);
	if (!e)
		e = build(&b, &p, out, w);
	if (e && b.fail != FAIL_INFRA) {
		out->fail = b.fail;
		out->why = *w;
		e = OK;
	} else if (e == ERR_UNPROCESSABLE || e == ERR_UNAVAILABLE) {
		out->fail = FAIL_INFRA;
		out->why = *w;
		e = OK;
	}
	if (e || out->fail) {
		json_decref(out->body);
		out->body = NULL;
	}
	build_close(&b);
	free(p.image);
	free(p.vmlinux);
	free(p.config);
	return e;
}
