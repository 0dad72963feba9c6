/*
 * The parts of the server's domain that need no server: names and URLs, phases,
 * config sets, long texts.
 */
#include "lib/buf.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "server/config_sets.h"
#include "server/long_text.h"
#include "server/schedule.h"
#include "server/submit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void refs(void **state)
{
	static const char *const good[] = {
	        "v6.12",        "master",  "mm/contpte-v6",
	        "refs/heads/a", "a-b_c.d", "0123456789012345678901234567890123456789",
	};
	static const char *const bad[] = {
	        "",
	        "-a",
	        "/a",
	        "a/",
	        "a.",
	        ".a",
	        "a..b",
	        "a//b",
	        "a/.b",
	        "a b",
	        "a~1",
	        "a^",
	        "a:b",
	        "a?",
	        "a*",
	        "a[b",
	        "a\\b",
	        "@",
	        "a@{0}",
	        "a.lock",
	        "a.lock/b",
	        "a\tb",
	        "a\x7f"
	        "b",
	};
	char *longer = xcalloc(1, 300);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(ref_is_good(good[i]));
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (ref_is_good(bad[i]))
			fail_msg("\"%s\" passed", bad[i]);
	memset(longer, 'a', 250);
	assert_true(ref_is_good(longer));
	longer[250] = 'a';
	assert_false(ref_is_good(longer));
	free(longer);
}

static void trees(void **state)
{
	static const char *const good[] = {
	        "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git",
	        "ssh://git@host/x.git",
	        "git://host/x",
	        "file:///srv/linux.git",
	        "http://127.0.0.1:8080/a@b:c",
	};
	static const char *const bad[] = {
	        "",
	        "linux",
	        "/srv/linux",
	        "file://host/x",
	        "ext::sh",
	        "ftp://a/b",
	        "https://",
	        "https://u:p@h/x",
	        "https://h/a b",
	        "ssh://-oProxyCommand=x",
	        "HTTPS://h/x",
	        "https://h/\nx",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++)
		if (tree_fault(good[i]))
			fail_msg("%s: %s", good[i], tree_fault(good[i]));
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (!tree_fault(bad[i]))
			fail_msg("\"%s\" passed", bad[i]);
}

static void phases_are_distinct(void **state)
{
	int64_t i, k;

	(void)state;
	assert_int_equal(schedule_phase_pages(0), 7);
	for (i = 0; i < BOOTS_MAX; i++)
		for (k = 0; k < i; k++)
			assert_int_not_equal(schedule_phase_pages(i), schedule_phase_pages(k));
}

static void keys_and_domains(void **state)
{
	char a[65], b[65], da[17], db[17];

	(void)state;
	schedule_domain("ann", "https://h/x", da);
	schedule_domain("bob", "https://h/x", db);
	assert_string_not_equal(da, db);
	assert_int_equal(strlen(da), 16);
	/* Where one part ends and the next begins matters. */
	schedule_domain("annh", "ttps://h/x", db);
	assert_string_not_equal(da, db);
	schedule_kernel_key("c", "s", false, "gcc", "gcc 12", da, 0, a);
	schedule_kernel_key("c", "s", false, "gcc", "gcc 12", da, 0, b);
	assert_string_equal(a, b);
	schedule_kernel_key("c", "s", true, "gcc", "gcc 12", da, 0, b);
	assert_string_not_equal(a, b);
	schedule_kernel_key("c", "s", false, "gcc", "gcc 13", da, 0, b);
	assert_string_not_equal(a, b);
	schedule_kernel_key("c", "s", false, "gcc", "gcc 12", db, 0, b);
	assert_string_not_equal(a, b);
	schedule_kernel_key("c", "s", false, "gcc", "gcc 12", da, 7, b);
	assert_string_not_equal(a, b);
}

/* ---- config sets */

static void write_file(const char *dir, const char *name, const char *text)
{
	char *path = path_join(dir, name);

	assert_int_equal(file_write(path, text, strlen(text), 0600, NULL), OK);
	free(path);
}

static void config_sets(void **state)
{
	char dir[] = "/tmp/foldwatch-sets-XXXXXX", *sub;
	struct pool *p = pool_new();
	struct config_sets sets;
	const char *text;
	bool whole;
	struct why w;

	(void)state;
	assert_non_null(mkdtemp(dir));
	sub = path_join(dir, "config");
	assert_int_equal(config_sets_load(p, NULL, &sets, &w), ERR_UNPROCESSABLE);
	assert_int_equal(config_sets_load(p, dir, &sets, &w), ERR_UNPROCESSABLE);
	assert_int_equal(dir_make(sub, 0700, NULL), OK);
	write_file(sub, "sets", "# names\n\ny = virt on   # with it\nn=virt off\n");
	write_file(sub, "virt.config", "# the base\nCONFIG_A=y\n");
	write_file(sub, "on.config", "CONFIG_B=y");
	write_file(sub, "off.config", "# CONFIG_B is not set\n");
	assert_int_equal(config_sets_load(p, dir, &sets, &w), OK);
	assert_int_equal(sets.count, 5);
	assert_string_equal(sets.at[0].name, "y");
	assert_string_equal(sets.at[0].help, "with it");
	assert_string_equal(sets.at[2].name, "off");
	assert_string_equal(sets.at[4].help, "the base");
	assert_int_equal(config_text(p, &sets, "y", &text, &w), OK);
	assert_string_equal(text, "# -- virt\n# the base\nCONFIG_A=y\n# -- on\nCONFIG_B=y\n");
	/* Each fragment once, the base first whatever was asked for. */
	assert_int_equal(config_text(p, &sets, "on+y+virt", &text, &w), OK);
	assert_string_equal(text, "# -- virt\n# the base\nCONFIG_A=y\n# -- on\nCONFIG_B=y\n");
	assert_int_equal(config_text(p, &sets, "y+", &text, &w), ERR_UNPROCESSABLE);
	assert_int_equal(config_text(p, &sets, "../virt", &text, &w), ERR_UNPROCESSABLE);
	assert_non_null(strstr(w.text, "there are y, n, off, on, virt"));
	assert_int_equal(config_custom(p, &sets, "CONFIG_C=y", &text, &whole, &w), OK);
	assert_false(whole);
	assert_non_null(strstr(text, "CONFIG_A=y\n# -- custom\nCONFIG_C=y\n"));
	assert_int_equal(
	        config_custom(p, &sets,
	                      "#\n# Automatically generated file; DO NOT EDIT.\nCONFIG_Z=y\n",
	                      &text, &whole, &w),
	        OK);
	assert_true(whole);
	assert_null(strstr(text, "CONFIG_A"));
	write_file(sub, "sets", "y virt\n");
	assert_int_equal(config_sets_load(p, dir, &sets, &w), ERR_INPUT);
	assert_non_null(strstr(w.text, "sets:1"));
	write_file(sub, "sets", "y = ../../etc/passwd\n");
	assert_int_equal(config_sets_load(p, dir, &sets, &w), ERR_INPUT);
	write_file(sub, "sets", "y = missing\n");
	assert_int_equal(config_sets_load(p, dir, &sets, &w), OK);
	assert_int_equal(config_text(p, &sets, "y", &text, &w), ERR_UNPROCESSABLE);
	assert_int_equal(dir_remove(dir, NULL), OK);
	free(sub);
	pool_free(p);
}

/* ---- long texts */

static void long_texts(void **state)
{
	/* %s stands for 5000 times "x": what is long enough to be taken. */
	static const struct {
		const char *format, *begins; /* of the text, when it was taken */
	} rows[] = {
	        {"{\"a\":1,\"boot\":{\"result\":\"one\\n\\\"two\\\"\\\\%s\"},\"z\":2}",
	         "one\n\"two\"\\x"},
	        {"{\"result\" : \"\xc3\xa4%s\"}", "\xc3\xa4x"},
	        {"{\"result\":\"\\u0041%s\"}", NULL}, /* left to the reader */
	        {"{\"result\":\"\\b%s\"}", NULL},
	        {"{\"result\":[\"%s\"]}", NULL},
	        {"{\"other\":\"\\\"result\\\":\\\"%s\\\"\"}", NULL},
	        {"{\"result\":\"a\",\"b\":{\"result\":\"%s\"}}", NULL},
	};
	static const char *const broken[] = {
	        "{\"result\":\"a\nb%s\"}", "{\"result\":\"%s",   "{\"result\":\"%s\\",
	        "{\"result\":\"\xff%s\"}", "{\"result\":\"%s\"", "{\"result\":\"%s\"}}",
	        "{\"result\":\"\\x%s\"}",
	};
	char x[5001], *body, *text;
	json_t *root;
	size_t i, len;
	struct why w;

	(void)state;
	memset(x, 'x', 5000);
	x[5000] = '\0';
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *at = strstr(rows[i].format, "%s");
		json_t *plain;

		body = xasprintf("%.*s%s%s", (int)(at - rows[i].format), rows[i].format, x, at + 2);
		assert_int_equal(
		        long_text_parse(body, strlen(body), "result", &root, &text, &len, &w), OK);
		plain = json_loads(body, 0, NULL);
		if (rows[i].begins) {
			json_t *holder = json_object_get(root, "boot");

			assert_non_null(text);
			assert_int_equal(strncmp(text, rows[i].begins, strlen(rows[i].begins)), 0);
			/* Put back, it is what the reader would have made of it. */
			json_object_set_new(holder ? holder : root, "result", json_string(text));
		} else {
			assert_null(text);
		}
		assert_true(json_equal(root, plain));
		json_decref(plain);
		json_decref(root);
		free(text);
		free(body);
	}
	for (i = 0; i < ARRAY_SIZE(broken); i++) {
		const char *at = strstr(broken[i], "%s");

		body = xasprintf("%.*s%s%s", (int)(at - broken[i]), broken[i], x, at + 2);
		assert_int_not_equal(
		        long_text_parse(body, strlen(body), "result", &root, &text, &len, &w), OK);
		free(text);
		free(body);
	}
}

static void pools_grow(void **state)
{
	struct pool *p = pool_new();
	struct ids list = {0};
	int64_t i;

	(void)state;
	for (i = 0; i < 5000; i++)
		*(int64_t *)pool_push(p, (void **)&list.at, &list.count, sizeof(*list.at)) = i;
	for (i = 0; i < 5000; i++)
		assert_int_equal(list.at[i], i);
	assert_null(pool_str(p, NULL));
	assert_string_equal(pool_fmt(p, "%s-%d", "a", 7), "a-7");
	memset(pool_alloc(p, 1 << 20), 1, 1 << 20);
	pool_free(p);
	pool_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(refs),
	        cmocka_unit_test(trees),
	        cmocka_unit_test(phases_are_distinct),
	        cmocka_unit_test(keys_and_domains),
	        cmocka_unit_test(config_sets),
	        cmocka_unit_test(long_texts),
	        cmocka_unit_test(pools_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
