/*
 * http.c - the daemon: socket, callbacks of a connection, stop.
 *
 * libmicrohttpd calls on_access() several times a request: once with the
 * headers, once for each piece of the body, and once at its end. Only the last
 * may answer without closing the connection.
 */
#include "server/http_priv.h"

#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/utf8.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* Threads of libmicrohttpd, which only move bytes. */
#define IO_THREADS        2u
#define IO_STACK          (256 * 1024)
#define CONNECTION_MEMORY (32 * 1024)
/* In one step of an upload: few system calls, little memory. */
#define CONNECTION_STEP   (8 * 1024)

const char *http_query(const struct http_req *req, const char *key)
{
	return MHD_lookup_connection_value(req->conn, MHD_GET_ARGUMENT_KIND, key);
}

const char *http_header(const struct http_req *req, const char *name)
{
	return MHD_lookup_connection_value(req->conn, MHD_HEADER_KIND, name);
}

enum err http_query_int(const struct http_req *req, const char *key, int64_t min, int64_t max,
                        int64_t otherwise, int64_t *out, struct why *w)
{
	const char *text = http_query(req, key);

	if (!text) {
		*out = otherwise;
		return OK;
	}
	return err_at(w, int_parse(text, min, max, out, w), "%s", key);
}

enum err http_json(const struct http_req *req, json_t **out, struct why *w)
{
	if (!req->body_len)
		return err_set(w, ERR_INPUT, "the body is empty: expected JSON");
	return json_parse(req->body, req->body_len, req->body_len, out, w);
}

/* ------------------------------------------------- callbacks, in their order */

/* What decoding would hide: a NUL that ends the string early, or a slash
 * that makes one component two. */
static bool uri_is_plain(const char *uri)
{
	for (const char *p = uri; *p; p++) {
		if (*p <= ' ' || *p > '~')
			return false;
		if (*p == '%' && (strncmp(p, "%00", 3) == 0 || strncasecmp(p, "%2f", 3) == 0) &&
		    (p[2] == '0' || !memchr(uri, '?', (size_t)(p - uri))))
			return false;
	}
	return true;
}

/* The first line is there. What is returned travels as *closure below, and
 * ends in on_completed() even when the headers never come. */
static void *on_uri(void *arg, const char *uri, struct MHD_Connection *conn)
{
	struct http *h = arg;
	struct exchange *x = xcalloc(1, sizeof(*x));

	x->http = h;
	x->conn = conn;
	x->fd = -1;
	x->began_ns = clock_mono_ns();
	x->req.srv = h->srv;
	x->req.conn = conn;
	x->req.id = -1;
	if (!uri_is_plain(uri))
		x->refused = err_set(&x->why, ERR_INPUT,
		                     "the path holds what a path cannot: a control character, %%00"
		                     " or an encoded slash");
	return x;
}

static enum MHD_Result check_arg(void *arg, enum MHD_ValueKind kind, const char *key,
                                 const char *value)
{
	bool *bad = arg;

	(void)kind;
	if (!utf8_valid(key, strlen(key)) || (value && !utf8_valid(value, strlen(value))))
		*bad = true;
	return *bad ? MHD_NO : MHD_YES;
}

/* The headers are there. */
static enum MHD_Result begin(struct exchange *x, const char *method, const char *path)
{
	struct http *h = x->http;
	const char *expect;
	bool bad = false;

	x->begun = true;
	x->req.method = method;
	x->req.path = path;
	atomic_fetch_add_explicit(&h->requests, 1, memory_order_relaxed);
	pthread_mutex_lock(&h->lock);
	h->active++;
	x->counted = true;
	pthread_mutex_unlock(&h->lock);

	if (atomic_load(&h->stopping))
		x->refused = err_set(&x->why, ERR_UNAVAILABLE, "the server is stopping");
	MHD_get_connection_values(x->conn, MHD_GET_ARGUMENT_KIND, check_arg, &bad);
	if (x->refused == OK && bad)
		x->refused = err_set(&x->why, ERR_INPUT, "the query is not UTF-8");
	if (x->refused == OK)
		http_decide(x, method, path);
	buf_init(&x->body, x->cap);
	if (x->refused == OK)
		return MHD_YES;
	/* An answer now closes the connection. That is right where nothing was
	 * sent yet, and where too much would come. */
	expect = http_header(&x->req, "Expect");
	if (expect || http_body_declared(x) > (int64_t)HTTP_DRAIN)
		return http_send_error(x, x->refused, &x->why);
	return MHD_YES;
}

/* The request is whole, and no handler is needed or it has run. */
static enum MHD_Result answer(struct exchange *x)
{
	struct why w = {""};
	enum err e;

	if (x->handled) {
		if (x->result == OK)
			return http_send(x, &x->resp);
		http_resp_release(&x->resp);
		return http_send_error(x, x->result, &x->why);
	}
	http_body_release(x);
	if (x->refused != OK)
		return http_send_error(x, x->refused, &x->why);
	e = http_static(x, x->req.path, &x->resp, &w);
	if (e == OK)
		return http_send(x, &x->resp);
	http_resp_release(&x->resp);
	return http_send_error(x, e, &w);
}

static enum MHD_Result on_access(void *arg, struct MHD_Connection *conn, const char *url,
                                 const char *method, const char *version, const char *data,
                                 size_t *len, void **closure)
{
	struct exchange *x = *closure;

	(void)arg;
	(void)conn;
	(void)version;
	if (!x->begun)
		return begin(x, method, url);
	if (*len) {
		size_t n = *len;

		*len = 0;
		return http_body_add(x, data, n) ? MHD_YES : MHD_NO;
	}
	if (x->handled || x->refused != OK || !x->route)
		return answer(x);
	http_pool_add(x);
	return MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *conn, void **closure,
                         enum MHD_RequestTerminationCode how)
{
	struct http *h = arg;
	struct exchange *x = *closure;

	(void)conn;
	if (!x)
		return;
	log_debug("http.request", "method", x->req.method, "path", x->req.path, "ms",
	          log_i((clock_mono_ns() - x->began_ns) / NS_PER_MS), "end", log_i(how), NULL);
	http_body_release(x);
	http_resp_release(&x->resp);
	if (x->counted) {
		pthread_mutex_lock(&h->lock);
		if (--h->active == 0)
			pthread_cond_broadcast(&h->idle);
		pthread_mutex_unlock(&h->lock);
	}
	free(x);
	*closure = NULL;
}

static void on_log(void *arg, const char *fmt, va_list ap)
{
	char text[512];
	size_t len;

	(void)arg;
	vsnprintf(text, sizeof(text), fmt, ap);
	len = strlen(text);
	if (len && text[len - 1] == '\n')
		text[len - 1] = '\0';
	log_debug("http.daemon", "text", text, NULL);
}

/* ---------------------------------------------------------------- start, stop */

static enum err bind_socket(const struct http_conf *conf, int *out, int *port, struct why *w)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	                         .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *ai = NULL;
	struct sockaddr_storage have;
	socklen_t have_len = sizeof(have);
	char service[16], digits[16];
	int fd = -1, one = 1, rc;
	enum err e = OK;

	snprintf(service, sizeof(service), "%d", conf->port);
	rc = getaddrinfo(conf->host, service, &hints, &ai);
	if (rc)
		return err_set(w, ERR_INPUT, "listen: \"%s\" is not an address: %s", conf->host,
		               gai_strerror(rc));
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* A restart must not wait for connections of the last run to time out. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0) {
		e = err_sys(w, ERR_IO, "cannot make a socket");
	} else if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, 128) != 0) {
		if (errno == EADDRINUSE)
			e = err_set(w, ERR_CONFLICT,
			            "port %d of %s is in use by another program: choose another"
			            " with \"listen\" (make run: LISTEN=ADDRESS:PORT)",
			            conf->port, conf->host);
		else
			e = err_sys(w, ERR_IO, "cannot listen at %s port %d", conf->host,
			            conf->port);
	} else if (getsockname(fd, (struct sockaddr *)&have, &have_len) != 0 ||
	           getnameinfo((struct sockaddr *)&have, have_len, NULL, 0, digits, sizeof(digits),
	                       NI_NUMERICSERV) != 0) {
		e = err_sys(w, ERR_IO, "cannot learn the port");
	}
	freeaddrinfo(ai);
	if (e == OK) {
		*port = (int)strtol(digits, NULL, 10);
		*out = fd;
	} else if (fd >= 0) {
		close(fd);
	}
	return e;
}

enum err http_start(struct server *srv, const struct http_conf *conf,
                    const struct http_route *routes, size_t count, struct http **out, struct why *w)
{
	struct http *h;
	pthread_condattr_t monotonic;
	int fd = -1, port = 0;
	enum err e;

	http_routes_check(routes, count);
	e = bind_socket(conf, &fd, &port, w);
	if (e != OK)
		return e;
	h = xcalloc(1, sizeof(*h));
	h->srv = srv;
	h->conf = *conf;
	h->routes = routes;
	h->count = count;
	h->port = port;
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&h->idle, &monotonic);
	pthread_condattr_destroy(&monotonic);
	e = http_pool_start(h, w);
	if (e != OK)
		goto fail;
	/* Published before the first request can ask for its counters. */
	*out = h;
	/* poll, not epoll: 0.9.75 with epoll misses the end of a connection that
	 * came together with its last bytes, and keeps the torn request until it
	 * times out. With some hundred connections the cost is the same. */
	/* clang-format off */
	h->daemon = MHD_start_daemon(
		MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
		on_access, h,
		MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_URI_LOG_CALLBACK, on_uri, h,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
		MHD_OPTION_THREAD_POOL_SIZE, IO_THREADS,
		MHD_OPTION_THREAD_STACK_SIZE, (size_t)IO_STACK,
		MHD_OPTION_CONNECTION_LIMIT, conf->connections,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, conf->per_address,
		MHD_OPTION_CONNECTION_TIMEOUT, conf->timeout_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)CONNECTION_STEP,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
		MHD_OPTION_END);
	/* clang-format on */
	if (h->daemon)
		return OK;
	e = err_sys(w, ERR_IO, "cannot start the HTTP threads");
	http_pool_stop(h);
fail:
	close(fd);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->idle);
	free(h);
	*out = NULL;
	return e;
}

int http_port(const struct http *h)
{
	return h->port;
}

void http_stop(struct http *h, int64_t timeout_ms)
{
	struct timespec until;
	int fd;

	if (!h)
		return;
	atomic_store(&h->stopping, true);
	/* No new connections; those that wait in the backlog are reset when the
	 * socket closes, as if nobody listened. */
	fd = MHD_quiesce_daemon(h->daemon);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * NS_PER_MS;
	if (until.tv_nsec >= NS_PER_S) {
		until.tv_sec++;
		until.tv_nsec -= NS_PER_S;
	}
	pthread_mutex_lock(&h->lock);
	while (h->active && pthread_cond_timedwait(&h->idle, &h->lock, &until) == 0)
		;
	pthread_mutex_unlock(&h->lock);
	/* Resumes what is suspended, which the daemon needs to end. */
	http_pool_stop(h);
	MHD_stop_daemon(h->daemon);
	if (fd != MHD_INVALID_SOCKET)
		close(fd);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->idle);
	free(h);
}

void http_counters(struct http *h, struct http_counters *c)
{
	const union MHD_DaemonInfo *info;

	c->requests = atomic_load(&h->requests);
	for (size_t i = 0; i < ARRAY_SIZE(c->by_class); i++)
		c->by_class[i] = atomic_load(&h->by_class[i]);
	c->bytes_in = atomic_load(&h->bytes_in);
	c->bytes_out = atomic_load(&h->bytes_out);
	info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
	c->open_connections = info ? info->num_connections : 0;
}
