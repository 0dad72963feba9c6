/*
 * Bodies: counted, bounded, torn, slow; requests that do not end; stop.
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

/* ---------------------------------------------------------------------- bodies */

static void bodies_up_to_the_cap(void **state)
{
	char text[1002];
	struct reply_raw r;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[1001] = '\0';
	expect_text("POST", "/api/echo", "", 0, 200, "");
	expect_text("POST", "/api/echo", NULL, 0, 200, "");
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
	expect_text("GET", "/api/n/still", NULL, 0, 200, NULL);
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
	expect_text("PUT", "/api/file", data, len, 200, want);
	hash_block("", 0, hex);
	snprintf(want, sizeof(want), "%s 0", hex);
	expect_text("PUT", "/api/file", "", 0, 200, want);
	/* What a handler did not take is gone. */
	assert_int_equal(dir_bytes(http_tmp, &left, NULL), OK);
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
		assert_int_equal(dir_bytes(http_tmp, &left, NULL), OK);
	}
	assert_int_equal(left, 0);
	expect_text("GET", "/api/n/still", NULL, 0, 200, NULL);
}

static void no_room_for_uploads_is_told(void **state)
{
	struct reply_raw r;

	(void)state;
	assert_int_equal(dir_remove(http_tmp, NULL), OK);
	ask(&peer, "PUT", "/api/file", NULL, NULL, "abc", 3, &r);
	check_error(&r, 500, "io", "cannot keep the body");
	reply_raw_release(&r);
	assert_int_equal(dir_make(http_tmp, 0755, NULL), OK);
	expect_text("PUT", "/api/file", "abc", 3, 200, NULL);
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
	expect_text("POST", "/api/json", "{\"a\":[1,2]}", 11, 200, "{\"a\":[1,2]}");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_error(&peer, "POST", "/api/json", NULL, bad[i], 400, "input", NULL);
	memset(deep, '[', 100000);
	expect_error(&peer, "POST", "/api/json", NULL, deep, 400, "input", NULL);
	free(deep);
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
	expect_text("GET", "/api/n/still", NULL, 0, 200, NULL);
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

/* ------------------------------------------------------------------- start, stop */

static void port_in_use(void **state)
{
	struct http_conf c = http_fixture_conf();
	struct http *second = NULL;
	struct why w = {""};

	(void)state;
	c.port = http_port(http);
	assert_int_equal(http_start(NULL, &c, http_fixture_routes, http_fixture_count, &second, &w),
	                 ERR_CONFLICT);
	assert_non_null(strstr(w.text, "is in use by another program"));
	c.host = "not an address";
	assert_int_equal(http_start(NULL, &c, http_fixture_routes, http_fixture_count, &second, &w),
	                 ERR_INPUT);
	c.host = "192.0.2.1"; /* nobody's: RFC 5737 */
	assert_int_equal(http_start(NULL, &c, http_fixture_routes, http_fixture_count, &second, &w),
	                 ERR_IO);
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
	struct http_conf c = http_fixture_conf();
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
	http_fixture_start(&c);
}

static void stop_is_quick_when_idle(void **state)
{
	struct http_conf c = http_fixture_conf();
	int fd = raw_connect(&peer);
	int64_t begun = clock_mono_ns();

	(void)state;
	http_stop(http, 60000);
	assert_true(clock_mono_ns() - begun < 50 * NS_PER_S);
	close(fd);
	http_fixture_start(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        HTTP_TEST(bodies_up_to_the_cap),
	        HTTP_TEST(chunked_bodies_are_counted),
	        HTTP_TEST(endless_bodies_end),
	        HTTP_TEST(declared_too_much_is_refused_unread),
	        HTTP_TEST(files_are_hashed),
	        HTTP_TEST(torn_uploads_leave_nothing),
	        HTTP_TEST(no_room_for_uploads_is_told),
	        HTTP_TEST(memory_for_bodies_is_bounded),
	        HTTP_TEST(json_bodies),
	        HTTP_TEST(slow_handlers_are_waited_for),
	        HTTP_TEST(half_a_request_times_out),
	        HTTP_TEST(pipelined_requests),
	        HTTP_TEST(port_in_use),
	        HTTP_TEST(stop_lets_requests_end),
	        HTTP_TEST(stop_is_quick_when_idle),
	};

	return cmocka_run_group_tests_name("http: bodies", tests, NULL, NULL);
}
