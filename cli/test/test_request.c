/* The words of a submission, without a server. */
#include "cli/request.h"

#include "lib/mem.h"
#include "lib/test/tmpdir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define URL "https://git.example.org/linux.git"

/* Parses one spec into a list that may hold kernels already; returns the new
 * kernel (borrowed). */
static const json_t *good(json_t *kernels, const char *spec)
{
	struct cli cli = {0};
	struct why w = {""};
	size_t before = json_array_size(kernels);

	if (request_kernel(&cli, spec, kernels, &w) != OK)
		fail_msg("\"%s\": %s", spec, w.text);
	assert_int_equal(json_array_size(kernels), before + 1);
	assert_null(cli.client);
	return json_array_get(kernels, before);
}

static void bad(json_t *kernels, const char *spec, const char *has)
{
	struct cli cli = {0};
	struct why w = {""};
	size_t before = json_array_size(kernels);

	assert_int_equal(request_kernel(&cli, spec, kernels, &w), ERR_INPUT);
	if (!strstr(w.text, has))
		fail_msg("\"%s\": \"%s\" does not say \"%s\"", spec, w.text, has);
	assert_int_equal(json_array_size(kernels), before);
}

static void has(const json_t *k, const char *key, const char *value)
{
	const char *got = json_str(k, key, NULL);

	if (!value)
		assert_null(json_object_get(k, key));
	else
		assert_string_equal(got ? got : "(none)", value);
}

static void takes_specs(void **state)
{
	json_t *list = json_array();
	const json_t *k;

	(void)state;
	k = good(list, "base=" URL "#v6.12");
	has(k, "name", "base");
	has(k, "tree", URL);
	has(k, "ref", "v6.12");
	has(k, "config", NULL);
	has(k, "toolchain", NULL);
	k = good(list, "a.B_c+d-1=" URL "#refs/heads/x,config=virt+contpte-on,toolchain=gcc-12");
	has(k, "ref", "refs/heads/x");
	has(k, "config", "virt+contpte-on");
	has(k, "toolchain", "gcc-12");
	/* the last '#' parts tree and ref; '=' may stand in a URL */
	k = good(list, "q=https://h/x?a=b#c#main,toolchain=t");
	has(k, "tree", "https://h/x?a=b#c");
	has(k, "ref", "main");
	json_decref(list);
}

static void refuses_specs(void **state)
{
	char long_name[128];
	json_t *list = json_array();

	(void)state;
	good(list, "base=" URL "#v1");
	bad(list, "", "expected NAME=TREE#REF");
	bad(list, "base", "expected NAME=TREE#REF");
	bad(list, "x=", "expected NAME=TREE#REF");
	bad(list, "x=" URL, "expected NAME=TREE#REF");
	bad(list, "x=" URL "#", "expected NAME=TREE#REF");
	bad(list, "x=#v1", "expected NAME=TREE#REF");
	bad(list, "x=" URL "#,config=c", "expected NAME=TREE#REF");
	bad(list, "=" URL "#v1", "kernel name \"\": expected 1 to 64");
	bad(list, "a b=" URL "#v1", "kernel name \"a b\"");
	bad(list, "a/b=" URL "#v1", "kernel name \"a/b\"");
	bad(list, "base=" URL "#v2", "kernel name \"base\" is given twice");
	bad(list, "x=" URL "#v1,config=", "config= is empty");
	bad(list, "x=" URL "#v1,toolchain=", "toolchain= is empty");
	bad(list, "x=" URL "#v1,config=a,config=b", "config= is given twice");
	bad(list, "x=" URL "#v1,confg=a", "unknown \"confg=a\"");
	bad(list, "x=" URL "#v1,configs", "unknown \"configs\"");
	bad(list, "x=no/such/dir#v1", "tree \"no/such/dir\" is neither a URL nor a directory");
	bad(list, "x=/dev/null#v1", "neither a URL nor a directory");
	bad(list, "x\xff=" URL "#v1", "UTF-8");
	bad(list, "x=" URL "#v1,config=\xff", "UTF-8");
	memset(long_name, 'n', 65);
	strncpy(long_name + 65, "=" URL "#v1", 62);
	bad(list, long_name, "expected 1 to 64");
	json_decref(list);
}

static void local_trees_become_urls(void **state)
{
	const char *dir = in(*state, "a tree, 100% \xc3\xa4");
	char *spec = xasprintf("x=%s#main", dir), *real, *want;
	json_t *list = json_array();
	const json_t *k;

	assert_int_equal(mkdir(dir, 0700), 0);
	k = good(list, spec);
	real = realpath(*state, NULL);
	want = xasprintf("file://%s/a%%20tree%%2C%%20100%%25%%20%%C3%%A4", real);
	has(k, "tree", want);
	free(real);
	free(want);
	free(spec);
	json_decref(list);
}

static void configs_are_sets_or_files(void **state)
{
	const char *path = in(*state, "my.config");
	char *spec = xasprintf("x=" URL "#v1,config=%s,toolchain=gcc", path);
	json_t *list = json_array();
	const json_t *config;

	put_file(path, "CONFIG_A=y\n# CONFIG_B is not set\n", 33);
	config = json_object_get(good(list, spec), "config");
	assert_true(json_is_object(config));
	assert_int_equal(json_object_size(config), 2);
	has(config, "name", "my.config");
	has(config, "text", "CONFIG_A=y\n# CONFIG_B is not set\n");
	json_array_clear(list);
	put_file(path, "CONFIG_A=\0y\n", 12);
	bad(list, spec, "is not UTF-8 text");
	put_file(path, "CONFIG_A=\xe9\n", 11);
	bad(list, spec, "is not UTF-8 text");
	unlink(path);
	bad(list, spec, "my.config");
	bad(list, "x=" URL "#v1,config=./none", "none");
	free(spec);
	json_decref(list);
}

static void images_are_checked_first(void **state)
{
	const char *path = in(*state, "Image");
	char *spec = xasprintf("x=image:%s", path);
	json_t *list = json_array();

	bad(list, "x=image:", "kernel \"x\"");
	bad(list, "x=image:no/such/Image", "no/such/Image");
	put_file(path, "", 0);
	bad(list, spec, "is empty");
	put_file(path, "\x1f\x8b\x08\0\0\0\0\0\0\0", 10);
	bad(list, spec, "gzip");
	bad(list, "a b=image:x", "kernel name \"a b\"");
	free(spec);
	json_decref(list);
}

static void names_images(void **state)
{
	static const struct {
		const char *path, *name;
	} cases[] = {
	        {"a/Image", "a"},         {"/x/y.z/Image", "y.z"},
	        {"a//Image", "a"},        {"Image", "Image"},
	        {"./Image", "Image"},     {"../Image", "Image"},
	        {"/Image", "Image"},      {"old.img", "old.img"},
	        {"a/old.img", "old.img"}, {"a b/Image", "a-b"},
	        {"\xc3\xa4/Image", "--"}, {"a/Image-6.12,x=y", "Image-6.12-x-y"},
	};
	char longest[200], *name;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		name = request_image_name(cases[i].path);
		assert_string_equal(name, cases[i].name);
		free(name);
	}
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	name = request_image_name(longest);
	assert_true(strlen(name) <= 64);
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(takes_specs),
	        cmocka_unit_test(refuses_specs),
	        cmocka_unit_test_setup_teardown(local_trees_become_urls, tmpdir_setup,
	                                        tmpdir_teardown),
	        cmocka_unit_test_setup_teardown(configs_are_sets_or_files, tmpdir_setup,
	                                        tmpdir_teardown),
	        cmocka_unit_test_setup_teardown(images_are_checked_first, tmpdir_setup,
	                                        tmpdir_teardown),
	        cmocka_unit_test(names_images),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
