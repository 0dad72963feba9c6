/*
 * foldwatchd's configuration table against its man page, and its defaults.
 */
#include "server/server.h"
#include "server/test/harness.h"

#include "lib/conf.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void man_page_has_every_key(void **state)
{
	char *text = slurp("docs/man/foldwatchd.conf.5");
	size_t keys = 0, items = 0;

	(void)state;
	if (!text)
		skip();
	for (const struct conf_key *k = server_conf_keys; k->name; k++) {
		char *item = xasprintf("\n.It Cm %s\n", k->name);

		if (!strstr(text, item))
			fail_msg("foldwatchd.conf(5) does not tell of \"%s\"", k->name);
		free(item);
		keys++;
		/* A default that has changed must change there too. */
		if (k->preset && !strstr(text, k->preset))
			fail_msg("foldwatchd.conf(5) lacks the default of \"%s\"", k->name);
	}
	for (const char *p = text; (p = strstr(p, "\n.It Cm ")); p++)
		items++;
	assert_int_equal(items, keys);
	free(text);
}

static enum err load(const char *text, struct server_conf *c, struct why *w)
{
	char path[] = "/tmp/foldwatchd-conf-XXXXXX";
	int fd = mkstemp(path);
	enum err e;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	e = server_conf_load(path, c, w);
	unlink(path);
	return e;
}

static void defaults(void **state)
{
	struct server_conf c;
	struct why w = {""};

	(void)state;
	assert_int_equal(load("dir = /x # state\n", &c, &w), OK);
	assert_string_equal(c.dir, "/x");
	assert_string_equal(c.listen, "127.0.0.1:8080");
	assert_null(c.web_dir);
	assert_null(c.public_url);
	assert_true(c.read_open);
	assert_int_equal(c.threads, 8);
	assert_int_equal(c.lease_s, 60);
	assert_true(c.artifact_max_bytes == INT64_C(1) << 30);
	assert_int_equal(c.body_max_bytes, 16 << 20);
	assert_int_equal(c.log_level, LOG_INFO);
	assert_null(c.mail_server);
	assert_int_equal(c.notify_allow.count, 0);
	assert_int_equal(c.notify_give_up_s, 4 * 24 * 3600);
	server_conf_release(&c);
}

static void values(void **state)
{
	struct server_conf c;
	struct why w = {""};

	(void)state;
	assert_int_equal(load("dir = \"/a b\"\nread_open = no\nlog_level = debug\n"
	                      "artifact_max_bytes = 64G\npublic_url = https://perf.example.org\n",
	                      &c, &w),
	                 OK);
	assert_string_equal(c.dir, "/a b");
	assert_false(c.read_open);
	assert_int_equal(c.log_level, LOG_DEBUG);
	assert_true(c.artifact_max_bytes == INT64_C(64) << 30);
	server_conf_release(&c);
	assert_int_equal(load("dir = /x\nartifact_max_bytes = 65G\n", &c, &w), ERR_INPUT);
	server_conf_release(&c);
	/* After an error there is something to release as well. */
	assert_int_equal(load("dir = /x\nnonsense = 1\n", &c, &w), ERR_INPUT);
	assert_non_null(strstr(w.text, "nonsense"));
	server_conf_release(&c);
}

static void mail_and_webhooks(void **state)
{
	static const struct {
		const char *text, *has; /* NULL: good */
	} rows[] = {
	        {"mail_server = smtp://127.0.0.1:25\nmail_from = a@example.org\n", NULL},
	        {"mail_server = smtps://mail.example.org\nmail_from = a@b.org\n", NULL},
	        {"mail_server = mail.example.org\nmail_from = a@b.org\n", "mail_server"},
	        {"mail_server = http://mail.example.org\nmail_from = a@b.org\n", "mail_server"},
	        {"mail_server = smtp://x:25\n", "mail_from"},
	        {"mail_server = smtp://x:25\nmail_from = nobody\n", "mail_from"},
	        {"mail_server = smtp://x:25\nmail_from = \"a b@c.org\"\n", "mail_from"},
	        {"mail_server = smtp://x:25\nmail_from = \"a@c.org>\"\n", "mail_from"},
	        {"mail_server = smtp://x:25\nmail_from = a@b.c\nmail_user = u\n",
	         "mail_password_file"},
	        {"mail_server = smtp://x:25\nmail_from = a@b.c\nmail_user = u\n"
	         "mail_password_file = /p\n",
	         "mail_tls"},
	        {"mail_server = smtp://x:25\nmail_from = a@b.c\nmail_user = u\n"
	         "mail_password_file = /p\nmail_tls = required\n",
	         NULL},
	        {"mail_server = smtps://x\nmail_from = a@b.c\nmail_user = u\n"
	         "mail_password_file = /p\n",
	         NULL},
	        {"mail_tls = perhaps\n", "mail_tls"},
	        {"notify_allow = 127.0.0.1/32 10.0.0.0/8\nnotify_allow = ::1\n", NULL},
	        {"notify_allow = localhost\n", "notify_allow"},
	        {"notify_allow = 10.0.0.1/8\n", "notify_allow"},
	        {"notify_retry_ms = 9\n", "notify_retry_ms"},
	        {"notify_give_up_s = 0\n", "notify_give_up_s"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text = xasprintf("dir = /x\n%s", rows[i].text);
		struct server_conf c;
		struct why w = {""};
		enum err e = load(text, &c, &w);

		if ((e == OK) != !rows[i].has || (rows[i].has && !strstr(w.text, rows[i].has)))
			fail_msg("%s: %s", rows[i].text, w.text);
		server_conf_release(&c);
		free(text);
	}
}

static void addresses(void **state)
{
	static const struct {
		const char *text, *host; /* NULL: refused */
		int port;
	} want[] = {
	        {"127.0.0.1:8080", "127.0.0.1", 8080},
	        {"0.0.0.0:0", "0.0.0.0", 0},
	        {"[::1]:80", "::1", 80},
	        {"[::]:65535", "::", 65535},
	        {"localhost:1", "localhost", 1}, /* the socket refuses names */
	        {"127.0.0.1", NULL, 0},
	        {":8080", NULL, 0},
	        {"127.0.0.1:", NULL, 0},
	        {"::1:80", NULL, 0},
	        {"1.2.3.4:65536", NULL, 0},
	        {"1.2.3.4:+80", NULL, 0},
	        {"1.2.3.4: 80", NULL, 0},
	        {"", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		char *host = NULL;
		int port = -1;
		struct why w = {""};
		enum err e = server_listen_parse(want[i].text, &host, &port, &w);

		if (want[i].host) {
			assert_int_equal(e, OK);
			assert_string_equal(host, want[i].host);
			assert_int_equal(port, want[i].port);
		} else if (e != ERR_INPUT || !*w.text) {
			fail_msg("\"%s\" was taken", want[i].text);
		}
		free(host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(man_page_has_every_key),
	        cmocka_unit_test(defaults),
	        cmocka_unit_test(values),
	        cmocka_unit_test(addresses),
	        cmocka_unit_test(mail_and_webhooks),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
