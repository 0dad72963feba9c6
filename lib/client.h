/*
 * client.h - the HTTP client (the only user of libcurl).
 *
 *     struct client *c = client_new("http://127.0.0.1:8080", token, "foldwatch/1");
 *     struct reply r;
 *     e = client_json(c, "POST", "/api/v1/submissions", body, NULL, &r, &w);
 *     ... r.status, r.json ...
 *     reply_release(&r);
 *
 * A `struct client` keeps one connection alive and belongs to one thread.
 * Redirects are never followed; only http and https are spoken; the token is
 * sent to the base address only, and never logged. A proxy of the environment
 * (https_proxy) is used for an https address only, where it cannot look inside.
 *
 * Return value: OK for a 2xx answer. For another status the error of
 * err_from_http() with the server's own sentence in *w, and r still filled.
 * ERR_UNAVAILABLE when no answer came (refused, reset, unknown host), and
 * ERR_TIMEOUT; r.status is 0 then, also when an answer broke off in its middle.
 * ERR_UNAVAILABLE with a 2xx in r.status: what answered is not a foldwatch
 * server (its JSON cannot be parsed, or client_json() got another type).
 * ERR_TOO_LARGE without a 413 in r.status: an answer of more than 64 MiB.
 */
#ifndef FOLDWATCH_CLIENT_H
#define FOLDWATCH_CLIENT_H

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/hash.h"

#include <jansson.h>
#include <stdint.h>

struct client;

struct reply {
	int status;            /* 0: no answer */
	json_t *json;          /* the parsed body when its type is JSON, else NULL */
	struct buf body;       /* as it came, at most 64 MiB */
	int64_t next_offset;   /* header Foldwatch-Next-Offset, or -1 */
	int64_t retry_after_s; /* header Retry-After in seconds, or -1 */
};

void client_global_init(void); /* once, before threads */
/* `base` without a trailing slash; token may be NULL. Both are copied. A base
 * that is no address fails with ERR_INPUT at the first request. */
struct client *client_new(const char *base, const char *token, const char *agent);
void client_free(struct client *c);
const char *client_base(const struct client *c);
/* Connect within connect_ms, and the whole request within total_ms (0: the
 * defaults, 5 s and 60 s). File transfers are bounded instead by stalling:
 * less than 1 KiB/s over 30 s. */
void client_set_timeouts(struct client *c, int64_t connect_ms, int64_t total_ms);
/* Another bound of stalling for file transfers than 30 s. */
void client_set_stall(struct client *c, int64_t stall_s);

/* `path` begins with a slash and is encoded. `body` may be NULL; it is
 * borrowed. `key` is an Idempotency-Key or NULL. r is written in any case;
 * reply_release() it in any case. */
enum err client_json(struct client *c, const char *method, const char *path, const json_t *body,
                     const char *key, struct reply *r, struct why *w);
/* Any bytes with their content type (NULL: application/octet-stream); `accept`
 * NULL stands for application/json. */
enum err client_bytes(struct client *c, const char *method, const char *path, const char *type,
                      const void *data, size_t len, const char *accept, const char *key,
                      struct reply *r, struct why *w);
/* PUT a file to /api/v1/artifacts/SHA256 unless the server has it (HEAD
 * first). `hex` is its hash as computed by the caller. */
enum err client_put_artifact(struct client *c, const char *path, const char *hex, struct why *w);
/* GET an artifact into a file: durable (mode 0600), verified against its hash,
 * or nothing. A hash that differs is ERR_UNAVAILABLE: try again. */
enum err client_get_artifact(struct client *c, const char *hex, const char *path, struct why *w);
void reply_release(struct reply *r);

/* Percent-encode everything but unreserved characters (RFC 3986); free() it. */
char *url_encode(const char *s);

#endif
