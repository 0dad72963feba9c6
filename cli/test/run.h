/*
 * run.h - the real build/foldwatch, run by a test.
 *
 *     struct ran r;
 *     run_cli(&r, dir, "FOLDWATCH_SERVER=http://…", "status", "--json", NULL);
 *     assert_int_equal(r.code, 0);
 *     ran_release(&r);
 *
 * Arguments that begin with FOLDWATCH_ and hold a '=' stand before the others
 * and are set in its environment, from which all other FOLDWATCH_ variables are
 * gone. It runs in `dir`, with nothing on standard input, and is killed after
 * 60 s.
 */
#ifndef FOLDWATCH_TEST_RUN_H
#define FOLDWATCH_TEST_RUN_H

#include <jansson.h>
#include <sys/types.h>

struct ran {
	int code; /* exit status, or 128 + signal */
	char *out, *err;
	size_t out_len;
	/* while it runs */
	pid_t pid;
	char *out_path, *err_path;
};

/* Another copy of the program; NULL: that of this build. */
extern const char *run_path;

void run_cli(struct ran *r, const char *dir, ...) __attribute__((sentinel));
/* The same in two parts, for what happens while it runs. */
void run_start(struct ran *r, const char *dir, ...) __attribute__((sentinel));
void run_wait(struct ran *r);
/* With standard output going to this path instead ("/dev/full"). */
void run_to(struct ran *r, const char *out_path, const char *dir, ...) __attribute__((sentinel));
void ran_release(struct ran *r);

/* Fails the test unless it ended with this code and its standard error is one
 * line "foldwatch: …" that holds `has`. */
void expect_fail(const struct ran *r, int code, const char *has);
/* Fails unless it ended with 0; returns its output as JSON. json_decref() it. */
json_t *expect_json(const struct ran *r);
/* Fails unless it ended with 0 and standard output holds `has`. */
void expect_out(const struct ran *r, const char *has);

#endif
