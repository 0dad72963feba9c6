#include "agent/sandbox.h"

#include "agent/test/needs.h"
#include "agent/watch.h"
#include "lib/buf.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/var/tmp/foldwatch-sandbox-XXXXXX";
static char *src, *out, *secret;
static struct buf said;

static void line(void *ctx, const char *text)
{
	(void)ctx;
	buf_addf(&said, "%s\n", text);
}

static int setup(void **state)
{
	struct why w;

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	src = path_join(dir, "src");
	out = path_join(dir, "out");
	secret = path_join(dir, "token");
	assert_int_equal(dir_make(src, 0755, &w), OK);
	assert_int_equal(dir_make(out, 0755, &w), OK);
	assert_int_equal(file_write(secret, "secret", 6, 0600, &w), OK);
	buf_init(&said, 65536);
	setenv("FOLDWATCH_TEST_SECRET", "secret", 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(src);
	free(out);
	free(secret);
	buf_release(&said);
	return dir_remove(dir, NULL) ? -1 : 0;
}

/* Run a shell script inside; what it prints is in `said`. */
static int run(const char *script)
{
	const struct sandbox_mount mounts[] = {{src, "/src", false}, {out, "/out", true}};
	static const char *const env[] = {"WORD=a b=c", NULL};
	struct sandbox b = {.mounts = mounts,
	                    .mount_count = 2,
	                    .dir = "/out",
	                    .env = env,
	                    .tmp_bytes = 1 << 20,
	                    .memory_bytes = INT64_C(2) << 30,
	                    .file_bytes = 4 << 20,
	                    .processes = 24};
	struct argv a = {0};
	struct watch wt = {.name = "a script", .timeout_s = 60, .line = line};
	struct why w;
	int status;

	sandbox_begin(&b, &a);
	argv_add(&a, "sh", "-c", script, NULL);
	wt.argv = argv_list(&a);
	buf_reset(&said);
	if (watch_run(&wt, &status, &w))
		fail_msg("%s", w.text);
	argv_release(&a);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void test_sees_little(void **state)
{
	char *script;

	(void)state;
	NEEDS_SANDBOX();
	assert_int_equal(run("env | sort"), 0);
	assert_non_null(strstr(said.data, "WORD=a b=c\n"));
	assert_null(strstr(said.data, "secret"));
	assert_null(strstr(said.data, "FOLDWATCH"));
	script = xasprintf("test ! -e '%s' && test ! -e /home && test ! -e /root && "
	                   "test ! -e /etc/shadow && test ! -e /var && test ! -e /etc/ssh",
	                   secret);
	assert_int_equal(run(script), 0);
	free(script);
	/* No network but a loopback that is down, no processes but its own. */
	assert_int_equal(run("test $(wc -l < /proc/net/dev) -le 3 && test ! -s /proc/net/route || "
	                     "test $(wc -l < /proc/net/route) -le 1"),
	                 0);
	assert_int_equal(run("ls -d /proc/[0-9]* | wc -l"), 0);
	assert_true(strtol(said.data, NULL, 10) < 10);
}

static void test_writes_little(void **state)
{
	char *made = path_join(out, "made");

	(void)state;
	NEEDS_SANDBOX();
	assert_int_equal(run("echo x > /out/made"), 0);
	assert_true(path_exists(made));
	assert_int_not_equal(run("echo x > /src/x"), 0);
	assert_int_not_equal(run("echo x > /x"), 0);
	assert_int_not_equal(run("echo x > /dev/x"), 0);
	assert_int_not_equal(run("echo x > /usr/x"), 0);
	assert_int_not_equal(run("mkdir /etc/x"), 0);
	assert_int_equal(run("echo x > /tmp/x && echo x > /dev/null"), 0);
	/* /tmp is memory, and has an end; so has a file. */
	assert_int_not_equal(run("dd if=/dev/zero of=/tmp/x bs=1M count=3"), 0);
	assert_int_not_equal(run("dd if=/dev/zero of=/out/x bs=1M count=8"), 0);
	free(made);
}

static void test_limits(void **state)
{
	(void)state;
	NEEDS_SANDBOX();
	/* The number of processes binds everybody but root, as whom the agent never runs. */
	if (geteuid()) {
		assert_int_not_equal(run("for i in $(seq 40); do sleep 20 & done; wait"), 0);
		assert_non_null(strstr(said.data, "ork"));
	}
	/* No further name spaces: they would bring new rights with them. */
	assert_int_not_equal(run("unshare -U true"), 0);
	assert_int_equal(run("grep CapEff /proc/self/status"), 0);
	assert_string_equal(said.data, "CapEff:\t0000000000000000\n");
	assert_int_equal(run("grep NoNewPrivs /proc/self/status"), 0);
	assert_string_equal(said.data, "NoNewPrivs:\t1\n");
	assert_int_equal(run("exit 7"), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_sees_little),
	        cmocka_unit_test(test_writes_little),
	        cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
