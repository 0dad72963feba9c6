/* foldwatch up, as far as it goes without a kernel: every start ends with one
 * sentence and, with --once, a last line `result N`. */
#include "cli/test/run.h"

#include "lib/file.h"
#include "lib/mem.h"
#include "lib/test/tmpdir.h"
#include "server/test/harness.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void ends(struct ran *r, int code, const char *has)
{
	expect_fail(r, code, has);
	ran_release(r);
}

/* The last line and the exit status say 1, the sentence stands before. */
static void fails_once(struct ran *r, const char *has)
{
	if (r->code != 1 || !str_ends(r->out, "result 1\n") || !strstr(r->err, has)) {
		print_error("exit %d\n%s%s", r->code, r->out, r->err);
		fail_msg("expected \"%s\" and result 1", has);
	}
	ran_release(r);
}

static void words_that_are_wrong(void **state)
{
	struct ran r;

	run_cli(&r, *state, "up", NULL);
	ends(&r, 2, "give --tree URL --ref REF, or two --image FILE");
	run_cli(&r, *state, "up", "--tree", "https://x", NULL);
	ends(&r, 2, "give --tree URL --ref REF");
	run_cli(&r, *state, "up", "--image", "a", NULL);
	ends(&r, 2, "give two or more");
	run_cli(&r, *state, "up", "--server", "http://x", NULL);
	ends(&r, 2, "unknown option \"--server\"");
	run_cli(&r, *state, "up", "x", NULL);
	ends(&r, 2, "does not take \"x\"");
	put_file(in(*state, "file"), "", 0);
	run_cli(&r, *state, "up", "--dir", "file", "--image", "a", "--image", "b", NULL);
	assert_int_not_equal(r.code, 0);
	assert_non_null(strstr(r.err, "file"));
	ran_release(&r);
}

static void the_server_says_why(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char *listen_at;
	struct ran r;

	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	            listen(fd, 1) == 0 && getsockname(fd, (struct sockaddr *)&at, &len) == 0);
	listen_at = xasprintf("127.0.0.1:%d", ntohs(at.sin_port));
	run_cli(&r, *state, "up", "--once", "--listen", listen_at, "--image", "a", "--image", "b",
	        NULL);
	fails_once(&r, "is in use by another program");
	close(fd);
	free(listen_at);
	run_cli(&r, *state, "up", "--once", "--listen", "nonsense", "--image", "a", "--image", "b",
	        NULL);
	fails_once(&r, "listen: expected ADDRESS:PORT, got \"nonsense\"");
	run_cli(&r, *state, "up", "--once", "--share", "/nonexistent", "--listen", "127.0.0.1:0",
	        "--image", "a", "--image", "b", NULL);
	fails_once(&r, "/nonexistent/kernel");
	/* not once: the error is the exit status */
	run_cli(&r, *state, "up", "--listen", "127.0.0.1:x", "--image", "a", "--image", "b", NULL);
	ends(&r, 7, "listen: port");
}

/* A path of any characters reaches server and agent whole; what comes after
 * depends on who runs this: the agent refuses root, a user's images are none. */
static void paths_are_quoted(void **state)
{
	const char *dir = in(*state, "a \"b\\ # c");
	char *share, *conf;
	char cwd[4096];
	struct ran r;

	assert_non_null(getcwd(cwd, sizeof(cwd)));
	share = xasprintf("%s/share \"\\", (char *)*state);
	assert_int_equal(mkdir(share, 0700), 0);
	conf = xasprintf("%s/kernel", cwd);
	assert_int_equal(symlink(conf, in(share, "kernel")), 0);
	free(conf);
	put_file(in(*state, "bad"), "x", 1);
	run_cli(&r, *state, "up", "--once", "--dir", dir, "--share", share, "--listen",
	        "127.0.0.1:0", "--image", "one=bad", "--image", "a/../bad", NULL);
	assert_null(strstr(r.err, "foldwatchd.conf"));
	assert_null(strstr(r.err, "agent.conf"));
	assert_true(is_there(in(dir, "admin.token")));
	fails_once(&r, geteuid() == 0 ? "root" : "kernel \"one\"");
	/* nothing is left running */
	assert_false(is_there(in(dir, "address")));
	free(share);
}

/* Copies of the programs side by side, with a web/ that the build may not have. */
static int setup(void **state)
{
	static const char *const names[] = {"foldwatch", "foldwatchd", "foldwatch-agent",
	                                    "foldbench-arm64"};
	static char path[4200];
	char *bin;

	if (tmpdir_setup(state) != 0)
		return -1;
	bin = path_join(*state, "bin");
	assert_int_equal(mkdir(bin, 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(file_copy(program(names[i]), in(bin, names[i]), NULL), OK);
	assert_int_equal(mkdir(in(bin, "web"), 0755), 0);
	assert_non_null(getcwd(path, 4096));
	strncat(path, "/kernel", 16);
	assert_int_equal(symlink(path, in(*state, "kernel")), 0);
	snprintf(path, sizeof(path), "%s/foldwatch", bin);
	run_path = path;
	free(bin);
	return 0;
}

static int teardown(void **state)
{
	run_path = NULL;
	return tmpdir_teardown(state);
}

int main(void)
{
#define in_dir(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(words_that_are_wrong, tmpdir_setup,
	                                        tmpdir_teardown),
	        in_dir(the_server_says_why),
	        in_dir(paths_are_quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
