/*
 * Boots of a kernel that really misbehaves, through the step, as the agent runs
 * them: what is in its log is found and rightly named, and no boot is valid.
 *
 *     FOLDWATCH_TEST_FAULTS=FILE       the Image of contpte-y-checks with
 *                                      tests/kernel/faults.patch
 *     FOLDWATCH_TEST_FOLDBENCH=FILE    static arm64 foldbench; build/foldbench-arm64
 *     FOLDWATCH_TEST_LOGS=DIR          keep each console there, as KIND.log
 *     FOLDWATCH_TEST_ONLY=KIND         one kind alone
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

#define NONCE    "0123456789abcdef"
#define PLAN     "fork/order=0,size=16M runs=1 iterations=2 warmup=1\n"
/* Watchdogs that bite after seconds, not minutes, and one at a time. */
#define QUICK    "watchdog_thresh=1 "
#define NO_STALL "rcupdate.rcu_cpu_stall_suppress=1 "

static const struct kind {
	const char *name;  /* foldwatch_fault= */
	const char *words; /* further words of the command line */
	const char *found; /* kind of a fault in the log; NULL: the log has none */
	const char *says;  /* a part of the sentence */
} kinds[] = {
        {"warn", "", "warning", "WARNING: CPU: 0 PID: "},
        {"bug", "", "bug", "kernel BUG at "},
        {"oops", "", "oops", "Unable to handle kernel NULL pointer dereference"},
        {"wild", "", "oops", "Unable to handle kernel paging request"},
        {"panic", "", "panic", "Kernel panic - not syncing: foldwatch: a panic"},
        {"ubsan", "", "ubsan", "UBSAN: shift-out-of-bounds in "},
        {"spin", QUICK NO_STALL, "soft-lockup", "BUG: soft lockup - CPU#"},
        {"spin", "nosoftlockup rcupdate.rcu_cpu_stall_timeout=3 ", "rcu-stall", "INFO: rcu_sched "},
        {"hung", "", "hung-task", "INFO: task faulty:"},
        {"workqueue", "nosoftlockup workqueue.watchdog_thresh=1 " NO_STALL, "workqueue-lockup",
         "BUG: workqueue lockup - pool"},
        {"sleep", "", "atomic-sleep", "BUG: sleeping function called from invalid context"},
        {"schedule", "", "atomic-sleep", "BUG: scheduling while atomic: faulty/"},
        {"circular", "", "lockdep", "WARNING: possible circular locking dependency detected"},
        {"recursive", "", "lockdep", "WARNING: possible recursive locking detected"},
        {"inconsistent", "", "lockdep", "WARNING: inconsistent lock state"},
        {"rcu", "", "rcu-usage", "WARNING: suspicious RCU usage"},
        {"badpage", "", "bad-page", "BUG: Bad page state in process faulty"},
        {"refcount", "", "bug", "include/linux/mm.h:"},
        {"list", "", "list-corruption", "list_del corruption. "},
        {"redzone", "", "slub", "BUG foldwatch_victim ("},
        {"slab-leak", "", "slub", "BUG foldwatch_leak ("},
        {"leak", "kmemleak.verbose=1 ", "leak", "unreferenced object 0x"},
        {"alloc", "", "alloc-failure", "page allocation failure: order:10"},
        {"oom", "", "oom", "invoked oom-killer"},
        {"kfence", "kfence.sample_interval=10 ", "kfence",
         "BUG: KFENCE: use-after-free read in fault_kfence"},
        {"rss", "", "rss-counter", "BUG: Bad rss-counter state"},
        {"tables", "", "rss-counter", "BUG: non-zero pgtables_bytes"},
        {"badmap", "", "bad-map", "BUG: Bad page map in process "},
        {"flood", "", "log-lost", "printk messages dropped"},
        /* Nothing of these is in the log. */
        {"taint", "", NULL, "tainted (B) while it was measured"},
        {"poweroff", "", NULL, "the machine was reset or switched off in case 1 of 1"},
        {"reboot", "", NULL, "the machine was reset or switched off in case 1 of 1"},
};

/* Seconds of a busy CPU are minutes where instructions are counted: those are
 * booted on the board with threads. */
static bool spins(const struct kind *k)
{
	return str_eq(k->name, "spin") || str_eq(k->name, "workqueue");
}

static struct step_bed bed;
static char image_hash[SHA256_HEX];
static struct image facts;
static char *bench;

static const char *missing(void)
{
	if (!getenv("FOLDWATCH_TEST_FAULTS"))
		return "FOLDWATCH_TEST_FAULTS is not set";
	return geteuid() ? NULL : "boots are not tried as root";
}

static void put_image(const char *path)
{
	char *dir, *to;
	struct why w;

	assert_int_equal(hash_file(path, image_hash, NULL, &w), OK);
	assert_int_equal(image_probe(path, &facts, &w), OK);
	dir = xasprintf("%s/images/%s", bed.dir, image_hash);
	to = path_join(dir, "Image");
	assert_int_equal(dir_make(dir, 0700, &w), OK);
	assert_int_equal(file_copy(path, to, &w), OK);
	free(to);
	free(dir);
}

static int setup(void **state)
{
	const char *given = getenv("FOLDWATCH_TEST_FOLDBENCH");

	(void)state;
	if (missing())
		return 0;
	bed_init(&bed, NULL, NULL);
	bed.conf.boards = 2;
	bed.conf.board[0] = (struct board_conf){.name = "qemu-det",
	                                        .kind = BOARD_QEMU,
	                                        .profile = PROFILE_DETERMINISTIC,
	                                        .qemu = path_join(bed.dir, "qemu-faulty")};
	bed.conf.board[1] = (struct board_conf){.name = "qemu-fast",
	                                        .kind = BOARD_QEMU,
	                                        .profile = PROFILE_FAST,
	                                        .qemu = path_join(bed.dir, "qemu-faulty")};
	put_image(getenv("FOLDWATCH_TEST_FAULTS"));
	bench = realpath(given ? given : "build/foldbench-arm64", NULL);
	assert_non_null(bench);
	bed.conf.foldbench = bench;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (missing())
		return 0;
	free(bed.conf.board[0].qemu);
	free(bed.conf.board[1].qemu);
	free(bench);
	bed_release(&bed);
	return 0;
}

/* A job has no word for the kernel's command line: QEMU is called by a script
 * that adds some to it. */
static void put_qemu(const struct kind *k)
{
	char *script =
	        xasprintf("#!/bin/sh\n"
	                  "n=$#\n"
	                  "while [ $n -gt 0 ]; do\n"
	                  "\tword=$1\n"
	                  "\tshift\n"
	                  "\t[ \"${last-}\" != -append ] || word=\"$word %sfoldwatch_fault=%s\"\n"
	                  "\tset -- \"$@\" \"$word\"\n"
	                  "\tlast=$word n=$((n - 1))\n"
	                  "done\n"
	                  "exec qemu-system-aarch64 \"$@\"\n",
	                  k->words, k->name);
	struct why w;

	unlink(bed.conf.board[0].qemu);
	assert_int_equal(file_write(bed.conf.board[0].qemu, script, strlen(script), 0700, &w), OK);
	free(script);
}

static json_t *spec(bool fast)
{
	json_t *o = json_object(), *ids = json_array();
	size_t i;

	for (i = 0; i < facts.build_id_count; i++)
		json_array_append_new(ids, json_string(facts.build_id[i]));
	json_put_int(o, "kernel", 1);
	json_put_str(o, "name", "faulty");
	json_put_str(o, "board", fast ? "qemu-fast" : "qemu-det");
	json_put_str(o, "image", image_hash);
	json_put(o, "build_ids", ids);
	json_put_str(o, "nonce", NONCE);
	json_put_str(o, "plan", PLAN);
	json_put_int(o, "phase", 0);
	json_put_int(o, "phase_pages", fast ? 0 : 7);
	json_put_int(o, "replicate", 0);
	json_put_str(o, "metric", fast ? "ns" : "instructions");
	json_put_int(o, "memory_bytes", INT64_C(1) << 30);
	json_put_bool(o, "health", false);
	json_put_int(o, "timeout_s", 900);
	return o;
}

static void keep_console(const struct kind *k)
{
	const char *dir = getenv("FOLDWATCH_TEST_LOGS");
	char *from = path_join(bed.job_dir, "console.zst");
	char *to =
	        dir ? xasprintf("%s/%s-%s.log", dir, k->name, k->found ? k->found : "none") : NULL;
	struct buf packed, console;
	struct why w;

	buf_init(&packed, 16 << 20);
	buf_init(&console, 64 << 20);
	if (to) {
		assert_int_equal(file_read(from, &packed, &w), OK);
		assert_int_equal(zst_unpack(packed.data, packed.len, &console, &w), OK);
		assert_int_equal(file_write(to, console.data, console.len, 0644, &w), OK);
	}
	buf_release(&packed);
	buf_release(&console);
	free(to);
	free(from);
}

static bool has_kind(const json_t *faults, const char *kind)
{
	size_t i;

	for (i = 0; i < json_array_size(faults); i++)
		if (str_eq(json_str(json_array_get(faults, i), "kind", ""), kind))
			return true;
	return false;
}

static void a_fault(void **state)
{
	const struct kind *k = *state;
	struct step_outcome out = {.fail = FAIL_NONE};
	int64_t before = clock_mono_ns();
	const char *only = getenv("FOLDWATCH_TEST_ONLY");
	struct why w = {""};
	json_t *faults;

	if (missing() || (only && !str_eq(only, k->name))) {
		print_message("skipped: %s\n", missing() ? missing() : "another was asked for");
		skip();
	}
	put_qemu(k);
	if (step_boot(bed_job(&bed, spec(spins(k))), &out, &w) != OK)
		fail_msg("%s", w.text);
	fprintf(stderr, "%6.1f s  %-12s %-6s %s\n", (double)(clock_mono_ns() - before) / NS_PER_S,
	        k->name, fail_class_name(out.fail), out.why.text);
	keep_console(k);
	assert_int_equal(out.fail, FAIL_KERNEL);
	assert_false(json_flag(out.body, "valid", true));
	assert_non_null(strstr(out.why.text, k->says));
	faults = json_object_get(out.body, "faults");
	if (k->found && !has_kind(faults, k->found))
		fail_msg("no fault of the log is a %s", k->found);
	if (!k->found)
		assert_int_equal(json_array_size(faults), 0);
	step_outcome_release(&out);
}

/* The same kernel, left in peace: none of its checks finds anything. */
static void no_fault(void **state)
{
	static const struct kind none = {"", "", NULL, ""};
	struct step_outcome out = {.fail = FAIL_NONE};
	struct why w = {""};

	(void)state;
	if (missing() || getenv("FOLDWATCH_TEST_ONLY")) {
		print_message("skipped: %s\n", missing() ? missing() : "another was asked for");
		skip();
	}
	put_qemu(&none);
	if (step_boot(bed_job(&bed, spec(false)), &out, &w) != OK)
		fail_msg("%s", w.text);
	keep_console(&none);
	if (out.fail != FAIL_NONE)
		fail_msg("%s: %s", fail_class_name(out.fail), out.why.text);
	assert_true(json_flag(out.body, "valid", false));
	step_outcome_release(&out);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(kinds) + 1] = {cmocka_unit_test(no_fault)};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		tests[i + 1] = (struct CMUnitTest){
		        .name = kinds[i].found && i > 0 && str_eq(kinds[i].name, kinds[i - 1].name)
		                        ? kinds[i].found
		                        : kinds[i].name,
		        .test_func = a_fault,
		        .initial_state = (void *)&kinds[i]};
	return cmocka_run_group_tests(tests, setup, teardown);
}
