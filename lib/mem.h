/*
 * mem.h - allocation that does not return on failure.
 *
 * Memory that is ours to size is small and bounded (every buffer has a
 * maximum), so running out of it is not a condition a caller can mend: these
 * abort with one sentence. Release with free().
 */
#ifndef FOLDWATCH_MEM_H
#define FOLDWATCH_MEM_H

#include <stdarg.h>
#include <stddef.h>

void *xmalloc(size_t bytes);
/* Zeroed; aborts when n * size overflows. */
void *xcalloc(size_t n, size_t size);
/* Room for n elements of `size` bytes each; aborts when the product overflows. */
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
/* At most n bytes of s, NUL-terminated. */
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap);

/* True when a and b are both NULL or equal strings. */
int str_eq(const char *a, const char *b);
int str_starts(const char *s, const char *prefix);
int str_ends(const char *s, const char *suffix);

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
