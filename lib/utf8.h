/*
 * utf8.h - well-formed UTF-8, one character at a time (Unicode 15, table 3-7:
 * no surrogates, nothing overlong, nothing past U+10FFFF).
 */
#ifndef FOLDWATCH_UTF8_H
#define FOLDWATCH_UTF8_H

#include <stddef.h>

/* Bytes (1-4) of the well-formed character that begins at s, of which `len`
 * bytes may be looked at; 0 when there is none. NUL is a character of 1 byte. */
size_t utf8_step(const char *s, size_t len);

#endif
