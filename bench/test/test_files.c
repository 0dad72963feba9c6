/* Exercises of files on this machine's own file system: a kernel that does them right,
 * and what is said of a byte that is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/files.h"
#include "lib/test/tmpdir.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct files_tally tally;
static struct files f;
static int said[2];

static int setup(void **state)
{
	tmpdir_setup(state);
	tally = (struct files_tally){.now = "test"};
	f = (struct files){.dir = open(*state, O_RDONLY | O_DIRECTORY),
	                   .page = (size_t)sysconf(_SC_PAGESIZE),
	                   .buf = aligned_alloc(65536, FILES_CHUNK),
	                   .tally = &tally};
	assert_true(f.dir >= 0);
	assert_int_equal(pipe2(said, O_NONBLOCK), 0);
	f.log = said[1];
	return 0;
}

static int teardown(void **state)
{
	close(f.dir);
	close(said[0]);
	close(said[1]);
	free(f.buf);
	return tmpdir_teardown(state);
}

static const char *log_says(void)
{
	static char text[4096];
	ssize_t n = read(said[0], text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void words(void **state)
{
	char some[24];

	(void)state;
	files_fill(some, 4096, 20, 3);
	assert_true(files_same(&f, "a", some, 4096, 20, 3));
	some[19] ^= 1;
	assert_false(files_same(&f, "a", some, 4096, 20, 3));
	assert_non_null(
	        strstr(log_says(), "<2>BUG: foldbench: files: test: a: at offset 0x1010 is "));
	files_fill(some, 4096, 24, 3);
	/* Of another place, or another file. */
	assert_false(files_same(&f, "a", some, 8192, 24, 3));
	assert_false(files_same(&f, "a", some, 4096, 24, 4));
	memset(some, 0, sizeof(some));
	assert_false(files_same(&f, "lost", some, 4096, 24, 3));
	assert_true(files_zero(&f, "hole", some, sizeof(some)));
	some[23] = 5;
	log_says();
	assert_false(files_zero(&f, "hole", some, sizeof(some)));
	assert_string_equal(log_says(),
	                    "<2>BUG: foldbench: files: test: hole: byte 23 of 24 is 05, not 0\n");
	assert_int_equal(tally.wrong, 5);
	assert_int_equal(tally.checks, 7);
}

static void exercises(void **state)
{
	(void)state;
	for (const struct files_exercise *x = files_exercises; x->name; x++) {
		uint64_t before = tally.checks;

		snprintf(tally.now, sizeof(tally.now), "%s", x->name);
		if (!x->run(&f)) {
			print_message("left out here: %s\n", x->name);
			continue;
		}
		assert_string_equal(log_says(), "");
		assert_true(tally.checks > before);
	}
	assert_int_equal(tally.wrong, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(words, setup, teardown),
	        cmocka_unit_test_setup_teardown(exercises, setup, teardown),
	};

	/* What "a program" runs is a copy of this one. */
	if (argc == 2 && !strcmp(argv[1], "list"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
