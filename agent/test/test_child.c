/* Children and what they leave behind, caches, toolchains, results. */
#include "agent/cache.h"
#include "agent/child.h"
#include "agent/memory.h"
#include "agent/step.h"
#include "agent/step_run.h"
#include "agent/toolchain.h"
#include "lib/buf.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/fw-child-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	struct why w;

	(void)state;
	return dir_remove(dir, &w) == OK ? 0 : -1;
}

static void reap(struct child *c)
{
	for (int i = 0; i < 5000 && !child_reap(c); i++)
		poll(NULL, 0, 1);
	assert_int_equal(c->pid, 0);
}

/* ---- children */

static int tell_descriptors(void *arg, int say)
{
	char open_ones[64] = "";
	size_t n = 0;

	(void)arg;
	for (int fd = 0; fd < 64; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 && fd != say)
			open_ones[n++] = (char)('0' + fd);
	}
	dprintf(say, "%s %s", open_ones, getenv("FOLDWATCH_JOB_DIR"));
	printf("printed %d", getpgrp() == getpid());
	return 7;
}

static void test_child(void **state)
{
	struct child c = CHILD_NONE;
	struct child_spec spec = {.run = tell_descriptors,
	                          .job_dir = dir,
	                          .keep = -1,
	                          .catch_output = true,
	                          .timeout_ns = 1000000000};
	char text[256] = "", want[128];
	struct why w;

	(void)state;
	assert_int_equal(child_start(&c, &spec, &w), OK);
	assert_true(c.deadline_ns < INT64_MAX);
	reap(&c);
	assert_true(WIFEXITED(c.status));
	assert_int_equal(WEXITSTATUS(c.status), 7);
	assert_true(read(c.say_fd, text, sizeof(text) - 1) > 0);
	snprintf(want, sizeof(want), "012 %s", dir);
	assert_string_equal(text, want);
	memset(text, 0, sizeof(text));
	assert_true(read(c.out_fd, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "printed 1");
	child_close(&c);
	assert_int_equal(c.say_fd, -1);
}

static int kept(void *arg, int say)
{
	(void)arg;
	dprintf(say, "%d", fcntl(4, F_GETFD) == FD_CLOEXEC && fcntl(5, F_GETFD) < 0);
	return 0;
}

static void test_kept_descriptor(void **state)
{
	struct child c = CHILD_NONE;
	struct child_spec spec = {.run = kept, .keep = open("/dev/null", O_RDONLY)};
	char text[8] = "";
	struct why w;

	(void)state;
	assert_int_equal(child_start(&c, &spec, &w), OK);
	reap(&c);
	assert_int_equal(read(c.say_fd, text, sizeof(text)), 1);
	assert_string_equal(text, "1");
	child_close(&c);
	close(spec.keep);
}

/* Leaves the group and its parent, with and without the mark. */
static int leave(void *arg, int say)
{
	pid_t pid;

	if (fork() > 0)
		return 0;
	setsid();
	if (arg)
		unsetenv("FOLDWATCH_JOB_DIR");
	pid = fork();
	if (pid == 0) {
		execlp("sleep", "sleep", "300", (char *)NULL);
		_exit(127);
	}
	dprintf(say, "%d", pid);
	_exit(0);
}

static bool is_gone(pid_t pid)
{
	for (int i = 0; i < 1000; i++) {
		char path[64], text[256] = "", *end;
		struct buf b;
		struct why w;

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		buf_init(&b, 4096);
		if (file_read(path, &b, &w) != OK) {
			buf_release(&b);
			return true;
		}
		snprintf(text, sizeof(text), "%s", b.data);
		buf_release(&b);
		end = strrchr(text, ')');
		if (end && end[2] == 'Z')
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

static pid_t stray(bool unmarked)
{
	struct child c = CHILD_NONE;
	struct child_spec spec = {
	        .run = leave, .arg = unmarked ? dir : NULL, .job_dir = dir, .keep = -1};
	char text[16] = "";
	struct pollfd p;
	struct why w;

	assert_int_equal(child_start(&c, &spec, &w), OK);
	p = (struct pollfd){.fd = c.say_fd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_true(read(c.say_fd, text, sizeof(text) - 1) > 0);
	reap(&c);
	child_close(&c);
	return (pid_t)strtol(text, NULL, 10);
}

static void test_strays(void **state)
{
	pid_t ours = stray(false), theirs = stray(true);
	char other[80];

	(void)state;
	/* give both the time to be sleep(1) */
	poll(NULL, 0, 50);
	snprintf(other, sizeof(other), "%sx", dir);
	assert_int_equal(child_kill_strays(other, false), 0);
	assert_int_equal(child_kill_strays(other, true), 0);
	other[strlen(other) - 2] = '\0';
	assert_int_equal(child_kill_strays(other, true), 0);
	assert_int_equal(kill(ours, 0), 0);
	assert_int_equal(child_kill_strays(dir, false), 1);
	assert_true(is_gone(ours));
	/* what does not carry the mark is nobody's of ours */
	assert_int_equal(kill(theirs, 0), 0);
	kill(theirs, SIGKILL);
	ours = stray(false);
	poll(NULL, 0, 50);
	assert_int_equal(child_kill_strays("/tmp", true), 1);
	assert_true(is_gone(ours));
}

/* ---- caches */

static void make(const char *entry, int age_s)
{
	char *path = path_join(dir, entry), *file = path_join(path, "file");
	struct timespec t[2] = {{.tv_sec = 1700000000 - age_s}, {.tv_sec = 1700000000 - age_s}};
	struct why w;

	assert_int_equal(dir_make(path, 0700, &w), OK);
	assert_int_equal(file_write(file, "x", 1, 0600, &w), OK);
	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
	free(file);
	free(path);
}

static bool there(const char *entry)
{
	char *path = path_join(dir, entry);
	bool yes = path_exists(path);

	free(path);
	return yes;
}

static void test_evict(void **state)
{
	int evicted = -1, fd;
	uint64_t bytes;
	struct why w;

	(void)state;
	assert_int_equal(cache_evict(dir, 1, &evicted, &w), OK);
	assert_int_equal(evicted, 0);
	make("builds/a", 10);
	make("mirrors/b", 20);
	make("ccache/c", 30);
	make("spool/d", 40);
	make("dead/e", 40);
	make("jobs/f", 40);
	fd = cache_hold(dir, "ccache/c", &w);
	assert_true(fd >= 0);
	assert_int_equal(cache_evict(dir, 1, &evicted, &w), OK);
	assert_int_equal(evicted, 0);
	/* more than any disk has: everything goes that may */
	assert_int_equal(cache_evict(dir, UINT64_MAX, &evicted, &w), ERR_NO_SPACE);
	assert_int_equal(evicted, 2);
	assert_true(there("ccache/c/file") && there("spool/d/file") && there("dead/e/file") &&
	            there("jobs/f/file"));
	assert_false(there("builds/a") || there("mirrors/b"));
	close(fd);
	assert_int_equal(cache_evict(dir, UINT64_MAX, &evicted, &w), ERR_NO_SPACE);
	assert_int_equal(evicted, 1);
	assert_int_equal(disk_free(dir, &bytes, &w), OK);
	assert_non_null(strstr(w.text, "no cache left"));
}

static void test_hold_paths(void **state)
{
	static const char *const bad[] = {"", "/etc", "../x", "builds/../..", "builds//x"};
	struct why w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(cache_hold(dir, bad[i], &w), -1);
}

/* ---- results */

static json_t *result_read(void)
{
	char *path = path_join(dir, "job/result.json");
	json_t *o = json_load_file(path, 0, NULL);

	free(path);
	assert_non_null(o);
	return o;
}

static void test_result(void **state)
{
	char *job = path_join(dir, "job"), *in = path_join(dir, "job/in");
	char *out_path = path_join(dir, "out"), *copy;
	struct step s = {.dir = job, .progress_fd = -1};
	struct step_outcome out = {.fail = FAIL_NONE};
	char hex[SHA256_HEX];
	json_t *o, *a;
	struct why w;

	(void)state;
	assert_int_equal(dir_make(job, 0700, &w), OK);
	assert_int_equal(file_write(in, "in", 2, 0600, &w), OK);
	assert_int_equal(file_write(out_path, "out", 3, 0600, &w), OK);
	assert_int_equal(step_artifact_add(&out, in, &w), OK);
	assert_int_equal(step_artifact_add(&out, out_path, &w), OK);
	assert_int_equal(step_artifact_add(&out, "/nonexistent", &w), ERR_NOT_FOUND);
	assert_int_equal(out.artifacts, 2);
	out.body = json_pack("{s:i}", "objects", 5);
	assert_int_equal(step_result(&s, "build", &out, &w), OK);
	/* the cache may go now */
	unlink(out_path);
	o = result_read();
	assert_string_equal(json_str(o, "state", ""), "done");
	assert_true(json_is_null(json_object_get(o, "why")));
	assert_int_equal(json_int(json_object_get(o, "build"), "objects", 0), 5);
	a = json_array_get(json_object_get(o, "artifacts"), 0);
	assert_string_equal(json_str(a, "path", ""), "in");
	a = json_array_get(json_object_get(o, "artifacts"), 1);
	hash_block("out", 3, hex);
	assert_string_equal(json_str(a, "sha256", ""), hex);
	copy = path_join(job, json_str(a, "path", ""));
	assert_true(path_exists(copy));
	json_decref(o);
	step_outcome_release(&out);
	assert_int_equal(out.artifacts, 0);

	out.fail = FAIL_KERNEL;
	err_set(&out.why, ERR_IO, "it \"died\"");
	assert_int_equal(step_result(&s, "boot", &out, &w), OK);
	o = result_read();
	assert_string_equal(json_str(o, "class", ""), "kernel");
	assert_string_equal(json_str(o, "why", ""), "it \"died\"");
	assert_null(json_object_get(o, "boot"));
	json_decref(o);
	free(copy);
	free(out_path);
	free(in);
	free(job);
}

static void test_progress(void **state)
{
	struct step s = {.progress_fd = -1};
	char text[256] = "", *big = xmalloc(100000);
	int p[2];

	(void)state;
	step_progress(&s, "nobody listens", 1, 2);
	assert_int_equal(pipe2(p, O_NONBLOCK), 0);
	s.progress_fd = p[1];
	step_progress(&s, "compile", 812, 2140);
	step_progress(&s, "link", 1, -1);
	assert_true(read(p[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "{\"step\":\"compile\",\"done\":812,\"total\":2140}\n"
	                          "{\"step\":\"link\",\"done\":1}\n");
	/* too long for one write, and a pipe that nobody reads: neither waits */
	memset(big, 'x', 99999);
	big[99999] = '\0';
	step_progress(&s, big, 1, 2);
	assert_int_equal(read(p[0], text, sizeof(text)), -1);
	for (int i = 0; i < 10000; i++)
		step_progress(&s, "compile", i, 10000);
	close(p[0]);
	close(p[1]);
	free(big);
}

/* ---- memory */

static long resident_kb(void)
{
	struct buf b;
	struct why w;
	char *line;
	long kb;

	buf_init(&b, 1 << 16);
	assert_int_equal(file_read("/proc/self/status", &b, &w), OK);
	line = strstr(b.data, "RssFile:");
	assert_non_null(line);
	kb = strtol(line + strlen("RssFile:"), NULL, 10);
	buf_release(&b);
	return kb;
}

static void test_memory(void **state)
{
	long before = resident_kb(), after;
	char hex[SHA256_HEX];

	(void)state;
	for (int i = 0; i < 10; i++) {
		memory_settle();
		hash_block("abc", 3, hex);
		assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223"
		                         "b00361a396177a9cb410ff61f20015ad");
	}
	after = resident_kb();
	assert_true(after < before);
}

/* ---- toolchains */

static void test_toolchain(void **state)
{
	char gcc[] = "gcc", clang[] = "clang-16", none[] = "", cross[] = "aarch64-linux-gnu-";
	char nonsense[] = "no-such-cross-";
	struct toolchain_conf t = {.name = "t", .cross = cross, .compiler = gcc};
	struct toolchain_facts f;
	struct why w;
	char *s;

	(void)state;
	assert_string_equal(s = toolchain_cc(&t), "aarch64-linux-gnu-gcc");
	free(s);
	assert_string_equal(s = toolchain_ld(&t), "aarch64-linux-gnu-ld");
	free(s);
	t.compiler = clang;
	assert_string_equal(s = toolchain_cc(&t), "clang-16");
	free(s);
	assert_string_equal(s = toolchain_ld(&t), "ld.lld-16");
	free(s);
	t.compiler = gcc;
	t.cross = none;
	assert_int_equal(toolchain_probe(&t, &f, &w), OK);
	assert_true(str_starts(f.compiler, "gcc"));
	assert_non_null(strstr(f.linker, "ld"));
	assert_null(strchr(f.compiler, '\n'));
	t.cross = nonsense;
	assert_int_not_equal(toolchain_probe(&t, &f, &w), OK);
	assert_non_null(strstr(w.text, "toolchain \"t\""));
	assert_non_null(strstr(w.text, "no-such-cross-gcc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_child, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_kept_descriptor, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_strays, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_evict, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_hold_paths, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_result, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_progress, setup, teardown),
	        cmocka_unit_test(test_memory),
	        cmocka_unit_test(test_toolchain),
	};

	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
