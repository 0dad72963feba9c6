#include "agent/profiling.h"

#include "agent/outfile.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/profile.h"
#include "lib/profile_plugin.h"
#include "lib/zst.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROFILE_MAX (128 << 20)
#define ZSTD_LEVEL  6

/* Installed beside this program. */
static char *plugin_path(void)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	exe[n > 0 ? n : 0] = '\0';
	slash = strrchr(exe, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	return path_join(exe, "foldwatch-profile.so");
}

static enum err make_words(struct profiling *p, const struct boot *b, struct why *w)
{
	char *out = path_join(b->run_dir, "profile");
	enum err e = profile_plugin_words(
	        &(struct profile_plugin){.plugin = b->sandboxed ? PROFILING_PLUGIN : p->plugin,
	                                 .out = b->sandboxed ? "/run/profile" : out,
	                                 .runs = b->sandboxed ? PROFILING_RUNS : p->runs,
	                                 .foldbench = b->step->conf->foldbench,
	                                 .kernel = p->kernel},
	        &p->words, w);

	free(out);
	return e;
}

static enum err stage(struct profiling *p, const struct boot *b, struct why *w)
{
	char *text;
	enum err e = OK;

	p->plugin = plugin_path();
	if (!p->plugin || !path_exists(p->plugin))
		return err_set(w, ERR_NOT_FOUND, "the plugin for QEMU is not installed here");
	e = symbols_load(b->vmlinux, &p->kernel, w);
	if (e != OK)
		return e;
	text = profile_plugin_runs(b->spec.plan);
	p->runs = path_join(b->step->dir, "runs");
	e = file_write(p->runs, text, strlen(text), 0644, w);
	free(text);
	return e == OK ? make_words(p, b, w) : e;
}

void profiling_stage(struct profiling *p, const struct boot *b)
{
	struct why w;

	if (!b->vmlinux || stage(p, b, &w) == OK)
		return;
	fprintf(stderr, "this boot's instructions are not counted by function: %s\n", w.text);
	profiling_release(p);
}

static enum err fold(const struct profiling *p, const struct boot *b, char **json, struct why *w)
{
	struct profiles all;
	struct buf text;
	enum err e;

	buf_init(&text, PROFILE_MAX);
	e = outfile_read(b->run_dir, "profile", &text, w);
	if (e == OK)
		e = profiles_fold(text.data, text.len, p->kernel, &all, w);
	buf_release(&text);
	if (e != OK)
		return e;
	*json = profiles_json(&all);
	profiles_release(&all);
	return OK;
}

static enum err keep(const char *json, const struct boot *b, struct step_outcome *out,
                     struct why *w)
{
	char *path = path_join(b->step->dir, "profile.zst");
	struct buf packed;
	enum err e;

	buf_init(&packed, PROFILE_MAX);
	e = zst_pack(json, strlen(json), ZSTD_LEVEL, &packed, w);
	if (e == OK)
		e = file_write(path, packed.data, packed.len, 0644, w);
	if (e == OK)
		e = step_artifact_add(out, path, w);
	if (e == OK)
		json_put_str(out->body, "profile", out->artifact[out->artifacts - 1].sha256);
	buf_release(&packed);
	free(path);
	return e;
}

enum err profiling_keep(const struct profiling *p, const struct boot *b, struct step_outcome *out,
                        struct why *w)
{
	struct why said;
	char *json = NULL;
	enum err e = OK;

	json_put(out->body, "profile", NULL);
	/* Numbers that do not count need no explanation. */
	if (!p->kernel || out->fail != FAIL_NONE)
		return OK;
	if (fold(p, b, &json, &said) == OK)
		e = keep(json, b, out, w);
	else
		fprintf(stderr, "the counts by function are lost: %s\n", said.text);
	free(json);
	return e;
}

void profiling_release(struct profiling *p)
{
	symbols_free(p->kernel);
	free(p->plugin);
	free(p->runs);
	free(p->words);
	*p = (struct profiling){0};
}
