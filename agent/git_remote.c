/*
 * git_remote.c - commands that go to the tree, and where its host is (git.h).
 */
#include "agent/git.h"

#include "agent/git_rules.h"
#include "lib/guard.h"
#include "lib/mem.h"

#include <ctype.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_TEXT  64
#define ADDRESSES_MAX 16 /* of a host, that git may choose from */

static bool is_number(const char *s, size_t n)
{
	return n && n <= 5 && strspn(s, "0123456789") >= n;
}

bool git_url_host(const char *url, char *host, size_t size, char port[6])
{
	static const struct {
		const char *scheme, *port;
	} usual[] = {{"https", "443"}, {"http", "80"}, {"git", "9418"}, {"ssh", "22"}};
	const char *at, *end, *from = strstr(url, "://"), *colon;
	char scheme[16];
	size_t n;

	if (!from)
		return false;
	from += 3;
	end = from + strcspn(from, "/");
	at = memchr(from, '@', (size_t)(end - from));
	if (at)
		from = at + 1;
	if (*from == '[') {
		colon = memchr(from, ']', (size_t)(end - from));
		if (!colon)
			return false;
		from++;
		n = (size_t)(colon++ - from);
		if (strspn(from, "0123456789abcdefABCDEF:.") < n)
			return false;
	} else {
		n = strcspn(from, ":/");
		colon = from + n;
		for (size_t i = 0; i < n; i++)
			if (!isalnum((unsigned char)from[i]) && !strchr("-.", from[i]))
				return false;
		if (n && from[n - 1] == '.')
			return false;
	}
	if (!n || n >= size || (colon != end && *colon != ':'))
		return false;
	for (size_t i = 0; i < n; i++)
		host[i] = (char)tolower((unsigned char)from[i]);
	host[n] = '\0';
	if (colon != end && !is_number(colon + 1, (size_t)(end - colon - 1)))
		return false;
	if (colon != end) {
		snprintf(port, 6, "%.*s", (int)(end - colon - 1), colon + 1);
		return true;
	}
	git_url_scheme(url, scheme, sizeof(scheme));
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		if (str_eq(usual[i].scheme, scheme))
			memcpy(port, usual[i].port, strlen(usual[i].port) + 1);
	return true;
}

/* It looks names up by itself. */
static bool has_proxy(void)
{
	static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
	                                    "ALL_PROXY"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return true;
	}
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
	char host[256], port[6];
	struct buf addresses;
	enum err e = OK;
	int said;

	if (g->found || git_names_host(&g->step->conf->trees, g->url))
		return OK;
	buf_init(&addresses, 4096);
	if (!git_url_host(g->url, host, sizeof(host), port))
		e = err_set(w, ERR_DENIED, "its host is no name and no address");
	else if ((said = getaddrinfo(host, NULL, &hints, &list)) && !has_proxy())
		e = err_set(w, ERR_IO, "Could not resolve host: %s (%s)", host, gai_strerror(said));
	else if (!said)
		e = judge(host, list, &addresses, w);
	if (!e && addresses.len && !strchr(host, ':') && str_starts(g->url, "http"))
		g->resolve = xasprintf("http.curloptResolve=%s:%s:%s", host, port, addresses.data);
	g->found = !e;
	if (list)
		freeaddrinfo(list);
	buf_release(&addresses);
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
