/* Trees that somebody else's build may have made: links, closed doors, any depth. */
#include "lib/file.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/test/tmpdir.h"

#define DEPTH  3000 /* deeper than descriptors, and its path longer than PATH_MAX */
#define NOBODY 65534

static void expect(bool ok, int code)
{
	if (!ok)
		_exit(code);
}

static void makes(void **state)
{
	mode_t old = umask(0);
	struct stat st;
	struct why w;

	assert_int_equal(dir_make(in(*state, "a/b//c/"), 0750, &w), OK);
	assert_int_equal(stat(in(*state, "a/b/c"), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(dir_make(in(*state, "a/b/c"), 0700, &w), OK);
	assert_int_equal(dir_make("/", 0700, &w), OK);
	assert_int_equal(dir_make(".", 0700, &w), OK);
	/* what lies between must let us in, whatever the last one does */
	assert_int_equal(dir_make(in(*state, "x/y"), 0400, &w), OK);
	assert_int_equal(stat(in(*state, "x"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(in(*state, "x/y"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	put_file(in(*state, "file"), "", 0);
	assert_int_equal(dir_make(in(*state, "file/d"), 0700, &w), ERR_IO);
	assert_non_null(strstr(w.text, "/file\" is not a directory"));
	assert_int_equal(dir_make(in(*state, "file"), 0700, &w), ERR_IO);
	assert_int_equal(symlink("nowhere", in(*state, "dangling")), 0);
	assert_int_equal(dir_make(in(*state, "dangling/d"), 0700, &w), ERR_IO);
	assert_int_equal(symlink("a", in(*state, "link")), 0);
	assert_int_equal(dir_make(in(*state, "link/d"), 0700, &w), OK);
	assert_true(is_there(in(*state, "a/d")));
	assert_int_equal(dir_make("", 0700, &w), ERR_INPUT);
	umask(old);
}

static void removes_without_following(void **state)
{
	char *dir = *state, up[4096];
	struct why w;

	snprintf(up, sizeof(up), "%s/outside", dir);
	assert_int_equal(mkdir(in(dir, "outside"), 0700), 0);
	put_file(in(dir, "outside/keep"), "x", 1);
	assert_int_equal(dir_make(in(dir, "t/a/b"), 0700, &w), OK);
	put_file(in(dir, "t/a/b/file"), "x", 1);
	assert_int_equal(symlink(up, in(dir, "t/absolute")), 0);
	assert_int_equal(symlink("../../outside", in(dir, "t/a/relative")), 0);
	assert_int_equal(symlink(".", in(dir, "t/a/self")), 0);
	assert_int_equal(symlink("..", in(dir, "t/a/parent")), 0);
	assert_int_equal(symlink("nowhere", in(dir, "t/dangling")), 0);
	assert_int_equal(symlink("../../outside/keep", in(dir, "t/a/file")), 0);
	assert_int_equal(link(in(dir, "outside/keep"), in(dir, "t/hard")), 0);
	assert_int_equal(mkfifo(in(dir, "t/fifo"), 0600), 0);
	put_file(in(dir, "t/new\nline \xff"), "x", 1);
	assert_int_equal(dir_remove(in(dir, "t"), &w), OK);
	assert_false(is_there(in(dir, "t")));
	assert_true(is_there(in(dir, "outside/keep")));
	/* the root of the walk is a link itself */
	assert_int_equal(symlink("outside", in(dir, "t")), 0);
	assert_int_equal(dir_remove(in(dir, "t/"), &w), OK);
	assert_false(is_there(in(dir, "t")));
	assert_true(is_there(in(dir, "outside/keep")));
	put_file(in(dir, "t"), "x", 1);
	assert_int_equal(dir_remove(in(dir, "t"), &w), OK);
	assert_int_equal(dir_remove(in(dir, "t"), &w), OK); /* not there */
	assert_int_equal(dir_remove(in(dir, "no/t"), &w), OK);
	assert_int_equal(count_entries(dir), 1);
}

static void refuses_what_has_no_name(void **state)
{
	static const char *const names[] = {"", "/", "//", ".", "..", "/.", "a/..", "a/../", "./"};
	struct why w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(dir_remove(names[i], &w), ERR_INPUT);
}

/* As somebody whom a mode of 0000 keeps out. */
static void remove_closed(void *arg)
{
	static const mode_t modes[] = {0000, 0100, 0200, 0300, 0400, 0500, 0600, 0700};
	char *dir = arg, name[64];
	struct why w;

	if (geteuid() == 0)
		expect(setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0, 1);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		snprintf(name, sizeof(name), "t/m%zu/inner", i);
		expect(dir_make(in(dir, name), 0700, &w) == OK, 2);
		snprintf(name, sizeof(name), "t/m%zu/inner/file", i);
		put_file(in(dir, name), "x", 1);
		snprintf(name, sizeof(name), "t/m%zu/inner", i);
		expect(chmod(in(dir, name), modes[ARRAY_SIZE(modes) - 1 - i]) == 0, 3);
		snprintf(name, sizeof(name), "t/m%zu", i);
		expect(chmod(in(dir, name), modes[i]) == 0, 4);
	}
	expect(chmod(in(dir, "t"), 0) == 0, 5);
	if (dir_remove(in(dir, "t"), &w) != OK) {
		dprintf(STDERR_FILENO, "%s", w.text);
		_exit(6);
	}
	expect(!is_there(in(dir, "t")), 7);
	/* somebody else's closed directory: an error with its place */
	if (is_there(in(dir, "theirs"))) {
		expect(dir_remove(in(dir, "theirs"), &w) == ERR_IO, 8);
		expect(strstr(w.text, "/theirs\": Permission denied") != NULL, 9);
	}
	_exit(0);
}

static void opens_closed_directories(void **state)
{
	char err[1024];
	int status;

	assert_int_equal(chmod(*state, 0777), 0);
	if (geteuid() == 0) {
		assert_int_equal(mkdir(in(*state, "theirs"), 0700), 0);
		put_file(in(*state, "theirs/file"), "x", 1);
	}
	status = in_child(remove_closed, *state, err, sizeof(err));
	if (status != 0)
		fail_msg("status %d: %s", WEXITSTATUS(status), err);
}

static int descend(const char *dir, int depth)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY), next;

	for (int i = 0; fd >= 0 && i < depth; i++) {
		if (mkdirat(fd, "deeper", 0700) != 0)
			break;
		next = openat(fd, "deeper", O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = next;
	}
	return fd;
}

static void copes_with_depth(void **state)
{
	const struct rlimit few = {32, 4096};
	struct rlimit old;
	uint64_t bytes = 0;
	struct why w;
	int fd, leaf;

	assert_int_equal(mkdir(in(*state, "t"), 0700), 0);
	fd = descend(in(*state, "t"), DEPTH);
	assert_true(fd >= 0);
	leaf = openat(fd, "leaf", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(leaf, "12345", 5), 5);
	close(leaf);
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){few.rlim_cur, old.rlim_max}), 0);
	assert_int_equal(dir_bytes(in(*state, "t"), &bytes, &w), OK);
	assert_int_equal(bytes, 5);
	assert_int_equal(dir_remove(in(*state, "t"), &w), OK);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(count_entries(*state), 0);
}

static size_t open_descriptors(void)
{
	return count_entries("/proc/self/fd");
}

static void copes_with_width(void **state)
{
	size_t before = open_descriptors();
	char name[64];
	uint64_t bytes;
	struct why w;

	assert_int_equal(mkdir(in(*state, "t"), 0700), 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "t/%d", i);
		if (i % 3) {
			put_file(in(*state, name), "abc", 3);
			continue;
		}
		assert_int_equal(mkdir(in(*state, name), 0700), 0);
		snprintf(name, sizeof(name), "t/%d/f", i);
		put_file(in(*state, name), "abcd", 4);
	}
	assert_int_equal(dir_bytes(in(*state, "t"), &bytes, &w), OK);
	assert_int_equal(bytes, 666 * 3 + 334 * 4);
	assert_int_equal(dir_remove(in(*state, "t"), &w), OK);
	assert_int_equal(count_entries(*state), 0);
	assert_int_equal(open_descriptors(), before);
}

static void measures(void **state)
{
	char *dir = *state;
	uint64_t bytes = 77;
	struct why w;

	assert_int_equal(dir_bytes(dir, &bytes, &w), OK);
	assert_int_equal(bytes, 0);
	put_file(in(dir, "a"), "12345", 5);
	assert_int_equal(mkdir(in(dir, "d"), 0700), 0);
	put_file(in(dir, "d/b"), "123", 3);
	assert_int_equal(symlink("/etc", in(dir, "d/etc")), 0);
	assert_int_equal(symlink("../a", in(dir, "d/a")), 0);
	put_file(in(dir, "hole"), "", 0);
	assert_int_equal(truncate(in(dir, "hole"), 1000000), 0);
	assert_int_equal(dir_bytes(dir, &bytes, &w), OK);
	assert_int_equal(bytes, 1000008);
	assert_int_equal(dir_bytes(in(dir, "none"), &bytes, &w), ERR_NOT_FOUND);
	assert_int_equal(dir_bytes(in(dir, "a"), &bytes, &w), ERR_IO);
}

/*
 * Somebody changes the tree while it is removed. Nothing outside of it may go,
 * whatever he does. The tree holds many directories, so that there is time
 * between their being noted and their being entered.
 */
#define MANY     400
#define SIBLINGS 10
#define ROUNDS   60

static void grow(const char *dir, const char *top)
{
	char name[64];

	assert_int_equal(mkdir(in(dir, top), 0700), 0);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%s/d%d", top, i);
		assert_int_equal(mkdir(in(dir, name), 0700), 0);
		snprintf(name, sizeof(name), "%s/d%d/keep", top, i);
		assert_int_equal(mkdir(in(dir, name), 0700), 0);
	}
}

/* Wait until the first of the directories that grow() made is gone. */
static void wait_for_begin(const char *dir, const char *top)
{
	char name[64];

	for (int i = 0;; i = (i + 1) % MANY) {
		snprintf(name, sizeof(name), "%s/d%d/keep", top, i);
		if (!is_there(in(dir, name)))
			return;
	}
}

/* Put links to a directory outside where directories were. */
static void swap_for_links(const char *dir)
{
	char name[64], away[64];

	wait_for_begin(dir, "t");
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "t/d%d", i);
		snprintf(away, sizeof(away), "away/d%d", i);
		if (rename(in(dir, name), in(dir, away)) == 0)
			(void)!symlink("../outside", in(dir, name));
	}
}

/* Move the directory that is being emptied: its ".." is elsewhere then. */
static void move_away(const char *dir)
{
	wait_for_begin(dir, "t/x");
	(void)!rename(in(dir, "t/x"), in(dir, "outside/x"));
}

static void make_siblings(const char *dir, const char *top)
{
	char name[64];

	for (int i = 0; i < SIBLINGS; i++) {
		snprintf(name, sizeof(name), "%s/k%d", top, i);
		assert_int_equal(mkdir(in(dir, name), 0700), 0);
		snprintf(name, sizeof(name), "%s/k%d/keep", top, i);
		put_file(in(dir, name), "x", 1);
	}
}

static bool all_kept(const char *dir)
{
	char name[64];

	for (int i = 0; i < SIBLINGS; i++) {
		snprintf(name, sizeof(name), "outside/k%d/keep", i);
		if (!is_there(in(dir, name)))
			return false;
	}
	return true;
}

/* Race until he was in time at least once. */
static void race(const char *dir, void (*racer)(const char *dir), bool nested)
{
	int hits = 0;
	struct why w;

	for (int i = 0; i < ROUNDS && hits < 3; i++) {
		char *t = xstrdup(in(dir, "t"));
		pid_t pid;

		assert_int_equal(mkdir(in(dir, "outside"), 0700), 0);
		assert_int_equal(mkdir(in(dir, "away"), 0700), 0);
		make_siblings(dir, "outside");
		if (nested) {
			assert_int_equal(mkdir(t, 0700), 0);
			make_siblings(dir, "t");
			grow(dir, "t/x");
		} else {
			grow(dir, "t");
		}
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			racer(dir);
			_exit(0);
		}
		hits += dir_remove(t, &w) != OK;
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_true(all_kept(dir));
		assert_int_equal(dir_remove(t, &w), OK);
		assert_int_equal(dir_remove(in(dir, "away"), &w), OK);
		assert_int_equal(dir_remove(in(dir, "outside"), &w), OK);
		free(t);
	}
	if (hits == 0) {
		print_message("nobody came between in %d rounds\n", ROUNDS);
		skip();
	}
}

static void links_put_in_its_way_are_not_followed(void **state)
{
	race(*state, swap_for_links, false);
}

static void a_moved_directory_leads_nowhere(void **state)
{
	race(*state, move_away, true);
}

#define IN_TMPDIR(test) cmocka_unit_test_setup_teardown(test, tmpdir_setup, tmpdir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        IN_TMPDIR(makes),
	        IN_TMPDIR(removes_without_following),
	        cmocka_unit_test(refuses_what_has_no_name),
	        IN_TMPDIR(opens_closed_directories),
	        IN_TMPDIR(copes_with_depth),
	        IN_TMPDIR(copes_with_width),
	        IN_TMPDIR(measures),
	        IN_TMPDIR(links_put_in_its_way_are_not_followed),
	        IN_TMPDIR(a_moved_directory_leads_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
