#include "lib/scan.h"

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/test/mutate.h"
#include "lib/test/scan_excerpts.h"

#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REAL_LOG "lib/test/logs/arm64-6.12-no-init.log"

static struct scan *scan_bytes(const char *log, size_t len)
{
	struct scan *s = scan_new(0);

	scan_feed(s, log, len);
	scan_end(s);
	return s;
}

static struct scan *scan_text(const char *log)
{
	return scan_bytes(log, strlen(log));
}

static void print_faults(const struct scan *s)
{
	for (size_t i = 0; i < scan_count(s); i++) {
		const struct fault *f = scan_fault(s, i);

		print_error("  line %zu %s in %s%s: %s\n", f->line, f->kind,
		            f->function ? f->function : "-", f->fatal ? " fatal" : "", f->text);
	}
}

static void expect(const char *log, const struct expected_fault *faults, size_t room)
{
	struct scan *s = scan_text(log);
	size_t n = 0;
	bool fatal = false, same;

	while (n < room && faults[n].kind) {
		const struct fault *f = scan_fault(s, n);

		same = f && str_eq(f->kind, faults[n].kind) &&
		       str_eq(f->function, faults[n].function) &&
		       str_starts(f->text, faults[n].text) && f->fatal == faults[n].fatal;
		if (!same) {
			print_faults(s);
			fail_msg("fault %zu is not %s in %s: %s", n, faults[n].kind,
			         faults[n].function ? faults[n].function : "-", faults[n].text);
		}
		fatal = fatal || faults[n].fatal;
		n++;
	}
	if (scan_total(s) != n || scan_count(s) != n) {
		print_faults(s);
		fail_msg("%zu faults where %zu were expected", scan_total(s), n);
	}
	assert_int_equal(scan_fatal(s), fatal);
	scan_free(s);
}

/* The log with something before and after each of its lines. `stamp` has a
 * %zu for the line's number. */
static char *dressed(const char *log, const char *before, const char *after)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	while (*log) {
		size_t n = strcspn(log, "\n");

		buf_adds(&b, before);
		buf_add(&b, log, n);
		buf_adds(&b, after);
		buf_addc(&b, '\n');
		log += n + (log[n] == '\n');
	}
	return buf_take(&b, NULL);
}

static void an_excerpt(void **state)
{
	static const char *const before[] = {
	        "[    0.000000] ",
	        "<4>[    0.000000] ",
	        "[    0.000000][    T1] ",
	        "[    0.000000][   C0] ",
	        "<6>",
	        "kern  :warn  : [    0.000000] ",
	        "Nov 22 10:03:01 board kernel: [    0.000000] ",
	        "Nov  2 10:03:01 board kernel: ",
	        "2025-11-22T10:03:01.123456+00:00 board kernel: ",
	        "Nov 22 10:03:01 kernel: ",
	        "[Sat Nov 22 10:03:01 2025] ",
	        "\033[32m[    0.000000] \033[0m\033[33m",
	};
	const struct excerpt *x = *state;
	char *log;

	expect(x->log, x->faults, ARRAY_SIZE(x->faults));
	log = dressed(x->log, "", "\r");
	expect(log, x->faults, ARRAY_SIZE(x->faults));
	free(log);
	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		log = dressed(x->log, before[i], i % 2 ? "" : " \r");
		expect(log, x->faults, ARRAY_SIZE(x->faults));
		free(log);
	}
	/* between the lines of a healthy boot, and without the last newline */
	log = xasprintf("Booting Linux on physical CPU 0x0\nsmp: Brought up 1 node\n%.*s",
	                (int)strlen(x->log) - 1, x->log);
	expect(log, x->faults, ARRAY_SIZE(x->faults));
	free(log);
}

/* A row that no excerpt shows, or a needle that nothing needs, is not tested. */
static void every_pattern_has_an_excerpt(void **state)
{
	size_t rows, count;
	const struct scan_pattern *table = scan_table(&rows);
	const struct excerpt *excerpts = scan_excerpts(&count);

	(void)state;
	for (size_t r = 0; r < rows; r++) {
		const char *needle = table[r].needles;
		size_t n;
		regex_t re;

		assert_int_equal(regcomp(&re, table[r].pattern, REG_EXTENDED | REG_NOSUB), 0);
		assert_true(*table[r].help && *needle);
		for (; table[r].kind && *needle; needle += n + (needle[n] == '|')) {
			bool shown = false;

			n = strcspn(needle, "|");
			for (size_t i = 0; i < count && !shown; i++) {
				const char *at = excerpts[i].log;

				for (; *at && !shown; at += strcspn(at, "\n") + 1) {
					char *line = xstrndup(at, strcspn(at, "\n"));

					shown = memmem(line, strlen(line), needle, n) &&
					        !regexec(&re, line, 0, NULL, 0);
					free(line);
				}
			}
			if (!shown)
				fail_msg("no excerpt shows \"%.*s\" of %s", (int)n, needle,
				         table[r].kind);
		}
		regfree(&re);
	}
}

static void healthy_lines_are_no_faults(void **state)
{
	static const char *const healthy[] = {
	        "Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks "
	        "possible",
	        "RETBleed: WARNING: Spectre v2 mitigation leaves CPU vulnerable to RETBleed "
	        "attacks",
	        "WARNING: x1-x3 nonzero in violation of boot protocol:",
	        "workqueue: WARNING: Flushing system-wide workqueues will be prohibited in near "
	        "future.",
	        "WARNING: 'bootconfig' found on the kernel command line but CONFIG_BOOT_CONFIG is "
	        "not",
	        "WARNING: at least one of the disks is missing",
	        "DEBUG: page allocator is up",
	        "vmscan DEBUG: nothing",
	        "MYDEBUG: BUGS: none",
	        "BUG: MAX_LOCKDEP_CHAIN_HLOCKS too low!",
	        "BUG: MAX_STACK_TRACE_ENTRIES too low!",
	        "BUG: MAX_LOCKDEP_ENTRIES too low!",
	        "BUG: MAX_LOCK_DEPTH too low!",
	        "INFO: lockdep is turned off.",
	        "ODEBUG: selftest passed",
	        "ODEBUG: 17 of 17 active objects replaced",
	        "ODEBUG: Out of memory. ODEBUG disabled",
	        "INFO: Allocated in foo+0x1/0x2 age=3 cpu=0 pid=1",
	        "ata1: SError: { PHYRdyChg CommWake }",
	        "traps: a.out[1234] general protection fault ip:401126 sp:7ffe2 error:0 in "
	        "a.out[401000]",
	        "traps: a.out[1234] trap divide error ip:401126 sp:7ffe2 error:0 in a.out[401000]",
	        "fork[77]: segfault at 0 ip 0000000000401136 sp 00007ffe error 6 in "
	        "fork[401000+1000]",
	        "fork[77]: unhandled exception: DABT (lower EL), ESR 0x0000000092000006",
	        "[Firmware Bug]: TSC doesn't count with P0 frequency!",
	        "ACPI: [Firmware Bug]: BIOS _OSI(Linux) query ignored",
	        "MTRR WARNING: BIOS bug: VAR MTRR 0 contains strange UC entry under 1M",
	        "XFS (sda1): Internal error XFS_WANT_CORRUPTED_GOTO at line 1",
	        "Kernel command line: panic=-1 oops=panic softlockup_panic=1 hung_task_panic=1",
	        "kfence: initialized - using 2097152 bytes for 255 objects",
	        "kasan: KernelAddressSanitizer initialized (generic)",
	        "UBSAN is not here",
	        "kmemleak: Kernel memory leak detector initialized (mem pool available: 15679)",
	        "kmemleak: 0 leaks",
	        "rcu: \tRCU lockdep checking is enabled.",
	        "rcu: INFO: Stall ended before state dump start",
	        "Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar",
	        "perf: interrupt took too long (2501 > 2500), lowering sample rate to 79000",
	        "clocksource: timekeeping watchdog on CPU1: Marking clocksource 'tsc' as unstable",
	        "cacheinfo: Unable to detect cache hierarchy for CPU 0",
	        "cma: cma_alloc: linux,cma: alloc failed, req-size: 2 pages, ret: -12",
	        "arm-smmu-v3 9050000.smmuv3: no priq irq - PRI will be broken",
	        "EDAC MC: Ver: 3.0.0",
	        "Freeing unused kernel memory: 448K",
	        "random: crng init done",
	        "systemd[1]: Started Oops collector.",
	        "oops_may_print()",
	        "debug: BUGGY hardware (Tainted): no",
	        "Linux versions are many",
	        "not a Linux version 6.12 banner",
	        "oom_reaper: reaped process 99 (mremap), now anon-rss:0kB, file-rss:0kB",
	        "pc : f+0x1/0x2",
	        "RIP: 0010:f+0x1/0x2",
	        "------------[ ftrace ]------------",
	        "page: refcount:1 mapcount:0 mapping:0000000000000000 index:0x0 pfn:0x1",
	        "",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(healthy); i++) {
		char *log = dressed(healthy[i], "[    1.000000] ", "\r");

		expect(healthy[i], NULL, 0);
		expect(log, NULL, 0);
		free(log);
	}
	expect("", NULL, 0);
	expect("\n\n\n", NULL, 0);
}

static void a_real_boot(void **state)
{
	struct scan *s;
	struct buf b;
	struct why w;
	char *panic;

	(void)state;
	buf_init(&b, 1 << 20);
	if (file_read(REAL_LOG, &b, &w))
		fail_msg("%s (tests are run from the top of the tree)", w.text);
	s = scan_bytes(b.data, b.len);
	assert_int_equal(scan_total(s), 1);
	assert_string_equal(scan_fault(s, 0)->kind, "panic");
	assert_int_equal(scan_fault(s, 0)->line, 92);
	assert_true(str_starts(scan_fault(s, 0)->text,
	                       "Kernel panic - not syncing: No working init found."));
	assert_true(str_ends(scan_fault(s, 0)->text, "init.rst for guidance."));
	assert_true(scan_fatal(s));
	scan_free(s);
	/* and up to there nothing */
	panic = strstr(b.data, "Kernel panic");
	assert_non_null(panic);
	*panic = '\0';
	expect(b.data, NULL, 0);
	buf_release(&b);
}

static void other_programs_in_a_syslog_are_not_the_kernel(void **state)
{
	struct buf b;

	(void)state;
	expect("Nov 22 10:03:01 board fork[77]: BUG: Bad page state in process x\n"
	       "Nov 22 10:03:01 board sudo: Oops: x\n"
	       "2025-11-22T10:03:01+00:00 board app[1]: Kernel panic - not syncing\n",
	       NULL, 0);
	/* a recorder of a serial line that writes the time only */
	expect("Nov 22 10:03:01 [    0.278000] BUG: Bad page state in process x\n",
	       (const struct expected_fault[]){{"bad-page", NULL, "BUG: Bad page state", 0}}, 1);
	/* also far behind the beginning of its line */
	buf_init(&b, 1 << 20);
	buf_adds(&b, "Nov 22 10:03:01 board app[1]: ");
	for (int i = 0; i < 1000; i++)
		buf_adds(&b, "words and words ");
	buf_adds(&b, "BUG: Bad page state\nBUG: Bad page map in process x\n");
	expect(b.data, (const struct expected_fault[]){{"bad-map", NULL, "BUG: Bad page map", 0}},
	       1);
	buf_release(&b);
}

static void banners(void **state)
{
	static const char twice[] = "[    0.000000] Linux version 6.12\n[    0.000000] x\n"
	                            "[    0.000000] Linux version 6.12\n";
	static const char printed[] = "[    0.000000] Linux version 6.12\n"
	                              "Linux version 6.12 (from /proc/version)\n"
	                              "[    3.100000] Linux version 6.12 said late\n";
	static const char late[] = "U-Boot 2023\n[    0.000000] Linux version 6.12\n";
	struct scan *s;

	(void)state;
	expect(twice, (const struct expected_fault[]){{"reboot", NULL, "Linux version", 0}}, 1);
	expect(printed, NULL, 0);
	expect(late, NULL, 0);
	s = scan_new(SCAN_BANNER_OK);
	scan_feed(s, twice, strlen(twice));
	scan_end(s);
	assert_int_equal(scan_total(s), 0);
	scan_free(s);
	/* what was open before the reset is closed by it */
	expect("------------[ cut here ]------------\nLinux version 1\nLinux version 1\n"
	       "---[ end trace 0 ]---\n",
	       (const struct expected_fault[]){{"warning", NULL, "-----", 0},
	                                       {"reboot", NULL, "Linux", 0},
	                                       {"warning", NULL, "---[ end trace", 0}},
	       3);
}

static void strange_bytes(void **state)
{
	static const char nul[] = "\0\0\0\0[    0.278000] BUG: Bad page state\0in process x\n"
	                          "a\0b\n\0WARNING: CPU: 0 PID: 1 at a.c:1\n";
	static const char latin[] = "\xff\xfe\x80 BUG: Bad page state in \xe9process\n";
	struct scan *s = scan_bytes(nul, sizeof(nul) - 1);

	(void)state;
	assert_int_equal(scan_count(s), 2);
	assert_int_equal(scan_fault(s, 0)->line, 1);
	assert_string_equal(scan_fault(s, 0)->kind, "bad-page");
	assert_true(utf8_valid(scan_fault(s, 0)->text, strlen(scan_fault(s, 0)->text)));
	assert_non_null(strstr(scan_fault(s, 0)->text, "state\xef\xbf\xbdin process x"));
	assert_int_equal(scan_fault(s, 1)->line, 3);
	scan_free(s);
	s = scan_text(latin);
	assert_int_equal(scan_count(s), 1);
	assert_true(utf8_valid(scan_fault(s, 0)->text, strlen(scan_fault(s, 0)->text)));
	scan_free(s);
}

static void endless_lines(void **state)
{
	static const char bug[] = "BUG: Bad page state in process gmain  pfn:1";
	const size_t len = 40000;
	char *line = xmalloc(len + 1);
	struct scan *s;

	(void)state;
	/* at every place around the borders of the pieces, once */
	for (size_t at = 0; at + sizeof(bug) < 3 * SCAN_LINE;
	     at += at % SCAN_LINE > 3700 ? 1 : 37) {
		memset(line, 'x', len);
		line[len] = '\0';
		memcpy(line + at, bug, sizeof(bug) - 1);
		if (at)
			line[at - 1] = ' ';
		s = scan_text(line);
		if (scan_total(s) != 1 || strcmp(scan_fault(s, 0)->kind, "bad-page") != 0)
			fail_msg("%zu faults with one at byte %zu", scan_total(s), at);
		assert_int_equal(scan_fault(s, 0)->line, 1);
		scan_free(s);
	}
	/* the next line is line 2 */
	memset(line, 'x', len);
	line[len - 1] = '\n';
	line[len] = '\0';
	s = scan_new(0);
	scan_feed(s, line, len);
	scan_feed(s, bug, strlen(bug));
	assert_int_equal(scan_count(s), 0); /* not before its end */
	scan_end(s);
	assert_int_equal(scan_count(s), 1);
	assert_int_equal(scan_fault(s, 0)->line, 2);
	scan_free(s);
	free(line);
}

static void keeps_a_thousand_and_counts_all(void **state)
{
	struct scan *s = scan_new(0);
	const struct fault *first = NULL;

	(void)state;
	for (int i = 0; i < 2500; i++) {
		char *line = xasprintf("BUG: Bad page state in process p%d\n", i);

		scan_feed(s, line, strlen(line));
		free(line);
		if (!i)
			first = scan_fault(s, 0);
	}
	scan_feed(s, "Kernel panic - not syncing: x\n", 30);
	scan_end(s);
	assert_int_equal(scan_count(s), 1000);
	assert_int_equal(scan_total(s), 2501);
	assert_true(scan_fatal(s)); /* though it is not kept */
	assert_ptr_equal(scan_fault(s, 0), first);
	assert_string_equal(scan_fault(s, 999)->text, "BUG: Bad page state in process p999");
	assert_null(scan_fault(s, 1000));
	scan_free(s);
	scan_free(NULL);
}

/* ---- splits and damage */

static char *everything(void)
{
	size_t count;
	const struct excerpt *x = scan_excerpts(&count);
	struct buf b;

	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < count; i++)
		buf_addf(&b, "%s[    1.000000] quiet\n", x[i].log);
	return buf_take(&b, NULL);
}

static void assert_same(const struct scan *a, const struct scan *b)
{
	assert_int_equal(scan_total(a), scan_total(b));
	assert_int_equal(scan_count(a), scan_count(b));
	assert_int_equal(scan_fatal(a), scan_fatal(b));
	for (size_t i = 0; i < scan_count(a); i++) {
		const struct fault *x = scan_fault(a, i), *y = scan_fault(b, i);

		assert_int_equal(x->line, y->line);
		assert_string_equal(x->kind, y->kind);
		assert_string_equal(x->text, y->text);
		assert_true(str_eq(x->function, y->function));
		assert_int_equal(x->fatal, y->fatal);
	}
}

static unsigned int next_random(unsigned int *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

static void split_anywhere(const char *log, size_t len, unsigned int *seed)
{
	struct scan *whole = scan_bytes(log, len), *parts = scan_new(0);
	size_t at = 0;

	while (at < len) {
		size_t n = 1 + next_random(seed) % (next_random(seed) % 2 ? 7 : 700);

		if (n > len - at)
			n = len - at;
		scan_feed(parts, log + at, n);
		scan_feed(parts, log, 0);
		at += n;
	}
	scan_end(parts);
	scan_end(parts);
	assert_same(whole, parts);
	scan_free(whole);
	scan_free(parts);
}

static void splitting_changes_nothing(void **state)
{
	char *log = everything();
	size_t len = strlen(log);
	unsigned int seed = 2024;
	struct scan *whole = scan_bytes(log, len), *bytes = scan_new(0);

	(void)state;
	assert_true(scan_count(whole) > 100);
	for (size_t i = 0; i < len; i++)
		scan_feed(bytes, log + i, 1);
	scan_end(bytes);
	assert_same(whole, bytes);
	scan_free(whole);
	scan_free(bytes);
	for (int i = 0; i < 100; i++)
		split_anywhere(log, len, &seed);
	free(log);
}

static unsigned int mutation_seed = 1;

static void try_damaged(const char *data, size_t len)
{
	struct scan *s = scan_bytes(data, len);

	assert_true(scan_total(s) >= scan_count(s));
	for (size_t i = 0; i < scan_count(s); i++) {
		const struct fault *f = scan_fault(s, i);

		assert_true(f->line && f->kind && utf8_valid(f->text, strlen(f->text)));
		assert_true(!i || f->line >= scan_fault(s, i - 1)->line);
		assert_true(!f->function || *f->function);
	}
	scan_free(s);
	if (next_random(&mutation_seed) % 8 == 0)
		split_anywhere(data, len, &mutation_seed);
}

static void damaged_logs(void **state)
{
	char *log = everything();

	(void)state;
	mutate(log, strlen(log), 300, try_damaged);
	free(log);
}

int main(void)
{
	const struct CMUnitTest others[] = {
	        cmocka_unit_test(every_pattern_has_an_excerpt),
	        cmocka_unit_test(healthy_lines_are_no_faults),
	        cmocka_unit_test(a_real_boot),
	        cmocka_unit_test(other_programs_in_a_syslog_are_not_the_kernel),
	        cmocka_unit_test(banners),
	        cmocka_unit_test(strange_bytes),
	        cmocka_unit_test(endless_lines),
	        cmocka_unit_test(keeps_a_thousand_and_counts_all),
	        cmocka_unit_test(splitting_changes_nothing),
	        cmocka_unit_test(damaged_logs),
	};
	struct CMUnitTest tests[200];
	size_t count;
	const struct excerpt *x = scan_excerpts(&count);

	assert_true(count + ARRAY_SIZE(others) <= ARRAY_SIZE(tests));
	for (size_t i = 0; i < count; i++)
		tests[i] = (struct CMUnitTest){
		        .name = x[i].name, .test_func = an_excerpt, .initial_state = (void *)&x[i]};
	memcpy(tests + count, others, sizeof(others));
	/* cmocka's macro would count the array, not what is in it */
	return _cmocka_run_group_tests("scan", tests, count + ARRAY_SIZE(others), NULL, NULL);
}
