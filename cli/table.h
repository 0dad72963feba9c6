/*
 * table.h - columns on a terminal: as wide as their widest cell, two blanks
 * between, the last one free. Control characters of the server's texts are
 * shown as '?': a terminal obeys them.
 */
#ifndef FOLDWATCH_TABLE_H
#define FOLDWATCH_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define TABLE_COLUMNS 10

struct table {
	size_t columns, rows, cap;
	char **cell; /* rows * columns, owned */
};

/* table_init(&t, "ID", "WHY"): the head's words.
 * table_row(&t, id, why): as many cells as the head has, which is checked; NULL
 * shows as "-". */
#define table_init(t, ...) table_start(t, TABLE_CELLS(__VA_ARGS__))
#define table_row(t, ...)  table_add(t, TABLE_CELLS(__VA_ARGS__))
#define TABLE_CELLS(...)                    \
	(const char *const[]){__VA_ARGS__}, \
	        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)
void table_start(struct table *t, const char *const *words, size_t n);
void table_add(struct table *t, const char *const *cells, size_t n);
void table_print(const struct table *t);
void table_release(struct table *t);

/* "2026-02-02T08:07:56Z" as "02-02 08:07", in UTC, into out (12 bytes). */
void table_time(const char *iso, char *out, size_t size);
/* A copy as one line: every control character is shown as '?', those that part words as a
 * blank; free() it. */
char *clean_line(const char *text);
/* Print one line of text from outside, control characters shown as '?'. */
void print_clean(const char *text);
/* A row of a page that has a name, in ten columns, and that; NULL: none. */
void print_line(const char *name, const char *text);

#endif
