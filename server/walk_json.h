/*
 * walk_json.h - what an agent says of a walk, checked.
 */
#ifndef FOLDWATCH_SERVER_WALK_JSON_H
#define FOLDWATCH_SERVER_WALK_JSON_H

#include "server/store_walk.h"

#include <jansson.h>

/* An answer's `walk` into k, which was asked for: ids of 40 digits, no commit twice, the tip
 * last, and base, linear and omitted in keeping with `since`. ERR_INPUT,
 * ERR_UNPROCESSABLE. */
enum err walk_read(struct pool *p, json_t *o, struct walk *k, struct why *w);

#endif
