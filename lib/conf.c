#include "lib/conf.h"

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/utf8.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX     (1024 * 1024)
#define NAME_MAX_LEN 64
#define KEYS_MAX     64
#define NAME_CHARS   "abcdefghijklmnopqrstuvwxyz0123456789._-"

/* One opened block: the struct that it fills and the keys that it has seen. */
struct target {
	const struct conf_block *block;
	void *into;
	uint64_t seen; /* bit per key of the table */
	size_t line;   /* of its header, 0 for the lines before the first */
	char *name;
};

struct reader {
	const char *file;
	size_t line;
	const struct conf_block *blocks;
	size_t block_count;
	void *ctx;
	struct target now;
	struct buf sections; /* "kind name\n" of every header so far */
	struct why *w;
};

static enum err set_value(const struct conf_key *k, void *into, const char *text, struct why *w);

static void *slot(const struct conf_key *k, void *into)
{
	return (char *)into + k->offset;
}

/* ---- numbers */

static bool digits(const char *text, const char **end, uint64_t *value)
{
	uint64_t n = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*end = p;
	*value = n;
	return p > text;
}

static const struct {
	char suffix;
	unsigned int shift;
} units[] = {{'G', 30}, {'M', 20}, {'K', 10}};

/* Take one of K, M, G off the text; false when that overflows or more follows. */
static bool scaled(const char *rest, uint64_t *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (*rest != units[i].suffix)
			continue;
		if (*value > UINT64_MAX >> units[i].shift)
			return false;
		*value <<= units[i].shift;
		rest++;
		break;
	}
	return *rest == '\0';
}

enum err size_parse(const char *text, uint64_t *bytes, struct why *w)
{
	const char *rest;
	uint64_t n;

	if (!digits(text, &rest, &n) || !scaled(rest, &n))
		return err_set(w, ERR_INPUT,
		               "expected a number of bytes, with K, M or G after it or nothing, "
		               "got \"%.64s\"",
		               text);
	*bytes = n;
	return OK;
}

void size_format(uint64_t bytes, char *out, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		uint64_t unit = UINT64_C(1) << units[i].shift;

		if (bytes >= unit && bytes % unit == 0) {
			snprintf(out, size, "%" PRIu64 "%c", bytes / unit, units[i].suffix);
			return;
		}
	}
	snprintf(out, size, "%" PRIu64, bytes);
}

static enum err number(const char *text, bool suffix, int64_t min, int64_t max, int64_t *value,
                       struct why *w)
{
	bool negative = text[0] == '-';
	uint64_t limit = (uint64_t)INT64_MAX + negative;
	const char *rest;
	uint64_t n;
	int64_t v;

	if (digits(text + negative, &rest, &n) && (suffix ? scaled(rest, &n) : *rest == '\0') &&
	    n <= limit) {
		/* in unsigned numbers, where the negation of 2^63 is defined */
		v = negative ? (int64_t)(0 - n) : (int64_t)n;
		if (v >= min && v <= max) {
			*value = v;
			return OK;
		}
	}
	return err_set(w, ERR_INPUT,
	               "expected a whole number from %" PRId64 " to %" PRId64 ", got \"%.64s\"",
	               min, max, text);
}

enum err int_parse(const char *text, int64_t min, int64_t max, int64_t *value, struct why *w)
{
	return number(text, false, min, max, value, w);
}

/* ---- values */

static enum err set_string(const struct conf_key *k, void *into, const char *text, struct why *w)
{
	size_t len = strlen(text);
	char **to = slot(k, into);

	if ((int64_t)len < k->min || (k->max > 0 && (int64_t)len > k->max))
		return err_set(w, ERR_INPUT,
		               "expected %" PRId64 " to %" PRId64 " bytes of text, got %zu", k->min,
		               k->max, len);
	free(*to);
	*to = xstrdup(text);
	return OK;
}

static enum err set_integer(const struct conf_key *k, void *into, const char *text, struct why *w)
{
	return number(text, true, k->min, k->max, slot(k, into), w);
}

static enum err set_boolean(const struct conf_key *k, void *into, const char *text, struct why *w)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (str_eq(text, words[i])) {
			*(bool *)slot(k, into) = i % 2;
			return OK;
		}
	}
	return err_set(w, ERR_INPUT, "expected yes or no, got \"%.64s\"", text);
}

static enum err set_list(const struct conf_key *k, void *into, const char *text, struct why *w)
{
	struct conf_list *list = slot(k, into);

	(void)w;
	for (;;) {
		size_t len;

		text += strspn(text, " \t");
		len = strcspn(text, " \t");
		if (len == 0)
			return OK;
		list->items = xreallocarray(list->items, list->count + 1, sizeof(*list->items));
		list->items[list->count++] = xstrndup(text, len);
		text += len;
	}
}

static enum err set_word(const struct conf_key *k, void *into, const char *text, struct why *w)
{
	struct buf known;
	enum err e;

	for (int i = 0; k->words[i]; i++) {
		if (str_eq(text, k->words[i])) {
			*(int *)slot(k, into) = i;
			return OK;
		}
	}
	buf_init(&known, 512);
	for (int i = 0; k->words[i]; i++)
		buf_addf(&known, "%s%s", i ? ", " : "", k->words[i]);
	e = err_set(w, ERR_INPUT, "expected one of %s, got \"%.64s\"", known.data, text);
	buf_release(&known);
	return e;
}

static enum err set_value(const struct conf_key *k, void *into, const char *text, struct why *w)
{
	static enum err (*const setters[])(const struct conf_key *, void *, const char *,
	                                   struct why *) = {
	        [CONF_STR] = set_string, [CONF_INT] = set_integer, [CONF_BOOL] = set_boolean,
	        [CONF_LIST] = set_list,  [CONF_ENUM] = set_word,
	};

	return setters[k->type](k, into, text, w);
}

static void clear_list(struct conf_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct conf_list){0};
}

void conf_release(const struct conf_key *keys, void *into)
{
	for (const struct conf_key *k = keys; k->name; k++) {
		if (k->type == CONF_STR) {
			free(*(char **)slot(k, into));
			*(char **)slot(k, into) = NULL;
		} else if (k->type == CONF_LIST) {
			clear_list(slot(k, into));
		}
	}
}

/* ---- blocks */

static enum err at_line(struct reader *r, size_t line, enum err e)
{
	return err_at(r->w, e, "%s:%zu", r->file, line);
}

static const struct conf_block *find_block(const struct reader *r, const char *kind)
{
	for (size_t i = 0; i < r->block_count; i++)
		if (str_eq(r->blocks[i].kind, kind))
			return &r->blocks[i];
	return NULL;
}

static enum err open_block(struct reader *r, const struct conf_block *block, const char *name)
{
	struct why *w = r->w;
	size_t n = 0;
	void *into;

	/* `open` need not write a reason; an old one must not pass for it */
	err_set(w, OK, "%s \"%s\" is not wanted here", block->kind ? block->kind : "file",
	        name ? name : r->file);
	into = block->open(r->ctx, name, w);
	if (!into)
		return ERR_INPUT;
	r->now = (struct target){
	        .block = block, .into = into, .line = r->line, .name = name ? xstrdup(name) : NULL};
	for (const struct conf_key *k = block->keys; k->name; k++, n++) {
		if (n == KEYS_MAX)
			err_bug("a table of more than %d keys", KEYS_MAX);
		if (k->preset && set_value(k, into, k->preset, w) != OK)
			err_bug("preset of %s: %s", k->name, w ? w->text : k->preset);
	}
	return OK;
}

/* A block is over: what must be there, was it? */
static enum err close_block(struct reader *r)
{
	const struct target *t = &r->now;
	enum err e = OK;
	size_t n = 0;

	if (!t->block)
		return OK;
	for (const struct conf_key *k = t->block->keys; e == OK && k->name; k++, n++) {
		/* a string that is missing is NULL and a list is empty: those can be told */
		bool needed = !k->preset && (k->type == CONF_INT || k->type == CONF_ENUM) &&
		              (k->min > 0 || k->type == CONF_ENUM);

		if (!needed || t->seen & UINT64_C(1) << n)
			continue;
		e = err_set(r->w, ERR_INPUT, "\"%s\" must be given%s%s", k->name,
		            t->block->kind ? " in section " : "", t->block->kind ? t->name : "");
		e = at_line(r, t->line ? t->line : 1, e);
	}
	free(r->now.name);
	r->now = (struct target){0};
	return e;
}

/* ---- lines */

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static char *skip_blanks(char *p)
{
	while (blank(*p))
		p++;
	return p;
}

static bool ends_here(const char *p)
{
	return *p == '\0' || *p == '#';
}

/* `[kind name]`, p behind the bracket. */
static enum err read_header(struct reader *r, char *p)
{
	char *kind = skip_blanks(p), *name, *end;
	const struct conf_block *block;
	struct why *w = r->w;
	size_t before = r->sections.len;
	enum err e;

	end = strchr(kind, ']');
	if (!end || !ends_here(skip_blanks(end + 1)))
		return err_set(w, ERR_INPUT, "expected a section [kind name] and nothing after it");
	*end = '\0';
	while (end > kind && blank(end[-1]))
		*--end = '\0';
	name = kind + strcspn(kind, " \t");
	if (*name) {
		*name++ = '\0';
		name = skip_blanks(name);
	}
	block = *kind ? find_block(r, kind) : NULL;
	if (!block)
		return err_set(w, ERR_INPUT, "unknown section \"%.64s\"", kind);
	if (*name == '\0' || strlen(name) > NAME_MAX_LEN || name[strspn(name, NAME_CHARS)])
		return err_set(w, ERR_INPUT,
		               "expected a name for the section \"%s\", 1 to %d of a-z, 0-9, '.', "
		               "'_', '-', got \"%.80s\"",
		               kind, NAME_MAX_LEN, name);
	/* each entry stands between newlines, so a part of one never matches */
	buf_addf(&r->sections, "\n%s %s\n", kind, name);
	if (before > 0 &&
	    strstr(r->sections.data, r->sections.data + before) < r->sections.data + before)
		return err_set(w, ERR_INPUT, "section [%s %s] is given twice", kind, name);
	e = open_block(r, block, name);
	return e;
}

/* Unquote "…" in place. *rest is what follows the closing quote. */
static enum err unquote(char *p, char **rest, struct why *w)
{
	char *to = p, *from = p + 1;

	for (; *from && *from != '"'; from++) {
		if (*from == '\\') {
			if (from[1] != '"' && from[1] != '\\')
				return err_set(w, ERR_INPUT,
				               "in quotes a backslash stands before \\ or \" only");
			from++;
		}
		*to++ = *from;
	}
	if (*from == '\0')
		return err_set(w, ERR_INPUT, "the quote is not closed");
	*rest = from + 1;
	*to = '\0';
	return OK;
}

/* The value of a line in place: without blanks around it, its comment, its quotes. */
static enum err read_value(char *p, char **value, struct why *w)
{
	char *rest = p, *end;
	enum err e;

	*value = p;
	if (*p == '"') {
		e = unquote(p, &rest, w);
		if (e != OK)
			return e;
		if (!ends_here(skip_blanks(rest)) || (*rest == '#'))
			return err_set(w, ERR_INPUT, "text follows the closing quote");
		return OK;
	}
	for (end = p; *end; end++)
		if (*end == '#' && blank(end[-1])) /* at p there stands a blank or the '=' before */
			break;
	while (end > p && blank(end[-1]))
		end--;
	*end = '\0';
	return OK;
}

static enum err read_pair(struct reader *r, char *p)
{
	char *equals = strchr(p, '='), *end = equals, *value;
	const struct conf_key *k;
	struct why *w = r->w;
	size_t n = 0;
	enum err e;

	if (!equals)
		return err_set(w, ERR_INPUT, "expected key = value, got \"%.64s\"", p);
	while (end > p && blank(end[-1]))
		end--;
	*end = '\0';
	if (!r->now.block)
		return err_set(w, ERR_INPUT, "\"%.64s\" stands outside of a section", p);
	for (k = r->now.block->keys; k->name; k++, n++)
		if (str_eq(k->name, p))
			break;
	if (!k->name)
		return err_set(w, ERR_INPUT, "unknown key \"%.64s\"", p);
	e = read_value(skip_blanks(equals + 1), &value, w);
	if (e == OK && k->type != CONF_LIST && r->now.seen & UINT64_C(1) << n)
		e = err_set(w, ERR_INPUT, "is given twice");
	/* the first line of a list replaces its preset, further ones add */
	if (e == OK && k->type == CONF_LIST && !(r->now.seen & UINT64_C(1) << n))
		clear_list(slot(k, r->now.into));
	if (e == OK)
		e = set_value(k, r->now.into, value, w);
	r->now.seen |= UINT64_C(1) << n;
	return err_at(w, e, "%s", k->name);
}

static enum err check_bytes(const char *p, size_t len, struct why *w)
{
	for (size_t i = 0; i < len;) {
		size_t step = utf8_step(p + i, len - i);
		unsigned char c = (unsigned char)p[i];

		if (step == 0)
			return err_set(w, ERR_INPUT, "byte %zu, 0x%02x, is not UTF-8", i + 1, c);
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return err_set(w, ERR_INPUT, "byte %zu, 0x%02x, is a control character",
			               i + 1, c);
		i += step;
	}
	return OK;
}

static enum err read_line(struct reader *r, const char *at, size_t len)
{
	char *line, *p;
	enum err e;

	if (len > 0 && at[len - 1] == '\r')
		len--;
	e = check_bytes(at, len, r->w);
	if (e != OK)
		return at_line(r, r->line, e);
	line = xstrndup(at, len);
	p = skip_blanks(line);
	if (*p == '[') {
		e = close_block(r); /* places itself: the fault is at its header */
		if (e == OK)
			e = at_line(r, r->line, read_header(r, p + 1));
	} else if (!ends_here(p)) {
		e = at_line(r, r->line, read_pair(r, p));
	}
	free(line);
	return e;
}

enum err conf_parse(const char *name, const char *text, size_t len, const struct conf_block *blocks,
                    size_t n, void *ctx, struct why *w)
{
	struct why own = {""}; /* presets and places need one to write to */
	struct reader r = {
	        .file = name, .blocks = blocks, .block_count = n, .ctx = ctx, .w = w ? w : &own};
	const struct conf_block *top;
	enum err e = OK;

	buf_init(&r.sections, 2 * FILE_MAX);
	if (len > FILE_MAX)
		return err_set(w, ERR_TOO_LARGE, "%s: a configuration of more than %d bytes", name,
		               FILE_MAX);
	/* the mark that some editors put in front */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	top = find_block(&r, NULL);
	if (top)
		e = err_at(r.w, open_block(&r, top, NULL), "%s", name);
	while (e == OK && len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line_len = end ? (size_t)(end - text) : len;

		r.line++;
		e = read_line(&r, text, line_len);
		text += line_len + (end ? 1 : 0);
		len -= line_len + (end ? 1 : 0);
	}
	if (e == OK)
		e = close_block(&r);
	free(r.now.name);
	buf_release(&r.sections);
	return e;
}

enum err conf_read(const char *path, const struct conf_block *blocks, size_t n, void *ctx,
                   struct why *w)
{
	struct buf text;
	enum err e;

	buf_init(&text, FILE_MAX);
	e = file_read(path, &text, w);
	if (e == OK)
		e = conf_parse(path, text.data, text.len, blocks, n, ctx, w);
	buf_release(&text);
	return e;
}
