/*
 * mailbox.h - addresses of people, in the plain form that stands in an envelope and a
 * header as it is: of RFC 5321, no more than letters, digits and what is harmless. No
 * blank, quote, comma, bracket, line end or byte beyond ASCII is in one.
 */
#ifndef FOLDWATCH_MAILBOX_H
#define FOLDWATCH_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

#define MAILBOX_TEXT 255 /* bytes of one with its NUL */

bool mailbox_is_plain(const char *address);
/* The address of a trailer's value: `Name <a@example.org> # comment`, or it alone, with
 * such a comment or without. False where there is none in that form. */
bool mailbox_find(const char *text, size_t len, char out[MAILBOX_TEXT]);

#endif
