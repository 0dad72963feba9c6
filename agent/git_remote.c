/*
 * git_remote.c - commands that go to the tree, and where its host is (git.h).
 */
#include "agent/git.h"

#include "agent/git_rules.h"
#include "lib/guard.h"
#include "lib/mem.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_TEXT  64
#define ADDRESSES_MAX 16 /* of a host, that git may choose from */

static const struct {
	const char *scheme, *port;
} ports[] = {{"https", "443"}, {"http", "80"}, {"git", "9418"}, {"ssh", "22"}};

bool git_host_of(const char *url, char **host, char **port)
{
	const char *rest = strstr(url, "://"), *end, *at, *colon;

	*host = *port = NULL;
	if (!rest)
		return false;
	rest += 3;
	end = rest + strcspn(rest, "/");
	at = memchr(rest, '@', (size_t)(end - rest));
	rest = at ? at + 1 : rest;
	if (*rest == '[') {
		const char *close = memchr(rest, ']', (size_t)(end - rest));

		if (!close)
			return false;
		*host = xstrndup(rest + 1, (size_t)(close - rest) - 1);
		rest = close + 1;
	} else {
		*host = xstrndup(rest, strcspn(rest, ":/"));
		rest += strlen(*host);
	}
	colon = *rest == ':' && rest + 1 < end ? rest + 1 : NULL;
	if (colon)
		*port = xstrndup(colon, (size_t)(end - colon));
	for (size_t i = 0; !colon && i < ARRAY_SIZE(ports); i++)
		if (str_starts(url, ports[i].scheme) && url[strlen(ports[i].scheme)] == ':')
			*port = xstrdup(ports[i].port);
	return **host && *port;
}

/* It looks names up by itself. */
static bool has_proxy(void)
{
	static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
	                                    "ALL_PROXY"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (getenv(names[i]))
			return true;
	return false;
}

/* All of them must be permitted: git takes whichever answers. */
static enum err judge(const char *host, const struct addrinfo *list, struct buf *out, struct why *w)
{
	static const struct guard nobody = {0};
	size_t n = 0;

	for (const struct addrinfo *a = list; a; a = a->ai_next) {
		char text[ADDRESS_TEXT];

		if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0,
		                NI_NUMERICHOST))
			continue;
		if (!guard_permits(&nobody, a->ai_addr))
			return err_set(w, ERR_DENIED,
			               "its host \"%s\" has the address %s, which is none of the "
			               "public internet: the agent's owner can allow the host in "
			               "trees, in its configuration",
			               host, text);
		if (n++ < ADDRESSES_MAX)
			buf_addf(out, a->ai_family == AF_INET6 ? "%s[%s]" : "%s%s",
			         out->len ? "," : "", text);
	}
	return OK;
}

/* Looks the host up once, and has git go where it was then: a name may lead elsewhere the
 * next time it is asked for (git knows how since 2.37). ERR_DENIED. */
static enum err find_host(struct git *g, struct why *w)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	char *host = NULL, *port = NULL;
	struct buf addresses;
	enum err e = OK;

	if (g->found || git_names_host(&g->step->conf->trees, g->url))
		return OK;
	buf_init(&addresses, 4096);
	if (!git_host_of(g->url, &host, &port))
		e = err_set(w, ERR_DENIED, "its host cannot be told");
	else if (getaddrinfo(host, NULL, &hints, &list))
		e = has_proxy() ? OK : err_set(w, ERR_IO, "Could not resolve host: %s", host);
	else
		e = judge(host, list, &addresses, w);
	if (!e && host && addresses.len && !strchr(host, ':') && str_starts(g->url, "http"))
		g->resolve = xasprintf("http.curloptResolve=%s:%s:%s", host, port, addresses.data);
	g->found = !e;
	if (list)
		freeaddrinfo(list);
	buf_release(&addresses);
	free(host);
	free(port);
	return e;
}

enum err git_begin_remote(struct git *g, struct argv *a, struct why *w)
{
	enum err e = find_host(g, w);

	git_begin(g, a);
	/* 1 KiB/s over a minute is a connection that died. */
	argv_add(a, "-c", "http.lowSpeedLimit=1024", "-c", "http.lowSpeedTime=60", NULL);
	if (g->resolve)
		argv_add(a, "-c", g->resolve, NULL);
	return e;
}

enum err git_begin_fetch(struct git *g, struct argv *a, struct why *w)
{
	enum err e = git_begin_remote(g, a, w);

	argv_add(a, "fetch", "--progress", "--no-tags", "--no-recurse-submodules",
	         "--no-write-fetch-head", "--no-auto-gc", "--no-auto-maintenance", "--force", NULL);
	return e;
}
