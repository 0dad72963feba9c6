/* Trees at addresses that a stranger may not have an agent ask. */
#include "agent/git.h"

#include "agent/test/steps.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct step_bed bed;

static int setup(void **state)
{
	static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY",
	                                      "all_proxy", "ALL_PROXY"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(proxies); i++)
		unsetenv(proxies[i]);
	bed_init(&bed, NULL, NULL);
	bed_allow(&bed, "https://");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bed_release(&bed);
	return 0;
}

/* A host of this machine: its port; accept() or poll() the result. */
static int listener(int *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static bool was_asked(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

static enum err resolve(const char *tree, struct step_outcome *out)
{
	json_t *spec = json_object();
	struct why w;

	json_put_str(spec, "tree", tree);
	json_put_str(spec, "ref", "main");
	*out = (struct step_outcome){.fail = FAIL_NONE};
	return step_resolve(bed_job(&bed, spec), out, &w);
}

static void refused(const char *tree, enum fail_class fail, const char *says)
{
	struct step_outcome out;

	assert_int_equal(resolve(tree, &out), OK);
	if (out.fail != fail || !strstr(out.why.text, says))
		fail_msg("%s: class %d, \"%s\"", tree, out.fail, out.why.text);
	step_outcome_release(&out);
}

static void test_private_addresses(void **state)
{
	static const char *const hosts[] = {"127.0.0.1",  "localhost",  "127.1",
	                                    "0x7f000001", "2130706433", "LOCALHOST"};
	int port, fd = listener(&port);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		char *tree = xasprintf("https://%s:%d/x.git", hosts[i], port);

		refused(tree, FAIL_BUILD, "none of the public internet");
		free(tree);
	}
	assert_false(was_asked(fd));
	refused("https://169.254.169.254/latest", FAIL_BUILD, "none of the public internet");
	refused("https://10.0.0.1/x.git", FAIL_BUILD, "none of the public internet");
	refused("https://[::1]/x.git", FAIL_BUILD, "none of the public internet");
	refused("https://[::ffff:127.0.0.1]/x.git", FAIL_BUILD, "none of the public internet");
	refused("https://%31%32%37.0.0.1/x.git", FAIL_BUILD, "no name and no address");
	refused("https://localhost./x.git", FAIL_BUILD, "no name and no address");
	refused("https://no-such-host.invalid/x.git", FAIL_INFRA, "no-such-host.invalid");
	close(fd);
}

/* Answers one request so. */
static void answer(int fd, const char *text)
{
	char request[4096];
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	if (peer < 0 || read(peer, request, sizeof(request)) <= 0 ||
	    write(peer, text, strlen(text)) < 0)
		_exit(1);
	shutdown(peer, SHUT_WR);
	while (read(peer, request, sizeof(request)) > 0)
		;
	_exit(0);
}

static void test_listed_by_name(void **state)
{
	int port, elsewhere, fd = listener(&port), other = listener(&elsewhere);
	char *tree = xasprintf("http://127.0.0.1:%d/x.git", port), *text, *prefix;
	pid_t pid;

	(void)state;
	prefix = xasprintf("http://127.0.0.1:%d/", port);
	bed_allow(&bed, prefix);
	/* It is asked, and leads nowhere else. */
	text = xasprintf("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/x.git/info/refs"
	                 "?service=git-upload-pack\r\nContent-Length: 0\r\n"
	                 "Connection: close\r\n\r\n",
	                 elsewhere);
	fflush(NULL);
	pid = fork();
	if (!pid)
		answer(fd, text);
	refused(tree, FAIL_BUILD, "its host sends to another address, which agents do not follow");
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(was_asked(other));
	close(fd);
	close(other);
	free(text);
	free(tree);
	free(prefix);
}

static void test_hosts(void **state)
{
	static const struct {
		const char *url, *host, *port;
	} rows[] = {
	        {"https://Git.Example.ORG/x", "git.example.org", "443"},
	        {"https://a-b.example:8443/x", "a-b.example", "8443"},
	        {"ssh://git@c.org/x", "c.org", "22"},
	        {"git://c.org/x", "c.org", "9418"},
	        {"https://[2001:DB8::1]:1/x", "2001:db8::1", "1"},
	        {"https://a:b/x", NULL, NULL},
	        {"https://a:/x", NULL, NULL},
	        {"https://a:123456/x", NULL, NULL},
	        {"https://[::1/x", NULL, NULL},
	        {"https://[::1]x/x", NULL, NULL},
	        {"https://a_b/x", NULL, NULL},
	        {"https://a%2e/x", NULL, NULL},
	        {"https://:443/x", NULL, NULL},
	        {"x", NULL, NULL},
	};
	char host[64], port[6];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool is = git_url_host(rows[i].url, host, sizeof(host), port);

		if (is != (rows[i].host != NULL))
			fail_msg("%s: %d", rows[i].url, is);
		if (is) {
			assert_string_equal(host, rows[i].host);
			assert_string_equal(port, rows[i].port);
		}
	}
	assert_false(git_url_host("https://abcd/", host, 4, port));
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	        T(test_private_addresses),
	        T(test_listed_by_name),
	        cmocka_unit_test(test_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
