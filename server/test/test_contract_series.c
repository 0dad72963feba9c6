/* A patch series over the real server: its kernels come when it is resolved; every
 * prefix is built, marks and tip are booted. */
#include "server/test/fake_agent.h"

#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TREE "\"tree\":\"https://example.org/linux.git\",\"base\":\"v6.12\""
#define CASE "munmap/order=0,size=16M"
#define REST "\"boards\":[\"det\"],\"cases\":[\"" CASE "\"],\"plan\":{\"boots\":6}"

static char bundle[65];

static int setup(void **state)
{
	struct fake *f;

	fake_setup(state);
	f = *state;
	fake_announce(f, false);
	fake_put(f, "a bundle", 8, bundle);
	f->patches = 5;
	return 0;
}

static char *body(const char *series, const char *rest)
{
	return xasprintf("{\"title\":\"s\",\"series\":{" TREE ",\"bundle\":\"%s\"%s}," REST "%s}",
	                 bundle, series, rest);
}

static json_t *measured(struct fake *f, const char *series, const char *rest, int64_t *id)
{
	char *text = body(series, rest), path[64];
	int64_t sub = fake_submit(f, text);

	free(text);
	fake_work(f);
	json_decref(fake_await(f, sub, "done"));
	if (id)
		*id = sub;
	snprintf(path, sizeof(path), "/api/v1/submissions/%lld", (long long)sub);
	return fake_get(f, path);
}

static char *names(const json_t *list, const char *key)
{
	struct buf b;

	buf_init(&b, 4096);
	for (size_t i = 0; i < json_array_size(list); i++)
		buf_addf(&b, "%s%s", i ? " " : "", str_at(json_array_get(list, i), key));
	return buf_take(&b, NULL);
}

static void expect_names(const json_t *list, const char *key, const char *want)
{
	char *got = names(list, key);

	assert_string_equal(got, want);
	free(got);
}

static int jobs_of(const json_t *s, const char *kind)
{
	const json_t *jobs = at(s, "jobs");
	int n = 0;

	for (size_t i = 0; i < json_array_size(jobs); i++)
		n += str_eq(str_at(json_array_get(jobs, i), "kind"), kind);
	return n;
}

static void marks_and_tip_are_booted(void **state)
{
	int64_t id;
	json_t *s = measured(*state,
	                     ",\"marks\":{\"slow-one\":2,\"four\":4},\"tip_config\":\"contpte-n\","
	                     "\"steps\":0",
	                     "", &id),
	       *c;

	expect_names(at(s, "kernels"), "name", "base slow-one four tip tip+contpte-n");
	assert_string_equal(str_at(s, "baseline"), "base");
	expect_names(at(s, "series.patches"), "kernel", "p01 slow-one p03 four tip");
	expect_names(at(s, "series.patches"), "state", "ready ready ready ready ready");
	expect_names(at(s, "series.marks"), "name", "slow-one four");
	assert_string_equal(str_at(s, "series.patches.0.subject"), "mm: patch 1");
	assert_true(json_is_false(at(s, "series.patches.0.booted")));
	assert_true(json_is_true(at(s, "series.patches.1.booted")));
	assert_null(str_at(s, "series.patches.1.patch_id"));
	assert_string_equal(str_at(s, "kernels.3.commit"), str_at(s, "series.patches.4.commit"));
	/* base, five patches, the tip otherwise configured, and with the checks on. */
	assert_int_equal(jobs_of(s, "build"), 8);
	assert_int_equal(jobs_of(s, "resolve"), 1);
	/* Five kernels in six phases, one phase twice, and the tip's validation. */
	assert_int_equal(jobs_of(s, "boot"), 5 * 7 + 1);
	expect_names(at(s, "validations"), "kernel", "tip");
	c = fake_comparison(*state, id);
	expect_names(at(c, "cells"), "kernel", "slow-one four tip tip+contpte-n");
	expect_names(at(c, "cells"), "verdict", "slower same same same");
	assert_true(fake_noted(c, "tip with the mm's own checks"));
	assert_false(fake_noted(c, "is not validated"));
	json_decref(c);
	json_decref(s);
}

static json_t *marginal(struct fake *f, int64_t id)
{
	char path[96];

	snprintf(path, sizeof(path), "/api/v1/comparisons/%lld?against=previous", (long long)id);
	return fake_get(f, path);
}

/* What the patches in between add, from the same boots: one patch slows, the next takes
 * it back. */
static void each_against_the_one_before(void **state)
{
	struct fake *f = *state;
	int64_t id;
	json_t *c, *m, *o = NULL;
	struct reply_raw text;

	json_decref(measured(f, ",\"steps\":0,\"marks\":{\"first\":1,\"slow-one\":2,\"four\":4}",
	                     "", &id));
	c = fake_comparison(f, id);
	m = marginal(f, id);
	expect_names(at(c, "cells"), "kernel", "first slow-one four tip");
	expect_names(at(c, "cells"), "against", "base base base base");
	expect_names(at(c, "cells"), "verdict", "same slower same same");
	expect_names(at(m, "cells"), "kernel", "first slow-one four tip");
	expect_names(at(m, "cells"), "against", "base first slow-one four");
	expect_names(at(m, "cells"), "verdict", "same slower faster same");
	assert_true(num_at(m, "cells.2.base_mean") == num_at(m, "cells.1.mean"));
	assert_true(num_at(m, "cells.2.change") < -0.01);
	assert_true(fake_noted(m, "each kernel is compared with the one before it"));
	assert_false(fake_noted(c, "each kernel is compared"));
	json_decref(m);
	json_decref(c);
	assert_int_equal(ask(f->d, "GET", "/api/v1/comparisons/latest?against=previous&format=text",
	                     f->submit, NULL, NULL, 0, &text),
	                 200);
	assert_non_null(strstr(text.body, "each row is against the kernel in the row above it"));
	assert_non_null(strstr(text.body, "Kernel four against slow-one on det:"));
	reply_raw_release(&text);
	assert_int_equal(ask_json(f->d, "GET", "/api/v1/comparisons/latest?against=next", f->submit,
	                          NULL, &o),
	                 400);
	assert_non_null(strstr(str_at(o, "error.message"), "against: expected baseline or"));
	json_decref(o);
}

/* A mark that was not built says nothing about the next. */
static void a_gap_in_the_rows(void **state)
{
	struct fake *f = *state;
	int64_t id;
	json_t *m;

	f->build_fails = "slow-one";
	json_decref(measured(f, ",\"marks\":{\"first\":1,\"slow-one\":2}", "", &id));
	m = marginal(f, id);
	expect_names(at(m, "cells"), "against", "base first first");
	expect_names(at(m, "cells"), "verdict", "same invalid same");
	json_decref(m);
}

/* On a board with noise the looks are those of the comparison, judged by the same rules. */
static void with_noise(void **state)
{
	struct fake *f = *state;
	char *text;
	int64_t id;
	json_t *m;

	fake_announce(f, true);
	text = xasprintf("{\"title\":\"s\",\"series\":{" TREE ",\"bundle\":\"%s\",\"marks\":{"
	                 "\"slow-one\":2},\"steps\":0},\"boards\":[\"hw\"],\"cases\":[\"" CASE
	                 "\"]}",
	                 bundle);
	id = fake_submit(f, text);
	free(text);
	/* A look asks for boots when the one before it is judged. */
	for (int quiet = 0; quiet < 20; sleep_ms(50))
		quiet = fake_work(f) ? 0 : quiet + 1;
	json_decref(fake_await(f, id, "done"));
	m = marginal(f, id);
	expect_names(at(m, "cells"), "against", "base slow-one");
	assert_true(num_at(m, "cells.1.change") < -0.01);
	json_decref(m);
}

static void all_prefixes_on_request(void **state)
{
	json_t *s = measured(*state, ",\"all\":true,\"marks\":{\"last\":5}", ",\"validate\":false",
	                     NULL);

	expect_names(at(s, "kernels"), "name", "base p01 p02 p03 p04 last");
	assert_int_equal(json_array_size(at(s, "validations")), 0);
	assert_int_equal(jobs_of(s, "boot"), 6 * 7);
	json_decref(s);
}

/* Jobs tell an agent where the commits are. */
static void what_agents_are_told(void **state)
{
	struct fake *f = *state;
	char *text = body("", "");
	int builds = 0, with = 0;
	json_t *lease;

	fake_submit(f, text);
	while ((lease = fake_claim(f, "[\"resolve\",\"build\"]", "[]"))) {
		const json_t *spec = at(lease, "spec");

		if (str_eq(str_at(lease, "kind"), "resolve")) {
			assert_string_equal(str_at(spec, "ref"), "v6.12");
			assert_string_equal(str_at(spec, "series.bundle"), bundle);
		} else {
			builds++;
			if (str_eq(str_at(spec, "name"), "base")) {
				assert_null(json_object_get(spec, "series"));
			} else {
				with++;
				assert_string_equal(str_at(spec, "series"), bundle);
				assert_int_equal(strlen(str_at(spec, "base")), 40);
			}
		}
		json_decref(fake_do(f, lease));
		json_decref(lease);
	}
	assert_int_equal(builds, 7);
	assert_int_equal(with, 6);
	free(text);
}

/* Boots begin when the kernels that are booted stand; the submission ends behind the
 * builds of the others. */
static void boots_do_not_wait_for_the_rest(void **state)
{
	struct fake *f = *state;
	char *text = body("", ""), path[64];
	json_t *lease, *held = NULL, *s;
	int64_t id = fake_submit(f, text);
	int boots = 0;

	free(text);
	while (!held && (lease = fake_claim(f, "[\"resolve\",\"build\"]", "[]"))) {
		if (str_eq(json_str(at(lease, "spec"), "name", ""), "p01")) {
			held = lease;
			break;
		}
		json_decref(fake_do(f, lease));
		json_decref(lease);
	}
	assert_non_null(held);
	while ((lease = fake_claim(f, "[\"boot\"]", "[\"det\"]"))) {
		boots++;
		json_decref(fake_do(f, lease));
		json_decref(lease);
	}
	assert_int_equal(boots, 2 * 7 + 1);
	snprintf(path, sizeof(path), "/api/v1/submissions/%lld", (long long)id);
	s = fake_get(f, path);
	assert_string_equal(str_at(s, "state"), "booting");
	assert_string_equal(str_at(s, "series.patches.0.state"), "building");
	json_decref(s);
	json_decref(fake_do(f, held));
	json_decref(held);
	fake_work(f);
	s = fake_await(f, id, "done");
	json_decref(s);
	s = fake_get(f, path);
	expect_names(at(s, "series.patches"), "state", "ready ready ready ready ready");
	json_decref(s);
}

/* A patch that does not build is told, and the others are measured. */
static void a_patch_that_does_not_build(void **state)
{
	struct fake *f = *state;
	json_t *s;

	f->build_fails = "p02";
	s = measured(f, "", "", NULL);
	expect_names(at(s, "series.patches"), "state", "ready failed ready ready ready");
	assert_non_null(strstr(str_at(s, "series.patches.1.why"), "mm/memory.c:1"));
	json_decref(s);
}

/* The next version of a series: what did not change has its kernels and boots already,
 * whatever its commits are called; a patch says where it stood, and a verdict that is
 * another now is pointed out. */
static void the_next_version(void **state)
{
	struct fake *f = *state;
	int64_t first;
	json_t *s = measured(f, ",\"marks\":{\"three\":3}", "", &first);

	assert_int_equal(jobs_of(s, "build"), 7);
	assert_true(json_is_null(at(s, "series.patches.0.earlier")));
	json_decref(s);
	f->version = 1;
	f->changed = 5;
	/* It is slow under its new name. */
	s = measured(f, ",\"marks\":{\"three\":3,\"slow\":4}", "", NULL);
	/* The tip, and the tip's validation; p04 was built, and is booted for the first time. */
	assert_int_equal(jobs_of(s, "build"), 2);
	assert_int_equal(jobs_of(s, "boot"), 2 * 7 + 1);
	assert_int_equal(int_at(s, "series.patches.0.earlier.submission"), first);
	assert_int_equal(int_at(s, "series.patches.3.earlier.position"), 4);
	assert_true(json_is_null(at(s, "series.patches.1.earlier")));
	assert_true(json_is_null(at(s, "series.patches.4.earlier")));
	assert_int_equal(json_array_size(at(s, "series.changes")), 0);
	json_decref(s);
	f->version = 2;
	s = measured(f, ",\"marks\":{\"three\":3,\"fast\":4}", ",\"reuse\":false", NULL);
	assert_int_equal(json_array_size(at(s, "series.changes")), 1);
	assert_string_equal(str_at(s, "series.changes.0.kernel"), "fast");
	assert_string_equal(str_at(s, "series.changes.0.was"), "slower");
	assert_string_equal(str_at(s, "series.changes.0.is"), "same");
	assert_int_equal(int_at(s, "series.changes.0.submission"), first + 1);
	json_decref(s);
}

static void fails_with(struct fake *f, const char *series, const char *says)
{
	char *text = body(series, "");
	json_t *s;
	int64_t sub = fake_submit(f, text);

	free(text);
	fake_work(f);
	s = fake_await(f, sub, "failed");
	if (!str_starts(str_at(s, "why"), says))
		fail_msg("\"%s\", expected \"%s\"", str_at(s, "why"), says);
	json_decref(s);
}

static void series_that_fail(void **state)
{
	struct fake *f = *state;

	fails_with(f, ",\"marks\":{\"far\":6}", "mark \"far\" is at patch 6 of 5");
	f->patches = 70;
	fails_with(f, ",\"all\":true", "71 kernels would be booted: more than 64");
	f->patches = 0;
	fails_with(f, "", "the agent cannot bring a patch series");
	f->resolve_fails = "patch 3 \"mm: x\" does not apply at mm/memory.c:12";
	fails_with(f, "", "patch 3 \"mm: x\" does not apply at mm/memory.c:12");
}

/* As mails: an agent makes commits of them, and leaves them for builds. */
static void patches_as_mails(void **state)
{
	struct fake *f = *state;
	char mails[65], *text;
	int64_t sub;
	json_t *s;

	fake_put(f, "From me", 7, mails);
	text = xasprintf("{\"title\":\"s\",\"series\":{" TREE ",\"patches\":\"%s\"}," REST "}",
	                 mails);
	sub = fake_submit(f, text);
	fake_work(f);
	json_decref(fake_await(f, sub, "done"));
	free(text);
	text = xasprintf("/api/v1/submissions/%lld", (long long)sub);
	s = fake_get(f, text);
	assert_string_equal(str_at(s, "series.mails"), mails);
	assert_int_equal(strlen(str_at(s, "series.bundle")), 64);
	free(text);
	json_decref(s);
}

static void bad_bodies(void **state)
{
	static const struct {
		const char *series, *rest, *says;
		int status;
	} bad[] = {
	        {",\"patches\":\"0123456789012345678901234567890123456789012345678901234567890123"
	         "\"",
	         "", "either a bundle or patches", 400},
	        {",\"marks\":{\"tip\":3}", "", "names that a series has already", 400},
	        {",\"marks\":{\"p7\":3}", "", "names that a series has already", 400},
	        {",\"marks\":{\"a b\":3}", "", "a mark is 1 to 32", 400},
	        {",\"marks\":{\"a\":0}", "", "the number of a patch", 400},
	        {",\"marks\":{\"a\":501}", "", "the number of a patch", 400},
	        {",\"marks\":{\"a\":\"1\"}", "", "the number of a patch", 400},
	        {",\"marks\":{\"a\":1,\"b\":1}", "", "at the same patch", 400},
	        {",\"tip_config\":\"virt\"", "", "what all the others have", 400},
	        {",\"config\":\"no-such\"", "", "no-such", 422},
	        {",\"wrong\":1", "", "wrong", 400},
	        {"", ",\"kernels\":[{\"name\":\"a\"}]", "excludes kernels", 400},
	        {"", ",\"baseline\":\"a\"", "excludes kernels and baseline", 400},
	};
	struct fake *f = *state;
	json_t *o = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char *text = body(bad[i].series, bad[i].rest);
		int status = ask_json(f->d, "POST", "/api/v1/submissions", f->submit, text, &o);

		if (status != bad[i].status || !strstr(str_at(o, "error.message"), bad[i].says))
			fail_msg("%zu: %d %s", i, status,
			         status == 201 ? "" : str_at(o, "error.message"));
		json_decref(o);
		free(text);
	}
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/submissions", f->submit,
	                          "{\"title\":\"s\",\"series\":{" TREE
	                          ",\"bundle\":\"0123456789012345678901234567890123456789012345678"
	                          "901234567890123\"}," REST "}",
	                          &o),
	                 422);
	assert_non_null(strstr(str_at(o, "error.message"), "there is no artifact"));
	json_decref(o);
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/submissions", f->submit,
	                          "{\"title\":\"s\"," REST "}", &o),
	                 400);
	assert_non_null(strstr(str_at(o, "error.message"), "kernels: missing (or a series)"));
	json_decref(o);
}

/* One cause, one alert: of prefixes that are slow as the tip is, the tip has it. */
static void one_alert(void **state)
{
	struct fake *f = *state;
	int64_t id;
	json_t *o;

	f->slow_kernel = "tip";
	json_decref(measured(f, ",\"marks\":{\"slow-a\":1,\"slow-b\":3}", "", &id));
	f->slow_kernel = NULL;
	o = fake_get(f, "/api/v1/alerts");
	assert_int_equal(json_array_size(at(o, "alerts")), 1);
	assert_string_equal(str_at(o, "alerts.0.kernel.name"), "tip");
	assert_int_equal(int_at(o, "alerts.0.submission"), id);
	json_decref(o);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, fake_teardown)
	const struct CMUnitTest tests[] = {
	        T(marks_and_tip_are_booted),
	        T(each_against_the_one_before),
	        T(a_gap_in_the_rows),
	        T(with_noise),
	        T(boots_do_not_wait_for_the_rest),
	        T(the_next_version),
	        T(all_prefixes_on_request),
	        T(what_agents_are_told),
	        T(a_patch_that_does_not_build),
	        T(series_that_fail),
	        T(patches_as_mails),
	        T(one_alert),
	        T(bad_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
