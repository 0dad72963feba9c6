/* What is asked for and what comes of it, against the real server. */
#include "cli/test/place.h"

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/test/tmpdir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- nothing there yet */

static void an_empty_server(void **state)
{
	struct place *p = *state;
	struct ran r;
	json_t *o;

	prints(p, NULL, "ID  CREATED  STATE  BASELINE  TITLE\n", "status");
	prints(p, NULL, "ID  STATE", "kernels");
	prints(p, NULL, "BOARD  STATE", "boards");
	json_of(p, NULL, &o, "status");
	assert_int_equal(json_array_size(at(o, "submissions")), 0);
	json_decref(o);
	json_of(p, NULL, &o, "kernels");
	assert_int_equal(json_array_size(at(o, "kernels")), 0);
	json_decref(o);
	json_of(p, NULL, &o, "boards");
	assert_int_equal(json_array_size(at(o, "boards")), 0);
	json_decref(o);
	fails(p, NULL, 5, "finished comparison", "compare", "latest");
	fails(p, NULL, 5, "finished comparison", "status", "latest");
	fails(p, NULL, 5, "7", "compare", "7");
	fails(p, NULL, 5, "7", "status", "7");
	fails(p, NULL, 5, "7", "kernels", "7");
	fails(p, NULL, 5, "7", "log", "7");
	fails(p, NULL, 5, "7", "log", "--boot", "7");
	fails(p, p->submit, 5, "7", "cancel", "7");
	fails(p, NULL, 5, "nosuch", "boards", "nosuch");
	/* the error as JSON too, on standard output */
	cli(&r, p, NULL, "compare", "latest", "--json");
	expect_fail(&r, 5, "finished comparison");
	o = json_loads(r.out, 0, NULL);
	assert_string_equal(str_at(o, "error.code"), "not_found");
	assert_non_null(strstr(r.err, str_at(o, "error.message")));
	json_decref(o);
	ran_release(&r);
}

static void words_that_are_wrong(void **state)
{
	struct place *p = *state;
	struct ran r;

	fails(p, NULL, 2, "expected a number, got \"abc\"", "kernels", "abc");
	fails(p, NULL, 2, "expected a number, got \"latest\"", "cancel", "latest");
	fails(p, NULL, 2, "--limit", "status", "--limit", "0");
	fails(p, NULL, 2, "--before", "status", "7", "--before", "3");
	fails(p, NULL, 2, "--wait needs the submission", "status", "--wait");
	fails(p, NULL, 2, "--format: \"pdf\"", "compare", "1", "--format", "pdf");
	fails(p, NULL, 2, "--table: \"x\"", "compare", "1", "--table=x");
	fails(p, NULL, 2, "holds all cells", "compare", "1", "--table=reply", "--format", "csv");
	fails(p, NULL, 2, "without", "log", "--boot", "1", "--follow");
	fails(p, NULL, 2, "expected: foldwatch token", "token", "make");
	fails(p, NULL, 2, "none of drain, resume, quarantine", "boards", "a", "b");
	fails(p, NULL, 2, "needs the board's name", "boards", "drain");
	fails(p, NULL, 2, "needs the reason", "boards", "quarantine", "x");
	fails(p, NULL, 2, "needs --baseline or --kernel, or a series", "submit");
	fails(p, p->submit, 2, "no --kernel is named \"c\"", "submit", "--baseline", "c",
	      "--kernel", "b=" TREE "#x");
	fails(p, p->submit, 2, "given twice", "submit", "--baseline", "b=" TREE "#y", "--kernel",
	      "b=" TREE "#x");
	fails(p, p->submit, 2, "not UTF-8", "submit", "--baseline", "b=" TREE "#y", "--case",
	      "\xff");
	fails(p, p->submit, 2, "not UTF-8", "submit", "--baseline", "b=" TREE "#y", "--board",
	      "\xff");
	fails(p, NULL, 2, "there is no command \"state\"", "state");
	fails(p, NULL, 2, "options stand after the command", "--json", "status");
	cli(&r, p, NULL, "compare", "1", "--json", "--format", "csv");
	expect_fail(&r, 2, "exclude each other");
	ran_release(&r);
	run_cli(&r, p->dir, "help", NULL);
	expect_out(&r, "scan-log");
	ran_release(&r);
	run_cli(&r, p->dir, "help", "submit", NULL);
	expect_out(&r, "--baseline");
	ran_release(&r);
	run_cli(&r, p->dir, "status", "--help", NULL);
	expect_out(&r, "examples:");
	ran_release(&r);
	run_cli(&r, p->dir, "--version", NULL);
	expect_out(&r, "foldwatch 0");
	ran_release(&r);
	run_cli(&r, p->dir, "help", "nothing", NULL);
	expect_fail(&r, 2, "\"nothing\"");
	ran_release(&r);
	run_cli(&r, p->dir, NULL);
	assert_int_equal(r.code, 2);
	assert_non_null(strstr(r.err, "usage: foldwatch"));
	ran_release(&r);
}

/* ---- the whole way of a submission */

static void check_cells(const json_t *o, int64_t id)
{
	static const char *const keys[] = {"board", "kernel",        "case", "metric",  "statistic",
	                                   "mean",  "change",        "low",  "high",    "std_rel",
	                                   "boots", "invalid_boots", "runs", "verdict", "why"};
	const json_t *cells = at(o, "cells"), *cell;
	size_t i, k;

	assert_int_equal(int_at(o, "submission"), id);
	assert_string_equal(str_at(o, "baseline"), "base");
	assert_int_equal(json_array_size(cells), 2);
	json_array_foreach (cells, i, cell) {
		for (k = 0; k < ARRAY_SIZE(keys); k++)
			at(cell, keys[k]);
		assert_string_equal(str_at(cell, "kernel"), "slow");
		if (!str_eq(str_at(cell, "verdict"), "slower"))
			fail_msg("%s: %s", str_at(cell, "verdict"), str_at(cell, "why"));
		assert_true(num_at(cell, "change") > 0.01 && num_at(cell, "change") < 0.03);
	}
}

static void each_format(struct place *p, int64_t id)
{
	static const char *const tables[] = {"all", "reply", "commit", "cover", "summary"};
	char *n = number(id);
	struct ran r, first;
	json_t *o;
	size_t i;

	json_of(p, NULL, &o, "compare", n);
	check_cells(o, id);
	json_decref(o);
	json_of(p, NULL, &o, "compare", "latest");
	check_cells(o, id);
	json_decref(o);
	cli(&r, p, NULL, "compare", "latest", "--format=json");
	o = expect_json(&r);
	check_cells(o, id);
	json_decref(o);
	ran_release(&r);
	cli(&first, p, NULL, "compare", n);
	expect_out(&first, "slow");
	expect_out(&first, "base");
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		cli(&r, p, NULL, "compare", n, "--table", tables[i]);
		expect_out(&r, "slow");
		/* ready for a mail */
		for (const char *c = r.out, *line = r.out; *c; c++) {
			assert_true((unsigned char)*c < 0x7f && (*c >= 0x20 || *c == '\n'));
			if (*c == '\n')
				line = c + 1;
			assert_true(c - line < 72);
		}
		if (i == 0)
			assert_string_equal(r.out, first.out);
		else
			assert_true(r.out_len < first.out_len);
		ran_release(&r);
	}
	ran_release(&first);
	prints(p, NULL, "| ", "compare", n, "--format", "markdown", "--table", "reply");
	cli(&r, p, NULL, "compare", n, "--format", "csv");
	expect_out(&r, "board,kernel,case");
	expect_out(&r, ",slower,");
	ran_release(&r);
	free(n);
}

static void the_way_of_a_submission(void **state)
{
	struct place *p = *state;
	int64_t id, part;
	char *n;
	struct ran r;
	json_t *o, *all;

	fake_announce(p->f, false);
	id = submitted(p);
	n = number(id);
	prints(p, NULL, "waiting for an agent", "status", n);
	fails(p, NULL, 5, "finished comparison", "compare", "latest");
	finish(p, id, "done");

	prints(p, NULL, "done", "status");
	cli(&r, p, NULL, "status", n);
	expect_out(&r, ": done, slow against base\n");
	expect_out(&r, "KERNEL  STATE  COMMIT");
	expect_out(&r, "contpte-y");
	expect_out(&r, "resolve");
	assert_null(strstr(r.out, "waiting"));
	ran_release(&r);
	json_of(p, NULL, &o, "status", "latest");
	assert_int_equal(int_at(o, "id"), id);
	assert_true(json_array_size(at(o, "jobs")) > 4);
	json_decref(o);
	/* what ended is not waited for */
	prints(p, NULL, "done", "status", n, "--wait");

	prints(p, NULL, "contpte-y", "kernels");
	json_of(p, NULL, &all, "kernels", "--limit", "1");
	assert_int_equal(json_array_size(at(all, "kernels")), 1);
	free(n);
	n = number(int_at(all, "next"));
	json_of(p, NULL, &o, "kernels", "--before", n);
	assert_int_equal(json_array_size(at(o, "kernels")), 1);
	assert_int_not_equal(int_at(o, "kernels.0.id"), int_at(all, "kernels.0.id"));
	json_decref(o);
	free(n);
	n = number(int_at(all, "kernels.0.id"));
	cli(&r, p, NULL, "kernels", n);
	expect_out(&r, "\ncompiler         gcc 12\n");
	expect_out(&r, "\nsandbox          bubblewrap\n");
	ran_release(&r);
	json_of(p, NULL, &o, "kernels", n);
	assert_string_equal(str_at(o, "compiler"), "gcc 12");
	json_decref(o);
	json_decref(all);
	free(n);
	each_format(p, id);

	/* The same again would cost nothing; it is told, and not made. */
	cli(&r, p, p->submit, "submit", "--dry-run", "--baseline", "base=" TREE "#v6.12",
	    "--kernel", "slow=image:Image", "--case", CASE);
	expect_fail(&r, 2, "Image");
	ran_release(&r);
	cli(&r, p, p->submit, "submit", "--dry-run", "--baseline", "base=" TREE "#v9", "--case",
	    CASE);
	expect_out(&r, "nothing was stored\n\n1 to resolve, 1 to build, 0 built already\n");
	expect_out(&r, "BOARD  BOOTS  REUSED  MINUTES");
	expect_out(&r, "in all: ");
	ran_release(&r);
	fails(p, p->submit, 2, "--dry-run excludes", "submit", "--dry-run", "--wait", "--baseline",
	      "base=" TREE "#v9");
	json_of(p, p->submit, &o, "submit", "--dry-run", "--baseline", "base=" TREE "#v9");
	assert_string_equal(str_at(o, "request.baseline"), "base");
	json_decref(o);
	json_of(p, NULL, &o, "status", "latest");
	assert_int_equal(int_at(o, "id"), id);
	json_decref(o);

	json_of(p, p->submit, &o, "submit", "--dry-run", "--baseline", "base=" TREE "#v9", "--case",
	        "fork/*order=9*", "--pages", "4K");
	assert_int_equal(json_array_size(at(o, "request.cases")), 2);
	json_decref(o);
	/* Without a baseline it is looked for. */
	json_of(p, p->submit, &o, "submit", "--dry-run", "--kernel", "base=" TREE "#topic",
	        "--onto", "next");
	assert_string_equal(str_at(o, "request.baseline"), "merge-base");
	assert_string_equal(str_at(o, "request.kernels.0.base_of"), "base");
	assert_string_equal(str_at(o, "request.kernels.0.onto"), "next");
	assert_string_equal(str_at(o, "request.title"), "base against merge-base");
	json_decref(o);
	fails(p, p->submit, 2, "--onto excludes --baseline", "submit", "--onto", "x", "--baseline",
	      "b=" TREE "#y");

	/* Boots that are added; and what of it cannot be. */
	n = number(id);
	fails(p, p->submit, 2, "expected 24 more at most", "more", n, "--boots", "30");
	fails(p, p->submit, 2, "compares no kernel \"x\"", "more", n, "--boots", "1", "--kernel",
	      "x");
	fails(p, p->submit, 2, "--boots", "more", n);
	fails(p, p->submit, 2, "not UTF-8", "more", n, "--boots", "1", "--board", "\377");
	prints(p, p->submit, "is open again: 2 boots of each kernel were added", "more", n,
	       "--boots", "2", "--board", "det", "--kernel", "slow");
	fails(p, p->submit, 6, "is booting", "more", n, "--boots", "1");
	finish(p, id, "done");
	/* Those of one case, by themselves. */
	fails(p, p->submit, 2, "has no case", "more", n, "--case", "exit/*");
	fails(p, p->submit, 2, "--key goes with --case", "more", n, "--boots", "1", "--key", "k");
	fails(p, p->submit, 2, "takes 6 boots", "more", n, "--case", "fork/order=0,*", "--board",
	      "det", "--boots", "2");
	json_of(p, p->submit, &o, "more", n, "--case", "fork/order=0,*", "--board", "det",
	        "--kernel", "slow", "--key", "k");
	assert_int_equal(int_at(o, "part_of"), id);
	part = int_at(o, "id");
	json_decref(o);
	finish(p, part, "done");
	/* the same one again, which is done: its tables */
	cli(&r, p, p->submit, "more", n, "--case", "fork/order=0,*", "--board", "det", "--kernel",
	    "slow", "--key", "k", "--wait");
	assert_int_equal(r.code, 0);
	expect_out(&r, "chosen from the");
	if (!strstr(r.err, "cases of"))
		fail_msg("not told: %s", r.err);
	ran_release(&r);
	free(n);

	/* a full disk is no success */
	run_to(&r, "/dev/full", p->dir, p->server, "status", NULL);
	expect_fail(&r, 8, "cannot write to standard output");
	ran_release(&r);
	run_to(&r, "/dev/full", p->dir, p->server, "compare", "latest", NULL);
	expect_fail(&r, 8, "cannot write to standard output");
	ran_release(&r);
	/* nor is an output that is closed, where the connection would be the next to be 1 */
	n = xasprintf("exec '%s' status >&-", program("foldwatch"));
	{
		const char *argv[] = {"sh", "-c", n, NULL};
		const char *env[] = {p->server, NULL};
		struct buf said;
		struct why w;

		buf_init(&said, 65536);
		assert_int_equal(proc_run(&(struct proc_spec){.argv = argv, .env = env}, &said, &w),
		                 ERR_IO);
		assert_non_null(strstr(said.data, "cannot write to standard output"));
		buf_release(&said);
	}
	free(n);
}

/* Works at what comes until the program ends. */
static void work_until(struct place *p, struct ran *r, int64_t id, const char *state)
{
	json_t *o;

	do {
		fake_work(p->f);
		o = NULL;
		if (ask_json(p->f->d, "GET", "/api/v1/submissions?limit=1", NULL, NULL, &o) ==
		            200 &&
		    json_array_size(at(o, "submissions")) && int_at(o, "submissions.0.id") >= id &&
		    str_eq(str_at(o, "submissions.0.state"), state)) {
			json_decref(o);
			break;
		}
		json_decref(o);
		sleep_ms(20);
	} while (1);
	run_wait(r);
}

static void waiting_prints_the_tables(void **state)
{
	struct place *p = *state;
	struct ran r, cmp;
	json_t *o;

	fake_announce(p->f, false);
	run_start(&r, p->dir, p->server, p->submit, "submit", "--wait", "--baseline",
	          "base=" TREE "#v1", "--kernel", "slow=" TREE "#v2", "--case", CASE, "--boots",
	          "2", NULL);
	work_until(p, &r, 1, "done");
	cli(&cmp, p, NULL, "compare", "1");
	assert_int_equal(r.code, 0);
	assert_string_equal(r.out, cmp.out);
	assert_non_null(strstr(r.err, "submission 1\n"));
	assert_null(strchr(r.err, '\x1b')); /* no live line in a pipe */
	ran_release(&cmp);
	ran_release(&r);

	/* as JSON; what stands is used, so this one is done at once */
	run_start(&r, p->dir, p->server, p->submit, "submit", "--wait", "--json", "--baseline",
	          "base=" TREE "#v1", "--kernel", "slow=" TREE "#v2", "--case", CASE, "--boots",
	          "2", NULL);
	work_until(p, &r, 2, "done");
	o = expect_json(&r);
	assert_int_equal(int_at(o, "submission"), 2);
	json_decref(o);
	ran_release(&r);
}

static void until_state(struct place *p, int64_t id, const char *state)
{
	bool there = false;

	while (!there) {
		json_t *o;
		char path[64];

		snprintf(path, sizeof(path), "/api/v1/submissions/%lld", (long long)id);
		assert_int_equal(ask_json(p->f->d, "GET", path, NULL, NULL, &o), 200);
		there = str_eq(str_at(o, "state"), state);
		json_decref(o);
		sleep_ms(20);
	}
}

/* `more` waits as `submit` does, and ends with the same codes. */
static void waiting_for_more(void **state)
{
	struct place *p = *state;
	struct ran r, cmp;
	json_t *o;

	fake_announce(p->f, false);
	json_of(p, p->submit, &o, "submit", "--baseline", "base=" TREE "#v1", "--kernel",
	        "slow=" TREE "#v2", "--case", CASE, "--case", "munmap/order=0,size=16M", "--boots",
	        "2");
	json_decref(o);
	finish(p, 1, "done");
	run_start(&r, p->dir, p->server, p->submit, "more", "1", "--boots", "1", "--wait", NULL);
	until_state(p, 1, "booting");
	work_until(p, &r, 1, "done");
	cli(&cmp, p, NULL, "compare", "1");
	assert_int_equal(r.code, 0);
	assert_string_equal(r.out, cmp.out);
	assert_non_null(strstr(r.err, "submission 1 is open again: 1 boots"));
	ran_release(&cmp);
	ran_release(&r);
	run_start(&r, p->dir, p->server, p->submit, "more", "1", "--case", CASE, "--wait", NULL);
	work_until(p, &r, 2, "done");
	cli(&cmp, p, NULL, "compare", "2");
	assert_int_equal(r.code, 0);
	assert_string_equal(r.out, cmp.out);
	assert_non_null(strstr(r.err, "submission 2: cases of 1 by themselves"));
	ran_release(&cmp);
	ran_release(&r);
	/* One that is stopped did not give what was asked. */
	run_start(&r, p->dir, p->server, p->submit, "more", "1", "--case", "munmap/*", "--wait",
	          NULL);
	while (ask_json(p->f->d, "POST", "/api/v1/submissions/3/cancel", p->f->submit, "{}",
	                NULL) != 200)
		sleep_ms(20);
	run_wait(&r);
	assert_int_equal(r.code, 1);
	assert_string_equal(r.out, "");
	assert_non_null(strstr(r.err, "foldwatch: submission 3 cancelled"));
	ran_release(&r);
}

static void a_failure_says_why(void **state)
{
	struct place *p = *state;
	struct ran r;
	json_t *o;

	fake_announce(p->f, false);
	p->f->build_fails = "broken";
	run_start(&r, p->dir, p->server, p->submit, "submit", "--wait", "--json", "--baseline",
	          "base=" TREE "#v1", "--kernel", "broken=" TREE "#v2", "--case", CASE, NULL);
	work_until(p, &r, 1, "failed");
	assert_int_equal(r.code, 1);
	assert_non_null(strstr(r.err, "foldwatch: submission 1 failed: "));
	assert_non_null(strstr(r.err, "mm/memory.c:1: error: expected ';'"));
	o = json_loads(r.out, 0, NULL);
	assert_non_null(strstr(str_at(o, "error.message"), "mm/memory.c:1"));
	json_decref(o);
	ran_release(&r);
	cli(&r, p, NULL, "status", "1");
	expect_out(&r, "mm/memory.c:1: error: expected ';'");
	ran_release(&r);
	cli(&r, p, NULL, "status", "1", "--wait");
	assert_int_equal(r.code, 1);
	assert_non_null(strstr(r.out, "failed"));
	ran_release(&r);
}

static void keys_make_it_one_submission(void **state)
{
	struct place *p = *state;
	json_t *a, *b;

	fake_announce(p->f, false);
	json_of(p, p->submit, &a, "submit", "--key", "k 1", "--baseline", "base=" TREE "#v1",
	        "--kernel", "x=" TREE "#v2", "--title", "first", "--priority", "-5", "--threshold",
	        "0.1", "--fresh", "--board", "label:virtual");
	assert_string_equal(str_at(a, "key"), "k 1");
	assert_string_equal(str_at(a, "title"), "first");
	assert_int_equal(int_at(a, "priority"), -5);
	assert_true(num_at(a, "threshold") > 0.00099 && num_at(a, "threshold") < 0.00101);
	assert_true(json_is_false(at(a, "reuse")));
	assert_string_equal(str_at(a, "boards.0"), "det");
	assert_int_equal(json_array_size(at(a, "cases")), 10);
	json_of(p, p->submit, &b, "submit", "--key", "k 1", "--baseline", "base=" TREE "#v1",
	        "--kernel", "x=" TREE "#v2", "--title", "first", "--priority", "-5", "--threshold",
	        "0.1", "--fresh", "--board", "label:virtual");
	assert_int_equal(int_at(a, "id"), int_at(b, "id"));
	json_decref(a);
	json_decref(b);
	fails(p, p->submit, 6, "k 1", "submit", "--key", "k 1", "--baseline", "base=" TREE "#v1");
	fails(p, p->submit, 2, "fork/order=1", "submit", "--baseline", "base=" TREE "#v1", "--case",
	      "fork/order=1");
	fails(p, p->submit, 2, "nosuch", "submit", "--baseline", "base=" TREE "#v1,config=nosuch");
	fails(p, p->submit, 2, "nosuch", "submit", "--baseline", "base=" TREE "#v1", "--board",
	      "nosuch");
	/* asked, then not wanted */
	prints(p, p->submit, "submission 1: cancelled\n", "cancel", "1");
	json_of(p, p->submit, &a, "cancel", "1");
	assert_string_equal(str_at(a, "state"), "cancelled");
	json_decref(a);
	fails(p, NULL, 4, "wants a token", "cancel", "1");
}

/* An arm64 header and a build-id, as a kernel's Image has them. */
static const char *image_file(struct place *p, const char *dir, unsigned char id)
{
	unsigned char image[8192] = {0};
	char *path = path_join(p->dir, dir);

	mkdir(path, 0700);
	free(path);
	path = xasprintf("%s/%s/Image", p->dir, dir);
	image[17] = 0x20; /* image_size 8192 */
	image[24] = 2;    /* 4K pages */
	memcpy(image + 56, "ARM\x64", 4);
	image[1024] = 4;
	image[1028] = 20;
	image[1032] = 3;
	memcpy(image + 1036, "GNU", 4);
	memset(image + 1040, id, 20);
	memcpy(image + 4096, "Linux version 6.12.1-test (t@t) #1 SMP", 38);
	put_file(path, image, sizeof(image));
	free(path);
	return dir;
}

static void images_travel(void **state)
{
	struct place *p = *state;
	json_t *o;
	int i;

	fake_announce(p->f, false);
	image_file(p, "old", 1);
	image_file(p, "new", 2);
	/* the second time they are there */
	for (i = 0; i < 2; i++) {
		json_of(p, p->submit, &o, "submit", "--baseline", "old=image:old/Image", "--kernel",
		        "slow=image:new/Image", "--case", CASE, "--boots", "1");
		assert_string_equal(str_at(o, "kernels.0.name"), "old");
		assert_int_equal(strlen(str_at(o, "kernels.1.image")), 64);
		assert_string_equal(str_at(o, "baseline"), "old");
		finish(p, int_at(o, "id"), "done");
		json_decref(o);
	}
	fails(p, NULL, 4, "wants a token", "submit", "--baseline", "old=image:old/Image");
	fails(p, "FOLDWATCH_TOKEN=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 4,
	      "the token of FOLDWATCH_TOKEN: ", "submit", "--baseline", "old=image:old/Image");
	image_file(p, "third", 3);
	fails(p, NULL, 4, "wants a token", "submit", "--baseline", "x=image:third/Image");
	put_file(in(p->dir, "elf"),
	         "\x7f"
	         "ELF\2\1\1",
	         7);
	fails(p, p->submit, 2, "ELF", "submit", "--baseline", "x=image:elf");
	fails(p, p->submit, 2, "none/Image", "submit", "--baseline", "x=image:none/Image");
}

int main(void)
{
#define with(t) cmocka_unit_test_setup_teardown(t, place_setup, place_teardown)
	const struct CMUnitTest tests[] = {
	        with(an_empty_server),         with(words_that_are_wrong),
	        with(the_way_of_a_submission), with(waiting_prints_the_tables),
	        with(a_failure_says_why),      with(keys_make_it_one_submission),
	        with(images_travel),           with(waiting_for_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
