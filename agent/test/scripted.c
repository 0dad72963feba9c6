/*
 * scripted.c - the steps of the tests: they do what the job's spec says (see
 * harness.h), and are no part of the product.
 */
#include "agent/step.h"
#include "lib/buf.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum err scripted_step(const struct step *s, struct step_outcome *out, struct why *w);

struct script {
	const struct step *step;
	struct step_outcome *out;
	char *base;
	struct why *w;
};

static char *base_file(const struct script *k, const char *prefix, const char *name)
{
	return xasprintf("%s/%s%s", k->base, prefix, name);
}

/* The move must be on the disk when mark() returns. */
static enum err do_mark(struct script *k, const char *arg)
{
	const char *board = json_str(k->step->spec, "board", NULL);
	bool git = str_eq(json_str(k->step->spec, "slot", NULL), "git");
	char *path = xasprintf("%s/state/%s%s.json", k->step->conf->dir,
	                       board ? "board-"
	                       : git ? "git"
	                             : "build",
	                       board ? board : "");
	char *want = xasprintf("\"state\":\"%s\"", arg);
	struct buf b;
	enum err e;

	e = k->step->mark(k->step->mark_ctx, arg, k->w);
	buf_init(&b, 4096);
	if (e == OK)
		e = file_read(path, &b, k->w);
	if (e == OK && !strstr(b.data, want))
		e = err_set(k->w, ERR_INTERNAL, "the file does not say %s", arg);
	buf_release(&b);
	free(want);
	free(path);
	return e;
}

static enum err do_hold(struct script *k, const char *arg)
{
	char *path = base_file(k, "hold-", arg);

	while (path_exists(path))
		poll(NULL, 0, 3);
	free(path);
	return OK;
}

static void add_line(const struct script *k, const char *name, long value)
{
	char *path = base_file(k, "", name);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);

	dprintf(fd, "%ld\n", value);
	close(fd);
	free(path);
}

static enum err do_count(struct script *k, const char *arg)
{
	char name[64];

	(void)arg;
	snprintf(name, sizeof(name), "count-%" PRId64, k->step->job);
	add_line(k, name, (long)k->step->attempt);
	return OK;
}

static enum err do_print(struct script *k, const char *arg)
{
	long left = strtol(arg, NULL, 10);

	(void)k;
	for (long line = 0; left > 0; line++) {
		char text[64];
		int n = snprintf(text, sizeof(text), "line %056ld\n", line);

		fwrite(text, 1, left < n ? (size_t)left : (size_t)n, stdout);
		left -= n;
	}
	fflush(stdout);
	return OK;
}

static enum err do_progress(struct script *k, const char *arg)
{
	step_progress(k->step, "compile", strtol(arg, NULL, 10), 100);
	return OK;
}

static enum err artifact(struct script *k, const char *dir, const char *text)
{
	char *path = xasprintf("%s/a-%s", dir, text);
	enum err e = dir_make(dir, 0700, k->w);

	if (e == OK)
		e = file_write(path, text, strlen(text), 0600, k->w);
	if (e == OK)
		e = step_artifact_add(k->out, path, k->w);
	free(path);
	return e;
}

static enum err do_artifact(struct script *k, const char *arg)
{
	return artifact(k, k->step->dir, arg);
}

static enum err do_outside(struct script *k, const char *arg)
{
	char *dir = xasprintf("%s/builds/x", k->step->conf->dir);
	enum err e = artifact(k, dir, arg);

	free(dir);
	return e;
}

static enum err do_fill(struct script *k, const char *arg)
{
	static const char zeros[65536];
	char *path = path_join(k->step->dir, "filling");
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	(void)arg;
	while (write(fd, zeros, sizeof(zeros)) > 0)
		;
	while (write(fd, zeros, 1) > 0)
		;
	close(fd);
	free(path);
	return OK;
}

/* Strays are known by their environment, which a process has from its exec on; a
 * step starts nothing without one. So the script goes on when sleep runs: the pipe
 * closes then. */
static enum err stay(struct script *k, bool leave)
{
	int running[2];
	char byte;
	pid_t pid;

	if (pipe2(running, O_CLOEXEC) != 0)
		return ERR_IO;
	pid = fork();
	if (pid == 0) {
		if (leave)
			setsid();
		execlp("sleep", "sleep", "300", (char *)NULL);
		_exit(127);
	}
	close(running[1]);
	while (read(running[0], &byte, 1) < 0 && errno == EINTR)
		;
	close(running[0]);
	add_line(k, "pids", pid);
	return OK;
}

static enum err do_child(struct script *k, const char *arg)
{
	(void)arg;
	return stay(k, false);
}

static enum err do_daemon(struct script *k, const char *arg)
{
	(void)arg;
	return stay(k, true);
}

static enum err do_hang(struct script *k, const char *arg)
{
	(void)k;
	(void)arg;
	while (pause())
		;
	return OK;
}

static enum err do_die(struct script *k, const char *arg)
{
	(void)k;
	(void)arg;
	raise(SIGKILL);
	return OK;
}

static enum err do_exit(struct script *k, const char *arg)
{
	(void)k;
	(void)arg;
	_exit(3);
}

static enum err do_error(struct script *k, const char *arg)
{
	return err_set(k->w, ERR_IO, "%s", arg);
}

static enum err do_fail(struct script *k, const char *arg)
{
	for (int c = FAIL_INFRA; c <= FAIL_BENCH; c++) {
		if (strcmp(fail_class_name((enum fail_class)c), arg) == 0)
			k->out->fail = (enum fail_class)c;
	}
	err_set(&k->out->why, ERR_INPUT, "it was told to fail");
	return OK;
}

static const struct verb {
	const char *name;
	enum err (*run)(struct script *k, const char *arg);
} verbs[] = {
        {"mark", do_mark},       {"hold", do_hold},         {"count", do_count},
        {"print", do_print},     {"progress", do_progress}, {"artifact", do_artifact},
        {"outside", do_outside}, {"fill", do_fill},         {"child", do_child},
        {"daemon", do_daemon},   {"hang", do_hang},         {"die", do_die},
        {"exit", do_exit},       {"error", do_error},       {"fail", do_fail},
};

static enum err do_line(struct script *k, const char *line)
{
	size_t n = strcspn(line, " ");

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strlen(verbs[i].name) == n && strncmp(verbs[i].name, line, n) == 0)
			return verbs[i].run(k, line[n] ? line + n + 1 : "");
	}
	return err_set(k->w, ERR_INPUT, "the script says \"%s\"", line);
}

enum err scripted_step(const struct step *s, struct step_outcome *out, struct why *w)
{
	struct script k = {.step = s, .out = out, .w = w};
	enum err e = OK;
	json_t *line;
	size_t i;

	k.base = xstrndup(s->conf->dir, strlen(s->conf->dir) - strlen("/agent"));
	json_array_foreach (json_object_get(s->spec, "script"), i, line) {
		if (e == OK)
			e = do_line(&k, json_string_value(line));
	}
	free(k.base);
	if (e == OK && out->fail == FAIL_NONE)
		out->body = json_pack("{s:I}", "job", (json_int_t)s->job);
	return e;
}
