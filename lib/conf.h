/*
 * conf.h - a configuration file as one typed table.
 *
 * The format is `key = value`, one a line; `#` starts a comment at the start
 * of a line or after white space; values may be quoted with "…" (\" and \\
 * inside). A section header `[kind name]` starts a block with a table of its
 * own. Unknown keys, keys given twice (unless CONF_LIST), values out of
 * bounds, NULs and bytes that are not UTF-8 are errors: `file:line: message`.
 *
 * The same table prints `--help`'s list and is checked against the man page by
 * a test.
 */
#ifndef FOLDWATCH_CONF_H
#define FOLDWATCH_CONF_H

#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

enum conf_type {
	CONF_STR,  /* char *: owned by the struct, free() it */
	CONF_INT,  /* int64_t within [min, max]; suffixes K, M, G (1024) are taken */
	CONF_BOOL, /* bool: yes/no, true/false, on/off, 1/0 */
	CONF_LIST, /* struct conf_list: the key may repeat; each line adds values split at white
	              space */
	CONF_ENUM  /* int: index into `words`, a NULL-terminated array */
};

struct conf_list {
	char **items;
	size_t count;
};

struct conf_key {
	const char *name;
	enum conf_type type;
	size_t offset;    /* into the struct that the block fills */
	int64_t min, max; /* CONF_INT: bounds; CONF_STR: bounds of the length */
	/* Default as text. NULL: CONF_STR stays NULL, CONF_LIST empty, CONF_BOOL
	 * false; a CONF_ENUM must be given, and so must a CONF_INT whose bounds
	 * leave out zero. The first line of a list replaces its preset. */
	const char *preset;
	const char *const *words;
	const char *help; /* one line */
};

struct conf_block {
	const char *kind;            /* NULL: the lines before the first section */
	const struct conf_key *keys; /* closed by a NULL name */
	/* A new struct for section `[kind name]`, to be filled; the name was
	 * checked: 1-64 of [a-z0-9._-]. NULL rejects it (write w). For kind NULL
	 * it is called once, with name NULL, before the first line. */
	void *(*open)(void *ctx, const char *name, struct why *w);
};

/* Read a file of at most 1 MiB. Presets are applied to each opened struct first. What
 * was opened before an error stays the caller's, to be given to conf_release(). A
 * section given twice is an error. Tables hold at most 64 keys. */
enum err conf_read(const char *path, const struct conf_block *blocks, size_t n, void *ctx,
                   struct why *w);
/* The same from memory; `name` stands for the file in messages. */
enum err conf_parse(const char *name, const char *text, size_t len, const struct conf_block *blocks,
                    size_t n, void *ctx, struct why *w);
/* Free the strings and lists that a table filled. */
void conf_release(const struct conf_key *keys, void *into);
/* "256M", "1G", "4096" -> bytes. Rejects signs, fractions, trailing text, overflow. */
enum err size_parse(const char *text, uint64_t *bytes, struct why *w);
/* The shortest such form: 268435456 -> "256M". out holds at least 24 bytes. */
void size_format(uint64_t bytes, char *out, size_t size);
/* A whole decimal within [min, max]: no sign but a leading '-', no blanks. */
enum err int_parse(const char *text, int64_t min, int64_t max, int64_t *value, struct why *w);

#endif
