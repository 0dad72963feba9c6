/*
 * http.h - the only door to libmicrohttpd.
 *
 * One table of routes {method, pattern, role, max_body, handler, summary}
 * decides 404, 405, 401/403 and 413 before any handler runs, on the first call
 * of a connection where only the headers are known. Handlers get a whole,
 * size-checked body (or a file, for HTTP_BODY_FILE routes) and fill a response.
 *
 *     static const struct http_route routes[] = {
 *             {"GET", "/api/v1/jobs/{id}", ROLE_READ, 0, 0, job_get, "One job", "job_get"},
 *             ...
 *     };
 *
 * HEAD is answered by GET's row. A request that is refused is still read up to
 * a bound, because libmicrohttpd 0.9.75 takes no response while an upload runs
 * and a connection that is closed with unread bytes loses its answer.
 *
 * A pattern's {id} matches digits, {name} [A-Za-z0-9._-]{1,64}, {sha256} 64
 * lower-case hex digits. Handlers run on a pool of threads of their own
 * and may wait for a commit there.
 */
#ifndef FOLDWATCH_HTTP_H
#define FOLDWATCH_HTTP_H

#include "lib/buf.h"
#include "lib/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum role { ROLE_NONE, ROLE_READ, ROLE_SUBMIT, ROLE_AGENT, ROLE_ADMIN };

#define HTTP_BODY_FILE  1u /* the body goes to a temporary file: req->body_path */
#define HTTP_SUBMIT_TOO 2u /* ROLE_AGENT route that `submit` tokens may use too */

struct server; /* the program's state: server.h */
struct http;

struct http_req {
	struct server *srv;
	const char *method, *path;
	const char *param[4];    /* what the pattern's braces matched, in order */
	int64_t id;              /* the {id}, or -1 */
	enum role role;          /* of the token; ROLE_NONE for an anonymous reader */
	int64_t token_id;        /* 0: none */
	const char *token_label; /* NULL: none */
	const char *body;        /* NUL-terminated; NULL when there is none */
	size_t body_len;
	const char *body_path; /* HTTP_BODY_FILE: complete and fsync'd; the handler may rename it
	                          away */
	char body_sha256[65];  /* HTTP_BODY_FILE: hash of what came */
	/* Set by a handler that fails with ERR_BUSY: when it is worth another try; 0: soon. */
	int64_t retry_after_s;
	void *conn; /* for http_query() and http_header() */
};

/* A query argument or header, or NULL. Borrowed for the request. */
const char *http_query(const struct http_req *req, const char *key);
const char *http_header(const struct http_req *req, const char *name);
/* The body as strict JSON (lib/json.h); an absent one is ERR_INPUT. Release
 * with json_decref(). */
enum err http_json(const struct http_req *req, json_t **out, struct why *w);
/* A whole number in the query within [min, max]; `otherwise` when absent. */
enum err http_query_int(const struct http_req *req, const char *key, int64_t min, int64_t max,
                        int64_t otherwise, int64_t *out, struct why *w);

struct http_resp {
	int status;       /* 200 unless set */
	json_t *json;     /* taken; or else body */
	struct buf body;  /* taken */
	const char *type; /* content type of body; constant */
	char *file_path;  /* taken: send this file (with body_type `type`) */
	struct {
		const char *name; /* constant */
		char *value;      /* taken */
	} header[6];
	int headers;
};
void http_resp_header(struct http_resp *r, const char *name, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
/* Frees what r holds (for handlers called by tests; http does it itself). */
void http_resp_release(struct http_resp *r);

/* Fills the response. An error (with its sentence) becomes docs/api.md's error
 * object; `r` is then dropped. */
typedef enum err http_handler(struct http_req *req, struct http_resp *r, struct why *w);

/* The order of the table's columns. NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct http_route {
	const char *method, *pattern;
	enum role role;
	size_t max_body;
	unsigned int flags;
	http_handler *handler;
	const char *summary; /* one line, for the OpenAPI document */
	const char *op;      /* operationId, unique */
};

struct http_conf {
	const char *host; /* address to bind: 127.0.0.1 */
	int port;         /* 0: any free one */
	unsigned int threads, connections, per_address, timeout_s;
	const char *tmp_dir; /* for HTTP_BODY_FILE, same file system as the artifacts */
	const char *web_dir; /* static files, served at / with strict types; NULL: none */
	/* Who is behind this bearer token? OK and fills role, id, label (into
	 * label_out of 65 bytes); ERR_AUTH otherwise. */
	enum err (*authenticate)(struct server *srv, const char *token, enum role *role,
	                         int64_t *id, char *label_out, struct why *w);
	bool read_open; /* anonymous GETs of ROLE_READ routes are allowed */
	/* Caps over those of the routes, by kind of body; 0: none. */
	size_t body_max, file_max;
	/* Bytes of all bodies that are held in memory at a time, past which a
	 * request is told to come again (429). */
	size_t body_total;
	/* Called on the worker's thread after each request; may be NULL. */
	void (*after)(struct server *srv);
};

/* Binds and starts; `conf` is copied but for what its strings point to, which
 * must outlive the server, as must the routes. `threads` of them run handlers, on
 * stacks of 512 KiB. http_port() tells the port that was bound. ERR_CONFLICT
 * when the port is in use, with a sentence for people. */
enum err http_start(struct server *srv, const struct http_conf *conf,
                    const struct http_route *routes, size_t count, struct http **out,
                    struct why *w);
int http_port(const struct http *h);
/* Refuse new requests with 503, let those under way finish (at most
 * timeout_ms), then stop. */
void http_stop(struct http *h, int64_t timeout_ms);

struct http_counters {
	uint64_t requests, by_class[6], bytes_in, bytes_out; /* by_class[2]: 2xx */
	uint64_t open_connections;
};
void http_counters(struct http *h, struct http_counters *c);

#endif
