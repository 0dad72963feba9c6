/*
 * buf.h - a growing byte buffer with a maximum.
 *
 *     struct buf b;
 *     buf_init(&b, 64 * 1024);
 *     buf_addf(&b, "kernel %s\n", name);
 *     if (b.full) ...               an addition did not fit; what was there stays
 *     use(b.data, b.len);
 *     buf_release(&b);
 *
 * `data` is NUL-terminated one byte past `len` at all times (an empty buffer
 * has data == ""), so text may be used as a string. An addition that would
 * pass `max` adds nothing and sets `full`, which stays set until buf_reset().
 */
#ifndef FOLDWATCH_BUF_H
#define FOLDWATCH_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max;
	bool full;
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);
/* Empty it, keep its memory, clear `full`. */
void buf_reset(struct buf *b);
/* All return true when the addition fitted. */
bool buf_add(struct buf *b, const void *data, size_t len);
bool buf_adds(struct buf *b, const char *s);
bool buf_addc(struct buf *b, char c);
bool buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool buf_vaddf(struct buf *b, const char *fmt, va_list ap);
/* Drop the first n bytes (n <= len). */
void buf_drop(struct buf *b, size_t n);
/* Steal the content as a NUL-terminated string (free() it); *len may be NULL.
 * The buffer is empty afterwards and may be used again. */
char *buf_take(struct buf *b, size_t *len);

#endif
