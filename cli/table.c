#include "cli/table.h"

#include "lib/err.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *clean_line(const char *text)
{
	char *out = xstrdup(text);

	for (char *p = out; *p; p++) {
		/* U+0080 to U+009F, which terminals obey as well */
		if ((unsigned char)*p == 0xc2 && (unsigned char)p[1] >= 0x80 &&
		    (unsigned char)p[1] < 0xa0) {
			*p = '?';
			memmove(p + 1, p + 2, strlen(p + 2) + 1);
		} else if (*p == '\n' || *p == '\t') {
			*p = ' ';
		} else if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			*p = '?';
		}
	}
	return out;
}

static char *clean(const char *s)
{
	return clean_line(s ? s : "-");
}

void print_clean(const char *text)
{
	char *c = clean(text);

	printf("%s\n", c);
	free(c);
}

void print_line(const char *name, const char *text)
{
	if (!text)
		return;
	printf("%-10s", name);
	print_clean(text);
}

/* Characters, not bytes: continuation bytes of UTF-8 take no column. */
static size_t width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

void table_start(struct table *t, const char *const *words, size_t n)
{
	memset(t, 0, sizeof(*t));
	if (n > TABLE_COLUMNS)
		err_bug("a table of %zu columns", n);
	t->columns = n;
	table_add(t, words, n);
}

void table_add(struct table *t, const char *const *cells, size_t n)
{
	if (n != t->columns)
		err_bug("a row of %zu cells in a table of %zu columns", n, t->columns);
	if ((t->rows + 1) * n > t->cap) {
		t->cap = t->cap ? 2 * t->cap : 16 * n;
		t->cell = xreallocarray(t->cell, t->cap, sizeof(*t->cell));
	}
	for (size_t i = 0; i < n; i++)
		t->cell[t->rows * n + i] = clean(cells[i]);
	t->rows++;
}

void table_print(const struct table *t)
{
	size_t widest[TABLE_COLUMNS] = {0};

	for (size_t i = 0; i < t->rows * t->columns; i++) {
		size_t w = width(t->cell[i]), c = i % t->columns;

		widest[c] = w > widest[c] ? w : widest[c];
	}
	for (size_t r = 0; r < t->rows; r++) {
		const char *const *row = (const char *const *)t->cell + r * t->columns;
		size_t used = t->columns;

		/* no blanks at a line's end */
		while (used > 1 && !*row[used - 1])
			used--;
		for (size_t c = 0; c < used; c++) {
			fputs(row[c], stdout);
			if (c + 1 < used)
				printf("%*s", (int)(widest[c] - width(row[c]) + 2), "");
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
