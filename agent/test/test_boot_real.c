/*
 * Real boots of a real kernel through the step, as the agent runs it:
 *
 *     FOLDWATCH_TEST_IMAGE=FILE        an arm64 Image for the virtual board
 *     FOLDWATCH_TEST_FOLDBENCH=FILE    static arm64 foldbench; build/foldbench-arm64
 *     FOLDWATCH_TEST_VMLINUX=FILE      the image's symbols, and foldwatch-profile.so
 *                                      beside this program: boots that are profiled
 *
 * Skipped, with the reason, without the first, and as root.
 */
#include "agent/test/steps.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/image.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/zst.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NONCE "0123456789abcdef"
#define PLAN  "fork/order=0,size=16M runs=2 iterations=3 warmup=1\n"

static struct step_bed bed;
static char image_hash[SHA256_HEX], garbage_hash[SHA256_HEX];
static struct image facts;
static char *guest, *bench;

static const char *missing(void)
{
	if (!getenv("FOLDWATCH_TEST_IMAGE"))
		return "FOLDWATCH_TEST_IMAGE is not set";
	return geteuid() ? NULL : "boots are not tried as root";
}

#define NEEDS()                                                    \
	do {                                                       \
		if (missing()) {                                   \
			print_message("skipped: %s\n", missing()); \
			skip();                                    \
		}                                                  \
	} while (0)

static void put_file_as(const char *path, const char *name, char hash[SHA256_HEX])
{
	char *dir, *to;
	struct why w;

	assert_int_equal(hash_file(path, hash, NULL, &w), OK);
	dir = xasprintf("%s/images/%s", bed.dir, hash);
	to = path_join(dir, name);
	assert_int_equal(dir_make(dir, 0700, &w), OK);
	assert_int_equal(file_copy(path, to, &w), OK);
	free(to);
	free(dir);
}

static void put_image(const char *path, char hash[SHA256_HEX])
{
	put_file_as(path, "Image", hash);
}

static int setup(void **state)
{
	const char *given = getenv("FOLDWATCH_TEST_FOLDBENCH");
	char *garbage;
	struct why w;

	(void)state;
	if (missing())
		return 0;
	bed_init(&bed, NULL, NULL);
	bed.conf.boards = 2;
	bed.conf.board[1] = (struct board_conf){.name = "qemu-fast",
	                                        .kind = BOARD_QEMU,
	                                        .profile = PROFILE_FAST,
	                                        .qemu = xstrdup("qemu-system-aarch64")};
	bed.conf.board[0] = (struct board_conf){.name = "qemu-det",
	                                        .kind = BOARD_QEMU,
	                                        .profile = PROFILE_DETERMINISTIC,
	                                        .qemu = xstrdup("qemu-system-aarch64")};
	put_image(getenv("FOLDWATCH_TEST_IMAGE"), image_hash);
	assert_int_equal(image_probe(getenv("FOLDWATCH_TEST_IMAGE"), &facts, &w), OK);
	garbage = path_join(bed.dir, "garbage");
	assert_int_equal(file_write(garbage, "not a kernel", 12, 0600, &w), OK);
	put_image(garbage, garbage_hash);
	free(garbage);
	guest = path_join(bed.dir, "guest-init");
	run_ok(NULL, "aarch64-linux-gnu-gcc", "-O2", "-static", "-o", guest,
	       "agent/test/guest/init.c", NULL);
	bench = realpath(given ? given : "build/foldbench-arm64", NULL);
	assert_non_null(bench);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (missing())
		return 0;
	free(bed.conf.board[0].qemu);
	free(bed.conf.board[1].qemu);
	free(guest);
	free(bench);
	bed_release(&bed);
	return 0;
}

static json_t *spec(const char *plan)
{
	json_t *o = json_object(), *ids = json_array();
	size_t i;

	for (i = 0; i < facts.build_id_count; i++)
		json_array_append_new(ids, json_string(facts.build_id[i]));
	json_put_int(o, "kernel", 1);
	json_put_str(o, "name", "test");
	json_put_str(o, "board", "qemu-det");
	json_put_str(o, "image", image_hash);
	json_put(o, "build_ids", ids);
	json_put_str(o, "nonce", NONCE);
	json_put_str(o, "plan", plan);
	json_put_int(o, "phase", 0);
	json_put_int(o, "phase_pages", 7);
	json_put_int(o, "replicate", 0);
	json_put_str(o, "metric", "instructions");
	json_put_int(o, "memory_bytes", INT64_C(1) << 30);
	json_put_bool(o, "health", false);
	json_put_int(o, "timeout_s", 120);
	return o;
}

static void boot(json_t *s, const char *init, struct step_outcome *out)
{
	int64_t before = clock_mono_ns();
	struct why w = {""};
	enum err e;

	*out = (struct step_outcome){.fail = FAIL_NONE};
	bed.conf.foldbench = (char *)init;
	e = step_boot(bed_job(&bed, s), out, &w);
	fprintf(stderr, "%6.1f s  %-6s %s\n", (double)(clock_mono_ns() - before) / NS_PER_S,
	        fail_class_name(out->fail), e ? w.text : out->why.text);
	if (e)
		fail_msg("%s", w.text);
}

/* What differs between two boots by right: nothing else may. */
static char *comparable(const char *result)
{
	struct buf out;
	char *at = strstr(result, "\"type\":\"run\"");

	buf_init(&out, 1 << 20);
	assert_non_null(at);
	buf_add(&out, at, strcspn(at, "\0"));
	at = strstr(out.data, "{\"type\":\"end\"");
	assert_non_null(at);
	*at = '\0';
	return out.data;
}

static void test_measures(void **state)
{
	struct step_outcome out;
	char *first, *second;
	json_t *s, *env;

	(void)state;
	NEEDS();
	boot(spec(PLAN), bench, &out);
	assert_int_equal(out.fail, FAIL_NONE);
	assert_true(json_flag(out.body, "valid", false));
	assert_string_equal(json_str(out.body, "reached", ""), "measured");
	assert_string_equal(bed.marks.data, "staged armed booted measured ");
	assert_int_equal(json_array_size(json_object_get(out.body, "faults")), 0);
	assert_int_equal(strlen(json_str(out.body, "build_id", "")), 40);
	assert_int_equal(out.artifacts, 1);
	env = json_object_get(out.body, "env");
	assert_non_null(strstr(json_str(env, "cmdline", ""), "foldwatch.phase=0007"));
	assert_null(json_object_get(env, "host"));
	assert_string_equal(json_str(json_object_get(env, "guest"), "nonce", ""), NONCE);
	first = json_text(env);
	assert_null(strstr(first, bed.dir));
	free(first);
	first = comparable(json_str(out.body, "result", ""));
	step_outcome_release(&out);

	/* Another boot of one phase, with another nonce: every sample is the same. */
	s = spec(PLAN);
	json_put_str(s, "nonce", "fedcba9876543210");
	boot(s, bench, &out);
	assert_int_equal(out.fail, FAIL_NONE);
	second = comparable(json_str(out.body, "result", ""));
	assert_string_equal(first, second);
	step_outcome_release(&out);
	free(first);
	free(second);
}

/* Time on the board with threads: numbers, and nothing that repeats. */
static void test_fast_board(void **state)
{
	struct step_outcome out;
	const char *result;
	json_t *s = NULL;

	(void)state;
	NEEDS();
	s = spec(PLAN);
	json_put_str(s, "board", "qemu-fast");
	json_put_str(s, "metric", "ns");
	json_put_int(s, "phase_pages", 0);
	boot(s, bench, &out);
	if (out.fail != FAIL_NONE)
		fail_msg("%s", out.why.text);
	assert_true(json_flag(out.body, "valid", false));
	assert_string_equal(json_str(json_object_get(out.body, "env"), "profile", ""), "fast");
	assert_non_null(json_str(json_object_get(json_object_get(out.body, "env"), "host"),
	                         "kernel", NULL));
	result = json_str(out.body, "result", "");
	assert_non_null(strstr(result, "\"metric\":\"ns\""));
	assert_non_null(strstr(result, "\"run\":1,\"state\":\"valid\""));
	assert_null(strstr(result, "\"samples\":[0"));
	step_outcome_release(&out);
}

/* Counting by function changes no sample, and is kept beside them. */
static void test_profiled(void **state)
{
	const char *vmlinux = getenv("FOLDWATCH_TEST_VMLINUX");
	struct step_outcome plain, counted;
	char hash[SHA256_HEX], *a, *b, *env_a, *env_b;
	json_t *s;

	(void)state;
	NEEDS();
	if (!vmlinux) {
		print_message("skipped: FOLDWATCH_TEST_VMLINUX is not set\n");
		skip();
	}
	put_file_as(vmlinux, "vmlinux", hash);
	boot(spec(PLAN), bench, &plain);
	s = spec(PLAN);
	json_put_int(s, "replicate", 1);
	json_put_str(s, "vmlinux", hash);
	boot(s, bench, &counted);
	assert_int_equal(counted.fail, FAIL_NONE);
	assert_int_equal(counted.artifacts, 2);
	assert_string_equal(json_str(counted.body, "profile", ""), counted.artifact[1].sha256);
	assert_null(json_str(plain.body, "profile", NULL));
	a = comparable(json_str(plain.body, "result", ""));
	b = comparable(json_str(counted.body, "result", ""));
	assert_string_equal(a, b);
	/* The board is the same: the plugin is no part of its environment. */
	env_a = json_text(json_object_get(json_object_get(plain.body, "env"), "argv"));
	env_b = json_text(json_object_get(json_object_get(counted.body, "env"), "argv"));
	assert_string_equal(env_a, env_b);
	step_outcome_release(&plain);
	step_outcome_release(&counted);
	free(a);
	free(b);
	free(env_a);
	free(env_b);
}

static void test_other_kernel(void **state)
{
	struct step_outcome out;
	json_t *s;

	(void)state;
	NEEDS();
	s = spec(PLAN);
	json_put(s, "build_ids", json_pack("[s]", "00112233445566778899aabbccddeeff00112233"));
	boot(s, bench, &out);
	assert_int_equal(out.fail, FAIL_BOOT);
	assert_non_null(strstr(out.why.text, "build-id"));
	assert_true(json_is_null(json_object_get(out.body, "result")));
	assert_false(json_flag(out.body, "valid", true));
	step_outcome_release(&out);
}

static void test_no_image(void **state)
{
	struct step_outcome out;
	json_t *s;

	(void)state;
	NEEDS();
	s = spec(PLAN);
	json_put_str(s, "image", garbage_hash);
	boot(s, bench, &out);
	assert_int_equal(out.fail, FAIL_BOOT);
	assert_non_null(strstr(out.why.text, "is not an arm64 image"));
	assert_null(strstr(out.why.text, bed.dir));
	step_outcome_release(&out);
}

static void test_no_qemu(void **state)
{
	char *qemu = bed.conf.board[0].qemu;
	struct step_outcome out = {.fail = FAIL_NONE};
	struct why w;

	(void)state;
	NEEDS();
	bed.conf.board[0].qemu = (char *)"qemu-that-is-not-there";
	assert_int_not_equal(step_boot(bed_job(&bed, spec(PLAN)), &out, &w), OK);
	bed.conf.board[0].qemu = qemu;
	assert_non_null(strstr(w.text, "qemu-that-is-not-there"));
	step_outcome_release(&out);
}

/* What a misbehaving guest is told apart by. */
static const struct {
	const char *plan;
	enum fail_class fail;
	const char *says; /* a part of the sentence */
	int64_t timeout_s;
} guests[] = {
        {"die", FAIL_KERNEL, "Kernel panic - not syncing: Attempted to kill init!", 60},
        {"bug", FAIL_KERNEL, "BUG: Bad page state in process gmain", 60},
        {"silent", FAIL_BOOT, "did not reach foldbench within 5 s", 5},
        {"early-off", FAIL_BOOT, "stopped before foldbench began", 60},
        {"foreign", FAIL_BOOT, "before foldbench began", 60},
        {"hang", FAIL_KERNEL, "in case 1 of 2, fork/order=0,size=16M", 5},
        {"reset", FAIL_KERNEL, "was reset or switched off in case 1 of 2", 60},
        {"failed", FAIL_BENCH, "plan:3: order: expected a number", 60},
        {"whole", FAIL_BENCH, "wrote no result", 60},
};

static void test_misbehaving_guests(void **state)
{
	struct step_outcome out;
	size_t i;

	(void)state;
	NEEDS();
	for (i = 0; i < ARRAY_SIZE(guests); i++) {
		struct buf packed, console;
		char *path;
		json_t *s = spec(guests[i].plan);
		struct why w;

		json_put_int(s, "timeout_s", guests[i].timeout_s);
		boot(s, guest, &out);
		if (out.fail != guests[i].fail || !strstr(out.why.text, guests[i].says))
			fail_msg("%s: %s: %s", guests[i].plan, fail_class_name(out.fail),
			         out.why.text);
		assert_false(json_flag(out.body, "valid", true));
		assert_true(json_is_null(json_object_get(out.body, "result")));
		/* The console is there to be read, whole. */
		assert_int_equal(out.artifacts, 1);
		path = path_join(bed.job_dir, "console.zst");
		buf_init(&packed, 1 << 20);
		buf_init(&console, 1 << 24);
		assert_int_equal(file_read(path, &packed, &w), OK);
		assert_int_equal(zst_unpack(packed.data, packed.len, &console, &w), OK);
		assert_int_equal(console.len, json_int(out.body, "console_bytes", -1));
		assert_non_null(strstr(console.data, "Linux version "));
		buf_release(&packed);
		buf_release(&console);
		free(path);
		step_outcome_release(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_measures),           cmocka_unit_test(test_other_kernel),
	        cmocka_unit_test(test_fast_board),         cmocka_unit_test(test_profiled),
	        cmocka_unit_test(test_no_image),           cmocka_unit_test(test_no_qemu),
	        cmocka_unit_test(test_misbehaving_guests),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
