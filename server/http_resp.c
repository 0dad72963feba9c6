/*
 * http_resp.c - answers onto the wire: JSON, text, files with ranges, errors.
 */
#include "server/http_priv.h"

#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* On every answer. The pages are ours alone: nothing is loaded from elsewhere,
 * nobody frames them, and no answer is taken for another type than it says. */
static const struct {
	const char *name, *value;
} always[] = {
        {"Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self';"
                                    " frame-ancestors 'none'; object-src 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
};

void http_resp_header(struct http_resp *r, const char *name, const char *fmt, ...)
{
	va_list ap;

	if (r->headers == (int)ARRAY_SIZE(r->header))
		err_bug("more than %d headers in one answer", r->headers);
	va_start(ap, fmt);
	r->header[r->headers].name = name;
	r->header[r->headers].value = xvasprintf(fmt, ap);
	r->headers++;
	va_end(ap);
}

void http_resp_release(struct http_resp *r)
{
	json_decref(r->json);
	buf_release(&r->body);
	free(r->file_path);
	for (int i = 0; i < r->headers; i++)
		free(r->header[i].value);
	*r = (struct http_resp){0};
}

static const char *header_of(const struct http_resp *r, const char *name)
{
	for (int i = 0; i < r->headers; i++) {
		if (strcmp(r->header[i].name, name) == 0)
			return r->header[i].value;
	}
	return NULL;
}

bool http_none_match(struct exchange *x, const char *etag)
{
	const char *have = http_header(&x->req, MHD_HTTP_HEADER_IF_NONE_MATCH);
	size_t len = strlen(etag);

	/* A list of quoted tags, each perhaps weak; a tag has no quote inside,
	 * so ours with its quotes is found whole or not at all. */
	if (!have)
		return false;
	if (strcmp(have, "*") == 0)
		return true;
	for (const char *at = strstr(have, etag); at; at = strstr(at + len, etag)) {
		char end = at[len];

		if (end == '\0' || end == ',' || end == ' ')
			return true;
	}
	return false;
}

/* Digits at *p, past which it moves; false when there are none, or too many. */
static bool digits(const char **p, uint64_t *out)
{
	const char *first = *p;

	for (*out = 0; **p >= '0' && **p <= '9'; (*p)++)
		*out = *out * 10 + (uint64_t)(**p - '0');
	return *p > first && *p - first <= 18;
}

/* "bytes=A-B", "bytes=A-", "bytes=-N" (RFC 9110, 14.1.2), one range only.
 * 1: a range, 0: none that is understood (the whole is sent), -1: outside the
 * file. */
static int range_of(const char *text, uint64_t size, uint64_t *first, uint64_t *last)
{
	uint64_t a = 0, b = UINT64_MAX;
	bool suffix;

	if (!text || !str_starts(text, "bytes="))
		return 0;
	text += 6;
	suffix = *text == '-';
	if (!suffix && !digits(&text, &a))
		return 0;
	if (*text++ != '-')
		return 0;
	if ((suffix || *text) && !digits(&text, &b))
		return 0;
	if (*text || (!suffix && b < a))
		return 0;
	if (suffix) {
		if (!b || !size)
			return -1;
		*first = b >= size ? 0 : size - b;
		*last = size - 1;
		return 1;
	}
	if (a >= size)
		return -1;
	*first = a;
	*last = b >= size ? size - 1 : b;
	return 1;
}

static void set(struct MHD_Response *m, const char *name, const char *value)
{
	/* libmicrohttpd refuses line breaks in values; such a header is left
	 * out rather than the answer lost. */
	if (MHD_add_response_header(m, name, value) != MHD_YES)
		log_warn("http.header_refused", "name", name, NULL);
}

/* The file, its status and the headers that go with ranges. */
static struct MHD_Response *file_response(struct exchange *x, struct http_resp *r, enum err *e,
                                          struct why *w)
{
	struct MHD_Response *m;
	struct stat st;
	uint64_t first = 0, last = 0, len;
	const char *etag;
	char text[80];
	int fd, ranged;

	fd = open(r->file_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		*e = errno == ENOENT ? err_set(w, ERR_NOT_FOUND, "the file is not there")
		                     : err_sys(w, ERR_IO, "cannot open the file");
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	len = (uint64_t)st.st_size;
	etag = header_of(r, "ETag");
	ranged = r->status == 200 && !http_header(&x->req, "If-Range")
	                 ? range_of(http_header(&x->req, "Range"), len, &first, &last)
	                 : 0;
	if (etag && http_none_match(x, etag)) {
		close(fd);
		r->status = MHD_HTTP_NOT_MODIFIED;
		return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	}
	if (ranged < 0) {
		close(fd);
		r->status = MHD_HTTP_RANGE_NOT_SATISFIABLE;
		m = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
		snprintf(text, sizeof(text), "bytes */%llu", (unsigned long long)len);
		if (m)
			set(m, "Content-Range", text);
		return m;
	}
	if (ranged > 0) {
		r->status = MHD_HTTP_PARTIAL_CONTENT;
		snprintf(text, sizeof(text), "bytes %llu-%llu/%llu", (unsigned long long)first,
		         (unsigned long long)last, (unsigned long long)len);
		len = last - first + 1;
	}
	m = MHD_create_response_from_fd_at_offset64(len, fd, first);
	if (!m) {
		close(fd);
		return NULL;
	}
	set(m, "Accept-Ranges", "bytes");
	if (ranged > 0)
		set(m, "Content-Range", text);
	if (!x->head)
		atomic_fetch_add_explicit(&x->http->bytes_out, len, memory_order_relaxed);
	return m;
}

static struct MHD_Response *memory_response(struct exchange *x, struct http_resp *r)
{
	struct MHD_Response *m;
	size_t len = 0;
	char *data;

	if (r->json) {
		data = json_text(r->json);
		len = strlen(data);
		r->type = "application/json";
		/* The tree may be large: it need not wait for the client. */
		json_decref(r->json);
		r->json = NULL;
	} else if (r->body.data) {
		data = buf_take(&r->body, &len);
	} else {
		r->type = NULL;
		return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	}
	m = MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE);
	if (!m)
		free(data);
	else if (!x->head)
		atomic_fetch_add_explicit(&x->http->bytes_out, len, memory_order_relaxed);
	return m;
}

static enum MHD_Result queue(struct exchange *x, struct http_resp *r, struct MHD_Response *m)
{
	enum MHD_Result done;

	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		set(m, always[i].name, always[i].value);
	if (!header_of(r, "Cache-Control"))
		set(m, "Cache-Control", "no-store");
	if (r->type)
		set(m, "Content-Type", r->type);
	for (int i = 0; i < r->headers; i++)
		set(m, r->header[i].name, r->header[i].value);
	if (atomic_load(&x->http->stopping))
		set(m, "Connection", "close");
	atomic_fetch_add_explicit(&x->http->by_class[r->status / 100 % 6], 1, memory_order_relaxed);
	done = MHD_queue_response(x->conn, (unsigned int)r->status, m);
	MHD_destroy_response(m);
	return done;
}

enum MHD_Result http_send(struct exchange *x, struct http_resp *r)
{
	struct MHD_Response *m;
	struct why w = {""};
	enum err e = OK;
	enum MHD_Result done;

	if (!r->status)
		r->status = MHD_HTTP_OK;
	if (r->file_path) {
		if (!r->type)
			r->type = "application/octet-stream";
		m = file_response(x, r, &e, &w);
		if (e != OK) {
			http_resp_release(r);
			return http_send_error(x, e, &w);
		}
	} else {
		if (!r->type)
			r->type = "text/plain; charset=utf-8";
		m = memory_response(x, r);
	}
	done = m ? queue(x, r, m) : MHD_NO;
	http_resp_release(r);
	return done;
}

enum MHD_Result http_send_error(struct exchange *x, enum err e, const struct why *w)
{
	struct http_resp r = {.status = err_http_status(e)};
	json_t *inner = json_object();
	struct buf text;

	/* A sentence may quote what came in. */
	buf_init(&text, 8 * sizeof(w->text));
	utf8_scrub(&text, w->text, strlen(w->text));
	json_put_str(inner, "code", err_name(e));
	json_put_str(inner, "message", text.data);
	buf_release(&text);
	r.json = json_object();
	json_put(r.json, "error", inner);
	if (e == ERR_AUTH)
		http_resp_header(&r, "WWW-Authenticate", "Bearer");
	if (e == ERR_METHOD)
		http_resp_header(&r, "Allow", "%s", x->allow);
	if (e == ERR_BUSY || e == ERR_UNAVAILABLE)
		http_resp_header(&r, "Retry-After", "%lld",
		                 x->req.retry_after_s > 0 ? (long long)x->req.retry_after_s : 2);
	if (r.status >= 500 && !atomic_load(&x->http->stopping))
		log_error("http.failed", "op", x->route ? x->route->op : "-", "status",
		          log_i(r.status), "why", w->text, NULL);
	return http_send(x, &r);
}
