/* The merge base of a branch and what it stands on, in the resolve step. */
#include "agent/git.h"

#include "agent/test/steps.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct step_bed bed;

/*
 * main        m0 ... m2999
 * mine        two commits on m2989
 * left        1500 commits on m2900, then a merge with m10
 * right       another 1500 on m2900, then a merge with m10
 * stranger    a history of its own
 */
static const char history[] =
        "git init -q -b main . && awk 'function say(ref, from, text, merge) {"
        " print \"commit refs/heads/\" ref; print \"mark :\" ++n;"
        " print \"committer t <t@t> \" 1700000000 + n \" +0000\";"
        " print \"data \" length(text); print text;"
        " if (from) print \"from :\" from; if (merge) print \"merge :\" merge;"
        " print \"M 644 inline f\"; print \"data \" length(text); print text; return n }"
        " BEGIN { for (i = 0; i < 3000; i++) m[i] = say(\"main\", i ? m[i - 1] : 0, \"m\" i);"
        " x = say(\"mine\", m[2989], \"one\"); say(\"mine\", x, \"two\");"
        " x = m[2900]; for (i = 0; i < 1500; i++) x = say(\"left\", x, \"l\" i);"
        " say(\"left\", x, \"left\", m[10]);"
        " x = m[2900]; for (i = 0; i < 1500; i++) x = say(\"right\", x, \"r\" i);"
        " say(\"right\", x, \"right\", m[10]);"
        " say(\"stranger\", 0, \"alone\") }' | git fast-import --quiet";

static int setup(void **state)
{
	(void)state;
	bed_init(&bed, NULL, "file:///");
	bed_origin(&bed);
	run_ok(bed.origin, "sh", "-c", history, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bed_release(&bed);
	return 0;
}

static void commit_of(const char *name, char out[41])
{
	run_line(out, 41, bed.origin, "git", "rev-parse", name, NULL);
}

static void resolve(const char *ref, const char *base_of, struct step_outcome *out)
{
	json_t *o = json_object();
	struct why w;

	*out = (struct step_outcome){.fail = FAIL_NONE};
	json_put_str(o, "tree", bed.url);
	json_put_str(o, "ref", ref);
	json_put_str(o, "base_of", base_of);
	assert_int_equal(step_resolve(bed_job(&bed, o), out, &w), OK);
}

static void expect(const char *onto, const char *branch, const char *want)
{
	struct step_outcome out;
	char tip[41], base[41];

	commit_of(branch, tip);
	commit_of(want, base);
	resolve(onto, tip, &out);
	if (out.fail)
		fail_msg("%s and %s: %s", onto, branch, out.why.text);
	assert_string_equal(json_str(out.body, "commit", ""), base);
	/* Its files are in the mirror, as of any commit that is resolved. */
	assert_true(json_int(out.body, "bytes_fetched", -1) >= 0);
	step_outcome_release(&out);
}

/* Whoever follows main sees so many commits behind one. */
static void walked(const char *since, size_t commits)
{
	struct step_outcome out = {.fail = FAIL_NONE};
	json_t *o = json_object();
	char id[41];
	struct why w;

	commit_of(since, id);
	json_put_str(o, "tree", bed.url);
	json_put_str(o, "ref", "main");
	json_put_str(o, "since", id);
	assert_int_equal(step_walk(bed_job(&bed, o), &out, &w), OK);
	if (out.fail)
		fail_msg("behind %s: %s", since, out.why.text);
	assert_int_equal(json_array_size(json_object_get(out.body, "commits")), commits);
	step_outcome_release(&out);
}

static void test_found(void **state)
{
	(void)state;
	expect("HEAD", "mine", "main~10");
	expect("main", "mine", "main~10");
	/* Once more, and the other way round, from what is there. */
	expect("mine", "main", "main~10");
	expect("HEAD", "main~2000", "main~2000");
	expect("HEAD", "main", "main");
}

/* In a thousand commits of each an old common one shows, and the newer does not. */
static void test_a_cut_history_does_not_mislead(void **state)
{
	(void)state;
	expect("left", "right", "main~99");
}

/* The same from a server that can leave the files out. */
static void test_commits_alone(void **state)
{
	char line[64];
	char *history_dir = xasprintf("%s/mirrors", bed.dir);

	(void)state;
	run_ok(bed.origin, "git", "config", "uploadpack.allowFilter", "true", NULL);
	expect("HEAD", "mine", "main~10");
	expect("left", "right", "main~99");
	/* No file and no folder is there. */
	run_line(line, sizeof(line), history_dir, "sh", "-c",
	         "cd *.git/foldwatch-commits && git cat-file --batch-all-objects "
	         "--batch-check='%(objecttype)' 2>/dev/null | sort -u | tr -d '\\n'",
	         NULL);
	assert_string_equal(line, "commit");
	free(history_dir);
}

static void test_none(void **state)
{
	static const char nowhere[] = "0123456789012345678901234567890123456789";
	struct step_outcome out;
	char tip[41];

	(void)state;
	commit_of("stranger", tip);
	resolve("main", tip, &out);
	assert_int_equal(out.fail, FAIL_BUILD);
	assert_non_null(strstr(out.why.text, "have no common history"));
	step_outcome_release(&out);
	resolve("main", nowhere, &out);
	assert_int_equal(out.fail, FAIL_BUILD);
	assert_non_null(strstr(out.why.text, nowhere));
	step_outcome_release(&out);
	resolve("no-such-branch", tip, &out);
	assert_int_equal(out.fail, FAIL_BUILD);
	assert_non_null(strstr(out.why.text, "no branch or tag"));
	step_outcome_release(&out);
	resolve("main", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", &out);
	assert_int_equal(out.fail, FAIL_BUILD);
	assert_non_null(strstr(out.why.text, "no commit id"));
	step_outcome_release(&out);
	/* What went wrong leaves nothing that misleads the next. */
	expect("HEAD", "mine", "main~10");
}

/* A tree whose branch is followed as well: both keep something in its mirror. */
static void test_beside_walks(void **state)
{
	(void)state;
	expect("HEAD", "mine", "main~10");
	walked("main~5", 5);
	expect("HEAD", "main~20", "main~20");
	walked("main~30", 30);
}

static void test_behind_walks(void **state)
{
	(void)state;
	walked("main~5", 5);
	expect("HEAD", "mine", "main~10");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_found, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_a_cut_history_does_not_mislead, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(test_commits_alone, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_none, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_beside_walks, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_behind_walks, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
