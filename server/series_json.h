/*
 * series_json.h - a patch series as JSON: as an agent tells its patches, and as a
 * submission shows it.
 */
#ifndef FOLDWATCH_SERVER_SERIES_JSON_H
#define FOLDWATCH_SERVER_SERIES_JSON_H

#include "server/store_series.h"
#include "server/store_submission.h"

#include <jansson.h>

/* A resolve's `patches` into out->patch. */
enum err series_read_patches(struct pool *p, json_t *list, struct series *out, struct why *w);
/* The submission's `series`: its patches each with the kernel that ends with it; null
 * where it has none. `measured`: its compared kernels. */
enum err series_show(struct db *db, struct pool *p, const struct sub *sub,
                     const struct sub_kernels *measured, json_t **out, struct why *w);

#endif
