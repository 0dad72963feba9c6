/*
 * step.h - the steps of a job, each run in a child process of the supervisor.
 *
 * The supervisor (supervisor.c) owns lease, state and spool; a step owns
 * nothing but the job's own directory. It is forked with a deadline and its
 * own process group, reads `spec`, says how far it is with step_progress(),
 * appends to the job's live log through descriptor 1 and 2, and leaves its
 * answer as step_result() wrote it: dir/result.json, durable, in the shape of
 * docs/api.md's job result ({"state","class","why","resolve"|"build"|"boot"|"walk"}),
 * with "artifacts": [{"sha256","path"}] beside it for the supervisor to upload
 * before it posts the rest.
 *
 * Marks: a step calls mark() with every state of its kind, in order, also when
 * there is nothing to do there (a build that is reused marks fetched,
 * configured and built one after another). The moves stand in state.c's table;
 * a move that is not in it is an error.
 *
 * What a step starts must carry the environment variable FOLDWATCH_JOB_DIR
 * (it is set in the step's own environment): whatever survives the step is
 * found by it and killed.
 *
 * A step may be killed at any instruction and started again with the same
 * directory: everything in it is made anew or verified by content.
 */
#ifndef FOLDWATCH_STEP_H
#define FOLDWATCH_STEP_H

#include "agent/agent_conf.h"
#include "lib/err.h"

#include <jansson.h>
#include <stdint.h>

struct step {
	const struct agent_conf *conf;
	const char *dir;    /* this job's own directory, exists */
	const char *domain; /* trust domain, 16 hex digits: names caches */
	const json_t *spec; /* docs/api.md, by kind of job */
	int64_t job;
	int64_t attempt;
	int progress_fd; /* lines of JSON to the supervisor, non-blocking; -1: none */
	/* Durable note in the agent's state table that a state was reached
	 * (fetched, configured, built; staged, armed, booted, measured): called
	 * *before* the effect it names. Never NULL. */
	enum err (*mark)(void *ctx, const char *state, struct why *w);
	void *mark_ctx;
};

/* {"step":"compile","done":812,"total":2140} to the supervisor, which passes
 * it on with the next lease renewal; total < 0: unknown. */
void step_progress(const struct step *s, const char *step, int64_t done, int64_t total);

enum fail_class { FAIL_NONE, FAIL_INFRA, FAIL_BUILD, FAIL_BOOT, FAIL_KERNEL, FAIL_BENCH };
const char *fail_class_name(enum fail_class c);

struct step_artifact {
	char sha256[65];
	char *path;
};

struct step_outcome {
	enum fail_class fail; /* FAIL_NONE: done */
	struct why why;       /* the sentence when it failed */
	json_t *body;         /* the kind's own result object; may be NULL when failed */
	struct step_artifact artifact[6];
	int artifacts;
};

/* The kinds. Each returns OK with `out` filled, also when the job failed for a
 * reason of its own (out->fail says the class); an error return means the
 * agent itself could not work (disk full, no qemu): class infra. */
enum err step_resolve(const struct step *s, struct step_outcome *out, struct why *w);
enum err step_build(const struct step *s, struct step_outcome *out, struct why *w);
enum err step_boot(const struct step *s, struct step_outcome *out, struct why *w);
enum err step_walk(const struct step *s, struct step_outcome *out, struct why *w);

/* What a board announces to the server: the object of docs/api.md's "boards"
 * (name, kind, profile, labels, metric, deterministic, emulated, untrusted,
 * capabilities, description). An error means that the board cannot be used
 * (no qemu, wrong version): it is logged and the board is not announced.
 * Runs in a child of the supervisor, at most 20 s. */
enum err board_probe(const struct board_conf *b, json_t **announce, struct why *w);

/* What the product's main.c gives to the supervisor; tests give steps of their
 * own, which are never part of the product. */
struct step_table {
	enum err (*resolve)(const struct step *s, struct step_outcome *out, struct why *w);
	enum err (*build)(const struct step *s, struct step_outcome *out, struct why *w);
	enum err (*boot)(const struct step *s, struct step_outcome *out, struct why *w);
	enum err (*walk)(const struct step *s, struct step_outcome *out, struct why *w);
	enum err (*probe)(const struct board_conf *b, json_t **announce, struct why *w);
};

/* Release what an outcome holds (step.c). */
void step_outcome_release(struct step_outcome *out);
/* Add an artifact; hashes the file. `path` may lie anywhere the agent can
 * read: a file outside the job's own directory is copied into it before the
 * result is written, so that a cache may change or be evicted afterwards. */
enum err step_artifact_add(struct step_outcome *out, const char *path, struct why *w);
/* Write dir/result.json, durable: {"state","class","why",KIND: body,
 * "artifacts":[{"sha256","path"}]}, paths relative to dir. `kind` is
 * "resolve", "build", "boot" or "walk". */
enum err step_result(const struct step *s, const char *kind, const struct step_outcome *out,
                     struct why *w);

#endif
