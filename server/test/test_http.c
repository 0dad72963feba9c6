/*
 * The route table and what it decides; answers, files, start and stop.
 */
#include "server/test/http_fixture.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/mem.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int role_of(const char *path, const char *token)
{
	struct reply_raw r;
	int status =
	        ask(&peer, strstr(path, "read") ? "GET" : "POST", path, token, NULL, NULL, 0, &r);

	reply_raw_release(&r);
	return status;
}

/* -------------------------------------------------------------------- the table */

static void patterns_match_whole_paths(void **state)
{
	static const char hash[] =
	        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	char *path;

	(void)state;
	expect_text("GET", "/api/n/qemu-det.1_A", NULL, 0, 200, "qemu-det.1_A|-|-1");
	expect_text("GET", "/api/n/", NULL, 0, 404, NULL);
	expect_text("GET", "/api/n/a/b", NULL, 0, 404, NULL);
	expect_text("GET", "/api/n/a%20b", NULL, 0, 404, NULL);
	expect_text("GET", "/api/n/a%2db", NULL, 0, 200, "a-b|-|-1");
	expect_text("GET", "/api/n", NULL, 0, 404, NULL);
	expect_text("GET", "/api/i/7/sub/x", NULL, 0, 200, "7|x|7");
	expect_text("GET", "/api/i/999999999999999999/sub/x", NULL, 0, 200, NULL);
	expect_text("GET", "/api/i/9999999999999999999/sub/x", NULL, 0, 404, NULL);
	expect_text("GET", "/api/i/-7/sub/x", NULL, 0, 404, NULL);
	expect_text("GET", "/api/i/7x/sub/x", NULL, 0, 404, NULL);
	expect_text("GET", "/api/i//sub/x", NULL, 0, 404, NULL);
	path = xasprintf("/api/h/%s", hash);
	expect_text("GET", path, NULL, 0, 200, NULL);
	path[8] = 'A';
	expect_text("GET", path, NULL, 0, 404, NULL);
	free(path);
	path = xasprintf("/api/h/%s0", hash);
	expect_text("GET", path, NULL, 0, 404, NULL);
	free(path);
}

static void name_of_64_is_the_longest(void **state)
{
	char *path = xasprintf("/api/n/%064d", 0);

	(void)state;
	expect_text("GET", path, NULL, 0, 200, NULL);
	free(path);
	path = xasprintf("/api/n/%065d", 0);
	expect_text("GET", path, NULL, 0, 404, NULL);
	free(path);
}

static void method_is_told(void **state)
{
	struct reply_raw r;
	char *allow;

	(void)state;
	ask(&peer, "DELETE", "/api/echo", NULL, NULL, NULL, 0, &r);
	check_error(&r, 405, "method", "/api/echo takes POST, GET, HEAD, not DELETE");
	allow = reply_raw_header(&r, "Allow");
	assert_string_equal(allow, "POST, GET, HEAD");
	free(allow);
	reply_raw_release(&r);
	ask(&peer, "OPTIONS", "/index.html", NULL, NULL, NULL, 0, &r);
	check_error(&r, 405, "method", NULL);
	reply_raw_release(&r);
	/* HEAD is GET without its body. */
	ask(&peer, "HEAD", "/api/n/x", NULL, NULL, NULL, 0, &r);
	assert_int_equal(r.status, 200);
	allow = reply_raw_header(&r, "Content-Length");
	assert_string_equal(allow, "6");
	free(allow);
	reply_raw_release(&r);
}

static void roles(void **state)
{
	static const struct {
		const char *path;
		int status[5]; /* anonymous, read, submit, agent, admin */
	} want[] = {
	        {"/api/read", {401, 204, 204, 204, 204}},
	        {"/api/submit", {401, 403, 204, 403, 204}},
	        {"/api/agent", {401, 403, 403, 204, 204}},
	        {"/api/both", {401, 403, 204, 204, 204}},
	        {"/api/admin", {401, 403, 403, 403, 204}},
	};
	static const char *const tokens[] = {NULL, "read", "submit", "agent", "admin"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		for (size_t j = 0; j < 5; j++) {
			int status = role_of(want[i].path, tokens[j]);

			if (status != want[i].status[j])
				fail_msg("%s as %s: %d", want[i].path, tokens[j] ? tokens[j] : "-",
				         status);
		}
		assert_int_equal(role_of(want[i].path, "nobody"), 401);
	}
	/* A token that is wrong is told even where none is needed to read. */
	http_stop(http, 1000);
	{
		struct http_conf c = http_fixture_conf();

		c.read_open = true;
		http_fixture_start(&c);
	}
	assert_int_equal(role_of("/api/read", NULL), 204);
	assert_int_equal(role_of("/api/read", "nobody"), 401);
	assert_int_equal(role_of("/api/submit", NULL), 401);
}

static void refusal_before_the_body(void **state)
{
	struct reply_raw r;
	int fd = raw_connect(&peer);
	static const char head[] = "POST /api/admin HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n"
	                           "Expect: 100-continue\r\n\r\n";

	(void)state;
	/* Who asks first is answered first, and sends nothing. */
	raw_send(fd, head, strlen(head));
	raw_reply(fd, 5000, false, &r);
	check_error(&r, 401, "auth", NULL);
	reply_raw_release(&r);
	assert_true(raw_closed(fd, 5000));
	close(fd);
	fd = raw_connect(&peer);
	raw_send(fd, "POST /api/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1001\r\n\r\n", 57);
	close(fd);
}

/* --------------------------------------------------------------------- answers */

static void errors_have_their_status(void **state)
{
	(void)state;
	for (int e = 1; e < ERR_COUNT; e++) {
		char *path = xasprintf("/api/fail/%d", e);
		char *has = xasprintf("error %d of \"", e), *extra;
		struct reply_raw r;

		ask(&peer, "GET", path, NULL, NULL, NULL, 0, &r);
		check_error(&r, err_http_status((enum err)e), err_name((enum err)e), has);
		extra = reply_raw_header(&r, "X-Dropped");
		assert_null(extra);
		reply_raw_release(&r);
		free(path);
		free(has);
	}
	assert_true(http_afters >= ERR_COUNT - 1);
	expect_error(&peer, "GET", "/api/lost", NULL, NULL, 404, "not_found", NULL);
}

static void queries(void **state)
{
	(void)state;
	expect_text("GET", "/api/query", NULL, 0, 200, "3|-");
	expect_text("GET", "/api/query?n=-5&s=a%20b%2Fc", NULL, 0, 200, "-5|a b/c");
	expect_text("GET", "/api/query?n=5&n=1", NULL, 0, 200, NULL);
	expect_error(&peer, "GET", "/api/query?n=6", NULL, NULL, 400, "input", "n: ");
	expect_error(&peer, "GET", "/api/query?n=", NULL, NULL, 400, "input", "n: ");
	expect_error(&peer, "GET", "/api/query?n=1%00", NULL, NULL, 400, "input", NULL);
	expect_error(&peer, "GET", "/api/query?s=%ff", NULL, NULL, 400, "input", "not UTF-8");
}

static void odd_paths(void **state)
{
	static const char *const paths[] = {"/api/n/a%00b", "/api%2fn%2fa", "/api/n/a%2Fb"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		expect_error(&peer, "GET", paths[i], NULL, NULL, 400, "input", NULL);
	expect_error(&peer, "GET", "/api/%ff", NULL, NULL, 404, "not_found", NULL);
}

static void security_headers(void **state)
{
	static const char *const want[][2] = {
	        {"Content-Security-Policy", "default-src 'self'"},
	        {"X-Content-Type-Options", "nosniff"},
	        {"Referrer-Policy", "no-referrer"},
	};
	static const char *const paths[] = {"/", "/api/n/x", "/api/none", "/app.js"};

	(void)state;
	for (size_t p = 0; p < ARRAY_SIZE(paths); p++) {
		struct reply_raw r;

		ask(&peer, "GET", paths[p], NULL, NULL, NULL, 0, &r);
		for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
			char *v = reply_raw_header(&r, want[i][0]);

			assert_non_null(v);
			assert_true(str_starts(v, want[i][1]));
			free(v);
		}
		reply_raw_release(&r);
	}
}

/* ---------------------------------------------------------------- static files */

static void pages(void **state)
{
	static const struct {
		const char *path;
		const char *type; /* NULL: 404 */
	} want[] = {
	        {"/", "text/html; charset=utf-8"},
	        {"/index.html", "text/html; charset=utf-8"},
	        {"/app.js", "text/javascript; charset=utf-8"},
	        {"/empty.css", "text/css; charset=utf-8"},
	        {"/deep/", "text/html; charset=utf-8"},
	        {"/deep", NULL},
	        {"/deep/index.html", "text/html; charset=utf-8"},
	        {"/program.php", NULL},
	        {"/.hidden.html", NULL},
	        {"/link.html", NULL},
	        {"/../outside.html", NULL},
	        {"/deep/../../outside.html", NULL},
	        {"/%2e%2e/outside.html", NULL},
	        {"/deep/%2e%2e/index.html", NULL},
	        {"//index.html", "text/html; charset=utf-8"},
	        {"/deep//index.html", NULL},
	        {"/none.html", NULL},
	        {"/none/", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct reply_raw r;
		char *type;

		ask(&peer, "GET", want[i].path, NULL, NULL, NULL, 0, &r);
		type = reply_raw_header(&r, "Content-Type");
		if (!want[i].type)
			check_error(&r, 404, "not_found", NULL);
		else if (r.status != 200 || strcmp(type, want[i].type) != 0)
			fail_msg("%s: %d %s", want[i].path, r.status, type);
		assert_null(strstr(r.body, "outside<"));
		free(type);
		reply_raw_release(&r);
	}
}

static void pages_are_revalidated(void **state)
{
	struct reply_raw r;
	char *etag, *header;

	(void)state;
	ask(&peer, "GET", "/index.html", NULL, NULL, NULL, 0, &r);
	etag = reply_raw_header(&r, "ETag");
	assert_non_null(etag);
	assert_string_equal(r.body, "<p>front</p>");
	reply_raw_release(&r);
	header = xasprintf("If-None-Match: W/\"x\", %s\r\n", etag);
	ask(&peer, "GET", "/index.html", NULL, header, NULL, 0, &r);
	assert_int_equal(r.status, 304);
	assert_int_equal(r.body_len, 0);
	reply_raw_release(&r);
	web_put("index.html", "<p>another</p>");
	ask(&peer, "GET", "/index.html", NULL, header, NULL, 0, &r);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "<p>another</p>");
	reply_raw_release(&r);
	free(header);
	free(etag);
}

static void ranges(void **state)
{
	static const struct {
		const char *range;
		int status;
		const char *body, *content_range;
	} want[] = {
	        {"bytes=3-7", 206, "front", "bytes 3-7/12"},
	        {"bytes=8-", 206, "</p>", "bytes 8-11/12"},
	        {"bytes=-4", 206, "</p>", "bytes 8-11/12"},
	        {"bytes=-400", 206, "<p>front</p>", "bytes 0-11/12"},
	        {"bytes=8-99999", 206, "</p>", "bytes 8-11/12"},
	        {"bytes=12-", 416, "", "bytes */12"},
	        {"bytes=-0", 416, "", "bytes */12"},
	        {"bytes=7-3", 200, "<p>front</p>", NULL},
	        {"bytes=1-2,4-5", 200, "<p>front</p>", NULL},
	        {"bytes=x", 200, "<p>front</p>", NULL},
	        {"bytes=1", 200, "<p>front</p>", NULL},
	        {"lines=1-2", 200, "<p>front</p>", NULL},
	        {"bytes=99999999999999999999999-", 200, "<p>front</p>", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		char *header = xasprintf("Range: %s\r\n", want[i].range), *got;
		struct reply_raw r;

		ask(&peer, "GET", "/index.html", NULL, header, NULL, 0, &r);
		got = reply_raw_header(&r, "Content-Range");
		if (r.status != want[i].status || strcmp(r.body, want[i].body) != 0 ||
		    !str_eq(got, want[i].content_range))
			fail_msg("%s: %d %s %s", want[i].range, r.status, r.body, got ? got : "-");
		free(got);
		free(header);
		reply_raw_release(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        HTTP_TEST(patterns_match_whole_paths),
	        HTTP_TEST(name_of_64_is_the_longest),
	        HTTP_TEST(method_is_told),
	        HTTP_TEST(roles),
	        HTTP_TEST(refusal_before_the_body),
	        HTTP_TEST(errors_have_their_status),
	        HTTP_TEST(queries),
	        HTTP_TEST(odd_paths),
	        HTTP_TEST(security_headers),
	        HTTP_TEST(pages),
	        HTTP_TEST(pages_are_revalidated),
	        HTTP_TEST(ranges),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
