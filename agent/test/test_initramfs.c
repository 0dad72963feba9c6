#include "agent/initramfs.h"

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/var/tmp/foldwatch-initramfs-XXXXXX";
static const char init_text[] = "\177ELF not really";

static int setup(void **state)
{
	char *path;
	struct why w;

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	path = path_join(dir, "init");
	assert_int_equal(file_write(path, init_text, sizeof(init_text) - 1, 0755, &w), OK);
	free(path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return dir_remove(dir, NULL) ? -1 : 0;
}

static const struct {
	const char *name;
	mode_t mode;
} wanted[] = {
        {"dev", S_IFDIR | 0755},  {"dev/console", S_IFCHR | 0600}, {"proc", S_IFDIR | 0755},
        {"sys", S_IFDIR | 0755},  {"tmp", S_IFDIR | 01777},        {"init", S_IFREG | 0755},
        {"plan", S_IFREG | 0644},
};

static void test_content(void **state)
{
	static const char plan[] = "fork/order=0,size=16M runs=1\n";
	char *out = path_join(dir, "a.cpio"), *init = path_join(dir, "init"), data[64];
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	struct buf raw;
	struct why w;
	size_t i;

	(void)state;
	buf_init(&raw, 1 << 20);
	if (initramfs_write(out, init, plan, sizeof(plan) - 1, &w))
		fail_msg("%s", w.text);
	assert_int_equal(file_read(out, &raw, &w), OK);
	/* The format that the kernel reads (Documentation/driver-api/early-userspace). */
	assert_memory_equal(raw.data, "070701", 6);
	archive_read_support_format_cpio(a);
	assert_int_equal(archive_read_open_filename(a, out, 4096), ARCHIVE_OK);
	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		assert_int_equal(archive_read_next_header(a, &entry), ARCHIVE_OK);
		assert_string_equal(archive_entry_pathname(entry), wanted[i].name);
		assert_int_equal(archive_entry_mode(entry), wanted[i].mode);
		assert_int_equal(archive_entry_mtime(entry), 0);
		assert_int_equal(archive_entry_uid(entry), 0);
		if (S_ISCHR(wanted[i].mode)) {
			assert_int_equal(archive_entry_rdevmajor(entry), 5);
			assert_int_equal(archive_entry_rdevminor(entry), 1);
		}
		if (str_eq(wanted[i].name, "init")) {
			assert_int_equal(archive_read_data(a, data, sizeof(data)),
			                 sizeof(init_text) - 1);
			assert_memory_equal(data, init_text, sizeof(init_text) - 1);
		}
		if (str_eq(wanted[i].name, "plan")) {
			assert_int_equal(archive_read_data(a, data, sizeof(data)),
			                 sizeof(plan) - 1);
			assert_memory_equal(data, plan, sizeof(plan) - 1);
		}
	}
	assert_int_equal(archive_read_next_header(a, &entry), ARCHIVE_EOF);
	archive_read_free(a);
	buf_release(&raw);
	free(out);
	free(init);
}

static void test_same_bytes(void **state)
{
	char *one = path_join(dir, "one"), *two = path_join(dir, "two"),
	     *init = path_join(dir, "init");
	struct buf a, b;
	struct why w;

	(void)state;
	buf_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	assert_int_equal(initramfs_write(one, init, "x\n", 2, &w), OK);
	assert_int_equal(utimensat(AT_FDCWD, init, NULL, 0), 0);
	assert_int_equal(initramfs_write(two, init, "x\n", 2, &w), OK);
	/* Over an older one that is longer. */
	assert_int_equal(initramfs_write(one, init, "", 0, &w), OK);
	assert_int_equal(initramfs_write(one, init, "x\n", 2, &w), OK);
	assert_int_equal(file_read(one, &a, &w), OK);
	assert_int_equal(file_read(two, &b, &w), OK);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	buf_release(&a);
	buf_release(&b);
	free(one);
	free(two);
	free(init);
}

static void test_errors(void **state)
{
	char *out = path_join(dir, "out"), *init = path_join(dir, "init"),
	     *text = path_join(dir, "t"), *nowhere = path_join(dir, "no/such/place");
	struct why w;

	(void)state;
	assert_int_equal(initramfs_write(out, nowhere, "", 0, &w), ERR_NOT_FOUND);
	assert_int_equal(initramfs_write(nowhere, init, "", 0, &w), ERR_IO);
	assert_int_equal(file_write(text, "#!/bin/sh\n", 10, 0755, &w), OK);
	assert_int_equal(initramfs_write(out, text, "", 0, &w), ERR_INPUT);
	assert_int_equal(file_write(text, "", 0, 0755, &w), OK);
	assert_int_equal(initramfs_write(out, text, "", 0, &w), ERR_INPUT);
	free(out);
	free(init);
	free(text);
	free(nowhere);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_content),
	        cmocka_unit_test(test_same_bytes),
	        cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
