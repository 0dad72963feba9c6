#include "agent/boot.h"

#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NONCE  "0123456789abcdef"
#define BANNER "[    0.000000] Linux version 6.12.117 (a@b) #1 SMP\n"
#define BEGIN  "foldbench: begin nonce=" NONCE "\n"
#define CASE   "foldbench: case 3/7 fork/order=9,size=256M\n"
#define END    "foldbench: end nonce=" NONCE " runs=7\n"
#define WARN   "[    1.000000] WARNING: CPU: 2 PID: 1 at include/linux/rmap.h:208 f+0x1/0x2\n"

static const struct {
	const char *console;
	enum boot_end end;
	enum result_state result;
	int64_t taint_before, taint_after;
	enum fail_class want;
	const char *says;
} cases[] = {
        {BANNER BEGIN CASE END, BOOT_OFF, RESULT_PROVED, 0, 0, FAIL_NONE, ""},
        /* It said its end; that the power stayed on is not the numbers' fault. */
        {BANNER BEGIN CASE END, BOOT_LINGERED, RESULT_PROVED, 0, 0, FAIL_NONE, ""},
        {BANNER BEGIN CASE END, BOOT_DIED, RESULT_PROVED, 0, 0, FAIL_NONE, ""},
        /* A fault anywhere voids numbers that are whole. */
        {BANNER WARN BEGIN CASE END, BOOT_OFF, RESULT_PROVED, 0, 0, FAIL_KERNEL,
         "line 2 of the kernel's log: \"WARNING: CPU: 2 PID: 1 at include/linux/rmap.h:208"},
        {BANNER BEGIN CASE END WARN, BOOT_OFF, RESULT_PROVED, 0, 0, FAIL_KERNEL, "line 5"},
        {BANNER BEGIN CASE END BANNER, BOOT_OFF, RESULT_PROVED, 0, 0, FAIL_KERNEL, "line 5"},
        /* What was lost of the log may have been a fault. */
        {BANNER BEGIN "** 5 printk messages dropped **\n" CASE END, BOOT_OFF, RESULT_PROVED, 0, 0,
         FAIL_KERNEL, "line 3 of the kernel's log: \"** 5 printk messages dropped **\""},
        {BANNER BEGIN CASE END, BOOT_OFF, RESULT_PROVED, 0, 512, FAIL_KERNEL,
         "tainted (W) while it was measured"},
        {BANNER BEGIN CASE END, BOOT_OFF, RESULT_PROVED, 32, 32, FAIL_KERNEL,
         "tainted (B) before the first case"},
        {BANNER BEGIN CASE END, BOOT_OFF, RESULT_PROVED, 4097, 4097, FAIL_NONE, ""},
        /* The proof is missing. */
        {BANNER BEGIN CASE END, BOOT_OFF, RESULT_NONE, 0, 0, FAIL_BENCH, "the reason"},
        {BANNER BEGIN CASE END, BOOT_OFF, RESULT_TORN, 0, 0, FAIL_BENCH, "the reason"},
        {BANNER BEGIN CASE END, BOOT_OFF, RESULT_FOREIGN, 0, 0, FAIL_BENCH, "the reason"},
        {BANNER BEGIN CASE END, BOOT_OFF, RESULT_OTHER_KERNEL, 0, 0, FAIL_BOOT, "the reason"},
        {BANNER BEGIN CASE END, BOOT_OFF, RESULT_MALFORMED, 0, 0, FAIL_BENCH, "the reason"},
        /* A whole result does not replace the end on the console. */
        {BANNER BEGIN CASE, BOOT_OFF, RESULT_PROVED, 0, 0, FAIL_KERNEL,
         "was reset or switched off in case 3 of 7, fork/order=9,size=256M"},
        {BANNER BEGIN CASE, BOOT_DEADLINE, RESULT_NONE, 0, 0, FAIL_KERNEL,
         "no end within 600 s: it stands in case 3 of 7"},
        {BANNER BEGIN, BOOT_DEADLINE, RESULT_NONE, 0, 0, FAIL_KERNEL, "before its first case"},
        {BANNER BEGIN CASE, BOOT_FLOOD, RESULT_NONE, 0, 0, FAIL_KERNEL, "grew without end"},
        {BANNER, BOOT_DEADLINE, RESULT_NONE, 0, 0, FAIL_BOOT,
         "did not reach foldbench within 600 s; its last lines: \"[    0.000000] Linux"},
        {"", BOOT_DEADLINE, RESULT_NONE, 0, 0, FAIL_BOOT, "its console is empty"},
        {"", BOOT_OFF, RESULT_NONE, 0, 0, FAIL_BOOT, "stopped before foldbench began"},
        {BANNER, BOOT_FLOOD, RESULT_NONE, 0, 0, FAIL_BOOT, "filled its console"},
        {BANNER BEGIN "foldbench: failed: /proc/cmdline: none\n", BOOT_OFF, RESULT_NONE, 0, 0,
         FAIL_BENCH, "foldbench: /proc/cmdline: none"},
        {BANNER BEGIN "[    1.0] Kernel panic - not syncing: x\n", BOOT_FATAL, RESULT_NONE, 0, 0,
         FAIL_KERNEL, "Kernel panic - not syncing: x"},
        /* QEMU's own end is this machine's matter. */
        {BANNER BEGIN CASE, BOOT_DIED, RESULT_NONE, 0, 0, FAIL_INFRA, "qemu died"},
        {"", BOOT_DIED, RESULT_NONE, 0, 0, FAIL_INFRA, "qemu died"},
};

static void test_table(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct boot b = {.end = cases[i].end,
		                 .result_state = cases[i].result,
		                 .deadline_s = 600,
		                 .result_why = {"the reason"},
		                 .died = "qemu died"};
		struct why w = {""};
		enum fail_class got;

		b.result.taint_before = cases[i].taint_before;
		b.result.taint_after = cases[i].taint_after;
		console_init(&b.console, NONCE);
		console_feed(&b.console, cases[i].console, strlen(cases[i].console));
		console_end(&b.console);
		got = boot_verdict(&b, &w);
		if (got != cases[i].want || !strstr(w.text, cases[i].says))
			fail_msg("%zu: %s: %s", i, fail_class_name(got), w.text);
		if (got != FAIL_NONE)
			assert_true(w.text[0]);
		console_release(&b.console);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
