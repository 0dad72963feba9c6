/*
 * http_body.c - a request's body, counted as it comes.
 *
 * What was declared is only used to refuse early; what is kept is bounded by
 * what came, chunked or not.
 */
#include "server/http_priv.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int64_t http_body_declared(struct exchange *x)
{
	const char *text = http_header(&x->req, MHD_HTTP_HEADER_CONTENT_LENGTH);
	int64_t n = 0;

	if (!text || !*text)
		return -1;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (n > INT64_MAX / 10 - 1)
			return INT64_MAX;
		n = n * 10 + (*text - '0');
	}
	return n;
}

static enum err open_tmp(struct exchange *x)
{
	char name[33];

	random_hex(name, 16);
	x->tmp = xasprintf("%s/up-%s", x->http->conf.tmp_dir, name);
	x->fd = open(x->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (x->fd < 0)
		return err_sys(&x->why, ERR_IO, "cannot keep the body");
	x->hash = hash_new();
	return OK;
}

static enum err keep_in_file(struct exchange *x, const char *data, size_t len)
{
	enum err e;

	if (x->fd < 0) {
		e = open_tmp(x);
		if (e != OK)
			return e;
	}
	hash_add(x->hash, data, len);
	while (len) {
		ssize_t n = write(x->fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		/* A file-size limit is met like a full disk. */
		if (n < 0 && errno == EFBIG)
			errno = ENOSPC;
		if (n < 0)
			return err_sys(&x->why, ERR_IO, "cannot keep the body");
		data += n;
		len -= (size_t)n;
	}
	return OK;
}

static enum err keep_in_memory(struct exchange *x, const char *data, size_t len)
{
	struct http *h = x->http;

	x->held += len;
	if (atomic_fetch_add(&h->body_held, len) + len > h->conf.body_total && h->conf.body_total)
		return err_set(&x->why, ERR_BUSY, "too many large requests at a time");
	if (!buf_add(&x->body, data, len))
		return err_set(&x->why, ERR_TOO_LARGE, "the body is too large");
	return OK;
}

static void drop(struct exchange *x)
{
	atomic_fetch_sub(&x->http->body_held, x->held);
	x->held = 0;
	buf_release(&x->body);
	if (x->fd >= 0)
		close(x->fd);
	x->fd = -1;
	if (x->hash)
		hash_abort(x->hash);
	x->hash = NULL;
	if (x->tmp)
		unlink(x->tmp);
	free(x->tmp);
	x->tmp = NULL;
}

/* Slower than anyone honest: it would hold a connection for hours. */
static bool too_slow(const struct exchange *x)
{
	int64_t s = (clock_mono_ns() - x->began_ns) / NS_PER_S;

	return s > HTTP_BODY_GRACE_S && x->got / (uint64_t)s < HTTP_BODY_MIN_RATE;
}

bool http_body_add(struct exchange *x, const char *data, size_t len)
{
	x->got += len;
	atomic_fetch_add_explicit(&x->http->bytes_in, len, memory_order_relaxed);
	if (too_slow(x))
		return false;
	if (x->refused != OK)
		return x->got <= x->cap + HTTP_DRAIN;
	if (x->got > x->cap) {
		if (x->cap)
			x->refused =
			        err_set(&x->why, ERR_TOO_LARGE,
			                "the body is too large: %s %s takes at most %llu bytes",
			                x->req.method, x->req.path, (unsigned long long)x->cap);
		else
			x->refused = err_set(&x->why, ERR_TOO_LARGE, "%s %s takes no body",
			                     x->req.method, x->req.path);
	} else if (x->route->flags & HTTP_BODY_FILE) {
		x->refused = keep_in_file(x, data, len);
	} else {
		x->refused = keep_in_memory(x, data, len);
	}
	if (x->refused != OK)
		drop(x);
	return true;
}

void http_body_end(struct exchange *x)
{
	if (x->refused != OK || !x->route)
		return;
	if (!(x->route->flags & HTTP_BODY_FILE)) {
		x->req.body = x->body.len ? x->body.data : NULL;
		x->req.body_len = x->body.len;
		return;
	}
	/* An empty body is a file too, where a body may come. */
	if (x->fd < 0 && x->cap && strcmp(x->req.method, "GET") != 0 && !x->head) {
		x->refused = open_tmp(x);
		if (x->refused != OK)
			return;
	}
	if (x->fd < 0)
		return;
	if (fsync(x->fd) != 0) {
		x->refused = err_sys(&x->why, ERR_IO, "cannot keep the body");
		drop(x);
		return;
	}
	close(x->fd);
	x->fd = -1;
	hash_final(x->hash, x->req.body_sha256);
	x->hash = NULL;
	x->req.body_path = x->tmp;
	x->req.body_len = x->got;
}

void http_body_release(struct exchange *x)
{
	drop(x);
}
