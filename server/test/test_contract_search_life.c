/* What else happens to a search: it is cancelled, killed, asked for again, badly asked for. */
#include "server/test/rebuilt.h"
#include "server/test/search_bed.h"

#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Works until the search has begun and a boot of it is done. */
static void begin_searching(struct fake *f, int64_t id)
{
	for (int i = 0; i < 400; i++) {
		json_t *s = search_shown(f, id), *lease;
		bool searching =
		        strcmp(json_str(at(s, "series.search"), "state", ""), "searching") == 0;

		json_decref(s);
		lease = fake_claim(f, "[\"resolve\",\"build\",\"boot\"]", "[\"det\"]");
		if (lease) {
			json_decref(fake_do(f, lease));
			json_decref(lease);
		} else {
			sleep_ms(10);
		}
		if (searching && lease)
			return;
	}
	fail_msg("no search has begun");
}

static void cancelled(void **state)
{
	struct fake *f = *state;
	int64_t id;
	json_t *s, *c;
	char path[64];
	size_t steps;

	slow_from = 7;
	id = search_submit(f, MARKS, PLAIN);
	begin_searching(f, id);
	snprintf(path, sizeof(path), "/api/v1/submissions/%lld/cancel", (long long)id);
	assert_int_equal(ask_json(f->d, "POST", path, f->submit, NULL, &s), 200);
	json_decref(s);
	s = search_worked(f, id, "cancelled");
	steps = steps_of(s);
	assert_string_equal(str_at(s, "series.search.state"), "stopped");
	/* What the marks came to stands. */
	expect_effect(s, 0, UNMAP, "slower", 1, 12);
	json_decref(s);
	sleep_ms(1200);
	assert_int_equal(fake_work(f), 0);
	s = search_shown(f, id);
	assert_int_equal(steps_of(s), steps);
	json_decref(s);
	c = fake_comparison(f, id);
	assert_true(json_is_false(at(c, "complete")));
	json_decref(c);
}

/* Steps are facts: a server that is killed goes on where it was. */
static void killed(void **state)
{
	static const char *const derived[] = {
	        "SELECT submission_id || ' ' || pos || ' ' || case_text || ' ' || verdict || ' ' ||"
	        " first || ' ' || last || ' ' || coalesce(why, '') || ' ' || change || ' ' ||"
	        " last_boot FROM series_effect ORDER BY submission_id, pos",
	        "SELECT text FROM cell_note ORDER BY submission_id, pos",
	};
	struct fake *f = *state;
	int64_t id;
	json_t *s;

	slow_from = 7;
	fast_from = 18;
	id = search_submit(f, MARKS, PLAIN);
	for (int i = 0; i < 3; i++) {
		begin_searching(f, id);
		daemon_kill(f->d);
		daemon_start(f->d);
	}
	s = search_worked(f, id, "done");
	assert_int_equal(effects_of(s), 2);
	expect_effect(s, 0, UNMAP, "slower", 7, 7);
	expect_effect(s, 1, FORK, "faster", 18, 18);
	assert_int_equal(steps_of(s), 6);
	assert_int_equal(boots_of(s), (4 + 6) * EACH);
	json_decref(s);
	daemon_expect_rebuilt(f->d, derived, 2, "7 7");
	daemon_start(f->d);
}

/* The next version: what did not change has its kernels and boots, those of the search
 * too, so that it finds the same for nothing; what changed is pointed out. */
static void the_next_version(void **state)
{
	struct fake *f = *state;
	int64_t first;
	json_t *s;

	slow_from = 7;
	s = measured(f, MARKS, PLAIN);
	first = int_at(s, "id");
	json_decref(s);
	f->version = 1;
	f->changed = 22;
	s = measured(f, MARKS, PLAIN);
	expect_effect(s, 0, UNMAP, "slower", 7, 7);
	assert_int_equal(steps_of(s), 3);
	/* The tip alone is new. */
	assert_int_equal(boots_of(s), EACH);
	assert_int_equal(int_at(s, "series.search.boots.search"), 0);
	assert_int_equal(int_at(s, "series.patches.6.earlier.submission"), first);
	assert_int_equal(json_array_size(at(s, "series.changes")), 0);
	json_decref(s);
	/* Built anew, the same patches are as fast as the base. */
	f->version = 2;
	slow_from = 0;
	s = measured(f, MARKS, PLAIN ",\"reuse\":false,\"rebuild\":true");
	assert_int_equal(effects_of(s), 0);
	assert_int_equal(json_array_size(at(s, "series.changes")), 2);
	assert_string_equal(str_at(s, "series.changes.0.kernel"), "basic");
	assert_string_equal(str_at(s, "series.changes.1.kernel"), "batch");
	assert_string_equal(str_at(s, "series.changes.1.was"), "slower");
	assert_string_equal(str_at(s, "series.changes.1.is"), "same");
	assert_int_equal(int_at(s, "series.changes.1.submission"), first + 1);
	json_decref(s);
}

/* An alert's bisection takes what the search found. */
static void a_bisection_has_it(void **state)
{
	struct fake *f = *state;
	json_t *s, *o;
	char path[64];

	slow_from = 7;
	s = measured(f, MARKS, PLAIN);
	o = fake_get(f, "/api/v1/alerts");
	assert_int_equal(json_array_size(at(o, "alerts")), 1);
	snprintf(path, sizeof(path), "/api/v1/alerts/%lld/bisection",
	         (long long)int_at(o, "alerts.0.id"));
	json_decref(o);
	assert_true(ask_json(f->d, "POST", path, f->submit, "{}", &o) < 300);
	json_decref(o);
	o = fake_get(f, path);
	assert_int_equal(int_at(o, "commits"), 1);
	assert_string_equal(str_at(o, "bad"), str_at(s, "series.patches.6.commit"));
	assert_string_equal(str_at(o, "good"), str_at(s, "series.patches.5.commit"));
	json_decref(o);
	json_decref(s);
}

static void bad_bodies(void **state)
{
	static const struct {
		const char *series, *says;
	} bad[] = {
	        {",\"steps\":-1", "series.steps"},
	        {",\"steps\":64", "series.steps"},
	        {",\"steps\":1e3", "series.steps"},
	        {",\"steps\":99999999999999999999", "99999"},
	        {",\"steps\":\"2\"", "series.steps"},
	        {",\"steps\":[]", "series.steps"},
	        {",\"steps\":true", "series.steps"},
	        {",\"all\":true,\"steps\":3", "nothing to search"},
	};
	struct fake *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_t *o = NULL;
		char *text = xasprintf("{\"title\":\"s\",\"series\":{" TREE
		                       ",\"bundle\":\"%s\"%s},\"boards\":[\"det\"],"
		                       "\"cases\":[\"" FORK "\"]}",
		                       search_bundle, bad[i].series);
		int status = ask_json(f->d, "POST", "/api/v1/submissions", f->submit, text, &o);

		if (status != 400 || (i != 3 && !strstr(str_at(o, "error.message"), bad[i].says)))
			fail_msg("%zu: %d %s", i, status,
			         status == 201 ? "" : str_at(o, "error.message"));
		json_decref(o);
		free(text);
	}
	json_decref(measured(f, ",\"all\":true,\"steps\":0", PLAIN));
	json_decref(measured(f, ",\"steps\":null", PLAIN));
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, search_setup, fake_teardown)
	const struct CMUnitTest tests[] = {
	        T(cancelled), T(killed), T(the_next_version), T(a_bisection_has_it), T(bad_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
