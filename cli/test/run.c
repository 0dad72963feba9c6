#include "cli/test/run.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "server/test/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ARGS    48
#define WAIT_MS 60000

extern char **environ;
const char *run_path;

static void child(struct ran *r, const char *dir, const char *const *argv, char *const *env)
{
	int in = open("/dev/null", O_RDONLY);
	int out = open(r->out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int err = open(r->err_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (in < 0 || out < 0 || err < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(err, 2) < 0 || chdir(dir) != 0)
		_exit(125);
	execve(argv[0], (char *const *)argv, env);
	_exit(126);
}

static void start(struct ran *r, const char *out_path, const char *dir, va_list ap)
{
	const char *argv[ARGS] = {run_path ? run_path : program("foldwatch")}, *env[256], *arg;
	size_t args = 1, vars = 0;

	memset(r, 0, sizeof(*r));
	r->out_path = out_path ? xstrdup(out_path) : xasprintf("%s/.out-%p", dir, (void *)r);
	r->err_path = xasprintf("%s/.err-%p", dir, (void *)r);
	for (char **e = environ; *e && vars < 240; e++)
		if (!str_starts(*e, "FOLDWATCH_"))
			env[vars++] = *e;
	while ((arg = va_arg(ap, const char *))) {
		if (args == 1 && str_starts(arg, "FOLDWATCH_") && strchr(arg, '='))
			env[vars++] = arg;
		else
			argv[args++] = arg;
		assert_true(args < ARGS && vars < 255);
	}
	argv[args] = NULL;
	env[vars] = NULL;
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0)
		child(r, dir, argv, (char *const *)env);
}

void run_wait(struct ran *r)
{
	int64_t until = clock_mono_ns() + WAIT_MS * NS_PER_MS;
	int status;
	FILE *f;
	char *text;
	long n;

	while (waitpid(r->pid, &status, WNOHANG) == 0) {
		if (clock_mono_ns() > until)
			kill(r->pid, SIGKILL);
		sleep_ms(5);
	}
	r->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	r->err = slurp(r->err_path);
	assert_non_null(r->err);
	/* The output may hold any byte. */
	f = str_starts(r->out_path, "/dev/") ? NULL : fopen(r->out_path, "r");
	r->out = xstrdup("");
	if (f) {
		assert_int_equal(fseek(f, 0, SEEK_END), 0);
		n = ftell(f);
		rewind(f);
		text = xcalloc((size_t)n + 1, 1);
		r->out_len = fread(text, 1, (size_t)n, f);
		fclose(f);
		unlink(r->out_path);
		free(r->out);
		r->out = text;
	}
	unlink(r->err_path);
	if (strstr(r->err, "Sanitizer") || strstr(r->err, "runtime error:"))
		fail_msg("%s", r->err);
}

void run_start(struct ran *r, const char *dir, ...)
{
	va_list ap;

	va_start(ap, dir);
	start(r, NULL, dir, ap);
	va_end(ap);
}

void run_cli(struct ran *r, const char *dir, ...)
{
	va_list ap;

	va_start(ap, dir);
	start(r, NULL, dir, ap);
	va_end(ap);
	run_wait(r);
}

void run_to(struct ran *r, const char *out_path, const char *dir, ...)
{
	va_list ap;

	va_start(ap, dir);
	start(r, out_path, dir, ap);
	va_end(ap);
	run_wait(r);
}

void ran_release(struct ran *r)
{
	free(r->out);
	free(r->err);
	free(r->out_path);
	free(r->err_path);
	memset(r, 0, sizeof(*r));
}

static void show(const struct ran *r)
{
	print_error("exit %d\n%s%s", r->code, r->out, r->err);
}

void expect_fail(const struct ran *r, int code, const char *has)
{
	const char *end = strchr(r->err, '\n');

	if (r->code != code || !str_starts(r->err, "foldwatch: ") || !end || end[1] ||
	    !strstr(r->err, has)) {
		show(r);
		fail_msg("expected exit %d and one line with \"%s\"", code, has);
	}
}

json_t *expect_json(const struct ran *r)
{
	json_error_t error;
	json_t *root = json_loadb(r->out, r->out_len, JSON_REJECT_DUPLICATES, &error);

	if (r->code != 0 || !root) {
		show(r);
		fail_msg("expected exit 0 and JSON: %s", error.text);
	}
	return root;
}

void expect_out(const struct ran *r, const char *has)
{
	if (r->code != 0 || !strstr(r->out, has)) {
		show(r);
		fail_msg("expected exit 0 and \"%s\"", has);
	}
}
