#include "server/long_text.h"

#include "lib/json.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Shorter ones are not worth it. */
#define LONG 4096

static const char *blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* Past the opening quote of the key's string, or NULL. */
static const char *find(const char *body, const char *end, const char *key)
{
	char *quoted = xasprintf("\"%s\"", key);
	size_t n = strlen(quoted);
	const char *at = memmem(body, (size_t)(end - body), quoted, n);

	if (at && memmem(at + n, (size_t)(end - at) - n, quoted, n))
		at = NULL;
	free(quoted);
	if (!at)
		return NULL;
	at = blanks(at + n, end);
	if (at == end || *at++ != ':')
		return NULL;
	at = blanks(at, end);
	return at == end || *at != '"' ? NULL : at + 1;
}

static char unescape(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'r':
		return '\r';
	case '"':
	case '\\':
	case '/':
		return c;
	default:
		return 0; /* \u, \b, \f: seldom, and the reader knows them */
	}
}

/* The string from p into out; past its closing quote, or NULL. */
static const char *take(const char *p, const char *end, char *out, size_t *len)
{
	size_t n = 0;

	while (p < end) {
		unsigned char c = (unsigned char)*p++;

		if (c == '"') {
			*len = n;
			return p;
		}
		if (c < ' ')
			return NULL;
		if (c == '\\') {
			if (p == end || !(c = (unsigned char)unescape(*p++)))
				return NULL;
		}
		out[n++] = (char)c;
	}
	return NULL;
}

enum err long_text_parse(const char *body, size_t len, const char *key, json_t **root, char **text,
                         size_t *text_len, struct why *w)
{
	const char *end = body + len, *begin, *after = NULL;
	char *rest;
	size_t head;
	enum err e;

	*text = NULL;
	begin = len >= LONG ? find(body, end, key) : NULL;
	if (begin) {
		*text = xmalloc((size_t)(end - begin) + 1);
		after = take(begin, end, *text, text_len);
	}
	if (!after || !utf8_valid(*text, *text_len)) {
		free(*text);
		*text = NULL;
		return json_parse(body, len, len, root, w);
	}
	(*text)[*text_len] = '\0';
	head = (size_t)(begin - body);
	rest = xmalloc(head + (size_t)(end - after) + 1);
	memcpy(rest, body, head);
	rest[head] = '"';
	memcpy(rest + head + 1, after, (size_t)(end - after));
	e = json_parse(rest, head + 1 + (size_t)(end - after), len, root, w);
	free(rest);
	return e;
}
