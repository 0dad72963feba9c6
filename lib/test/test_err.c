/* Reasons: their cuts, their cleaning, their table; and UTF-8, which they rest on. */
#include "lib/err.h"
#include "lib/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/test/tmpdir.h"

static void sets_and_places(void **state)
{
	struct why w;

	(void)state;
	assert_int_equal(err_set(&w, ERR_INPUT, "plan \"%s\" holds no case", "x"), ERR_INPUT);
	assert_string_equal(w.text, "plan \"x\" holds no case");
	assert_int_equal(err_at(&w, ERR_INPUT, "jobs[%d]", 3), ERR_INPUT);
	assert_string_equal(w.text, "jobs[3]: plan \"x\" holds no case");
	assert_int_equal(err_at(&w, OK, "never"), OK);
	assert_string_equal(w.text, "jobs[3]: plan \"x\" holds no case");
	assert_int_equal(err_set(&w, ERR_IO, "again: %s", w.text), ERR_IO);
	assert_string_equal(w.text, "again: jobs[3]: plan \"x\" holds no case");
	assert_int_equal(err_set(NULL, ERR_AUTH, "nobody listens"), ERR_AUTH);
	assert_int_equal(err_at(NULL, ERR_AUTH, "nobody listens"), ERR_AUTH);
}

static void tells_the_systems_reason(void **state)
{
	struct why w;

	(void)state;
	errno = EACCES;
	assert_int_equal(err_sys(&w, ERR_IO, "cannot open \"%s\"", "f"), ERR_IO);
	assert_string_equal(w.text, "cannot open \"f\": Permission denied");
	errno = ENOSPC;
	assert_int_equal(err_sys(&w, ERR_IO, "cannot write"), ERR_NO_SPACE);
	errno = EDQUOT;
	assert_int_equal(err_sys(NULL, ERR_INTERNAL, "cannot write"), ERR_NO_SPACE);
}

static void cuts_between_characters(void **state)
{
	char text[2000];
	struct why w;

	(void)state;
	/* a 3-byte character over every possible place of the cut */
	for (size_t lead = 0; lead < 4; lead++) {
		size_t n = lead;

		memset(text, 'a', lead);
		for (; n + 3 < sizeof(text); n += 3)
			memcpy(text + n, "\xe2\x82\xac", 3);
		text[n] = '\0';
		err_set(&w, ERR_INPUT, "%s", text);
		n = strlen(w.text);
		assert_true(n < sizeof(w.text) && n > sizeof(w.text) - 4);
		assert_int_equal((n - lead) % 3, 0);
		assert_null(strchr(w.text, '?'));
		err_at(&w, ERR_INPUT, "%s", text);
		assert_null(strchr(w.text, '?'));
	}
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&w, ERR_INPUT, "%s", text);
	assert_int_equal(strlen(w.text), sizeof(w.text) - 1);
}

static void is_one_line_of_utf8(void **state)
{
	struct why w;

	(void)state;
	err_set(&w, ERR_INPUT, "%s", "a\nb\tc\x1b[1m\x7f \xff \xc3( \xed\xa0\x80 \xc3\xa9");
	assert_string_equal(w.text, "a b c [1m  ? ?( ??? \xc3\xa9");
}

static void maps_to_statuses_and_codes(void **state)
{
	static const struct {
		enum err e;
		const char *name;
		int http, exit;
	} want[] = {
	        {OK, "ok", 200, 0},
	        {ERR_INPUT, "input", 400, 2},
	        {ERR_AUTH, "auth", 401, 4},
	        {ERR_DENIED, "denied", 403, 4},
	        {ERR_NOT_FOUND, "not_found", 404, 5},
	        {ERR_METHOD, "method", 405, 2},
	        {ERR_CONFLICT, "conflict", 409, 6},
	        {ERR_TOO_LARGE, "too_large", 413, 2},
	        {ERR_UNPROCESSABLE, "unprocessable", 422, 2},
	        {ERR_BUSY, "busy", 429, 7},
	        {ERR_UNAVAILABLE, "unavailable", 503, 7},
	        {ERR_NO_SPACE, "no_space", 507, 8},
	        {ERR_IO, "io", 500, 1},
	        {ERR_TIMEOUT, "timeout", 504, 7},
	        {ERR_CANCELLED, "cancelled", 409, 9},
	        {ERR_INTERNAL, "internal", 500, 1},
	        {(enum err)99, "internal", 500, 1},
	};

	(void)state;
	assert_int_equal(sizeof(want) / sizeof(want[0]), ERR_COUNT + 1);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_string_equal(err_name(want[i].e), want[i].name);
		assert_int_equal(err_http_status(want[i].e), want[i].http);
		assert_int_equal(err_exit_code(want[i].e), want[i].exit);
	}
}

static void reads_statuses_back(void **state)
{
	static const struct {
		int status;
		enum err e;
	} want[] = {
	        {200, OK},
	        {204, OK},
	        {299, OK},
	        {400, ERR_INPUT},
	        {401, ERR_AUTH},
	        {403, ERR_DENIED},
	        {404, ERR_NOT_FOUND},
	        {405, ERR_METHOD},
	        {409, ERR_CONFLICT},
	        {413, ERR_TOO_LARGE},
	        {418, ERR_INPUT},
	        {422, ERR_UNPROCESSABLE},
	        {429, ERR_BUSY},
	        {500, ERR_INTERNAL},
	        {502, ERR_UNAVAILABLE},
	        {503, ERR_UNAVAILABLE},
	        {504, ERR_TIMEOUT},
	        {507, ERR_NO_SPACE},
	        {599, ERR_UNAVAILABLE},
	        {302, ERR_UNAVAILABLE},
	        {0, ERR_UNAVAILABLE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_int_equal(err_from_http(want[i].status), want[i].e);
}

static void break_it(void *arg)
{
	(void)arg;
	signal(SIGABRT, SIG_DFL);
	err_bug("count is %d", -1);
}

static void a_broken_invariant_aborts(void **state)
{
	char err[1024];
	int status = in_child(break_it, NULL, err, sizeof(err));

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_non_null(strstr(err, "lib/test/test_err.c:"));
	assert_non_null(strstr(err, ": count is -1\n"));
}

static void steps_through_utf8(void **state)
{
	static const struct {
		const char *s;
		size_t len, step;
	} want[] = {
	        {"", 0, 0},
	        {"\0", 1, 1},
	        {"a", 1, 1},
	        {"\x7f", 1, 1},
	        {"\x80", 1, 0},
	        {"\xc1\xbf", 2, 0}, /* overlong */
	        {"\xc2\x80", 2, 2},
	        {"\xc2", 1, 0},
	        {"\xc2\xc0", 2, 0},
	        {"\xdf\xbf", 2, 2},
	        {"\xe0\x9f\xbf", 3, 0}, /* overlong */
	        {"\xe0\xa0\x80", 3, 3},
	        {"\xe2\x82", 2, 0},
	        {"\xed\x9f\xbf", 3, 3},
	        {"\xed\xa0\x80", 3, 0}, /* surrogate */
	        {"\xef\xbf\xbf", 3, 3},
	        {"\xf0\x8f\xbf\xbf", 4, 0}, /* overlong */
	        {"\xf0\x90\x80\x80", 4, 4},
	        {"\xf0\x90\x80", 3, 0},
	        {"\xf0\x90\x80\x7f", 4, 0},
	        {"\xf4\x8f\xbf\xbf", 4, 4},
	        {"\xf4\x90\x80\x80", 4, 0}, /* past U+10FFFF */
	        {"\xf5\x80\x80\x80", 4, 0},
	        {"\xff", 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		assert_int_equal(utf8_step(want[i].s, want[i].len), want[i].step);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(sets_and_places),
	        cmocka_unit_test(tells_the_systems_reason),
	        cmocka_unit_test(cuts_between_characters),
	        cmocka_unit_test(is_one_line_of_utf8),
	        cmocka_unit_test(maps_to_statuses_and_codes),
	        cmocka_unit_test(reads_statuses_back),
	        cmocka_unit_test(a_broken_invariant_aborts),
	        cmocka_unit_test(steps_through_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
