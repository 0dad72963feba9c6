#include "agent/git.h"

#include "agent/checkout.h"
#include "agent/test/steps.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct step_bed bed;
static char first[41], second[41];

static void in_origin(const char *script)
{
	char *all = xasprintf(
	        "set -e; export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t "
	        "GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t GIT_AUTHOR_DATE='1700000000 +0000' "
	        "GIT_COMMITTER_DATE='1700000000 +0000'\n%s",
	        script);

	run_ok(bed.origin, "sh", "-c", all, NULL);
	free(all);
}

static int setup(void **state)
{
	(void)state;
	bed_init(&bed, NULL, "file:///");
	bed_allow(&bed, "http://127.0.0.1:1/");
	bed_origin(&bed);
	in_origin("git init -q -b main .\n"
	          "mkdir -p mm; echo one > mm/a.c; echo same > mm/b.c; echo old > gone.c\n"
	          "ln -s mm/a.c link; echo '*.o' > .gitignore; printf '#!/bin/sh\\n' > run.sh; "
	          "chmod 755 run.sh\n"
	          "git add -A; git commit -q -m 'first: \xc3\xa4nderung \xff end'\n"
	          "git tag -a -m note v1; git branch both; git tag light\n"
	          "git rm -q gone.c; echo two > mm/a.c; git add -A; git commit -q -m second\n"
	          "git tag both; git tag tree HEAD^{tree}\n");
	run_line(first, sizeof(first), bed.origin, "git", "rev-parse", "v1^{commit}", NULL);
	run_line(second, sizeof(second), bed.origin, "git", "rev-parse", "main", NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bed_release(&bed);
	return 0;
}

static json_t *spec(const char *tree, const char *ref)
{
	json_t *o = json_object();

	json_put_str(o, "tree", tree);
	json_put_str(o, "ref", ref);
	return o;
}

static enum err resolve(const char *tree, const char *ref, struct step_outcome *out)
{
	struct why w;

	*out = (struct step_outcome){.fail = FAIL_NONE};
	return step_resolve(bed_job(&bed, spec(tree, ref)), out, &w);
}

static void test_resolves(void **state)
{
	static const struct {
		const char *ref;
		bool is_first;
	} refs[] = {{"main", false},      {"HEAD", false}, {"refs/heads/main", false},
	            {"v1", true},         {"light", true}, {"tags/v1", true},
	            {"heads/both", true}, {"both", false}};
	struct step_outcome out;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(refs); i++) {
		const char *want = refs[i].is_first ? first : second;

		assert_int_equal(resolve(bed.url, refs[i].ref, &out), OK);
		if (out.fail)
			fail_msg("%s: %s", refs[i].ref, out.why.text);
		assert_string_equal(json_str(out.body, "commit", ""), want);
		assert_string_equal(bed.marks.data, "fetched ");
		step_outcome_release(&out);
	}
	/* By commit id, also one that no branch points to any more. */
	assert_int_equal(resolve(bed.url, first, &out), OK);
	assert_int_equal(out.fail, FAIL_NONE);
	assert_string_equal(json_str(out.body, "subject", ""),
	                    "first: \xc3\xa4nderung \xc3\xbf end");
	assert_int_equal(json_int(out.body, "author_time", 0), 1700000000);
	step_outcome_release(&out);
}

static void test_wrong_refs_and_trees(void **state)
{
	char *empty = path_join(bed.dir, "not-git"), *not_git, *gone;
	struct step_outcome out;
	struct why w;
	size_t i;

	(void)state;
	assert_int_equal(dir_make(empty, 0755, &w), OK);
	not_git = xasprintf("file://%s", empty);
	gone = xasprintf("file://%s/gone", empty);
	{
		const struct {
			const char *tree, *ref, *says;
			enum fail_class fail;
		} bad[] = {
		        {bed.url, "no-such-branch", "has no branch or tag \"no-such-branch\"",
		         FAIL_BUILD},
		        {bed.url, "0000000000000000000000000000000000000001",
		         "has no commit 0000000000000000000000000000000000000001", FAIL_BUILD},
		        {bed.url, "--upload-pack=/bin/false", "begins with '-'", FAIL_BUILD},
		        {bed.url, "a b", "is no name of a branch", FAIL_BUILD},
		        {bed.url, "tree", "is no commit", FAIL_BUILD},
		        {not_git, "main", "no git tree at this address", FAIL_BUILD},
		        {gone, "main", "no git tree at this address", FAIL_BUILD},
		        {"ext::sh", "main", "expected an address", FAIL_BUILD},
		        {"http://127.0.0.1:1/x.git", "main", "does not answer", FAIL_INFRA},
		        {"https://name.invalid/x.git", "main", "cannot be found", FAIL_INFRA},
		        /* Nobody named these hosts in the configuration. */
		        {"https://127.0.0.1:1/x.git", "main", "address 127.0.0.1, which is none",
		         FAIL_BUILD},
		        {"https://0x7f000001/x.git", "main", "address 127.0.0.1, which is none",
		         FAIL_BUILD},
		        {"https://[::ffff:10.0.0.1]/x.git", "main", "10.0.0.1, which is none",
		         FAIL_BUILD},
		        {"https://169.254.169.254/latest/", "main", "none of the public internet",
		         FAIL_BUILD},
		        {"https://localhost/x.git", "main",
		         "its host \"localhost\" has the address", FAIL_BUILD},
		};

		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			assert_int_equal(resolve(bad[i].tree, bad[i].ref, &out), OK);
			if (out.fail != bad[i].fail || !strstr(out.why.text, bad[i].says))
				fail_msg("%s %s: %s: %s", bad[i].tree, bad[i].ref,
				         fail_class_name(out.fail), out.why.text);
			assert_null(out.body);
			step_outcome_release(&out);
		}
	}
	free(empty);
	free(not_git);
	free(gone);
}

static bool says(const struct argv *a, const char *word)
{
	const char *const *all = argv_list(a);

	for (size_t i = 0; all[i]; i++)
		if (strcmp(all[i], word) == 0)
			return true;
	return false;
}

/* A name that is looked up again may be somewhere else, and so may a redirect. */
static void test_a_host_stays_where_it_is(void **state)
{
	static const struct {
		const char *url, *host, *port, *pinned;
	} all[] = {
	        {"https://8.8.8.8/x.git", "8.8.8.8", "443",
	         "http.curloptResolve=8.8.8.8:443:8.8.8.8"},
	        {"https://8.8.8.8:8443/x.git", "8.8.8.8", "8443",
	         "http.curloptResolve=8.8.8.8:8443:8.8.8.8"},
	        {"https://[2001:4860:4860::8888]:8443/x", "2001:4860:4860::8888", "8443", NULL},
	        {"http://127.0.0.1:1/x.git", "127.0.0.1", "1", NULL},
	        {"ssh://git@a.org/x.git", "a.org", "22", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct argv a = {0};
		char host[64], port[6];
		struct git g;
		struct why w;

		assert_true(git_url_host(all[i].url, host, sizeof(host), port));
		assert_string_equal(host, all[i].host);
		assert_string_equal(port, all[i].port);
		if (str_starts(all[i].url, "ssh:"))
			continue;
		assert_int_equal(
		        git_open(&g, bed_job(&bed, spec(all[i].url, "main")), all[i].url, &w), OK);
		assert_int_equal(git_begin_remote(&g, &a, &w), OK);
		assert_true(says(&a, "http.followRedirects=false"));
		if (all[i].pinned)
			assert_true(says(&a, all[i].pinned));
		else
			assert_null(g.resolve);
		argv_release(&a);
		git_close(&g);
	}
}

static void test_survives_a_killed_git(void **state)
{
	struct step_outcome out;
	char *mirrors = path_join(bed.dir, "mirrors"), *script;

	(void)state;
	/* Everything that a git killed at the wrong moment leaves. */
	script = xasprintf("for m in '%s'/*.git; do touch $m/shallow.lock $m/packed-refs.lock "
	                   "$m/objects/pack/tmp_pack_x; mkdir -p $m/refs/foldwatch; "
	                   "touch $m/refs/foldwatch/%s.lock $m/HEAD.lock; done",
	                   mirrors, second);
	run_ok(NULL, "sh", "-c", script, NULL);
	free(script);
	in_origin("echo three > mm/a.c; git commit -q -am third; git branch -f third");
	assert_int_equal(resolve(bed.url, "third", &out), OK);
	if (out.fail)
		fail_msg("%s", out.why.text);
	step_outcome_release(&out);
	free(mirrors);
}

static void test_checkout(void **state)
{
	struct step *s = bed_job(&bed, spec(bed.url, "main"));
	char *tree = path_join(bed.dir, "tree"), *index = path_join(bed.dir, "tree-index");
	char *lock = xasprintf("%s.lock", index), *b = path_join(tree, "mm/b.c"),
	     *a = path_join(tree, "mm/a.c"), *gone = path_join(tree, "gone.c"),
	     *stray = path_join(tree, "mm/stray.o"), *git = path_join(tree, ".git");
	struct stat before, after;
	struct buf text;
	struct git g;
	struct why w;

	(void)state;
	buf_init(&text, 4096);
	assert_int_equal(git_open(&g, s, bed.url, &w), OK);
	assert_int_equal(git_fetch(&g, first, NULL, &w), OK);
	assert_int_equal(git_fetch(&g, second, "main", &w), OK);
	assert_int_equal(checkout(&g, first, tree, index, &w), OK);
	assert_true(path_exists(gone));
	assert_false(path_exists(git));
	assert_int_equal(stat(b, &before), 0);
	/* What an earlier build or a killed checkout may have left. */
	assert_int_equal(file_write(stray, "x", 1, 0644, &w), OK);
	assert_int_equal(file_write(lock, "", 0, 0644, &w), OK);
	assert_int_equal(checkout(&g, second, tree, index, &w), OK);
	assert_false(path_exists(gone));
	assert_false(path_exists(stray));
	assert_int_equal(stat(b, &after), 0);
	/* What did not change was not written: make has nothing to do for it. */
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(file_read(a, &text, &w), OK);
	assert_string_equal(text.data, "two\n");
	/* A file that was written half. */
	assert_int_equal(truncate(a, 1), 0);
	assert_int_equal(checkout(&g, second, tree, index, &w), OK);
	buf_reset(&text);
	assert_int_equal(file_read(a, &text, &w), OK);
	assert_string_equal(text.data, "two\n");
	/* An index that is no index. */
	assert_int_equal(file_write(index, "torn", 4, 0644, &w), OK);
	assert_int_equal(checkout(&g, first, tree, index, &w), OK);
	assert_true(path_exists(gone));
	git_close(&g);
	buf_release(&text);
	free(tree);
	free(index);
	free(lock);
	free(a);
	free(b);
	free(gone);
	free(stray);
	free(git);
}

/* A hook in the tree that is fetched, or in the mirror, is never run. */
static void test_no_hooks(void **state)
{
	char *mark = path_join(bed.dir, "hooked"), *script;
	struct step_outcome out;

	(void)state;
	script = xasprintf("for d in '%s'/mirrors/*.git '%s'/.git; do mkdir -p $d/hooks; for h in "
	                   "post-checkout reference-transaction post-index-change "
	                   "fsmonitor-watchman; do printf '#!/bin/sh\\ntouch %s\\n' > "
	                   "$d/hooks/$h; chmod 755 $d/hooks/$h; done; done",
	                   bed.dir, bed.origin, mark);
	run_ok(NULL, "sh", "-c", script, NULL);
	in_origin("git -c core.hooksPath=/dev/null branch hooked main");
	assert_int_equal(resolve(bed.url, "hooked", &out), OK);
	assert_int_equal(out.fail, FAIL_NONE);
	assert_false(path_exists(mark));
	step_outcome_release(&out);
	free(script);
	free(mark);
}

static void test_pick_ref(void **state)
{
	static const char listing[] = "1111111111111111111111111111111111111111\trefs/heads/x/v1\n"
	                              "2222222222222222222222222222222222222222\trefs/heads/v1\n"
	                              "3333333333333333333333333333333333333333\trefs/tags/v1\n"
	                              "4444444444444444444444444444444444444444\trefs/tags/v1^{}\n"
	                              "short\trefs/heads/bad\n"
	                              "5555555555555555555555555555555555555555 refs/heads/blank\n";
	char commit[41];

	(void)state;
	assert_true(git_pick_ref(listing, "v1", commit));
	assert_int_equal(commit[0], '4');
	assert_true(git_pick_ref(listing, "heads/v1", commit));
	assert_int_equal(commit[0], '2');
	assert_true(git_pick_ref(listing, "x/v1", commit));
	assert_int_equal(commit[0], '1');
	assert_false(git_pick_ref(listing, "bad", commit));
	assert_false(git_pick_ref(listing, "blank", commit));
	assert_false(git_pick_ref(listing, "v", commit));
	assert_false(git_pick_ref("", "v1", commit));
}

static void test_words_of_git(void **state)
{
	static const struct {
		const char *said;
		enum fail_class fail;
	} words[] = {
	        {"fatal: unable to access 'https://x/': Could not resolve host: x", FAIL_INFRA},
	        {"fatal: unable to access 'https://x/': The requested URL returned error: 503",
	         FAIL_INFRA},
	        {"fatal: could not read Username for 'https://x': terminal prompts disabled",
	         FAIL_BUILD},
	        {"fatal: repository 'https://x/y/' not found", FAIL_BUILD},
	        {"fatal: early EOF", FAIL_INFRA},
	        {"fatal: transport 'http' not allowed", FAIL_BUILD},
	        {"", FAIL_INFRA},
	};
	const char *sentence;
	int64_t done, total;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (git_blame(words[i].said, &sentence) != words[i].fail)
			fail_msg("%s", words[i].said);
	}
	assert_true(git_progress_parse("Receiving objects:  12% (123/1000), 5.00 MiB | 2.1 MiB/s",
	                               &done, &total));
	assert_int_equal(done, 123);
	assert_int_equal(total, 1000);
	assert_false(git_progress_parse("Receiving objects: ", &done, &total));
	assert_false(git_progress_parse("x 1% (9/", &done, &total));
	assert_false(git_progress_parse("x 1% (9/5)", &done, &total));
	assert_false(git_progress_parse("x 1% (/5)", &done, &total));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_pick_ref),
	        cmocka_unit_test(test_words_of_git),
	        cmocka_unit_test(test_resolves),
	        cmocka_unit_test(test_wrong_refs_and_trees),
	        cmocka_unit_test(test_a_host_stays_where_it_is),
	        cmocka_unit_test(test_survives_a_killed_git),
	        cmocka_unit_test(test_checkout),
	        cmocka_unit_test(test_no_hooks),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
