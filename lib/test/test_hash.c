/* Hashes against published answers: FIPS 180-2 appendix B for SHA-256, the check
 * value of CRC-32/ISO-HDLC; hexadecimal and comparison by their edges. */
#include "lib/hash.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lib/test/tmpdir.h"

#define EMPTY     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define MILLION_A "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static void sha256_known_answers(void **state)
{
	static const struct {
		const char *text, *hex;
	} want[] = {
	        {"", EMPTY},
	        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	char hex[SHA256_HEX], *million = xmalloc(1000000);
	struct hash *h = hash_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		hash_block(want[i].text, strlen(want[i].text), hex);
		assert_string_equal(hex, want[i].hex);
	}
	memset(million, 'a', 1000000);
	for (size_t at = 0, n = 1; at < 1000000; at += n, n = n * 3 % 8191) {
		n = n > 1000000 - at ? 1000000 - at : n;
		hash_add(h, million + at, n);
	}
	hash_add(h, NULL, 0);
	hash_final(h, hex);
	assert_string_equal(hex, MILLION_A);
	hash_abort(hash_new());
	hash_abort(NULL);
	free(million);
}

static void sha256_of_files(void **state)
{
	char hex[SHA256_HEX] = "old", *million = xmalloc(1000000);
	uint64_t bytes = 7;
	struct why w;

	memset(million, 'a', 1000000);
	put_file(in(*state, "million"), million, 1000000);
	put_file(in(*state, "empty"), "", 0);
	assert_int_equal(hash_file(in(*state, "million"), hex, &bytes, &w), OK);
	assert_string_equal(hex, MILLION_A);
	assert_int_equal(bytes, 1000000);
	assert_int_equal(hash_file(in(*state, "empty"), hex, NULL, &w), OK);
	assert_string_equal(hex, EMPTY);
	assert_int_equal(hash_file(in(*state, "none"), hex, &bytes, &w), ERR_NOT_FOUND);
	assert_non_null(strstr(w.text, "/none\": No such file or directory"));
	assert_int_equal(hash_file(*state, hex, &bytes, &w), ERR_IO);
	free(million);
}

static void hexadecimal(void **state)
{
	unsigned char b[4] = {9, 9, 9, 9};
	char out[9];

	(void)state;
	hex_encode("\x00\x7f\x80\xff", 4, out);
	assert_string_equal(out, "007f80ff");
	hex_encode("", 0, out);
	assert_string_equal(out, "");
	assert_true(hex_decode("00fFA09b", b, 4));
	assert_memory_equal(b, "\x00\xff\xa0\x9b", 4);
	assert_true(hex_decode("", b, 0));
	assert_false(hex_decode("00ffa0", b, 4));
	assert_false(hex_decode("00ffa09", b, 4));
	assert_false(hex_decode("00ffa09b0", b, 4));
	assert_false(hex_decode("00ffa09g", b, 4));
	assert_false(hex_decode(" 0ffa09b", b, 4));
	assert_true(hex_is(EMPTY, 64));
	assert_false(hex_is(EMPTY, 63));
	assert_false(hex_is(EMPTY, 65));
	assert_false(hex_is("abcdeF", 6));
	assert_false(hex_is("", 1));
	assert_true(hex_is("", 0));
}

static void crc32_known_answers(void **state)
{
	(void)state;
	assert_int_equal(crc32_add(0, "123456789", 9), 0xcbf43926);
	assert_int_equal(crc32_add(crc32_add(0, "1234", 4), "56789", 5), 0xcbf43926);
	assert_int_equal(crc32_add(0, "", 0), 0);
	assert_int_equal(crc32_add(0xcbf43926, NULL, 0), 0xcbf43926);
}

static void randomness(void **state)
{
	unsigned char a[200] = {0}, b[200] = {0};
	char hex[401];
	size_t zeros = 0;

	(void)state;
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	for (size_t i = 0; i < sizeof(a); i++)
		zeros += a[i] == 0;
	assert_true(zeros < 50);
	random_bytes(a, 0);
	random_hex(hex, 200);
	assert_true(hex_is(hex, 400));
	random_hex(hex, 0);
	assert_string_equal(hex, "");
}

static void compares(void **state)
{
	(void)state;
	assert_true(equal_const_time("abc", "abc", 3));
	assert_true(equal_const_time("abc", "abd", 2));
	assert_true(equal_const_time("a", "b", 0));
	assert_false(equal_const_time("abc", "abd", 3));
	assert_false(equal_const_time("abc", "bbc", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(sha256_known_answers),
	        cmocka_unit_test_setup_teardown(sha256_of_files, tmpdir_setup, tmpdir_teardown),
	        cmocka_unit_test(hexadecimal),
	        cmocka_unit_test(crc32_known_answers),
	        cmocka_unit_test(randomness),
	        cmocka_unit_test(compares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
