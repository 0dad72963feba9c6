/* Boards, logs, tokens, imports, and finding the server, against the real one. */
#include "cli/test/place.h"

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"
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

/* ---- boards */

static void boards_go_out_of_service(void **state)
{
	struct place *p = *state;
	struct ran r;
	json_t *o;

	fake_announce(p->f, true);
	cli(&r, p, NULL, "boards");
	expect_out(&r, "det    active  qemu  deterministic  instructions  a      virtual");
	ran_release(&r);
	json_of(p, NULL, &o, "boards");
	assert_int_equal(json_array_size(at(o, "boards")), 2);
	json_decref(o);
	fails(p, NULL, 4, "wants a token", "boards", "drain", "det", "x");
	fails(p, p->submit, 4, "this one has role submit", "boards", "drain", "det", "x");
	fails(p, p->admin, 5, "nosuch", "boards", "drain", "nosuch", "x");
	prints(p, p->admin, "det: drained\n", "boards", "drain", "det", "new firmware");
	cli(&r, p, NULL, "boards", "det");
	expect_out(&r, "det: drained (new firmware)\n");
	expect_out(&r, "announced");
	ran_release(&r);
	prints(p, p->admin, "det: active\n", "boards", "resume", "det");
	json_of(p, p->admin, &o, "boards", "quarantine", "det", "odd counts");
	assert_string_equal(str_at(o, "state"), "quarantined");
	assert_string_equal(str_at(o, "why"), "odd counts");
	json_decref(o);
	/* no known-good kernel yet: nothing can be checked */
	prints(p, p->admin, "det: active\n", "boards", "resume", "det", "looked at it");
	json_of(p, NULL, &o, "boards", "det");
	assert_true(json_array_size(at(o, "events")) >= 5);
	json_decref(o);
}

/* ---- logs */

static void post_log(struct fake *f, int64_t job, int64_t attempt, int64_t offset, const char *text)
{
	char path[128];
	struct reply_raw r;

	snprintf(path, sizeof(path), "/api/v1/jobs/%lld/log?attempt=%lld&offset=%lld",
	         (long long)job, (long long)attempt, (long long)offset);
	ask(f->d, "POST", path, f->agent, "Content-Type: text/plain\r\n", text, strlen(text), &r);
	assert_int_equal(r.status, 200);
	reply_raw_release(&r);
}

static void give_back(struct fake *f, int64_t job, int64_t attempt)
{
	json_t *body = json_object(), *o = NULL;
	char key[32];

	json_put_int(body, "attempt", attempt);
	json_put_str(body, "state", "failed");
	json_put_str(body, "class", "infra");
	json_put_str(body, "why", "the network is away");
	snprintf(key, sizeof(key), "%lld-%lld", (long long)job, (long long)attempt);
	assert_int_equal(fake_post(f, job, key, body, &o), 200);
	assert_string_equal(str_at(o, "state"), "queued");
	json_decref(body);
	json_decref(o);
}

static void logs_are_followed(void **state)
{
	struct place *p = *state;
	struct ran r;
	json_t *lease, *o;
	int64_t job;
	char *n;

	fake_announce(p->f, false);
	json_of(p, p->submit, &o, "submit", "--baseline", "base=" TREE "#v1", "--case", CASE);
	json_decref(o);
	lease = fake_claim(p->f, "[\"resolve\"]", "[]");
	job = int_at(lease, "id");
	n = number(job);
	json_decref(lease);
	cli(&r, p, NULL, "log", n);
	assert_int_equal(r.code, 0);
	assert_string_equal(r.out, "");
	ran_release(&r);
	post_log(p->f, job, 1, 0, "one\n");
	prints(p, NULL, "one\n", "log", n);

	/* it stays while the job goes on, and over a second attempt, whose log is
	 * shorter than the first one's */
	run_start(&r, p->dir, p->server, "log", n, "--follow", NULL);
	post_log(p->f, job, 1, 4, "two and more of it\n");
	sleep_ms(1200);
	give_back(p->f, job, 1);
	lease = NULL;
	for (int i = 0; i < 600 && !lease; i++) {
		lease = fake_claim(p->f, "[\"resolve\"]", "[]");
		if (!lease)
			sleep_ms(50);
	}
	assert_non_null(lease);
	assert_int_equal(int_at(lease, "attempt"), 2);
	post_log(p->f, job, 2, 0, "again\n");
	/* said at the very end, together with the result */
	post_log(p->f, job, 2, 6, "last words\n");
	json_decref(fake_do(p->f, lease));
	json_decref(lease);
	run_wait(&r);
	expect_out(&r, "one\ntwo and more of it\nagain\nlast words\n");
	assert_string_equal(r.err, "foldwatch: attempt 2 begins\n");
	ran_release(&r);

	cli(&r, p, NULL, "log", n, "--attempt", "1");
	assert_string_equal(r.out, "one\ntwo and more of it\n");
	ran_release(&r);
	fails(p, NULL, 5, "2 attempts, not 3", "log", n, "--attempt", "3");
	json_of(p, NULL, &o, "log", n);
	assert_int_equal(int_at(o, "job"), job);
	assert_int_equal(int_at(o, "attempt"), 2);
	assert_true(json_is_true(at(o, "complete")));
	assert_string_equal(str_at(o, "text"), "again\nlast words\n");
	json_decref(o);
	free(n);
}

static void consoles_are_shown(void **state)
{
	struct place *p = *state;
	json_t *o;

	fake_announce(p->f, false);
	finish(p, submitted(p), "done");
	prints(p, NULL, "Linux version 6.12.1", "log", "--boot", "1");
	json_of(p, NULL, &o, "log", "--boot", "1");
	assert_int_equal(int_at(o, "boot"), 1);
	assert_non_null(strstr(str_at(o, "text"), "odd byte"));
	json_decref(o);
}

/* A log longer than the server gives at once, with a character on the seam. */
static void long_logs_come_whole(void **state)
{
	struct place *p = *state;
	size_t part = 700000, i;
	char *text = xcalloc(2 * part + 1, 1), *half = xcalloc(part + 1, 1), *n;
	json_t *lease, *o;
	struct ran r;
	int64_t job;

	for (i = 0; i + 1 < 2 * part; i += 2)
		memcpy(text + i, i % 100 ? "\xc3\xa4" : "x\n", 2);
	fake_announce(p->f, false);
	json_of(p, p->submit, &o, "submit", "--baseline", "base=" TREE "#v1", "--case", CASE);
	json_decref(o);
	lease = fake_claim(p->f, "[\"resolve\"]", "[]");
	job = int_at(lease, "id");
	n = number(job);
	memcpy(half, text, part);
	post_log(p->f, job, 1, 0, half);
	memcpy(half, text + part, part);
	post_log(p->f, job, 1, (int64_t)part, half);
	cli(&r, p, NULL, "log", n);
	assert_int_equal(r.code, 0);
	assert_int_equal(r.out_len, 2 * part);
	assert_memory_equal(r.out, text, 2 * part);
	ran_release(&r);
	json_of(p, NULL, &o, "log", n);
	assert_true(json_is_false(at(o, "complete")));
	assert_string_equal(str_at(o, "text"), text);
	json_decref(o);
	json_decref(lease);
	free(text);
	free(half);
	free(n);
}

/* ---- tokens */

static void tokens_come_and_go(void **state)
{
	struct place *p = *state;
	char *token, *env, *n, *path, *text;
	struct ran r;
	json_t *o;

	cli(&r, p, p->admin, "token", "add", "submit", "Ada's laptop");
	assert_int_equal(r.code, 0);
	assert_int_equal(r.out_len, 44);
	token = xstrndup(r.out, 43);
	env = xasprintf("FOLDWATCH_TOKEN=%s", token);
	ran_release(&r);
	fake_announce(p->f, false);
	prints(p, env, "submission 1\n", "submit", "--baseline", "b=" TREE "#v1", "--case", CASE);
	prints(p, p->admin, "Ada's laptop", "token");
	json_of(p, p->admin, &o, "token", "list");
	n = number(json_integer_value(json_object_get(
	        json_array_get(at(o, "tokens"), json_array_size(at(o, "tokens")) - 1), "id")));
	text = json_text(o);
	assert_null(strstr(text, token));
	free(text);
	json_decref(o);
	fails(p, p->submit, 4, "needs a token of role admin", "token", "list");
	fails(p, p->admin, 2, "role", "token", "add", "king", "x");
	fails(p, p->admin, 2, "expected a number", "token", "revoke", "x");
	fails(p, p->admin, 5, "999", "token", "revoke", "999");
	prints(p, p->admin, "boots        500", "token", "quota", n, "--boots", "500", "--bytes",
	       "20G");
	prints(p, p->admin, "bytes        none", "token", "quota", n, "--bytes", "none");
	prints(p, p->admin, "boots        default", "token", "quota", n, "--boots", "default");
	fails(p, p->admin, 2, "--jobs: expected 1 or more, none, or default", "token", "quota", n,
	      "--jobs", "0");
	fails(p, p->admin, 2, "--jobs", "token", "quota", n, "--jobs", "-3");
	prints(p, p->admin, "Ada's laptop\n", "token", "quota", n);
	prints(p, p->admin, "no limit  bytes of uploads", "token", "quota", n);
	fails(p, p->admin, 2, "only those of role submit", "token", "quota", "1");
	fails(p, p->admin, 5, "999", "token", "quota", "999");
	prints(p, env, "Ada's laptop", "quota");
	prints(p, env, "no limit", "quota");
	prints(p, p->admin, "no quota holds", "quota");
	json_of(p, p->admin, &o, "token", "revoke", n);
	assert_non_null(str_at(o, "revoked"));
	json_decref(o);
	fails(p, env, 4,
	      "the token of FOLDWATCH_TOKEN: this token is not known here, or was revoked",
	      "submit", "--baseline", "b=" TREE "#v1", "--case", CASE);
	/* reading with a token that is none is refused as well */
	fails(p, env, 4, "revoked", "status");

	path = path_join(p->dir, "t");
	put_file(path, "", 0);
	fails(p, NULL, 2, "is empty: it should hold a token", "status", "--token-file", "t");
	put_file(path, "two words\n", 10);
	fails(p, NULL, 2, "\"t\" holds no token", "status", "--token-file", "t");
	put_file(path, token, 43);
	fails(p, NULL, 4, "the token of \"t\": ", "status", "--token-file", "t");
	fails(p, NULL, 2, "none", "status", "--token-file", "none");
	/* the option wins over the environment, the file over the variable */
	put_file(path, p->f->d->admin, 43);
	prints(p, env, "Ada's laptop", "token", "--token-file", "t");
	run_cli(&r, p->dir, p->server, env, "FOLDWATCH_TOKEN_FILE=t", "token", NULL);
	expect_out(&r, "Ada's laptop");
	ran_release(&r);
	fails(p, "FOLDWATCH_TOKEN=a b", 2, "FOLDWATCH_TOKEN holds no token", "status");
	free(path);
	free(token);
	free(env);
	free(n);
}

/* As small as an arm64 image can be. */
static void image_in(struct place *p)
{
	unsigned char image[128] = {0};

	image[16] = sizeof(image);
	memcpy(image + 56, "ARM\x64", 4);
	put_file(in(p->dir, "Image"), image, sizeof(image));
}

/* ---- finding the server */

static void the_server_is_found(void **state)
{
	struct place *p = *state;
	struct daemon *d = p->f->d;
	char *path = path_join(p->dir, "var"), *text;
	struct ran r;

	/* nothing says where it is: the fallback, which is named as one. A server
	 * of somebody else may stand there, so only the form is checked. */
	run_cli(&r, p->dir, "status", NULL);
	assert_true(r.code == 0 || strstr(r.err, "neither --server nor FOLDWATCH_SERVER"));
	ran_release(&r);
	fails(p, NULL, 2, "--server: \"localhost:8080\" is no server address", "status", "--server",
	      "localhost:8080");
	run_cli(&r, p->dir, "FOLDWATCH_SERVER=ftp://x", "status", NULL);
	expect_fail(&r, 2, "FOLDWATCH_SERVER: \"ftp://x\" is no server address");
	ran_release(&r);
	/* a slash at its end is nothing */
	text = xasprintf("%s//", d->base);
	run_cli(&r, p->dir, "FOLDWATCH_SERVER=http://127.0.0.1:1", "status", "--server", text,
	        NULL);
	expect_out(&r, "CREATED");
	ran_release(&r);
	free(text);

	/* what `make run` leaves in ./var */
	assert_int_equal(mkdir(path, 0700), 0);
	free(path);
	path = path_join(p->dir, "var/address");
	text = xasprintf("%s\n", d->base);
	put_file(path, text, strlen(text));
	free(text);
	run_cli(&r, p->dir, "status", NULL);
	expect_out(&r, "CREATED");
	ran_release(&r);
	run_cli(&r, p->dir, "cancel", "7", NULL);
	expect_fail(&r, 4, "wants a token: give --token-file FILE or set FOLDWATCH_TOKEN_FILE");
	ran_release(&r);
	text = path_join(p->dir, "var/submit.token");
	put_file(text, p->f->submit, 43);
	run_cli(&r, p->dir, "cancel", "7", NULL);
	expect_fail(&r, 5, "7");
	ran_release(&r);
	/* of another role, and not known any more */
	run_cli(&r, p->dir, "token", NULL);
	expect_fail(&r, 4, "the token of \"var/submit.token\": ");
	ran_release(&r);
	put_file(text, "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", 44);
	run_cli(&r, p->dir, "status", NULL);
	expect_fail(&r, 4, "the token of \"var/submit.token\": this token is not known");
	ran_release(&r);
	/* that token is for that server alone */
	run_cli(&r, p->dir, p->server, "status", NULL);
	expect_out(&r, "CREATED");
	ran_release(&r);
	unlink(text);
	free(text);

	daemon_stop(d);
	run_cli(&r, p->dir, "status", NULL);
	expect_fail(&r, 7, "does not answer: ");
	assert_non_null(strstr(r.err, "(the address is from var/address)"));
	ran_release(&r);
	fails(p, NULL, 7, "(the address is from FOLDWATCH_SERVER)", "compare", "latest");
	fails(p, NULL, 7, "does not answer", "log", "1");
	image_in(p);
	fails(p, p->submit, 7, "does not answer", "submit", "--baseline", "x=image:Image");
	free(path);
}

/* ---- imports */

/* What foldbench prints on a machine of its own. */
static void bench_file(struct place *p, const char *name, const char *release, int build_id,
                       int64_t base, bool torn)
{
	char *text, *whole;
	struct buf b;

	buf_init(&b, 65536);
	buf_addf(&b,
	         "{\"type\":\"begin\",\"format\":1,\"nonce\":\"\",\"bench\":\"beef\",\"build_id\":"
	         "\"%040d\",\"boot_id\":\"x\",\"release\":\"%s\",\"version\":\"#1\",\"machine\":"
	         "\"aarch64\",\"metric\":\"ns\",\"page_size\":4096,\"block_size\":65536,"
	         "\"phase_pages\":0,\"taint\":0,\"cmdline\":\"\",\"env\":{\"cpus\":4}}\n",
	         build_id, release);
	for (int run = 0; run < 3; run++)
		buf_addf(&b,
		         "{\"type\":\"run\",\"case\":\"" CASE "\",\"run\":%d,\"state\":\"valid\","
		         "\"metric\":\"ns\",\"unit\":\"ns\",\"better\":\"less\",\"warmup\":1,"
		         "\"batch\":1,"
		         "\"empty_window\":41,\"samples\":[%lld,%lld,%lld],\"evidence\":{}}\n",
		         run, (long long)base + 500, (long long)base + run, (long long)base);
	text = buf_take(&b, NULL);
	whole = fake_end(text, 3);
	if (torn)
		whole[strlen(text) + 9] = '\0';
	put_file(in(p->dir, name), whole, strlen(whole));
	free(text);
	free(whole);
	buf_release(&b);
}

static void imports_are_compared(void **state)
{
	struct place *p = *state;
	const json_t *cell;
	json_t *o;

	bench_file(p, "a.jsonl", "6.12.1 (mine)", 1, 100000, false);
	bench_file(p, "b.jsonl", "6.12.2", 2, 150000, false);
	fails(p, NULL, 4, "wants a token", "import", "a.jsonl");
	prints(p, p->submit, "submission 1, boot 1: valid, self-reported\n", "import", "a.jsonl");
	/* twice is one boot */
	prints(p, p->submit, "submission 1, boot 1: valid, self-reported\n", "import", "a.jsonl");
	json_of(p, NULL, &o, "status", "1");
	assert_string_equal(str_at(o, "title"), "a.jsonl");
	assert_string_equal(str_at(o, "baseline"), "6.12.1--mine-");
	assert_true(json_is_true(at(o, "imported")));
	json_decref(o);
	/* the second kernel */
	json_of(p, p->submit, &o, "import", "b.jsonl", "--submission", "1", "--kernel", "after");
	assert_int_equal(int_at(o, "submission"), 1);
	assert_int_equal(int_at(o, "boot"), 2);
	assert_true(json_is_true(at(o, "valid")));
	json_decref(o);
	json_of(p, NULL, &o, "compare", "1");
	assert_int_equal(json_array_size(at(o, "cells")), 1);
	cell = at(o, "cells.0");
	assert_string_equal(str_at(cell, "kernel"), "after");
	assert_string_equal(str_at(cell, "board"), "self-reported");
	assert_true(num_at(cell, "change") > 0.49 && num_at(cell, "change") < 0.51);
	json_decref(o);
	prints(p, NULL, "after", "compare", "latest");
	/* What came, not what nobody planned. */
	prints(p, NULL, "Time, 1 boot a kernel, 3 runs a boot;", "compare", "latest");
	fails(p, p->submit, 2, "build-id", "import", "a.jsonl", "--submission", "1", "--kernel",
	      "after");
	fails(p, p->submit, 5, "77", "import", "a.jsonl", "--submission", "77");
	fails(p, p->submit, 2, "kernel", "import", "a.jsonl", "--kernel", "a b");
}

static void imports_are_judged(void **state)
{
	static const char fault[] = "[    1.000000] fine\n[    2.000000] \xff\x01\n[    3.000000] "
	                            "BUG: Bad page state in "
	                            "process gmain  pfn:12a094\n";
	struct place *p = *state;
	json_t *o;

	bench_file(p, "a.jsonl", "6.12.1", 1, 100000, false);
	put_file(in(p->dir, "dmesg"), fault, sizeof(fault) - 1);
	put_file(in(p->dir, "quiet"), "[    1.000000] fine\n", 20);
	put_file(in(p->dir, "none"), "", 0);
	prints(p, p->submit, "invalid: fault in the log, line 3: BUG: Bad page state", "import",
	       "a.jsonl", "--dmesg", "dmesg", "--title", "with a fault");
	prints(p, p->submit, "submission 2, boot 2: valid, self-reported\n", "import", "a.jsonl",
	       "--dmesg", "quiet");
	bench_file(p, "torn.jsonl", "6.12.1", 1, 100000, true);
	json_of(p, p->submit, &o, "import", "torn.jsonl");
	assert_true(json_is_false(at(o, "valid")));
	assert_non_null(strstr(str_at(o, "why"), "torn"));
	json_decref(o);
	fails(p, p->submit, 2, "result", "import", "none");
	fails(p, p->submit, 2, "begin", "import", "dmesg");
	fails(p, p->submit, 2, "missing.jsonl", "import", "missing.jsonl");
	fails(p, p->submit, 2, "missing.txt", "import", "a.jsonl", "--dmesg", "missing.txt");
	fails(p, p->submit, 2, "needs FILE.jsonl", "import");
}

int main(void)
{
#define with(t) cmocka_unit_test_setup_teardown(t, place_setup, place_teardown)
	const struct CMUnitTest tests[] = {
	        with(boards_go_out_of_service), with(logs_are_followed),
	        with(long_logs_come_whole),     with(consoles_are_shown),
	        with(tokens_come_and_go),       with(the_server_is_found),
	        with(imports_are_compared),     with(imports_are_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
