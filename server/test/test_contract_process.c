/*
 * The life of foldwatchd: start, stop, kill -9, a full disk, a second one, bad
 * configurations.
 */
#include "server/test/harness.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/mem.h"

#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define TOKENS    "/api/v1/tokens"
#define ARTIFACTS "/api/v1/artifacts/"

static struct daemon *d;

static int make(void **state)
{
	(void)state;
	d = daemon_new(NULL);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	daemon_free(d);
	d = NULL;
	return 0;
}

/* What is printed is one sentence: one line, that begins with the program. */
static void one_sentence(const char *text, const char *says)
{
	if (!str_starts(text, "foldwatchd: ") || strchr(text, '\n') != text + strlen(text) - 1 ||
	    !strstr(text, says))
		fail_msg("expected one line that says \"%s\", got:\n%s", says, text);
}

/* The last line, where log lines may come before. */
static void last_sentence(char *text, const char *says)
{
	char *at;

	assert_true(strlen(text) > 1);
	text[strlen(text) - 1] = '\0';
	at = strrchr(text, '\n');
	at = at ? at + 1 : text;
	if (!str_starts(at, "foldwatchd: ") || !strstr(at, says))
		fail_msg("expected a last line that says \"%s\", got: %s", says, at);
}

/* -------------------------------------------------------------- start and stop */

static void starts_and_stops(void **state)
{
	char *address = path_join(d->dir, "state/address"), *text;
	char first[64];
	struct stat st;

	(void)state;
	daemon_start(d);
	snprintf(first, sizeof(first), "%s", d->admin);
	text = slurp(address);
	assert_true(str_starts(text, "http://127.0.0.1:"));
	assert_true(str_ends(text, "\n"));
	free(text);
	daemon_stop(d);
	/* Nobody is sent to where nobody listens. */
	assert_int_equal(stat(address, &st), -1);
	assert_int_equal(raw_connect(d), -1);
	/* The second start keeps the token, and it still works. */
	daemon_start(d);
	assert_string_equal(d->admin, first);
	assert_int_equal(ask_json(d, "GET", TOKENS, first, NULL, NULL), 200);
	daemon_stop(d);
	free(address);
}

static void sigint_stops_too(void **state)
{
	int status;

	(void)state;
	daemon_start(d);
	kill(d->pid, SIGINT);
	assert_int_equal(waitpid(d->pid, &status, 0), d->pid);
	d->pid = 0;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void sigpipe_is_nothing(void **state)
{
	struct reply_raw r;

	(void)state;
	daemon_start(d);
	kill(d->pid, SIGPIPE);
	assert_int_equal(ask(d, "GET", "/healthz", NULL, NULL, NULL, 0, &r), 200);
	reply_raw_release(&r);
	daemon_stop(d);
}

static void second_on_the_same_directory(void **state)
{
	char *text;

	(void)state;
	daemon_start(d);
	assert_int_equal(daemon_run(d, NULL, &text), 6);
	one_sentence(text, d->dir);
	free(text);
	/* Nor do the commands that need the store for themselves. */
	assert_int_equal(daemon_run(d, (const char *const[]){"rebuild", NULL}, &text), 6);
	one_sentence(text, d->dir);
	free(text);
	assert_int_equal(daemon_run(d, (const char *const[]){"admin-token", NULL}, &text), 6);
	one_sentence(text, d->dir);
	free(text);
	daemon_stop(d);
}

static int listener(struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_in){.sin_family = AF_INET,
	                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, (struct sockaddr *)at, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
	return fd;
}

/* d's configuration from here on. */
static void configure(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void configure(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	assert_int_equal(file_write(d->conf, text, strlen(text), 0600, NULL), OK);
	free(text);
}

static void port_in_use(void **state)
{
	struct sockaddr_in at;
	int fd = listener(&at);
	char *text, *says = xasprintf("port %d of 127.0.0.1 is in use", ntohs(at.sin_port));

	(void)state;
	configure("dir = %s/state\nlisten = 127.0.0.1:%d\n", d->dir, ntohs(at.sin_port));
	assert_int_equal(daemon_run(d, NULL, &text), 6);
	last_sentence(text, says);
	free(text);
	free(says);
	close(fd);
	daemon_start(d);
	assert_int_equal(d->port, ntohs(at.sin_port));
	daemon_stop(d);
	/* At once again on the same port, with connections of the last run in
	 * TIME_WAIT. */
	daemon_start(d);
	daemon_stop(d);
}

static void directory_that_cannot_be(void **state)
{
	char *text;

	(void)state;
	configure("dir = /proc/foldwatch\n");
	assert_int_not_equal(daemon_run(d, NULL, &text), 0);
	one_sentence(text, "/proc/foldwatch");
	free(text);
	configure("dir = %s/log\n", d->dir);
	assert_int_equal(file_write(d->log, "x", 1, 0600, NULL), OK);
	assert_int_not_equal(daemon_run(d, NULL, &text), 0);
	one_sentence(text, d->log);
	free(text);
}

static void foreign_database(void **state)
{
	char *db = path_join(d->dir, "state/foldwatch.db"), *text;

	(void)state;
	daemon_start(d);
	daemon_stop(d);
	assert_int_equal(truncate(db, 100), 0);
	assert_int_not_equal(daemon_run(d, NULL, &text), 0);
	last_sentence(text, db);
	free(text);
	free(db);
}

static void another_admin_token(void **state)
{
	char *text, *path = path_join(d->dir, "state/admin.token"), old[64];

	(void)state;
	daemon_start(d);
	snprintf(old, sizeof(old), "%s", d->admin);
	daemon_stop(d);
	/* Lost: */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(daemon_run(d, (const char *const[]){"admin-token", NULL}, &text), 0);
	assert_non_null(strstr(text, "admin.token"));
	free(text);
	daemon_start(d);
	assert_string_not_equal(d->admin, old);
	assert_int_equal(ask_json(d, "GET", TOKENS, d->admin, NULL, NULL), 200);
	assert_int_equal(ask_json(d, "DELETE", TOKENS "/1", d->admin, NULL, NULL), 200);
	expect_error(d, "GET", TOKENS, old, NULL, 401, "auth", NULL);
	daemon_stop(d);
	free(path);
}

/* One of each is the least that can be configured, and serves. */
static void smallest_configuration(void **state)
{
	struct reply_raw r;
	int fd[20];

	(void)state;
	configure("dir = %s/state\nlisten = 127.0.0.1:0\nthreads = 1\nconnections = 4\n"
	          "per_address = 4\ntimeout_s = 1\nbody_max_bytes = 64K\n",
	          d->dir);
	daemon_start(d);
	for (int i = 0; i < 30; i++) {
		assert_int_equal(ask(d, "GET", "/healthz", NULL, NULL, NULL, 0, &r), 200);
		reply_raw_release(&r);
	}
	/* More than it takes: some are turned away, and it recovers. */
	for (int i = 0; i < 20; i++)
		fd[i] = raw_connect(d);
	sleep_ms(100);
	for (int i = 0; i < 20; i++)
		close(fd[i]);
	for (int i = 0; i < 100; i++) {
		ask(d, "GET", "/healthz", NULL, NULL, NULL, 0, &r);
		if (r.status == 200)
			break;
		sleep_ms(50);
		reply_raw_release(&r);
	}
	assert_int_equal(r.status, 200);
	reply_raw_release(&r);
	daemon_stop(d);
}

/* ---------------------------------------------------------------- configuration */

static void bad_configurations(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
	        {"", "dir is missing"},
	        {"listen = 127.0.0.1:0\n", "dir is missing"},
	        {"dir = /x\nlissten = 127.0.0.1:0\n", ":2: "},
	        {"dir = /x\ndir = /y\n", ":2: "},
	        {"dir = /x\nlisten = 127.0.0.1\n", "ADDRESS:PORT"},
	        {"dir = /x\nlisten = 127.0.0.1:x\n", "port"},
	        {"dir = /x\nlisten = 127.0.0.1:65536\n", "port"},
	        {"dir = /x\nlisten = 127.0.0.1:-1\n", "port"},
	        {"dir = /x\nlisten = ::1:8080\n", "brackets"},
	        {"dir = /x\nthreads = 0\n", ":2: "},
	        {"dir = /x\nthreads = 65\n", ":2: "},
	        {"dir = /x\nthreads = eight\n", ":2: "},
	        {"dir = /x\nthreads = 99999999999999999999\n", ":2: "},
	        {"dir = /x\nread_open = perhaps\n", ":2: "},
	        {"dir = /x\nlog_level = loud\n", ":2: "},
	        {"dir = /x\npublic_url = example.org\n", "http://"},
	        {"dir = /x\nweb_dir = /nonexistent\n", "/nonexistent"},
	        {"dir = /x\nkernel_dir = /dev/null\n", "not a directory"},
	        {"dir = /x\n[board x]\nkind = qemu\n", ":2: "},
	        {"dir\n", ":1: "},
	        {"dir = \"/x\n", ":1: "},
	        {"dir = /x\xff\n", ":1: "},
	};
	char *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char *port = path_join(d->dir, "state");

		configure("%s", bad[i].text);
		assert_int_equal(daemon_run(d, (const char *const[]){"-n", NULL}, &text), 2);
		one_sentence(text, bad[i].says);
		one_sentence(text, d->conf);
		free(text);
		free(port);
	}
	configure("dir = %s/state\nlisten = [::1]:0\n# fine\n", d->dir);
	assert_int_equal(daemon_run(d, (const char *const[]){"-n", NULL}, &text), 0);
	assert_non_null(strstr(text, "configuration is good"));
	free(text);
	/* Only checked: nothing was made. */
	text = path_join(d->dir, "state");
	assert_false(path_exists(text));
	free(text);
	unlink(d->conf);
	assert_int_equal(daemon_run(d, (const char *const[]){"-n", NULL}, &text), 5);
	one_sentence(text, d->conf);
	free(text);
}

static void options(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(daemon_run(d, (const char *const[]){"--version", NULL}, &text), 0);
	assert_true(str_starts(text, "foldwatchd "));
	free(text);
	assert_int_equal(daemon_run(d, (const char *const[]){"--help", NULL}, &text), 0);
	assert_non_null(strstr(text, "usage: foldwatchd"));
	assert_non_null(strstr(text, "artifact_max_bytes"));
	free(text);
	assert_int_equal(daemon_run(d, (const char *const[]){"--frobnicate", NULL}, &text), 2);
	free(text);
	assert_int_equal(daemon_run(d, (const char *const[]){"frobnicate", NULL}, &text), 2);
	one_sentence(text, "frobnicate");
	free(text);
	assert_int_equal(daemon_run(d, (const char *const[]){"serve", "more", NULL}, &text), 2);
	one_sentence(text, "more");
	free(text);
}

static void rebuild_of_nothing(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(daemon_run(d, (const char *const[]){"rebuild", NULL}, &text), 0);
	free(text);
	daemon_start(d);
	daemon_stop(d);
}

#define T(f) cmocka_unit_test_setup_teardown(f, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(starts_and_stops),
	        T(sigint_stops_too),
	        T(sigpipe_is_nothing),
	        T(second_on_the_same_directory),
	        T(port_in_use),
	        T(directory_that_cannot_be),
	        T(foreign_database),
	        T(another_admin_token),
	        T(smallest_configuration),
	        T(bad_configurations),
	        T(options),
	        T(rebuild_of_nothing),
	};

	alarm(400);
	return cmocka_run_group_tests_name("contract: life", tests, NULL, NULL);
}
