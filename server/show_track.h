/*
 * show_track.h - tracks and their points as docs/api.md has them.
 */
#ifndef FOLDWATCH_SERVER_SHOW_TRACK_H
#define FOLDWATCH_SERVER_SHOW_TRACK_H

#include "server/store_track.h"

#include <jansson.h>

/* Without its points. */
enum err show_track(struct db *db, const struct track *t, json_t **out, struct why *w);
enum err show_track_point(struct db *db, const struct track_point *x, json_t **out, struct why *w);

#endif
