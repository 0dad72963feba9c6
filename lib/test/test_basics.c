/* mem.h, buf.h, clock.h and log.h: small, and under everything. */
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/test/tmpdir.h"

static void copies_strings(void **state)
{
	char *s = xstrndup("abcdef", 3);

	(void)state;
	assert_string_equal(s, "abc");
	free(s);
	s = xstrndup("ab", 30);
	assert_string_equal(s, "ab");
	free(s);
	s = xasprintf("%s-%d", "x", 7);
	assert_string_equal(s, "x-7");
	free(s);
	s = xcalloc(0, 8);
	assert_non_null(s);
	free(s);
	s = xmalloc(0);
	assert_non_null(s);
	free(s);
	assert_true(str_eq(NULL, NULL));
	assert_false(str_eq(NULL, ""));
	assert_false(str_eq("", NULL));
	assert_true(str_eq("a", "a"));
	assert_true(str_starts("abc", "ab"));
	assert_true(str_starts("abc", ""));
	assert_false(str_starts("ab", "abc"));
	assert_true(str_ends("abc", "bc"));
	assert_false(str_ends("bc", "abc"));
}

static void overflow(void *arg)
{
	signal(SIGABRT, SIG_DFL);
	free(xreallocarray(NULL, SIZE_MAX / 2, *(size_t *)arg));
}

static void refuses_products_that_overflow(void **state)
{
	size_t size = 4;
	char err[8192];
	int status = in_child(overflow, &size, err, sizeof(err));

	(void)state;
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
}

static void grows_up_to_its_maximum(void **state)
{
	struct buf b;
	size_t len;
	char *s;

	(void)state;
	buf_init(&b, 1000);
	assert_string_equal(b.data, "");
	assert_true(buf_add(&b, NULL, 0));
	for (int i = 0; i < 250; i++)
		assert_true(buf_addf(&b, "%04d", i));
	assert_int_equal(b.len, 1000);
	assert_false(b.full);
	assert_false(buf_addc(&b, 'x'));
	assert_true(b.full);
	assert_false(buf_addf(&b, "%s", "x"));
	assert_int_equal(b.len, 1000);
	assert_memory_equal(b.data + 996, "0249", 5);
	buf_drop(&b, 992);
	assert_string_equal(b.data, "02480249");
	assert_true(b.full);
	assert_true(buf_adds(&b, "!"));
	s = buf_take(&b, &len);
	assert_string_equal(s, "02480249!");
	assert_int_equal(len, 9);
	free(s);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	s = buf_take(&b, NULL);
	assert_string_equal(s, "");
	free(s);
	assert_true(buf_add(&b, "a\0b", 3));
	assert_memory_equal(b.data, "a\0b", 4);
	buf_reset(&b);
	assert_false(b.full);
	assert_string_equal(b.data, "");
	buf_release(&b);
	buf_release(&b);
}

static void holds_nothing_and_everything(void **state)
{
	struct buf none, all;

	(void)state;
	buf_init(&none, 0);
	assert_true(buf_adds(&none, ""));
	assert_false(none.full);
	assert_false(buf_addc(&none, 'a'));
	assert_string_equal(none.data, "");
	buf_release(&none);
	buf_init(&all, SIZE_MAX);
	assert_true(buf_adds(&all, "x"));
	assert_false(buf_add(&all, "x", SIZE_MAX)); /* len + 1 + NUL would wrap */
	assert_false(buf_add(&all, "x", SIZE_MAX - 1));
	assert_string_equal(all.data, "x");
	buf_release(&all);
}

static void tells_times(void **state)
{
	static const struct {
		int64_t ms;
		const char *iso;
	} times[] = {
	        {0, "1970-01-01T00:00:00Z"},
	        {1706861276123, "2024-02-02T08:07:56Z"},
	        {951782400000, "2000-02-29T00:00:00Z"},
	        {-1, "1969-12-31T23:59:59Z"},
	        {-1000, "1969-12-31T23:59:59Z"},
	        {-1001, "1969-12-31T23:59:58Z"},
	        {253402300799999, "9999-12-31T23:59:59Z"},
	        {253402300800000, "-"},
	        {INT64_MAX, "-"},
	        {INT64_MIN, "-"},
	};
	static const struct {
		int64_t ns;
		const char *words;
	} spans[] = {
	        {0, "0 s"},
	        {999999999, "0 s"},
	        {-999999999, "0 s"},
	        {12 * NS_PER_S, "12 s"},
	        {60 * NS_PER_S, "1 m 00 s"},
	        {187 * NS_PER_S, "3 m 07 s"},
	        {3599 * NS_PER_S, "59 m 59 s"},
	        {3720 * NS_PER_S, "1 h 02 m"},
	        {86399 * NS_PER_S, "23 h 59 m"},
	        {90000 * NS_PER_S, "1 d 01 h"},
	        {-187 * NS_PER_S, "-3 m 07 s"},
	        {INT64_MIN, "-106751 d 23 h"},
	};
	char out[40];
	int64_t t;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		clock_iso(times[i].ms, out, 21);
		assert_string_equal(out, times[i].iso);
	}
	for (size_t i = 0; i < ARRAY_SIZE(spans); i++) {
		clock_words(spans[i].ns, out, sizeof(out));
		assert_string_equal(out, spans[i].words);
	}
	t = clock_mono_ns();
	assert_true(clock_mono_ns() >= t);
	assert_true(clock_wall_ms() > INT64_C(1700000000000));
}

static void backs_off(void **state)
{
	static const struct {
		unsigned int n;
		int64_t base, cap, low, high;
	} want[] = {
	        {0, 1000, 60000, 500, 1000},
	        {1, 1000, 60000, 1000, 2000},
	        {5, 1000, 60000, 16000, 32000},
	        {6, 1000, 60000, 30000, 60000},
	        {4000000000u, 1000, 60000, 30000, 60000},
	        {70, 1, INT64_MAX, INT64_MAX / 2, INT64_MAX},
	        {0, 5000, 1000, 500, 1000},
	        {3, 0, 1000, 0, 0},
	        {3, 1000, 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		int64_t least = INT64_MAX, most = 0;

		for (int k = 0; k < 400; k++) {
			int64_t ms = clock_backoff_ms(want[i].n, want[i].base, want[i].cap);

			assert_true(ms >= want[i].low && ms <= want[i].high);
			least = ms < least ? ms : least;
			most = ms > most ? ms : most;
		}
		/* spread over more than half of its range, but by bad luck of 2^-390 */
		assert_true(most - least >= (want[i].high - want[i].low) / 2);
	}
}

static void log_several(void *arg)
{
	(void)arg;
	errno = 5;
	log_info("job.claimed", "job", log_i(-17), "board", "qemu-det", "share", log_f(0.25), NULL);
	log_warn("odd", "empty", "", "null", (char *)NULL, "s", log_s((char *)NULL), NULL);
	log_error("text", "q", "say \"hi\"\n\\ a=b", "bin", "\x01\x1b\xff\xc2\x9b", "utf",
	          "\xc3\xa9", NULL);
	log_debug("never", NULL);
	log_set_level(LOG_DEBUG);
	log_debug("now", NULL);
	log_set_level(LOG_ERROR);
	log_warn("never", NULL);
	if (errno != 5)
		_exit(9);
}

static void logs_lines(void **state)
{
	static const char *const want[] = {
	        "level=info event=job.claimed job=-17 board=qemu-det share=0.25",
	        "level=warn event=odd empty=\"\" null=- s=-",
	        "level=error event=text q=\"say \\\"hi\\\"\\n\\\\ a=b\" "
	        "bin=\"\\001\\033\\377\\302\\233\" utf=\xc3\xa9",
	        "level=debug event=now",
	};
	char err[4096], *line, *save = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(in_child(log_several, NULL, err, sizeof(err)), 0);
	for (line = strtok_r(err, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		assert_true(n < ARRAY_SIZE(want));
		/* ts=2024-02-02T08:07:56.123Z */
		assert_int_equal(strspn(line + 3, "0123456789-:T."), 23);
		assert_memory_equal(line, "ts=2", 4);
		assert_memory_equal(line + 26, "Z ", 2);
		assert_string_equal(line + 28, want[n++]);
	}
	assert_int_equal(n, ARRAY_SIZE(want));
}

static void log_much(void *arg)
{
	char *value = xmalloc(20001);

	memset(value, *(char *)arg, 20000);
	value[20000] = '\0';
	log_info("big", "a", value, "b", "lost", NULL);
	free(value);
}

static void bounds_a_line(void **state)
{
	static const char fills[] = "x \n\xe2";
	char err[30000];

	(void)state;
	for (size_t i = 0; i < sizeof(fills) - 1; i++) {
		char fill = fills[i];
		size_t len;

		assert_int_equal(in_child(log_much, &fill, err, sizeof(err)), 0);
		len = strlen(err);
		assert_true(len <= 4096 && len > 4000);
		assert_non_null(strstr(err, "\" cut=yes\n"));
		assert_null(strstr(err, "b=lost"));
		assert_ptr_equal(strchr(err, '\n'), err + len - 1);
	}
}

static void reads_levels(void **state)
{
	enum log_level level = LOG_ERROR;

	(void)state;
	assert_int_equal(log_level_parse("debug", &level), 0);
	assert_int_equal(level, LOG_DEBUG);
	assert_int_equal(log_level_parse("Debug", &level), -1);
	assert_int_equal(log_level_parse("", &level), -1);
	assert_int_equal(level, LOG_DEBUG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(copies_strings),
	        cmocka_unit_test(refuses_products_that_overflow),
	        cmocka_unit_test(grows_up_to_its_maximum),
	        cmocka_unit_test(holds_nothing_and_everything),
	        cmocka_unit_test(tells_times),
	        cmocka_unit_test(backs_off),
	        cmocka_unit_test(logs_lines),
	        cmocka_unit_test(bounds_a_line),
	        cmocka_unit_test(reads_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
