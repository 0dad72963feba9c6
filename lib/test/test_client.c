#include "lib/client.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/test/client_world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static enum err get(struct world *x, const char *path, struct reply *r, struct why *w)
{
	w->text[0] = '\0';
	return client_json(x->client, "GET", path, NULL, NULL, r, w);
}

static void sends_and_receives_json(void **state)
{
	struct world *x = *state;
	json_t *body = json_pack("{s:i,s:[]}", "a", 1, "b");
	char head[4096], sent[64];
	struct reply r;
	struct why w;

	assert_int_equal(client_json(x->client, "POST", "/created?x=1", body, "key-1", &r, &w), OK);
	assert_int_equal(r.status, 201);
	assert_int_equal(json_int(r.json, "id", 0), 7);
	assert_string_equal(r.body.data, "{\"id\":7}");
	assert_true(r.next_offset == -1 && r.retry_after_s == -1);
	reply_release(&r);
	assert_null(r.json);
	peer_last_head(x->peer, head, sizeof(head));
	assert_ptr_equal(strstr(head, "POST /created?x=1 HTTP/1.1\r\n"), head);
	assert_non_null(strstr(head, "\r\nAuthorization: Bearer " TOKEN "\r\n"));
	assert_non_null(strstr(head, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(head, "\r\nIdempotency-Key: key-1\r\n"));
	assert_non_null(strstr(head, "\r\nAccept: application/json\r\n"));
	assert_non_null(strstr(head, "\r\nUser-Agent: foldwatch-test/1\r\n"));
	assert_int_equal(peer_last_body(x->peer, sent, sizeof(sent)), 14);
	assert_memory_equal(sent, "{\"a\":1,\"b\":[]}", 14);
	json_decref(body);
	assert_string_equal(client_base(x->client), x->base);
}

static void speaks_every_method(void **state)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"};
	struct world *x = *state;
	struct reply r;
	struct why w;
	char head[4096];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(methods); i++) {
		assert_int_equal(client_bytes(x->client, methods[i], "/ok", NULL, NULL, 0, NULL,
		                              NULL, &r, &w),
		                 OK);
		assert_int_equal(r.status, 200);
		reply_release(&r);
		peer_last_head(x->peer, head, sizeof(head));
		assert_true(str_starts(head, methods[i]));
		assert_null(strstr(head, "Content-Type"));
		assert_null(strstr(head, "Idempotency-Key"));
	}
	assert_int_equal(peer_connections(x->peer), 1); /* kept alive, also behind a HEAD */
	assert_int_equal(client_bytes(x->client, "POST", "/ok", "text/plain", "a\0b", 3,
	                              "text/plain", NULL, &r, &w),
	                 OK);
	reply_release(&r);
	assert_int_equal(peer_last_body(x->peer, head, sizeof(head)), 3);
	assert_memory_equal(head, "a\0b", 3);
	peer_last_head(x->peer, head, sizeof(head));
	assert_non_null(strstr(head, "\r\nAccept: text/plain\r\n"));
	assert_non_null(strstr(head, "\r\nContent-Type: text/plain\r\n"));
}

static void maps_statuses_and_takes_the_sentence(void **state)
{
	static const struct {
		int status;
		enum err e;
	} map[] = {
	        {400, ERR_INPUT},     {401, ERR_AUTH},          {403, ERR_DENIED},
	        {404, ERR_NOT_FOUND}, {405, ERR_METHOD},        {409, ERR_CONFLICT},
	        {413, ERR_TOO_LARGE}, {422, ERR_UNPROCESSABLE}, {429, ERR_BUSY},
	        {500, ERR_INTERNAL},  {503, ERR_UNAVAILABLE},   {504, ERR_TIMEOUT},
	        {507, ERR_NO_SPACE},  {418, ERR_INPUT},         {502, ERR_UNAVAILABLE},
	};
	struct world *x = *state;
	struct reply r;
	struct why w;
	char text[300];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(map); i++) {
		snprintf(text, sizeof(text), "/status/%d", map[i].status);
		assert_int_equal(get(x, text, &r, &w), map[i].e);
		assert_int_equal(r.status, map[i].status);
		snprintf(text, sizeof(text), "sentence of %d", map[i].status);
		assert_string_equal(w.text, text);
		assert_string_equal(json_str(json_object_get(r.json, "error"), "code", NULL), "x");
		reply_release(&r);
	}
	/* not the server's own words, so ours */
	assert_int_equal(get(x, "/plain/502", &r, &w), ERR_UNAVAILABLE);
	snprintf(text, sizeof(text), "\"%s\" answered 502 to GET /plain/502", x->base);
	assert_string_equal(w.text, text);
	assert_string_equal(r.body.data, "words\n");
	assert_null(r.json);
	reply_release(&r);
	assert_int_equal(get(x, "/bad-error", &r, &w), ERR_CONFLICT);
	snprintf(text, sizeof(text), "\"%s\" answered 409 to GET /bad-error", x->base);
	assert_string_equal(w.text, text);
	reply_release(&r);
	assert_int_equal(client_json(x->client, "GET", "/status/404", NULL, NULL, &r, NULL),
	                 ERR_NOT_FOUND);
	reply_release(&r);
}

static void reads_its_headers(void **state)
{
	struct world *x = *state;
	struct reply r;
	struct why w;

	assert_int_equal(client_bytes(x->client, "GET", "/offset", NULL, NULL, 0, "text/plain",
	                              NULL, &r, &w),
	                 OK);
	assert_int_equal(r.next_offset, 1234);
	assert_int_equal(r.retry_after_s, 7);
	assert_string_equal(r.body.data, "log\n");
	assert_null(r.json);
	reply_release(&r);
	assert_int_equal(get(x, "/bad-headers", &r, &w), ERR_BUSY);
	assert_int_equal(r.next_offset, -1);
	assert_int_equal(r.retry_after_s, -1);
	reply_release(&r);
}

static void takes_an_empty_answer(void **state)
{
	struct world *x = *state;
	struct reply r;
	struct why w;

	assert_int_equal(get(x, "/empty", &r, &w), OK);
	assert_int_equal(r.status, 204);
	assert_null(r.json);
	assert_int_equal(r.body.len, 0);
	reply_release(&r);
}

static void refuses_what_is_no_answer_of_ours(void **state)
{
	struct world *x = *state;
	struct reply r;
	struct why w;

	assert_int_equal(get(x, "/html", &r, &w), ERR_UNAVAILABLE);
	assert_int_equal(r.status, 200);
	assert_non_null(strstr(w.text, "something that is not JSON"));
	reply_release(&r);
	assert_int_equal(get(x, "/bad-json", &r, &w), ERR_UNAVAILABLE);
	assert_int_equal(r.status, 200);
	assert_null(r.json);
	assert_non_null(strstr(w.text, "broken JSON: line 1"));
	reply_release(&r);
}

static void no_answer_is_unavailable(void **state)
{
	static const char *const paths[] = {"/torn", "/torn-chunk", "/garbage", "/nothing"};
	struct world *x = *state;
	struct reply r;
	struct why w;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		assert_int_equal(get(x, paths[i], &r, &w), ERR_UNAVAILABLE);
		assert_int_equal(r.status, 0);
		assert_int_equal(r.body.len, 0);
		assert_null(r.json);
		assert_true(str_starts(w.text, "\"http://127.0.0.1:"));
		assert_non_null(strstr(w.text, "does not answer: "));
		assert_null(strstr(w.text, TOKEN));
		reply_release(&r);
	}
}

/* A port that nobody listens on, for as long as fd is open. */
static int closed_port(int *fd)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	*fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(*fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(*fd, (struct sockaddr *)&at, &len), 0);
	return ntohs(at.sin_port);
}

static void a_refused_connection_is_unavailable(void **state)
{
	char base[64];
	struct client *c;
	struct reply r;
	struct why w;
	int fd;

	(void)state;
	snprintf(base, sizeof(base), "http://127.0.0.1:%d", closed_port(&fd));
	c = client_new(base, NULL, "t");
	assert_int_equal(client_json(c, "GET", "/", NULL, NULL, &r, &w), ERR_UNAVAILABLE);
	assert_int_equal(r.status, 0);
	reply_release(&r);
	client_free(c);
	close(fd);
}

static void refuses_what_is_no_address(void **state)
{
	static const char *const bases[] = {"",
	                                    "ftp://127.0.0.1",
	                                    "file:///etc",
	                                    "http://",
	                                    "http://a b",
	                                    "http://u:secret@127.0.0.1",
	                                    "http://127.0.0.1:99999",
	                                    "gopher://127.0.0.1"};
	struct client *c;
	struct reply r;
	struct why w;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		c = client_new(bases[i], TOKEN, "t");
		assert_int_equal(client_json(c, "GET", "/x", NULL, NULL, &r, &w), ERR_INPUT);
		assert_null(strstr(w.text, "secret"));
		assert_null(strchr(w.text, '\n'));
		reply_release(&r);
		client_free(c);
	}
}

static void a_stalled_server_times_out(void **state)
{
	struct world *x = *state;
	int64_t start = clock_mono_ns();
	struct reply r;
	struct why w;

	client_set_timeouts(x->client, 1000, 300);
	assert_int_equal(get(x, "/stall", &r, &w), ERR_TIMEOUT);
	assert_int_equal(r.status, 0);
	assert_true(clock_mono_ns() - start < 50 * NS_PER_S);
	reply_release(&r);
	client_set_timeouts(x->client, 0, 0);
	assert_int_equal(get(x, "/ok", &r, &w), OK);
	reply_release(&r);
}

static void never_follows_a_redirect(void **state)
{
	struct world *x = *state;
	struct peer *other = peer_new();
	char url[100], text[300];
	struct reply r;
	struct why w;

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/ok", peer_port(other));
	peer_redirect_to(x->peer, url);
	assert_int_equal(get(x, "/redirect", &r, &w), ERR_UNAVAILABLE);
	assert_int_equal(r.status, 302);
	snprintf(text, sizeof(text), "\"%s\" redirects to \"%s\", which is not followed", x->base,
	         url);
	assert_string_equal(w.text, text);
	reply_release(&r);
	assert_int_equal(peer_connections(other), 0);
	peer_free(other);
}

static void never_asks_a_proxy_over_http(void **state)
{
	struct world *x = *state;
	struct peer *proxy = peer_new();
	char url[100];
	struct reply r;
	struct why w;

	snprintf(url, sizeof(url), "http://127.0.0.1:%d", peer_port(proxy));
	setenv("http_proxy", url, 1);
	setenv("ALL_PROXY", url, 1);
	assert_int_equal(get(x, "/ok", &r, &w), OK);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
	reply_release(&r);
	assert_int_equal(peer_connections(proxy), 0);
	assert_int_equal(peer_hits(x->peer), 1);
	peer_free(proxy);
}

static void a_header_cannot_be_broken_open(void **state)
{
	struct world *x = *state;
	struct client *c = client_new(x->base, "token\n", "t");
	struct reply r;
	struct why w;

	assert_int_equal(client_json(x->client, "GET", "/ok", NULL, "a\r\nX: y", &r, &w),
	                 ERR_INPUT);
	assert_string_equal(w.text,
	                    "the value of the header \"Idempotency-Key\" is not plain ASCII");
	reply_release(&r);
	assert_int_equal(client_json(c, "GET", "/ok", NULL, NULL, &r, &w), ERR_INPUT);
	assert_null(strstr(w.text, "token"));
	reply_release(&r);
	client_free(c);
	assert_int_equal(client_json(x->client, "GET", "/ok HTTP/1.1\r\nX: y", NULL, NULL, &r, &w),
	                 ERR_INPUT);
	reply_release(&r);
	assert_int_equal(peer_hits(x->peer), 0);
}

static void sends_no_token_when_it_has_none(void **state)
{
	struct world *x = *state;
	struct client *c = client_new(x->base, NULL, "t");
	char head[4096];
	struct reply r;
	struct why w;

	assert_int_equal(client_json(c, "GET", "/ok", NULL, NULL, &r, &w), OK);
	reply_release(&r);
	client_free(c);
	peer_last_head(x->peer, head, sizeof(head));
	assert_null(strcasestr(head, "authorization"));
}

static void a_dropped_connection_is_opened_again(void **state)
{
	struct world *x = *state;
	json_t *body = json_object();
	struct reply r;
	struct why w;
	int i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(client_json(x->client, "POST", "/drop", body, "k", &r, &w), OK);
		reply_release(&r);
	}
	assert_int_equal(peer_hits(x->peer), 3);
	json_decref(body);
}

static void caps_an_answer(void **state)
{
	struct world *x = *state;
	struct reply r;
	struct why w;

	assert_int_equal(client_bytes(x->client, "GET", "/big", NULL, NULL, 0, NULL, NULL, &r, &w),
	                 ERR_TOO_LARGE);
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(w.text, "larger than 64 MiB"));
	reply_release(&r);
}

static void encodes_for_urls(void **state)
{
	static const struct {
		const char *in, *out;
	} pairs[] = {
	        {"", ""},
	        {"Az09-._~", "Az09-._~"},
	        {"fork/order=9,size=1G", "fork%2Forder%3D9%2Csize%3D1G"},
	        {"a b+c&d", "a%20b%2Bc%26d"},
	        {"\xc3\xa9\x01\xff%", "%C3%A9%01%FF%25"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		char *s = url_encode(pairs[i].in);

		assert_string_equal(s, pairs[i].out);
		free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        PEER_TEST(sends_and_receives_json),
	        PEER_TEST(speaks_every_method),
	        PEER_TEST(maps_statuses_and_takes_the_sentence),
	        PEER_TEST(reads_its_headers),
	        PEER_TEST(takes_an_empty_answer),
	        PEER_TEST(refuses_what_is_no_answer_of_ours),
	        PEER_TEST(no_answer_is_unavailable),
	        cmocka_unit_test(a_refused_connection_is_unavailable),
	        cmocka_unit_test(refuses_what_is_no_address),
	        PEER_TEST(a_stalled_server_times_out),
	        PEER_TEST(never_follows_a_redirect),
	        PEER_TEST(never_asks_a_proxy_over_http),
	        PEER_TEST(a_header_cannot_be_broken_open),
	        PEER_TEST(sends_no_token_when_it_has_none),
	        PEER_TEST(a_dropped_connection_is_opened_again),
	        PEER_TEST(caps_an_answer),
	        cmocka_unit_test(encodes_for_urls),
	};

	client_global_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
