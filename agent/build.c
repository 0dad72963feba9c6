/*
 * build.c - see build.h: what a build needs before make can run.
 */
#include "agent/build.h"

#include "agent/cache.h"
#include "agent/git_rules.h"
#include "agent/lock.h"
#include "agent/relink.h"
#include "agent/sandbox.h"
#include "agent/watch.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_MAX   (4 << 20)
#define DEPTH_MAX    32
#define KEPT_CONFIGS 8 /* O= directories of one trust domain */

static const struct json_field spec_fields[] = {
        {"tree", JSON_STR, offsetof(struct build_spec, tree), JSON_MUST, 1, 4096, NULL},
        {"ref", JSON_STR, offsetof(struct build_spec, ref), JSON_NULLOK, 1, 4096, NULL},
        {"commit", JSON_STR, offsetof(struct build_spec, commit), JSON_MUST, 40, 40, NULL},
        {"name", JSON_STR, offsetof(struct build_spec, name), 0, 0, 0, NULL},
        {"toolchain", JSON_STR, offsetof(struct build_spec, toolchain), JSON_MUST, 1, 64, NULL},
        {"config", JSON_OBJ, offsetof(struct build_spec, config), JSON_MUST, 0, 0, NULL},
        {"objects_before", JSON_INT, offsetof(struct build_spec, objects_before), JSON_NULLOK, 0,
         INT64_MAX, NULL},
        {"series", JSON_STR, offsetof(struct build_spec, series), JSON_NULLOK, 64, 64, NULL},
        {"base", JSON_STR, offsetof(struct build_spec, base), JSON_NULLOK, 40, 40, NULL},
        {"layout", JSON_INT, offsetof(struct build_spec, layout), JSON_NULLOK, 0, LAYOUTS_MAX - 1,
         NULL},
        {0},
};

static const struct json_field config_fields[] = {
        {"sha256", JSON_STR, offsetof(struct build_spec, config_sha256), JSON_NULLOK, 0, 64, NULL},
        {"name", JSON_STR, offsetof(struct build_spec, config_name), JSON_NULLOK, 0, 0, NULL},
        {"whole", JSON_BOOL, offsetof(struct build_spec, whole), 0, 0, 0, NULL},
        {"text", JSON_STR, offsetof(struct build_spec, text), JSON_MUST | JSON_TEXT, 0, CONFIG_MAX,
         NULL},
        {0},
};

enum err build_spec_decode(const json_t *spec, struct build_spec *b, struct why *w)
{
	enum err e;

	*b = (struct build_spec){.objects_before = -1};
	e = json_decode((json_t *)spec, "spec", spec_fields, b, w);
	if (!e)
		e = json_decode(b->config, "spec.config", config_fields, b, w);
	if (!e && b->series && !(b->base && git_is_commit(b->base)))
		return err_set(w, ERR_INPUT,
		               "spec.base: expected the commit that the series "
		               "stands on");
	if (!e && !git_is_commit(b->commit))
		e = err_set(w, ERR_INPUT, "spec.commit: expected 40 hex digits, got \"%s\"",
		            b->commit);
	return e;
}

/* ---- the toolchain */

static enum err find_tools(struct build *b, struct why *w)
{
	const struct agent_conf *c = b->step->conf;
	enum err e;
	size_t i;

	for (i = 0; i < c->toolchains; i++) {
		if (str_eq(c->toolchain[i].name, b->spec.toolchain))
			b->tools = &c->toolchain[i];
	}
	if (!b->tools)
		return err_set(w, ERR_NOT_FOUND, "this agent has no toolchain \"%s\"",
		               b->spec.toolchain);
	b->llvm = str_starts(b->tools->compiler ? b->tools->compiler : "", "clang");
	b->cc = toolchain_cc(b->tools);
	e = toolchain_probe(b->tools, &b->facts, w);
	return err_at(w, e, "toolchain \"%s\"", b->spec.toolchain);
}

static bool is_trusted(const struct step *s, const char *tree)
{
	size_t i;

	for (i = 0; i < s->conf->trusted_trees.count; i++) {
		if (str_eq(s->conf->trusted_trees.items[i], tree))
			return true;
	}
	return false;
}

static enum err decide_sandbox(struct build *b, struct why *w)
{
	enum err e = sandbox_probe(w);

	b->sandboxed = !e;
	if (!e || is_trusted(b->step, b->spec.tree))
		return OK;
	return err_at(w, e,
	              "tree \"%s\" is not built without a sandbox unless the agent's owner lists "
	              "it in trusted_trees",
	              b->spec.tree);
}

/* ---- places */

static enum err name_places(struct build *b, struct why *w)
{
	const struct step *s = b->step;
	char key[SHA256_HEX], *text, *entry;
	bool host_paths = !b->sandboxed;

	if (!hex_is(s->domain, 16))
		return err_set(w, ERR_INPUT, "the trust domain \"%s\" is not 16 hex digits",
		               s->domain);
	text = xasprintf("%s\n%s\n%s\n%d\n%d\n%s", b->spec.toolchain, b->facts.compiler,
	                 b->facts.linker, host_paths, b->spec.whole, b->spec.text);
	hash_block(text, strlen(text), key);
	free(text);
	entry = xasprintf("builds/%s", s->domain);
	b->home = path_join(s->conf->dir, entry);
	b->hold_fd = cache_hold(s->conf->dir, entry, w);
	free(entry);
	entry = xasprintf("ccache/%s", s->domain);
	b->ccache = path_join(s->conf->dir, entry);
	if (b->hold_fd >= 0)
		b->hold_ccache_fd = cache_hold(s->conf->dir, entry, w);
	free(entry);
	if (b->hold_fd < 0 || b->hold_ccache_fd < 0)
		return ERR_IO;
	b->src = path_join(b->home, "src");
	b->index = path_join(b->home, "index");
	b->object_dir = xasprintf("%s/o/%.16s", b->home, key);
	b->out = path_join(b->object_dir, "out");
	b->asked = path_join(s->dir, "asked.config");
	return OK;
}

enum err build_open(struct build *b, const struct step *s, struct why *w)
{
	char *lock;
	enum err e;

	*b = (struct build){
	        .step = s, .hold_fd = -1, .hold_ccache_fd = -1, .lock_fd = -1, .fail = FAIL_INFRA};
	e = build_spec_decode(s->spec, &b->spec, w);
	if (!e)
		e = decide_sandbox(b, w);
	if (!e)
		e = find_tools(b, w);
	if (!e)
		e = name_places(b, w);
	if (e)
		return e;
	b->ccached = s->conf->ccache_bytes > 0 && path_exists("/usr/bin/ccache");
	lock = path_join(b->home, "lock");
	b->lock_fd = lock_wait(lock, NULL, NULL, w);
	free(lock);
	return b->lock_fd < 0 ? ERR_IO : OK;
}

void build_close(struct build *b)
{
	const int fds[] = {b->lock_fd, b->hold_fd, b->hold_ccache_fd};
	char *const owned[] = {b->cc,  b->home,   b->src,   b->index,  b->object_dir,
	                       b->out, b->ccache, b->asked, b->linkers};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	for (i = 0; i < ARRAY_SIZE(owned); i++)
		free(owned[i]);
}

/* ---- O= directories */

struct place {
	char name[32];
	int64_t used;
};

static int by_use(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->used < y->used) - (x->used > y->used);
}

/* Keep the most recently used ones besides our own. */
static enum err prune(struct build *b, struct why *w)
{
	struct place *all = NULL;
	size_t n = 0, i;
	char *dir = path_join(b->home, "o");
	struct dirent *d;
	DIR *list = opendir(dir);
	enum err e = OK;

	while (list && (d = readdir(list)) != NULL) {
		struct stat st;

		if (!hex_is(d->d_name, 16) || str_ends(b->object_dir, d->d_name) ||
		    fstatat(dirfd(list), d->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		all = xreallocarray(all, n + 1, sizeof(*all));
		snprintf(all[n].name, sizeof(all[n].name), "%.16s", d->d_name);
		all[n++].used = st.st_mtim.tv_sec;
	}
	if (list)
		closedir(list);
	if (n)
		qsort(all, n, sizeof(*all), by_use);
	for (i = KEPT_CONFIGS - 1; i < n && !e; i++) {
		char *path = path_join(dir, all[i].name);

		e = dir_remove(path, w);
		free(path);
	}
	free(all);
	free(dir);
	return e;
}

static bool is_empty(const char *path)
{
	DIR *list = opendir(path);
	int n = 0;

	while (list && n < 3 && readdir(list))
		n++;
	if (list)
		closedir(list);
	return n <= 2;
}

enum err build_prepare(struct build *b, struct why *w)
{
	char *mark = path_join(b->object_dir, "open");
	enum err e;

	e = prune(b, w);
	/* A make that was killed may leave an object that is newer than its source
	 * and torn, and make would take it for good. */
	if (!e && path_exists(mark)) {
		static const char said[] =
		        "the last build in this place was interrupted: it begins anew\n";

		watch_log(said, sizeof(said) - 1);
		e = dir_remove(b->object_dir, w);
	}
	if (!e)
		e = dir_make(b->out, 0755, w);
	if (!e)
		e = file_write(b->asked, b->spec.text, strlen(b->spec.text), 0644, w);
	b->fresh = is_empty(b->out);
	free(mark);
	return e;
}

enum err build_begin_make(struct build *b, struct why *w)
{
	char *mark = path_join(b->object_dir, "open");
	enum err e = file_write(mark, "", 0, 0600, w);

	free(mark);
	return e;
}

enum err build_end_make(struct build *b, struct why *w)
{
	char *mark = path_join(b->object_dir, "open");
	enum err e = file_remove(mark, w);

	utimensat(AT_FDCWD, b->object_dir, NULL, 0); /* used now, for prune() */
	free(mark);
	return e;
}

enum err build_set_configured(struct build *b, const char *commit, struct why *w)
{
	char *path = path_join(b->object_dir, "configured");
	enum err e;

	e = commit ? file_write(path, commit, strlen(commit), 0600, w) : file_remove(path, w);
	free(path);
	return e;
}

bool build_get_configured(const struct build *b, char commit[41])
{
	char *path = path_join(b->object_dir, "configured");
	struct buf text;
	bool ok;

	buf_init(&text, 64);
	ok = !file_read(path, &text, NULL) && git_is_commit(text.data);
	if (ok)
		memcpy(commit, text.data, 41);
	buf_release(&text);
	free(path);
	return ok;
}

bool build_path_configures(const char *path)
{
	const char *base = path_base(path);

	return str_starts(base, "Kconfig") || str_starts(base, "Makefile") ||
	       str_starts(base, "Kbuild") || str_starts(path, "scripts/") ||
	       strstr(path, "/tools/") || str_ends(base, ".sh");
}

/* Takes over `fd`. Tools of the host lie in scripts/ and tools/. */
static int64_t count_objects(int fd, int depth)
{
	struct dirent *d;
	int64_t n = 0;
	DIR *dir = fdopendir(fd);

	if (!dir) {
		close(fd);
		return 0;
	}
	while ((d = readdir(dir)) != NULL) {
		int sub;

		if (d->d_type == DT_REG && d->d_name[0] != '.')
			n += str_ends(d->d_name, ".o") || str_ends(d->d_name, ".a");
		if (d->d_type != DT_DIR || d->d_name[0] == '.' || depth == DEPTH_MAX ||
		    (!depth && (str_eq(d->d_name, "scripts") || str_eq(d->d_name, "tools"))))
			continue;
		sub = openat(fd, d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			n += count_objects(sub, depth + 1);
	}
	closedir(dir);
	return n;
}

int64_t build_objects(const struct build *b)
{
	int fd = open(b->out, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? 0 : count_objects(fd, 0);
}
