#include "cli/table.h"

#include "lib/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *clean(const char *s)
{
	char *out = xstrdup(s ? s : "-");

	for (char *p = out; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return out;
}

void print_clean(const char *text)
{
	char *c = clean(text);

	printf("%s\n", c);
	free(c);
}

/* Characters, not bytes: continuation bytes of UTF-8 take no column. */
static size_t width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void add_row(struct table *t, va_list ap)
{
	if ((t->rows + 1) * t->columns > t->cap) {
		t->cap = t->cap ? 2 * t->cap : 16 * t->columns;
		t->cell = xreallocarray(t->cell, t->cap, sizeof(*t->cell));
	}
	for (size_t i = 0; i < t->columns; i++)
		t->cell[t->rows * t->columns + i] = clean(va_arg(ap, const char *));
	t->rows++;
}

void table_init(struct table *t, const char *first, ...)
{
	va_list ap;

	memset(t, 0, sizeof(*t));
	t->cell = xcalloc(TABLE_COLUMNS, sizeof(*t->cell));
	t->cap = TABLE_COLUMNS;
	va_start(ap, first);
	for (const char *word = first; word; word = va_arg(ap, const char *)) {
		if (t->columns == TABLE_COLUMNS)
			abort();
		t->cell[t->columns++] = clean(word);
	}
	va_end(ap);
	t->rows = 1;
}

void table_row(struct table *t, ...)
{
	va_list ap;

	va_start(ap, t);
	add_row(t, ap);
	va_end(ap);
}

void table_print(const struct table *t)
{
	for (size_t r = 0; r < t->rows; r++) {
		for (size_t c = 0; c < t->columns; c++) {
			const char *text = t->cell[r * t->columns + c];
			size_t widest = 0;

			fputs(text, stdout);
			if (c + 1 == t->columns)
				break;
			for (size_t i = 0; i < t->rows; i++) {
				size_t w = width(t->cell[i * t->columns + c]);

				widest = w > widest ? w : widest;
			}
			printf("%*s", (int)(widest - width(text) + 2), "");
		}
		putchar('\n');
	}
}

void table_release(struct table *t)
{
	for (size_t i = 0; i < t->rows * t->columns; i++)
		free(t->cell[i]);
	free(t->cell);
	memset(t, 0, sizeof(*t));
}

void table_time(const char *iso, char *out, size_t size)
{
	if (iso && strlen(iso) >= 16 && iso[10] == 'T')
		snprintf(out, size, "%.5s %.5s", iso + 5, iso + 11);
	else
		snprintf(out, size, "-");
}
