/*
 * What is posted as a boot's result: torn, nonsense, for another boot; imports;
 * and that rebuilding the derived rows gives the same answers.
 */
#include "server/db.h"
#include "server/test/fake_agent.h"

#include "lib/buf.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
	fake_setup(state);
	fake_announce(*state, true);
	return 0;
}

static int64_t submit_of(struct fake *f, unsigned char image, const char *board, int boots)
{
	char a[65], b[65], *body;
	int64_t sub;

	fake_image(f, image, a);
	fake_image(f, image + 1, b);
	body = xasprintf("{\"title\":\"images\",\"kernels\":[{\"name\":\"base\",\"image\":\"%s\"},"
	                 "{\"name\":\"slow\",\"image\":\"%s\"}],\"boards\":[\"%s\"],\"cases\":["
	                 "\"fork/order=0,size=16M\"],\"plan\":{\"boots\":%d,\"iterations\":%d}}",
	                 a, b, board, boots, boots);
	sub = fake_submit(f, body);
	free(body);
	return sub;
}

static int64_t submit_images(struct fake *f, const char *board, int boots)
{
	return submit_of(f, 1, board, boots);
}

/* ---- results */

static char *replaced(const char *text, const char *from, const char *to)
{
	const char *hit = strstr(text, from);

	assert_non_null(hit);
	return xasprintf("%.*s%s%s", (int)(hit - text), text, to, hit + strlen(from));
}

/* The lines without their end. */
static char *lines_of(const char *result)
{
	const char *end = strstr(result, "{\"type\":\"end\"");

	assert_non_null(end);
	return xasprintf("%.*s", (int)(end - result), result);
}

static json_t *body_with(const struct fake *f, const char *result, const char *nonce)
{
	return json_pack("{s:i,s:s,s:{s:b,s:s,s:s,s:s,s:{},s:s}}", "attempt", 1, "state", "done",
	                 "boot", "valid", 1, "reached", "measured", "nonce", nonce, "console",
	                 f->console, "env", "result", result);
}

static void nonsense_is_refused(void **state)
{
	/* An edit of good lines, and the words that the refusal must have. The end
	 * line is made anew, so that nothing here is torn. */
	static const struct {
		const char *from, *to, *says;
		int64_t runs;
	} edits[] = {
	        {"\"type\":\"begin\"", "\"type\":\"start\"", "boot.result:1: type", 1},
	        {"\"format\":1", "\"format\":2", "boot.result:1: format", 1},
	        {"\"build_id\":\"", "\"build_id\":\"ff", "another kernel ran", 1},
	        {"\"metric\":\"instructions\",\"page", "\"metric\":\"ns\",\"page",
	         "boot.result:1: metric", 1},
	        {"\"metric\":\"instructions\",\"unit", "\"metric\":\"ns\",\"unit",
	         "boot.result:2: metric", 1},
	        {"\"case\":\"fork/order=0,size=16M\"", "\"case\":\"fork/order=9,size=16M\"",
	         "boot.result:2: case", 1},
	        {"\"run\":0", "\"run\":1", "boot.result:2: run", 1},
	        {"\"run\":0", "\"run\":-1", "boot.result:2: run", 1},
	        {"\"run\":0", "\"run\":\"0\"", "boot.result:2: run", 1},
	        {"\"warmup\":1", "\"warmup\":0", "boot.result:2: warmup", 1},
	        {"\"samples\":[", "\"samples\":[7,", "boot.result:2: samples", 1},
	        {"\"samples\":[", "\"samples\":[-", "boot.result:2: samples[0]", 1},
	        {"\"samples\":[", "\"samples\":[0.", "boot.result:2", 1},
	        {"\"samples\":[", "\"samples\":[null,", "boot.result:2", 1},
	        {"\"samples\":", "\"simples\":", "boot.result:2: samples: missing", 1},
	        {"\"state\":\"valid\"", "\"state\":\"fine\"", "boot.result:2: state", 1},
	        {"\"state\":\"valid\"", "\"state\":\"skip\"", "boot.result:2: why", 1},
	        {"\"state\":\"valid\"", "\"state\":\"skip\",\"why\":\"x\"",
	         "boot.result:2: samples", 1},
	        {"\"better\":\"less\"", "\"better\":\"more or less\"", "boot.result:2: better", 1},
	        {"{\"type\":\"run\"", "{\"type\":\"run\",\"type\":\"run\"", "boot.result:2", 1},
	        {"{\"type\":\"run\"", "nothing", "boot.result:2", 1},
	        {"\"batch\":1", "\"windows\":0", "boot.result:2: windows", 1},
	        {"\"batch\":1", "\"windows\":1001", "boot.result:2: windows", 1},
	        {"\"batch\":1", "\"windows\":-1", "boot.result:2: windows", 1},
	        {"\"type\":\"run\"", "\"type\":\"walk\"", "boot.result:2: type", 1},
	        {"\"nonce\":\"", "\"nonce\":\"0", "boot.result:1: nonce", 1},
	        {"\"type\":\"run\"", "\"type\":\"run\"", "boot.result:3: runs", 2},
	};
	struct fake *f = *state;
	json_t *lease, *o, *body;
	char *good, *lines;
	size_t i;

	submit_images(f, "det", 1);
	lease = fake_claim(f, "[\"boot\"]", "[\"det\"]");
	good = fake_result(f, at(lease, "spec"), 0);
	lines = lines_of(good);
	for (i = 0; i < ARRAY_SIZE(edits); i++) {
		char *edited = replaced(lines, edits[i].from, edits[i].to);
		char *result = fake_end(edited, edits[i].runs);
		int status;

		body = body_with(f, result, str_at(lease, "spec.nonce"));
		status = fake_post(f, 1, "n", body, &o);
		if (status != 422 || !strstr(str_at(o, "error.message"), edits[i].says))
			fail_msg("%s: %d %s", edits[i].to, status,
			         status == 200 ? "taken"
			                       : json_string_value(at(o, "error.message")));
		json_decref(o);
		json_decref(body);
		free(edited);
		free(result);
	}
	/* The run twice, and no run at all. */
	{
		char *twice = xasprintf("%s%s", lines, strchr(lines, '\n') + 1);
		char *none = xasprintf("%.*s", (int)(strchr(lines, '\n') + 1 - lines), lines);
		const char *const texts[] = {twice, none};
		const char *const says[] = {"stands there twice", "is missing"};

		for (i = 0; i < 2; i++) {
			char *result = fake_end(texts[i], i ? 0 : 2);

			body = body_with(f, result, str_at(lease, "spec.nonce"));
			assert_int_equal(fake_post(f, 1, "n", body, &o), 422);
			assert_non_null(strstr(str_at(o, "error.message"), says[i]));
			json_decref(o);
			json_decref(body);
			free(result);
		}
		free(twice);
		free(none);
	}
	body = body_with(f, good, "0000000000000000");
	assert_int_equal(fake_post(f, 1, "n", body, &o), 422);
	assert_non_null(strstr(str_at(o, "error.message"), "boot.nonce"));
	json_decref(o);
	json_object_set_new(
	        json_object_get(body, "boot"), "console",
	        json_string("00000000000000000000000000000000000000000000000000000000000"
	                    "00000"));
	json_object_set_new(json_object_get(body, "boot"), "nonce",
	                    json_string(str_at(lease, "spec.nonce")));
	assert_int_equal(fake_post(f, 1, "n", body, &o), 422);
	assert_non_null(strstr(str_at(o, "error.message"), "boot.console"));
	json_decref(o);
	json_decref(body);
	/* Nothing of all that was stored, and the job can still be answered. */
	expect_error(f->d, "GET", "/api/v1/boots/1", NULL, NULL, 404, "not_found", NULL);
	o = fake_do(f, lease);
	assert_string_equal(str_at(o, "state"), "done");
	json_decref(o);
	json_decref(lease);
	free(lines);
	free(good);
}

static void bodies_of_results(void **state)
{
	static const struct {
		const char *body, *says;
		int status;
	} rows[] = {
	        {"{}", "attempt", 400},
	        {"[]", "object", 400},
	        {"{\"attempt\":\"1\",\"state\":\"done\"}", "attempt", 400},
	        {"{\"attempt\":1,\"state\":\"fine\"}", "state", 400},
	        {"{\"attempt\":1,\"state\":\"failed\"}", "class", 400},
	        {"{\"attempt\":1,\"state\":\"failed\",\"class\":\"infra\"}", "why", 400},
	        {"{\"attempt\":1,\"state\":\"failed\",\"class\":\"luck\",\"why\":\"x\"}", "class",
	         400},
	        {"{\"attempt\":1,\"state\":\"done\",\"class\":\"infra\",\"boot\":{}}", "class",
	         400},
	        {"{\"attempt\":1,\"state\":\"done\"}", "boot: missing", 400},
	        {"{\"attempt\":1,\"state\":\"done\",\"build\":{}}", "another kind", 400},
	        {"{\"attempt\":1,\"state\":\"done\",\"boot\":{}}", "boot.valid", 400},
	        {"{\"attempt\":1,\"state\":\"done\",\"boot\":{\"valid\":false}}", "boot.why", 422},
	        {"{\"attempt\":1,\"state\":\"done\",\"boot\":{\"valid\":true}}", "boot.result",
	         422},
	        {"{\"attempt\":1,\"state\":\"done\",\"boot\":{\"valid\":true,\"faults\":[1],"
	         "\"result\":\"x\"}}",
	         "boot.faults[0]", 400},
	        {"{\"attempt\":2,\"state\":\"done\"}", "attempt 1", 409},
	};
	struct fake *f = *state;
	json_t *lease;
	struct reply_raw r;
	size_t i;

	submit_images(f, "det", 1);
	lease = fake_claim(f, "[\"boot\"]", "[\"det\"]");
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		ask(f->d, "POST", "/api/v1/jobs/1/result", f->agent, "Idempotency-Key: k\r\n",
		    rows[i].body, strlen(rows[i].body), &r);
		if (r.status != rows[i].status || !strstr(r.body, rows[i].says))
			fail_msg("%s: %d %s", rows[i].body, r.status, r.body);
		reply_raw_release(&r);
	}
	expect_error(f->d, "POST", "/api/v1/jobs/1/result", f->agent, rows[0].body, 400, "input",
	             "Idempotency-Key");
	json_decref(lease);
}

static void torn_results_are_kept(void **state)
{
	struct fake *f = *state;
	json_t *lease, *o, *body, *b;
	char *good, *torn[3];
	const char *const says[] = {"no end line", "bytes", "CRC"};
	int i;

	submit_images(f, "hw", 3);
	for (i = 0; i < 3; i++) {
		char path[40];

		lease = fake_claim(f, "[\"boot\"]", "[\"hw\"]");
		good = fake_result(f, at(lease, "spec"), 0);
		torn[0] = xasprintf("%.*s", (int)strlen(good) / 2, good);
		torn[1] = replaced(good, "\"samples\":[", "\"samples\":[1");
		torn[2] = replaced(good, "\"empty_window\":41", "\"empty_window\":42");
		body = body_with(f, torn[i], str_at(lease, "spec.nonce"));
		assert_int_equal(fake_post(f, int_at(lease, "id"), "t", body, &o), 200);
		assert_string_equal(str_at(o, "state"), "done");
		snprintf(path, sizeof(path), "/api/v1/boots/%lld", (long long)int_at(o, "boot"));
		b = fake_get(f, path);
		assert_true(json_is_false(at(b, "valid")));
		assert_non_null(strstr(str_at(b, "why"), says[i]));
		assert_int_equal(json_array_size(at(b, "runs")), 0);
		json_decref(b);
		json_decref(o);
		json_decref(body);
		json_decref(lease);
		free(torn[0]);
		free(torn[1]);
		free(torn[2]);
		free(good);
	}
}

/* ---- imports */

static json_t *import(struct fake *f, const char *kernel, json_t *submission, const char *result,
                      const char *dmesg, int status)
{
	json_t *body = json_pack("{s:s,s:s,s:o,s:s,s:s?}", "title", "by hand", "kernel", kernel,
	                         "submission", submission, "result", result, "dmesg", dmesg);
	char *text = json_text(body);
	json_t *o = NULL;
	int got = ask_json(f->d, "POST", "/api/v1/imports", f->submit, text, &o);

	if (got != status)
		fail_msg("import: %d %s", got, got >= 400 ? str_at(o, "error.message") : "");
	free(text);
	json_decref(body);
	return o;
}

static char *by_hand(struct fake *f, const char *name, const char *build_id, int64_t change)
{
	json_t *spec = json_pack(
	        "{s:s,s:s,s:[s],s:s,s:s,s:i}", "name", name, "nonce", "", "build_ids", build_id,
	        "metric", "ns", "plan",
	        "# foldbench plan 1\nfork/order=0,size=16M runs=2 iterations=5 warmup=1\n", "phase",
	        0);
	char *text = fake_result(f, spec, change);

	json_decref(spec);
	return text;
}

static void imports(void **state)
{
	struct fake *f = *state;
	char *a = by_hand(f, "base", "aaaa", 0), *b = by_hand(f, "slow", "bbbb", 0);
	char path[64], *torn = xasprintf("%.*s", (int)strlen(b) - 30, b);
	json_t *o, *c;
	int64_t sub;
	int i;

	o = import(f, "base", json_null(), a, "[ 0.0] all is well\n", 201);
	assert_true(json_is_true(at(o, "valid")));
	sub = int_at(o, "submission");
	json_decref(o);
	for (i = 0; i < 2; i++) {
		char *again = by_hand(f, "base", "aaaa", i + 1);

		json_decref(import(f, "base", json_integer(sub), again, NULL, 201));
		free(again);
	}
	for (i = 0; i < 3; i++) {
		char *other = by_hand(f, "slow", "bbbb", i);

		json_decref(import(f, "slow", json_integer(sub), other, NULL, 201));
		free(other);
	}
	o = import(f, "slow", json_integer(sub), b,
	           "[ 1.0] BUG: Bad page state in process x  pfn:12a094\n", 201);
	assert_true(json_is_false(at(o, "valid")));
	assert_non_null(strstr(str_at(o, "why"), "Bad page state"));
	json_decref(o);
	o = import(f, "slow", json_integer(sub), torn, NULL, 201);
	assert_true(json_is_false(at(o, "valid")));
	assert_non_null(strstr(str_at(o, "why"), "torn"));
	json_decref(o);
	/* The name is another kernel's already. */
	o = import(f, "slow", json_integer(sub), a, NULL, 422);
	assert_non_null(strstr(str_at(o, "error.message"), "bbbb"));
	json_decref(o);
	snprintf(path, sizeof(path), "/api/v1/comparisons/%lld", (long long)sub);
	c = fake_get(f, path);
	assert_true(json_is_true(at(c, "complete")));
	assert_int_equal(json_array_size(at(c, "cells")), 1);
	assert_string_equal(str_at(c, "cells.0.board"), "self-reported");
	assert_string_equal(str_at(c, "cells.0.metric"), "ns");
	assert_string_equal(str_at(c, "cells.0.verdict"), "slower");
	assert_int_equal(int_at(c, "cells.0.boots"), 3);
	assert_int_equal(int_at(c, "cells.0.invalid_boots"), 2);
	json_decref(c);
	/* Measured submissions take none. */
	sub = submit_images(f, "hw", 1);
	o = import(f, "slow", json_integer(sub), a, NULL, 422);
	json_decref(o);
	free(a);
	free(b);
	free(torn);
}

/* ---- samples of several windows */

/* Images of their own: boots of the same would serve again. */
static int64_t measured(struct fake *f, int windows, const char *kernel)
{
	int64_t sub;

	f->windows = windows;
	f->windows_kernel = kernel;
	sub = submit_of(f, windows ? 3 : 1, "det", 7);
	fake_work(f);
	json_decref(fake_await(f, sub, "done"));
	return sub;
}

/* Numbers are of one window, whatever a sample holds; samples stay as they came. */
static void windows_do_not_change_numbers(void **state)
{
	struct fake *f = *state;
	int64_t one = measured(f, 0, NULL), four = measured(f, 4, "slow");
	json_t *a = fake_comparison(f, one), *b = fake_comparison(f, four), *run, *rows, *row;
	char path[100];
	size_t i, summed = 0;

	assert_true(json_equal(at(a, "cells.0.change"), at(b, "cells.0.change")));
	assert_true(json_equal(at(a, "cells.0.mean"), at(b, "cells.0.mean")));
	assert_true(json_equal(at(a, "cells.0.std_rel"), at(b, "cells.0.std_rel")));
	assert_string_equal(str_at(b, "cells.0.verdict"), "slower");
	assert_false(fake_noted(a, "windows summed"));
	assert_true(fake_noted(b, "fork/order=0,size=16M on det: a sample is up to 4 windows"));
	snprintf(path, sizeof(path), "/api/v1/submissions/%lld/samples?case=fork/order=0,size=16M",
	         (long long)four);
	rows = fake_get(f, path);
	json_array_foreach (at(rows, "rows"), i, row)
		summed += json_int(row, "windows", 0) == 4;
	assert_true(summed * 2 == i);
	run = fake_get(f, "/api/v1/boots/1");
	assert_int_equal(int_at(run, "runs.0.windows"), 1);
	json_decref(run);
	json_decref(rows);
	json_decref(a);
	json_decref(b);
}

/* ---- rebuild */

static char *get_text(struct fake *f, const char *path)
{
	struct reply_raw r;
	char *text;

	ask(f->d, "GET", path, NULL, NULL, NULL, 0, &r);
	assert_int_equal(r.status, 200);
	text = xstrdup(r.body);
	reply_raw_release(&r);
	return text;
}

/* Every derived row as text, from the file itself. */
static char *derived(struct fake *f)
{
	static const char *const queries[] = {
	        "SELECT 'run_stat', boot_id || '/' || case_id || '/' || number || ' ' || median ||"
	        " ' ' || mean || ' ' || sd || ' ' || iterations FROM run_stat ORDER BY boot_id,"
	        " case_id, number",
	        "SELECT 'comparison', submission_id || ' ' || last_boot || ' ' || complete || body"
	        " FROM comparison ORDER BY submission_id",
	        "SELECT 'void', submission_id || ' ' || boot_id || why || last_boot FROM boot_void"
	        " ORDER BY submission_id, boot_id",
	        "SELECT 'cell', submission_id || ' ' || pos || board || case_text || kernel ||"
	        " coalesce(change, '-') || coalesce(low, '-') || coalesce(high, '-') || tau ||"
	        " verdict || coalesce(why, '') || last_boot FROM cell ORDER BY submission_id, pos",
	        "SELECT 'thrown', submission_id || ' ' || pos || boot_id || why || last_boot"
	        " FROM cell_thrown ORDER BY submission_id, pos",
	        "SELECT 'note', submission_id || ' ' || pos || text FROM cell_note"
	        " ORDER BY submission_id, pos",
	};
	char *path = xasprintf("%s/state/foldwatch.db", f->d->dir);
	struct db_store *store;
	struct why w;
	struct buf b;
	size_t i;

	buf_init(&b, 16 << 20);
	if (db_open(path, 1, &store, &w) != OK)
		fail_msg("%s", w.text);
	for (i = 0; i < ARRAY_SIZE(queries); i++) {
		struct db_stmt *q = db_prepare(db_reader(store), queries[i]);
		int rows = 0;

		while (db_step(q, &w) == OK && db_has_row(q)) {
			const char *text = db_text(q, 1);

			buf_addf(&b, "%s %s\n", db_text(q, 0), text ? text : "null");
			rows++;
		}
		db_done(q);
		assert_true(rows > 0);
	}
	db_close(store);
	free(path);
	return buf_take(&b, NULL);
}

static void rebuilding_changes_nothing(void **state)
{
	static const char *const args[] = {"rebuild", NULL};
	struct fake *f = *state;
	char *before[6], *after, *out, *a, *rows;
	const char *const paths[] = {
	        "/api/v1/comparisons/1",
	        "/api/v1/comparisons/2",
	        "/api/v1/comparisons/3",
	        "/api/v1/comparisons/3?format=csv",
	        "/api/v1/comparisons/1?format=text",
	        "/api/v1/boots/1",
	};
	size_t i;

	f->bad_kernel = "slow";
	f->bad_boots = 1;
	f->windows = 3;
	f->windows_kernel = "base";
	submit_images(f, "det", 7);
	fake_work(f);
	json_decref(fake_await(f, 1, "done"));
	f->drift = true;
	submit_images(f, "det", 8);
	fake_work(f);
	sleep_ms(1500);
	fake_work(f);
	json_decref(fake_await(f, 2, "done"));
	a = by_hand(f, "base", "aaaa", 0);
	json_decref(import(f, "base", json_null(), a, NULL, 201));
	free(a);
	for (i = 0; i < ARRAY_SIZE(paths); i++)
		before[i] = get_text(f, paths[i]);
	daemon_stop(f->d);
	rows = derived(f);
	assert_int_equal(daemon_run(f->d, args, &out), 0);
	free(out);
	after = derived(f);
	assert_string_equal(after, rows);
	free(after);
	free(rows);
	daemon_start(f->d);
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		after = get_text(f, paths[i]);
		assert_string_equal(after, before[i]);
		free(after);
		free(before[i]);
	}
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, fake_teardown)
	const struct CMUnitTest tests[] = {
	        T(nonsense_is_refused),        T(bodies_of_results),
	        T(torn_results_are_kept),      T(imports),
	        T(rebuilding_changes_nothing), T(windows_do_not_change_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
