/*
 * show_bisection.h - bisections as docs/api.md's objects.
 */
#ifndef FOLDWATCH_SERVER_SHOW_BISECTION_H
#define FOLDWATCH_SERVER_SHOW_BISECTION_H

#include "server/store_bisect.h"
#include "server/store_work.h"

#include <jansson.h>

/* The newest of an alert in short, or null; `before` NONE: whatever its state, else only
 * where the step `before` knew its result already. */
enum err show_bisection_of(struct db *db, struct pool *p, int64_t alert, int64_t before,
                           json_t **out, struct why *w);
/* With its steps; loaded by store_bisect_load(). */
enum err show_bisection(struct db *db, struct pool *p, const struct bisection *b, json_t **out,
                        struct why *w);
json_t *show_works(const struct alert_works *works);

#endif
