/* What an agent says of a walk. */
#include "server/walk_json.h"

#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID(c)     c "000000000000000000000000000000000000000"
#define COMMIT(c) COMMIT_IS(ID(c))
#define COMMIT_IS(id)                                                                      \
	"{\"commit\":\"" id "\",\"source\":\"" id "\",\"subject\":\"s\",\"author\":\"a\"," \
	"\"parents\":1,\"patch_id\":null,\"known\":false,\"mainline\":true}"
#define WALK(tip, base, linear, more, commits)                               \
	"{\"tip\":\"" ID(tip) "\",\"base\":" base ",\"linear\":" linear more \
	                      ",\"commits\":[" commits "]}"
#define BASE(c) "\"" ID(c) "\""

static void reads(void **state)
{
	static const struct {
		const char *since, *text, *says; /* says NULL: it is taken */
	} all[] = {
	        {ID("a"), WALK("c", BASE("a"), "true", "", COMMIT("b") "," COMMIT("c")), NULL},
	        {ID("a"), WALK("a", BASE("a"), "true", "", ""), NULL},
	        {ID("a"), WALK("b", BASE("b"), "false", "", ""), NULL},
	        {ID("a"), WALK("c", "null", "false", "", COMMIT("c")), NULL},
	        {NULL, WALK("c", "null", "false", "", COMMIT("c")), NULL},
	        {ID("a"), "{}", "walk.tip: missing"},
	        {ID("a"), WALK("c", BASE("a"), "true", "", ""), "the tip is not the base"},
	        {ID("a"), WALK("c", BASE("a"), "false", "", COMMIT("c")), "walk.linear"},
	        {ID("a"), WALK("c", BASE("b"), "true", "", COMMIT("c")), "walk.linear"},
	        {NULL, WALK("c", BASE("a"), "false", "", COMMIT("c")), "tip alone"},
	        {NULL, WALK("c", "null", "false", "", COMMIT("b") "," COMMIT("c")), "tip alone"},
	        {ID("a"), WALK("c", BASE("a"), "true", "", COMMIT("c") "," COMMIT("b")),
	         "walk.commits[1]: the last is not the tip"},
	        {ID("a"), WALK("c", BASE("a"), "true", "", COMMIT("c") "," COMMIT("c")), "twice"},
	        {ID("a"), WALK("c", BASE("a"), "true", ",\"omitted\":3", COMMIT("c")), "omitted"},
	        {ID("a"), WALK("c", BASE("a"), "true", ",\"omitted\":-1", COMMIT("c")), "omitted"},
	        /* Positions of a track count what is left out. */
	        {ID("a"),
	         WALK("c", BASE("a"), "true", ",\"omitted\":9223372036854775807", COMMIT("c")),
	         "walk.omitted: expected 0 to"},
	        {ID("a"), WALK("G", BASE("a"), "true", "", COMMIT("G")), "hex digits"},
	        {ID("a"), WALK("c", BASE("a"), "true", "", COMMIT("C")), "walk.commits[0].commit"},
	        {ID("a"), WALK("c", BASE("a"), "true", "", "7"), "walk.commits[0]"},
	        {ID("a"), WALK("c", BASE("a"), "true", ",\"x\":1", COMMIT("c")), "x"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct pool *p = pool_new();
		struct walk k = {.since = all[i].since};
		json_t *o = json_loads(all[i].text, 0, NULL);
		struct why w = {0};
		enum err e;

		assert_non_null(o);
		e = walk_read(p, o, &k, &w);
		if (e == OK && all[i].says)
			fail_msg("taken: %s", all[i].text);
		if (e != OK && (!all[i].says || !strstr(w.text, all[i].says)))
			fail_msg("%s: %s", all[i].text, w.text);
		json_decref(o);
		pool_free(p);
	}
}

static void too_many(void **state)
{
	struct pool *p = pool_new();
	struct walk k = {.since = ID("a")};
	json_t *o = json_loads(WALK("c", BASE("a"), "true", "", ""), 0, NULL);
	struct why w;

	(void)state;
	for (int i = 0; i <= WALK_COMMITS_MAX; i++)
		json_array_append_new(json_object_get(o, "commits"), json_null());
	assert_int_not_equal(walk_read(p, o, &k, &w), OK);
	assert_non_null(strstr(w.text, "walk.commits"));
	json_decref(o);
	pool_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(reads),
	        cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
