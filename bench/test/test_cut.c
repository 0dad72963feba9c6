/* What a cut names, what it leaves, and in how many pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/cut.h"

#define KIB  1024ul
#define SIZE (1024 * KIB)

static void parts_of_a_block(void **state)
{
	static const struct {
		size_t page, bytes, from;
		uint64_t left, pieces; /* of 16 blocks */
	} cases[] = {
	        /* in mid-block: what stays between two parts is one piece */
	        {4 * KIB, 4 * KIB, 28 * KIB, 17, 33},
	        {4 * KIB, 8 * KIB, 28 * KIB, 17, 33},
	        {4 * KIB, 56 * KIB, 4 * KIB, 17, 33},
	        /* from the block's first byte */
	        {4 * KIB, 60 * KIB, 0, 16, 32},
	        {16 * KIB, 2032 * KIB, 0, 16, 32},
	        /* blocks of 2M: 128 pages of 16K, 32 pages of 64K */
	        {16 * KIB, 16 * KIB, 1008 * KIB, 17, 33},
	        {64 * KIB, 64 * KIB, 960 * KIB, 17, 33},
	        {64 * KIB, 128 * KIB, 960 * KIB, 17, 33},
	        /* all of it: nothing stays, and the parts touch */
	        {4 * KIB, 64 * KIB, 0, 0, 1},
	        {16 * KIB, 2048 * KIB, 0, 0, 1},
	        {64 * KIB, 2048 * KIB, 0, 0, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cut c = cut_block(cases[i].bytes, cases[i].page);
		size_t in = 0, block = block_bytes(cases[i].page), size = 16 * block;

		assert_int_equal(c.step, block);
		assert_int_equal(c.from, cases[i].from);
		assert_int_equal(cut_count(&c, size), 16);
		assert_int_equal(cut_left(&c, size), cases[i].left);
		assert_int_equal(cut_pieces(&c, size), cases[i].pieces);
		for (size_t at = 0; at < size; at += 4 * KIB)
			in += cut_has(&c, at) ? 4 * KIB : 0;
		assert_int_equal(in, 16 * cases[i].bytes);
		assert_int_equal(cut_has(&c, 0), c.from == 0);
		assert_int_equal(cut_has(&c, block + c.from), true);
		assert_int_equal(cut_has(&c, block + c.from + c.len), c.len == block);
	}
}

static void the_whole_and_nothing(void **state)
{
	struct cut all = cut_all(SIZE), pages = cut_all(4 * KIB), none = {0};

	(void)state;
	assert_int_equal(cut_count(&all, SIZE), 1);
	assert_int_equal(cut_left(&all, SIZE), 0);
	assert_int_equal(cut_pieces(&all, SIZE), 1);
	assert_true(cut_has(&all, SIZE - 1));
	assert_int_equal(cut_count(&pages, SIZE), 256);
	assert_int_equal(cut_left(&pages, SIZE), 0);
	assert_int_equal(cut_count(&none, SIZE), 0);
	assert_int_equal(cut_left(&none, SIZE), 1);
	assert_int_equal(cut_pieces(&none, SIZE), 1);
	assert_false(cut_has(&none, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(parts_of_a_block),
	        cmocka_unit_test(the_whole_and_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
