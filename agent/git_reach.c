/* git_reach.c - see git_reach.h. */
#include "agent/git_reach.h"

#include "agent/git_rules.h"
#include "lib/guard.h"
#include "lib/mem.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIN_MAX 4096

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

char *git_pin(const char *host, const char *port, const struct addrinfo *list)
{
	const struct guard none = {0};
	char text[INET6_ADDRSTRLEN];
	struct buf b;
	size_t n = 0;
	char *pin;

	buf_init(&b, PIN_MAX);
	buf_addf(&b, "%s:%s:", host, port);
	for (; list; list = list->ai_next) {
		bool six = list->ai_family == AF_INET6;

		if (!guard_permits(&none, list->ai_addr) ||
		    getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof(text), NULL, 0,
		                NI_NUMERICHOST))
			continue;
		buf_addf(&b, six ? "%s[%s]" : "%s%s", n++ ? "," : "", text);
	}
	pin = n ? buf_take(&b, NULL) : NULL;
	buf_release(&b);
	return pin;
}

/* That git's own library would use. */
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

/* *pin stays NULL where git may look the host up itself. */
static enum err look_up(const char *url, char **pin, struct why *w)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	char host[256], port[6] = "";
	int said;

	*pin = NULL;
	if (!git_url_host(url, host, sizeof(host), port))
		return err_set(w, ERR_DENIED, "its host is no name and no address");
	said = getaddrinfo(host, NULL, &hints, &list);
	if (said && has_proxy())
		return OK;
	if (said)
		return err_set(w, ERR_UNAVAILABLE, "its host cannot be found (%s)",
		               gai_strerror(said));
	*pin = git_pin(host, port, list);
	freeaddrinfo(list);
	return *pin ? OK
	            : err_set(w, ERR_DENIED,
	                      "\"%s\" is at a private address, and the agent's trees do not name "
	                      "that host",
	                      host);
}

enum err git_begin_remote(const struct git *g, struct argv *a, struct why *w)
{
	char *pin = NULL;
	enum err e = OK;

	git_begin(g, a);
	if (!git_names_host(&g->step->conf->trees, g->url))
		e = look_up(g->url, &pin, w);
	if (e == OK && pin) {
		argv_add(a, "-c", NULL);
		argv_addf(a, "http.curloptResolve=%s", pin);
	}
	free(pin);
	return e;
}
