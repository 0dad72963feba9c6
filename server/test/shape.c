#include "server/test/shape.h"
#include "server/api.h"

#include "lib/hash.h"
#include "lib/mem.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

json_t *shape_document(void)
{
	static json_t *document;
	size_t count;
	const struct http_route *routes;

	if (!document) {
		routes = server_routes(&count);
		document = openapi_document(routes, count);
	}
	return document;
}

static const char *type_of(const json_t *v)
{
	static const char *const names[] = {
	        [JSON_OBJECT] = "object",   [JSON_ARRAY] = "array", [JSON_STRING] = "string",
	        [JSON_INTEGER] = "integer", [JSON_REAL] = "number", [JSON_TRUE] = "boolean",
	        [JSON_FALSE] = "boolean",   [JSON_NULL] = "null",
	};

	return names[json_typeof(v)];
}

static bool type_is(const char *want, const json_t *v)
{
	return strcmp(want, type_of(v)) == 0 || (strcmp(want, "number") == 0 && json_is_integer(v));
}

static bool one_type(const json_t *type, const json_t *v)
{
	json_t *one;
	size_t i;

	if (json_is_string(type))
		return type_is(json_string_value(type), v);
	json_array_foreach (type, i, one) {
		if (type_is(json_string_value(one), v))
			return true;
	}
	return false;
}

static bool time_is(const char *s)
{
	static const char pattern[] = "dddd-dd-ddTdd:dd:dd";
	size_t i;

	for (i = 0; pattern[i]; i++) {
		if (pattern[i] == 'd' ? !isdigit((unsigned char)s[i]) : s[i] != pattern[i])
			return false;
	}
	return s[strlen(s) - 1] == 'Z';
}

static bool object_fits(const json_t *schema, const json_t *value, const char *place, char *err,
                        size_t size)
{
	json_t *properties = json_object_get(schema, "properties"), *one;
	const char *key;
	size_t i;

	if (!properties)
		return true;
	json_array_foreach (json_object_get(schema, "required"), i, one) {
		if (!json_object_get(value, json_string_value(one))) {
			snprintf(err, size, "%s.%s is missing", place, json_string_value(one));
			return false;
		}
	}
	/* Stricter than the document: an answer has no field that it does not
	 * name, or the document is behind. */
	json_object_foreach ((json_t *)value, key, one) {
		json_t *s = json_object_get(properties, key);
		char at[512];

		snprintf(at, sizeof(at), "%s.%s", place, key);
		if (!s) {
			snprintf(err, size, "%s is not in the document", at);
			return false;
		}
		if (!shape_fits(s, one, at, err, size))
			return false;
	}
	return true;
}

static bool array_fits(const json_t *schema, const json_t *value, const char *place, char *err,
                       size_t size)
{
	json_t *one;
	size_t i;

	json_array_foreach (value, i, one) {
		char at[512];

		snprintf(at, sizeof(at), "%s[%zu]", place, i);
		if (!shape_fits(json_object_get(schema, "items"), one, at, err, size))
			return false;
	}
	return true;
}

static bool word_is(const json_t *words, const json_t *value)
{
	json_t *one;
	size_t i;

	json_array_foreach (words, i, one) {
		if (json_equal(one, value))
			return true;
	}
	return false;
}

bool shape_fits(const json_t *schema, const json_t *value, const char *place, char *err,
                size_t size)
{
	const json_t *type = json_object_get(schema, "type"), *sub;
	const char *target = json_string_value(json_object_get(schema, "$ref"));
	const char *format = json_string_value(json_object_get(schema, "format"));

	if (target) {
		sub = json_object_get(
		        json_object_get(json_object_get(shape_document(), "components"), "schemas"),
		        strrchr(target, '/') + 1);
		assert_non_null(sub);
		return shape_fits(sub, value, place, err, size);
	}
	sub = json_object_get(schema, "oneOf");
	if (sub)
		return shape_fits(json_array_get(sub, 0), value, place, err, size) ||
		       shape_fits(json_array_get(sub, 1), value, place, err, size);
	sub = json_object_get(schema, "anyOf");
	if (sub)
		return json_is_null(value) ||
		       shape_fits(json_array_get(sub, 0), value, place, err, size);
	if (type && !one_type(type, value)) {
		snprintf(err, size, "%s is of type %s", place, type_of(value));
		return false;
	}
	sub = json_object_get(schema, "enum");
	if (sub && !word_is(sub, value)) {
		snprintf(err, size, "%s is \"%s\"", place, json_string_value(value));
		return false;
	}
	if (format && json_is_string(value) &&
	    !(strcmp(format, "sha256") == 0 ? hex_is(json_string_value(value), 64)
	                                    : time_is(json_string_value(value)))) {
		snprintf(err, size, "%s is not of format %s", place, format);
		return false;
	}
	if (json_is_object(value))
		return object_fits(schema, value, place, err, size);
	if (json_is_array(value) && json_object_get(schema, "items"))
		return array_fits(schema, value, place, err, size);
	return true;
}

/* Whether a path as sent is this pattern's. */
static bool path_is(const char *pattern, const char *path)
{
	while (*pattern && *path && *path != '?') {
		if (*pattern == '{') {
			bool id = str_starts(pattern, "{id}");

			if (id && !isdigit((unsigned char)*path))
				return false;
			pattern = strchr(pattern, '}') + 1;
			path += strcspn(path, "/?");
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return !*pattern && (!*path || *path == '?');
}

static json_t *operation_of(const char *method, const char *path)
{
	json_t *item, *best = NULL;
	const char *pattern;
	char lower[16] = "";

	for (size_t i = 0; method[i] && i + 1 < sizeof(lower); i++)
		lower[i] = (char)tolower((unsigned char)method[i]);
	json_object_foreach (json_object_get(shape_document(), "paths"), pattern, item) {
		/* A path without braces is meant before one that has them. */
		if (path_is(pattern, path) && json_object_get(item, lower) &&
		    (!best || !strchr(pattern, '{')))
			best = json_object_get(item, lower);
	}
	return best;
}

static json_t *body_schema(json_t *has_content)
{
	return json_object_get(
	        json_object_get(json_object_get(has_content, "content"), "application/json"),
	        "schema");
}

void shape_check(const char *method, const char *path, const json_t *request, int status,
                 const json_t *answer)
{
	json_t *op = operation_of(method, path), *response, *schema;
	char key[16], err[1024] = "";

	if (!op || status < 200)
		return;
	snprintf(key, sizeof(key), "%d", status);
	response = json_object_get(json_object_get(op, "responses"), key);
	if (status < 300 && !response)
		fail_msg("%s %s: the document has no status %d", method, path, status);
	if (!response)
		response = json_object_get(json_object_get(op, "responses"), "default");
	schema = body_schema(response);
	if (schema && answer && !shape_fits(schema, answer, "answer", err, sizeof(err)))
		fail_msg("%s %s: %s", method, path, err);
	schema = body_schema(json_object_get(op, "requestBody"));
	if (schema && request && status < 300 &&
	    !shape_fits(schema, request, "request", err, sizeof(err)))
		fail_msg("%s %s: %s", method, path, err);
}
