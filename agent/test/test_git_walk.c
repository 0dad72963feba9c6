/* The commits between two of a tree, in real repositories. */
#include "agent/git_walk.h"

#include "agent/test/static_http.h"
#include "agent/test/steps.h"
#include "lib/file.h"
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

static struct step_bed bed;

/* Commits have dates that grow, so that equal changes are different commits. */
static void in_origin(const char *script)
{
	static int day;
	char *all = xasprintf(
	        "set -e; export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t "
	        "GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t\n"
	        "export GIT_AUTHOR_DATE='%d +0000' GIT_COMMITTER_DATE='%d +0000'\n"
	        "put() { echo $2 > $1; git add -A; git commit -q -m \"$3\"; }\n%s",
	        1700000000 + day, 1700000000 + day, script);

	day += 1000;
	run_ok(bed.origin, "sh", "-c", all, NULL);
	free(all);
}

static void id_of(const char *rev, char out[41])
{
	run_line(out, 41, bed.origin, "git", "rev-parse", rev, NULL);
}

/* Each begins with a mirror of its own and a tree of 100 commits, some days apart. */
static int setup(void **state)
{
	(void)state;
	bed_init(&bed, NULL, "file:///");
	bed_origin(&bed);
	in_origin("git init -q -b main .; git config gc.auto 0\n"
	          "for i in $(seq 100); do printf 'commit refs/heads/main\\ncommitter t <t@t> "
	          "%d +0000\\ndata <<E\\nold %d\\nE\\nM 100644 inline f%d\\ndata <<E\\n%d\\nE\\n' "
	          "$((1650000000 + i * 500000)) $i $i $i; done |\n"
	          "git fast-import --quiet --date-format=raw; git reset -q --hard");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bed_release(&bed);
	return 0;
}

static void walk_limit(const char *ref, const char *since, int64_t limit, struct step_outcome *out)
{
	json_t *o = json_object();
	struct why w;

	json_put_str(o, "tree", bed.url);
	json_put_str(o, "ref", ref);
	json_put_str(o, "since", since);
	if (limit)
		json_put_int(o, "limit", limit);
	*out = (struct step_outcome){.fail = FAIL_NONE};
	assert_int_equal(step_walk(bed_job(&bed, o), out, &w), OK);
}

static void walk(const char *ref, const char *since, struct step_outcome *out)
{
	walk_limit(ref, since, 0, out);
	if (out->fail)
		fail_msg("%s: %s", ref, out->why.text);
}

/* "subject subject+" in order, a + behind what is known, a ^ behind a merge. */
static void assert_commits(const struct step_outcome *out, const char *expected)
{
	const json_t *list = json_object_get(out->body, "commits");
	struct buf b;
	size_t i;

	buf_init(&b, 1 << 20);
	for (i = 0; i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i);

		buf_addf(&b, "%s%s%s%s", i ? " " : "", json_str(c, "subject", "?"),
		         json_flag(c, "known", false) ? "+" : "",
		         json_int(c, "parents", 0) > 1 ? "^" : "");
	}
	assert_string_equal(b.len ? b.data : "", expected);
	buf_release(&b);
}

/* Beside a build: one of the two waits while the other uses the mirror, and no longer. */
static void test_mirror_in_use(void **state)
{
	struct step_outcome out;
	struct why w;
	struct git g;
	json_t *o = json_object();
	char what[64] = "";
	int told[2], status;
	pid_t pid;

	(void)state;
	walk("main", NULL, &out);
	step_outcome_release(&out);
	assert_int_equal(git_open(&g, bed_job(&bed, o), bed.url, &w), OK);
	assert_int_equal(pipe(told), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct step s =
		        *bed_job(&bed, json_pack("{s:s,s:s}", "tree", bed.url, "ref", "main"));

		git_close(&g); /* or it would have the lock as well */
		s.progress_fd = told[1];
		out = (struct step_outcome){.fail = FAIL_NONE};
		_exit(step_walk(&s, &out, &w) == OK && !out.fail ? 0 : 1);
	}
	/* It says that it waits, and does. */
	assert_true(read(told[0], what, sizeof(what) - 1) > 0);
	assert_non_null(strstr(what, "wait for the mirror"));
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	git_close(&g);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(told[0]);
	close(told[1]);
}

static void assert_ends(const struct step_outcome *out, const char *tip, const char *base,
                        bool linear)
{
	char id[41];

	id_of(tip, id);
	assert_string_equal(json_str(out->body, "tip", ""), id);
	if (base)
		id_of(base, id);
	assert_string_equal(json_str(out->body, "base", ""), base ? id : "");
	assert_int_equal(json_flag(out->body, "linear", !linear), linear);
}

static void test_linear(void **state)
{
	struct step_outcome out;
	char since[41];

	(void)state;
	id_of("main", since);
	walk("main", NULL, &out);
	assert_ends(&out, "main", NULL, false);
	assert_int_equal(json_array_size(json_object_get(out.body, "commits")), 1);
	assert_string_equal(bed.marks.data, "fetched ");
	step_outcome_release(&out);

	/* Nothing new. */
	walk("main", since, &out);
	assert_ends(&out, "main", "main", true);
	assert_commits(&out, "");
	step_outcome_release(&out);

	in_origin("put a 1 A; git commit -q --allow-empty -m E; put a 2 B");
	walk("main", since, &out);
	assert_ends(&out, "main", since, true);
	assert_commits(&out, "A E B");
	{
		const json_t *list = json_object_get(out.body, "commits");
		const json_t *a = json_array_get(list, 0), *e = json_array_get(list, 1);

		assert_int_equal(strlen(json_str(a, "patch_id", "")), 40);
		assert_true(json_is_null(json_object_get(e, "patch_id")));
		assert_string_equal(json_str(a, "source", "x"), json_str(e, "source", "y"));
		assert_string_equal(json_str(a, "author", ""), "t <t@t>");
	}
	step_outcome_release(&out);

	/* The oldest are left out. */
	walk_limit("main", since, 2, &out);
	assert_commits(&out, "E B");
	assert_int_equal(json_int(out.body, "omitted", 0), 1);
	step_outcome_release(&out);

	/* The branch moved back: nothing that it did not have. */
	id_of("main", since);
	in_origin("git reset -q --hard HEAD~2");
	walk("main", since, &out);
	assert_ends(&out, "main", "main", false);
	assert_commits(&out, "");
	step_outcome_release(&out);
}

/* Further back than any fetch so far went; on an agent that has no mirror yet. */
static void test_far_back(void **state)
{
	struct step_outcome out;
	char since[41];

	(void)state;
	id_of("main~90", since);
	walk("main", since, &out);
	assert_ends(&out, "main", since, true);
	assert_int_equal(json_array_size(json_object_get(out.body, "commits")), 90);
	step_outcome_release(&out);
}

/* A machine whose clock was wrong: a commit of 1970 and one of 2099 among the others. */
static void test_clocks_that_were_wrong(void **state)
{
	struct step_outcome out;
	char since[41];

	(void)state;
	id_of("main", since);
	in_origin("at() { export GIT_COMMITTER_DATE=\"$1 +0000\" GIT_AUTHOR_DATE=\"$1 +0000\"; }\n"
	          "put w 1 W1; at 100000001; put w 2 W2; at 4070908800; put w 3 W3\n"
	          "at 1800000000; put w 4 W4");
	walk("main", since, &out);
	assert_ends(&out, "main", since, true);
	assert_commits(&out, "W1 W2 W3 W4");
	step_outcome_release(&out);
	/* And from such a commit on, on an agent that has it and on one that has no mirror. */
	for (int i = 0; i < 2; i++) {
		char *mirrors = path_join(bed.dir, "mirrors");

		id_of(i ? "main~1" : "main~2", since);
		walk("main", since, &out);
		assert_ends(&out, "main", since, true);
		assert_commits(&out, i ? "W4" : "W3 W4");
		step_outcome_release(&out);
		assert_int_equal(dir_remove(mirrors, NULL), OK);
		free(mirrors);
	}
}

static void test_merges(void **state)
{
	struct step_outcome out;
	char since[41];

	(void)state;
	/* One that is older than what it is merged into, from beyond the depth that is here. */
	in_origin("git checkout -q -b side main~80; put s 1 S1; put s 2 S2; git checkout -q main");
	id_of("main", since);
	walk("main", NULL, &out);
	step_outcome_release(&out);
	in_origin("put m 1 M1; git merge -q --no-ff -m J side; put m 2 M2");
	walk("main", since, &out);
	assert_ends(&out, "main", since, true);
	{
		const json_t *list = json_object_get(out.body, "commits");

		assert_int_equal(json_array_size(list), 5);
		assert_string_equal(json_str(json_array_get(list, 4), "subject", ""), "M2");
		assert_string_equal(json_str(json_array_get(list, 3), "subject", ""), "J");
		for (size_t i = 0; i < 5; i++) {
			const json_t *c = json_array_get(list, i);

			assert_int_equal(json_flag(c, "mainline", false),
			                 *json_str(c, "subject", "") != 'S');
		}
		assert_int_equal(json_int(json_array_get(list, 3), "parents", 0), 2);
		assert_true(json_is_null(json_object_get(json_array_get(list, 3), "patch_id")));
	}
	step_outcome_release(&out);
}

static void rebase_main(void)
{
	/* The base has moved by U; B is another, C is new. */
	in_origin("git checkout -q -b next main~3; put u 1 U\n"
	          "git cherry-pick main~2 >/dev/null\n"
	          "put b 2 B2\n"
	          "git cherry-pick main >/dev/null; put d 1 D\n"
	          "git branch -q -M next main");
}

static void test_rebase(void **state)
{
	struct step_outcome out;
	char since[41], base[41];

	(void)state;
	in_origin("put a 1 A; put b 1 B; put c 1 C");
	id_of("main", since);
	id_of("main~3", base);
	walk("main", NULL, &out);
	step_outcome_release(&out);
	rebase_main();
	walk("main", since, &out);
	assert_ends(&out, "main", base, false);
	assert_commits(&out, "U A+ B2 C+ D");
	step_outcome_release(&out);
}

/* A force-push, and the tree keeps nothing of what was. */
static void drop_old(void)
{
	in_origin("git reflog expire --expire=now --all; git prune --expire=now");
}

static void test_old_tip_is_dropped(void **state)
{
	struct step_outcome out;
	char since[41], base[41];

	(void)state;
	in_origin("put a 1 A; put b 1 B; put c 1 C");
	id_of("main", since);
	id_of("main~3", base);
	walk("main", NULL, &out);
	step_outcome_release(&out);
	rebase_main();
	drop_old();
	/* The mirror has kept it. */
	walk("main", since, &out);
	assert_ends(&out, "main", base, false);
	assert_commits(&out, "U A+ B2 C+ D");
	step_outcome_release(&out);

	/* An agent that never had it. */
	{
		char *mirrors = path_join(bed.dir, "mirrors");

		assert_int_equal(dir_remove(mirrors, NULL), OK);
		free(mirrors);
	}
	walk_limit("main", since, 0, &out);
	assert_int_equal(out.fail, FAIL_BUILD);
	assert_true(str_starts(out.why.text, WALK_SINCE "tree \"file://"));
	assert_non_null(strstr(out.why.text, since));
	assert_non_null(strstr(out.why.text, "any more"));
	step_outcome_release(&out);
}

static void test_nothing_in_common(void **state)
{
	struct step_outcome out;
	char since[41];

	(void)state;
	id_of("main", since);
	walk("main", NULL, &out);
	step_outcome_release(&out);
	in_origin(
	        "git checkout -q --orphan other; put o 1 O1; put o 2 O2; git branch -M other main");
	walk("main", since, &out);
	assert_ends(&out, "main", NULL, false);
	/* O1 brings all the files again. */
	assert_commits(&out, "O1 O2");
	step_outcome_release(&out);
}

static void test_words(void **state)
{
	struct step_outcome out;
	char since[41];
	const json_t *list;

	(void)state;
	id_of("main", since);
	in_origin("put a 1 \"$(printf 'caf\\351 \\001\\033[31m end')\"\n"
	          "GIT_AUTHOR_NAME=\"$(printf 'J\\366rg')\"; export GIT_AUTHOR_NAME\n"
	          "git -c i18n.commitEncoding=ISO-8859-1 commit -q --allow-empty -m "
	          "\"$(printf 'f\\374r')\"\n"
	          "git commit -q --allow-empty --allow-empty-message -m ''\n"
	          "git commit -q --allow-empty -m \"$(head -c 5000 /dev/zero | tr '\\0' x)\"");
	walk("main", since, &out);
	list = json_object_get(out.body, "commits");
	assert_int_equal(json_array_size(list), 4);
	assert_null(strchr(json_str(json_array_get(list, 0), "subject", ""), '\033'));
	assert_non_null(strstr(json_str(json_array_get(list, 0), "subject", ""), "end"));
	assert_string_equal(json_str(json_array_get(list, 1), "subject", ""), "f\xc3\xbcr");
	assert_string_equal(json_str(json_array_get(list, 1), "author", ""), "J\xc3\xb6rg <t@t>");
	assert_string_equal(json_str(json_array_get(list, 2), "subject", "x"), "");
	assert_int_equal(strlen(json_str(json_array_get(list, 3), "subject", "")), 1000);
	step_outcome_release(&out);
}

/* ---- histories of merges, old and new, against what git says of the whole of it */

#define MAIN 900 /* commits of the main line */

static unsigned int dice;

static unsigned int throw(unsigned int sides)
{
	dice = dice * 1103515245 + 12345;
	return dice / 65536 % sides;
}

static int put_commit(struct buf *b, int mark, int from, int merge, int64_t date)
{
	buf_addf(b, "commit refs/heads/%s\nmark :%d\ncommitter t <t@t> %lld +0000\ndata 1\nc\n",
	         merge < 0 ? "topic" : "main", mark, (long long)date);
	if (from)
		buf_addf(b, "from :%d\n", from);
	if (merge > 0)
		buf_addf(b, "merge :%d\n", merge);
	buf_addf(b, "M 100644 inline f%d\ndata 6\n%06d\n", mark % 50, mark);
	return mark;
}

/* In one commit of three a topic is merged that began somewhere before. */
static void make_history(void)
{
	static int main_line[MAIN];
	static int64_t dates[MAIN];
	char *path = path_join(bed.dir, "history");
	int64_t date = 1600000000;
	int mark = 0;
	struct buf b;
	struct why w;

	dice = 7;
	buf_init(&b, 16 << 20);
	for (int i = 0; i < MAIN; i++) {
		int before = i ? main_line[i - 1] : 0, topic = 0;

		date += 3600 + throw(5 * 3600);
		if (i > 20 && throw(3) == 0) {
			int at = i - 1 - (int) throw(throw(4) ? 20 : (unsigned int)i);
			int64_t d = dates[at];

			topic = main_line[at];
			for (int n = (int) throw(5); n >= 0; n--) {
				d += (date - d) / 2;
				topic = put_commit(&b, mark + 1, topic, -1, d);
				mark++;
			}
		}
		main_line[i] = put_commit(&b, mark + 1, before, topic, date);
		mark++;
		dates[i] = date;
	}
	assert_int_equal(file_write(path, b.data, b.len, 0600, &w), OK);
	in_origin("git fast-import --quiet --force --date-format=raw < ../history");
	buf_release(&b);
	free(path);
}

static void test_histories(void **state)
{
	/* Along the branch as it grew, then from far back. */
	static const int from_to[][2] = {{300, 299}, {299, 290}, {290, 280}, {280, 240}, {240, 239},
	                                 {239, 100}, {100, 99},  {99, 60},   {850, 60},  {60, 0}};

	(void)state;
	make_history();
	for (size_t i = 0; i < ARRAY_SIZE(from_to); i++) {
		char since[41], tip[41], rev[32], count[24], *range;
		struct step_outcome out;

		snprintf(rev, sizeof(rev), "main~%d", from_to[i][0]);
		id_of(rev, since);
		snprintf(rev, sizeof(rev), "main~%d", from_to[i][1]);
		id_of(rev, tip);
		walk(tip, since, &out);
		range = xasprintf("%s..%s", since, tip);
		run_line(count, sizeof(count), bed.origin, "git", "rev-list", "--count", range,
		         NULL);
		assert_int_equal(json_array_size(json_object_get(out.body, "commits")),
		                 strtol(count, NULL, 10));
		assert_ends(&out, tip, since, true);
		free(range);
		step_outcome_release(&out);
	}
}

/* A web server that knows nothing of git gives a tree whole, or not at all. */
static void test_a_tree_as_files(void **state)
{
	struct static_http web;
	struct step_outcome out;
	char since[41], *prefix;

	(void)state;
	in_origin("git update-server-info");
	id_of("main~5", since);
	static_http_start(&web, bed.origin);
	prefix = xasprintf("http://127.0.0.1:%d/", web.port);
	bed_allow(&bed, prefix);
	free(bed.url);
	bed.url = xasprintf("%s.git", prefix);
	walk_limit("main", NULL, 0, &out);
	assert_int_equal(out.fail, FAIL_NONE);
	step_outcome_release(&out);
	walk_limit("main", since, 0, &out);
	if (out.fail)
		fail_msg("%s", out.why.text);
	assert_ends(&out, "main", since, true);
	assert_int_equal(json_array_size(json_object_get(out.body, "commits")), 5);
	step_outcome_release(&out);
	/* Where it sends to another address nobody has looked. */
	free(bed.url);
	bed.url = xasprintf("%smoved/.git", prefix);
	walk_limit("main", NULL, 0, &out);
	if (out.fail != FAIL_BUILD || !strstr(out.why.text, "sends to another address"))
		fail_msg("%s", out.why.text);
	step_outcome_release(&out);
	static_http_stop(&web);
	free(prefix);
}

static void test_bad(void **state)
{
	static const struct {
		const char *ref, *since, *says;
	} bad[] = {
	        {"no-such", NULL, "has no branch or tag \"no-such\""},
	        {"--upload-pack=x", NULL, "begins with '-'"},
	        {"main", "0000000000000000000000000000000000000001", WALK_SINCE "tree"},
	        {"main", "--------------------------------------ab", "is no commit id"},
	};
	struct step_outcome out;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		walk_limit(bad[i].ref, bad[i].since, 0, &out);
		assert_int_equal(out.fail, FAIL_BUILD);
		if (!strstr(out.why.text, bad[i].says))
			fail_msg("%s: %s", bad[i].ref, out.why.text);
		step_outcome_release(&out);
	}
	/* A branch that vanished after it was seen. */
	walk("main", NULL, &out);
	step_outcome_release(&out);
	in_origin("git branch -M main gone");
	walk_limit("main", NULL, 0, &out);
	assert_int_equal(out.fail, FAIL_BUILD);
	assert_non_null(strstr(out.why.text, "has no branch or tag \"main\""));
	step_outcome_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_linear, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_far_back, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_clocks_that_were_wrong, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_merges, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_rebase, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_old_tip_is_dropped, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_nothing_in_common, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_words, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_histories, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_a_tree_as_files, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_bad, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_mirror_in_use, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
