#include "lib/test/http_peer.h"

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/mem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 64

struct peer {
	int fd, port;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_t workers[CONNECTIONS];
	int fds[CONNECTIONS];
	int connections, hits;
	char redirect[256];
	char *artifact;
	size_t artifact_len;
	struct buf head, body;
};

struct request {
	struct peer *p;
	int fd;
	struct buf in; /* what was read and not used yet */
	char method[16], path[512];
	struct buf head, body;
};

struct worker {
	struct peer *p;
	int fd;
};

static bool send_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static bool send_text(int fd, const char *text)
{
	return send_all(fd, text, strlen(text));
}

static bool answer(struct request *q, int status, const char *extra, const char *type,
                   const void *body, size_t len)
{
	char *head =
	        xasprintf("HTTP/1.1 %d Words\r\n%s%s%s%sContent-Length: %zu\r\n\r\n", status, extra,
	                  type ? "Content-Type: " : "", type ? type : "", type ? "\r\n" : "", len);
	bool ok = send_text(q->fd, head) &&
	          (!strcmp(q->method, "HEAD") || send_all(q->fd, body, len));

	free(head);
	return ok;
}

static bool json(struct request *q, int status, const char *extra, const char *text)
{
	return answer(q, status, extra, "application/json; charset=utf-8", text, strlen(text));
}

/* ---- routes: false closes the connection */

static bool do_status(struct request *q)
{
	char text[200];
	int status = (int)strtol(q->path + strlen("/status/"), NULL, 10);

	snprintf(text, sizeof(text), "{\"error\":{\"code\":\"x\",\"message\":\"sentence of %d\"}}",
	         status);
	return json(q, status, "", text);
}

static bool do_plain(struct request *q)
{
	return answer(q, (int)strtol(q->path + strlen("/plain/"), NULL, 10), "", "text/plain",
	              "words\n", 6);
}

static bool do_ok(struct request *q)
{
	return json(q, 200, "", "{\"ok\":true}");
}

static bool do_created(struct request *q)
{
	return json(q, 201, "", "{\"id\":7}");
}

static bool do_empty(struct request *q)
{
	return send_text(q->fd, "HTTP/1.1 204 No Content\r\n\r\n");
}

static bool do_redirect(struct request *q)
{
	char extra[300];

	pthread_mutex_lock(&q->p->lock);
	snprintf(extra, sizeof(extra), "Location: %s\r\n", q->p->redirect);
	pthread_mutex_unlock(&q->p->lock);
	return answer(q, 302, extra, NULL, "", 0);
}

static bool do_stall(struct request *q)
{
	char c;

	while (recv(q->fd, &c, 1, 0) > 0) /* until the client goes, or peer_free() */
		;
	return false;
}

static bool do_torn(struct request *q)
{
	send_text(q->fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	                 "Content-Length: 100\r\n\r\n{\"ok\":");
	return false;
}

static bool do_torn_chunk(struct request *q)
{
	send_text(q->fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	                 "Transfer-Encoding: chunked\r\n\r\nb\r\n{\"ok\":true}\r\n");
	return false;
}

static bool do_garbage(struct request *q)
{
	send_text(q->fd, "SSH-2.0-OpenSSH_9.2p1\r\n");
	return false;
}

static bool do_nothing(struct request *q)
{
	(void)q;
	return false;
}

static bool do_bad_json(struct request *q)
{
	return json(q, 200, "", "{\"a\":1,\"a\":2}");
}

static bool do_bad_error(struct request *q)
{
	return json(q, 409, "", "{\"error\":");
}

static bool do_html(struct request *q)
{
	return answer(q, 200, "", "text/html", "<p>log in</p>", 13);
}

static bool do_offset(struct request *q)
{
	return answer(q, 200, "foldwatch-next-offset: 1234\r\nRetry-After: 7\r\n", "text/plain",
	              "log\n", 4);
}

static bool do_bad_headers(struct request *q)
{
	return answer(q, 429, "Foldwatch-Next-Offset: -5\r\nRetry-After: tomorrow\r\n",
	              "text/plain", "log\n", 4);
}

static bool do_big(struct request *q)
{
	static const char zeros[1 << 16];
	int i;

	send_text(q->fd, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
	                 "Content-Length: 68157440\r\n\r\n"); /* 65 MiB */
	for (i = 0; i < 65 * 16; i++)
		if (!send_all(q->fd, zeros, sizeof(zeros)))
			return false;
	return true;
}

static bool do_drop(struct request *q)
{
	do_ok(q); /* says nothing of closing */
	return false;
}

static bool do_artifact(struct request *q)
{
	struct peer *p = q->p;
	bool ok;

	pthread_mutex_lock(&p->lock);
	if (!strcmp(q->method, "PUT")) {
		free(p->artifact);
		p->artifact = xmalloc(q->body.len + 1);
		memcpy(p->artifact, q->body.data, q->body.len);
		p->artifact_len = q->body.len;
		ok = json(q, 201, "", "{\"new\":true}");
	} else if (!p->artifact) {
		ok = json(q, 404, "",
		          "{\"error\":{\"code\":\"not_found\",\"message\":\"no such "
		          "artifact\"}}");
	} else {
		ok = answer(q, 200, "", "application/octet-stream", p->artifact, p->artifact_len);
	}
	pthread_mutex_unlock(&p->lock);
	return ok;
}

/* Artifacts whose hash begins with a word of their own. */
static bool do_artifact_drip(struct request *q)
{
	send_text(q->fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nab");
	return do_stall(q);
}

static bool do_artifact_torn(struct request *q)
{
	send_text(q->fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nab");
	return false;
}

static bool do_artifact_refuse(struct request *q)
{
	if (!strcmp(q->method, "HEAD"))
		return answer(q, 404, "", NULL, "", 0);
	return json(q, 422, "",
	            "{\"error\":{\"code\":\"unprocessable\",\"message\":\"the hash "
	            "differs\"}}");
}

static bool do_artifact_denied(struct request *q)
{
	return answer(q, 401, "", NULL, "", 0);
}

static const struct {
	const char *prefix;
	bool (*run)(struct request *q);
} peer_routes[] = {
        {"/status/", do_status},
        {"/plain/", do_plain},
        {"/ok", do_ok},
        {"/created", do_created},
        {"/empty", do_empty},
        {"/redirect", do_redirect},
        {"/stall", do_stall},
        {"/torn-chunk", do_torn_chunk},
        {"/torn", do_torn},
        {"/garbage", do_garbage},
        {"/nothing", do_nothing},
        {"/bad-json", do_bad_json},
        {"/bad-error", do_bad_error},
        {"/html", do_html},
        {"/offset", do_offset},
        {"/bad-headers", do_bad_headers},
        {"/big", do_big},
        {"/drop", do_drop},
        {"/api/v1/artifacts/d0d0", do_artifact_drip},
        {"/api/v1/artifacts/d1d1", do_artifact_torn},
        {"/api/v1/artifacts/d2d2", do_artifact_refuse},
        {"/api/v1/artifacts/d3d3", do_artifact_denied},
        {"/api/v1/artifacts/", do_artifact},
};

/* ---- reading */

static bool fill(struct request *q)
{
	char data[65536];
	ssize_t n = recv(q->fd, data, sizeof(data), 0);

	return n > 0 && buf_add(&q->in, data, (size_t)n);
}

static const char *header(const struct request *q, const char *name)
{
	const char *at = strcasestr(q->head.data, name);

	return at ? at + strlen(name) : NULL;
}

static bool read_request(struct request *q)
{
	size_t len = 0;
	char *end;

	while (!(end = memmem(q->in.data, q->in.len, "\r\n\r\n", 4)))
		if (!fill(q))
			return false;
	buf_reset(&q->head);
	buf_reset(&q->body);
	buf_add(&q->head, q->in.data, (size_t)(end - q->in.data) + 2);
	buf_drop(&q->in, (size_t)(end - q->in.data) + 4);
	if (sscanf(q->head.data, "%15s %511s", q->method, q->path) != 2)
		return false;
	if (header(q, "\r\nContent-Length:"))
		len = strtoul(header(q, "\r\nContent-Length:"), NULL, 10);
	/* A server that refuses does not ask for the body at all. */
	if (header(q, "\r\nExpect: 100-continue") && strstr(q->path, "d2d2")) {
		do_artifact_refuse(q);
		return false;
	}
	if (header(q, "\r\nExpect: 100-continue"))
		send_text(q->fd, "HTTP/1.1 100 Continue\r\n\r\n");
	while (q->in.len < len)
		if (!fill(q))
			return false;
	buf_add(&q->body, q->in.data, len);
	buf_drop(&q->in, len);
	pthread_mutex_lock(&q->p->lock);
	q->p->hits++;
	buf_reset(&q->p->head);
	buf_add(&q->p->head, q->head.data, q->head.len);
	buf_reset(&q->p->body);
	buf_add(&q->p->body, q->body.data, q->body.len);
	pthread_mutex_unlock(&q->p->lock);
	return true;
}

static bool serve(struct request *q)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(peer_routes); i++)
		if (str_starts(q->path, peer_routes[i].prefix))
			return peer_routes[i].run(q);
	return json(q, 404, "", "{}");
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct request q = {.p = w->p, .fd = w->fd};

	free(w);
	buf_init(&q.in, 128 << 20);
	buf_init(&q.head, 1 << 20);
	buf_init(&q.body, 128 << 20);
	while (read_request(&q) && serve(&q))
		;
	shutdown(q.fd, SHUT_RDWR); /* closed by peer_free(), when no one can mistake its number */
	buf_release(&q.in);
	buf_release(&q.head);
	buf_release(&q.body);
	return NULL;
}

static void *accept_main(void *arg)
{
	struct peer *p = arg;
	struct worker *w;
	int fd;

	while ((fd = accept(p->fd, NULL, NULL)) >= 0) {
		w = xcalloc(1, sizeof(*w));
		w->p = p;
		w->fd = fd;
		pthread_mutex_lock(&p->lock);
		if (p->connections == CONNECTIONS)
			err_bug("more connections than the test's server has room for");
		p->fds[p->connections] = fd;
		if (pthread_create(&p->workers[p->connections++], NULL, worker_main, w))
			err_bug("no thread");
		pthread_mutex_unlock(&p->lock);
	}
	return NULL;
}

struct peer *peer_new(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	struct peer *p = xcalloc(1, sizeof(*p));

	pthread_mutex_init(&p->lock, NULL);
	buf_init(&p->head, 1 << 20);
	buf_init(&p->body, 128 << 20);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->fd < 0 || bind(p->fd, (struct sockaddr *)&at, sizeof(at)) || listen(p->fd, 64) ||
	    getsockname(p->fd, (struct sockaddr *)&at, &len))
		err_bug("no socket on loopback");
	p->port = ntohs(at.sin_port);
	if (pthread_create(&p->thread, NULL, accept_main, p))
		err_bug("no thread");
	return p;
}

void peer_free(struct peer *p)
{
	int i;

	shutdown(p->fd, SHUT_RDWR);
	pthread_join(p->thread, NULL);
	close(p->fd);
	for (i = 0; i < p->connections; i++) {
		shutdown(p->fds[i], SHUT_RDWR);
		pthread_join(p->workers[i], NULL);
		close(p->fds[i]);
	}
	buf_release(&p->head);
	buf_release(&p->body);
	free(p->artifact);
	free(p);
}

int peer_port(const struct peer *p)
{
	return p->port;
}

int peer_hits(struct peer *p)
{
	int n;

	pthread_mutex_lock(&p->lock);
	n = p->hits;
	pthread_mutex_unlock(&p->lock);
	return n;
}

int peer_connections(struct peer *p)
{
	int n;

	pthread_mutex_lock(&p->lock);
	n = p->connections;
	pthread_mutex_unlock(&p->lock);
	return n;
}

void peer_redirect_to(struct peer *p, const char *url)
{
	pthread_mutex_lock(&p->lock);
	snprintf(p->redirect, sizeof(p->redirect), "%s", url);
	pthread_mutex_unlock(&p->lock);
}

void peer_set_artifact(struct peer *p, const void *data, size_t len)
{
	pthread_mutex_lock(&p->lock);
	free(p->artifact);
	p->artifact = data ? xmalloc(len + 1) : NULL;
	if (data)
		memcpy(p->artifact, data, len);
	p->artifact_len = len;
	pthread_mutex_unlock(&p->lock);
}

void peer_last_head(struct peer *p, char *out, size_t size)
{
	pthread_mutex_lock(&p->lock);
	snprintf(out, size, "%s", p->head.data);
	pthread_mutex_unlock(&p->lock);
}

size_t peer_last_body(struct peer *p, char *out, size_t size)
{
	size_t n;

	pthread_mutex_lock(&p->lock);
	n = p->body.len < size ? p->body.len : size;
	memcpy(out, p->body.data, n);
	pthread_mutex_unlock(&p->lock);
	return n;
}
