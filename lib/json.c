/*
 * json.c - strict JSON in, by field tables.
 */
#include "lib/json.h"

#include "lib/mem.h"
#include "lib/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define DEPTH_MAX       32
#define STR_MAX_DEFAULT 4096
#define ARR_MAX_DEFAULT 100000

/* ---- parsing */

/* Jansson recurses once a level, and takes 2048 of them: look before it leaps.
 * Brackets inside strings do not count. Text that is no JSON may be refused
 * here for its depth rather than by the parser for its syntax. */
static enum err check_depth(const char *text, size_t len, struct why *w)
{
	size_t i, line = 1, column = 0, depth = 0;
	bool in_string = false;

	for (i = 0; i < len; i++) {
		char c = text[i];

		if (c == '\n') {
			line++;
			column = 0;
			continue;
		}
		if (((unsigned char)c & 0xc0) != 0x80) /* count characters, as Jansson does */
			column++;
		if (in_string) {
			if (c == '\\')
				i++, column++;
			else if (c == '"')
				in_string = false;
			continue;
		}
		if (c == '"')
			in_string = true;
		else if ((c == '[' || c == '{') && ++depth > DEPTH_MAX)
			return err_set(w, ERR_INPUT,
			               "line %zu column %zu: nested more than %d levels deep", line,
			               column, DEPTH_MAX);
		else if ((c == ']' || c == '}') && depth)
			depth--;
	}
	return OK;
}

enum err json_parse(const char *text, size_t len, size_t max, json_t **out, struct why *w)
{
	json_error_t error;
	enum err e;

	*out = NULL;
	if (len > max)
		return err_set(w, ERR_TOO_LARGE, "%zu bytes of JSON are more than the %zu allowed",
		               len, max);
	if (!len)
		return err_set(w, ERR_INPUT, "expected JSON, got nothing");
	e = check_depth(text, len, w);
	if (e)
		return e;
	*out = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (*out)
		return OK;
	return err_set(w, ERR_INPUT, "line %d column %d: %s", error.line, error.column, error.text);
}

/* ---- decoding */

static const char *type_words(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "a number";
	case JSON_REAL:
		return "a number with a fraction";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	case JSON_NULL:
		break;
	}
	return "null";
}

/* Length of a prefix of at most `max` bytes that ends between characters. */
static size_t head_len(const char *s, size_t max)
{
	size_t len = strlen(s), n = 0, step;

	while (n < len) {
		step = utf8_step(s + n, len - n);
		if (!step || n + step > max)
			break;
		n += step;
	}
	return n;
}

static enum err wrong_type(const json_t *v, const char *expected, struct why *w)
{
	return err_set(w, ERR_INPUT, "expected %s, got %s", expected, type_words(v));
}

static enum err decode_str(const json_t *v, const struct json_field *f, void *at, struct why *w)
{
	int64_t max = f->max ? f->max : STR_MAX_DEFAULT;
	int64_t len;

	if (!json_is_string(v))
		return wrong_type(v, "a string", w);
	len = (int64_t)json_string_length(v);
	if (len < f->min && len == 0)
		return err_set(w, ERR_INPUT, "must not be empty");
	if (len < f->min || len > max)
		return err_set(w, ERR_INPUT,
		               "expected %" PRId64 " to %" PRId64 " bytes, got %" PRId64, f->min,
		               max, len);
	if (utf8_has_control(json_string_value(v), (size_t)len, f->flags & JSON_TEXT))
		return err_set(w, ERR_INPUT, "holds a control character");
	*(const char **)at = json_string_value(v);
	return OK;
}

static enum err decode_int(const json_t *v, const struct json_field *f, void *at, struct why *w)
{
	int64_t n;

	if (!json_is_integer(v))
		return wrong_type(v, "an integer", w);
	n = json_integer_value(v);
	if (n < f->min || n > f->max)
		return err_set(w, ERR_INPUT, "expected %" PRId64 " to %" PRId64 ", got %" PRId64,
		               f->min, f->max, n);
	*(int64_t *)at = n;
	return OK;
}

static enum err decode_num(const json_t *v, const struct json_field *f, void *at, struct why *w)
{
	(void)f;
	if (!json_is_number(v))
		return wrong_type(v, "a number", w);
	*(double *)at = json_number_value(v);
	return OK;
}

static enum err decode_bool(const json_t *v, const struct json_field *f, void *at, struct why *w)
{
	(void)f;
	if (!json_is_boolean(v))
		return wrong_type(v, "true or false", w);
	*(bool *)at = json_is_true(v);
	return OK;
}

static enum err decode_obj(const json_t *v, const struct json_field *f, void *at, struct why *w)
{
	(void)f;
	if (!json_is_object(v))
		return wrong_type(v, "an object", w);
	*(const json_t **)at = v;
	return OK;
}

static enum err decode_arr(const json_t *v, const struct json_field *f, void *at, struct why *w)
{
	int64_t max = f->max ? f->max : ARR_MAX_DEFAULT;
	int64_t len;

	if (!json_is_array(v))
		return wrong_type(v, "an array", w);
	len = (int64_t)json_array_size(v);
	if (len < f->min || len > max)
		return err_set(w, ERR_INPUT,
		               "expected %" PRId64 " to %" PRId64 " elements, got %" PRId64, f->min,
		               max, len);
	*(const json_t **)at = v;
	return OK;
}

static enum err decode_any(const json_t *v, const struct json_field *f, void *at, struct why *w)
{
	(void)f;
	(void)w;
	*(const json_t **)at = v;
	return OK;
}

void json_words(const char *const *words, const char *quote, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; words[i] && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s%s%s",
		                      !i             ? ""
		                      : words[i + 1] ? ", "
		                                     : " or ",
		                      quote, words[i], quote);
}

static enum err decode_word(const json_t *v, const struct json_field *f, void *at, struct why *w)
{
	const char *s = json_string_value(v);
	char words[400];
	int i;

	if (!json_is_string(v))
		return wrong_type(v, "a string", w);
	for (i = 0; f->words[i]; i++) {
		if (str_eq(f->words[i], s)) {
			*(int *)at = i;
			return OK;
		}
	}
	json_words(f->words, "\"", words, sizeof(words));
	return err_set(w, ERR_INPUT, "expected %s, got \"%.*s\"%s", words, (int)head_len(s, 64), s,
	               strlen(s) > 64 ? "..." : "");
}

static enum err (*const decoders[])(const json_t *v, const struct json_field *f, void *at,
                                    struct why *w) = {
        [JSON_STR] = decode_str,   [JSON_INT] = decode_int,   [JSON_NUM] = decode_num,
        [JSON_BOOL] = decode_bool, [JSON_OBJ] = decode_obj,   [JSON_ARR] = decode_arr,
        [JSON_ANY] = decode_any,   [JSON_WORD] = decode_word,
};

/* "place.name"; a name from outside may hold anything, and is quoted then. */
static enum err at_place(enum err e, const char *place, const char *name, struct why *w)
{
	const char *dot = *place ? "." : "";
	size_t head = head_len(name, 64);

	if (*name && !name[head] &&
	    !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")])
		return err_at(w, e, "%s%s%s", place, dot, name);
	return err_at(w, e, "%s%s\"%.*s\"%s", place, dot, (int)head, name, name[head] ? "..." : "");
}

static bool is_known(const struct json_field *fields, const char *name)
{
	for (; fields->name; fields++)
		if (str_eq(fields->name, name))
			return true;
	return false;
}

enum err json_decode(json_t *obj, const char *place, const struct json_field *fields, void *into,
                     struct why *w)
{
	const struct json_field *f;
	const char *key;
	json_t *v;
	enum err e;

	if (!obj || !json_is_object(obj)) {
		e = obj ? wrong_type(obj, "an object", w)
		        : err_set(w, ERR_INPUT, "expected an object");
		return *place ? err_at(w, e, "%s", place) : e;
	}
	for (f = fields; f->name; f++) {
		v = json_object_get(obj, f->name);
		if (!v || (json_is_null(v) && (f->flags & JSON_NULLOK))) {
			if (f->flags & JSON_MUST)
				return at_place(err_set(w, ERR_INPUT, "missing"), place, f->name,
				                w);
			continue;
		}
		e = decoders[f->kind](v, f, (char *)into + f->offset, w);
		if (e)
			return at_place(e, place, f->name, w);
	}
	json_object_foreach (obj, key, v) {
		if (!is_known(fields, key))
			return at_place(err_set(w, ERR_INPUT, "unknown field"), place, key, w);
	}
	return OK;
}

/* ---- out */

static char *dump(const json_t *value, size_t flags)
{
	char *s = json_dumps(value, flags | JSON_COMPACT | JSON_ENCODE_ANY);

	if (!s)
		err_bug("cannot write a JSON value");
	return s;
}

char *json_canonical(const json_t *value)
{
	return dump(value, JSON_SORT_KEYS);
}

char *json_text(const json_t *value)
{
	return dump(value, 0);
}

void json_put(json_t *obj, const char *key, json_t *value)
{
	if (!value)
		value = json_null();
	if (json_object_set_new(obj, key, value))
		err_bug("cannot set \"%s\" in a JSON object", key);
}

void json_put_str(json_t *obj, const char *key, const char *value)
{
	struct buf b;
	size_t len;

	if (!value) {
		json_put(obj, key, NULL);
		return;
	}
	len = strlen(value);
	if (utf8_valid(value, len)) {
		json_put(obj, key, json_stringn_nocheck(value, len));
		return;
	}
	buf_init(&b, len * 3 + 1); /* each bad byte becomes three */
	utf8_scrub(&b, value, len);
	json_put(obj, key, json_stringn_nocheck(b.data, b.len));
	buf_release(&b);
}

void json_put_int(json_t *obj, const char *key, int64_t value)
{
	json_put(obj, key, json_integer(value));
}

void json_put_real(json_t *obj, const char *key, double value)
{
	json_put(obj, key, isfinite(value) ? json_real(value) : NULL);
}

void json_put_bool(json_t *obj, const char *key, bool value)
{
	json_put(obj, key, json_boolean(value));
}

/* ---- borrowed readers */

const char *json_str(const json_t *obj, const char *key, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(obj, key));

	return s ? s : otherwise;
}

int64_t json_int(const json_t *obj, const char *key, int64_t otherwise)
{
	const json_t *v = json_object_get(obj, key);

	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

double json_num(const json_t *obj, const char *key, double otherwise)
{
	const json_t *v = json_object_get(obj, key);

	return json_is_number(v) ? json_number_value(v) : otherwise;
}

bool json_flag(const json_t *obj, const char *key, bool otherwise)
{
	const json_t *v = json_object_get(obj, key);

	return json_is_boolean(v) ? json_is_true(v) : otherwise;
}
