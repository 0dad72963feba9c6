#include "lib/test/report_check.h"

#include "lib/report/report.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void report_check(const struct buf *out, const char *what)
{
	size_t column = 0;

	assert_false(out->full);
	assert_true(out->len > 0 && out->data[out->len - 1] == '\n');
	for (size_t i = 0; i < out->len; i++) {
		unsigned char ch = (unsigned char)out->data[i];

		if (ch == '\n') {
			if (column && out->data[i - 1] == ' ')
				fail_msg("%s: blanks at a line's end, byte %zu", what, i);
			column = 0;
			continue;
		}
		if (ch < 0x20 || ch >= 0x7f)
			fail_msg("%s: byte 0x%02x at %zu", what, ch, i);
		if (++column > REPORT_COLUMNS)
			fail_msg("%s: a line of more than %d columns: %.*s", what, REPORT_COLUMNS,
			         80, out->data + i - column + 1);
	}
	assert_null(strstr(out->data, "\n---\n"));
	assert_null(strstr(out->data, "\nFrom "));
	assert_null(strstr(out->data, "-0.0%"));
	assert_null(strstr(out->data, "nan"));
}

size_t report_times(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *p = strstr(text, part); p; p = strstr(p + 1, part))
		n++;
	return n;
}
