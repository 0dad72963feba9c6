/*
 * kconfig.c - see kconfig.h.
 */
#include "agent/kconfig.h"

#include "lib/mem.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 65536
#define SENTENCES_MAX  64

static void add(struct kconfig *k, const char *name, size_t name_len, const char *value,
                size_t value_len)
{
	/* Grown by powers of two without a field for it: the count says when. */
	if (!(k->count & (k->count - 1)))
		k->line = xreallocarray(k->line, k->count ? k->count * 2 : 1, sizeof(*k->line));
	k->line[k->count].name = xstrndup(name, name_len);
	k->line[k->count++].value = xstrndup(value, value_len);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct kconfig_line *)a)->name,
	              ((const struct kconfig_line *)b)->name);
}

/* Stable, so that of equal names the last one written stays last. */
static void merge_sort(struct kconfig_line *v, struct kconfig_line *tmp, size_t n)
{
	size_t half = n / 2, i = 0, j = half, at = 0;

	if (n < 2)
		return;
	merge_sort(v, tmp, half);
	merge_sort(v + half, tmp, n - half);
	while (i < half || j < n) {
		if (j >= n || (i < half && by_name(&v[i], &v[j]) <= 0))
			tmp[at++] = v[i++];
		else
			tmp[at++] = v[j++];
	}
	memcpy(v, tmp, n * sizeof(*v));
}

static void drop(struct kconfig_line *l)
{
	free(l->name);
	free(l->value);
}

void kconfig_sort(struct kconfig *k)
{
	struct kconfig_line *tmp;
	size_t i, kept = 0, room = 1;

	if (!k->count)
		return;
	tmp = xreallocarray(NULL, k->count, sizeof(*tmp));
	merge_sort(k->line, tmp, k->count);
	free(tmp);
	for (i = 0; i < k->count; i++) {
		if (i + 1 < k->count && str_eq(k->line[i].name, k->line[i + 1].name))
			drop(&k->line[i]);
		else
			k->line[kept++] = k->line[i];
	}
	k->count = kept;
	/* What add() expects to be there. */
	while (room < kept)
		room *= 2;
	k->line = xreallocarray(k->line, room, sizeof(*k->line));
}

void kconfig_release(struct kconfig *k)
{
	size_t i;

	for (i = 0; i < k->count; i++)
		drop(&k->line[i]);
	free(k->line);
	*k = (struct kconfig){0};
}

const char *kconfig_value(const struct kconfig *k, const char *name)
{
	struct kconfig_line key = {.name = (char *)name}, *found;

	found = k->count ? bsearch(&key, k->line, k->count, sizeof(key), by_name) : NULL;
	return found ? found->value : NULL;
}

bool kconfig_is_whole(const char *text)
{
	static const char *const marks[] = {"#\n# Automatically generated file; DO NOT EDIT.",
	                                    "# Automatically generated file; DO NOT EDIT."};
	size_t i;

	text += strspn(text, " \t\r\n");
	for (i = 0; i < ARRAY_SIZE(marks); i++) {
		if (str_starts(text, marks[i]))
			return true;
	}
	return false;
}

/* ---- parsing */

static size_t name_len(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && (isalnum((unsigned char)s[n]) || s[n] == '_'))
		n++;
	return n;
}

/* A quoted string ends at its last byte and nowhere before; anything else is one word. */
static bool value_ok(const char *v, size_t len)
{
	size_t i;

	if (!len)
		return false;
	if (v[0] != '"') {
		for (i = 0; i < len; i++) {
			if (!isgraph((unsigned char)v[i]))
				return false;
		}
		return true;
	}
	for (i = 1; i < len && v[i] != '"'; i++)
		i += v[i] == '\\';
	return i + 1 == len;
}

static enum err parse_line(struct kconfig *k, const char *s, size_t len, size_t number,
                           struct why *w)
{
	static const char unset[] = " is not set";
	size_t n;

	while (len && isspace((unsigned char)s[len - 1]))
		len--;
	while (len && isspace((unsigned char)*s))
		s++, len--;
	if (len > LINE_MAX_BYTES)
		return err_set(w, ERR_INPUT, "config:%zu: the line is longer than %d bytes", number,
		               LINE_MAX_BYTES);
	if (memchr(s, '\0', len))
		return err_set(w, ERR_INPUT, "config:%zu: the line holds a NUL", number);
	if (len > 9 && !strncmp(s, "# CONFIG_", 9)) {
		n = name_len(s + 9, len - 9);
		if (n && len - 9 - n == sizeof(unset) - 1 &&
		    !strncmp(s + 9 + n, unset, sizeof(unset) - 1))
			add(k, s + 9, n, "n", 1);
		return OK;
	}
	if (!len || *s == '#')
		return OK;
	n = len > 7 && !strncmp(s, "CONFIG_", 7) ? name_len(s + 7, len - 7) : 0;
	if (!n || 7 + n >= len || s[7 + n] != '=' || !value_ok(s + 8 + n, len - 8 - n))
		return err_set(w, ERR_INPUT,
		               "config:%zu: expected CONFIG_NAME=value or \"# CONFIG_NAME is not "
		               "set\", got \"%.*s\"",
		               number, len > 80 ? 80 : (int)len, s);
	add(k, s + 7, n, s + 8 + n, len - 8 - n);
	return OK;
}

enum err kconfig_parse(struct kconfig *k, const char *text, size_t len, struct why *w)
{
	size_t at = 0, number = 1;
	enum err e = OK;

	*k = (struct kconfig){0};
	for (; at < len && !e; number++) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end ? (size_t)(end - (text + at)) : len - at;

		e = parse_line(k, text + at, n, number, w);
		at += n + 1;
	}
	kconfig_sort(k);
	return e;
}

/* ---- verifying */

/* 0x10 and 0x00000010 are one number; everything else is compared as text. */
static bool value_equal(const char *a, const char *b)
{
	char *a_end, *b_end;
	unsigned long long x, y;

	if (str_eq(a, b))
		return true;
	if (strncasecmp(a, "0x", 2) != 0 || strncasecmp(b, "0x", 2) != 0)
		return false;
	errno = 0;
	x = strtoull(a, &a_end, 16);
	y = strtoull(b, &b_end, 16);
	return !errno && !*a_end && !*b_end && x == y;
}

size_t kconfig_verify(const struct kconfig *asked, const struct kconfig *got,
                      const struct kconfig *prompts, struct buf *out)
{
	size_t i, n = 0;

	for (i = 0; i < asked->count; i++) {
		const struct kconfig_line *l = &asked->line[i];
		const char *value = kconfig_value(got, l->name);

		/* An empty string and a symbol that is not there say the same. */
		if (value_equal(l->value, value ? value : "n") ||
		    (!value && str_eq(l->value, "\"\"")))
			continue;
		if (prompts && !kconfig_value(prompts, l->name))
			continue;
		if (n++ < SENTENCES_MAX)
			buf_addf(out, "%sCONFIG_%s: asked for %s, got %s%s", n > 1 ? "; " : "",
			         l->name, l->value, value ? value : "n",
			         value && !str_eq(value, "n") ? "" : " (is a dependency missing?)");
	}
	if (n > SENTENCES_MAX)
		buf_addf(out, "; and %zu more", n - SENTENCES_MAX);
	return n;
}

void kconfig_hash(const char *text, size_t len, char hex[SHA256_HEX])
{
	struct hash *h = hash_new();
	size_t at = 0;

	while (at < len) {
		const char *s = text + at, *end = memchr(s, '\n', len - at);
		size_t n = end ? (size_t)(end - s) : len - at;

		if (n && *s != '#') {
			hash_add(h, s, n);
			hash_add(h, "\n", 1);
		}
		at += n + 1;
	}
	hash_final(h, hex);
}
