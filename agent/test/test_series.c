/* A patch series in the resolve step: a bundle of commits that no tree has. */
#include "agent/series.h"

#include "agent/test/series_bed.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct series_bed sb;
static char *origin, *work, *url;
static char base[41], tip[41];

/* A tree that an agent may fetch, and a clone of it with three commits more. */
static int setup(void **state)
{
	(void)state;
	series_bed_init(
	        &sb,
	        "sed -i 's/line 100$/one/' mm/a.c; git commit -q -a -m 'mm: first <b>&'\n"
	        "git commit -q --allow-empty -m nothing\n"
	        "sed -i 's/line 10$/two/' mm/a.c; git commit -q -a --author='J \xc3\xa4 <j@x>' "
	        "-m 'mm: last\n\nbody'");
	origin = sb.bed.origin;
	work = sb.work;
	url = sb.bed.url;
	memcpy(base, sb.base, sizeof(base));
	run_line(tip, sizeof(tip), work, "git", "rev-parse", "HEAD", NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	series_bed_release(&sb);
	return 0;
}

/* A file of `work` as the artifact of the next job, which is on `ref`. */
static enum err resolve(const char *file, const char *ref, struct step_outcome *out)
{
	return series_resolve(&sb, "bundle", file, ref, out);
}

static void refused(const char *file, const char *ref, enum fail_class fail, const char *says)
{
	struct step_outcome out;

	assert_int_equal(resolve(file, ref, &out), OK);
	if (out.fail != fail || !strstr(out.why.text, says))
		fail_msg("%s: class %d, \"%s\", expected \"%s\"", file, out.fail, out.why.text,
		         says);
	step_outcome_release(&out);
}

static const char *patch(const struct step_outcome *out, size_t i, const char *key)
{
	return json_str(json_array_get(json_object_get(out->body, "patches"), i), key, "");
}

static bool nothing_matters(const char *path)
{
	(void)path;
	return false;
}

static void test_a_branch_that_was_not_pushed(void **state)
{
	struct step_outcome out;
	char id[128];
	struct git g;
	struct why w;

	(void)state;
	series_script(work, "git bundle create -q ok.bundle main ^origin/main");
	/* Twice: the second time everything is there. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(resolve("ok.bundle", base, &out), OK);
		if (out.fail)
			fail_msg("%s", out.why.text);
		assert_string_equal(json_str(out.body, "commit", ""), base);
		assert_int_equal(json_array_size(json_object_get(out.body, "patches")), 3);
		assert_string_equal(patch(&out, 0, "subject"), "mm: first <b>&");
		assert_string_equal(patch(&out, 2, "subject"), "mm: last");
		assert_string_equal(patch(&out, 2, "author"), "J \xc3\xa4 <j@x>");
		assert_string_equal(patch(&out, 2, "commit"), tip);
		assert_string_equal(patch(&out, 1, "patch_id"), "");
		run_line(id, sizeof(id), work, "git", "rev-parse", "HEAD^{tree}", NULL);
		assert_string_equal(patch(&out, 2, "source"), id);
		assert_string_equal(patch(&out, 1, "source"), patch(&out, 0, "source"));
		series_script(work, "git show HEAD | git patch-id --stable > id");
		run_line(id, sizeof(id), work, "cat", "id", NULL);
		assert_memory_equal(patch(&out, 2, "patch_id"), id, 40);
		assert_string_equal(sb.bed.marks.data, "fetched ");
		step_outcome_release(&out);
	}
	/* A build of the series finds each commit, and nobody who asks the tree for it. */
	assert_int_equal(git_open(&g, &sb.bed.step, url, &w), OK);
	assert_true(git_has_patch(&g, tip));
	assert_false(git_has(&g, tip));
	assert_int_equal(git_fetch(&g, tip, NULL, &w), ERR_UNPROCESSABLE);
	assert_non_null(strstr(w.text, "has no commit"));
	assert_false(git_differs(&g, base, tip, nothing_matters));
	assert_true(git_has(&g, base));
	git_close(&g);
}

/* Its commits were pushed as well, and built one by one before: fetched alone, each was cut
 * off from the one before it. */
static void test_a_branch_that_was_built_before(void **state)
{
	static const char *const before[] = {"HEAD", "HEAD~1"};
	struct step_outcome out;
	char id[41];
	struct git g;
	struct why w;

	(void)state;
	series_script(work, "git bundle create -q ok.bundle main ^origin/main\n"
	                    "git push -q origin main:refs/heads/pushed");
	assert_int_equal(git_open(&g, bed_job(&sb.bed, json_object()), url, &w), OK);
	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		run_line(id, sizeof(id), work, "git", "rev-parse", before[i], NULL);
		if (git_fetch(&g, id, NULL, &w))
			fail_msg("%s", w.text);
	}
	git_close(&g);
	assert_int_equal(resolve("ok.bundle", base, &out), OK);
	if (out.fail)
		fail_msg("%s", out.why.text);
	assert_int_equal(json_array_size(json_object_get(out.body, "patches")), 3);
	assert_string_equal(patch(&out, 2, "commit"), tip);
	series_script(work, "git show HEAD | git patch-id --stable | cut -c-40 > id");
	run_line(id, sizeof(id), work, "cat", "id", NULL);
	assert_string_equal(patch(&out, 2, "patch_id"), id);
	step_outcome_release(&out);
}

static void test_ranges_that_are_no_series(void **state)
{
	char other[41];

	(void)state;
	series_script(work, "git checkout -q -b side HEAD~2; echo c > mm/c.c; git add mm/c.c\n"
	                    "git commit -q -m side; git checkout -q -b merged main\n"
	                    "git merge -q -m merge side\n"
	                    "git bundle create -q merge.bundle merged ^origin/main\n"
	                    "git bundle create -q two.bundle main side ^origin/main\n"
	                    "git checkout -q main");
	refused("merge.bundle", base, FAIL_BUILD, "a series is one line of commits");
	refused("two.bundle", base, FAIL_BUILD, "more than one tip");
	/* What it stands on is not what it is said to stand on. */
	run_line(other, sizeof(other), origin, "git", "rev-parse", "main~1", NULL);
	refused("merge.bundle", other, FAIL_BUILD, base);
}

/* The base was never pushed either. */
static void test_without_its_base(void **state)
{
	char missing[41];

	(void)state;
	series_script(work, "git bundle create -q rest.bundle main ^main~1");
	run_line(missing, sizeof(missing), work, "git", "rev-parse", "main~1", NULL);
	refused("rest.bundle", missing, FAIL_BUILD, missing);
	refused("rest.bundle", missing, FAIL_BUILD, "the base of the series");
}

static void test_what_is_no_bundle(void **state)
{
	(void)state;
	series_script(
	        work,
	        "git bundle create -q ok.bundle main ^origin/main\n"
	        "echo hello > text; : > nothing\n"
	        "head -c 200 ok.bundle > cut.bundle\n"
	        "sed 's/mm: first/mm: wrong/;s/line/lime/' ok.bundle | head -c -30 > bad.bundle\n"
	        "printf '# v2 git bundle\\n-%s\\n\\n' $(git rev-parse origin/main) > none.bundle\n"
	        "(printf '# v2 git bundle\\n--upload-pack=x\\n'; seq 10000) > odd.bundle\n"
	        "truncate -s 65M large.bundle");
	refused("text", base, FAIL_BUILD, "no git bundle of version 2");
	refused("nothing", base, FAIL_BUILD, "no git bundle of version 2");
	refused("cut.bundle", base, FAIL_BUILD, "git does not take the bundle");
	refused("bad.bundle", base, FAIL_BUILD, "git does not take the bundle");
	refused("none.bundle", base, FAIL_BUILD, "holds no commit");
	refused("odd.bundle", base, FAIL_BUILD, "malformed");
	refused("large.bundle", base, FAIL_BUILD, "more than 67108864");
}

/* What git would not let in by a fetch does not come in by a bundle. */
static void test_malformed_objects(void **state)
{
	(void)state;
	series_script(work,
	              "git checkout -q -b evil origin/main\n"
	              "b=$(echo x | git hash-object -w --stdin)\n"
	              "t=$(printf '100644 blob %s\\t.git\\n' $b | git mktree)\n"
	              "c=$(git commit-tree -p origin/main -m evil $t)\n"
	              "git update-ref refs/heads/evil2 $c\n"
	              "git bundle create -q evil.bundle evil2 ^origin/main; git checkout -q main");
	refused("evil.bundle", base, FAIL_BUILD, "git does not take the bundle");
}

static void test_too_many_patches(void **state)
{
	struct step_outcome out;

	(void)state;
	series_script(work,
	              "git checkout -q -b long origin/main\n"
	              "t=$(git rev-parse HEAD^{tree}); c=$(git rev-parse HEAD)\n"
	              "for i in $(seq 500); do c=$(git commit-tree -p $c -m n$i $t); done\n"
	              "git update-ref refs/heads/l500 $c\n"
	              "git update-ref refs/heads/l501 $(git commit-tree -p $c -m n501 $t)\n"
	              "git bundle create -q l500.bundle l500 ^origin/main\n"
	              "git bundle create -q l501.bundle l501 ^origin/main; git checkout -q main");
	refused("l501.bundle", base, FAIL_BUILD, "more than 500 patches");
	assert_int_equal(resolve("l500.bundle", base, &out), OK);
	assert_int_equal(out.fail, FAIL_NONE);
	assert_int_equal(json_array_size(json_object_get(out.body, "patches")), 500);
	assert_string_equal(patch(&out, 499, "subject"), "n500");
	step_outcome_release(&out);
}

/* Whom its trailers name; what is no plain address is nobody, and no line of text is a
 * trailer because it looks like one. */
static void test_persons(void **state)
{
	struct conf_list many = {0};
	struct step_outcome out;
	struct buf text;
	const json_t *all;
	char *said;

	(void)state;
	series_script(work,
	              "git checkout -q -b people main\n"
	              "printf 'mm: people\\n\\nCc: Body <body@example.org>\\n\\nMore text.\\n\\n"
	              "Reported-by: syzbot+1@example.com\\n"
	              "Signed-off-by: J\303\244 <j@example.org>\\n"
	              "Cc: \"Q, R\" <q@example.org>\\nCc: <stable@example.org> # 6.1+\\n"
	              "Link: https://example.org/x@y\\nFixes: 0123 (\"a@b\")\\n"
	              "Cc: evil@example.org\\n Bcc: x@example.org\\n"
	              "Cc: broken <broken\\nCC: J@EXAMPLE.ORG\\n' > people.txt\n"
	              "sed -i 's/line 50$/three/' mm/a.c; git commit -q -a -F people.txt\n"
	              "git bundle create -q people.bundle people ^origin/main");
	assert_int_equal(resolve("people.bundle", base, &out), OK);
	if (out.fail)
		fail_msg("%s", out.why.text);
	all = json_object_get(out.body, "patches");
	assert_int_equal(json_array_size(json_object_get(json_array_get(all, 0), "persons")), 0);
	said = json_dumps(json_object_get(json_array_get(all, 3), "persons"), JSON_COMPACT);
	assert_string_equal(said, "[\"syzbot+1@example.com\",\"j@example.org\",\"q@example.org\","
	                          "\"stable@example.org\"]");
	free(said);
	step_outcome_release(&out);
	/* Twenty at most. */
	buf_init(&text, 4096);
	for (int i = 0; i < 30; i++)
		buf_addf(&text, "%sp%d@example.org", i ? "\x1f" : "", i);
	git_persons(text.data, text.len, &many);
	assert_int_equal(many.count, GIT_PERSONS_MAX);
	for (size_t i = 0; i < many.count; i++)
		free(many.items[i]);
	free(many.items);
	buf_release(&text);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	        T(test_a_branch_that_was_not_pushed),
	        T(test_persons),
	        T(test_a_branch_that_was_built_before),
	        T(test_ranges_that_are_no_series),
	        T(test_without_its_base),
	        T(test_what_is_no_bundle),
	        T(test_malformed_objects),
	        T(test_too_many_patches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
