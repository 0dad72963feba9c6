/*
 * The real foldwatchd over its socket: what every route has in common, tokens,
 * artifacts, JSON that is none, torn requests.
 */
#include "server/test/harness.h"

#include "lib/client.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/mem.h"

#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TOKENS    "/api/v1/tokens"
#define ARTIFACTS "/api/v1/artifacts/"
#define NO_TOKEN  "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"

/* One server for the tests that leave it as they found it. */
static struct daemon *d;

static int start_one(void **state)
{
	(void)state;
	d = daemon_new("artifact_max_bytes = 4M\n");
	daemon_start(d);
	return 0;
}

static int stop_one(void **state)
{
	(void)state;
	daemon_stop(d);
	daemon_free(d);
	return 0;
}

/* --------------------------------------------------------------- what is there */

static void health_and_metrics(void **state)
{
	struct reply_raw r;

	(void)state;
	ask(d, "GET", "/healthz", NULL, NULL, NULL, 0, &r);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "{\"status\":\"ok\"}");
	reply_raw_release(&r);
	/* A token that is no good does not matter where none is asked for. */
	assert_int_equal(ask(d, "GET", "/healthz", NO_TOKEN, NULL, NULL, 0, &r), 200);
	reply_raw_release(&r);
	assert_int_equal(ask(d, "GET", "/metrics", NULL, NULL, NULL, 0, &r), 200);
	assert_non_null(strstr(r.body, "\nfoldwatch_db_healthy 1\n"));
	/* Every sample has its HELP and TYPE before it, and is a number. */
	for (char *save, *line = strtok_r(r.body, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *value = strrchr(line, ' '), *end;

		if (*line == '#')
			continue;
		assert_non_null(value);
		strtod(value, &end);
		assert_true(end > value + 1 && !*end);
	}
	reply_raw_release(&r);
}

static void paths_and_methods(void **state)
{
	static const struct {
		const char *method, *path;
		int status;
		const char *code;
	} want[] = {
	        {"GET", "/api/v1/none", 404, "not_found"},
	        {"GET", "/api/v2/tokens", 404, "not_found"},
	        {"GET", "/", 404, "not_found"},
	        {"GET", "/healthz/", 404, "not_found"},
	        {"POST", "/none", 404, "not_found"},
	        {"POST", "/healthz", 405, "method"},
	        {"BREW", "/healthz", 405, "method"},
	        {"OPTIONS", TOKENS, 405, "method"},
	        {"PUT", TOKENS, 405, "method"},
	        {"PATCH", TOKENS "/1", 405, "method"},
	        {"DELETE", TOKENS "/x", 404, "not_found"},
	        {"GET", ARTIFACTS "abc", 404, "not_found"},
	        {"TRACE", "/healthz", 405, "method"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct reply_raw r;
		char *allow;

		ask(d, want[i].method, want[i].path, NULL, NULL, NULL, 0, &r);
		check_error(&r, want[i].status, want[i].code, NULL);
		allow = reply_raw_header(&r, "Allow");
		assert_int_equal(allow != NULL, want[i].status == 405);
		free(allow);
		reply_raw_release(&r);
	}
}

/* ---------------------------------------------------------------------- tokens */

static void token_wrong_or_missing(void **state)
{
	static const char *const headers[] = {
	        "Authorization: Basic YTpi\r\n",
	        "Authorization: Bearer\r\n",
	        "Authorization: Bearer \r\n",
	        "Authorization: Bearer  \r\n",
	        "Authorization: \r\n",
	        "Authorization: Bearer a b\r\n",
	        "Authorization: Bearer \xff\xfe\r\n",
	};
	struct reply_raw r;
	char *text, *longer;

	(void)state;
	ask(d, "GET", TOKENS, NULL, NULL, NULL, 0, &r);
	check_error(&r, 401, "auth", "role admin");
	text = reply_raw_header(&r, "WWW-Authenticate");
	assert_string_equal(text, "Bearer");
	free(text);
	reply_raw_release(&r);
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		ask(d, "GET", TOKENS, NULL, headers[i], NULL, 0, &r);
		check_error(&r, 401, "auth", NULL);
		reply_raw_release(&r);
	}
	expect_error(d, "GET", TOKENS, NO_TOKEN, NULL, 401, "auth", "not known");
	/* A prefix and an extension of a good one are not it. */
	text = xstrndup(d->admin, 42);
	longer = xasprintf("%sA", d->admin);
	expect_error(d, "GET", TOKENS, text, NULL, 401, "auth", "not known");
	expect_error(d, "GET", TOKENS, longer, NULL, 401, "auth", "not known");
	free(text);
	free(longer);
	longer = xasprintf("%0300d", 7);
	expect_error(d, "GET", TOKENS, longer, NULL, 401, "auth", NULL);
	free(longer);
	/* Even where reading is open, and with a body that is drained first. */
	expect_error(d, "GET", "/metrics", NO_TOKEN, NULL, 401, "auth", NULL);
	longer = xasprintf("%050000d", 7);
	expect_error(d, "POST", TOKENS, NO_TOKEN, longer, 401, "auth", NULL);
	free(longer);
}

static void token_of_the_wrong_role(void **state)
{
	static const char *const roles[] = {"read", "submit", "agent"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		char *token = daemon_token(d, roles[i], NULL);
		char *says = xasprintf("this one has role %s", roles[i]);

		expect_error(d, "GET", TOKENS, token, NULL, 403, "denied", says);
		expect_error(d, "POST", TOKENS, token, "{\"label\":\"x\",\"role\":\"admin\"}", 403,
		             "denied", says);
		expect_error(d, "DELETE", TOKENS "/1", token, NULL, 403, "denied", says);
		free(token);
		free(says);
	}
}

static json_t *token_entry(json_t *list, int64_t id)
{
	json_t *one;
	size_t i;

	json_array_foreach (json_object_get(list, "tokens"), i, one) {
		if (json_integer_value(json_object_get(one, "id")) == id)
			return one;
	}
	fail_msg("token %lld is not listed", (long long)id);
	return NULL;
}

static void token_revoked(void **state)
{
	int64_t id;
	char *token = daemon_token(d, "admin", &id),
	     *path = xasprintf(TOKENS "/%lld", (long long)id);
	json_t *o = NULL, *first;

	(void)state;
	assert_int_equal(strlen(token), 43);
	assert_int_equal(strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	                               "0123456789-_"),
	                 43);
	assert_int_equal(ask_json(d, "GET", TOKENS, token, NULL, &o), 200);
	assert_true(json_is_null(json_object_get(token_entry(o, id), "revoked")));
	assert_null(json_object_get(token_entry(o, id), "token"));
	assert_null(json_object_get(token_entry(o, id), "hash"));
	json_decref(o);
	assert_int_equal(ask_json(d, "DELETE", path, d->admin, NULL, &first), 200);
	assert_true(json_is_string(json_object_get(first, "revoked")));
	expect_error(d, "GET", TOKENS, token, NULL, 401, "auth", "revoked");
	/* Again changes nothing. */
	assert_int_equal(ask_json(d, "DELETE", path, d->admin, NULL, &o), 200);
	assert_true(json_equal(o, first));
	json_decref(o);
	json_decref(first);
	expect_error(d, "DELETE", TOKENS "/999999", d->admin, NULL, 404, "not_found", "999999");
	expect_error(d, "DELETE", TOKENS "/0", d->admin, NULL, 404, "not_found", NULL);
	/* The last admin stays. */
	expect_error(d, "DELETE", TOKENS "/1", d->admin, NULL, 409, "conflict", "last");
	free(token);
	free(path);
}

/* Whether a file holds these bytes. */
static bool holds(const char *path, const char *text)
{
	struct buf b;
	bool found;

	buf_init(&b, 64 << 20);
	if (file_read(path, &b, NULL) != OK)
		return false;
	found = memmem(b.data, b.len, text, strlen(text)) != NULL;
	buf_release(&b);
	return found;
}

static void secrets_are_not_kept(void **state)
{
	static const char *const names[] = {"state/foldwatch.db", "state/foldwatch.db-wal", "log"};
	char *token = daemon_token(d, "agent", NULL),
	     *path = path_join(d->dir, "state/admin.token");
	char hex[SHA256_HEX];
	struct stat st;
	bool hashed = false;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 44);
	free(path);
	expect_error(d, "GET", TOKENS, token, NULL, 403, "denied", NULL);
	hash_block(token, 43, hex);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		path = path_join(d->dir, names[i]);
		assert_false(holds(path, token));
		assert_false(holds(path, d->admin));
		hashed |= holds(path, hex);
		free(path);
	}
	assert_true(hashed);
	free(token);
}

/* ------------------------------------------------------------------------ JSON */

static void json_that_is_none(void **state)
{
	static const struct {
		const char *body, *says;
	} bad[] = {
	        {"", "empty"},
	        {" ", NULL},
	        {"{", NULL},
	        {"{\"label\":\"x\",\"role\":\"read\"", NULL},
	        {"{\"label\":\"x\",\"role\":\"read\"}}", NULL},
	        {"{\"label\":\"x\",\"role\":\"read\"}{}", NULL},
	        {"{\"label\":\"x\",\"label\":\"y\",\"role\":\"read\"}", "label"},
	        {"{\"label\":NaN,\"role\":\"read\"}", NULL},
	        {"{\"label\":Infinity,\"role\":\"read\"}", NULL},
	        {"{\"label\":\"\xff\",\"role\":\"read\"}", NULL},
	        {"{\"label\":\"\xed\xa0\x80\",\"role\":\"read\"}", NULL},
	        {"{\"label\":\"\\u0000\",\"role\":\"read\"}", NULL},
	        {"{\"label\":\"a\\nb\",\"role\":\"read\"}", "label"},
	        {"{'label':'x','role':'read'}", NULL},
	        {"\xef\xbb\xbf{\"label\":\"x\",\"role\":\"read\"}", NULL},
	        {"[]", NULL},
	        {"null", NULL},
	        {"7", NULL},
	        {"\"text\"", NULL},
	        {"{}", "label"},
	        {"{\"label\":\"x\"}", "role"},
	        {"{\"role\":\"read\"}", "label"},
	        {"{\"label\":null,\"role\":\"read\"}", "label"},
	        {"{\"label\":7,\"role\":\"read\"}", "label"},
	        {"{\"label\":[\"x\"],\"role\":\"read\"}", "label"},
	        {"{\"label\":\"\",\"role\":\"read\"}", "label"},
	        {"{\"label\":\"0123456789012345678901234567890123456789012345678901234567890123x\","
	         "\"role\":\"read\"}",
	         "label"},
	        {"{\"label\":\"x\",\"role\":\"king\"}", "role"},
	        {"{\"label\":\"x\",\"role\":1}", "role"},
	        {"{\"label\":\"x\",\"role\":\"read\",\"more\":1}", "more"},
	};
	char *deep = xcalloc(1, 60001), *huge = xasprintf("{\"label\":\"%070000d\"}", 0);
	json_t *before = NULL, *later = NULL;

	(void)state;
	assert_int_equal(ask_json(d, "GET", TOKENS, d->admin, NULL, &before), 200);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_error(d, "POST", TOKENS, d->admin, bad[i].body, 400, "input", bad[i].says);
	expect_error(d, "POST", TOKENS, d->admin, NULL, 400, "input", "empty");
	memset(deep, '[', 60000);
	expect_error(d, "POST", TOKENS, d->admin, deep, 400, "input", NULL);
	for (size_t i = 0; i < 60000; i += 5)
		memcpy(deep + i, "{\"a\":", 5);
	expect_error(d, "POST", TOKENS, d->admin, deep, 400, "input", NULL);
	expect_error(d, "POST", TOKENS, d->admin, huge, 413, "too_large", "65536");
	/* None of it left a trace. */
	assert_int_equal(ask_json(d, "GET", TOKENS, d->admin, NULL, &later), 200);
	assert_true(json_equal(before, later));
	json_decref(before);
	json_decref(later);
	free(deep);
	free(huge);
}

static void labels_may_be_any_text(void **state)
{
	static const char *const labels[] = {
	        "x", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7", "'; DROP TABLE token; --",
	        "0123456789012345678901234567890123456789012345678901234567890123",
	        "a \\\"quoted\\\" <b>"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		char *text = xasprintf("{\"label\":\"%s\",\"role\":\"read\"}", labels[i]);
		json_t *o = NULL, *list = NULL, *in = json_loads(text, 0, NULL);

		assert_int_equal(ask_json(d, "POST", TOKENS, d->admin, text, &o), 201);
		assert_int_equal(ask_json(d, "GET", TOKENS, d->admin, NULL, &list), 200);
		assert_true(json_equal(
		        json_object_get(in, "label"),
		        json_object_get(
		                token_entry(list, json_integer_value(json_object_get(o, "id"))),
		                "label")));
		json_decref(in);
		json_decref(o);
		json_decref(list);
		free(text);
	}
}

/* ------------------------------------------------------------------- torn, slow */

static void still_works(void)
{
	struct reply_raw r;

	assert_int_equal(ask(d, "GET", "/healthz", NULL, NULL, NULL, 0, &r), 200);
	reply_raw_release(&r);
}

static void torn_requests(void **state)
{
	char *whole =
	        xasprintf("POST " TOKENS "?a=b HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer %s\r\n"
	                  "Content-Length: 29\r\n\r\n{\"label\":\"torn\",\"role\":\"read\"}",
	                  d->admin);
	size_t len = strlen(whole);
	json_t *list = NULL;
	char *text;

	(void)state;
	/* Cut at each byte, and gone. */
	for (size_t cut = 0; cut < len; cut += cut < len - 40 ? 3 : 1) {
		int fd = raw_connect(d);

		raw_send(fd, whole, cut);
		close(fd);
	}
	still_works();
	assert_int_equal(ask_json(d, "GET", TOKENS, d->admin, NULL, &list), 200);
	text = json_dumps(list, 0);
	assert_null(strstr(text, "torn"));
	free(text);
	json_decref(list);
	free(whole);
}

static void slow_requests(void **state)
{
	char *whole =
	        xasprintf("POST " TOKENS " HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer %s\r\n"
	                  "Content-Length: 30\r\n\r\n{\"label\":\"slow\",\"role\":\"read\"} ",
	                  d->admin);
	struct reply_raw r;
	int fd = raw_connect(d);

	(void)state;
	for (size_t i = 0; i < strlen(whole); i++) {
		raw_send(fd, whole + i, 1);
		if (i % 8 == 0)
			sleep_ms(2);
	}
	raw_reply(fd, 20000, false, &r);
	assert_int_equal(r.status, 201);
	reply_raw_release(&r);
	close(fd);
	free(whole);
}

static void answers_that_nobody_reads(void **state)
{
	char *data = noise(4 << 20, 3), *url = artifact_url(data, 4 << 20);
	char *head = xasprintf("GET %s HTTP/1.1\r\nHost: t\r\n\r\n", url);
	struct reply_raw r;
	int fd[20];

	(void)state;
	assert_int_equal(ask(d, "PUT", url, d->admin, NULL, data, 4 << 20, &r), 201);
	reply_raw_release(&r);
	for (int i = 0; i < 20; i++) {
		fd[i] = raw_connect(d);
		raw_send(fd[i], head, strlen(head));
	}
	still_works();
	for (int i = 0; i < 20; i++)
		close(fd[i]);
	still_works();
	free(head);
	free(url);
	free(data);
}

static void bytes_that_are_no_http(void **state)
{
	static const char *const odd[] = {
	        "\r\n\r\n\r\n",
	        "GET\r\n\r\n",
	        "GET / HTTP/9.9\r\n\r\n",
	        "GET / HTTP/1.1\r\n\r\n",
	        "GET /healthz HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n",
	        "GET /healthz HTTP/1.1\r\nHost: t\r\nContent-Length: 1e3\r\n\r\n",
	        "POST /healthz HTTP/1.1\r\nHost: t\r\nContent-Length: "
	        "99999999999999999999999\r\n\r\n",
	        "POST " TOKENS " HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
	        "POST " TOKENS " HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
	        "fffffffffffffffff\r\n",
	        "POST " TOKENS " HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n"
	        "Content-Length: 3\r\n\r\n0\r\n\r\n",
	        "GET /healthz HTTP/1.1\r\nHost: t\r\n: no name\r\n\r\n",
	        "GET /healthz HTTP/1.1\r\nHost: t\r\nno colon\r\n\r\n",
	        "GET /healthz\0 HTTP/1.1\r\nHost: t\r\n\r\n",
	        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	};
	char *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		int fd = raw_connect(d);

		raw_send(fd, odd[i], strlen(odd[i]));
		sleep_ms(5);
		close(fd);
	}
	for (unsigned int i = 0; i < 200; i++) {
		int fd = raw_connect(d);

		text = noise(700, i);
		if (i % 2)
			memcpy(text, "GET /", 5);
		raw_send(fd, text, 700);
		free(text);
		close(fd);
	}
	/* A line and headers without end. */
	text = xcalloc(1, 1 << 20);
	memset(text, 'a', 1 << 20);
	memcpy(text, "GET /", 5);
	for (int i = 0; i < 3; i++) {
		int fd = raw_connect(d);

		raw_send(fd, text, 1 << 20);
		close(fd);
	}
	free(text);
	still_works();
}

static void idle_costs_nothing(void **state)
{
	char *path = xasprintf("/proc/%d/stat", d->pid);
	long ticks[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		char *text, *at;
		unsigned long user, sys;
		FILE *f = fopen(path, "re");

		text = xcalloc(1, 4096);
		assert_non_null(f);
		assert_true(fread(text, 1, 4095, f) > 0);
		fclose(f);
		at = strrchr(text, ')');
		assert_non_null(at);
		assert_int_equal(sscanf(at + 1,
		                        " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		                        &user, &sys),
		                 2);
		ticks[i] = (long)(user + sys);
		free(text);
		if (i == 0)
			sleep_ms(4000);
	}
	/* Two ticks of 10 ms in four seconds are half a percent. */
	assert_true(ticks[1] - ticks[0] <= 2);
	free(path);
}

static void read_can_be_closed(void **state)
{
	struct daemon *closed = daemon_new("read_open = no\n");
	char *token;
	struct reply_raw r;

	(void)state;
	daemon_start(closed);
	expect_error(closed, "GET", "/metrics", NULL, NULL, 401, "auth", "role read");
	token = daemon_token(closed, "read", NULL);
	assert_int_equal(ask(closed, "GET", "/metrics", token, NULL, NULL, 0, &r), 200);
	reply_raw_release(&r);
	assert_int_equal(ask(closed, "GET", "/healthz", NULL, NULL, NULL, 0, &r), 200);
	reply_raw_release(&r);
	free(token);
	daemon_stop(closed);
	daemon_free(closed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(health_and_metrics),
	        cmocka_unit_test(paths_and_methods),
	        cmocka_unit_test(token_wrong_or_missing),
	        cmocka_unit_test(token_of_the_wrong_role),
	        cmocka_unit_test(token_revoked),
	        cmocka_unit_test(secrets_are_not_kept),
	        cmocka_unit_test(json_that_is_none),
	        cmocka_unit_test(labels_may_be_any_text),
	        cmocka_unit_test(torn_requests),
	        cmocka_unit_test(slow_requests),
	        cmocka_unit_test(answers_that_nobody_reads),
	        cmocka_unit_test(bytes_that_are_no_http),
	        cmocka_unit_test(idle_costs_nothing),
	        cmocka_unit_test(read_can_be_closed),
	};

	alarm(300);
	return cmocka_run_group_tests_name("contract: http", tests, start_one, stop_one);
}
