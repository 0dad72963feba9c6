/* submit_words.c - names, refs and URLs as people may write them. */
#include "server/submit.h"

#include "lib/mem.h"

#include <string.h>

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static bool only(const char *s, const char *chars, size_t max)
{
	size_t n = strspn(s, chars);

	return n > 0 && n <= max && !s[n];
}

bool word_is_good(const char *word)
{
	return only(word, ALNUM "._-", 64);
}

bool kernel_name_is_good(const char *name)
{
	return only(name, ALNUM "._+-", 64);
}

bool ref_is_good(const char *ref)
{
	size_t len = strlen(ref), i;

	if (!len || len > 250 || ref[0] == '-' || ref[0] == '/' || ref[len - 1] == '/' ||
	    ref[len - 1] == '.' || strcmp(ref, "@") == 0 || strstr(ref, "..") ||
	    strstr(ref, "@{") || strstr(ref, "//") || strstr(ref, "/.") || ref[0] == '.' ||
	    str_ends(ref, ".lock") || strstr(ref, ".lock/"))
		return false;
	for (i = 0; i < len; i++)
		if ((unsigned char)ref[i] <= ' ' || ref[i] == 0x7f || strchr("~^:?*[\\", ref[i]))
			return false;
	return true;
}

const char *tree_fault(const char *url)
{
	static const char *const schemes[] = {"https://", "http://", "git://", "ssh://",
	                                      "file:///"};
	const char *rest = NULL, *at, *colon;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(schemes); i++)
		if (str_starts(url, schemes[i]))
			rest = url + strlen(schemes[i]);
	if (!rest || !*rest)
		return "expected a URL of the scheme https, http, git, ssh or file";
	for (i = 0; url[i]; i++)
		if ((unsigned char)url[i] <= ' ' || url[i] == 0x7f)
			return "a URL has no blanks or control characters";
	if (rest[0] == '-')
		return "a host does not begin with '-'";
	at = memchr(rest, '@', strcspn(rest, "/"));
	colon = at ? memchr(rest, ':', (size_t)(at - rest)) : NULL;
	if (colon)
		return "a password in a URL would be shown to everyone: leave it out";
	return NULL;
}
