/*
 * http_priv.h - what the files of the HTTP room share: microhttpd.h ends here.
 *
 * The way of a request:
 *
 *     http.c        a connection's callbacks in order: uri, headers, body, end
 *     http_route.c  from method, path and token: which row, or why not
 *     http_body.c   what came of the body, into memory or a file, up to its cap
 *     http_pool.c   the handler, on a thread where it may wait
 *     http_static.c files of web/
 *     http_resp.c   a filled struct http_resp, or an error, onto the wire
 *
 * All but the handler runs on libmicrohttpd's threads, which never wait for
 * anything: they accept in bursts, so one that waited would make all the
 * connections wait that it happened to take. Meanwhile the connection is
 * suspended: nobody else touches its exchange, nor does a timeout.
 */
#ifndef FOLDWATCH_HTTP_PRIV_H
#define FOLDWATCH_HTTP_PRIV_H

#include "server/http.h"

#include "lib/hash.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

/* Bytes of a refused request's body that are read and dropped so that the
 * answer arrives; past it the connection is closed. */
#define HTTP_DRAIN         ((uint64_t)4 << 20)
/* A body may take this long, and longer only at this many bytes a second. */
#define HTTP_BODY_GRACE_S  60
#define HTTP_BODY_MIN_RATE 1024

struct exchange;
struct pool;

struct http {
	struct server *srv;
	struct http_conf conf;
	const struct http_route *routes;
	size_t count;
	struct MHD_Daemon *daemon;
	struct pool *pool;
	int port;
	atomic_bool stopping;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned int active; /* requests begun and not completed; under lock */
	atomic_uint_fast64_t requests, by_class[6], bytes_in, bytes_out;
	atomic_size_t body_held;
};

/* One request, from its first line to its completion. */
struct exchange {
	struct http *http;
	struct MHD_Connection *conn;
	struct http_req req;
	const struct http_route *route; /* NULL: a static file, or refused */
	bool begun;                     /* its headers were seen */
	bool counted;                   /* in http->active */
	bool head;
	/* Refused: the answer once the body has been read. */
	enum err refused;
	struct why why;
	char allow[64];
	char param[4][72];
	char label[65];
	/* The body. */
	uint64_t cap, got;
	int64_t began_ns;
	struct buf body;
	size_t held;
	int fd;
	char *tmp;
	struct hash *hash;
	/* What the handler made of it. */
	bool handled;
	enum err result;
	struct http_resp resp;
	struct exchange *next; /* in the pool's queue */
};

/* Check the table once: patterns well-formed, operations unique. Aborts. */
void http_routes_check(const struct http_route *routes, size_t count);
/* Row, parameters and caller, or x->refused with its reason. */
void http_decide(struct exchange *x, const char *method, const char *path);

/* Bytes that came. False: close the connection. */
bool http_body_add(struct exchange *x, const char *data, size_t len);
/* The body is whole: hand it to x->req. */
void http_body_end(struct exchange *x);
void http_body_release(struct exchange *x);
/* The header's number, or -1 when there is none. */
int64_t http_body_declared(struct exchange *x);

/* Threads that run handlers. */
enum err http_pool_start(struct http *h, struct why *w);
/* Suspends the connection of a whole request until its handler has run. */
void http_pool_add(struct exchange *x);
/* Requests that still wait are refused; waits for those that run. */
void http_pool_stop(struct http *h);

/* The answer for a path under web_dir. */
enum err http_static(struct exchange *x, const char *path, struct http_resp *r, struct why *w);
/* True when the If-None-Match of the request names this entity. */
bool http_none_match(struct exchange *x, const char *etag);

/* Both release what r holds. */
enum MHD_Result http_send(struct exchange *x, struct http_resp *r);
enum MHD_Result http_send_error(struct exchange *x, enum err e, const struct why *w);

#endif
