#include "agent/outfile.h"

#include "lib/file.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/var/tmp/foldwatch-outfile-XXXXXX";
static char *root, *secret, *to;

static void put(const char *name, const char *text)
{
	char *path = path_join(root, name);
	struct why w;

	assert_int_equal(file_write(path, text, strlen(text), 0644, &w), OK);
	free(path);
}

static void link_to(const char *target, const char *name)
{
	char *path = path_join(root, name);

	assert_int_equal(symlink(target, path), 0);
	free(path);
}

static int setup(void **state)
{
	char *sub;
	struct why w;

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	root = path_join(dir, "out");
	secret = path_join(dir, "token");
	to = path_join(dir, "copy");
	sub = path_join(root, "arch/boot");
	assert_int_equal(dir_make(sub, 0755, &w), OK);
	assert_int_equal(file_write(secret, "secret", 6, 0600, &w), OK);
	put("arch/boot/Image", "kernel");
	put("empty", "");
	link_to(secret, "absolute");
	link_to("../token", "relative");
	link_to("..", "up");
	link_to("arch", "inside");
	free(sub);
	sub = path_join(root, "pipe");
	assert_int_equal(mkfifo(sub, 0644), 0);
	free(sub);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(root);
	free(secret);
	free(to);
	return dir_remove(dir, NULL) ? -1 : 0;
}

static void test_copies(void **state)
{
	struct buf b;
	int64_t bytes;
	struct why w;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(outfile_copy(root, "arch/boot/Image", to, 6, &bytes, &w), OK);
	assert_int_equal(bytes, 6);
	assert_int_equal(file_read(to, &b, &w), OK);
	assert_string_equal(b.data, "kernel");
	/* Over what stands there. */
	assert_int_equal(outfile_copy(root, "empty", to, 6, &bytes, &w), OK);
	assert_int_equal(bytes, 0);
	buf_reset(&b);
	assert_int_equal(outfile_read(root, "arch/boot/Image", &b, &w), OK);
	assert_string_equal(b.data, "kernel");
	buf_release(&b);
}

static void test_never_out_of_it(void **state)
{
	static const char *const names[] = {"absolute",          "relative", "up/token", "../token",
	                                    "inside/boot/Image", "pipe",     "arch",     "."};
	struct buf b;
	struct why w;
	size_t i;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(file_remove(to, &w), OK);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (outfile_read(root, names[i], &b, &w) == OK ||
		    outfile_copy(root, names[i], to, 100, NULL, &w) == OK)
			fail_msg("%s was read: %s", names[i], b.data);
		assert_int_equal(b.len, 0);
		assert_false(path_exists(to));
	}
	assert_int_equal(outfile_read(root, "none", &b, &w), ERR_NOT_FOUND);
	assert_int_equal(outfile_read(secret, "x", &b, &w), ERR_IO);
	buf_release(&b);
}

static void test_too_large(void **state)
{
	struct buf b;
	struct why w;

	(void)state;
	buf_init(&b, 5);
	assert_int_equal(outfile_read(root, "arch/boot/Image", &b, &w), ERR_TOO_LARGE);
	assert_int_equal(outfile_copy(root, "arch/boot/Image", to, 5, NULL, &w), ERR_TOO_LARGE);
	assert_false(path_exists(to));
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_copies),
	        cmocka_unit_test(test_never_out_of_it),
	        cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
