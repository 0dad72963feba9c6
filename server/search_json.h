/*
 * search_json.h - the search for the patches of a series that matter, as JSON: how far it
 * is, what it looked into, which patches they are, and the boots that it took.
 */
#ifndef FOLDWATCH_SERVER_SEARCH_JSON_H
#define FOLDWATCH_SERVER_SEARCH_JSON_H

#include "server/store_series.h"
#include "server/store_submission.h"

#include <jansson.h>

/* docs/api.md's SEARCH. `measured` and `built`: the submission's kernels that are
 * compared, and those that are only built. */
enum err search_show(struct db *db, struct pool *p, const struct sub *sub, const struct series *s,
                     const struct sub_kernels *measured, const struct sub_kernels *built,
                     json_t **out, struct why *w);

#endif
