/* zstd frames: a round trip, and everything that is not quite one. */
#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/zst.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "lib/test/mutate.h"

#define MAX (1 << 20)

static void round_trip(const void *data, size_t len)
{
	struct buf frame, back;
	struct why w;

	buf_init(&frame, 2 * MAX);
	buf_init(&back, len + 2);
	buf_adds(&frame, "x");
	buf_adds(&back, "yz");
	assert_int_equal(zst_pack(data, len, 3, &frame, &w), OK);
	assert_int_equal(zst_unpack(frame.data + 1, frame.len - 1, &back, &w), OK);
	assert_int_equal(back.len, len + 2);
	assert_memory_equal(back.data, "yz", 2);
	assert_memory_equal(back.data + 2, data, len);
	/* one byte of room less */
	buf_release(&back);
	buf_init(&back, len + 1);
	buf_adds(&back, "yz");
	if (len > 0) {
		assert_int_equal(zst_unpack(frame.data + 1, frame.len - 1, &back, &w),
		                 ERR_TOO_LARGE);
		assert_int_equal(back.len, 2);
		/* refused by what it promises, before memory is taken for it */
		assert_true(str_starts(w.text, "a zstd frame that holds "));
	}
	buf_release(&back);
	buf_release(&frame);
}

static void returns_what_went_in(void **state)
{
	char *random = xmalloc(300000), *same = xcalloc(MAX, 1);

	(void)state;
	random_bytes(random, 300000);
	round_trip("", 0);
	round_trip("a", 1);
	round_trip("a\0b", 3);
	round_trip(random, 300000);
	round_trip(same, MAX);
	free(random);
	free(same);
}

static void refuses(void **state)
{
	/* a skippable frame, RFC 8878 section 3.1.2 */
	static const char skippable[] = "\x50\x2a\x4d\x18\x04\x00\x00\x00"
	                                "wxyz";
	struct buf frame, small, out;
	char text[5000];
	struct why w;

	(void)state;
	memset(text, 'a', sizeof(text));
	buf_init(&frame, MAX);
	buf_init(&out, MAX);
	assert_int_equal(zst_pack(text, sizeof(text), 3, &frame, &w), OK);
	for (size_t len = 0; len < frame.len; len++)
		assert_int_equal(zst_unpack(frame.data, len, &out, &w), ERR_INPUT);
	assert_int_equal(zst_unpack("", 0, &out, &w), ERR_INPUT);
	assert_int_equal(zst_unpack("plain text, no frame", 20, &out, &w), ERR_INPUT);
	assert_string_equal(w.text, "not a zstd frame (20 bytes)");
	assert_int_equal(zst_unpack(skippable, 12, &out, &w), ERR_INPUT);
	/* two frames, or one and something */
	buf_addc(&frame, 'x');
	assert_int_equal(zst_unpack(frame.data, frame.len, &out, &w), ERR_INPUT);
	assert_non_null(strstr(w.text, "1 bytes follow a zstd frame"));
	assert_int_equal(out.len, 0);
	buf_init(&small, 5);
	assert_int_equal(zst_pack(text, sizeof(text), 3, &small, &w), ERR_TOO_LARGE);
	assert_int_equal(small.len, 0);
	buf_release(&frame);
	buf_release(&out);
	buf_release(&small);
}

/* Streams carry no size; how much they would take cannot be known before. */
static void refuses_frames_without_a_size(void **state)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	char frame[200];
	struct buf out;
	struct why w;
	size_t n;

	(void)state;
	ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
	n = ZSTD_compress2(c, frame, sizeof(frame), "abc", 3);
	assert_false(ZSTD_isError(n));
	buf_init(&out, 100);
	assert_int_equal(zst_unpack(frame, n, &out, &w), ERR_INPUT);
	assert_string_equal(w.text, "a zstd frame that does not tell its size");
	buf_release(&out);
	ZSTD_freeCCtx(c);
}

static void mutated(const char *data, size_t len)
{
	struct buf out;
	struct why w = {""};

	buf_init(&out, MAX);
	if (zst_unpack(data, len, &out, &w) != OK) {
		assert_int_equal(out.len, 0);
		assert_true(strlen(w.text) > 0);
	}
	buf_release(&out);
}

static void survives_mutation(void **state)
{
	struct buf frame;
	char text[3000];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i * i % 13);
	buf_init(&frame, MAX);
	assert_int_equal(zst_pack(text, sizeof(text), 3, &frame, NULL), OK);
	mutate(frame.data, frame.len, 6000, mutated);
	buf_release(&frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(returns_what_went_in),
	        cmocka_unit_test(refuses),
	        cmocka_unit_test(refuses_frames_without_a_size),
	        cmocka_unit_test(survives_mutation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
