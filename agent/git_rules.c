/*
 * git_rules.c - see git_rules.h.
 */
#include "agent/git_rules.h"

#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const schemes[] = {"https", "http", "git", "ssh", "file", NULL};
static const char *const preset_trees[] = {"https://"};

static bool prefix_allows(const char *prefix, const char *url)
{
	size_t n = strlen(prefix);

	if (!n || strncmp(url, prefix, n) != 0)
		return false;
	return prefix[n - 1] == '/' || url[n] == '/' || url[n] == '\0';
}

static size_t tree_list(const struct conf_list *trees, const char *const **items)
{
	if (trees && trees->count) {
		*items = (const char *const *)trees->items;
		return trees->count;
	}
	*items = preset_trees;
	return ARRAY_SIZE(preset_trees);
}

void git_url_scheme(const char *url, char *out, size_t size)
{
	snprintf(out, size, "%.*s", (int)strcspn(url, ":"), url);
}

bool git_names_host(const struct conf_list *trees, const char *url)
{
	const char *const *items;
	size_t i, n = tree_list(trees, &items);

	if (str_starts(url, "file:"))
		return true;
	for (i = 0; i < n; i++) {
		const char *host = strstr(items[i], "://");

		if (host && host[3] && prefix_allows(items[i], url))
			return true;
	}
	return false;
}

/* A byte that has no place in an address, or 0. */
static unsigned char odd_byte(const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c <= ' ' || c >= 0x7f || c == '\\' || c == '"')
			return c;
	}
	return 0;
}

/* "." or ".." as a part of the path, plain or percent-encoded: it would lead
 * out of the prefix that was allowed. */
static bool climbs(const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");

		if ((n == 1 && path[0] == '.') || (n == 2 && path[0] == '.' && path[1] == '.'))
			return true;
		path += n + (path[n] == '/');
	}
	return false;
}

static bool encodes_path(const char *s)
{
	for (; *s; s++) {
		if (!strncasecmp(s, "%2e", 3) || !strncasecmp(s, "%2f", 3) ||
		    !strncasecmp(s, "%5c", 3) || !strncasecmp(s, "%00", 3))
			return true;
	}
	return false;
}

enum err git_check_url(const struct conf_list *trees, const char *url, struct why *w)
{
	const char *const *items;
	const char *rest, *slash, *at;
	size_t i, n = strlen(url);
	char scheme[16];

	if (!n || n > GIT_URL_MAX)
		return err_set(w, ERR_INPUT, "a tree's address has 1 to %d characters, not %zu",
		               GIT_URL_MAX, n);
	if (odd_byte(url))
		return err_set(w, ERR_INPUT,
		               "the tree's address holds the byte 0x%02x, which has no place "
		               "in an address",
		               odd_byte(url));
	git_url_scheme(url, scheme, sizeof(scheme));
	for (i = 0; schemes[i] && !str_eq(schemes[i], scheme); i++)
		;
	rest = strstr(url, "://");
	if (!schemes[i] || !rest || rest != url + strlen(scheme))
		return err_set(w, ERR_INPUT,
		               "tree \"%s\": expected an address like "
		               "https://host/path.git",
		               url);
	rest += 3;
	slash = strchr(rest, '/');
	at = strchr(rest, '@');
	if (!slash || (slash == rest && !str_eq(scheme, "file")))
		return err_set(w, ERR_INPUT, "tree \"%s\": expected a host and a path", url);
	if (slash != rest && str_eq(scheme, "file"))
		return err_set(w, ERR_INPUT, "tree \"%s\": expected file:///path, without a host",
		               url);
	if (rest[0] == '-')
		return err_set(w, ERR_INPUT, "tree \"%s\": its host begins with '-'", url);
	if (at && at < slash && !str_eq(scheme, "ssh"))
		return err_set(w, ERR_INPUT,
		               "a tree's address must not carry a user name or a password: "
		               "it is shown to everybody");
	if (climbs(slash) || encodes_path(slash))
		return err_set(w, ERR_INPUT, "tree \"%s\": \".\" and \"..\" are not allowed in it",
		               url);
	if (str_eq(scheme, "file") && strchr(url, '%'))
		return err_set(w, ERR_INPUT, "tree \"%s\": '%%' is not allowed in a local path",
		               url);
	n = tree_list(trees, &items);
	for (i = 0; i < n; i++) {
		if (prefix_allows(items[i], url))
			return OK;
	}
	return err_set(w, ERR_DENIED,
	               "tree \"%s\" is not among those that this agent may fetch (trees, in "
	               "its configuration)",
	               url);
}

/* ---- refs */

bool git_is_commit(const char *ref)
{
	return hex_is(ref, 40);
}

/* Rules of one component between slashes. */
static const char *component_fault(const char *s, size_t n)
{
	if (!n)
		return "it has an empty part";
	if (s[0] == '.')
		return "a part of it begins with '.'";
	if (n >= 5 && !strncmp(s + n - 5, ".lock", 5))
		return "a part of it ends with \".lock\"";
	return NULL;
}

static const char *ref_fault(const char *ref)
{
	const char *p;

	for (p = ref; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < ' ' || c == 0x7f)
			return "it holds a control character";
		if (strchr(" ~^:?*[\\", c))
			return "it holds a space or one of ~ ^ : ? * [ \\";
	}
	if (ref[0] == '-')
		return "it begins with '-'";
	if (!utf8_valid(ref, strlen(ref)))
		return "it is not UTF-8";
	if (strstr(ref, ".."))
		return "it holds \"..\"";
	if (strstr(ref, "@{") || str_eq(ref, "@"))
		return "it holds '@' in a way that git reads as something else";
	if (p[-1] == '.')
		return "it ends with '.'";
	for (p = ref;;) {
		size_t n = strcspn(p, "/");
		const char *fault = component_fault(p, n);

		if (fault || !p[n])
			return fault;
		p += n + 1;
	}
}

static bool printable(const char *s)
{
	const char *p;

	for (p = s; *p && (unsigned char)*p >= ' ' && *p != 0x7f; p++)
		;
	return !*p && utf8_valid(s, strlen(s));
}

enum err git_check_ref(const char *ref, struct why *w)
{
	size_t n = strlen(ref);
	const char *fault;

	if (!n || n > GIT_REF_MAX)
		return err_set(w, ERR_INPUT, "a ref has 1 to %d characters, not %zu", GIT_REF_MAX,
		               n);
	fault = ref_fault(ref);
	if (!fault)
		return OK;
	return err_set(w, ERR_INPUT, "ref \"%s\" is no name of a branch, a tag or a commit: %s",
	               printable(ref) ? ref : "?", fault);
}
