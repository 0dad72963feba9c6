/* Environments: what counts and what is the kernel's, and in what two differ. */
#include "server/env_diff.h"
#include "server/result.h"

#include "lib/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NONCE_A "0123456789abcdef"
#define NONCE_B "fedcba9876543210"

/* A boot whose guest says this; board as given. */
static struct boot made(struct pool *p, const char *nonce, const char *board, const char *guest)
{
	json_t *o = board ? json_loads(board, 0, NULL) : NULL;
	struct boot b = boot_blank();

	b.nonce = nonce;
	b.bench = "beef";
	b.env = guest;
	if (board)
		assert_non_null(o);
	result_env(p, o, &b);
	json_decref(o);
	return b;
}

static void without_the_boot(void **state)
{
	struct pool *p = pool_new();
	struct boot a = made(p, NONCE_A, "{\"qemu\":\"7.2\",\"argv\":[\"x" NONCE_A "x\"]}",
	                     "{\"cmdline\":\"foldwatch.phase=0007 a\"}");
	struct boot b = made(p, NONCE_B,
	                     "{\"qemu\":\"7.2\",\"argv\":[\"x" NONCE_B "x\"],"
	                     "\"guest\":{\"boot_id\":\"x\"},\"sandbox\":\"none\"}",
	                     "{\"cmdline\":\"foldwatch.phase=0225 a\"}");

	(void)state;
	assert_string_equal(a.env, b.env);
	assert_string_equal(a.env_id, b.env_id);
	assert_null(strstr(a.env, "0007"));
	b = made(p, NONCE_B, "{\"qemu\":\"7.2\",\"argv\":[\"x" NONCE_B "x\"]}", NULL);
	assert_string_not_equal(a.env_id, b.env_id);
	pool_free(p);
}

static void is_same(struct pool *p, const char *one, const char *other, bool same)
{
	struct boot a = made(p, NONCE_A, NULL, one), b = made(p, NONCE_A, NULL, other);

	if ((strcmp(a.env_id, b.env_id) == 0) != same)
		fail_msg("%s and %s: %s", one, other, same ? "differ" : "do not differ");
}

/* Each member that is the kernel's changes nothing; anything else does. */
static void what_is_the_kernels(void **state)
{
	static const char *const own[] = {
	        "features", "detected",      "soc",
	        "thp",      "mitigations",   "memory_bytes",
	        "numa",     "stat_interval", "percpu_pagelist_high_fraction",
	        "efi_bits"};
	static const char *const of_all[] = {"cpu",         "model",     "cpus",
	                                     "smt",         "cpufreq",   "boost",
	                                     "timer_hz",    "ram_bytes", "fdt_sha256",
	                                     "clocksource", "firmware",  "a_word_of_the_future"};
	struct pool *p = pool_new();
	struct boot b;

	(void)state;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		is_same(p, pool_fmt(p, "{\"env\":{\"%s\":1}}", own[i]),
		        pool_fmt(p, "{\"env\":{\"%s\":[\"2\"]}}", own[i]), true);
	for (size_t i = 0; i < sizeof(of_all) / sizeof(of_all[0]); i++) {
		is_same(p, pool_fmt(p, "{\"env\":{\"%s\":1}}", of_all[i]),
		        pool_fmt(p, "{\"env\":{\"%s\":[\"2\"]}}", of_all[i]), false);
		is_same(p, pool_fmt(p, "{\"env\":{\"%s\":1}}", of_all[i]), "{\"env\":{}}", false);
	}
	is_same(p, "{\"page_size\":4096,\"release\":\"6.12\"}", "{\"page_size\":16384}", true);
	is_same(p, "{\"cmdline\":\"a BOOT_IMAGE=/boot/x initrd=y quiet\"}",
	        "{\"cmdline\":\"a BOOT_IMAGE=/boot/longer initrd=z quiet\"}", true);
	is_same(p, "{\"cmdline\":\"a b\"}", "{\"cmdline\":\"a b mitigations=off\"}", false);
	b = made(p, NONCE_A, NULL,
	         "{\"page_size\":4096,\"env\":{\"thp\":{\"enabled\":\"never\"}}}");
	assert_non_null(strstr(b.traits, "\"page_size\":4096"));
	assert_non_null(strstr(b.traits, "\"enabled\":\"never\""));
	assert_null(strstr(b.env, "never"));
	pool_free(p);
}

/* foldbench's other builds measure otherwise. */
static void of_another_foldbench(void **state)
{
	struct pool *p = pool_new();
	struct boot a = boot_blank(), b = boot_blank();

	(void)state;
	a.bench = "beef";
	b.bench = "cafe";
	result_env(p, NULL, &a);
	result_env(p, NULL, &b);
	assert_string_not_equal(a.env_id, b.env_id);
	pool_free(p);
}

/* What an agent or a foldbench of strangers may send. */
static void odd_conditions(void **state)
{
	static const char *const odd[] = {
	        NULL,
	        "{}",
	        "[]",
	        "null",
	        "not json",
	        "{\"env\":null}",
	        "{\"env\":[1]}",
	        "{\"env\":\"text\"}",
	        "{\"env\":{\"thp\":null},\"cmdline\":null}",
	        "{\"cmdline\":\"\"}",
	        "{\"cmdline\":\"   \"}",
	        "{\"cmdline\":\"foldwatch.nonce=\"}",
	        "{\"cmdline\":\"foldwatch.phase=\xe2\x82\xac BOOT_IMAGE=\"}",
	};
	struct pool *p = pool_new();

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct boot b = made(p, "", "{\"argv\":[{\"a\":[\"initrd=x\"]},null,7]}", odd[i]);

		assert_int_equal(strlen(b.env_id), 64);
		assert_int_equal(strlen(b.traits_id), 64);
		assert_null(strstr(b.env, "initrd=x"));
	}
	pool_free(p);
}

static void differ(const char *one, const char *other, const char *expected)
{
	struct pool *p = pool_new();
	struct env_differences d = {0};
	const char *words;

	env_diff(p, one, other, &d);
	words = env_diff_words(p, &d);
	if (strcmp(words, expected) != 0)
		fail_msg("%s and %s: %s", one ? one : "NULL", other ? other : "NULL", words);
	/* Once more: nothing is told twice. */
	env_diff(p, one, other, &d);
	assert_string_equal(env_diff_words(p, &d), expected);
	pool_free(p);
}

static void differences(void **state)
{
	char *one, *other;
	struct pool *p = pool_new();
	struct env_differences d = {0};

	(void)state;
	differ("{}", "{}", "");
	differ(NULL, NULL, "");
	differ("{\"a\":1}", NULL, "environment is \"{\"a\":1}\" there, absent here");
	differ("{\"a\":{\"b\":\"x\"}}", "{\"a\":{\"b\":\"y\"}}", "a.b is \"x\" there, \"y\" here");
	differ("{\"a\":1,\"z\":2}", "{\"z\":2,\"b\":3}",
	       "a is \"1\" there, absent here; b is absent there, \"3\" here");
	differ("{\"l\":[1,{\"k\":2}]}", "{\"l\":[1,{\"k\":3}]}",
	       "l[1].k is \"2\" there, \"3\" here");
	differ("{\"l\":[1]}", "{\"l\":[1,2]}", "l is \"[1]\" there, \"[1,2]\" here");
	differ("{\"a\":null}", "{}", "");
	differ("{\"a\":{}}", "{\"a\":[]}", "a is \"{}\" there, \"[]\" here");
	differ("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1}", "{}",
	       "a is \"1\" there, absent here; b is \"1\" there, absent here; c is \"1\" there, "
	       "absent"
	       " here; and 2 more fields");
	differ("not json", "{}", "environment is absent there, \"{}\" here");
	/* A value of any length is cut in the sentence, and whole in the list. */
	one = malloc(9000);
	other = malloc(9000);
	snprintf(one, 9000, "{\"a\":\"%08000d\"}", 1);
	snprintf(other, 9000, "{\"a\":\"%08000d\"}", 2);
	env_diff(p, one, other, &d);
	assert_int_equal(strlen(d.at[0].one), 8000);
	assert_true(strlen(env_diff_words(p, &d)) < 400);
	free(one);
	free(other);
	pool_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(without_the_boot),     cmocka_unit_test(what_is_the_kernels),
	        cmocka_unit_test(of_another_foldbench), cmocka_unit_test(odd_conditions),
	        cmocka_unit_test(differences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
