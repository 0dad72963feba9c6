/*
 * http_route.c - one table decides: 404, 405 with Allow, 401, 403, 413.
 */
#include "server/http_priv.h"

#include "lib/log.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a pattern's braces may hold. */
static const struct param_kind {
	const char *text;
	size_t min, max;
	const char *set;
} kinds[] = {
        {"{id}", 1, 18, "0123456789"},
        {"{name}", 1, 64, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"},
        {"{sha256}", 64, 64, "0123456789abcdef"},
};

static const struct param_kind *kind_at(const char *pattern)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (str_starts(pattern, kinds[i].text))
			return &kinds[i];
	}
	return NULL;
}

void http_routes_check(const struct http_route *routes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *p = routes[i].pattern;
		int params = 0;

		for (; *p; p++) {
			const struct param_kind *k;

			if (*p != '{')
				continue;
			k = kind_at(p);
			if (!k)
				err_bug("route %s: unknown parameter at \"%s\"", routes[i].pattern,
				        p);
			if (++params > 4)
				err_bug("route %s: more than 4 parameters", routes[i].pattern);
			p += strlen(k->text) - 1;
		}
		for (size_t j = 0; j < i; j++) {
			if (strcmp(routes[i].op, routes[j].op) == 0)
				err_bug("two routes are called %s", routes[i].op);
		}
	}
}

static bool match(struct exchange *x, const char *pattern, const char *path)
{
	int n = 0;

	x->req.id = -1;
	while (*pattern && *path) {
		const struct param_kind *k;
		size_t len;

		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		k = kind_at(pattern);
		len = strspn(path, k->set);
		if (len < k->min || len > k->max)
			return false;
		memcpy(x->param[n], path, len);
		x->param[n][len] = '\0';
		x->req.param[n] = x->param[n];
		if (k == &kinds[0] && x->req.id < 0)
			x->req.id = strtoll(x->param[n], NULL, 10);
		n++;
		path += len;
		pattern += strlen(k->text);
	}
	return !*pattern && !*path;
}

/* "GET, HEAD, POST": each method once, in the order of the table. */
static void allow(struct exchange *x, const char *method)
{
	const char *with_head = strcmp(method, "GET") == 0 ? "GET, HEAD" : method;
	size_t used = strlen(x->allow);

	if (strcmp(method, "HEAD") == 0 || strstr(x->allow, method))
		return;
	if (used + strlen(with_head) + 3 > sizeof(x->allow))
		return;
	if (used) {
		memcpy(x->allow + used, ", ", 3);
		used += 2;
	}
	memcpy(x->allow + used, with_head, strlen(with_head) + 1);
}

static const struct http_route *find(struct exchange *x, const char *method, const char *path,
                                     bool *known)
{
	const struct http *h = x->http;
	const char *as = x->head ? "GET" : method;

	*known = false;
	for (size_t i = 0; i < h->count; i++) {
		if (!match(x, h->routes[i].pattern, path))
			continue;
		*known = true;
		if (strcmp(h->routes[i].method, as) == 0)
			return &h->routes[i];
		allow(x, h->routes[i].method);
	}
	return NULL;
}

static bool may(const struct http_route *r, enum role role, bool read_open)
{
	switch (r->role) {
	case ROLE_NONE:
		return true;
	case ROLE_READ:
		return read_open || role != ROLE_NONE;
	case ROLE_SUBMIT:
		return role == ROLE_SUBMIT || role == ROLE_ADMIN;
	case ROLE_AGENT:
		return role == ROLE_AGENT || role == ROLE_ADMIN ||
		       (role == ROLE_SUBMIT && (r->flags & HTTP_SUBMIT_TOO));
	case ROLE_ADMIN:
		return role == ROLE_ADMIN;
	}
	return false;
}

static const char *const role_names[] = {
        [ROLE_NONE] = "nobody", [ROLE_READ] = "read",   [ROLE_SUBMIT] = "submit",
        [ROLE_AGENT] = "agent", [ROLE_ADMIN] = "admin",
};

static enum err who(struct exchange *x, const struct http_route *r, struct why *w)
{
	struct http *h = x->http;
	const char *auth = http_header(&x->req, "Authorization");
	const char *also = r->flags & HTTP_SUBMIT_TOO ? " or submit" : "";
	enum err e;

	if (r->role == ROLE_NONE)
		return OK;
	if (auth) {
		if (strncasecmp(auth, "Bearer ", 7) != 0)
			return err_set(w, ERR_AUTH, "authorization: expected \"Bearer TOKEN\"");
		auth += 7 + strspn(auth + 7, " ");
		if (!*auth || strlen(auth) > 128 || !h->conf.authenticate)
			return err_set(w, ERR_AUTH, "this token is not known here");
		e = h->conf.authenticate(h->srv, auth, &x->req.role, &x->req.token_id, x->label, w);
		if (e != OK)
			return e;
		x->req.token_label = x->label;
	}
	if (may(r, x->req.role, h->conf.read_open))
		return OK;
	if (!auth)
		return err_set(w, ERR_AUTH, "%s %s needs a token of role %s%s", r->method,
		               r->pattern, role_names[r->role], also);
	return err_set(w, ERR_DENIED, "%s %s needs a token of role %s%s, this one has role %s",
	               r->method, r->pattern, role_names[r->role], also, role_names[x->req.role]);
}

static uint64_t cap_of(const struct http *h, const struct http_route *r)
{
	size_t over = r->flags & HTTP_BODY_FILE ? h->conf.file_max : h->conf.body_max;

	return over && over < r->max_body ? over : r->max_body;
}

void http_decide(struct exchange *x, const char *method, const char *path)
{
	const struct http_route *r;
	int64_t declared = http_body_declared(x);
	bool known;

	x->head = strcmp(method, "HEAD") == 0;
	r = find(x, method, path, &known);
	if (!r && known) {
		x->refused =
		        err_set(&x->why, ERR_METHOD, "%s takes %s, not %s", path, x->allow, method);
		return;
	}
	if (!r && (!x->http->conf.web_dir || str_starts(path, "/api/"))) {
		x->refused = err_set(&x->why, ERR_NOT_FOUND, "there is nothing at \"%s\"", path);
		return;
	}
	if (!r && !x->head && strcmp(method, "GET") != 0) {
		allow(x, "GET");
		x->refused =
		        err_set(&x->why, ERR_METHOD, "%s takes %s, not %s", path, x->allow, method);
		return;
	}
	if (r) {
		x->refused = who(x, r, &x->why);
		if (x->refused != OK)
			return;
		x->cap = cap_of(x->http, r);
	}
	if (declared > 0 && (uint64_t)declared > x->cap) {
		x->refused = x->cap ? err_set(&x->why, ERR_TOO_LARGE,
		                              "the body has %lld bytes; %s %s takes at most %llu",
		                              (long long)declared, method, path,
		                              (unsigned long long)x->cap)
		                    : err_set(&x->why, ERR_TOO_LARGE, "%s %s takes no body", method,
		                              path);
		return;
	}
	x->route = r;
}
