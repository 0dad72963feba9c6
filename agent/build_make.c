/*
 * build_make.c - see build.h: running make, in the sandbox or on the owner's word.
 */
#include "agent/build.h"

#include "agent/sandbox.h"
#include "agent/watch.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TMP_BYTES (INT64_C(1) << 30)

/* Nothing of who builds where and when may reach the image. */
static const char *const pinned[] = {"ARCH=arm64",
                                     "LOCALVERSION=",
                                     "KBUILD_BUILD_USER=foldwatch",
                                     "KBUILD_BUILD_HOST=foldwatch",
                                     "KBUILD_BUILD_TIMESTAMP=Mon Jan  1 00:00:00 UTC 2024",
                                     "KBUILD_BUILD_VERSION=1",
                                     NULL};

const char *build_at(const struct build *b, const char *inside, const char *host)
{
	return b->sandboxed ? inside : host;
}

/* Line tables, so that a fault is told by file and line. They change no code (gcc
 * and clang promise it, and two Images differ in their build-ids only); a
 * configuration with debug information of its own keeps that. */
static void add_flags(const struct build *b, struct argv *a, const char *flags)
{
	const char *lines = b->debug_info ? "" : "-g1";

	if (!b->sandboxed) /* what the fixed places do inside the sandbox */
		argv_addf(a, "%s=%s -ffile-prefix-map=%s=/src -ffile-prefix-map=%s=/out", flags,
		          lines, b->src, b->out);
	else if (*lines)
		argv_addf(a, "%s=%s", flags, lines);
}

static void add_make(const struct build *b, struct argv *a)
{
	int64_t jobs = b->step->conf->build_jobs;
	const char *cross = b->tools->cross ? b->tools->cross : "";

	if (jobs <= 0)
		jobs = sysconf(_SC_NPROCESSORS_ONLN);
	argv_add(a, "make", "--no-print-directory", "-C", build_at(b, "/src", b->src), NULL);
	argv_addf(a, "-j%" PRId64, jobs > 0 ? jobs : 1);
	argv_addf(a, "O=%s", build_at(b, "/out", b->out));
	argv_extend(a, pinned);
	argv_addf(a, "CROSS_COMPILE=%s", cross);
	if (b->llvm)
		argv_addf(a, "LLVM=%s",
		          b->tools->compiler[5] ? b->tools->compiler + strlen("clang") : "1");
	argv_addf(a, "CC=%s%s", b->ccached ? "ccache " : "", b->cc);
	add_flags(b, a, "KCFLAGS");
	add_flags(b, a, "KAFLAGS");
}

static void add_env(const struct build *b, struct argv *env)
{
	if (b->linkers && b->sandboxed)
		argv_add(env, "PATH=/ld:" BUILD_PATH, NULL);
	if (!b->ccached)
		return;
	argv_addf(env, "CCACHE_DIR=%s", build_at(b, "/ccache", b->ccache));
	argv_addf(env, "CCACHE_MAXSIZE=%" PRId64 "Ki", b->step->conf->ccache_bytes / 1024);
	argv_add(env, "CCACHE_NODISABLE=1", NULL);
}

static void one_line(void *ctx, const char *line)
{
	struct build *b = ctx;
	int64_t now;

	if (!makelog_line(&b->log, line))
		return;
	now = clock_mono_ns();
	if (now - b->shown_ns < NS_PER_S / 2)
		return;
	b->shown_ns = now;
	/* How many a build after a change makes cannot be known before. */
	step_progress(b->step, "compile", b->log.objects,
	              b->fresh && b->spec.objects_before >= b->log.objects ? b->spec.objects_before
	                                                                   : -1);
}

static enum err run(struct build *b, const char *name, const struct argv *command,
                    const struct argv *env, int *status, struct why *w)
{
	const struct agent_conf *c = b->step->conf;
	const struct sandbox_mount mounts[] = {{b->src, "/src", false},
	                                       {b->out, "/out", true},
	                                       {b->ccache, "/ccache", true},
	                                       {b->asked, "/asked.config", false},
	                                       {b->linkers, "/ld", false}};
	struct sandbox box = {.mounts = mounts,
	                      .mount_count = ARRAY_SIZE(mounts) - !b->linkers,
	                      .dir = "/out",
	                      .env = argv_list(env),
	                      .tmp_bytes = TMP_BYTES,
	                      .memory_bytes = c->build_memory_bytes,
	                      .file_bytes = c->build_max_bytes,
	                      .processes = c->build_processes};
	struct argv a = {0}, outer = {0};
	struct watch wt = {.name = name,
	                   .timeout_s = c->build_timeout_s,
	                   .disk = {b->out, b->ccache},
	                   .disk_max = c->build_max_bytes,
	                   .disk_key = "build_max_bytes",
	                   .disk_reserve = c->disk_reserve_bytes,
	                   .memory_max = c->build_memory_bytes,
	                   .processes_max = c->build_processes,
	                   .echo = true,
	                   .line = one_line,
	                   .ctx = b};
	enum err e;

	argv_pass_env(&outer, "FOLDWATCH_JOB_DIR");
	argv_addf(&outer, "PATH=%s%s" BUILD_PATH, b->linkers && !b->sandboxed ? b->linkers : "",
	          b->linkers && !b->sandboxed ? ":" : "");
	if (b->sandboxed) {
		sandbox_begin(&box, &a);
	} else {
		argv_add(&outer, "LC_ALL=C", "TZ=UTC", NULL);
		argv_addf(&outer, "HOME=%s", b->step->dir);
		argv_extend(&outer, argv_list(env));
		argv_add(&a, "prlimit", "--core=0", NULL);
		argv_addf(&a, "--as=%" PRId64, c->build_memory_bytes);
		argv_addf(&a, "--fsize=%" PRId64, c->build_max_bytes);
		wt.dir = b->out;
	}
	argv_extend(&a, argv_list(command));
	wt.argv = argv_list(&a);
	wt.env = argv_list(&outer);
	e = watch_run(&wt, status, w);
	argv_release(&a);
	argv_release(&outer);
	return e;
}

/* Errors that the machine makes, not the tree. */
static bool is_infra(const struct makelog *m)
{
	static const char *const words[] = {"No space left on device", "Cannot allocate memory",
	                                    "cannot fork", "Resource temporarily unavailable",
	                                    "Killed signal terminated program"};
	size_t i;
	int j;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		for (j = 0; j < m->errors && j < MAKELOG_ERRORS; j++) {
			if (strstr(m->error[j], words[i]))
				return true;
		}
		if (strstr(m->stopped, words[i]))
			return true;
	}
	return false;
}

static enum err verdict(struct build *b, const char *name, int status, struct why *w)
{
	struct buf said;
	char words[80];

	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return OK;
	buf_init(&said, 1024);
	makelog_sentence(&b->log, &said);
	proc_status_words(status, words, sizeof(words));
	b->fail = is_infra(&b->log) || WIFSIGNALED(status) ? FAIL_INFRA : FAIL_BUILD;
	err_set(w, ERR_UNPROCESSABLE, "%s failed: %s", name, said.len ? said.data : words);
	buf_release(&said);
	return ERR_UNPROCESSABLE;
}

static enum err ended(struct build *b, enum err e)
{
	/* Its tree made it take too much or too long; trying again changes nothing. */
	if (e == ERR_TIMEOUT || e == ERR_TOO_LARGE)
		b->fail = FAIL_BUILD;
	return e;
}

enum err build_make(struct build *b, const char *step, const char *const *targets,
                    const char *const *extra_env, struct why *w)
{
	bool compiles = str_eq(step, "compile");
	const char *name = compiles ? "the build" : "make's configuration step";
	struct argv a = {0}, env = {0};
	enum err e;
	int status;

	b->log = (struct makelog){.objects = 0};
	step_progress(b->step, step, 0, -1);
	add_make(b, &a);
	argv_extend(&a, targets);
	add_env(b, &env);
	argv_extend(&env, extra_env);
	e = run(b, name, &a, &env, &status, w);
	argv_release(&a);
	argv_release(&env);
	return e ? ended(b, e) : verdict(b, name, status, w);
}

enum err build_run(struct build *b, const struct argv *command, struct why *w)
{
	struct argv env = {0};
	int status;
	enum err e = run(b, "a program of the build", command, &env, &status, w);

	return e ? ended(b, e) : verdict(b, "a program of the build", status, w);
}
