#include "agent/kconfig.h"

#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct kconfig parse(const char *text)
{
	struct kconfig k;
	struct why w;

	if (kconfig_parse(&k, text, strlen(text), &w))
		fail_msg("%s", w.text);
	return k;
}

static void test_parse(void **state)
{
	struct kconfig k =
	        parse("# a comment\n\nCONFIG_B=y\r\n  CONFIG_A=\"x y\\\"z\"\n"
	              "# CONFIG_C is not set\nCONFIG_B=m\n#CONFIG_D=y\n# CONFIG_E is set\n"
	              "CONFIG_N=-5\nCONFIG_LAST=0x10");

	(void)state;
	assert_int_equal(k.count, 5);
	assert_string_equal(kconfig_value(&k, "A"), "\"x y\\\"z\"");
	assert_string_equal(kconfig_value(&k, "B"), "m");
	assert_string_equal(kconfig_value(&k, "C"), "n");
	assert_string_equal(kconfig_value(&k, "LAST"), "0x10");
	assert_null(kconfig_value(&k, "D"));
	assert_null(kconfig_value(&k, "E"));
	kconfig_release(&k);
	k = parse("");
	assert_int_equal(k.count, 0);
	assert_null(kconfig_value(&k, "A"));
	kconfig_release(&k);
}

static void test_bad_lines(void **state)
{
	static const char *const bad[] = {
	        "CONFIG_A",     "CONFIG_=y",       "config_A=y",           "CONFIG_A=",
	        "CONFIG_A=y z", "CONFIG_A=\"x",    "CONFIG_A=\"x\"y",      "CONFIG_A =y",
	        "make -j2",     "CONFIG_A=\"\\\"", "CONFIG_A=$(shell x y)"};
	struct kconfig k;
	struct why w;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		char *text = xasprintf("CONFIG_OK=y\n%s\n", bad[i]);

		if (kconfig_parse(&k, text, strlen(text), &w) != ERR_INPUT ||
		    !strstr(w.text, "config:2: "))
			fail_msg("%s: %s", bad[i], w.text);
		kconfig_release(&k);
		free(text);
	}
	assert_int_equal(kconfig_parse(&k, "CONFIG_A=y\0z\n", 13, &w), ERR_INPUT);
	kconfig_release(&k);
}

static void test_many_symbols(void **state)
{
	struct kconfig k;
	struct buf text;
	struct why w;
	char name[32];
	int i;

	(void)state;
	buf_init(&text, 1 << 20);
	for (i = 0; i < 5000; i++)
		buf_addf(&text, "CONFIG_S%d=%d\n", (i * 7919) % 5000, i);
	assert_int_equal(kconfig_parse(&k, text.data, text.len, &w), OK);
	assert_int_equal(k.count, 5000);
	for (i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "S%d", (i * 7919) % 5000);
		assert_int_equal(strtol(kconfig_value(&k, name), NULL, 10), i);
	}
	kconfig_release(&k);
	buf_release(&text);
}

static void test_verify(void **state)
{
	struct kconfig asked = parse(
	        "CONFIG_Y=y\nCONFIG_GONE=y\n# CONFIG_OFF is not set\n# CONFIG_FORCED is not "
	        "set\nCONFIG_HEX=0x10\nCONFIG_STR=\"\"\nCONFIG_N=8\nCONFIG_M=m\nCONFIG_Z=n\n");
	struct kconfig got =
	        parse("CONFIG_Y=y\nCONFIG_FORCED=y\nCONFIG_HEX=0x00000010\n"
	              "CONFIG_N=64\nCONFIG_M=y\n# CONFIG_OFF is not set\nCONFIG_NEW=y\n");
	static const char few[] = "config N\n\tint \"number\"\nconfig M\n\ttristate\n";
	struct kconfig prompts = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 8192);
	assert_int_equal(kconfig_verify(&asked, &got, NULL, &out), 4);
	assert_string_equal(out.data,
	                    "CONFIG_FORCED: asked for n, got y; "
	                    "CONFIG_GONE: asked for y, got n (is a dependency missing?); "
	                    "CONFIG_M: asked for m, got y; CONFIG_N: asked for 8, got 64");
	/* Of a whole .config only what people set counts. */
	kconfig_add_prompts(&prompts, few, sizeof(few) - 1);
	kconfig_sort(&prompts);
	buf_reset(&out);
	assert_int_equal(kconfig_verify(&asked, &got, &prompts, &out), 1);
	assert_string_equal(out.data, "CONFIG_N: asked for 8, got 64");
	kconfig_release(&asked);
	kconfig_release(&got);
	kconfig_release(&prompts);
	buf_release(&out);
}

static void test_verify_names_all_it_can(void **state)
{
	struct kconfig asked, got = {0};
	struct buf text, out;
	struct why w;
	int i;

	(void)state;
	buf_init(&text, 65536);
	buf_init(&out, 65536);
	for (i = 0; i < 100; i++)
		buf_addf(&text, "CONFIG_S%03d=y\n", i);
	assert_int_equal(kconfig_parse(&asked, text.data, text.len, &w), OK);
	assert_int_equal(kconfig_verify(&asked, &got, NULL, &out), 100);
	assert_non_null(strstr(out.data, "; and 36 more"));
	kconfig_release(&asked);
	buf_release(&text);
	buf_release(&out);
}

static void test_prompts(void **state)
{
	static const char text[] = "menu \"x\"\n"
	                           "config ARM64_CONTPTE\n\tbool \"Contiguous PTE\" if EXPERT\n"
	                           "\tdepends on X\n\nconfig HIDDEN\n\tbool\n\tdefault y\n"
	                           "menuconfig MENU\n\tprompt 'Menu'\n\tbool\n"
	                           "config WORD\n        string \"a word\"\n"
	                           "comment \"config NOT\"\nconfig LAST\n\thex \"end\"";
	struct kconfig k = {0};

	(void)state;
	kconfig_add_prompts(&k, text, sizeof(text) - 1);
	kconfig_sort(&k);
	assert_int_equal(k.count, 4);
	assert_non_null(kconfig_value(&k, "ARM64_CONTPTE"));
	assert_non_null(kconfig_value(&k, "MENU"));
	assert_non_null(kconfig_value(&k, "WORD"));
	assert_non_null(kconfig_value(&k, "LAST"));
	assert_null(kconfig_value(&k, "HIDDEN"));
	kconfig_release(&k);
}

static void test_whole_and_hash(void **state)
{
	static const char one[] =
	        "#\n# Automatically generated file; DO NOT EDIT.\n# Linux/arm64 1\n"
	        "#\nCONFIG_A=y\n# CONFIG_B is not set\n";
	static const char two[] = "# Linux/arm64 2\n\nCONFIG_A=y\n";
	static const char three[] = "CONFIG_A=n\n";
	char a[SHA256_HEX], b[SHA256_HEX];

	(void)state;
	assert_true(kconfig_is_whole(one));
	assert_false(kconfig_is_whole(two));
	assert_false(kconfig_is_whole(""));
	kconfig_hash(one, strlen(one), a);
	kconfig_hash(two, strlen(two), b);
	assert_string_equal(a, b);
	/* sha256 of "CONFIG_A=y\n" */
	hash_block("CONFIG_A=y\n", 11, b);
	assert_string_equal(a, b);
	kconfig_hash(three, strlen(three), b);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_parse),
	        cmocka_unit_test(test_bad_lines),
	        cmocka_unit_test(test_many_symbols),
	        cmocka_unit_test(test_verify),
	        cmocka_unit_test(test_verify_names_all_it_can),
	        cmocka_unit_test(test_prompts),
	        cmocka_unit_test(test_whole_and_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
