/*
 * show_alert.h - alerts and what belongs to them as docs/api.md's objects. Each returns
 * a new reference.
 */
#ifndef FOLDWATCH_SERVER_SHOW_ALERT_H
#define FOLDWATCH_SERVER_SHOW_ALERT_H

#include "server/store_alert.h"
#include "server/store_tell.h"

#include <jansson.h>

json_t *show_alert(const struct alert *a, const struct alert_cells *cells);
json_t *show_alert_steps(const struct alert_steps *steps);
json_t *show_alert_quality(const struct alert_quality *q);
json_t *show_alert_marks(const struct alert_marks *marks);
/* Where the steps went: of the receiver only the subscription's id and channel. */
json_t *show_letters(const struct letters *letters);
json_t *show_mute(const struct mute *m, int64_t now_ms);
/* Without its secrets. */
json_t *show_subscription(const struct subscription *s);

#endif
