#include "lib/client_out.h"

#include "lib/buf.h"
#include "lib/mem.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_MS 10000
#define MAIL_MAX   ((size_t)4 << 20)

/* One transfer on its way. */
struct sending {
	CURL *curl;
	const struct guard *guard; /* NULL: any address */
	const atomic_bool *stop;
	bool refused, stopped;
	const char *data; /* mail: what is still to be read */
	size_t left;
	char detail[CURL_ERROR_SIZE];
};

static void set_failed(CURLcode code)
{
	if (code)
		err_bug("libcurl refuses an option: %s", curl_easy_strerror(code));
}

#define set(s, option, value) set_failed(curl_easy_setopt((s)->curl, option, value))

/* What was looked up is what is connected to: no name can change between. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct sending *s = ctx;

	(void)purpose;
	if (s->guard && !guard_permits(s->guard, &to->addr)) {
		s->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct sending *s = ctx;

	(void)a, (void)b, (void)c, (void)d;
	s->stopped = s->stop && atomic_load(s->stop);
	return s->stopped;
}

static size_t drop(char *data, size_t size, size_t n, void *ctx)
{
	(void)data, (void)ctx;
	return size * n;
}

static void begin(struct sending *s, const char *url, int64_t timeout_ms)
{
	s->curl = curl_easy_init();
	if (!s->curl)
		err_bug("libcurl cannot be set up");
	set(s, CURLOPT_URL, url);
	set(s, CURLOPT_NOSIGNAL, 1L);
	set(s, CURLOPT_PROXY, "");
	set(s, CURLOPT_FOLLOWLOCATION, 0L);
	set(s, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	set(s, CURLOPT_ERRORBUFFER, s->detail);
	set(s, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	set(s, CURLOPT_CONNECTTIMEOUT_MS,
	    (long)(timeout_ms < CONNECT_MS ? timeout_ms : CONNECT_MS));
	set(s, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)(timeout_ms / 1000 + 1));
	set(s, CURLOPT_WRITEFUNCTION, drop);
	set(s, CURLOPT_NOPROGRESS, 0L);
	set(s, CURLOPT_XFERINFOFUNCTION, on_progress);
	set(s, CURLOPT_XFERINFODATA, s);
	set(s, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	set(s, CURLOPT_OPENSOCKETDATA, s);
}

static struct curl_slist *append(struct curl_slist *list, const char *line)
{
	struct curl_slist *more = curl_slist_append(list, line);

	if (!more)
		err_bug("out of memory");
	return more;
}

/* Sends; `who` stands for the other side in sentences. */
static enum err perform(struct sending *s, const char *who, int *status, struct why *w)
{
	CURLcode code = curl_easy_perform(s->curl);
	long said = 0;

	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &said);
	*status = (int)said;
	if (!code)
		return OK;
	if (s->stopped)
		return err_set(w, ERR_CANCELLED, "told to stop");
	if (s->refused && code == CURLE_COULDNT_CONNECT)
		return err_set(w, ERR_DENIED,
		               "\"%s\" is at a private address, which the operator does not allow",
		               who);
	if (code == CURLE_OUT_OF_MEMORY)
		err_bug("out of memory in libcurl");
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_set(w, ERR_TIMEOUT, "\"%s\" does not answer in time", who);
	return err_set(w, code == CURLE_LOGIN_DENIED ? ERR_AUTH : ERR_UNAVAILABLE, "\"%s\": %s",
	               who, s->detail[0] ? s->detail : curl_easy_strerror(code));
}

/* ---- a POST */

static char *url_part(CURLU *u, CURLUPart part)
{
	char *text = NULL, *copy;

	if (curl_url_get(u, part, &text, 0))
		return NULL;
	copy = xstrdup(text);
	curl_free(text);
	return copy;
}

enum err out_url_host(const char *url, char **scheme, char **host, struct why *w)
{
	CURLU *u = curl_url();
	char *user = NULL;
	enum err e = OK;
	size_t n;

	if (!u)
		err_bug("out of memory");
	*scheme = *host = NULL;
	for (const char *c = url; *c; c++)
		if (*c <= ' ' || *c > '~')
			e = err_set(w, ERR_INPUT, "an address holds no blanks and is plain ASCII");
	if (e == OK && curl_url_set(u, CURLUPART_URL, url, 0))
		e = err_set(w, ERR_INPUT, "it is not an address");
	if (e == OK) {
		*scheme = url_part(u, CURLUPART_SCHEME);
		*host = url_part(u, CURLUPART_HOST);
		user = url_part(u, CURLUPART_USER);
		if (!str_eq(*scheme, "http") && !str_eq(*scheme, "https"))
			e = err_set(w, ERR_INPUT, "expected http://... or https://...");
		else if (!*host || !**host || strstr(url, ":///")) /* which curl mends */
			e = err_set(w, ERR_INPUT, "it names no host");
		else if (user)
			e = err_set(w, ERR_INPUT, "an address with a user name in it is not taken");
	}
	n = *host ? strlen(*host) : 0;
	if (n > 2 && (*host)[0] == '[') {
		memmove(*host, *host + 1, n - 2);
		(*host)[n - 2] = '\0';
	}
	if (e != OK) {
		free(*scheme);
		free(*host);
		*scheme = *host = NULL;
	}
	free(user);
	curl_url_cleanup(u);
	return e;
}

enum err out_post(const struct out_post *p, int *status, struct why *w)
{
	struct sending s = {.guard = p->guard, .stop = p->stop};
	struct curl_slist *list = NULL;
	char *scheme, *host, *line;
	enum err e = out_url_host(p->url, &scheme, &host, w);

	*status = 0;
	if (e != OK)
		return e;
	begin(&s, p->url, p->timeout_ms);
	set(&s, CURLOPT_PROTOCOLS_STR, "http,https");
	set(&s, CURLOPT_USERAGENT, "foldwatch");
	line = xasprintf("Content-Type: %s", p->type ? p->type : "application/json");
	list = append(list, line);
	free(line);
	list = append(list, "Expect:");
	for (const char *const *h = p->headers; h && *h; h++)
		list = append(list, *h);
	set(&s, CURLOPT_HTTPHEADER, list);
	set(&s, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(p->body));
	set(&s, CURLOPT_POSTFIELDS, p->body);
	e = perform(&s, host, status, w);
	if (e == OK && *status / 100 != 2)
		e = err_set(w, *status / 100 == 3 ? ERR_UNPROCESSABLE : err_from_http(*status),
		            "\"%s\" answered %d%s", host, *status,
		            *status / 100 == 3 ? ": redirects are not followed" : "");
	curl_easy_cleanup(s.curl);
	curl_slist_free_all(list);
	free(scheme);
	free(host);
	return e;
}

/* ---- mail */

static size_t on_read(char *out, size_t size, size_t n, void *ctx)
{
	struct sending *s = ctx;

	n *= size;
	if (n > s->left)
		n = s->left;
	memcpy(out, s->data, n);
	s->data += n;
	s->left -= n;
	return n;
}

/* SMTP's lines end with CR LF; a dot at the start of one is curl's business. */
static void wire_lines(const char *text, struct buf *out)
{
	for (; *text; text++) {
		if (*text == '\n')
			buf_addc(out, '\r');
		if (*text != '\r')
			buf_addc(out, *text);
	}
}

enum err out_mail(const struct out_mail *m, int *status, struct why *w)
{
	static const long uses[] = {CURLUSESSL_NONE, CURLUSESSL_TRY, CURLUSESSL_ALL};
	struct sending s = {.stop = m->stop};
	struct curl_slist *to = NULL;
	struct buf wire;
	char *url = m->hello ? xasprintf("%s/%s", m->server, m->hello) : xstrdup(m->server);
	char *mailbox = xasprintf("<%s>", m->to), *from = xasprintf("<%s>", m->from);
	enum err e;

	buf_init(&wire, MAIL_MAX);
	wire_lines(m->text, &wire);
	s.data = wire.data;
	s.left = wire.len;
	to = append(to, mailbox);
	for (size_t i = 0; i < m->cc_count; i++) {
		char *other = xasprintf("<%s>", m->cc[i]);

		to = append(to, other);
		free(other);
	}
	begin(&s, url, m->timeout_ms);
	set(&s, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	set(&s, CURLOPT_USE_SSL, uses[m->tls]);
	if (m->ca)
		set(&s, CURLOPT_CAINFO, m->ca);
	if (m->user) {
		set(&s, CURLOPT_USERNAME, m->user);
		set(&s, CURLOPT_PASSWORD, m->password ? m->password : "");
	}
	set(&s, CURLOPT_MAIL_FROM, from);
	set(&s, CURLOPT_MAIL_RCPT, to);
	set(&s, CURLOPT_READFUNCTION, on_read);
	set(&s, CURLOPT_READDATA, &s);
	set(&s, CURLOPT_UPLOAD, 1L);
	e = wire.full ? err_set(w, ERR_TOO_LARGE, "a mail of more than %zu bytes", MAIL_MAX)
	              : perform(&s, "mail server", status, w);
	curl_easy_cleanup(s.curl);
	curl_slist_free_all(to);
	buf_release(&wire);
	free(mailbox);
	free(from);
	free(url);
	return e;
}
