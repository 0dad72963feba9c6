/*
 * client_out.h - messages that leave the house: a POST to somebody's URL, and mail.
 * Beside client.h, which speaks to foldwatch's own server.
 *
 *     struct out_post p = {.url = "https://hooks.example.org/x", .body = text,
 *                          .headers = lines, .guard = &guard, .timeout_ms = 10000};
 *     e = out_post(&p, &status, &w);
 *
 *     struct out_mail m = {.server = "smtp://mail.example.org:587", .tls = OUT_TLS_REQUIRED,
 *                          .user = "fw", .password = secret, .from = "fw@example.org",
 *                          .to = "dev@example.org", .text = "Subject: ...\n\nbody\n"};
 *     e = out_mail(&m, &status, &w);
 *
 * One connection each, gone afterwards; no redirect is followed, no proxy used, no
 * name and password taken from a URL. Sentences never hold the URL's path, the
 * password, a header or where the mail server is: a webhook's URL is a secret.
 *
 * OK: it was taken (2xx, 250). Otherwise *status is what the other side said (HTTP's
 * status, SMTP's reply), or 0 where it said nothing: ERR_TIMEOUT, ERR_UNAVAILABLE,
 * ERR_AUTH for a
 * name and password that a mail server does not take, ERR_DENIED for an address that the
 * guard refuses, ERR_CANCELLED once *stop was set.
 */
#ifndef FOLDWATCH_CLIENT_OUT_H
#define FOLDWATCH_CLIENT_OUT_H

#include "lib/guard.h"

#include <stdatomic.h>
#include <stdint.h>

struct out_post {
	const char *url;  /* http:// or https:// */
	const char *type; /* of the body; NULL: application/json */
	const char *body;
	const char *const *headers; /* lines "Name: value", closed by NULL; may be NULL */
	const struct guard *guard;  /* asked of each address that is connected to */
	int64_t timeout_ms;         /* of the whole */
	const atomic_bool *stop;    /* may be NULL */
};
enum err out_post(const struct out_post *p, int *status, struct why *w);

/* A URL that out_post() may be given: its host (free() it), without brackets.
 * ERR_INPUT with the reason otherwise. */
enum err out_url_host(const char *url, char **scheme, char **host, struct why *w);

enum out_tls { OUT_TLS_NONE, OUT_TLS_OPTIONAL, OUT_TLS_REQUIRED };

struct out_mail {
	const char *server;          /* smtp://HOST:PORT, or smtps:// */
	enum out_tls tls;            /* STARTTLS, of smtp:// */
	const char *ca;              /* file of certificates; NULL: the system's */
	const char *user, *password; /* NULL: no authentication */
	const char *hello;           /* the name that it gives itself; NULL: curl's */
	const char *from, *to;       /* addresses alone: x@example.org */
	const char *const *cc;       /* others who get it; may be NULL */
	size_t cc_count;
	const char *text; /* headers, an empty line, the text; lines end with \n */
	int64_t timeout_ms;
	const atomic_bool *stop;
};
enum err out_mail(const struct out_mail *m, int *status, struct why *w);

#endif
