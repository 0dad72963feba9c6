/*
 * Bad bodies: each file below server/test/data is sent as it is, and has to be
 * answered as data/expect says; nothing may be stored, and the server goes on.
 */
#include "server/test/fake_agent.h"

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DATA "server/test/data"

static struct fake *f;

static int start(void **state)
{
	char cwd[4096], *extra;
	struct daemon *d;

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	extra = xasprintf("kernel_dir = %s/kernel\n", cwd);
	d = daemon_new(extra);
	free(extra);
	daemon_start(d);
	f = fake_new(d);
	fake_announce(f, false);
	return 0;
}

static int stop(void **state)
{
	struct daemon *d = f->d;

	(void)state;
	fake_free(f);
	daemon_stop(d);
	daemon_free(d);
	return 0;
}

static const struct {
	const char *kind, *method, *path;
	bool agent;
} kinds[] = {
        {"submission", "POST", "/api/v1/submissions", false},
        {"announce", "PUT", "/api/v1/agents/other", true},
        {"import", "POST", "/api/v1/imports", false},
};

static void one(const char *kind, const char *file, int status, const char *code, const char *words)
{
	char *path = xasprintf(DATA "/%s/%s", kind, file);
	struct reply_raw r;
	struct buf b;
	size_t i;

	for (i = 0; strcmp(kinds[i].kind, kind) != 0; i++)
		assert_true(i + 1 < ARRAY_SIZE(kinds));
	buf_init(&b, 1 << 20);
	assert_int_equal(file_read(path, &b, NULL), OK);
	ask(f->d, kinds[i].method, kinds[i].path, kinds[i].agent ? f->agent : f->submit, NULL,
	    b.data, b.len, &r);
	if (r.status != status)
		print_error("%s: %d %s\n", path, r.status, r.body ? r.body : "");
	check_error(&r, status, code, words[0] ? words : NULL);
	reply_raw_release(&r);
	buf_release(&b);
	free(path);
}

static void each_file(void **state)
{
	char *text = slurp(DATA "/expect"), *save = NULL, *line;
	json_t *o;
	int n = 0;

	(void)state;
	assert_non_null(text);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char kind[32], file[64], code[32];
		int status, used = 0;

		if (line[0] == '#')
			continue;
		assert_int_equal(
		        sscanf(line, "%31s %63s %d %31s %n", kind, file, &status, code, &used), 4);
		one(kind, file, status, code, line + used);
		n++;
	}
	assert_true(n > 80);
	free(text);
	o = fake_get(f, "/api/v1/submissions");
	assert_int_equal(json_array_size(at(o, "submissions")), 0);
	assert_true(json_is_null(at(o, "next")));
	json_decref(o);
	o = fake_get(f, "/api/v1/agents");
	assert_int_equal(json_array_size(at(o, "agents")), 1);
	json_decref(o);
}

/* ---- who may */

static const char good[] =
        "{\"title\":\"t\",\"kernels\":[{\"name\":\"a\",\"tree\":\"https://example.org/l.git\","
        "\"ref\":\"v6.12\"}],\"boards\":[\"det\"],\"cases\":[\"fork/order=0,size=16M\"]}";

static void roles(void **state)
{
	static const struct {
		const char *method, *path, *body;
		int none, submit, agent;
	} rows[] = {
	        {"POST", "/api/v1/submissions", "{}", 401, 400, 403},
	        {"POST", "/api/v1/submissions/1/cancel", "", 401, 404, 403},
	        {"POST", "/api/v1/imports", "{}", 401, 400, 403},
	        {"PUT", "/api/v1/agents/x", "{}", 401, 403, 400},
	        {"POST", "/api/v1/jobs/claim", "{}", 401, 403, 400},
	        {"PUT", "/api/v1/jobs/1/lease", "{}", 401, 403, 400},
	        {"POST", "/api/v1/jobs/1/log?attempt=1&offset=0", "x", 401, 403, 404},
	        {"POST", "/api/v1/jobs/1/result", "{}", 401, 403, 400},
	        {"POST", "/api/v1/boards/det/drain", "{}", 401, 403, 403},
	        {"POST", "/api/v1/boards/det/resume", "{}", 401, 403, 403},
	        {"POST", "/api/v1/boards/det/quarantine", "{}", 401, 403, 403},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const int want[] = {rows[i].none, rows[i].submit, rows[i].agent};
		const char *who[] = {NULL, f->submit, f->agent};
		int w;

		for (w = 0; w < 3; w++) {
			int got = ask_json(f->d, rows[i].method, rows[i].path, who[w], rows[i].body,
			                   NULL);

			if (got != want[w])
				fail_msg("%s %s as %d: %d instead of %d", rows[i].method,
				         rows[i].path, w, got, want[w]);
		}
	}
}

static void things_that_are_not_there(void **state)
{
	static const char *const paths[] = {
	        "/api/v1/submissions/77",
	        "/api/v1/submissions/latest",
	        "/api/v1/comparisons/77",
	        "/api/v1/comparisons/latest",
	        "/api/v1/kernels/77",
	        "/api/v1/boards/none",
	        "/api/v1/jobs/77",
	        "/api/v1/jobs/77/log",
	        "/api/v1/boots/77",
	        "/api/v1/boots/77/console",
	        "/api/v1/submissions/77/samples?case=fork/order=0,size=16M",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(paths); i++)
		expect_error(f->d, "GET", paths[i], NULL, NULL, 404, "not_found", NULL);
	expect_error(f->d, "GET", "/api/v1/jobs?state=lost", NULL, NULL, 400, "input", "state");
	expect_error(f->d, "GET", "/api/v1/jobs?limit=0", NULL, NULL, 400, "input", "limit");
	expect_error(f->d, "GET", "/api/v1/kernels?before=x", NULL, NULL, 400, "input", "before");
	expect_error(f->d, "GET", "/api/v1/submissions/1/samples", NULL, NULL, 400, "input",
	             "case");
	expect_error(f->d, "POST", "/api/v1/boards/none/drain", f->d->admin, "{\"why\":\"x\"}", 404,
	             "not_found", "none");
	expect_error(f->d, "POST", "/api/v1/boards/det/drain", f->d->admin, "{}", 400, "input",
	             "why");
	expect_error(f->d, "POST", "/api/v1/jobs/claim", f->agent,
	             "{\"agent\":\"zed\",\"kinds\":[\"boot\"]}", 422, "unprocessable", "zed");
	expect_error(f->d, "POST", "/api/v1/jobs/claim", f->agent,
	             "{\"agent\":\"a\",\"kinds\":[\"boot\"],\"boards\":[\"zed\"]}", 422,
	             "unprocessable", "zed");
	expect_error(f->d, "POST", "/api/v1/jobs/claim", f->agent,
	             "{\"agent\":\"a\",\"kinds\":[\"dance\"]}", 400, "input", "kinds[0]");
}

/* A board announced by two agents, and one for trusted submitters. */
static void boards_have_owners(void **state)
{
	static const char other[] =
	        "{\"version\":\"1\",\"builds\":false,\"toolchains\":[],\"boards\":[{\"name\":\"%"
	        "s\","
	        "\"kind\":\"qemu\",\"metric\":\"ns\",\"deterministic\":false,\"emulated\":true,"
	        "\"untrusted\":false,\"description\":\"d\"}]}";
	char *text;

	(void)state;
	text = xasprintf("%.*s%s%s", (int)(strstr(other, "%s") - other), other, "det",
	                 strstr(other, "%s") + 2);
	expect_error(f->d, "PUT", "/api/v1/agents/b", f->agent, text, 409, "conflict",
	             "belongs to agent \"a\"");
	free(text);
	text = xasprintf("%.*s%s%s", (int)(strstr(other, "%s") - other), other, "mine",
	                 strstr(other, "%s") + 2);
	assert_int_equal(ask_json(f->d, "PUT", "/api/v1/agents/b", f->agent, text, NULL), 200);
	free(text);
	text = xstrdup(good);
	memcpy(strstr(text, "det"), "xyz", 3);
	expect_error(f->d, "POST", "/api/v1/submissions", f->submit, text, 422, "unprocessable",
	             "xyz");
	free(text);
	text = xasprintf("{\"title\":\"t\",\"kernels\":[{\"name\":\"a\",\"tree\":"
	                 "\"https://example.org/l.git\",\"ref\":\"v6.12\"}],\"boards\":[\"mine\"],"
	                 "\"cases\":[\"fork/order=0,size=16M\"]}");
	expect_error(f->d, "POST", "/api/v1/submissions", f->submit, text, 403, "denied",
	             "trusted submitters");
	assert_int_equal(ask_json(f->d, "POST", "/api/v1/submissions", f->d->admin, text, NULL),
	                 201);
	free(text);
}

static void keys_of_submissions(void **state)
{
	struct reply_raw r;
	json_t *o;
	int64_t id;

	(void)state;
	assert_int_equal(ask(f->d, "POST", "/api/v1/submissions", f->submit,
	                     "Idempotency-Key: k1\r\n", good, strlen(good), &r),
	                 201);
	o = json_loads(r.body, 0, NULL);
	id = int_at(o, "id");
	assert_string_equal(str_at(o, "key"), "k1");
	json_decref(o);
	reply_raw_release(&r);
	/* Other white space is the same content. */
	{
		char *spaced = xasprintf(" %s\n", good);

		assert_int_equal(ask(f->d, "POST", "/api/v1/submissions", f->submit,
		                     "Idempotency-Key: k1\r\n", spaced, strlen(spaced), &r),
		                 200);
		free(spaced);
	}
	o = json_loads(r.body, 0, NULL);
	assert_int_equal(int_at(o, "id"), id);
	json_decref(o);
	reply_raw_release(&r);
	ask(f->d, "POST", "/api/v1/submissions", f->submit, "Idempotency-Key: k1\r\n", "{}", 2, &r);
	check_error(&r, 409, "conflict", "other content");
	reply_raw_release(&r);
	/* Another submitter's key is another key. */
	assert_int_equal(ask(f->d, "POST", "/api/v1/submissions", f->d->admin,
	                     "Idempotency-Key: k1\r\n", good, strlen(good), &r),
	                 201);
	reply_raw_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_file),
	        cmocka_unit_test(roles),
	        cmocka_unit_test(things_that_are_not_there),
	        cmocka_unit_test(boards_have_owners),
	        cmocka_unit_test(keys_of_submissions),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
