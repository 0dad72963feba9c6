/*
 * openapi.c - the OpenAPI 3.1 document, from the route table and the shapes.
 *
 * https://spec.openapis.org/oas/v3.1.0
 */
#include "server/openapi.h"
#include "server/api.h"

#include "lib/json.h"
#include "lib/mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct plain_type {
	const char *word, *type, *format;
} plain_types[] = {
        {"int", "integer", NULL},  {"num", "number", NULL},         {"str", "string", NULL},
        {"bool", "boolean", NULL}, {"time", "string", "date-time"}, {"hash", "string", "sha256"},
        {"obj", "object", NULL},
};

static void set_type(json_t *o, const char *type, bool null)
{
	if (null)
		json_put(o, "type", json_pack("[ss]", type, "null"));
	else
		json_put_str(o, "type", type);
}

static const struct plain_type *plain_type(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(plain_types); i++) {
		if (strcmp(plain_types[i].word, word) == 0)
			return &plain_types[i];
	}
	err_bug("openapi: no type \"%s\"", word);
}

static json_t *ref(const char *object)
{
	char *path = xasprintf("#/components/schemas/%s", object);
	json_t *o = json_pack("{ss}", "$ref", path);

	free(path);
	return o;
}

/* "a|b|c" */
static json_t *words(const char *text, size_t len)
{
	json_t *list = json_array();

	while (len) {
		const char *bar = memchr(text, '|', len);
		size_t n = bar ? (size_t)(bar - text) : len;

		json_array_append_new(list, json_stringn(text, n));
		text += n + (bar != NULL);
		len -= n + (bar != NULL);
	}
	return list;
}

static json_t *schema(const char *text, size_t len)
{
	json_t *o = json_object();
	bool null = len && text[len - 1] == '?';
	char *word;

	len -= null;
	if (*text == '[') {
		set_type(o, "array", null);
		json_put(o, "items", schema(text + 1, len - 2));
		return o;
	}
	if (*text == '(') {
		text++;
		len -= 2;
	}
	word = xstrndup(text, len);
	if (strchr(word, '|') || strcmp(word, "ok") == 0) {
		json_t *list = words(text, len);

		set_type(o, "string", null);
		if (null)
			json_array_append_new(list, json_null());
		json_put(o, "enum", list);
	} else if (isupper((unsigned char)*word)) {
		json_decref(o);
		o = null ? json_pack("{s[o{ss}]}", "anyOf", ref(word), "type", "null") : ref(word);
	} else if (strcmp(word, "any") != 0) {
		const struct plain_type *plain = plain_type(word);

		set_type(o, plain->type, null);
		if (plain->format)
			json_put_str(o, "format", plain->format);
	}
	free(word);
	return o;
}

/* One line of a list of fields, split; returns the start of the next. */
static const char *next_field(const char *at, char **name, char *mark, json_t **type)
{
	size_t len = strcspn(at, "\n"), n = strcspn(at, " ");
	const char *t = at + n + strspn(at + n, " ");

	*mark = at[n - 1];
	*name = xstrndup(at, n - (*mark == '*' || *mark == '~'));
	*type = schema(t, len - (size_t)(t - at));
	return at + len + (at[len] == '\n');
}

static json_t *object_schema(const struct openapi_object *shape)
{
	json_t *o = json_object(), *properties = json_object(), *must = json_array();

	for (const char *at = shape->fields; *at;) {
		json_t *type;
		char *name, mark;

		at = next_field(at, &name, &mark, &type);
		json_put(properties, name, type);
		if (shape->way == SHAPE_IN ? mark == '*' : mark != '~')
			json_array_append_new(must, json_string(name));
		free(name);
	}
	json_put_str(o, "type", "object");
	json_put_str(o, "description", shape->help);
	json_put(o, "properties", properties);
	if (json_array_size(must))
		json_put(o, "required", must);
	else
		json_decref(must);
	/* An unknown field in a request is an error; answers may grow. */
	json_put_bool(o, "additionalProperties", shape->way == SHAPE_OUT);
	return o;
}

/* An object's name, two (A|B), or a media type: the "content" of a body. */
static json_t *content(const char *what)
{
	json_t *media = json_object(), *o = json_object();

	if (strchr(what, '|')) {
		char *one = xstrndup(what, strcspn(what, "|"));

		json_put(media, "schema",
		         json_pack("{s[oo]}", "oneOf", ref(one), ref(strchr(what, '|') + 1)));
		free(one);
		what = "application/json";
	} else if (!strchr(what, '/')) {
		json_put(media, "schema", ref(what));
		what = "application/json";
	} else if (strcmp(what, "text/plain") == 0) {
		json_put(media, "schema", json_pack("{ss}", "type", "string"));
	}
	json_put(o, what, media);
	return o;
}

/* {id} and the like, in their order, as "path" parameters. */
static void path_parameters(const char *pattern, json_t *list)
{
	while ((pattern = strchr(pattern, '{'))) {
		size_t n = strcspn(++pattern, "}");
		char *name = xstrndup(pattern, n);
		bool id = strcmp(name, "id") == 0;

		json_array_append_new(list, json_pack("{sssssbs{ss}}", "name", name, "in", "path",
		                                      "required", 1, "schema", "type",
		                                      id ? "integer" : "string"));
		free(name);
	}
}

static void query_parameters(const char *fields, json_t *list)
{
	while (fields && *fields) {
		json_t *type;
		char *name, mark;

		fields = next_field(fields, &name, &mark, &type);
		json_array_append_new(list, json_pack("{sssssbso}", "name", name, "in", "query",
		                                      "required", mark == '*', "schema", type));
		free(name);
	}
}

static void add_status(json_t *responses, int status, const char *help, const char *body)
{
	char *key = xasprintf("%d", status);
	json_t *o = json_pack("{ss}", "description", help);

	if (body && status != 204)
		json_put(o, "content", content(body));
	json_put(responses, key, o);
	free(key);
}

/* Who may, in words and for tools. */
static void security(const struct http_route *r, json_t *o)
{
	static const char *const roles[] = {
	        [ROLE_NONE] = "nobody in particular",
	        [ROLE_READ] = "read",
	        [ROLE_SUBMIT] = "submit",
	        [ROLE_AGENT] = "agent",
	        [ROLE_ADMIN] = "admin",
	};

	if (r->role == ROLE_NONE) {
		json_put(o, "security", json_array());
		return;
	}
	json_put_str(o, "x-role", roles[r->role]);
	if (r->flags & HTTP_SUBMIT_TOO)
		json_put_bool(o, "x-submit-too", true);
	/* An empty one beside it: read is open unless configured otherwise. */
	json_put(o, "security",
	         r->role == ROLE_READ ? json_pack("[{}{s[]}]", "token")
	                              : json_pack("[{s[]}]", "token"));
}

static json_t *operation(const struct http_route *r, const struct openapi_op *op)
{
	json_t *o = json_object(), *parameters = json_array(), *responses = json_object();
	json_t *failed =
	        json_pack("{ssso}", "description", "What went wrong", "content", content("Error"));

	json_put_str(o, "operationId", r->op);
	json_put_str(o, "summary", r->summary);
	path_parameters(r->pattern, parameters);
	query_parameters(op->query, parameters);
	if (json_array_size(parameters))
		json_put(o, "parameters", parameters);
	else
		json_decref(parameters);
	if (op->request) {
		json_put(o, "requestBody",
		         json_pack("{sbso}", "required", 1, "content", content(op->request)));
		json_put_int(o, "x-max-bytes", (json_int_t)r->max_body);
	}
	add_status(responses, op->status, r->summary, op->answer);
	if (op->also)
		add_status(responses, op->also, r->summary, op->answer);
	json_put(responses, "default", failed);
	json_put(o, "responses", responses);
	security(r, o);
	return o;
}

static const struct openapi_op *op_find(const char *name)
{
	for (size_t i = 0; i < openapi_op_count; i++) {
		if (strcmp(openapi_ops[i].op, name) == 0)
			return &openapi_ops[i];
	}
	return NULL;
}

static void add_schemas(json_t *to, const struct openapi_object *objects, size_t count)
{
	for (size_t i = 0; i < count; i++)
		json_put(to, objects[i].name, object_schema(&objects[i]));
}

json_t *openapi_document(const struct http_route *routes, size_t count)
{
	json_t *root = json_object(), *paths = json_object(), *schemas = json_object();

	for (size_t i = 0; i < count; i++) {
		const struct openapi_op *op = op_find(routes[i].op);
		json_t *path = json_object_get(paths, routes[i].pattern);
		char method[16] = "";

		if (!op)
			err_bug("openapi_shapes.c does not know the operation %s", routes[i].op);
		if (!path) {
			path = json_object();
			json_put(paths, routes[i].pattern, path);
		}
		for (size_t c = 0; routes[i].method[c] && c + 1 < sizeof(method); c++)
			method[c] = (char)tolower((unsigned char)routes[i].method[c]);
		json_put(path, method, operation(&routes[i], op));
	}
	add_schemas(schemas, openapi_objects, openapi_object_count);
	add_schemas(schemas, openapi_alert_objects, openapi_alert_object_count);
	add_schemas(schemas, openapi_asked_objects, openapi_asked_object_count);
	add_schemas(schemas, openapi_track_objects, openapi_track_object_count);
	add_schemas(schemas, openapi_series_objects, openapi_series_object_count);
	add_schemas(schemas, openapi_history_objects, openapi_history_object_count);
	json_put_str(root, "openapi", "3.1.0");
	json_put(root, "info",
	         json_pack("{ssss}", "title", "foldwatch", "version", FOLDWATCH_VERSION));
	json_put(root, "paths", paths);
	json_put(root, "components",
	         json_pack("{sos{s{ssss}}}", "schemas", schemas, "securitySchemes", "token", "type",
	                   "http", "scheme", "bearer"));
	return root;
}
