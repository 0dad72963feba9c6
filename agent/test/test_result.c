#include "agent/result.h"

#include "lib/buf.h"
#include "lib/hash.h"
#include "lib/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NONCE "0123456789abcdef"
#define ID    "00112233445566778899aabbccddeeff00112233"
#define BEGIN                                                                         \
	"{\"type\":\"begin\",\"format\":1,\"nonce\":\"" NONCE "\",\"build_id\":\"" ID \
	"\",\"boot_id\":\"b\",\"metric\":\"instructions\",\"taint\":0}\n"
#define RUN                                                       \
	"{\"type\":\"run\",\"case\":\"fork/"                      \
	"order=0\",\"run\":0,\"state\":\"valid\",\"samples\":[1," \
	"2]}\n"
#define SKIP "{\"type\":\"run\",\"case\":\"x\",\"run\":0,\"state\":\"skip\",\"why\":\"no\"}\n"

/* The end line with the right length and CRC over what is there. */
static void finish(struct buf *b, int runs, int taint)
{
	uint32_t crc = crc32_add(0, b->data, b->len);

	buf_addf(b,
	         "{\"type\":\"end\",\"runs\":%d,\"taint\":%d,\"bytes\":%zu,\"crc32\":\"%08x\"}\n",
	         runs, taint, b->len, crc);
}

static enum result_state check(const char *data, size_t len, struct result *r, struct why *w)
{
	json_t *ids = json_pack("[s, s]", "ff", ID);
	struct result_want want = {.nonce = NONCE, .metric = "instructions", .build_ids = ids};
	enum result_state s = result_check(data, len, &want, r, w);

	json_decref(ids);
	return s;
}

static void test_proved(void **state)
{
	struct result r;
	struct buf b;
	struct why w;

	(void)state;
	buf_init(&b, 65536);
	buf_adds(&b, BEGIN RUN SKIP);
	finish(&b, 2, 512);
	if (check(b.data, b.len, &r, &w) != RESULT_PROVED)
		fail_msg("%s", w.text);
	assert_int_equal(r.runs, 2);
	assert_int_equal(r.valid_runs, 1);
	assert_int_equal(r.taint_after, 512);
	assert_string_equal(json_str(r.begin, "boot_id", ""), "b");
	result_release(&r);
	buf_release(&b);
}

/* Cut after any byte, or with any byte changed, it is never proved. */
static void test_torn_anywhere(void **state)
{
	struct result r;
	struct buf b;
	struct why w;
	size_t i;

	(void)state;
	buf_init(&b, 65536);
	buf_adds(&b, BEGIN RUN SKIP);
	finish(&b, 2, 0);
	for (i = 0; i < b.len; i++) {
		if (check(b.data, i, &r, &w) == RESULT_PROVED)
			fail_msg("proved with %zu of %zu bytes", i, b.len);
		result_release(&r);
	}
	for (i = 0; i < sizeof(BEGIN RUN SKIP) - 1; i++) {
		b.data[i] ^= 1;
		if (check(b.data, b.len, &r, &w) == RESULT_PROVED)
			fail_msg("proved with byte %zu changed", i);
		result_release(&r);
		b.data[i] ^= 1;
	}
	buf_release(&b);
}

static void test_told_apart(void **state)
{
	static const struct {
		const char *text;
		int runs;
		enum result_state want;
		const char *says;
	} cases[] = {
	        {BEGIN RUN, 2, RESULT_TORN, "1 runs, its end line counts 2"},
	        {BEGIN, 0, RESULT_PROVED, ""},
	        {RUN, 1, RESULT_MALFORMED, "no begin line"},
	        {"", 0, RESULT_MALFORMED, "no begin line"},
	        {"{\"type\":\"begin\",\"format\":1,\"nonce\":\"ffffffffffffffff\",\"build_id\":"
	         "\"" ID "\",\"metric\":\"instructions\"}\n",
	         0, RESULT_FOREIGN, "answers nonce"},
	        {"{\"type\":\"begin\",\"format\":1,\"nonce\":\"" NONCE
	         "\",\"build_id\":\"0011\",\"metric\":\"instructions\"}\n",
	         0, RESULT_OTHER_KERNEL, "has build-id 0011"},
	        {"{\"type\":\"begin\",\"format\":1,\"nonce\":\"" NONCE
	         "\",\"metric\":\"instructions\"}\n",
	         0, RESULT_OTHER_KERNEL, "does not tell its build-id"},
	        {"{\"type\":\"begin\",\"format\":2,\"nonce\":\"" NONCE "\",\"build_id\":\"" ID
	         "\",\"metric\":\"instructions\"}\n",
	         0, RESULT_MALFORMED, "format 2"},
	        {"{\"type\":\"begin\",\"format\":1,\"nonce\":\"" NONCE "\",\"build_id\":\"" ID
	         "\",\"metric\":\"ns\"}\n",
	         0, RESULT_MALFORMED, "asked for was \"instructions\""},
	        {BEGIN "{\"type\":\"walk\"}\n", 1, RESULT_MALFORMED, "line 2"},
	        {BEGIN RUN "{\"type\":\"run\",\"x\":NaN}\n", 2, RESULT_MALFORMED, "line 3"},
	        {BEGIN "\n", 1, RESULT_MALFORMED, "line 2"},
	        {BEGIN "[]\n", 1, RESULT_MALFORMED, "line 2"},
	        {BEGIN "{\"type\":\"run\",\"case\":\"\xff\"}\n", 1, RESULT_MALFORMED, "line 2"},
	};
	struct result r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct why w = {""};
		struct buf b;
		enum result_state s;

		buf_init(&b, 65536);
		buf_adds(&b, cases[i].text);
		finish(&b, cases[i].runs, 0);
		s = check(b.data, b.len, &r, &w);
		if (s != cases[i].want || !strstr(w.text, cases[i].says))
			fail_msg("%zu: %d %s", i, s, w.text);
		result_release(&r);
		buf_release(&b);
	}
}

static void test_nothing_and_rubbish(void **state)
{
	static const char nul[] = BEGIN "\0\0\0\n";
	struct result r;
	struct why w;

	(void)state;
	assert_int_equal(check("", 0, &r, &w), RESULT_NONE);
	result_release(&r);
	assert_int_equal(check("\n", 1, &r, &w), RESULT_TORN);
	result_release(&r);
	assert_int_equal(check("\n\n\n", 3, &r, &w), RESULT_TORN);
	result_release(&r);
	assert_int_equal(check(nul, sizeof(nul) - 1, &r, &w), RESULT_TORN);
	result_release(&r);
	assert_int_equal(check("{\"type\":\"end\"}\n", 15, &r, &w), RESULT_TORN);
	result_release(&r);
}

static void test_taint(void **state)
{
	char letters[8];

	(void)state;
	taint_letters(0, letters);
	assert_string_equal(letters, "");
	taint_letters(1 << 12 | 1, letters); /* out-of-tree and proprietary modules */
	assert_string_equal(letters, "");
	taint_letters(1 << 4 | 1 << 5 | 1 << 7 | 1 << 9 | 1 << 14, letters);
	assert_string_equal(letters, "MBDWL");
	taint_letters(512, letters);
	assert_string_equal(letters, "W");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_proved),     cmocka_unit_test(test_torn_anywhere),
	        cmocka_unit_test(test_told_apart), cmocka_unit_test(test_nothing_and_rubbish),
	        cmocka_unit_test(test_taint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
