/*
 * client.c - the HTTP client (the only user of libcurl).
 */
#include "lib/client.h"

#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNECT_MS        5000
#define TOTAL_MS          60000
#define STALL_S           30
#define STALL_BYTES_PER_S 1024
#define BODY_MAX          ((size_t)64 << 20)
#define ERROR_BODY_MAX    ((size_t)64 << 10)

struct client {
	CURL *curl;
	char *base;
	char *token;
	char *agent;
	int64_t connect_ms, total_ms, stall_s;
	char detail[CURL_ERROR_SIZE];
};

/* One request on its way. */
struct request {
	struct client *c;
	const char *method;
	const char *path;
	struct curl_slist *headers;
	struct reply *r;
	/* a transfer from or to a file */
	int fd; /* -1: none */
	uint64_t done;
	struct hash *hash; /* of what is received into the file; NULL: the answer goes to r->body */
	/* what went wrong on our side, inside a callback of curl */
	enum err e;
	struct why w;
};

void client_global_init(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		err_bug("libcurl cannot be set up");
}

struct client *client_new(const char *base, const char *token, const char *agent)
{
	struct client *c = xcalloc(1, sizeof(*c));

	c->curl = curl_easy_init();
	if (!c->curl)
		err_bug("libcurl cannot be set up");
	c->base = xstrdup(base);
	c->token = token ? xstrdup(token) : NULL;
	c->agent = xstrdup(agent);
	c->connect_ms = CONNECT_MS;
	c->total_ms = TOTAL_MS;
	c->stall_s = STALL_S;
	return c;
}

void client_free(struct client *c)
{
	if (!c)
		return;
	curl_easy_cleanup(c->curl);
	free(c->base);
	if (c->token)
		explicit_bzero(c->token, strlen(c->token));
	free(c->token);
	free(c->agent);
	free(c);
}

const char *client_base(const struct client *c)
{
	return c->base;
}

void client_set_timeouts(struct client *c, int64_t connect_ms, int64_t total_ms)
{
	c->connect_ms = connect_ms > 0 ? connect_ms : CONNECT_MS;
	c->total_ms = total_ms > 0 ? total_ms : TOTAL_MS;
}

void client_set_stall(struct client *c, int64_t stall_s)
{
	c->stall_s = stall_s > 0 ? stall_s : STALL_S;
}

static void reply_init(struct reply *r)
{
	*r = (struct reply){.next_offset = -1, .retry_after_s = -1};
	buf_init(&r->body, BODY_MAX);
}

void reply_release(struct reply *r)
{
	json_decref(r->json);
	buf_release(&r->body);
	reply_init(r);
}

/* ---- setting up a request */

static void set_failed(CURLcode code)
{
	if (code)
		err_bug("libcurl refuses an option: %s", curl_easy_strerror(code));
}

#define set(curl, option, value) set_failed(curl_easy_setopt(curl, option, value))

static void append(struct request *q, const char *line)
{
	struct curl_slist *list = curl_slist_append(q->headers, line);

	if (!list)
		err_bug("out of memory");
	q->headers = list;
}

/* A line break in a value would begin a header of its own. */
static enum err add_header(struct request *q, const char *name, const char *value, struct why *w)
{
	char *line;

	for (size_t i = 0; value[i]; i++)
		if ((unsigned char)value[i] < 0x20 || (unsigned char)value[i] > 0x7e)
			return err_set(w, ERR_INPUT,
			               "the value of the header \"%s\" is not plain ASCII", name);
	line = xasprintf("%s: %s", name, value);
	append(q, line);
	explicit_bzero(line, strlen(line)); /* it may be the token's */
	free(line);
	return OK;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct request *q = ctx;
	long status = 0;
	size_t done = 0;

	(void)size;
	curl_easy_getinfo(q->c->curl, CURLINFO_RESPONSE_CODE, &status);
	if (!q->hash || status < 200 || status > 299) {
		if (buf_add(&q->r->body, data, n))
			return n;
		/* What explains an error may be cut; an answer may not. */
		if (status < 200 || status > 299)
			return n;
		q->e = err_set(&q->w, ERR_TOO_LARGE,
		               "the answer of \"%s\" to %s %s is larger than %zu MiB", q->c->base,
		               q->method, q->path, BODY_MAX >> 20);
		return 0;
	}
	hash_add(q->hash, data, n);
	while (done < n) {
		ssize_t written = write(q->fd, data + done, n - done);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0) {
			q->e = err_sys(&q->w, ERR_IO, "cannot write what \"%s\" sends", q->c->base);
			return 0;
		}
		done += (size_t)written;
	}
	q->done += n;
	return n;
}

static size_t on_upload(char *data, size_t size, size_t n, void *ctx)
{
	struct request *q = ctx;
	ssize_t got;

	(void)size;
	do {
		got = pread(q->fd, data, n, (off_t)q->done);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		q->e = err_sys(&q->w, ERR_IO, "cannot read the file to send");
		return CURL_READFUNC_ABORT;
	}
	q->done += (uint64_t)got;
	return (size_t)got;
}

/* A kept connection that the server had closed meanwhile: curl begins again. */
static int on_rewind(void *ctx, curl_off_t offset, int origin)
{
	struct request *q = ctx;

	if (origin != SEEK_SET || offset < 0)
		return CURL_SEEKFUNC_FAIL;
	q->done = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* curl would take "http:///x" for the host x. */
static bool is_base(const char *base)
{
	size_t scheme = !strncasecmp(base, "http://", 7) ? 7 : 8;

	return (scheme == 7 || !strncasecmp(base, "https://", 8)) && base[scheme] &&
	       base[scheme] != '/';
}

static enum err prepare(struct request *q, const char *accept, const char *key, struct why *w)
{
	struct client *c = q->c;
	CURL *curl = c->curl;
	enum err e;
	char *url, *bearer;

	/* "http://host" + "@elsewhere" would be another host */
	if (q->path[0] != '/')
		err_bug("the path \"%s\" does not begin with a slash", q->path);
	if (!is_base(c->base))
		return err_set(w, ERR_INPUT, "\"%s\" is not an http or https address", c->base);
	curl_easy_reset(curl); /* keeps the connection */
	c->detail[0] = '\0';
	url = xasprintf("%s%s", c->base, q->path);
	set(curl, CURLOPT_URL, url);
	free(url);
	set(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	set(curl, CURLOPT_FOLLOWLOCATION, 0L);
	set(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	set(curl, CURLOPT_PATH_AS_IS, 1L);
	set(curl, CURLOPT_NOSIGNAL, 1L);
	set(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	set(curl, CURLOPT_USERAGENT, c->agent);
	set(curl, CURLOPT_ERRORBUFFER, c->detail);
	set(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)c->connect_ms);
	set(curl, CURLOPT_WRITEFUNCTION, on_body);
	set(curl, CURLOPT_WRITEDATA, q);
	if (strncasecmp(c->base, "https:", 6) != 0)
		set(curl, CURLOPT_PROXY, "");
	e = add_header(q, "Accept", accept, w);
	if (!e && key)
		e = add_header(q, "Idempotency-Key", key, w);
	if (!e && c->token) {
		bearer = xasprintf("Bearer %s", c->token);
		e = add_header(q, "Authorization", bearer, w);
		explicit_bzero(bearer, strlen(bearer));
		free(bearer);
	}
	return e;
}

/* ---- what came back */

static enum err no_answer(struct request *q, CURLcode code, struct why *w)
{
	const char *detail = q->c->detail[0] ? q->c->detail : curl_easy_strerror(code);

	if (q->e) {
		if (w)
			*w = q->w;
		return q->e;
	}
	if (code == CURLE_OUT_OF_MEMORY)
		err_bug("out of memory in libcurl");
	if (code == CURLE_LOGIN_DENIED) /* do not repeat the address: there is a password in it */
		return err_set(w, ERR_INPUT, "an address with a user name in it is not taken");
	if (code == CURLE_URL_MALFORMAT)
		return err_set(w, ERR_INPUT, "\"%s%s\" is not an address", q->c->base, q->path);
	return err_set(w, code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_UNAVAILABLE,
	               "\"%s\" does not answer: %s", q->c->base, detail);
}

static int64_t number_header(CURL *curl, const char *name)
{
	struct curl_header *h;
	char *end;
	long long n;

	if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &h) ||
	    !isdigit((unsigned char)*h->value))
		return -1;
	errno = 0;
	n = strtoll(h->value, &end, 10);
	return errno || *end ? -1 : (int64_t)n;
}

static bool is_json(CURL *curl)
{
	const char *type = NULL;
	size_t n;

	curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	if (!type)
		return false;
	n = strcspn(type, "; \t");
	return n == strlen("application/json") && !strncasecmp(type, "application/json", n);
}

static enum err error_answer(struct request *q, struct why *w)
{
	enum err e = err_from_http(q->r->status);
	const char *words = json_str(json_object_get(q->r->json, "error"), "message", NULL);
	char *where = NULL;

	if (words && *words)
		return err_set(w, e, "%s", words);
	curl_easy_getinfo(q->c->curl, CURLINFO_REDIRECT_URL, &where);
	if (where)
		return err_set(w, e, "\"%s\" redirects to \"%s\", which is not followed",
		               q->c->base, where);
	return err_set(w, e, "\"%s\" answered %d to %s %s", q->c->base, q->r->status, q->method,
	               q->path);
}

static enum err perform(struct request *q, struct why *w)
{
	struct reply *r = q->r;
	CURL *curl = q->c->curl;
	long status = 0;
	CURLcode code;
	struct why bad;

	set(curl, CURLOPT_HTTPHEADER, q->headers);
	code = curl_easy_perform(curl);
	if (code) {
		buf_reset(&r->body);
		return no_answer(q, code, w);
	}
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	r->status = (int)status;
	r->next_offset = number_header(curl, "Foldwatch-Next-Offset");
	r->retry_after_s = number_header(curl, "Retry-After");
	if (is_json(curl) && r->body.len &&
	    json_parse(r->body.data, r->body.len, BODY_MAX, &r->json, &bad) && status / 100 == 2)
		return err_set(w, ERR_UNAVAILABLE, "\"%s\" answered %s %s with broken JSON: %s",
		               q->c->base, q->method, q->path, bad.text);
	return status / 100 == 2 ? OK : error_answer(q, w);
}

static void request_release(struct request *q)
{
	/* curl keeps pointers to the list, the body and this struct until the
	 * next reset */
	curl_easy_reset(q->c->curl);
	for (struct curl_slist *l = q->headers; l; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(q->headers);
	if (q->hash)
		hash_abort(q->hash);
	if (q->fd >= 0)
		close(q->fd);
}

/* ---- requests with their body in memory */

enum err client_bytes(struct client *c, const char *method, const char *path, const char *type,
                      const void *data, size_t len, const char *accept, const char *key,
                      struct reply *r, struct why *w)
{
	struct request q = {.c = c, .method = method, .path = path, .r = r, .fd = -1};
	bool bodiless = str_eq(method, "GET") || str_eq(method, "DELETE");
	enum err e;

	reply_init(r);
	e = prepare(&q, accept ? accept : "application/json", key, w);
	if (!e && data)
		e = add_header(&q, "Content-Type", type ? type : "application/octet-stream", w);
	if (!e && !data)
		append(&q, "Content-Type:"); /* not curl's own for an empty POST */
	if (e)
		goto out;
	set(c->curl, CURLOPT_TIMEOUT_MS, (long)c->total_ms);
	if (str_eq(method, "HEAD")) {
		set(c->curl, CURLOPT_NOBODY, 1L);
	} else {
		if (data || !bodiless) {
			set(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(data ? len : 0));
			set(c->curl, CURLOPT_POSTFIELDS, data ? (const char *)data : "");
		}
		set(c->curl, CURLOPT_CUSTOMREQUEST, method);
	}
	e = perform(&q, w);
out:
	request_release(&q);
	return e;
}

enum err client_json(struct client *c, const char *method, const char *path, const json_t *body,
                     const char *key, struct reply *r, struct why *w)
{
	char *text = body ? json_text(body) : NULL;
	enum err e;

	e = client_bytes(c, method, path, "application/json", text, text ? strlen(text) : 0, NULL,
	                 key, r, w);
	free(text);
	if (!e && r->body.len && !r->json)
		return err_set(w, ERR_UNAVAILABLE,
		               "\"%s\" answered %s %s with something that is "
		               "not JSON",
		               c->base, method, path);
	return e;
}

/* ---- artifacts */

static enum err artifact_path(const char *hex, char *path, size_t size, struct why *w)
{
	*path = '\0';
	if (!hex_is(hex, SHA256_HEX - 1))
		return err_set(w, ERR_INPUT, "\"%.80s\" is not a SHA-256", hex);
	snprintf(path, size, "/api/v1/artifacts/%s", hex);
	return OK;
}

static void bound_by_stalling(struct client *c)
{
	set(c->curl, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES_PER_S);
	set(c->curl, CURLOPT_LOW_SPEED_TIME, (long)c->stall_s);
}

static enum err upload(struct client *c, const char *file, const char *path, struct why *w)
{
	struct request q = {.c = c, .method = "PUT", .path = path, .fd = -1};
	struct reply r;
	struct stat st;
	enum err e;

	reply_init(&r);
	q.r = &r;
	q.fd = open(file, O_RDONLY | O_CLOEXEC);
	if (q.fd < 0 || fstat(q.fd, &st)) {
		e = err_sys(w, ERR_IO, "cannot read \"%s\"", file);
		goto out;
	}
	e = prepare(&q, "application/json", NULL, w);
	if (!e)
		e = add_header(&q, "Content-Type", "application/octet-stream", w);
	if (e)
		goto out;
	bound_by_stalling(c);
	set(c->curl, CURLOPT_UPLOAD, 1L);
	set(c->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)st.st_size);
	set(c->curl, CURLOPT_READFUNCTION, on_upload);
	set(c->curl, CURLOPT_READDATA, &q);
	set(c->curl, CURLOPT_SEEKFUNCTION, on_rewind);
	set(c->curl, CURLOPT_SEEKDATA, &q);
	e = perform(&q, w);
out:
	request_release(&q);
	reply_release(&r);
	return e;
}

enum err client_put_artifact(struct client *c, const char *path, const char *hex, struct why *w)
{
	char url[SHA256_HEX + 32];
	struct reply r;
	enum err e;
	int status;

	e = artifact_path(hex, url, sizeof(url), w);
	if (e)
		return e;
	e = client_bytes(c, "HEAD", url, NULL, NULL, 0, NULL, NULL, &r, w);
	status = r.status;
	reply_release(&r);
	return status == 404 ? upload(c, path, url, w) : e;
}

static enum err download(struct client *c, const char *hex, const char *path, const char *temp,
                         int fd, struct why *w)
{
	struct request q = {.c = c, .method = "GET", .path = path, .fd = fd};
	char got[SHA256_HEX];
	struct reply r;
	enum err e;

	reply_init(&r);
	r.body.max = ERROR_BODY_MAX;
	q.r = &r;
	q.hash = hash_new();
	e = prepare(&q, "application/octet-stream, application/json", NULL, w);
	if (e)
		goto out;
	bound_by_stalling(c);
	e = perform(&q, w);
	if (e)
		goto out;
	hash_final(q.hash, got);
	q.hash = NULL;
	if (!str_eq(got, hex))
		e = err_set(w, ERR_UNAVAILABLE,
		            "\"%s\" sent %" PRIu64 " bytes with hash %s where %s was asked for",
		            c->base, q.done, got, hex);
	else if (fsync(fd))
		e = err_sys(w, ERR_IO, "cannot write \"%s\"", temp);
out:
	request_release(&q); /* closes fd */
	reply_release(&r);
	return e;
}

enum err client_get_artifact(struct client *c, const char *hex, const char *path, struct why *w)
{
	char url[SHA256_HEX + 32];
	char *temp;
	enum err e;
	int fd;

	e = artifact_path(hex, url, sizeof(url), w);
	if (e)
		return e;
	temp = xasprintf("%s.part-XXXXXX", path);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0) {
		e = err_sys(w, ERR_IO, "cannot make \"%s\"", temp);
		free(temp);
		return e;
	}
	e = download(c, hex, url, temp, fd, w);
	if (!e)
		e = file_rename(temp, path, w);
	if (e)
		unlink(temp);
	free(temp);
	return e;
}

char *url_encode(const char *s)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	                            "0123456789-._~";
	char *out = xmalloc(strlen(s) * 3 + 1), *at = out;

	for (; *s; s++) {
		if (strchr(plain, *s))
			*at++ = *s;
		else
			at += snprintf(at, 4, "%%%02X", (unsigned char)*s);
	}
	*at = '\0';
	return out;
}
