#include "agent/console.h"

#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NONCE "0123456789abcdef"

/* As a PL011 gives it: lines end in "\r\n"; the kernel may print in front of init. */
static const char good[] =
        "[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x413fd0c1]\r\n"
        "[    0.000000] Linux version 6.12.117 (foldwatch@foldwatch) #1 SMP\r\n"
        "[    0.017856] Run /init as init process\r\n"
        "foldbench: begin nonce=" NONCE "\r\n"
        "foldbench: case 1/2 fork/order=0,size=16M\r\n"
        "[    0.400000] foldbench: case 2/2 munmap/order=9,size=256M\r\n"
        "foldbench: end nonce=" NONCE " runs=4\r\n"
        "[    1.300000] reboot: Power down\r\n";

static const char bad_page[] =
        "[    0.000000] Linux version 6.12.117 (foldwatch@foldwatch) #1 SMP\r\n"
        "foldbench: begin nonce=" NONCE "\r\n"
        "foldbench: case 1/1 fork/order=0,size=16M\r\n"
        "[    0.278000] BUG: Bad page state in process gmain  pfn:12a094\r\n"
        "[    0.278100] page: refcount:0 mapcount:1 mapping:0000000000000000 index:0x0\r\n"
        "foldbench: end nonce=" NONCE " runs=1\r\n";

static const char oops[] =
        "[    0.000000] Linux version 6.12.117 (foldwatch@foldwatch) #1 SMP\r\n"
        "foldbench: begin nonce=" NONCE "\r\n"
        "[    0.500000] Unable to handle kernel NULL pointer dereference at virtual address "
        "0000000000000010\r\n"
        "[    0.500100] Internal error: Oops: 0000000096000004 [#1] SMP\r\n"
        "[    0.500900] Kernel panic - not syncing: Oops: Fatal exception\r\n";

static const char reboot[] =
        "[    0.000000] Linux version 6.12.117 (foldwatch@foldwatch) #1 SMP\r\n"
        "foldbench: begin nonce=" NONCE "\r\n"
        "[    0.000000] Linux version 6.12.117 (foldwatch@foldwatch) #1 SMP\r\n";

static void feed(struct console *c, const char *text, size_t len, size_t step)
{
	size_t at;

	console_init(c, NONCE);
	for (at = 0; at < len; at += step)
		console_feed(c, text + at, len - at < step ? len - at : step);
	console_end(c);
}

static void test_good_split_anywhere(void **state)
{
	struct console c;
	size_t step;

	(void)state;
	for (step = 1; step <= sizeof(good); step += step < 40 ? 1 : 97) {
		feed(&c, good, sizeof(good) - 1, step);
		assert_true(c.began);
		assert_true(c.ended);
		assert_false(c.foreign);
		assert_int_equal(c.case_number, 2);
		assert_int_equal(c.cases, 2);
		assert_string_equal(c.case_text, "munmap/order=9,size=256M");
		assert_string_equal(c.failed, "");
		assert_string_equal(c.last[CONSOLE_LAST - 1], "[    1.300000] reboot: Power down");
		assert_int_equal(c.bytes, sizeof(good) - 1);
		assert_int_equal(scan_count(c.scan), 0);
		console_release(&c);
	}
}

static void test_faults(void **state)
{
	struct console c;

	(void)state;
	feed(&c, bad_page, sizeof(bad_page) - 1, 7);
	assert_int_equal(scan_count(c.scan), 1);
	assert_int_equal(scan_fault(c.scan, 0)->line, 4);
	assert_false(scan_fatal(c.scan));
	assert_true(c.ended);
	console_release(&c);
	feed(&c, oops, sizeof(oops) - 1, 11);
	assert_true(scan_count(c.scan) >= 1);
	assert_true(scan_fatal(c.scan));
	assert_false(c.ended);
	console_release(&c);
	feed(&c, reboot, sizeof(reboot) - 1, 13);
	assert_int_equal(scan_count(c.scan), 1);
	console_release(&c);
}

static void test_nonce(void **state)
{
	static const char *const foreign[] = {"foldbench: begin nonce=fedcba9876543210\n",
	                                      "foldbench: begin nonce=" NONCE "0\n",
	                                      "foldbench: begin nonce=\n", "foldbench: begin \n",
	                                      "foldbench: begin nonce=0123456789abcde\n"};
	struct console c;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(foreign); i++) {
		feed(&c, foreign[i], strlen(foreign[i]), 1000);
		assert_false(c.began);
		assert_true(c.foreign);
		console_release(&c);
	}
}

static void test_failed_and_odd_lines(void **state)
{
	static const char text[] = "foldbench: failed: plan:3: order: expected \xff\x01 a number\n"
	                           "foldbench: failed: a later one\n"
	                           "foldbench: case 9/3 x\nfoldbench: case /3 x\n"
	                           "foldbench: case 1/\nfoldbench: case 2/3 y";
	struct console c;

	(void)state;
	feed(&c, text, sizeof(text) - 1, 3);
	assert_string_equal(c.failed, "plan:3: order: expected \xef\xbf\xbd\xef\xbf\xbd a number");
	/* The last line has no newline. */
	assert_int_equal(c.case_number, 2);
	assert_string_equal(c.case_text, "y");
	console_release(&c);
}

static void test_endless_line_and_nothing(void **state)
{
	struct buf words;
	struct console c;
	char block[4096];
	int i;

	(void)state;
	buf_init(&words, 4096);
	console_init(&c, NONCE);
	console_end(&c);
	console_last_words(&c, &words);
	assert_string_equal(words.data, "its console is empty");
	console_release(&c);

	memset(block, 0, sizeof(block));
	console_init(&c, NONCE);
	for (i = 0; i < 256; i++)
		console_feed(&c, block, sizeof(block));
	console_feed(&c, "\nfoldbench: begin nonce=" NONCE "\n", 41);
	console_end(&c);
	assert_true(c.began);
	assert_int_equal(c.bytes, 256 * 4096 + 41);
	buf_reset(&words);
	console_last_words(&c, &words);
	assert_true(words.len < 1000);
	console_release(&c);
	buf_release(&words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_good_split_anywhere),
	        cmocka_unit_test(test_faults),
	        cmocka_unit_test(test_nonce),
	        cmocka_unit_test(test_failed_and_odd_lines),
	        cmocka_unit_test(test_endless_line_and_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
