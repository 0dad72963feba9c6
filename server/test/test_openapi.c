/*
 * The OpenAPI document against the route table, docs/api.md and itself.
 */
#include "server/api.h"
#include "server/openapi.h"
#include "server/test/harness.h"
#include "server/test/shape.h"

#include "lib/mem.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void lower(char *out, size_t size, const char *in)
{
	size_t i;

	for (i = 0; in[i] && i + 1 < size; i++)
		out[i] = (char)tolower((unsigned char)in[i]);
	out[i] = '\0';
}

/* What says all by its path lets a body pass. */
static bool takes_no_notice(const char *op)
{
	return strcmp(op, "submission_cancel") == 0 || strcmp(op, "track_resume") == 0 ||
	       strcmp(op, "track_look") == 0;
}

static void every_route_is_described(void **state)
{
	size_t count, methods = 0;
	const struct http_route *routes = server_routes(&count);
	json_t *paths = json_object_get(shape_document(), "paths"), *item;
	const char *path;

	(void)state;
	assert_true(count > 8);
	for (size_t i = 0; i < count; i++) {
		char method[16];
		json_t *op;

		lower(method, sizeof(method), routes[i].method);
		op = json_object_get(json_object_get(paths, routes[i].pattern), method);
		if (!op)
			fail_msg("%s %s is not described", routes[i].method, routes[i].pattern);
		assert_string_equal(json_string_value(json_object_get(op, "operationId")),
		                    routes[i].op);
		assert_true(strlen(json_string_value(json_object_get(op, "summary"))) > 5);
		/* What takes a body says which, and nothing else has one. */
		if ((routes[i].max_body > 0 && !takes_no_notice(routes[i].op)) !=
		    (json_object_get(op, "requestBody") != NULL))
			fail_msg("%s: max_body and the document's requestBody differ",
			         routes[i].op);
		/* Who may. */
		assert_int_equal(json_array_size(json_object_get(op, "security")) == 0,
		                 routes[i].role == ROLE_NONE);
	}
	json_object_foreach (paths, path, item)
		methods += json_object_size(item);
	assert_int_equal(methods, count);
	/* And nothing is described that there is not. */
	assert_int_equal(openapi_op_count, count);
}

static void path_parameters_are_those_of_the_pattern(void **state)
{
	json_t *item, *op, *one;
	const char *path, *method;

	(void)state;
	json_object_foreach (json_object_get(shape_document(), "paths"), path, item) {
		json_object_foreach (item, method, op) {
			size_t i, braces = 0, declared = 0;

			for (const char *p = path; *p; p++)
				braces += *p == '{';
			json_array_foreach (json_object_get(op, "parameters"), i, one) {
				const char *name = json_string_value(json_object_get(one, "name"));
				char *brace = xasprintf("{%s}", name);
				bool in_path = strcmp(json_string_value(json_object_get(one, "in")),
				                      "path") == 0;

				declared += in_path;
				assert_int_equal(strstr(path, brace) != NULL, in_path);
				assert_non_null(json_object_get(one, "schema"));
				free(brace);
			}
			assert_int_equal(braces, declared);
		}
	}
}

static void refs(const json_t *v, json_t *used)
{
	const char *key;
	json_t *one;

	for (size_t i = 0; i < json_array_size(v); i++)
		refs(json_array_get(v, i), used);
	json_object_foreach ((json_t *)v, key, one) {
		if (strcmp(key, "$ref") == 0)
			json_object_set_new(used, strrchr(json_string_value(one), '/') + 1,
			                    json_true());
		else
			refs(one, used);
	}
}

static void every_object_is_there_and_used(void **state)
{
	json_t *schemas =
	        json_object_get(json_object_get(shape_document(), "components"), "schemas");
	json_t *used = json_object(), *one;
	const char *name;

	(void)state;
	refs(shape_document(), used);
	json_object_foreach (used, name, one) {
		if (!json_object_get(schemas, name))
			fail_msg("\"%s\" is used and not there", name);
	}
	json_object_foreach (schemas, name, one) {
		if (!json_object_get(used, name))
			fail_msg("\"%s\" is there and not used", name);
	}
	assert_int_equal(json_object_size(schemas),
	                 openapi_object_count + openapi_alert_object_count +
	                         openapi_asked_object_count + openapi_track_object_count +
	                         openapi_series_object_count + openapi_history_object_count);
	json_decref(used);
}

/* docs/api.md stands beside the tests in the checkout that was built. */
static char *api_md(void)
{
	static const char *const places[] = {"docs/api.md", "../docs/api.md"};
	char *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(places) && !text; i++)
		text = slurp(places[i]);
	return text;
}

static void every_route_is_told_to_people(void **state)
{
	char *text = api_md();
	size_t count;
	const struct http_route *routes = server_routes(&count);

	(void)state;
	if (!text)
		skip();
	for (size_t i = 0; i < count; i++) {
		const char *p = routes[i].pattern, *last;
		char *word;

		/* The last word of the path that is not a parameter. */
		word = xstrdup(p);
		for (last = strrchr(word, '/'); last && last[1] == '{'; last = strrchr(word, '/'))
			word[last - word] = '\0';
		last = strrchr(word, '/');
		assert_non_null(last);
		if (strcmp(last, "/latest") != 0 && !strstr(text, last) && !strstr(text, last + 1))
			fail_msg("docs/api.md does not tell of %s", p);
		free(word);
	}
	free(text);
}

static void wrong_shapes_are_found(void **state)
{
	static const struct {
		const char *text;
		bool fits;
	} want[] = {
	        {"{\"label\":\"x\",\"role\":\"read\"}", true},
	        {"{\"label\":\"x\"}", false},
	        {"{\"label\":7,\"role\":\"read\"}", false},
	        {"{\"label\":\"x\",\"role\":\"king\"}", false},
	        {"{\"label\":\"x\",\"role\":\"read\",\"more\":1}", false},
	        {"[]", false},
	};
	json_t *schema = json_pack("{ss}", "$ref", "#/components/schemas/TokenAsked");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		json_t *v = json_loads(want[i].text, 0, NULL);
		char err[256];

		assert_int_equal(shape_fits(schema, v, "x", err, sizeof(err)), want[i].fits);
		json_decref(v);
	}
	json_decref(schema);
}

/* The one that is served, and the lists of a server that knows nothing yet. */
static void the_real_one(void **state)
{
	static const char *const lists[] = {"submissions", "kernels", "boards", "agents", "jobs",
	                                    "cases",       "configs", "alerts", "marks",  "mutes"};
	struct daemon *d = daemon_new(NULL);
	json_t *o = NULL;

	(void)state;
	daemon_start(d);
	assert_int_equal(ask_json(d, "GET", "/api/v1/openapi.json", NULL, NULL, &o), 200);
	assert_true(json_equal(o, shape_document()));
	json_decref(o);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		char *path = xasprintf("/api/v1/%s", lists[i]);
		int status = ask_json(d, "GET", path, NULL, NULL, NULL);

		if (status != 200 && status != 404 && status != 422)
			fail_msg("%s: %d", path, status);
		free(path);
	}
	daemon_stop(d);
	daemon_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_route_is_described),
	        cmocka_unit_test(path_parameters_are_those_of_the_pattern),
	        cmocka_unit_test(every_object_is_there_and_used),
	        cmocka_unit_test(every_route_is_told_to_people),
	        cmocka_unit_test(wrong_shapes_are_found),
	        cmocka_unit_test(the_real_one),
	};
	int failed = cmocka_run_group_tests_name("openapi", tests, NULL, NULL);

	json_decref(shape_document());
	return failed;
}
