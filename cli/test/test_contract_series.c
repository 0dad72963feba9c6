/* Patch series from a work tree, against the real server. */
#include "cli/series.h"

#include "cli/test/place.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORDS "--case", CASE, "--boots", "6", "--board", "det"

static void in(const struct place *p, const char *script)
{
	char *all = xasprintf(
	        "set -e; export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t "
	        "GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t\n%s",
	        script);
	const char *argv[] = {"sh", "-c", all, NULL};
	struct proc_spec spec = {.argv = argv, .dir = p->dir, .timeout_ns = 60 * NS_PER_S};
	struct buf out;
	struct why w;

	buf_init(&out, 1 << 20);
	if (proc_run(&spec, &out, &w))
		fail_msg("%s\n%s", w.text, out.data);
	buf_release(&out);
	free(all);
}

/* The user's directory is a work tree: three commits that nobody else has. */
static int setup(void **state)
{
	struct place *p;

	place_setup(state);
	p = *state;
	fake_announce(p->f, false);
	p->f->patches = 3;
	in(p,
	   "git init -q -b main .\n"
	   "for i in $(seq 200); do echo line $i; done > a.c; git add a.c; git commit -q -m root\n"
	   "git commit -q --allow-empty -m base; git tag v1\n"
	   "for i in 1 2 3; do echo $i >> a.c; git commit -q -a -m \"mm: patch $i\"; done\n"
	   "git format-patch -q --base=v1 --cover-letter -o out v1");
	return 0;
}

static char *line_of(const struct place *p, const char *name)
{
	char *path = path_join(p->dir, name), *text = slurp(path);

	free(path);
	assert_non_null(text);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* The uploaded artifact as a file of the user's directory. */
static void fetch(struct place *p, const char *sha256, const char *name)
{
	char *path = path_join(p->dir, name);
	struct client *c = daemon_client(p->f->d, p->f->submit);
	struct why w;

	if (client_get_artifact(c, sha256, path, &w))
		fail_msg("%s", w.text);
	client_free(c);
	free(path);
}

static void an_unpushed_branch(void **state)
{
	struct place *p = *state;
	char *base;
	json_t *o, *s;
	struct ran r;

	json_of(p, p->submit, &o, "submit", "--each-patch", "v1..main", "--mark", "slow=2",
	        "--marks-only", "--config", "contpte-y", "--tip-config", "contpte-n", WORDS);
	assert_string_equal(str_at(o, "title"), "3 patches of v1..main");
	assert_string_equal(str_at(o, "series.marks.0.name"), "slow");
	assert_string_equal(str_at(o, "kernels.0.config"), "contpte-y");
	in(p, "git rev-parse v1 > base; printf 'file://' > tree; pwd -P >> tree");
	base = line_of(p, "base");
	assert_string_equal(str_at(o, "kernels.0.ref"), base);
	free(base);
	base = line_of(p, "tree");
	assert_string_equal(str_at(o, "kernels.0.tree"), base);
	free(base);
	/* It is a bundle, thin, and what it brings is the branch. */
	fetch(p, str_at(o, "series.bundle"), "the.bundle");
	in(p, "git clone -q -b v1 . clone 2>/dev/null; cd clone\n"
	      "git bundle verify -q ../the.bundle; git fetch -q ../the.bundle "
	      "refs/heads/series:refs/heads/got\n"
	      "test $(git rev-parse got) = $(cd ..; git rev-parse main)\n"
	      "grep -q 'line 150' ../the.bundle && exit 1 || true");
	finish(p, int_at(o, "id"), "done");
	cli(&r, p, NULL, "status", "latest");
	expect_out(&r, "PATCH  KERNEL  STATE  BOOTED  COMMIT");
	expect_out(&r, "1      p01     ready  no");
	expect_out(&r, "2      slow    ready  yes");
	expect_out(&r, "3      tip     ready  yes");
	expect_out(&r, "mm: patch 1");
	expect_out(&r, "tip (validation)");
	ran_release(&r);
	prints(p, NULL, "slow", "compare", "latest", "--table", "cover");
	cli(&r, p, NULL, "compare", "latest", "--marginal");
	expect_out(&r, "Kernel tip against slow on det:");
	expect_out(&r, "each row is against the kernel in the row above it");
	ran_release(&r);
	/* The same again is the same bundle. */
	json_of(p, p->submit, &s, "submit", "--each-patch", "v1..HEAD", "--all", "--no-validate",
	        WORDS);
	assert_string_equal(str_at(s, "series.bundle"), str_at(o, "series.bundle"));
	assert_true(json_is_true(at(s, "series.all")));
	json_decref(o);
	finish(p, int_at(s, "id"), "done");
	json_decref(s);
	/* The next version of it: each patch says where it stood. */
	p->f->version = 1;
	p->f->changed = 3;
	json_of(p, p->submit, &s, "submit", "--each-patch", "v1..HEAD", "--mark", "fast=1",
	        "--fresh", "--no-validate", "--config", "contpte-y", WORDS);
	finish(p, int_at(s, "id"), "done");
	json_decref(s);
	cli(&r, p, NULL, "status", "latest");
	expect_out(&r, "#2/1");
	assert_null(strstr(r.out, "#2/3"));
	ran_release(&r);
}

/* A step is asked for when the one before is judged. */
static void searched(struct place *p, json_t *s)
{
	bool done = false;

	for (int i = 0; i < 400 && !done; i++, sleep_ms(10)) {
		char path[64];
		json_t *o;

		fake_work(p->f);
		snprintf(path, sizeof(path), "/api/v1/submissions/%lld",
		         (long long)int_at(s, "id"));
		o = fake_get(p->f, path);
		done = strcmp(str_at(o, "state"), "done") == 0;
		json_decref(o);
	}
	assert_true(done);
	json_decref(s);
}

/* The patch behind a mark's effect is found, told, and held against the last version. */
static void patches_that_matter(void **state)
{
	struct place *p = *state;
	struct ran r;
	json_t *s;

	p->f->patches = 9;
	json_of(p, p->submit, &s, "submit", "--each-patch", "v1..main", "--mark", "slow=5",
	        "--no-validate", WORDS);
	searched(p, s);
	cli(&r, p, NULL, "status", "latest");
	expect_out(&r, "patch 5: slower, +2.00 % in ");
	expect_out(&r, "slow against p04");
	expect_out(&r, "patch 6: faster, -1.96 % in ");
	expect_out(&r, "search done: 5 of at most 8 steps, ");
	ran_release(&r);
	prints(p, NULL, "patch 5: +2.00 % in", "compare", "latest", "--table", "cover");
	p->f->version = 1;
	p->f->changed = 9;
	json_of(p, p->submit, &s, "submit", "--each-patch", "v1..main", "--mark", "fast=5",
	        "--steps", "1", "--fresh", "--no-validate", WORDS);
	searched(p, s);
	cli(&r, p, NULL, "status", "latest");
	expect_out(&r, "same, was slower in submission 1");
	expect_out(&r, "search done: 0 of at most 1 steps, ");
	expect_out(&r, "patches 1 to 5: no case is slower or faster");
	ran_release(&r);
	fails(p, p->submit, 2, "exclude each other", "submit", "--each-patch", "v1..main", "--all",
	      "--marks-only", WORDS);
	fails(p, p->submit, 2, "exclude each other", "submit", "--each-patch", "v1..main",
	      "--steps", "3", "--marks-only", WORDS);
	fails(p, p->submit, 2, "0 to 63", "submit", "--each-patch", "v1..main", "--steps", "64",
	      WORDS);
	fails(p, p->submit, 2, "--steps", "submit", "--each-patch", "v1..main", "--steps", "x",
	      WORDS);
	fails(p, p->submit, 2, "goes with --each-patch", "submit", "--baseline", "a",
	      "--marks-only", WORDS);
	fails(p, p->submit, 2, "goes with --each-patch", "submit", "--baseline", "a", "--steps",
	      "0", WORDS);
}

static void from_where_the_base_comes(void **state)
{
	struct place *p = *state;
	json_t *o;

	in(p, "git remote add up https://git.example.org/up.git; git config branch.main.remote up");
	json_of(p, p->submit, &o, "submit", "--each-patch", "v1..main", WORDS);
	assert_string_equal(str_at(o, "kernels.0.tree"), "https://git.example.org/up.git");
	json_decref(o);
	json_of(p, p->submit, &o, "submit", "--each-patch", "v1..main", "--tree", TREE, WORDS);
	assert_string_equal(str_at(o, "kernels.0.tree"), TREE);
	json_decref(o);
	in(p, "git remote set-url up git@host:up.git");
	fails(p, p->submit, 2, "say with --tree where the base is", "submit", "--each-patch",
	      "v1..main", WORDS);
}

static void ranges_that_are_no_series(void **state)
{
	struct place *p = *state;

	in(p,
	   "git checkout -q -b side v1; echo s > s; git add s; git commit -q -m side\n"
	   "git checkout -q main; git checkout -q -b merged; git merge -q -m m side\n"
	   "git checkout -q main; c=v1; t=$(git rev-parse v1^{tree})\n"
	   "for i in $(seq 501); do c=$(git commit-tree -p $c -m $i $t); done; git branch long $c");
	fails(p, p->submit, 2, "is a merge: a series is one line of commits", "submit",
	      "--each-patch", "v1..merged", WORDS);
	fails(p, p->submit, 2, "there is no commit in it", "submit", "--each-patch", "main..v1",
	      WORDS);
	fails(p, p->submit, 2, "more than 500 commits", "submit", "--each-patch", "v1..long",
	      WORDS);
	fails(p, p->submit, 2, "one line of commits", "submit", "--each-patch", "main...side",
	      WORDS);
	fails(p, p->submit, 2, "no-such", "submit", "--each-patch", "v1..no-such", WORDS);
	fails(p, p->submit, 2, "expected a range", "submit", "--each-patch", "main", WORDS);
	fails(p, p->submit, 2, "expected a range", "submit", "--each-patch", "--output=x..y",
	      WORDS);
	fails(p, p->submit, 2, "excludes --baseline", "submit", "--each-patch", "v1..main",
	      "--baseline", "a=" TREE "#x", WORDS);
	fails(p, p->submit, 2, "exclude each other", "submit", "--each-patch", "v1..main",
	      "--series", "out", WORDS);
	fails(p, p->submit, 2, "--base is for --series", "submit", "--each-patch", "v1..main",
	      "--base", "v1", WORDS);
	fails(p, p->submit, 2, "--mark is about a patch series", "submit", "--baseline",
	      "a=" TREE "#x", "--mark", "a=1", WORDS);
	fails(p, p->submit, 2, "expected NAME=N", "submit", "--each-patch", "v1..main", "--mark",
	      "a=1,b=x", WORDS);
	fails(p, p->submit, 2, "given twice", "submit", "--each-patch", "v1..main", "--mark",
	      "a=1,a=2", WORDS);
	fails(p, p->submit, 2, "names that a series has already", "submit", "--each-patch",
	      "v1..main", "--mark", "tip=1", WORDS);
}

static void patches_as_mails(void **state)
{
	struct place *p = *state;
	char *base;
	json_t *o;

	json_of(p, p->submit, &o, "submit", "--series", "out", WORDS);
	in(p, "git rev-parse v1 > base");
	base = line_of(p, "base");
	assert_string_equal(str_at(o, "kernels.0.ref"), base);
	free(base);
	fetch(p, str_at(o, "series.mails"), "got.mbox");
	in(p, "cat out/*.patch | cmp - got.mbox");
	finish(p, int_at(o, "id"), "done");
	json_decref(o);
	in(p, "cat out/0001* out/0002* | grep -v base-commit > two.mbox; rm -rf .git");
	json_of(p, p->submit, &o, "submit", "--series", "two.mbox", "--base", "v6.12", "--tree",
	        TREE, WORDS);
	assert_string_equal(str_at(o, "kernels.0.ref"), "v6.12");
	assert_string_equal(str_at(o, "title"), "the patches of two.mbox");
	json_decref(o);
	in(p, "mkdir none; echo hello > text; : > empty; truncate -s 65M large");
	fails(p, p->submit, 2, "no \"base-commit:\" line", "submit", "--series", "two.mbox",
	      "--tree", TREE, WORDS);
	fails(p, p->submit, 2, "no git work tree", "submit", "--series", "two.mbox", "--base", "v1",
	      WORDS);
	fails(p, p->submit, 2, "has no *.patch", "submit", "--series", "none", "--tree", TREE,
	      WORDS);
	fails(p, p->submit, 2, "holds no patch", "submit", "--series", "text", "--tree", TREE,
	      WORDS);
	fails(p, p->submit, 2, "holds no patch", "submit", "--series", "empty", "--tree", TREE,
	      WORDS);
	fails(p, p->submit, 2, "67108864", "submit", "--series", "large", "--tree", TREE, WORDS);
	fails(p, p->submit, 2, "cannot read", "submit", "--series", "gone", "--tree", TREE, WORDS);
}

/* A branch that vanished: the agent's sentence is what the submission ends with. */
static void what_an_agent_could_not(void **state)
{
	struct place *p = *state;
	struct ran r;
	json_t *o;

	p->f->resolve_fails = "the base of the series: tree \"" TREE "\" has no commit 12";
	json_of(p, p->submit, &o, "submit", "--each-patch", "v1..main", WORDS);
	finish(p, int_at(o, "id"), "failed");
	json_decref(o);
	cli(&r, p, NULL, "status", "1");
	expect_out(&r, "the base of the series: tree \"" TREE "\" has no commit 12");
	ran_release(&r);
}

static void pure_parts(void **state)
{
	char base[41];

	(void)state;
	assert_false(series_base_trailer("x base-commit: 0123456789012345678901234567890123456789",
	                                 base));
	assert_true(series_base_trailer("base-commit: 0123456789012345678901234567890123456789\n",
	                                base));
	assert_string_equal(base, "0123456789012345678901234567890123456789");
	assert_false(series_base_trailer("base-commit: 0123\n", base));
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, place_teardown)
	const struct CMUnitTest tests[] = {
	        T(an_unpushed_branch),        T(patches_that_matter), T(from_where_the_base_comes),
	        T(ranges_that_are_no_series), T(patches_as_mails),    T(what_an_agent_could_not),
	        cmocka_unit_test(pure_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
