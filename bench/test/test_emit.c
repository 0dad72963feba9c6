/* JSON Lines out: escaping, the CRC, and results that are torn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/emit.h"
#include "lib/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void crc_known_answers(void **state)
{
	uint32_t crc = 0;

	(void)state;
	assert_int_equal(crc32_ieee(0, "", 0), 0);
	assert_int_equal(crc32_ieee(0, "123456789", 9), 0xcbf43926u);
	assert_int_equal(crc32_ieee(0, "a", 1), 0xe8b7be43u);
	for (const char *p = "123456789"; *p; p++)
		crc = crc32_ieee(crc, p, 1);
	assert_int_equal(crc, 0xcbf43926u);
}

static void quoted(const char *in, const char *expected)
{
	char memory[512];
	struct emit e;

	emit_init(&e, memory, sizeof(memory));
	emit_open(&e, NULL);
	emit_str(&e, "k", in);
	emit_close(&e);
	assert_false(e.full);
	assert_int_equal(e.len, strlen(expected));
	assert_memory_equal(memory, expected, e.len);
}

static void escapes_to_ascii(void **state)
{
	(void)state;
	quoted("", "{\"k\":\"\"}");
	quoted("a\"b\\c", "{\"k\":\"a\\\"b\\\\c\"}");
	quoted("\n\t\x01\x7f", "{\"k\":\"\\u000a\\u0009\\u0001\\u007f\"}");
	quoted("\xc3\xa9", "{\"k\":\"\\u00e9\"}");
	quoted("\xe2\x82\xac", "{\"k\":\"\\u20ac\"}");
	quoted("\xf0\x9f\x98\x80", "{\"k\":\"\\ud83d\\ude00\"}");
	/* not UTF-8: overlong, surrogate, past the end, cut, a lone tail */
	quoted("\xc0\xaf", "{\"k\":\"\\ufffd\\ufffd\"}");
	quoted("\xed\xa0\x80", "{\"k\":\"\\ufffd\\ufffd\\ufffd\"}");
	quoted("\xf4\x90\x80\x80", "{\"k\":\"\\ufffd\\ufffd\\ufffd\\ufffd\"}");
	quoted("\xe2\x82", "{\"k\":\"\\ufffd\\ufffd\"}");
	quoted("x\x80y", "{\"k\":\"x\\ufffdy\"}");
	quoted("\xff", "{\"k\":\"\\ufffd\"}");
}

static size_t whole_result(char *memory, size_t size)
{
	struct emit e;

	emit_init(&e, memory, size);
	emit_open(&e, NULL);
	emit_str(&e, "type", "begin");
	emit_u64(&e, "format", 1);
	emit_open(&e, "env");
	emit_bool(&e, "a", true);
	emit_bool(&e, "b", false);
	emit_close(&e);
	emit_close(&e);
	emit_newline(&e);
	emit_open(&e, NULL);
	emit_str(&e, "type", "run");
	emit_array(&e, "samples");
	emit_u64(&e, NULL, 0);
	emit_u64(&e, NULL, UINT64_MAX);
	emit_array_close(&e);
	emit_array(&e, "none");
	emit_array_close(&e);
	emit_str(&e, "last", "x");
	emit_close(&e);
	emit_newline(&e);
	emit_end(&e, 1, 512);
	assert_false(e.full);
	return e.len;
}

static void is_json_line_by_line(void **state)
{
	static const char expected[] =
	        "{\"type\":\"begin\",\"format\":1,\"env\":{\"a\":true,\"b\":false}}\n"
	        "{\"type\":\"run\",\"samples\":[0,18446744073709551615],\"none\":[],\"last\":\"x\"}"
	        "\n"
	        "{\"type\":\"end\",\"runs\":1,\"taint\":512,\"bytes\":";
	char memory[1024];
	size_t len = whole_result(memory, sizeof(memory));

	(void)state;
	assert_true(len > sizeof(expected));
	assert_memory_equal(memory, expected, sizeof(expected) - 1);
	assert_int_equal(memory[len - 1], '\n');
}

static void knows_a_torn_result(void **state)
{
	char memory[1024], copy[1024];
	size_t len = whole_result(memory, sizeof(memory));

	(void)state;
	assert_int_equal(emit_check(memory, len), EMIT_WHOLE);
	assert_int_equal(emit_check(memory, 0), EMIT_EMPTY);
	for (size_t n = 1; n < len; n++)
		assert_int_equal(emit_check(memory, n), EMIT_TORN);
	/* One changed byte anywhere before the closing line. */
	for (size_t i = 0; i < len; i++) {
		memcpy(copy, memory, len);
		copy[i] ^= 1;
		if (strstr(memory, "{\"type\":\"end\"") - memory > (ptrdiff_t)i)
			assert_int_equal(emit_check(copy, len), EMIT_TORN);
	}
	/* A lost first line. */
	assert_int_equal(emit_check(strchr(memory, '\n') + 1,
	                            len - (size_t)(strchr(memory, '\n') + 1 - memory)),
	                 EMIT_TORN);
	/* Something behind the end. */
	memcpy(copy, memory, len);
	memcpy(copy + len, "{}\n", 3);
	assert_int_equal(emit_check(copy, len + 3), EMIT_TORN);
}

static void says_when_full(void **state)
{
	char memory[1024];
	size_t len = whole_result(memory, sizeof(memory));

	(void)state;
	for (size_t size = 0; size < len; size++) {
		char *small = malloc(size ? size : 1);
		struct emit e;

		assert_non_null(small);
		emit_init(&e, small, size);
		for (int i = 0; i < 200 && !e.full; i++)
			emit_u64(&e, "k", 7);
		assert_true(e.full);
		assert_true(e.len <= size);
		free(small);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(crc_known_answers),    cmocka_unit_test(escapes_to_ascii),
	        cmocka_unit_test(is_json_line_by_line), cmocka_unit_test(knows_a_torn_result),
	        cmocka_unit_test(says_when_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
