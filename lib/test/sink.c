#include "lib/test/sink.h"

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TRIES_MAX 1024
#define TEXT_MAX  (4u << 20)

struct
try {
	struct sink *s;
	int fd, number;
	pthread_t thread;
	gnutls_session_t tls; /* NULL: in the clear */
	char in[4096];
	size_t have;
	bool gone;
};

struct sink {
	enum sink_kind kind;
	int fd, port;
	pthread_t thread;
	pthread_mutex_t lock;
	atomic_bool stop;
	int script[64];
	size_t answers;
	struct try *tries[TRIES_MAX];
	int tried;
	char *message[TRIES_MAX];
	int messages;
	struct buf commands;
	gnutls_certificate_credentials_t cert; /* NULL: no TLS */
};

static void must(bool good, const char *what)
{
	if (!good) {
		perror(what);
		abort();
	}
}

/* ---- the wire */

static bool say(struct try *t, const char *text)
{
	size_t len = strlen(text);

	if (t->tls)
		return gnutls_record_send(t->tls, text, len) == (ssize_t)len;
	return send(t->fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool fill(struct try *t)
{
	ssize_t n;

	if (t->have == sizeof(t->in))
		return false;
	do {
		n = t->tls ? gnutls_record_recv(t->tls, t->in + t->have, sizeof(t->in) - t->have)
		           : recv(t->fd, t->in + t->have, sizeof(t->in) - t->have, 0);
	} while (n < 0 &&
	         (t->tls ? n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_AGAIN : errno == EINTR));
	if (n <= 0)
		return false;
	t->have += (size_t)n;
	return true;
}

/* One line without its end; false at the end of the connection. */
static bool line(struct try *t, char *out, size_t size)
{
	char *end;
	size_t n;

	while (!(end = memchr(t->in, '\n', t->have)))
		if (!fill(t))
			return false;
	n = (size_t)(end - t->in);
	snprintf(out, size, "%.*s", (int)(n && end[-1] == '\r' ? n - 1 : n), t->in);
	t->have -= n + 1;
	memmove(t->in, end + 1, t->have);
	return true;
}

/* Until the peer goes, or the sink does. */
static void wait_gone(struct try *t)
{
	t->have = 0;
	while (fill(t))
		t->have = 0;
}

static void keep(struct sink *s, struct buf *b)
{
	pthread_mutex_lock(&s->lock);
	s->message[s->messages++] = buf_take(b, NULL);
	pthread_mutex_unlock(&s->lock);
}

static void note(struct sink *s, const char *command)
{
	pthread_mutex_lock(&s->lock);
	buf_addf(&s->commands, "%s\n", command);
	pthread_mutex_unlock(&s->lock);
}

/* ---- SMTP */

static bool read_mail(struct try *t, struct buf *b)
{
	char l[2048];

	while (line(t, l, sizeof(l))) {
		if (strcmp(l, ".") == 0)
			return true;
		buf_addf(b, "%s\n", l[0] == '.' ? l + 1 : l);
	}
	return false;
}

static bool start_tls(struct try *t)
{
	if (!say(t, "220 go ahead\r\n"))
		return false;
	must(gnutls_init(&t->tls, GNUTLS_SERVER) == 0, "gnutls_init");
	gnutls_set_default_priority(t->tls);
	gnutls_credentials_set(t->tls, GNUTLS_CRD_CERTIFICATE, t->s->cert);
	gnutls_transport_set_int(t->tls, t->fd);
	if (gnutls_handshake(t->tls) < 0)
		return false;
	note(t->s, "TLS");
	return true;
}

static void smtp(struct try *t, int answer)
{
	char l[2048], reply[64];
	struct buf b;

	if (!say(t, "220 sink ESMTP\r\n"))
		return;
	buf_init(&b, TEXT_MAX);
	while (line(t, l, sizeof(l))) {
		const char *r = "250 fine\r\n";

		note(t->s, l);
		if (strncasecmp(l, "EHLO", 4) == 0) {
			r = t->s->cert && !t->tls ? "250-sink\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"
			                          : "250-sink\r\n250 AUTH PLAIN\r\n";
		} else if (strncasecmp(l, "STARTTLS", 8) == 0) {
			if (!t->s->cert || !start_tls(t))
				break;
			continue;
		} else if (strncasecmp(l, "AUTH", 4) == 0) {
			r = "235 welcome\r\n";
			if (strcasecmp(l, "AUTH PLAIN") == 0) {
				if (!say(t, "334 \r\n") || !line(t, l, sizeof(l)))
					break;
				note(t->s, l);
			}
		} else if (strncasecmp(l, "RCPT", 4) == 0 && answer > 0 && answer != 250) {
			snprintf(reply, sizeof(reply), "%d as told\r\n", answer);
			r = reply;
		} else if (strncasecmp(l, "DATA", 4) == 0) {
			if (!say(t, "354 go on\r\n") || !read_mail(t, &b))
				break;
			keep(t->s, &b);
			if (answer == SINK_SWALLOW) {
				wait_gone(t);
				break;
			}
		} else if (strncasecmp(l, "QUIT", 4) == 0) {
			say(t, "221 bye\r\n");
			break;
		}
		if (!say(t, r))
			break;
	}
	buf_release(&b);
}

/* ---- HTTP */

static void http(struct try *t, int answer)
{
	size_t length = 0;
	char l[2048], reply[160];
	struct buf b;

	buf_init(&b, TEXT_MAX);
	while (line(t, l, sizeof(l))) {
		buf_addf(&b, "%s\n", l);
		if (strncasecmp(l, "Content-Length:", 15) == 0)
			length = strtoul(l + 15, NULL, 10);
		if (!l[0])
			break;
	}
	while (length) {
		size_t n = t->have < length ? t->have : length;

		buf_add(&b, t->in, n);
		length -= n;
		t->have -= n;
		memmove(t->in, t->in + n, t->have);
		if (length && !fill(t))
			break;
	}
	if (!length && b.len) {
		keep(t->s, &b);
		if (answer == SINK_SWALLOW) {
			wait_gone(t);
		} else {
			snprintf(reply, sizeof(reply),
			         "HTTP/1.1 %d Told\r\nContent-Length: 0\r\nLocation: "
			         "http://127.0.0.1:%d/again\r\nConnection: close\r\n\r\n",
			         answer, t->s->port);
			say(t, reply);
		}
	}
	buf_release(&b);
}

/* ---- connections */

static void *serve(void *arg)
{
	struct try *t = arg;
	struct sink *s = t->s;
	int answer;

	pthread_mutex_lock(&s->lock);
	answer = s->script[(size_t)t->number < s->answers ? (size_t)t->number : s->answers - 1];
	pthread_mutex_unlock(&s->lock);
	if (answer == SINK_HANG)
		wait_gone(t);
	else if (answer != SINK_DROP)
		(s->kind == SINK_SMTP ? smtp : http)(t, answer);
	if (t->tls) {
		gnutls_deinit(t->tls);
		t->tls = NULL;
	}
	shutdown(t->fd, SHUT_RDWR);
	return NULL;
}

static void *accept_all(void *arg)
{
	struct sink *s = arg;

	for (;;) {
		int fd = accept(s->fd, NULL, NULL);
		struct try *t;

		if (fd < 0 && errno == EINTR)
			continue;
		if (fd < 0 || atomic_load(&s->stop) || s->tried == TRIES_MAX) {
			if (fd >= 0)
				close(fd);
			return NULL;
		}
		t = xcalloc(1, sizeof(*t));
		t->s = s;
		t->fd = fd;
		pthread_mutex_lock(&s->lock);
		t->number = s->tried;
		s->tries[s->tried++] = t;
		pthread_mutex_unlock(&s->lock);
		must(pthread_create(&t->thread, NULL, serve, t) == 0, "thread");
	}
}

struct sink *sink_new(enum sink_kind kind)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(in);
	struct sink *s = xcalloc(1, sizeof(*s));

	s->kind = kind;
	s->script[0] = kind == SINK_SMTP ? 250 : 200;
	s->answers = 1;
	buf_init(&s->commands, TEXT_MAX);
	pthread_mutex_init(&s->lock, NULL);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(s->fd >= 0 && bind(s->fd, (struct sockaddr *)&in, sizeof(in)) == 0 &&
	             listen(s->fd, 64) == 0 &&
	             getsockname(s->fd, (struct sockaddr *)&in, &len) == 0,
	     "listen");
	s->port = ntohs(in.sin_port);
	must(pthread_create(&s->thread, NULL, accept_all, s) == 0, "thread");
	return s;
}

void sink_free(struct sink *s)
{
	atomic_store(&s->stop, true);
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
	for (int i = 0; i < s->tried; i++) {
		shutdown(s->tries[i]->fd, SHUT_RDWR);
		pthread_join(s->tries[i]->thread, NULL);
		close(s->tries[i]->fd);
		free(s->tries[i]);
	}
	for (int i = 0; i < s->messages; i++)
		free(s->message[i]);
	if (s->cert)
		gnutls_certificate_free_credentials(s->cert);
	buf_release(&s->commands);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int sink_port(const struct sink *s)
{
	return s->port;
}

void sink_script(struct sink *s, size_t n, const int *answers)
{
	pthread_mutex_lock(&s->lock);
	/* Behind the tries that were. */
	for (size_t i = 0; i < (size_t)s->tried && i < ARRAY_SIZE(s->script); i++)
		s->script[i] = 0;
	s->answers = (size_t)s->tried;
	for (size_t i = 0; i < n && s->answers < ARRAY_SIZE(s->script); i++)
		s->script[s->answers++] = answers[i];
	pthread_mutex_unlock(&s->lock);
}

char *sink_offer_tls(struct sink *s, const char *dir)
{
	char *path = xasprintf("%s/sink.pem", dir);
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_datum_t pem;

	must(gnutls_x509_privkey_init(&key) == 0 && gnutls_x509_crt_init(&crt) == 0 &&
	             gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
	                                          GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
	                                          0) == 0,
	     "key");
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, "\1", 1);
	gnutls_x509_crt_set_activation_time(crt, time(NULL) - 60);
	gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 3600);
	gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, "localhost", 9);
	gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "localhost", 9,
	                                     GNUTLS_FSAN_SET);
	gnutls_x509_crt_set_basic_constraints(crt, 1, -1);
	gnutls_x509_crt_set_key(crt, key);
	must(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0) == 0 &&
	             gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem) == 0 &&
	             file_write(path, pem.data, pem.size, 0600, NULL) == OK,
	     "certificate");
	gnutls_free(pem.data);
	must(gnutls_certificate_allocate_credentials(&s->cert) == 0 &&
	             gnutls_certificate_set_x509_key(s->cert, &crt, 1, key) >= 0,
	     "credentials");
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
	return path;
}

int sink_tries(struct sink *s)
{
	int n;

	pthread_mutex_lock(&s->lock);
	n = s->tried;
	pthread_mutex_unlock(&s->lock);
	return n;
}

int sink_count(struct sink *s)
{
	int n;

	pthread_mutex_lock(&s->lock);
	n = s->messages;
	pthread_mutex_unlock(&s->lock);
	return n;
}

int sink_await(struct sink *s, int n, int timeout_ms)
{
	int64_t until = clock_mono_ns() + timeout_ms * NS_PER_MS;

	while (sink_count(s) < n && clock_mono_ns() < until)
		usleep(5000);
	return sink_count(s);
}

char *sink_message(struct sink *s, int i)
{
	char *text = NULL;

	pthread_mutex_lock(&s->lock);
	if (i < s->messages)
		text = xstrdup(s->message[i]);
	pthread_mutex_unlock(&s->lock);
	return text;
}

char *sink_commands(struct sink *s)
{
	char *text;

	pthread_mutex_lock(&s->lock);
	text = xstrdup(s->commands.data);
	pthread_mutex_unlock(&s->lock);
	return text;
}
