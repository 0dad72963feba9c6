/* A patch series as mails, in the resolve step. */
#include "agent/series_am.h"

#include "agent/test/needs.h"
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct series_bed sb;
static char *origin, *work, *url;
static char base[41];

static void in(const char *dir, const char *script)
{
	char *all = xasprintf(
	        "mail() { printf 'From x Mon Sep 17 00:00:00 2001\\nFrom: A <a@b>\\nDate: Tue, 14 "
	        "Nov 2023 22:13:20 +0000\\nSubject: [PATCH] %%s\\n\\ntext\\n---\\n%%b\\n-- "
	        "\\n2.39\\n"
	        "' \"$1\" \"$2\"; }\n%s",
	        script);

	series_script(dir, all);
	free(all);
}

static int setup(void **state)
{
	(void)state;
	series_bed_init(
	        &sb,
	        "sed -i 's/line 100$/one/' mm/a.c\n"
	        "git commit -q -a -m 'mm: first <b>&' -m 'Body.' -m 'Signed-off-by: t <t@t>'\n"
	        "printf 'a\\0b' > blob; git add blob; git commit -q -m 'a binary'\n"
	        "sed -i 's/line 10$/two/' mm/a.c; git commit -q -a --author='J \xc3\xa4 <j@x>' "
	        "-m 'mm: last'\n"
	        "git format-patch -q --base=origin/main --cover-letter -o out origin/main\n"
	        "cat out/* > ok.mbox; cat out/000[13]* > text.mbox; git rm -q --cached -r out "
	        "2>/dev/null || true");
	origin = sb.bed.origin;
	work = sb.work;
	url = sb.bed.url;
	memcpy(base, sb.base, sizeof(base));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	series_bed_release(&sb);
	return 0;
}

static enum err resolve(const char *file, const char *ref, struct step_outcome *out)
{
	return series_resolve(&sb, "patches", file, ref, out);
}

static void refused(const char *file, const char *says)
{
	struct step_outcome out;

	assert_int_equal(resolve(file, base, &out), OK);
	if (out.fail != FAIL_BUILD || !strstr(out.why.text, says))
		fail_msg("%s: class %d, \"%s\", expected \"%s\"", file, out.fail, out.why.text,
		         says);
	step_outcome_release(&out);
}

static const json_t *patch(const struct step_outcome *out, size_t i)
{
	return json_array_get(json_object_get(out->body, "patches"), i);
}

/* The same commits each time, that say what git am would have made them say. */
static void test_applies(void **state)
{
	struct step_outcome out, again;
	char line[256];
	char *mirror;

	(void)state;
	NEEDS_SANDBOX();
	assert_int_equal(resolve("ok.mbox", "v1", &out), OK);
	if (out.fail)
		fail_msg("%s", out.why.text);
	assert_string_equal(json_str(out.body, "commit", ""), base);
	assert_int_equal(json_array_size(json_object_get(out.body, "patches")), 3);
	assert_string_equal(json_str(patch(&out, 0), "subject", ""), "mm: first <b>&");
	assert_string_equal(json_str(patch(&out, 2), "author", ""), "J \xc3\xa4 <j@x>");
	assert_string_equal(json_str(out.body, "bundle", ""), out.artifact[0].sha256);
	/* What came out is the branch that went in. */
	mirror = xasprintf("for m in %s/mirrors/*.git; do git --git-dir=$m log -1 "
	                   "--format='%%T %%at %%ct %%an %%cn' %s; done",
	                   sb.bed.dir, json_str(patch(&out, 2), "commit", ""));
	run_line(line, sizeof(line), work, "sh", "-c", mirror, NULL);
	free(mirror);
	{
		char want[256], tree[64];

		run_line(tree, sizeof(tree), work, "git", "rev-parse", "HEAD^{tree}", NULL);
		snprintf(want, sizeof(want), "%s 1700000000 1700000000 J \xc3\xa4 foldwatch", tree);
		assert_string_equal(line, want);
	}
	sleep(1);
	assert_int_equal(resolve("ok.mbox", base, &again), OK);
	assert_int_equal(again.fail, FAIL_NONE);
	assert_string_equal(json_str(patch(&again, 2), "commit", ""),
	                    json_str(patch(&out, 2), "commit", "-"));
	step_outcome_release(&out);
	step_outcome_release(&again);
}

/* What a machine without bubblewrap does, in a process whose PATH has none. Returns the
 * number of the first check that failed, 0 for none. */
static int without_sandbox(void)
{
	char *bin = path_join(sb.bed.dir, "bin"), *script;
	struct step_outcome out;
	static char *trusted[1];

	script = xasprintf("mkdir '%s'; for p in git prlimit; do ln -s $(command -v $p) '%s'/$p; "
	                   "done",
	                   bin, bin);
	run_ok(NULL, "sh", "-c", script, NULL);
	setenv("PATH", bin, 1);
	if (resolve("ok.mbox", base, &out) || out.fail != FAIL_INFRA ||
	    !strstr(out.why.text, "trusted_trees"))
		return 1;
	trusted[0] = url;
	sb.bed.conf.trusted_trees = (struct conf_list){trusted, 1};
	if (resolve("ok.mbox", base, &out) || out.fail)
		return 2;
	return json_array_size(json_object_get(out.body, "patches")) == 3 ? 0 : 3;
}

static void test_no_sandbox(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(without_sandbox());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_conflicts_are_named(void **state)
{
	(void)state;
	NEEDS_SANDBOX();
	in(work,
	   "sed 's/^ line 9$/ line nine/' text.mbox > context.mbox\n"
	   "sed 's/^+++ b.mm.a.c/+++ b\\/mm\\/gone.c/;s/^--- a.mm.a.c/--- "
	   "a\\/mm\\/gone.c/;s/diff --git a.mm.a.c b.mm.a.c/diff --git a\\/mm\\/gone.c "
	   "b\\/mm\\/gone.c/' text.mbox > gone.mbox\n"
	   "cat out/0001* out/0001* > twice.mbox\n"
	   "git checkout -q -b two origin/main; sed -i 's/^line 20$/x/;s/^line 150$/y/' mm/a.c\n"
	   "git commit -q -a -m 'two hunks'; git format-patch -q --stdout -1 > two.mbox\n"
	   "sed -i 's/^ line 151$/ line 1510/' two.mbox; git checkout -q main");
	refused("context.mbox", "patch 2 \"mm: last\" does not apply: hunk 1 of mm/a.c, at line 7");
	refused("gone.mbox", "patch 1 \"mm: first <b>&\" cannot be applied: mm/gone.c: does not "
	                     "exist in index");
	refused("twice.mbox", "patch 2 \"mm: first <b>&\" does not apply");
	refused("two.mbox", "patch 1 \"two hunks\" does not apply: hunk 2 of mm/a.c, at line 147");
}

static void test_hostile_paths(void **state)
{
	(void)state;
	NEEDS_SANDBOX();
	in(work, "new() { printf 'diff --git a/%s b/%s\\nnew file mode %s\\n--- /dev/null\\n+++ "
	         "b/%s\\n@@ -0,0 +1 @@\\n+x\\n' $1 $1 ${2:-100644} $1; }\n"
	         "mail up \"$(new ../evil)\" > up.mbox\n"
	         "mail git \"$(new .git/config)\" > git.mbox\n"
	         "mail git \"$(new mm/.GIT/config)\" > case.mbox\n"
	         "mail abs \"$(new /tmp/evil)\" > abs.mbox\n"
	         "mail link \"$(new d 120000)\" > link.mbox; mail in \"$(new d/f)\" >> link.mbox");
	refused("up.mbox", "patch 1 \"up\" cannot be applied: invalid path '../evil'");
	refused("git.mbox", "invalid path '.git/config'");
	refused("case.mbox", "invalid path 'mm/.GIT/config'");
	refused("abs.mbox", "cannot be applied");
	refused("link.mbox", "patch 2 \"in\" cannot be applied");
}

static void test_what_is_no_series(void **state)
{
	(void)state;
	NEEDS_SANDBOX();
	in(work, ": > empty.mbox; cat out/0000* > cover.mbox; mail talk 'no diff' > talk.mbox\n"
	         "echo hello > text.txt; head -c 100000 /dev/zero > zero.mbox\n"
	         "grep -v ^From: text.mbox > author.mbox; grep -v ^Date: text.mbox > date.mbox\n"
	         "sed 's/^Date:.*/Date: yesterday/' text.mbox > yesterday.mbox\n"
	         "mail bin 'diff --git a/z b/z\\nnew file mode 100644\\nindex "
	         "0000000..1111111\\nBinary files /dev/null and b/z differ' > differ.mbox\n"
	         "truncate -s 65M large.mbox\n"
	         "for i in $(seq 502); do cat out/0001*; done > many.mbox");
	refused("empty.mbox", "the series is empty");
	refused("cover.mbox", "the series is empty");
	refused("talk.mbox", "patch 1 \"talk\" holds no diff");
	refused("text.txt", "holds no diff");
	refused("zero.mbox", "patch 1");
	refused("author.mbox", "patch 1 \"mm: first <b>&\" names no author");
	refused("date.mbox", "patch 1 \"mm: first <b>&\" has no date");
	refused("yesterday.mbox", "patch 1 \"mm: first <b>&\" gives no");
	refused("differ.mbox", "cannot apply binary patch to 'z' without full index line");
	refused("large.mbox", "more than 67108864");
	refused("many.mbox", "502 mails: more than 500 patches");
}

static void test_odd_encodings(void **state)
{
	struct step_outcome out;

	(void)state;
	NEEDS_SANDBOX();
	in(work,
	   "d='diff --git a/mm/b.c b/mm/b.c\\n--- a/mm/b.c\\n+++ b/mm/b.c\\n@@ -1 +1 "
	   "@@\\n-b\\n+c'\n"
	   "h='From x Mon Sep 17 00:00:00 2001\\nDate: Tue, 14 Nov 2023 22:13:20 +0000\\n'\n"
	   "(printf \"$h\"; printf 'From: =?ISO-8859-1?Q?J=E4?= <j@x>\\nSubject: "
	   "=?ISO-8859-1?Q?=E4h?=\\nContent-Type: text/plain; "
	   "charset=ISO-8859-1\\nContent-Transfer-Encoding: 8bit\\n\\ngr\\374n\\n---\\n'\n"
	   "printf \"$d\\n\") > latin.mbox\n"
	   "sed 's/Subject: =.ISO-8859-1/Subject: =?no-such-set/' latin.mbox > unknown.mbox\n"
	   "(printf \"$h\"; printf 'From: A <a@b>\\nSubject: x\\377\\001y\\n\\n\\377\\n---\\n'; "
	   "printf \"$d\\n\") > bytes.mbox\n"
	   "(printf \"$h\"; printf 'From: A <a@b>\\nSubject: nul\\n\\na\\000b\\n---\\n'; "
	   "printf \"$d\\n\") > nul.mbox");
	assert_int_equal(resolve("latin.mbox", base, &out), OK);
	if (out.fail)
		fail_msg("%s", out.why.text);
	assert_string_equal(json_str(patch(&out, 0), "subject", ""), "\xc3\xa4h");
	assert_string_equal(json_str(patch(&out, 0), "author", ""), "J\xc3\xa4 <j@x>");
	step_outcome_release(&out);
	refused("unknown.mbox", "cannot be read: cannot convert from no-such-set to UTF-8");
	/* Bytes that no encoding explains are replaced where they are shown. */
	assert_int_equal(resolve("bytes.mbox", base, &out), OK);
	if (out.fail)
		fail_msg("%s", out.why.text);
	assert_true(utf8_valid(json_str(patch(&out, 0), "subject", ""),
	                       strlen(json_str(patch(&out, 0), "subject", ""))));
	step_outcome_release(&out);
	assert_int_equal(resolve("nul.mbox", base, &out), OK);
	assert_true(out.fail == FAIL_NONE || out.fail == FAIL_BUILD);
	step_outcome_release(&out);
}

static void test_hunks(void **state)
{
	static const char p[] = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-@@ -5\n"
	                        "@@ -9 +8 @@ f()\n+y\ndiff --git a/y b/y\n--- a/y\n+++ b/y\n"
	                        "@@ -9 +8 @@\n";

	(void)state;
	assert_int_equal(patch_hunk(p, "x", 1), 1);
	assert_int_equal(patch_hunk(p, "x", 9), 2);
	assert_int_equal(patch_hunk(p, "y", 9), 1);
	assert_int_equal(patch_hunk(p, "x", 5), 0);
	assert_int_equal(patch_hunk("", "x", 5), 0);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	        T(test_no_sandbox),           T(test_applies),
	        T(test_conflicts_are_named),  T(test_hostile_paths),
	        T(test_what_is_no_series),    T(test_odd_encodings),
	        cmocka_unit_test(test_hunks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
