/*
 * The HTTP room by itself, with routes of the test's own.
 */
#include "server/http.h"
#include "server/test/harness.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct http *http;
static struct daemon peer; /* only its port */
static char dir[64];
static char *web, *tmp;
static atomic_int afters;

/* ---------------------------------------------------------------- its handlers */

static enum err echo(struct http_req *req, struct http_resp *r, struct why *w)
{
	(void)w;
	buf_init(&r->body, 1 << 20);
	buf_add(&r->body, req->body ? req->body : "", req->body_len);
	return OK;
}

static enum err params(struct http_req *req, struct http_resp *r, struct why *w)
{
	(void)w;
	buf_init(&r->body, 4096);
	buf_addf(&r->body, "%s|%s|%lld", req->param[0], req->param[1] ? req->param[1] : "-",
	         (long long)req->id);
	return OK;
}

static enum err keep(struct http_req *req, struct http_resp *r, struct why *w)
{
	struct stat st;

	(void)w;
	buf_init(&r->body, 4096);
	assert_int_equal(stat(req->body_path, &st), 0);
	buf_addf(&r->body, "%s %lld", req->body_sha256, (long long)st.st_size);
	return OK;
}

static enum err slow(struct http_req *req, struct http_resp *r, struct why *w)
{
	int64_t ms;
	enum err e = http_query_int(req, "ms", 0, 10000, 0, &ms, w);

	if (e != OK)
		return e;
	sleep_ms((int)ms);
	buf_init(&r->body, 64);
	buf_adds(&r->body, "slept");
	return OK;
}

static enum err fails(struct http_req *req, struct http_resp *r, struct why *w)
{
	/* What was filled in must be dropped, not sent and not leaked. */
	r->json = json_object();
	r->file_path = xstrdup("/nonexistent");
	http_resp_header(r, "X-Dropped", "yes");
	return err_set(w, (enum err)req->id, "error %lld of \"\xff\x01\"", (long long)req->id);
}

static enum err query(struct http_req *req, struct http_resp *r, struct why *w)
{
	int64_t n;
	enum err e = http_query_int(req, "n", -5, 5, 3, &n, w);

	if (e != OK)
		return e;
	buf_init(&r->body, 4096);
	buf_addf(&r->body, "%lld|%s", (long long)n,
	         http_query(req, "s") ? http_query(req, "s") : "-");
	return OK;
}

static enum err parse(struct http_req *req, struct http_resp *r, struct why *w)
{
	return http_json(req, &r->json, w);
}

static enum err nothing(struct http_req *req, struct http_resp *r, struct why *w)
{
	(void)req;
	(void)w;
	r->status = 204;
	return OK;
}

static enum err lost(struct http_req *req, struct http_resp *r, struct why *w)
{
	(void)req;
	(void)w;
	r->file_path = xstrdup("/nonexistent/file");
	return OK;
}

/* clang-format off */
static const struct http_route routes[] = {
	{"POST", "/api/echo", ROLE_NONE, 1000, 0, echo, "", "echo"},
	{"POST", "/api/large", ROLE_NONE, 300000, 0, echo, "", "large"},
	{"GET", "/api/echo", ROLE_NONE, 0, 0, echo, "", "echo_get"},
	{"GET", "/api/n/{name}", ROLE_NONE, 0, 0, params, "", "name"},
	{"GET", "/api/n/latest", ROLE_NONE, 0, 0, params, "", "shadowed"},
	{"GET", "/api/i/{id}/sub/{name}", ROLE_NONE, 0, 0, params, "", "id"},
	{"GET", "/api/h/{sha256}", ROLE_NONE, 0, 0, params, "", "hash"},
	{"PUT", "/api/file", ROLE_NONE, 8 << 20, HTTP_BODY_FILE, keep, "", "file"},
	{"GET", "/api/slow", ROLE_NONE, 0, 0, slow, "", "slow"},
	{"GET", "/api/fail/{id}", ROLE_NONE, 0, 0, fails, "", "fail"},
	{"GET", "/api/query", ROLE_NONE, 0, 0, query, "", "query"},
	{"POST", "/api/json", ROLE_NONE, 1 << 20, 0, parse, "", "json"},
	{"DELETE", "/api/nothing", ROLE_NONE, 0, 0, nothing, "", "nothing"},
	{"GET", "/api/lost", ROLE_NONE, 0, 0, lost, "", "lost"},
	{"GET", "/api/read", ROLE_READ, 0, 0, nothing, "", "read"},
	{"POST", "/api/submit", ROLE_SUBMIT, 10, 0, nothing, "", "submit"},
	{"POST", "/api/agent", ROLE_AGENT, 10, 0, nothing, "", "agent"},
	{"POST", "/api/both", ROLE_AGENT, 10, HTTP_SUBMIT_TOO, nothing, "", "both"},
	{"POST", "/api/admin", ROLE_ADMIN, 10, 0, nothing, "", "admin"},
};
/* clang-format on */

/* The token is the role's word. */
static enum err who(struct server *srv, const char *token, enum role *role, int64_t *id,
                    char *label, struct why *w)
{
	static const char *const words[] = {"read", "submit", "agent", "admin"};

	(void)srv;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(token, words[i]) == 0) {
			*role = (enum role)(i + 1);
			*id = 1;
			snprintf(label, 65, "%s", token);
			return OK;
		}
	}
	return err_set(w, ERR_AUTH, "unknown");
}

static void after(struct server *srv)
{
	(void)srv;
	afters++;
}

static void put(const char *name, const char *text)
{
	char *path = path_join(web, name);

	assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), OK);
	free(path);
}

static struct http_conf conf(void)
{
	return (struct http_conf){.host = "127.0.0.1",
	                          .threads = 4,
	                          .connections = 64,
	                          .per_address = 64,
	                          .timeout_s = 1,
	                          .tmp_dir = tmp,
	                          .web_dir = web,
	                          .authenticate = who,
	                          .body_max = 500000,
	                          .body_total = 400000,
	                          .after = after};
}

static void start(const struct http_conf *c)
{
	struct why w = {""};

	if (http_start(NULL, c, routes, ARRAY_SIZE(routes), &http, &w) != OK)
		fail_msg("%s", w.text);
	peer.port = http_port(http);
}

static int setup(void **state)
{
	struct http_conf c;
	char *link, *deep;

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/foldwatch-http-XXXXXX");
	assert_non_null(mkdtemp(dir));
	web = path_join(dir, "web");
	tmp = path_join(dir, "tmp");
	deep = path_join(web, "deep");
	assert_int_equal(dir_make(deep, 0755, NULL), OK);
	assert_int_equal(dir_make(tmp, 0755, NULL), OK);
	put("index.html", "<p>front</p>");
	put("app.js", "export {};");
	put("empty.css", "");
	put("deep/index.html", "deep");
	put("program.php", "secret");
	put(".hidden.html", "hidden");
	put("../outside.html", "outside");
	link = path_join(web, "link.html");
	assert_int_equal(symlink("../outside.html", link), 0);
	free(link);
	free(deep);
	c = conf();
	start(&c);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	http_stop(http, 5000);
	http = NULL;
	free(web);
	free(tmp);
	return dir_remove(dir, NULL) == OK ? 0 : -1;
}

static void expect(const char *method, const char *path, const void *body, size_t len, int status,
                   const char *text)
{
	struct reply_raw r;

	ask(&peer, method, path, NULL, NULL, body, len, &r);
	if (r.status != status || (text && (!r.body || strcmp(r.body, text) != 0)))
		fail_msg("%s %s: %d %s", method, path, r.status, r.body ? r.body : "-");
	reply_raw_release(&r);
}

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
	expect("GET", "/api/n/qemu-det.1_A", NULL, 0, 200, "qemu-det.1_A|-|-1");
	expect("GET", "/api/n/", NULL, 0, 404, NULL);
	expect("GET", "/api/n/a/b", NULL, 0, 404, NULL);
	expect("GET", "/api/n/a%20b", NULL, 0, 404, NULL);
	expect("GET", "/api/n/a%2db", NULL, 0, 200, "a-b|-|-1");
	expect("GET", "/api/n", NULL, 0, 404, NULL);
	expect("GET", "/api/i/7/sub/x", NULL, 0, 200, "7|x|7");
	expect("GET", "/api/i/999999999999999999/sub/x", NULL, 0, 200, NULL);
	expect("GET", "/api/i/9999999999999999999/sub/x", NULL, 0, 404, NULL);
	expect("GET", "/api/i/-7/sub/x", NULL, 0, 404, NULL);
	expect("GET", "/api/i/7x/sub/x", NULL, 0, 404, NULL);
	expect("GET", "/api/i//sub/x", NULL, 0, 404, NULL);
	path = xasprintf("/api/h/%s", hash);
	expect("GET", path, NULL, 0, 200, NULL);
	path[8] = 'A';
	expect("GET", path, NULL, 0, 404, NULL);
	free(path);
	path = xasprintf("/api/h/%s0", hash);
	expect("GET", path, NULL, 0, 404, NULL);
	free(path);
}

static void name_of_64_is_the_longest(void **state)
{
	char *path = xasprintf("/api/n/%064d", 0);

	(void)state;
	expect("GET", path, NULL, 0, 200, NULL);
	free(path);
	path = xasprintf("/api/n/%065d", 0);
	expect("GET", path, NULL, 0, 404, NULL);
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
		struct http_conf c = conf();

		c.read_open = true;
		start(&c);
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

/* ---------------------------------------------------------------------- bodies */

static void bodies_up_to_the_cap(void **state)
{
	char text[1002];
	struct reply_raw r;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[1001] = '\0';
	expect("POST", "/api/echo", "", 0, 200, "");
	expect("POST", "/api/echo", NULL, 0, 200, "");
	ask(&peer, "POST", "/api/echo", NULL, NULL, text, 1000, &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.body_len, 1000);
	reply_raw_release(&r);
	ask(&peer, "POST", "/api/echo", NULL, NULL, text, 1001, &r);
	check_error(&r, 413, "too_large", "at most 1000");
	reply_raw_release(&r);
	ask(&peer, "GET", "/api/echo", NULL, NULL, text, 5, &r);
	check_error(&r, 413, "too_large", "takes no body");
	reply_raw_release(&r);
}

static void chunk(int fd, size_t len)
{
	char *data = xcalloc(1, len + 32);
	int n = snprintf(data, 32, "%zx\r\n", len);

	memset(data + n, 'c', len);
	memcpy(data + n + len, "\r\n", 2);
	raw_send(fd, data, (size_t)n + len + 2);
	free(data);
}

static const char chunked[] = "POST /api/echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n"
                              "\r\n";

static void chunked_bodies_are_counted(void **state)
{
	struct reply_raw r;
	int fd = raw_connect(&peer);

	(void)state;
	raw_send(fd, chunked, strlen(chunked));
	chunk(fd, 400);
	chunk(fd, 1);
	chunk(fd, 599);
	raw_send(fd, "0\r\n\r\n", 5);
	raw_reply(fd, 5000, false, &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.body_len, 1000);
	reply_raw_release(&r);
	/* The same connection again: one byte too many, still answered, and
	 * still usable. */
	raw_send(fd, chunked, strlen(chunked));
	chunk(fd, 1000);
	chunk(fd, 1);
	raw_send(fd, "0\r\n\r\n", 5);
	raw_reply(fd, 5000, false, &r);
	check_error(&r, 413, "too_large", "at most 1000");
	reply_raw_release(&r);
	raw_send(fd, "GET /api/n/x HTTP/1.1\r\nHost: t\r\n\r\n", 34);
	raw_reply(fd, 5000, false, &r);
	assert_int_equal(r.status, 200);
	reply_raw_release(&r);
	close(fd);
}

static void endless_bodies_end(void **state)
{
	int fd = raw_connect(&peer);
	size_t sent = 0;
	char part[65536 + 16];
	int n = snprintf(part, sizeof(part), "%x\r\n", 65536);

	(void)state;
	memset(part + n, 'c', 65536);
	memcpy(part + n + 65536, "\r\n", 2);
	raw_send(fd, chunked, strlen(chunked));
	/* It does not read for ever: the connection breaks. */
	while (sent < (256u << 20) && raw_send(fd, part, (size_t)n + 65538))
		sent += 65536;
	assert_true(sent < (256u << 20));
	close(fd);
	expect("GET", "/api/n/still", NULL, 0, 200, NULL);
}

static void declared_too_much_is_refused_unread(void **state)
{
	static const char head[] =
	        "PUT /api/file HTTP/1.1\r\nHost: t\r\nContent-Length: %s\r\n\r\n";
	static const char *const lengths[] = {"1099511627776", "9223372036854775807"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		char *text = xasprintf(head, lengths[i]);
		struct reply_raw r;
		int fd = raw_connect(&peer);

		raw_send(fd, text, strlen(text));
		raw_reply(fd, 5000, false, &r);
		check_error(&r, 413, "too_large", NULL);
		reply_raw_release(&r);
		close(fd);
		free(text);
	}
}

static void files_are_hashed(void **state)
{
	size_t len = 5000000;
	char *data = xcalloc(1, len), hex[SHA256_HEX], want[128];
	uint64_t left = 1;

	(void)state;
	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 31 / 7);
	hash_block(data, len, hex);
	snprintf(want, sizeof(want), "%s %zu", hex, len);
	expect("PUT", "/api/file", data, len, 200, want);
	hash_block("", 0, hex);
	snprintf(want, sizeof(want), "%s 0", hex);
	expect("PUT", "/api/file", "", 0, 200, want);
	/* What a handler did not take is gone. */
	assert_int_equal(dir_bytes(tmp, &left, NULL), OK);
	assert_int_equal(left, 0);
	free(data);
}

static void torn_uploads_leave_nothing(void **state)
{
	int fd = raw_connect(&peer);
	uint64_t left = 1;
	char data[10000] = {0};

	(void)state;
	raw_send(fd, "PUT /api/file HTTP/1.1\r\nHost: t\r\nContent-Length: 50000\r\n\r\n", 58);
	raw_send(fd, data, sizeof(data));
	sleep_ms(50);
	close(fd);
	for (int i = 0; i < 200 && left; i++) {
		sleep_ms(10);
		assert_int_equal(dir_bytes(tmp, &left, NULL), OK);
	}
	assert_int_equal(left, 0);
	expect("GET", "/api/n/still", NULL, 0, 200, NULL);
}

static void no_room_for_uploads_is_told(void **state)
{
	struct reply_raw r;

	(void)state;
	assert_int_equal(dir_remove(tmp, NULL), OK);
	ask(&peer, "PUT", "/api/file", NULL, NULL, "abc", 3, &r);
	check_error(&r, 500, "io", "cannot keep the body");
	reply_raw_release(&r);
	assert_int_equal(dir_make(tmp, 0755, NULL), OK);
	expect("PUT", "/api/file", "abc", 3, 200, NULL);
}

static void memory_for_bodies_is_bounded(void **state)
{
	char *data = xcalloc(1, 250000);
	struct reply_raw r;
	int fd = raw_connect(&peer);
	char *retry;

	(void)state;
	memset(data, 'b', 250000);
	/* One body is held, not complete; a second one passes the bound. */
	raw_send(fd, "POST /api/large HTTP/1.1\r\nHost: t\r\nContent-Length: 250000\r\n\r\n", 61);
	raw_send(fd, data, 249999);
	sleep_ms(200);
	ask(&peer, "POST", "/api/large", NULL, NULL, data, 250000, &r);
	check_error(&r, 429, "busy", NULL);
	retry = reply_raw_header(&r, "Retry-After");
	assert_non_null(retry);
	free(retry);
	reply_raw_release(&r);
	raw_send(fd, "b", 1);
	raw_reply(fd, 5000, false, &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.body_len, 250000);
	reply_raw_release(&r);
	close(fd);
	/* And it is given back. */
	ask(&peer, "POST", "/api/large", NULL, NULL, data, 250000, &r);
	assert_int_equal(r.status, 200);
	reply_raw_release(&r);
	free(data);
}

static void json_bodies(void **state)
{
	static const char *const bad[] = {
	        "",         "{",      "{\"a\":1}x", "{\"a\":1,\"a\":2}", "[NaN]",
	        "\"\xff\"", "{\"a\"", "nothing",    "[1e999]",           "\xef\xbb\xbf{}",
	};
	char *deep = xcalloc(1, 100001);

	(void)state;
	expect("POST", "/api/json", "{\"a\":[1,2]}", 11, 200, "{\"a\":[1,2]}");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_error(&peer, "POST", "/api/json", NULL, bad[i], 400, "input", NULL);
	memset(deep, '[', 100000);
	expect_error(&peer, "POST", "/api/json", NULL, deep, 400, "input", NULL);
	free(deep);
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
	assert_true(afters >= ERR_COUNT - 1);
	expect_error(&peer, "GET", "/api/lost", NULL, NULL, 404, "not_found", NULL);
}

static void queries(void **state)
{
	(void)state;
	expect("GET", "/api/query", NULL, 0, 200, "3|-");
	expect("GET", "/api/query?n=-5&s=a%20b%2Fc", NULL, 0, 200, "-5|a b/c");
	expect("GET", "/api/query?n=5&n=1", NULL, 0, 200, NULL);
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

static void slow_handlers_are_waited_for(void **state)
{
	struct reply_raw r;
	int fd = raw_connect(&peer);

	(void)state;
	/* More than twice the connection's timeout of a second. */
	raw_send(fd, "GET /api/slow?ms=2500 HTTP/1.1\r\nHost: t\r\n\r\n", 43);
	raw_reply(fd, 10000, false, &r);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "slept");
	reply_raw_release(&r);
	raw_send(fd, "GET /api/n/again HTTP/1.1\r\nHost: t\r\n\r\n", 38);
	raw_reply(fd, 5000, false, &r);
	assert_int_equal(r.status, 200);
	reply_raw_release(&r);
	/* And a client that says nothing is not. */
	assert_true(raw_closed(fd, 8000));
	close(fd);
}

static void half_a_request_times_out(void **state)
{
	static const char *const parts[] = {
	        "", "GET /api/n", "GET /api/n/x HTTP/1.1\r\nHost",
	        "POST /api/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nab"};
	int fd[ARRAY_SIZE(parts)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		fd[i] = raw_connect(&peer);
		raw_send(fd[i], parts[i], strlen(parts[i]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		raw_closed(fd[i], 8000);
		close(fd[i]);
	}
	expect("GET", "/api/n/still", NULL, 0, 200, NULL);
}

static void pipelined_requests(void **state)
{
	static const char two[] =
	        "GET /api/n/one HTTP/1.1\r\nHost: t\r\n\r\n"
	        "POST /api/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc"
	        "GET /api/n/three HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
	int fd = raw_connect(&peer);
	struct buf b;
	char part[4096];
	ssize_t n;

	(void)state;
	buf_init(&b, 65536);
	raw_send(fd, two, strlen(two));
	while ((n = recv(fd, part, sizeof(part), 0)) > 0)
		buf_add(&b, part, (size_t)n);
	close(fd);
	assert_non_null(strstr(b.data, "one|-|-1"));
	assert_non_null(strstr(b.data, "abc"));
	assert_non_null(strstr(b.data, "three|-|-1"));
	buf_release(&b);
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
	put("index.html", "<p>another</p>");
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

/* ------------------------------------------------------------------- start, stop */

static void port_in_use(void **state)
{
	struct http_conf c = conf();
	struct http *second = NULL;
	struct why w = {""};

	(void)state;
	c.port = http_port(http);
	assert_int_equal(http_start(NULL, &c, routes, ARRAY_SIZE(routes), &second, &w),
	                 ERR_CONFLICT);
	assert_non_null(strstr(w.text, "is in use by another program"));
	c.host = "not an address";
	assert_int_equal(http_start(NULL, &c, routes, ARRAY_SIZE(routes), &second, &w), ERR_INPUT);
	c.host = "192.0.2.1"; /* nobody's: RFC 5737 */
	assert_int_equal(http_start(NULL, &c, routes, ARRAY_SIZE(routes), &second, &w), ERR_IO);
}

static void *ask_slowly(void *arg)
{
	struct reply_raw *r = arg;

	ask(&peer, "GET", "/api/slow?ms=800", NULL, NULL, NULL, 0, r);
	return NULL;
}

static void *stop_it(void *arg)
{
	struct http *h = http;

	(void)arg;
	http = NULL;
	http_stop(h, 5000);
	return NULL;
}

static void stop_lets_requests_end(void **state)
{
	struct reply_raw slowly[3], r;
	pthread_t asking[3], stopping;
	struct http_conf c = conf();
	int kept = raw_connect(&peer), fd;

	(void)state;
	/* A connection that stands before the stop. */
	raw_send(kept, "GET /api/n/x HTTP/1.1\r\nHost: t\r\n\r\n", 34);
	raw_reply(kept, 5000, false, &r);
	reply_raw_release(&r);
	for (int i = 0; i < 3; i++)
		pthread_create(&asking[i], NULL, ask_slowly, &slowly[i]);
	sleep_ms(300);
	pthread_create(&stopping, NULL, stop_it, NULL);
	sleep_ms(200);
	raw_send(kept, "GET /api/n/x HTTP/1.1\r\nHost: t\r\n\r\n", 34);
	raw_reply(kept, 5000, false, &r);
	/* Answered with 503 unless its thread was busy until the end. */
	if (r.status)
		check_error(&r, 503, "unavailable", "stopping");
	reply_raw_release(&r);
	close(kept);
	for (int i = 0; i < 3; i++) {
		pthread_join(asking[i], NULL);
		assert_int_equal(slowly[i].status, 200);
		assert_string_equal(slowly[i].body, "slept");
		reply_raw_release(&slowly[i]);
	}
	pthread_join(stopping, NULL);
	fd = raw_connect(&peer);
	assert_int_equal(fd, -1);
	start(&c);
}

static void stop_is_quick_when_idle(void **state)
{
	struct http_conf c = conf();
	int fd = raw_connect(&peer);
	int64_t begun = clock_mono_ns();

	(void)state;
	http_stop(http, 5000);
	assert_true(clock_mono_ns() - begun < 2 * NS_PER_S);
	close(fd);
	start(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(patterns_match_whole_paths),
	        T(name_of_64_is_the_longest),
	        T(method_is_told),
	        T(roles),
	        T(refusal_before_the_body),
	        T(bodies_up_to_the_cap),
	        T(chunked_bodies_are_counted),
	        T(endless_bodies_end),
	        T(declared_too_much_is_refused_unread),
	        T(files_are_hashed),
	        T(torn_uploads_leave_nothing),
	        T(no_room_for_uploads_is_told),
	        T(memory_for_bodies_is_bounded),
	        T(json_bodies),
	        T(errors_have_their_status),
	        T(queries),
	        T(odd_paths),
	        T(slow_handlers_are_waited_for),
	        T(half_a_request_times_out),
	        T(pipelined_requests),
	        T(security_headers),
	        T(pages),
	        T(pages_are_revalidated),
	        T(ranges),
	        T(port_in_use),
	        T(stop_lets_requests_end),
	        T(stop_is_quick_when_idle),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
