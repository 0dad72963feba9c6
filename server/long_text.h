/*
 * long_text.h - a request whose one long string is taken out before the rest
 * is parsed as JSON.
 *
 * A boot's result is some 100 KiB of text inside a JSON string: JSON's own
 * reader takes longer for it than the database for storing what it says.
 *
 *     e = long_text_parse(body, len, "result", &root, &text, &text_len, &w);
 *
 * The member `key`, wherever it stands, is left in the tree with an empty
 * string, and its content is given apart (free() it; NULL when it was not
 * taken: absent, no string, there twice, or with escapes that are better left
 * to the reader; then the tree has it as it came). Quotes inside strings are
 * escaped, so what looks like the key is the key.
 */
#ifndef FOLDWATCH_SERVER_LONG_TEXT_H
#define FOLDWATCH_SERVER_LONG_TEXT_H

#include "lib/err.h"

#include <jansson.h>
#include <stddef.h>

enum err long_text_parse(const char *body, size_t len, const char *key, json_t **root, char **text,
                         size_t *text_len, struct why *w);

#endif
