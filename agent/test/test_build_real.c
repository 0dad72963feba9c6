/*
 * Real builds of a real kernel, through the steps as the agent runs them:
 *
 *     FOLDWATCH_TEST_TREE=file:///…/linux.git FOLDWATCH_TEST_CONFIG=FILE
 *     FOLDWATCH_TEST_DIR=DIR    where state is kept between runs (optional)
 *
 * Takes minutes; skipped, with the reason, without these.
 */
#include "agent/sandbox.h"
#include "agent/test/steps.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct step_bed bed;
static char origin[41], patched[41], moved[41], broken[41];
static char clean_hash[65], clean_id[65];
static struct buf config;

static const char *missing(void)
{
	static struct why w;

	if (!getenv("FOLDWATCH_TEST_TREE") || !getenv("FOLDWATCH_TEST_CONFIG"))
		return "FOLDWATCH_TEST_TREE and FOLDWATCH_TEST_CONFIG are not set";
	if (!geteuid())
		return "builds are not tried as root";
	return sandbox_probe(&w) ? w.text : NULL;
}

/* cmocka's own skip says no reason. */
#define NEEDS()                                                    \
	do {                                                       \
		if (missing()) {                                   \
			print_message("skipped: %s\n", missing()); \
			skip();                                    \
		}                                                  \
	} while (0)

static char *tree_path(void)
{
	return path_join(bed.dir, "work.git");
}

/* A commit like `origin` in which sed changed one file, made in a repository
 * that shares the tree's objects. */
static void commit_change(const char *file, const char *sed, char out[41])
{
	char *git = tree_path(), *index = path_join(bed.dir, "work.index");
	char *script = xasprintf(
	        "export GIT_DIR='%s' GIT_INDEX_FILE='%s' GIT_CONFIG_GLOBAL=/dev/null\n"
	        "export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_AUTHOR_DATE='1700000000 +0000'\n"
	        "export GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t "
	        "GIT_COMMITTER_DATE='1700000000 +0000'\n"
	        "set -e; git read-tree %s\n"
	        "blob=$(git show %s:%s | sed '%s' | git hash-object -w --stdin)\n"
	        "git update-index --cacheinfo 100644,$blob,%s\n"
	        "commit=$(git commit-tree -p %s -m 'change %s' $(git write-tree))\n"
	        "git update-ref refs/heads/c-$commit $commit; echo $commit\n",
	        git, index, origin, origin, file, sed, file, origin, file);

	run_line(out, 41, bed.dir, "sh", "-c", script, NULL);
	free(script);
	free(git);
	free(index);
}

static int setup(void **state)
{
	const char *tree = getenv("FOLDWATCH_TEST_TREE");
	char *git, *config_git, *url;
	struct why w;

	(void)state;
	if (missing())
		return 0;
	bed_init(&bed, getenv("FOLDWATCH_TEST_DIR"), "file:///");
	/* A caller that is not the tree's owner: git wants to be told. */
	config_git = path_join(bed.dir, "test.gitconfig");
	assert_int_equal(file_write(config_git, "[safe]\n\tdirectory = *\n", 22, 0644, &w), OK);
	setenv("GIT_CONFIG_GLOBAL", config_git, 1);
	git = tree_path();
	dir_remove(git, NULL);
	run_ok(bed.dir, "git", "clone", "-q", "--bare", "--shared", tree, git, NULL);
	run_line(origin, sizeof(origin), git, "git", "rev-parse", "HEAD", NULL);
	commit_change("mm/mremap.c",
	              "s/^static pmd_t \\*get_old_pmd/extern int fw_x; int fw_x = 7;\\n&/",
	              patched);
	commit_change("mm/memory.c", "1i /* a line that moves all others */", moved);
	commit_change("mm/memory.c", "$a int fw_broken(void) { return fw_undeclared; }", broken);
	buf_init(&config, 1 << 20);
	assert_int_equal(file_read(getenv("FOLDWATCH_TEST_CONFIG"), &config, &w), OK);
	url = xasprintf("file://%s", git);
	setenv("FOLDWATCH_TEST_URL", url, 1);
	free(url);
	free(git);
	free(config_git);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (missing())
		return 0;
	buf_release(&config);
	bed_release(&bed);
	return 0;
}

static json_t *spec(const char *commit, const char *text)
{
	json_t *o = json_object(), *c = json_object();

	json_put_str(o, "tree", getenv("FOLDWATCH_TEST_URL"));
	json_put_str(o, "ref", "main");
	json_put_str(o, "commit", commit);
	json_put_str(o, "name", "test");
	json_put_str(o, "toolchain", "gcc");
	json_put_str(c, "name", "test");
	json_put_bool(c, "whole", false);
	json_put_str(c, "text", text);
	json_put(o, "config", c);
	return o;
}

static void build(const char *what, const char *commit, const char *text, struct step_outcome *out)
{
	int64_t before = clock_mono_ns();
	struct why w = {""};
	enum err e;

	*out = (struct step_outcome){.fail = FAIL_NONE};
	e = step_build(bed_job(&bed, spec(commit, text)), out, &w);
	fprintf(stderr, "%-28s %7.1f s  %s %s\n", what,
	        (double)(clock_mono_ns() - before) / (double)NS_PER_S, fail_class_name(out->fail),
	        e           ? w.text
	        : out->fail ? out->why.text
	                    : json_str(out->body, "section_hash", ""));
	if (e)
		fail_msg("%s", w.text);
}

static void test_clean(void **state)
{
	struct step_outcome out;
	struct buf said;

	(void)state;
	NEEDS();
	build("clean", origin, config.data, &out);
	assert_int_equal(out.fail, FAIL_NONE);
	assert_string_equal(bed.marks.data, "fetched configured built ");
	assert_int_equal(out.artifacts, 3);
	assert_true(json_int(out.body, "objects", 0) > 100);
	assert_string_equal(json_str(out.body, "sandbox", ""), "bubblewrap");
	assert_false(json_flag(out.body, "trusted", true));
	snprintf(clean_hash, sizeof(clean_hash), "%s", json_str(out.body, "section_hash", ""));
	snprintf(clean_id, sizeof(clean_id), "%s", json_str(out.body, "build_id", ""));
	assert_int_equal(strlen(clean_id), 40);
	buf_init(&said, 1 << 20);
	bed_progress(&bed, &said);
	assert_non_null(strstr(said.data, "\"step\":\"compile\""));
	buf_release(&said);
	step_outcome_release(&out);
}

static void test_incremental(void **state)
{
	struct step_outcome out;

	(void)state;
	NEEDS();
	build("patched, incremental", patched, config.data, &out);
	assert_int_equal(out.fail, FAIL_NONE);
	assert_string_not_equal(json_str(out.body, "section_hash", ""), clean_hash);
	assert_string_not_equal(json_str(out.body, "build_id", ""), clean_id);
	step_outcome_release(&out);
	build("back again, incremental", origin, config.data, &out);
	assert_int_equal(out.fail, FAIL_NONE);
	assert_string_equal(json_str(out.body, "section_hash", ""), clean_hash);
	assert_string_equal(json_str(out.body, "build_id", ""), clean_id);
	step_outcome_release(&out);
}

static void test_moved_lines(void **state)
{
	struct step_outcome out;

	(void)state;
	NEEDS();
	build("lines moved, incremental", moved, config.data, &out);
	assert_int_equal(out.fail, FAIL_NONE);
	assert_string_equal(json_str(out.body, "section_hash", ""), clean_hash);
	assert_string_not_equal(json_str(out.body, "build_id", ""), clean_id);
	step_outcome_release(&out);
}

static void test_does_not_build(void **state)
{
	struct step_outcome out;

	(void)state;
	NEEDS();
	build("broken", broken, config.data, &out);
	assert_int_equal(out.fail, FAIL_BUILD);
	assert_non_null(strstr(out.why.text, "mm/memory.c:"));
	assert_non_null(strstr(out.why.text, "fw_undeclared"));
	assert_null(out.body);
	step_outcome_release(&out);
}

static void test_symbol_did_not_take(void **state)
{
	char *text =
	        xasprintf("%s\n# CONFIG_TRANSPARENT_HUGEPAGE is not set\nCONFIG_ARM64_CONTPTE=y\n",
	                  config.data);
	struct step_outcome out;

	(void)state;
	if (missing())
		free(text);
	NEEDS();
	build("symbol without dependency", origin, text, &out);
	assert_int_equal(out.fail, FAIL_BUILD);
	assert_non_null(strstr(out.why.text, "CONFIG_ARM64_CONTPTE: asked for y, got n (is a "
	                                     "dependency missing?)"));
	step_outcome_release(&out);
	free(text);
}

static void test_clean_again_without_ccache(void **state)
{
	char *builds = path_join(bed.dir, "builds"), *ccache = path_join(bed.dir, "ccache");
	struct step_outcome out;

	(void)state;
	if (missing() || !getenv("FOLDWATCH_TEST_TWICE")) {
		free(builds);
		free(ccache);
		NEEDS();
		print_message("skipped: FOLDWATCH_TEST_TWICE is not set\n");
		skip();
	}
	dir_remove(builds, NULL);
	dir_remove(ccache, NULL);
	free(builds);
	free(ccache);
	build("clean, no caches", moved, config.data, &out);
	assert_int_equal(out.fail, FAIL_NONE);
	assert_string_equal(json_str(out.body, "section_hash", ""), clean_hash);
	step_outcome_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_clean),
	        cmocka_unit_test(test_incremental),
	        cmocka_unit_test(test_moved_lines),
	        cmocka_unit_test(test_does_not_build),
	        cmocka_unit_test(test_symbol_did_not_take),
	        cmocka_unit_test(test_clean_again_without_ccache),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
