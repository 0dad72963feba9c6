/* Messages that leave: POSTs past the guard, mail to servers good and bad. */
#include "lib/client_out.h"

#include "lib/client.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/test/sink.h"
#include "lib/test/tmpdir.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
	struct sink *http, *smtp;
	struct guard guard;
	char url[64], server[64];
};

static int setup(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));

	p->http = sink_new(SINK_HTTP);
	p->smtp = sink_new(SINK_SMTP);
	assert_int_equal(guard_allow(&p->guard, "127.0.0.1/32", NULL), OK);
	snprintf(p->url, sizeof(p->url), "http://127.0.0.1:%d/hook/s3cret", sink_port(p->http));
	snprintf(p->server, sizeof(p->server), "smtp://127.0.0.1:%d", sink_port(p->smtp));
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	sink_free(p->http);
	sink_free(p->smtp);
	guard_release(&p->guard);
	free(p);
	return 0;
}

static enum err post(struct place *p, const char *url, const struct guard *g, int *status,
                     struct why *w)
{
	static const char *const headers[] = {"Foldwatch-Delivery: d1", NULL};
	const struct out_post o = {
	        .url = url, .body = "{\"a\":1}", .headers = headers, .guard = g, .timeout_ms = 500};

	(void)p;
	w->text[0] = '\0';
	return out_post(&o, status, w);
}

static void a_post(void **state)
{
	struct place *p = *state;
	struct why w;
	char *m;
	int status;

	assert_int_equal(post(p, p->url, &p->guard, &status, &w), OK);
	assert_int_equal(status, 200);
	m = sink_message(p->http, 0);
	assert_ptr_equal(strstr(m, "POST /hook/s3cret HTTP/1.1\n"), m);
	assert_non_null(strstr(m, "\nFoldwatch-Delivery: d1\n"));
	assert_non_null(strstr(m, "\nContent-Type: application/json\n"));
	assert_non_null(strstr(m, "\n\n{\"a\":1}"));
	free(m);
}

static void answers_that_are_none(void **state)
{
	static const struct {
		int answer;
		enum err e;
		int status;
	} rows[] = {
	        {500, ERR_INTERNAL, 500},        {429, ERR_BUSY, 429},
	        {404, ERR_NOT_FOUND, 404},       {302, ERR_UNPROCESSABLE, 302},
	        {SINK_HANG, ERR_TIMEOUT, 0},     {SINK_SWALLOW, ERR_TIMEOUT, 0},
	        {SINK_DROP, ERR_UNAVAILABLE, 0},
	};
	struct place *p = *state;
	struct why w;
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		sink_script(p->http, 1, &rows[i].answer);
		assert_int_equal(post(p, p->url, &p->guard, &status, &w), rows[i].e);
		assert_int_equal(status, rows[i].status);
		assert_non_null(strstr(w.text, "127.0.0.1"));
		assert_null(strstr(w.text, "s3cret"));
	}
	/* The redirect was not followed. */
	assert_int_equal(sink_tries(p->http), ARRAY_SIZE(rows));
}

/* Whatever way the address is written, it is the socket's that is asked. */
static void the_guard_is_asked_by_the_socket(void **state)
{
	static const char *const ways[] = {"127.0.0.1",  "localhost", "127.1",
	                                   "2130706433", "0x7f.1",    "[::ffff:127.0.0.1]",
	                                   "0.0.0.0"};
	struct place *p = *state;
	struct guard none = {0};
	struct why w;
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		char *url = xasprintf("http://%s:%d/", ways[i], sink_port(p->http));

		assert_int_equal(post(p, url, &none, &status, &w), ERR_DENIED);
		assert_non_null(strstr(w.text, "private address"));
		free(url);
	}
	assert_int_equal(sink_tries(p->http), 0);
	assert_int_equal(post(p, p->url, &p->guard, &status, &w), OK);
	/* Nor past it through the environment's proxy. */
	setenv("http_proxy", p->url, 1);
	assert_int_equal(post(p, "http://169.254.169.254/", &p->guard, &status, &w), ERR_DENIED);
	unsetenv("http_proxy");
	assert_int_equal(sink_tries(p->http), 1);
}

static void urls(void **state)
{
	static const struct {
		const char *url, *host; /* NULL: refused */
	} rows[] = {
	        {"https://hooks.example.org/a?b=c", "hooks.example.org"},
	        {"http://[::1]:8080/", "::1"},
	        {"http://127.1/", "127.0.0.1"},
	        {"ftp://x/", NULL},
	        {"file:///etc/passwd", NULL},
	        {"http:///x", NULL},
	        {"https://u:p@x/", NULL},
	        {"https://u@x/", NULL},
	        {"https://x/a b", NULL},
	        {"https://x/\n", NULL},
	        {"https://x/\xc3\xa4", NULL},
	        {"hooks.example.org", NULL},
	        {"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *scheme, *host;
		struct why w = {""};
		enum err e = out_url_host(rows[i].url, &scheme, &host, &w);

		if ((e == OK) != (rows[i].host != NULL))
			fail_msg("\"%s\": %s", rows[i].url, w.text);
		if (rows[i].host)
			assert_string_equal(host, rows[i].host);
		else
			assert_int_equal(e, ERR_INPUT);
		free(scheme);
		free(host);
	}
}

/* ---- mail */

#define TEXT "Subject: x\nTo: dev@example.org\n\none\n.\n..two\n"

static enum err mail(struct place *p, struct out_mail m, int *status, struct why *w)
{
	if (!m.server)
		m.server = p->server;
	m.from = "fw@example.org";
	m.to = "dev@example.org";
	m.text = TEXT;
	m.timeout_ms = 500;
	w->text[0] = '\0';
	return out_mail(&m, status, w);
}

static void has(const char *text, const char *word)
{
	if (!strstr(text, word))
		fail_msg("there is no \"%s\" in:\n%s", word, text);
}

static void a_mail(void **state)
{
	struct place *p = *state;
	struct why w;
	char *m, *c;
	int status;

	assert_int_equal(mail(p,
	                      (struct out_mail){.hello = "perf.example.org",
	                                        .user = "fw",
	                                        .password = "pass"},
	                      &status, &w),
	                 OK);
	assert_int_equal(sink_count(p->smtp), 1);
	m = sink_message(p->smtp, 0);
	assert_string_equal(m, TEXT);
	c = sink_commands(p->smtp);
	has(c, "EHLO perf.example.org\n");
	has(c, "MAIL FROM:<fw@example.org>");
	has(c, "RCPT TO:<dev@example.org>\n");
	has(c, "AGZ3AHBhc3M="); /* "\0fw\0pass" */
	free(m);
	free(c);
}

static void servers_that_refuse(void **state)
{
	static const struct {
		int answer;
		enum err e;
		int status;
	} rows[] = {
	        {550, ERR_UNAVAILABLE, 550},
	        {450, ERR_UNAVAILABLE, 450},
	        {SINK_HANG, ERR_TIMEOUT, 0},
	        {SINK_DROP, ERR_UNAVAILABLE, 0},
	};
	struct place *p = *state;
	struct why w;
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		sink_script(p->smtp, 1, &rows[i].answer);
		assert_int_equal(mail(p, (struct out_mail){0}, &status, &w), rows[i].e);
		if (rows[i].status)
			assert_int_equal(status, rows[i].status);
		assert_true(status == 0 || status >= 400);
	}
	assert_int_equal(sink_count(p->smtp), 0);
}

static void starttls(void **state)
{
	struct place *p = *state;
	void *tmp;
	char *ca, *c, *local;
	struct why w;
	int status;

	tmpdir_setup(&tmp);
	/* A server that has none. */
	assert_int_equal(mail(p, (struct out_mail){.tls = OUT_TLS_REQUIRED}, &status, &w),
	                 ERR_UNAVAILABLE);
	assert_int_equal(sink_count(p->smtp), 0);
	assert_int_equal(mail(p, (struct out_mail){.tls = OUT_TLS_OPTIONAL}, &status, &w), OK);
	ca = sink_offer_tls(p->smtp, tmp);
	local = xasprintf("smtp://localhost:%d", sink_port(p->smtp));
	/* Nobody vouches for it. */
	assert_int_equal(
	        mail(p, (struct out_mail){.server = local, .tls = OUT_TLS_REQUIRED}, &status, &w),
	        ERR_UNAVAILABLE);
	assert_int_equal(sink_count(p->smtp), 1);
	/* It is for another name than this. */
	assert_int_equal(mail(p, (struct out_mail){.tls = OUT_TLS_REQUIRED, .ca = ca}, &status, &w),
	                 ERR_UNAVAILABLE);
	assert_int_equal(sink_count(p->smtp), 1);
	if (mail(p,
	         (struct out_mail){.server = local,
	                           .tls = OUT_TLS_REQUIRED,
	                           .ca = ca,
	                           .user = "fw",
	                           .password = "pass"},
	         &status, &w) != OK)
		fail_msg("%s", w.text);
	assert_int_equal(sink_count(p->smtp), 2);
	c = sink_commands(p->smtp);
	has(c, "\nTLS\nEHLO");
	assert_true(strstr(c, "AGZ3AHBhc3M=") > strstr(c, "\nTLS\n"));
	free(c);
	free(local);
	free(ca);
	tmpdir_teardown(&tmp);
}

static void *stop_soon(void *stop)
{
	usleep(100000);
	atomic_store((atomic_bool *)stop, true);
	return NULL;
}

static void told_to_stop(void **state)
{
	static const int hang = SINK_HANG;
	struct place *p = *state;
	atomic_bool stop = false;
	pthread_t t;
	struct out_mail m = {.server = p->server,
	                     .from = "a@b.c",
	                     .to = "a@b.c",
	                     .text = "x\n",
	                     .timeout_ms = 60000,
	                     .stop = &stop};
	struct why w;
	int64_t began = clock_mono_ns();
	int status;

	sink_script(p->smtp, 1, &hang);
	assert_int_equal(pthread_create(&t, NULL, stop_soon, &stop), 0);
	assert_int_equal(out_mail(&m, &status, &w), ERR_CANCELLED);
	assert_true(clock_mono_ns() - began < 10 * NS_PER_S);
	pthread_join(t, NULL);
}

/* RFC 4231, cases 1, 2 and 6. */
static void hmac(void **state)
{
	unsigned char key[131];
	char hex[SHA256_HEX];
	const struct hmac_part one[] = {{"Hi There", 8}, {0}};
	const struct hmac_part two[] = {
	        {"what do ya want ", 16}, {"", 0}, {"for nothing?", 12}, {0}};
	const struct hmac_part six[] = {
	        {"Test Using Larger Than Block-Size Key - Hash Key First", 54}, {0}};

	(void)state;
	memset(key, 0x0b, 20);
	hmac_sha256(key, 20, one, hex);
	assert_string_equal(hex,
	                    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	hmac_sha256("Jefe", 4, two, hex);
	assert_string_equal(hex,
	                    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	hmac_sha256(key, sizeof(key), six, hex);
	assert_string_equal(hex,
	                    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	        T(a_post),
	        T(answers_that_are_none),
	        T(the_guard_is_asked_by_the_socket),
	        cmocka_unit_test(urls),
	        T(a_mail),
	        T(servers_that_refuse),
	        T(starttls),
	        T(told_to_stop),
	        cmocka_unit_test(hmac),
	};

	client_global_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
