/*
 * steps.h - run a step in a test, in this process, with a configuration made here.
 */
#ifndef FOLDWATCH_TEST_STEPS_H
#define FOLDWATCH_TEST_STEPS_H

#include "agent/step.h"
#include "lib/buf.h"

struct step_bed {
	char dir[256]; /* the agent's, made by bed_init(), removed by bed_release() */
	bool kept;     /* given from outside: not removed */
	struct agent_conf conf;
	struct step step;
	json_t *spec;
	char job_dir[320];
	struct buf marks; /* "fetched configured built " */
	int progress[2];
	char *origin, *url; /* bed_origin()'s; else NULL */
};

/* `keep` NULL: a new directory below TMPDIR or /var/tmp. `trees` allows one
 * more prefix besides https://. */
void bed_init(struct step_bed *b, const char *keep, const char *tree);
void bed_allow(struct step_bed *b, const char *tree);
/* An empty directory for a tree, and its address. */
void bed_origin(struct step_bed *b);
void bed_release(struct step_bed *b);
/* The spec (taken over) of the next step, which begins in a fresh job directory. */
struct step *bed_job(struct step_bed *b, json_t *spec);
/* All that the step said about its progress so far, without waiting. */
void bed_progress(struct step_bed *b, struct buf *out);

/* Run a program for the test; fails the test with its output unless it exits
 * with 0. The arguments end with NULL. */
void run_ok(const char *dir, ...) __attribute__((sentinel));
/* The same; its first line of output goes to out. */
void run_line(char *out, size_t size, const char *dir, ...) __attribute__((sentinel));

#endif
