/*
 * text.h - the small things that foldbench does with text and files in /proc
 * and /sys. libc only, no allocation: what is read goes to the caller's array.
 */
#ifndef FOLDBENCH_TEXT_H
#define FOLDBENCH_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A reason: one sentence, lower case, no full stop. */
#define WHY_SIZE 320

struct reason {
	char text[WHY_SIZE];
};

void reason_set(struct reason *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Read a small file whole, cut at size - 1 bytes, NUL-terminated. Returns its
 * length, or -1 with errno. Trailing newlines are taken off. */
long text_read(const char *path, char *out, size_t size);
/* Write text in one write(2). Returns 0, or -1 with errno. */
int text_write(const char *path, const char *text);
/* All of it, over short writes and EINTR. Returns 0, or -1 with errno. */
int fd_write_all(int fd, const void *data, size_t len);

/* A whole decimal number without sign, blank or trailing text. */
bool u64_parse(const char *text, size_t len, uint64_t *value);
/* Does text begin with prefix? */
bool text_starts(const char *text, const char *prefix);
/* The bracketed word of a sysfs choice: "always [madvise] never" -> "madvise".
 * Empty when there is none. */
void choice_parse(const char *text, char *out, size_t size);
/* The value of `name` in lines "name value" (vmstat, meminfo with its colon);
 * false when it is not there. */
bool line_value(const char *text, const char *name, uint64_t *value);

/* A reader of lines over a file descriptor, for files of any length (smaps). */
struct lines {
	int fd;
	size_t start, end;
	bool eof;
	char buf[4096];
};

void lines_init(struct lines *l, int fd);
/* The next line without its newline, valid until the next call; NULL at the
 * end. A line longer than the buffer comes in parts. */
char *lines_next(struct lines *l);

#endif
