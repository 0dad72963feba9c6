/*
 * json.h - strict JSON in, by field tables; JSON out through Jansson.
 *
 * Everything that comes from outside is parsed by json_parse(): UTF-8 only,
 * no duplicate keys, no NaN or Infinity, depth and size capped, nothing after
 * the value. It is then read by a table that names every field once:
 *
 *     static const struct json_field kernel_fields[] = {
 *             {"name",  JSON_STR, offsetof(struct k, name), JSON_MUST, 1, 64, NULL},
 *             {"boots", JSON_INT, offsetof(struct k, boots), 0, 1, 1000, NULL},
 *             {0},
 *     };
 *     e = json_decode(root, "kernels[0]", kernel_fields, &k, &w);
 *
 * Errors name the place: `kernels[0].boots: expected an integer, got a string`.
 * Unknown fields are errors too: a typing mistake must not pass as a default.
 */
#ifndef FOLDWATCH_JSON_H
#define FOLDWATCH_JSON_H

#include "lib/buf.h"
#include "lib/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* JSON_REAL and JSON_NULL are names of Jansson's enum json_type. */
enum json_kind {
	JSON_STR,  /* const char *, borrowed from the tree; min/max bound its bytes (max 0: 4096).
	            * Control characters are refused unless JSON_TEXT is set. */
	JSON_INT,  /* int64_t within [min, max] */
	JSON_NUM,  /* double, finite; integers are taken; min/max ignored */
	JSON_BOOL, /* bool */
	JSON_OBJ,  /* json_t *, borrowed */
	JSON_ARR,  /* json_t *, borrowed; min/max bound its length (max 0: 100000) */
	JSON_ANY,  /* json_t *, borrowed; any value */
	JSON_WORD  /* int: the index of the string in `words` (NULL-terminated) */
};

#define JSON_MUST   1u /* missing is an error; otherwise the struct keeps what it had */
#define JSON_NULLOK 2u /* null counts as missing */
#define JSON_TEXT   4u /* newlines and tabs allowed in the string */

struct json_field {
	const char *name;
	enum json_kind kind;
	size_t offset;
	unsigned int flags;
	int64_t min, max;
	const char *const *words;
};

/* Depth is counted in nested arrays and objects; more than 32 is refused.
 * `max` bytes at most. The error says line and column. Release with
 * json_decref(). */
enum err json_parse(const char *text, size_t len, size_t max, json_t **out, struct why *w);
/* "a", "b" or "c", as messages tell what was expected, each between quotes like these; words
 * closed by NULL. */
void json_words(const char *const *words, const char *quote, char *out, size_t size);
/* Read an object by its table. `place` stands in front of messages, "" for
 * the top level. Pre-set the struct with its defaults; after an error its
 * content is not to be used. The first field that is wrong is told, in the
 * order of the table, and after those a field that the table does not know. */
enum err json_decode(json_t *obj, const char *place, const struct json_field *fields, void *into,
                     struct why *w);
/* Sorted keys, no white space: for hashes and keys. free() it. */
char *json_canonical(const json_t *value);
/* Compact text; free() it. */
char *json_text(const json_t *value);
/* Object set that aborts when out of memory and takes `value`. NULL sets null. */
void json_put(json_t *obj, const char *key, json_t *value);
/* NULL -> null; bytes that are not UTF-8 are replaced as by utf8_scrub(). */
void json_put_str(json_t *obj, const char *key, const char *value);
void json_put_int(json_t *obj, const char *key, int64_t value);
/* Not finite -> null. */
void json_put_real(json_t *obj, const char *key, double value);
void json_put_bool(json_t *obj, const char *key, bool value);
/* Borrowed readers for trees that were checked already (or are ours). A
 * missing key gives the default. */
const char *json_str(const json_t *obj, const char *key, const char *otherwise);
int64_t json_int(const json_t *obj, const char *key, int64_t otherwise);
double json_num(const json_t *obj, const char *key, double otherwise);
bool json_flag(const json_t *obj, const char *key, bool otherwise);

/* True when the bytes are valid UTF-8 without NUL. */
bool utf8_valid(const char *s, size_t len);
/* True when s holds a control character (C0, DEL or C1); with `text`,
 * newlines (and the CR of a CRLF) and tabs are let pass. */
bool utf8_has_control(const char *s, size_t len, bool text);
/* Append to b, replacing every byte that is not part of valid UTF-8, and every
 * control character but newline and tab, by U+FFFD: for console text on its
 * way into JSON. The CR of a CRLF is dropped. When b is full it stops there. */
void utf8_scrub(struct buf *b, const char *s, size_t len);

#endif
