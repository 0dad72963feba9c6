/* Files: whole or not at all, and nothing left behind; locks; paths. */
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/test/tmpdir.h"

static void check_file(const char *path, const char *want, mode_t mode)
{
	char *text = get_file(path);
	struct stat st;

	assert_non_null(text);
	assert_string_equal(text, want);
	free(text);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, mode);
}

static void writes_and_replaces(void **state)
{
	const char *dir = *state, *f = in(dir, "f");
	mode_t old = umask(077);
	struct why w;

	assert_int_equal(file_write(f, "one", 3, 0644, &w), OK);
	check_file(f, "one", 0644); /* umask has no say */
	assert_int_equal(file_write(f, "", 0, 0600, &w), OK);
	check_file(f, "", 0600);
	/* a link is replaced, what it points to stays */
	put_file(in(dir, "target"), "mine", 4);
	assert_int_equal(symlink("target", in(dir, "link")), 0);
	assert_int_equal(file_write(in(dir, "link"), "two", 3, 0400, &w), OK);
	check_file(in(dir, "link"), "two", 0400);
	check_file(in(dir, "target"), "mine", 0600);
	assert_int_equal(count_entries(dir), 3);
	umask(old);
}

static void a_failed_write_leaves_nothing(void **state)
{
	const char *dir = *state;
	struct why w;

	assert_int_equal(file_write(in(dir, "no/f"), "x", 1, 0600, &w), ERR_NOT_FOUND);
	assert_int_equal(mkdir(in(dir, "d"), 0700), 0);
	assert_int_equal(file_write(in(dir, "d"), "x", 1, 0600, &w), ERR_IO);
	assert_non_null(strstr(w.text, "cannot replace"));
	assert_int_equal(count_entries(dir), 1);
	assert_int_equal(count_entries(in(dir, "d")), 0);
	assert_int_equal(file_write("", "x", 1, 0600, NULL), ERR_IO);
}

static void a_long_name_is_no_obstacle(void **state)
{
	char name[256];
	struct why w;

	/* the draft's name must not be made from the target's, which is at the limit */
	memset(name, 'n', 255);
	name[255] = '\0';
	assert_int_equal(file_write(in(*state, name), "x", 1, 0600, &w), OK);
	check_file(in(*state, name), "x", 0600);
}

/* Exit code of a child that may not mount. */
#define CANNOT 77

static bool tell(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool told = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return told;
}

/* Become the root of a user namespace where we are none: without a mapping,
 * nothing could be created in what gets mounted there. */
static bool may_mount(void)
{
	char uid[64], gid[64];

	if (unshare(CLONE_NEWNS) == 0)
		return true;
	snprintf(uid, sizeof(uid), "0 %u 1\n", (unsigned int)getuid());
	snprintf(gid, sizeof(gid), "0 %u 1\n", (unsigned int)getgid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && tell("/proc/self/uid_map", uid) &&
	       tell("/proc/self/setgroups", "deny") && tell("/proc/self/gid_map", gid);
}

/* Mount a disk of 256 KiB on dir/disk, seen by this process alone. */
static void mount_disk(const char *dir)
{
	if (!may_mount() || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", in(dir, "disk"), "tmpfs", 0, "size=256k") != 0)
		_exit(CANNOT);
}

static void expect(bool ok, int code)
{
	if (!ok)
		_exit(code);
}

static void fill_the_disk(void *arg)
{
	char *dir = arg, *big = xcalloc(1, 1 << 20), *text;
	struct why w;

	mount_disk(dir);
	expect(file_write(in(dir, "disk/f"), "old", 3, 0600, &w) == OK, 1);
	expect(file_write(in(dir, "disk/f"), big, 1 << 20, 0600, &w) == ERR_NO_SPACE, 2);
	expect(strstr(w.text, "No space left on device") != NULL, 3);
	expect(count_entries(in(dir, "disk")) == 1, 4);
	/* from another file system, where the kernel cannot share blocks */
	put_file(in(dir, "big"), big, 1 << 20);
	expect(file_copy(in(dir, "big"), in(dir, "disk/f"), &w) == ERR_NO_SPACE, 5);
	expect(count_entries(in(dir, "disk")) == 1, 6);
	text = get_file(in(dir, "disk/f"));
	expect(text && str_eq(text, "old"), 7);
	put_file(in(dir, "small"), "new", 3);
	expect(file_copy(in(dir, "small"), in(dir, "disk/f"), &w) == OK, 8);
	/* and what is mounted is never emptied by dir_remove() */
	expect(dir_remove(dir, &w) == ERR_IO, 9);
	expect(strstr(w.text, "cannot remove") != NULL, 10);
	expect(is_there(in(dir, "disk/f")), 11);
	expect(dir_remove(in(dir, "disk"), &w) == ERR_IO, 12);
	expect(is_there(in(dir, "disk/f")), 13);
	free(text);
	free(big);
	_exit(0);
}

static void survives_a_full_disk(void **state)
{
	int status;

	assert_int_equal(mkdir(in(*state, "disk"), 0700), 0);
	status = in_child(fill_the_disk, *state, NULL, 0);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == CANNOT) {
		print_message("mounting is not allowed here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void hit_the_limit(void *arg)
{
	const struct rlimit limit = {4096, 4096};
	char data[8192] = {0};
	struct why w;

	signal(SIGXFSZ, SIG_IGN);
	expect(setrlimit(RLIMIT_FSIZE, &limit) == 0, 1);
	expect(file_write(in(arg, "f"), data, sizeof(data), 0600, &w) == ERR_IO, 2);
	expect(strstr(w.text, "File too large") != NULL, 3);
	expect(count_entries(arg) == 0, 4);
	_exit(0);
}

static void a_torn_write_is_an_error(void **state)
{
	/* half of it is written when the second write fails */
	assert_int_equal(in_child(hit_the_limit, *state, NULL, 0), 0);
}

static void reads(void **state)
{
	char *big = xmalloc(200001);
	struct why w;
	struct buf b;

	memset(big, 'x', 200001);
	put_file(in(*state, "f"), "a\0b", 3);
	put_file(in(*state, "big"), big, 200001);
	buf_init(&b, 200000);
	assert_int_equal(file_read(in(*state, "f"), &b, &w), OK);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "a\0b", 4);
	/* what was in it stays */
	assert_int_equal(file_read(in(*state, "big"), &b, &w), ERR_TOO_LARGE);
	assert_non_null(strstr(w.text, "larger than the 199997 bytes allowed"));
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "a\0b", 4);
	buf_release(&b);
	buf_init(&b, 200001);
	assert_int_equal(file_read(in(*state, "big"), &b, &w), OK);
	assert_int_equal(b.len, 200001);
	assert_memory_equal(b.data, big, 200001);
	buf_reset(&b);
	/* a length of 0 is told for these */
	assert_int_equal(file_read("/proc/self/status", &b, &w), OK);
	assert_true(str_starts(b.data, "Name:"));
	assert_int_equal(file_read(in(*state, "none"), &b, &w), ERR_NOT_FOUND);
	assert_int_equal(file_read(*state, &b, &w), ERR_IO);
	assert_non_null(strstr(w.text, "Is a directory"));
	buf_release(&b);
	free(big);
}

static void renames_and_removes(void **state)
{
	const char *dir = *state;
	struct why w;

	put_file(in(dir, "a"), "a", 1);
	put_file(in(dir, "b"), "b", 1);
	assert_int_equal(mkdir(in(dir, "d"), 0700), 0);
	assert_int_equal(file_rename(in(dir, "a"), in(dir, "b"), &w), OK);
	assert_int_equal(file_rename(in(dir, "b"), in(dir, "d/c"), &w), OK);
	check_file(in(dir, "d/c"), "a", 0600);
	assert_false(is_there(in(dir, "a")) || is_there(in(dir, "b")));
	assert_int_equal(file_rename(in(dir, "d"), in(dir, "e"), &w), OK);
	assert_int_equal(file_rename(in(dir, "d"), in(dir, "f"), &w), ERR_NOT_FOUND);
	assert_int_equal(file_rename(in(dir, "e/c"), in(dir, "x/c"), &w), ERR_NOT_FOUND);
	assert_int_equal(file_remove(in(dir, "e/c"), &w), OK);
	assert_int_equal(file_remove(in(dir, "e/c"), &w), OK);
	assert_int_equal(file_remove(in(dir, "e"), &w), ERR_IO);
	assert_true(is_there(in(dir, "e")));
}

static void copies(void **state)
{
	const char *dir = *state;
	char *big = xmalloc(300000), a[SHA256_HEX], b[SHA256_HEX];
	struct why w;
	struct stat st;

	random_bytes(big, 300000);
	put_file(in(dir, "big"), big, 300000);
	assert_int_equal(chmod(in(dir, "big"), 04751), 0);
	assert_int_equal(file_copy(in(dir, "big"), in(dir, "copy"), &w), OK);
	assert_int_equal(hash_file(in(dir, "big"), a, NULL, &w), OK);
	assert_int_equal(hash_file(in(dir, "copy"), b, NULL, &w), OK);
	assert_string_equal(a, b);
	assert_int_equal(stat(in(dir, "copy"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0751);
	put_file(in(dir, "empty"), "", 0);
	assert_int_equal(file_copy(in(dir, "empty"), in(dir, "copy"), &w), OK);
	check_file(in(dir, "copy"), "", 0600);
	/* neither reflinks nor copy_file_range() know these */
	assert_int_equal(file_copy("/proc/self/maps", in(dir, "copy"), &w), OK);
	assert_int_equal(stat(in(dir, "copy"), &st), 0);
	assert_true(st.st_size > 100);
	assert_int_equal(file_copy(in(dir, "none"), in(dir, "copy"), &w), ERR_NOT_FOUND);
	assert_int_equal(file_copy(dir, in(dir, "copy"), &w), ERR_INPUT);
	assert_int_equal(mkfifo(in(dir, "fifo"), 0600), 0);
	assert_int_equal(file_copy(in(dir, "fifo"), in(dir, "copy"), &w), ERR_INPUT);
	assert_int_equal(file_copy(in(dir, "big"), in(dir, "no/copy"), &w), ERR_NOT_FOUND);
	assert_int_equal(count_entries(dir), 4);
	free(big);
}

struct contest {
	const char *path;
	enum err want;
	char text[sizeof(struct why)];
};

static void try_lock(void *arg)
{
	struct contest *c = arg;
	struct why w = {""};
	int fd;
	enum err e = file_lock(c->path, &fd, &w);

	dprintf(STDERR_FILENO, "%s", w.text);
	_exit(e == c->want && (e == OK) == (fd >= 0) ? 0 : 1);
}

static void locks(void **state)
{
	struct contest c = {.path = in(*state, "lock"), .want = ERR_CONFLICT};
	char want[64];
	struct why w;
	int fd;

	put_file(c.path, "4294967295\nand more from before\n", 31);
	assert_int_equal(file_lock(c.path, &fd, &w), OK);
	snprintf(want, sizeof(want), "is locked by process %ld", (long)getpid());
	assert_int_equal(in_child(try_lock, &c, c.text, sizeof(c.text)), 0);
	assert_true(str_ends(c.text, want));
	/* a holder whose file tells nothing */
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(in_child(try_lock, &c, c.text, sizeof(c.text)), 0);
	assert_true(str_ends(c.text, "is locked by another process"));
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	c.want = OK;
	assert_int_equal(in_child(try_lock, &c, NULL, 0), 0);
	/* that holder is gone, and with it its lock */
	assert_int_equal(file_lock(c.path, &fd, &w), OK);
	close(fd);
	assert_int_equal(file_lock(in(*state, "no/lock"), &fd, &w), ERR_NOT_FOUND);
	assert_int_equal(symlink("lock", in(*state, "link")), 0);
	assert_int_equal(file_lock(in(*state, "link"), &fd, &w), ERR_IO);
	assert_int_equal(fd, -1);
}

static void free_space(void **state)
{
	uint64_t bytes = 0;
	struct why w;

	assert_int_equal(disk_free(*state, &bytes, &w), OK);
	assert_true(bytes > 0);
	assert_int_equal(disk_free(in(*state, "none"), &bytes, &w), ERR_NOT_FOUND);
}

static void paths(void **state)
{
	static const char *const safe[] = {"a",  "a/b",     "...",      "a..b",
	                                   ".a", "a/.b/c.", "\xc3\xa9", " "};
	static const char *const unsafe[] = {"",     "/",      "/a",   "a/",    "a//b",
	                                     ".",    "..",     "./a",  "a/.",   "a/..",
	                                     "../a", "a/../b", "a\nb", "a\x7f", "\x1b"};
	char *p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(safe); i++)
		assert_true(path_is_safe(safe[i]));
	for (size_t i = 0; i < ARRAY_SIZE(unsafe); i++)
		assert_false(path_is_safe(unsafe[i]));
	p = path_join("a", "b");
	assert_string_equal(p, "a/b");
	free(p);
	p = path_join("a/", "b");
	assert_string_equal(p, "a/b");
	free(p);
	p = path_join("/", "b");
	assert_string_equal(p, "/b");
	free(p);
	p = path_join("", "b");
	assert_string_equal(p, "b");
	free(p);
	assert_string_equal(path_base("a/b"), "b");
	assert_string_equal(path_base("b"), "b");
	assert_string_equal(path_base("a/"), "");
	assert_true(path_exists("/"));
	assert_false(path_exists("/nothing/here"));
}

#define IN_TMPDIR(test) cmocka_unit_test_setup_teardown(test, tmpdir_setup, tmpdir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        IN_TMPDIR(writes_and_replaces),
	        IN_TMPDIR(a_failed_write_leaves_nothing),
	        IN_TMPDIR(a_long_name_is_no_obstacle),
	        IN_TMPDIR(survives_a_full_disk),
	        IN_TMPDIR(a_torn_write_is_an_error),
	        IN_TMPDIR(reads),
	        IN_TMPDIR(renames_and_removes),
	        IN_TMPDIR(copies),
	        IN_TMPDIR(locks),
	        IN_TMPDIR(free_space),
	        cmocka_unit_test(paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
