/*
 * release.h - a track's tip against the last release, so that what is too small for a step
 * cannot add up unseen: 0.08 % a week is 4 % a year.
 *
 * Once a tip is measured, a submission with the release as its baseline is asked for, on
 * the boards and for the cases of the tip's own, whose boots it reuses. Where it says slower
 * and the steps of the history since do not account for it, that is one alert for the track
 * and that release (alerts_creep.c), whose cells the next tips bring up to date.
 */
#ifndef FOLDWATCH_SERVER_RELEASE_H
#define FOLDWATCH_SERVER_RELEASE_H

#include "lib/compare.h"
#include "server/server.h"
#include "server/store_release.h"

/* Asks for what is due; from the worker's thread. What cannot be asked for is stored with
 * its reason and not tried again: the next tip is. */
void release_look(struct server *srv, int64_t now_ms);

/* Inside a db_write() function, as a finished comparison is stored; *is false: it is no
 * comparison with a release, and nothing was done. */
enum err alerts_crept(struct db *db, const struct cmp *c, int64_t now_ms, bool *is, struct why *w);

#endif
