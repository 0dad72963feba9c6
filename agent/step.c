#include "agent/step.h"

#include "agent/cache.h"
#include "agent/step_run.h"
#include "lib/buf.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEASE_MAX (64 << 20)

static const char *const class_names[] = {
        [FAIL_NONE] = "none", [FAIL_INFRA] = "infra",   [FAIL_BUILD] = "build",
        [FAIL_BOOT] = "boot", [FAIL_KERNEL] = "kernel", [FAIL_BENCH] = "bench",
};

const char *fail_class_name(enum fail_class c)
{
	return class_names[c];
}

void step_progress(const struct step *s, const char *step, int64_t done, int64_t total)
{
	json_t *o;
	char *text, line[PIPE_BUF];
	int n;

	if (s->progress_fd < 0)
		return;
	o = json_object();
	json_put_str(o, "step", step);
	json_put_int(o, "done", done);
	if (total >= 0)
		json_put_int(o, "total", total);
	text = json_text(o);
	json_decref(o);
	n = snprintf(line, sizeof(line), "%s\n", text);
	free(text);
	/* One write of less than PIPE_BUF bytes is whole or nothing, and a supervisor
	 * that is behind gets the next one: progress never makes a step wait. */
	if (n > 0 && (size_t)n < sizeof(line))
		(void)!write(s->progress_fd, line, (size_t)n);
}

void step_outcome_release(struct step_outcome *out)
{
	json_decref(out->body);
	out->body = NULL;
	while (out->artifacts > 0)
		free(out->artifact[--out->artifacts].path);
}

enum err step_artifact_add(struct step_outcome *out, const char *path, struct why *w)
{
	struct step_artifact *a;
	enum err e;

	if (out->artifacts == (int)ARRAY_SIZE(out->artifact))
		return err_set(w, ERR_INTERNAL, "a step has more than %zu artifacts",
		               ARRAY_SIZE(out->artifact));
	a = &out->artifact[out->artifacts];
	e = hash_file(path, a->sha256, NULL, w);
	if (e != OK)
		return e;
	a->path = xstrdup(path);
	out->artifacts++;
	return OK;
}

/* The path of an artifact below the job's directory; copied there when it lies
 * elsewhere. */
static enum err artifact_settle(const struct step *s, const struct step_artifact *a,
                                char **relative, struct why *w)
{
	size_t len = strlen(s->dir);
	char *to;
	enum err e;

	if (strncmp(a->path, s->dir, len) == 0 && a->path[len] == '/' &&
	    path_is_safe(a->path + len + 1)) {
		*relative = xstrdup(a->path + len + 1);
		return OK;
	}
	*relative = xasprintf("artifact/%s", a->sha256);
	to = path_join(s->dir, "artifact");
	e = dir_make(to, 0700, w);
	free(to);
	to = path_join(s->dir, *relative);
	if (e == OK)
		e = file_copy(a->path, to, w);
	free(to);
	return e;
}

enum err step_result(const struct step *s, const char *kind, const struct step_outcome *out,
                     struct why *w)
{
	json_t *o = json_object(), *list = json_array();
	char *text, *path;
	enum err e = OK;

	json_put_str(o, "state", out->fail == FAIL_NONE ? "done" : "failed");
	json_put_str(o, "class", out->fail == FAIL_NONE ? NULL : class_names[out->fail]);
	json_put_str(o, "why", out->fail == FAIL_NONE ? NULL : out->why.text);
	if (out->body)
		json_put(o, kind, json_incref(out->body));
	for (int i = 0; i < out->artifacts && e == OK; i++) {
		char *relative = NULL;

		e = artifact_settle(s, &out->artifact[i], &relative, w);
		if (e == OK) {
			json_t *a = json_object();

			json_put_str(a, "sha256", out->artifact[i].sha256);
			json_put_str(a, "path", relative);
			json_array_append_new(list, a);
		}
		free(relative);
	}
	json_put(o, "artifacts", list);
	if (e == OK) {
		text = json_text(o);
		path = path_join(s->dir, "result.json");
		e = file_write(path, text, strlen(text), 0600, w);
		free(path);
		free(text);
	}
	json_decref(o);
	return e;
}

/* What the agent has to remember is worth more than any cache: one goes. False
 * when there is none left that nobody uses. */
static bool make_room(const struct agent_conf *conf)
{
	uint64_t bytes;
	int evicted = 0;
	struct why w;

	if (disk_free(conf->dir, &bytes, &w) == OK)
		cache_evict(conf->dir, bytes + 1, &evicted, &w);
	return evicted > 0;
}

static enum err result_write(const struct step *s, const char *kind, const struct step_outcome *out,
                             struct why *w)
{
	enum err e;

	while ((e = step_result(s, kind, out, w)) == ERR_NO_SPACE && make_room(s->conf))
		;
	return e;
}

static enum err mark(void *ctx, const char *name, struct why *w)
{
	const struct step_run *r = ctx;
	int to = job_state_parse(name);
	enum err e;

	if (to < 0 || to == STATE_IDLE || to == STATE_CLAIMED || to == STATE_SPOOLED)
		return err_set(w, ERR_INTERNAL, "\"%s\" is no state that a step can reach", name);
	while ((e = state_move(r->state, (enum job_state)to, w)) == ERR_NO_SPACE &&
	       make_room(r->conf))
		;
	return e;
}

static enum err lease_read(const char *dir, json_t **lease, struct why *w)
{
	char *path = path_join(dir, "lease.json");
	struct buf b;
	enum err e;

	buf_init(&b, LEASE_MAX);
	e = file_read(path, &b, w);
	if (e == OK)
		e = json_parse(b.data, b.len, LEASE_MAX, lease, w);
	if (e != OK)
		err_at(w, e, "lease");
	buf_release(&b);
	free(path);
	return e;
}

int step_run(const struct step_run *r, int say)
{
	struct step_outcome out = {.fail = FAIL_NONE};
	enum err (*fn)(const struct step *, struct step_outcome *, struct why *) = NULL;
	struct step s = {
	        .conf = r->conf,
	        .dir = r->dir,
	        .job = r->state->job,
	        .attempt = r->state->attempt,
	        .progress_fd = say,
	        .mark = mark,
	        .mark_ctx = (void *)r,
	};
	const char *kind = job_kind_name(r->state->kind);
	json_t *lease = NULL;
	enum err e;

	if (r->state->kind == JOB_RESOLVE)
		fn = r->table->resolve;
	else if (r->state->kind == JOB_BUILD)
		fn = r->table->build;
	else if (r->state->kind == JOB_BOOT)
		fn = r->table->boot;
	else if (r->state->kind == JOB_WALK)
		fn = r->table->walk;
	e = lease_read(r->dir, &lease, &out.why);
	if (e == OK) {
		s.domain = json_str(lease, "domain", "");
		s.spec = json_object_get(lease, "spec");
		if (!fn || !hex_is(s.domain, 16) || !json_is_object(s.spec))
			e = err_set(&out.why, ERR_INPUT, "the lease lacks its domain or its spec");
		else
			e = fn(&s, &out, &out.why);
	}
	if (e != OK)
		out.fail = FAIL_INFRA;
	e = result_write(&s, kind, &out, &out.why);
	if (e != OK)
		log_error("step.no_result", "job", log_i(s.job), "why", out.why.text, NULL);
	step_outcome_release(&out);
	json_decref(lease);
	return e == OK ? 0 : 1;
}

enum err step_fail(const char *dir, enum fail_class class, const char *sentence, struct why *w)
{
	struct step s = {.dir = dir, .progress_fd = -1};
	struct step_outcome out = {.fail = class};

	err_set(&out.why, ERR_IO, "%s", sentence);
	return step_result(&s, "none", &out, w);
}
