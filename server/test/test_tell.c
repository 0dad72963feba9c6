/* Messages about alerts whose names, refs and reasons are whatever somebody wrote. */
#include "server/tell.h"

#include "lib/json.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LONG_60 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"

struct world {
	struct alert a;
	struct alert_cell cell[20];
	struct alert_cells cells;
	struct alert_step step;
	struct telling t;
};

static void world_init(struct world *x, bool emulated)
{
	*x = (struct world){
	        .a = {.id = 3,
	              .kind = "slower",
	              .title = "new: 2.00 % slower in fork/order=0,size=16M on hw",
	              .submission = 7,
	              .boot = NONE,
	              .kernel = "new",
	              .base = "old",
	              .tree = "https://example.org/linux.git",
	              .base_tree = "https://example.org/linux.git",
	              .ref = "topic",
	              .base_ref = "v6.12",
	              .created_ms = 1700000000123},
	        .step = {.id = 9, .to = "new", .why = "1 of 1", .at_ms = 1700000000123}};
	for (size_t i = 0; i < ARRAY_SIZE(x->cell); i++)
		x->cell[i] = (struct alert_cell){.submission = 7,
		                                 .boot = NONE,
		                                 .board = "hw",
		                                 .case_text = "fork/order=0,size=16M",
		                                 .metric = emulated ? "instructions" : "ns",
		                                 .verdict = "slower",
		                                 .base_mean = 1000,
		                                 .mean = 1020,
		                                 .change = 0.02,
		                                 .low = NAN,
		                                 .high = NAN,
		                                 .mute = NONE,
		                                 .emulated = emulated};
	x->cells = (struct alert_cells){x->cell, 1};
	x->t = (struct telling){.alert = &x->a,
	                        .cells = &x->cells,
	                        .step = &x->step,
	                        .delivery = "d1",
	                        .subscription = 2};
}

static char *mail(const struct world *x)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	tell_mail(&x->t, "fw@example.org", "dev@example.org", 1700000000123, &out);
	assert_false(out.full);
	return buf_take(&out, NULL);
}

static void fits(const char *text)
{
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		size_t n = strcspn(line, "\n");

		if (n > 72)
			fail_msg("%zu columns: %.*s", n, (int)n, line);
		for (size_t i = 0; i < n; i++)
			assert_in_range(line[i], ' ', '~');
		assert_true(line[n] == '\n');
	}
}

static void has(const char *text, const char *word)
{
	if (!strstr(text, word))
		fail_msg("there is no \"%s\" in:\n%s", word, text);
}

/* What a shell makes of the command, its words a line each. */
static void shell_reads(const char *text, const char *words)
{
	const char *at = strstr(text, "\n  foldwatch "), *end = strstr(at, "\n\n");
	char *script =
	        xasprintf("foldwatch() { printf '%%s\\n' \"$@\"; }\n%.*s\n", (int)(end - at), at);
	const char *argv[] = {"sh", "-c", script, NULL};
	struct buf said;
	struct why w;

	buf_init(&said, 65536);
	if (proc_run(&(struct proc_spec){.argv = argv}, &said, &w) != OK)
		fail_msg("%s: %s", script, w.text);
	assert_string_equal(said.data, words);
	buf_release(&said);
	free(script);
}

static void headers_end_where_they_should(void **state)
{
	struct world x;
	char *text, *body;

	(void)state;
	world_init(&x, true);
	x.a.title = "new\r\nBcc: all@example.org\r\n\r\nHello \xe2\x82\xac " LONG_60 LONG_60;
	x.a.subject = "mm: \xc3\xa4\n.\nFrom me";
	text = mail(&x);
	fits(text);
	body = strstr(text, "\n\n");
	assert_non_null(body);
	has(text, "Subject: [foldwatch] new Bcc: all@example.org Hello ?\n aaaa");
	assert_null(strstr(text, "\nBcc"));
	has(body, "(\"mm: ? . From me\")");
	assert_null(strstr(body, "\n.\n"));
	assert_null(strstr(body, "\nFrom "));
	has(text, "Message-ID: <alert-3.1700000000123@example.org>\n");
	free(text);
}

static void commands_are_read_by_a_shell_as_they_were_meant(void **state)
{
	struct world x;
	char *text;

	(void)state;
	world_init(&x, false);
	x.a.commit = "0123456789012345678901234567890123456789";
	x.a.config = "contpte-y";
	x.a.base_ref = "$(id)`id`'\";&|"; /* git takes all of it but a blank */
	x.a.tree = "https://git.example.org/" LONG_60 "/" LONG_60 ".git";
	text = mail(&x);
	fits(text);
	shell_reads(text, "submit\n--wait\n--fresh\n--board\nhw\n--case\nfork/order=0,size=16M\n"
	                  "--baseline\nold=https://example.org/linux.git#$(id)`id`'\";&|\n"
	                  "--kernel\nnew=https://git.example.org/" LONG_60 "/" LONG_60
	                  ".git#0123456789012345678901234567890123456789,config=contpte-y\n");
	free(text);
}

static void many_cells_and_none(void **state)
{
	struct world x;
	char *text;

	(void)state;
	world_init(&x, true);
	x.cells.count = ARRAY_SIZE(x.cell);
	x.cell[0].mute = 4;
	text = mail(&x);
	fits(text);
	has(text, "\n  ... and 7 more\n");
	free(text);
	/* Of prebuilt images there is nothing to submit again. */
	world_init(&x, false);
	x.a.tree = NULL;
	text = mail(&x);
	shell_reads(text, "compare\n7\n");
	free(text);
}

/* The commit that a bisection found stands with its table and its own command. */
static void a_suspect(void **state)
{
	struct suspect s = {.commit = "abcdef0123456789abcdef0123456789abcdef01",
	                    .subject = "mm: \xc3\xa4\n.\nFrom me " LONG_60 LONG_60,
	                    .author = "\xc3\x84. Author <a@example.org>\r\nBcc: x@example.org",
	                    .parent = "1111111111111111111111111111111111111111",
	                    .steps = 4,
	                    .boots = 12,
	                    .confidence = .9712,
	                    .proof = 31,
	                    .kernel = "abcdef012345",
	                    .mover = {{"copy_present_ptes", 1000.4, 21000}, {"f\n" LONG_60, 5, 0}},
	                    .movers = 2};
	struct world x;
	char *text;

	(void)state;
	world_init(&x, true);
	s.cells = x.cells;
	x.t.suspect = &s;
	x.step.from = x.step.to = "confirmed";
	x.step.why = "bisected: abcdef012345";
	text = mail(&x);
	fits(text);
	has(text, "\nIt is confirmed.\n");
	has(text, "\nBy bisection, 4 steps and 12 boots, with a confidence of 0.9712 it is\n");
	has(text, "\n  abcdef012345 (\"mm: ? . From me\n");
	has(text, "\n  ?. Author <a@example.org> Bcc: x@example.org\n");
	has(text, "Against what is before it (111111111111), in submission 31:");
	assert_null(strstr(text, "\nBcc"));
	has(text, "\n  copy_present_ptes 1000 -> 21000 (+20000)\n");
	shell_reads(text, "repro\n--submission\n31\n--kernel\nabcdef012345\n"
	                  "fork/order=0,size=16M\n");
	free(text);
	/* On hardware the two commits; with all that may be said beside. */
	world_init(&x, false);
	x.a.config = "contpte-y";
	s.cells = x.cells;
	s.range = 3;
	s.shared = true;
	s.steps = s.boots = 1;
	s.confidence = NAN;
	x.t.suspect = &s;
	text = mail(&x);
	fits(text);
	has(text, "\nBy bisection, 1 step and 1 boot, it is\n");
	has(text, "or one of the 3 commits before it");
	has(text, "Several commits share the change");
	shell_reads(text, "submit\n--wait\n--fresh\n--board\nhw\n--case\nfork/order=0,size=16M\n"
	                  "--baseline\n111111111111=https://example.org/linux.git#"
	                  "1111111111111111111111111111111111111111,config=contpte-y\n"
	                  "--kernel\nabcdef012345=https://example.org/linux.git#"
	                  "abcdef0123456789abcdef0123456789abcdef01,config=contpte-y\n");
	free(text);
	/* Nothing moved where it was proved, of a fault: its log. */
	s.steps = s.boots = 0;
	s.cells.count = 0;
	x.a.signature = "warning:f:mm/f.c";
	x.a.boot = 8;
	text = mail(&x);
	fits(text);
	has(text, "It is the only commit in between:");
	shell_reads(text, "log\n--boot\n8\n");
	free(text);
}

/* What the search in a series found, and a base that was asked for by its commit. */
static void patches_of_a_series(void **state)
{
	struct tell_patch found[] = {
	        {.commit = "93a0f9a3692e0000000000000000000000000000",
	         .subject = "mm: watch " LONG_60 " " LONG_60,
	         .author = "A <a@example.org>",
	         .first = 5,
	         .last = 5,
	         .case_text = "fork/order=0,size=16M",
	         .board = "hw",
	         .change = .061,
	         .cells = 2},
	        {.commit = "a2882071d3a30000000000000000000000000000",
	         .subject = "mm: other",
	         .author = "B <b@example.org>",
	         .first = 7,
	         .last = 9,
	         .case_text = "fork/order=9,size=16M",
	         .board = "hw",
	         .change = .01,
	         .cells = 1},
	};
	struct world x;
	char *text;

	(void)state;
	world_init(&x, false);
	x.a.base_ref = x.a.base_commit = "140fb7038637c8623ca56c073963323cc7df4a2e";
	x.t.patch = found;
	x.t.patches = ARRAY_SIZE(found);
	text = mail(&x);
	fits(strstr(text, "\n\n"));
	has(text, "\n  old: 140fb7038637\n");
	has(text, "\n  patch 5, 93a0f9a3692e (\"mm: watch\n");
	has(text, "\n    +6.10 % in fork/order=0,size=16M on hw, and 1 more\n");
	has(text, "\n  one of patches 7 to 9, a2882071d3a3 (\"mm: other\")\n");
	has(text, "\n  B <b@example.org>\n    +1.00 % in fork/order=9,size=16M on hw\n");
	free(text);
}

static void slack_reads_no_markup(void **state)
{
	struct world x;
	struct buf out;
	json_t *o;

	(void)state;
	world_init(&x, true);
	x.a.title = "<!channel> & <https://evil.example|x>";
	x.step.why = "\"quoted\"\nline";
	buf_init(&out, 65536);
	tell_slack(&x.t, &out);
	o = json_loads(out.data, 0, NULL);
	assert_string_equal(json_str(o, "text", ""),
	                    "foldwatch alert 3, new: &lt;!channel&gt; &amp; "
	                    "&lt;https://evil.example|x&gt;\n\"quoted\"\nline");
	json_decref(o);
	buf_release(&out);
}

static void a_branch_gone_quiet(void **state)
{
	struct world x;
	char *text;

	(void)state;
	world_init(&x, false);
	x.a = (struct alert){.id = 3,
	                     .kind = "missing",
	                     .title = "track 5 of \"" LONG_60 "\" has gone quiet",
	                     .tree = "https://example.org/" LONG_60 "/" LONG_60 ".git",
	                     .ref = LONG_60,
	                     .submission = NONE,
	                     .boot = NONE,
	                     .track = 5,
	                     .state = "new"};
	x.cells.count = 0;
	x.step.why = "no look has succeeded for 5 h: its host does not answer (" LONG_60 ")";
	text = mail(&x);
	fits(text);
	has(text, "A branch that is followed has gone quiet:");
	has(text, "no look has succeeded for 5 h");
	has(text, "\n  foldwatch track show 5\n");
	assert_null(strstr(text, "(null)"));
	free(text);
	x.step.from = "new";
	x.step.to = "recovered";
	text = mail(&x);
	fits(text);
	has(text, "It was new and is now recovered");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_branch_gone_quiet),
	        cmocka_unit_test(headers_end_where_they_should),
	        cmocka_unit_test(commands_are_read_by_a_shell_as_they_were_meant),
	        cmocka_unit_test(many_cells_and_none),
	        cmocka_unit_test(a_suspect),
	        cmocka_unit_test(patches_of_a_series),
	        cmocka_unit_test(slack_reads_no_markup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
