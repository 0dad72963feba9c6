#include "agent/git_rules.h"

#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const allowed[] = {"https://a.org", "file:///srv/trees/", "https://b.org/x/",
                                      "ssh://git@c.org/"};
static const struct conf_list trees = {(char **)allowed, ARRAY_SIZE(allowed)};
static const struct conf_list none = {NULL, 0};

static void test_urls_allowed(void **state)
{
	static const char *const good[] = {
	        "https://a.org/linux.git", "https://a.org/a/b~c/d_e-f.git",
	        "https://a.org/-/x",       "file:///srv/trees/linux.git",
	        "https://b.org/x/y",       "ssh://git@c.org/linux.git",
	};
	struct why w;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		if (git_check_url(&trees, good[i], &w))
			fail_msg("%s: %s", good[i], w.text);
	}
	assert_int_equal(git_check_url(&none, "https://any.host/x.git", &w), OK);
	assert_int_equal(git_check_url(&none, "file:///srv/trees/x.git", &w), ERR_DENIED);
}

static void test_urls_refused(void **state)
{
	static const struct {
		const char *url;
		enum err e;
		const char *says;
	} bad[] = {
	        {"", ERR_INPUT, "1 to 1024"},
	        {"https://a.org.evil.net/x.git", ERR_DENIED, "not among those"},
	        {"https://evil.net/https://a.org/", ERR_DENIED, "not among those"},
	        {"https://b.org/xy", ERR_DENIED, "not among those"},
	        {"http://a.org/x.git", ERR_DENIED, "not among those"},
	        {"file:///srv/trees/../../etc", ERR_INPUT, "\"..\""},
	        {"file:///srv/trees/%2e%2E/etc", ERR_INPUT, "not allowed"},
	        {"file:///srv/trees/a%20b", ERR_INPUT, "'%'"},
	        {"file://host/srv/trees/x", ERR_INPUT, "without a host"},
	        {"/srv/trees/linux.git", ERR_INPUT, "https://host/path.git"},
	        {"--upload-pack=touch /x", ERR_INPUT, "0x20"},
	        {"--upload-pack=x", ERR_INPUT, "https://host/path.git"},
	        {"ext::sh -c x", ERR_INPUT, "0x20"},
	        {"ext::sh", ERR_INPUT, "https://host/path.git"},
	        {"ext://a.org/x", ERR_INPUT, "https://host/path.git"},
	        {"https://user:secret@a.org/x.git", ERR_INPUT, "password"},
	        {"https://-oProxy/x.git", ERR_INPUT, "begins with '-'"},
	        {"https:///x.git", ERR_INPUT, "a host and a path"},
	        {"https://a.org", ERR_INPUT, "a host and a path"},
	        {"https://a.org/x\ny", ERR_INPUT, "0x0a"},
	        {"https://a.org/\xc3\xa4", ERR_INPUT, "0xc3"},
	        {"https://a.org/\"x", ERR_INPUT, "0x22"},
	};
	char longer[GIT_URL_MAX + 32] = "https://a.org/";
	struct why w;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		enum err e = git_check_url(&trees, bad[i].url, &w);

		if (e != bad[i].e || !strstr(w.text, bad[i].says))
			fail_msg("%s: %d %s", bad[i].url, e, e ? w.text : "allowed");
		/* A password never gets into a sentence. */
		assert_null(strstr(w.text, "secret"));
	}
	memset(longer + 14, 'a', GIT_URL_MAX - 14);
	assert_int_equal(git_check_url(&trees, longer, &w), OK);
	longer[GIT_URL_MAX] = 'a';
	assert_int_equal(git_check_url(&trees, longer, &w), ERR_INPUT);
}

static void test_refs(void **state)
{
	static const char *const good[] = {"main",          "v6.12", "refs/heads/mm-unstable",
	                                   "HEAD",          "a/b-c", "user/-x",
	                                   "\xc3\xa4ndern", "x@y",   "c8f93cbfe"};
	static const char *const bad[] = {"",        "-x",    "--upload-pack=x",
	                                  "a..b",    "a b",   "a~1",
	                                  "a^{}",    "a:b",   "a?",
	                                  "a*",      "a[b",   "a\\b",
	                                  "a.lock",  "/a",    "a/",
	                                  "a//b",    ".a",    "a/.b",
	                                  "a.",      "@",     "a@{1}",
	                                  "a\nb",    "a\x7f", "x.lock/y",
	                                  "\xff\xfe"};
	char longer[GIT_REF_MAX + 2];
	struct why w;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		if (git_check_ref(good[i], &w))
			fail_msg("%s: %s", good[i], w.text);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (git_check_ref(bad[i], &w) != ERR_INPUT)
			fail_msg("\"%s\" was allowed", bad[i]);
		assert_null(strpbrk(w.text, "\n\x7f\xff"));
	}
	memset(longer, 'a', sizeof(longer));
	longer[GIT_REF_MAX + 1] = '\0';
	assert_int_equal(git_check_ref(longer, &w), ERR_INPUT);
	longer[GIT_REF_MAX] = '\0';
	assert_int_equal(git_check_ref(longer, &w), OK);
}

static void test_commit_and_scheme(void **state)
{
	char scheme[16];

	(void)state;
	assert_true(git_is_commit("0123456789abcdef0123456789abcdef01234567"));
	assert_false(git_is_commit("0123456789abcdef0123456789abcdef0123456"));
	assert_false(git_is_commit("0123456789ABCDEF0123456789abcdef01234567"));
	assert_false(git_is_commit("0123456789abcdef0123456789abcdef012345678"));
	git_url_scheme("file:///x", scheme, sizeof(scheme));
	assert_string_equal(scheme, "file");
}

static void test_hosts_by_name(void **state)
{
	(void)state;
	assert_false(git_names_host(&none, "https://any.host/x.git"));
	assert_true(git_names_host(&trees, "https://a.org/x.git"));
	assert_false(git_names_host(&trees, "https://a.org.evil.net/x.git"));
	assert_true(git_names_host(&trees, "file:///srv/trees/x.git"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_urls_allowed),      cmocka_unit_test(test_urls_refused),
	        cmocka_unit_test(test_hosts_by_name),     cmocka_unit_test(test_refs),
	        cmocka_unit_test(test_commit_and_scheme),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
