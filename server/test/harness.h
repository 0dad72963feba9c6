/*
 * harness.h - the real foldwatchd on a free loopback port, in a directory of
 * its own, for contract tests.
 *
 *     struct daemon *d = daemon_new("body_max_bytes = 64K\n");
 *     daemon_start(d);                   fails the test when it does not come up
 *     ... talk to it ...
 *     daemon_stop(d);                    SIGTERM; fails unless it ends with 0
 *     daemon_free(d);                    kills it if it runs, removes everything
 *
 * The program is build/foldwatchd of the same build as the test (sanitized or
 * not): ../../foldwatchd as seen from the test's program. It dies with the test
 * (PR_SET_PDEATHSIG), so nothing stays behind.
 */
#ifndef FOLDWATCH_TEST_HARNESS_H
#define FOLDWATCH_TEST_HARNESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct client;

struct daemon {
	pid_t pid; /* 0: not running */
	char *dir; /* state and everything else of this test */
	char *conf, *log;
	int port;
	char base[64];       /* http://127.0.0.1:PORT */
	char admin[64];      /* the admin token of the first start */
	uint64_t file_limit; /* RLIMIT_FSIZE for the next start; 0: none */
};

/* The path of a program of this build: "foldwatchd", "foldwatch". Borrowed. */
const char *program(const char *name);

/* `extra`: lines for the configuration, or NULL. The directory is below
 * `under`, or a temporary one when NULL. */
struct daemon *daemon_new(const char *extra);
struct daemon *daemon_new_at(const char *under, const char *extra);
void daemon_start(struct daemon *d);
/* Starts, expects it to end by itself; returns its exit status (or 128 +
 * signal) with what it wrote in *text (free() it). `args` NULL-terminated. */
int daemon_run(struct daemon *d, const char *const *args, char **text);
void daemon_stop(struct daemon *d);
/* SIGKILL, as a power cut for the process. */
void daemon_kill(struct daemon *d);
void daemon_free(struct daemon *d);
/* What it logged so far; free() it. */
char *daemon_log(const struct daemon *d);

/* lib's client for it, as agent and command line use it; client_free() it. */
struct client *daemon_client(const struct daemon *d, const char *token);

/* A new token of this role, by API; free() it. *id may be NULL. */
char *daemon_token(struct daemon *d, const char *role, int64_t *id);

struct reply_raw {
	int status; /* 0: the connection ended without an answer */
	char *head; /* status line and headers */
	char *body; /* NUL-terminated */
	size_t body_len;
};
void reply_raw_release(struct reply_raw *r);
/* A header's value, up to the line's end, or NULL; free() it. */
char *reply_raw_header(const struct reply_raw *r, const char *name);

/* Bytes on the wire, for what no client would send. */
int raw_connect(const struct daemon *d);
bool raw_send(int fd, const void *data, size_t len);
/* One answer, at most timeout_ms; `head_only` after a HEAD. */
void raw_reply(int fd, int timeout_ms, bool head_only, struct reply_raw *out);
/* True when the peer closed (within timeout_ms) with nothing more to read. */
bool raw_closed(int fd, int timeout_ms);

/* One request on a connection of its own. `token` and `headers` ("A: b\r\n"
 * lines) may be NULL; body NULL for none. Returns the status. */
int ask(struct daemon *d, const char *method, const char *path, const char *token,
        const char *headers, const void *body, size_t len, struct reply_raw *out);
/* The same with text in and the parsed answer out (json_decref() it; NULL when
 * it is no JSON). */
int ask_json(struct daemon *d, const char *method, const char *path, const char *token,
             const char *text, json_t **out);
/* Asks, and expects this status with docs/api.md's error object and that code;
 * `has` must stand in the message (NULL: anything). */
void expect_error(struct daemon *d, const char *method, const char *path, const char *token,
                  const char *body, int status, const char *code, const char *has);
/* Checks that an answer is such an error object. */
void check_error(const struct reply_raw *r, int status, const char *code, const char *has);

/* len bytes that differ by seed, and a NUL; free() it. */
char *noise(size_t len, unsigned int seed);
/* "/api/v1/artifacts/HASH" of a content; free() it. */
char *artifact_url(const void *data, size_t len);

void sleep_ms(int ms);
/* The content of a file, NUL-terminated, or NULL; free() it. */
char *slurp(const char *path);

#endif
