#include "server/env_diff.h"

#include "lib/json.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define NAMED     3   /* in a sentence */
#define VALUE_MAX 120 /* bytes of a value in a sentence */

static const char *value_text(struct pool *p, const json_t *v)
{
	char *text;
	const char *out;

	if (!v || json_is_null(v))
		return NULL;
	if (json_is_string(v))
		return pool_str(p, json_string_value(v));
	text = json_canonical(v);
	out = pool_str(p, text);
	free(text);
	return out;
}

static void add(struct pool *p, const char *field, const json_t *a, const json_t *b,
                struct env_differences *out)
{
	struct env_difference d = {field, value_text(p, a), value_text(p, b)};

	for (size_t i = 0; i < out->count; i++)
		if (str_eq(out->at[i].field, d.field) && str_eq(out->at[i].one, d.one) &&
		    str_eq(out->at[i].other, d.other))
			return;
	*(struct env_difference *)pool_push(p, (void **)&out->at, &out->count, sizeof(d)) = d;
}

static void compare(struct pool *p, const char *field, const json_t *a, const json_t *b,
                    struct env_differences *out);

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_keys(struct pool *p, const json_t *o, const char ***keys, size_t *n)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)o, key, value) {
		bool again = false;

		for (size_t i = 0; i < *n; i++)
			again |= strcmp((*keys)[i], key) == 0;
		if (!again)
			*(const char **)pool_push(p, (void **)keys, n, sizeof(**keys)) = key;
	}
}

static void compare_objects(struct pool *p, const char *field, const json_t *a, const json_t *b,
                            struct env_differences *out)
{
	const char **keys = NULL;
	size_t n = 0;

	add_keys(p, a, &keys, &n);
	add_keys(p, b, &keys, &n);
	if (n)
		qsort(keys, n, sizeof(*keys), by_text);
	for (size_t i = 0; i < n; i++)
		compare(p, pool_fmt(p, "%s%s%s", field, *field ? "." : "", keys[i]),
		        json_object_get(a, keys[i]), json_object_get(b, keys[i]), out);
}

static void compare(struct pool *p, const char *field, const json_t *a, const json_t *b,
                    struct env_differences *out)
{
	if (json_equal(a, b) || ((!a || json_is_null(a)) && (!b || json_is_null(b))))
		return;
	if (json_is_object(a) && json_is_object(b)) {
		compare_objects(p, field, a, b, out);
	} else if (json_is_array(a) && json_is_array(b) &&
	           json_array_size(a) == json_array_size(b)) {
		for (size_t i = 0; i < json_array_size(a); i++)
			compare(p, pool_fmt(p, "%s[%zu]", field, i), json_array_get(a, i),
			        json_array_get(b, i), out);
	} else {
		add(p, field, a, b, out);
	}
}

/* What is stored was canonical JSON when it came. */
static json_t *parse(const char *text)
{
	return text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
}

void env_diff(struct pool *p, const char *one, const char *other, struct env_differences *out)
{
	json_t *a = parse(one), *b = parse(other);

	if (json_is_object(a) && json_is_object(b))
		compare(p, "", a, b, out);
	else if (!json_equal(a, b) && (a || b))
		add(p, "environment", a, b, out);
	json_decref(a);
	json_decref(b);
}

static const char *quoted(struct pool *p, const char *value)
{
	if (!value)
		return "absent";
	return strlen(value) > VALUE_MAX ? pool_fmt(p, "\"%.*s...\"", VALUE_MAX, value)
	                                 : pool_fmt(p, "\"%s\"", value);
}

const char *env_diff_words(struct pool *p, const struct env_differences *d)
{
	const char *text = "";

	for (size_t i = 0; i < d->count && i < NAMED; i++)
		text = pool_fmt(p, "%s%s%s is %s there, %s here", text, i ? "; " : "",
		                d->at[i].field, quoted(p, d->at[i].one), quoted(p, d->at[i].other));
	if (d->count > NAMED)
		text = pool_fmt(p, "%s; and %zu more field%s", text, d->count - NAMED,
		                d->count == NAMED + 1 ? "" : "s");
	return text;
}
