#include "agent/test/steps.h"

#include "agent/argv.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static enum err mark(void *ctx, const char *state, struct why *w)
{
	struct step_bed *b = ctx;

	(void)w;
	buf_addf(&b->marks, "%s ", state);
	return OK;
}

static void list_add(struct conf_list *l, const char *s)
{
	l->items = xreallocarray(l->items, l->count + 1, sizeof(*l->items));
	l->items[l->count++] = xstrdup(s);
}

void bed_init(struct step_bed *b, const char *keep, const char *tree)
{
	const char *tmp = getenv("TMPDIR");
	struct why w;

	*b = (struct step_bed){.kept = keep != NULL};
	if (keep) {
		snprintf(b->dir, sizeof(b->dir), "%s", keep);
		assert_int_equal(dir_make(keep, 0700, &w), OK);
	} else {
		snprintf(b->dir, sizeof(b->dir), "%s/foldwatch-test-XXXXXX",
		         tmp ? tmp : "/var/tmp");
		assert_non_null(mkdtemp(b->dir));
	}
	snprintf(b->job_dir, sizeof(b->job_dir), "%s/jobs/1", b->dir);
	b->conf = (struct agent_conf){.dir = b->dir,
	                              .build_timeout_s = 7200,
	                              .fetch_timeout_s = 3600,
	                              .boot_timeout_s = 900,
	                              .fetch_max_bytes = INT64_C(8) << 30,
	                              .build_max_bytes = INT64_C(20) << 30,
	                              .build_memory_bytes = INT64_C(8) << 30,
	                              .build_processes = 4096,
	                              .ccache_bytes = INT64_C(5) << 30,
	                              .toolchains = 1};
	list_add(&b->conf.trees, "https://");
	if (tree)
		list_add(&b->conf.trees, tree);
	snprintf(b->conf.toolchain[0].name, sizeof(b->conf.toolchain[0].name), "gcc");
	b->conf.toolchain[0].cross = xstrdup("aarch64-linux-gnu-");
	b->conf.toolchain[0].compiler = xstrdup("gcc");
	buf_init(&b->marks, 4096);
	assert_int_equal(pipe2(b->progress, O_CLOEXEC | O_NONBLOCK), 0);
	b->step = (struct step){.conf = &b->conf,
	                        .dir = b->job_dir,
	                        .domain = "0123456789abcdef",
	                        .progress_fd = b->progress[1],
	                        .attempt = 1,
	                        .mark = mark,
	                        .mark_ctx = b};
}

void bed_allow(struct step_bed *b, const char *tree)
{
	list_add(&b->conf.trees, tree);
}

void bed_origin(struct step_bed *b)
{
	struct why w;

	b->origin = path_join(b->dir, "origin");
	b->url = xasprintf("file://%s", b->origin);
	assert_int_equal(dir_make(b->origin, 0755, &w), OK);
}

static void list_free(struct conf_list *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		free(l->items[i]);
	free(l->items);
}

void bed_release(struct step_bed *b)
{
	json_decref(b->spec);
	free(b->origin);
	free(b->url);
	buf_release(&b->marks);
	close(b->progress[0]);
	close(b->progress[1]);
	list_free(&b->conf.trees);
	list_free(&b->conf.trusted_trees);
	free(b->conf.toolchain[0].cross);
	free(b->conf.toolchain[0].compiler);
	if (!b->kept)
		dir_remove(b->dir, NULL);
}

struct step *bed_job(struct step_bed *b, json_t *spec)
{
	struct why w;

	json_decref(b->spec);
	b->spec = spec;
	b->step.spec = spec;
	b->step.job++;
	buf_reset(&b->marks);
	dir_remove(b->job_dir, NULL);
	assert_int_equal(dir_make(b->job_dir, 0700, &w), OK);
	return &b->step;
}

void bed_progress(struct step_bed *b, struct buf *out)
{
	char data[4096];
	ssize_t n;

	while ((n = read(b->progress[0], data, sizeof(data))) > 0)
		buf_add(out, data, (size_t)n);
}

static void run_list(char *out, size_t size, const char *dir, va_list ap)
{
	struct argv a = {0};
	struct proc_spec spec = {.dir = dir, .timeout_ns = 600 * NS_PER_S};
	struct buf all;
	struct why w;
	const char *s;

	buf_init(&all, 1 << 20);
	while ((s = va_arg(ap, const char *)) != NULL)
		argv_add(&a, s, NULL);
	spec.argv = argv_list(&a);
	if (proc_run(&spec, &all, &w))
		fail_msg("%s\n%s", w.text, all.data);
	if (out)
		snprintf(out, size, "%.*s", (int)strcspn(all.data, "\n"), all.data);
	argv_release(&a);
	buf_release(&all);
}

void run_ok(const char *dir, ...)
{
	va_list ap;

	va_start(ap, dir);
	run_list(NULL, 0, dir, ap);
	va_end(ap);
}

void run_line(char *out, size_t size, const char *dir, ...)
{
	va_list ap;

	va_start(ap, dir);
	run_list(out, size, dir, ap);
	va_end(ap);
}
