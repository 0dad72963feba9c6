/*
 * mutate.h - a parser against a few thousand damaged copies of good input.
 *
 * The seed is fixed: a failure comes back on every run. What finds the fault is
 * the assertion in `try_one`, or the address sanitizer: each copy lies in a
 * block of exactly its length.
 */
#ifndef FOLDWATCH_TEST_MUTATE_H
#define FOLDWATCH_TEST_MUTATE_H

#include <stddef.h>

void mutate(const char *data, size_t len, int rounds,
            void (*try_one)(const char *data, size_t len));
/* The bytes as a string in a block of its own; free() it. */
char *mutate_text(const char *data, size_t len);

#endif
