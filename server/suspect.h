/*
 * suspect.h - what a bisection found, for those who are told of it: tell.h's suspect.
 */
#ifndef FOLDWATCH_SERVER_SUSPECT_H
#define FOLDWATCH_SERVER_SUSPECT_H

#include "server/server.h"
#include "server/tell.h"

/* What an alert's bisection had found when the alert's step was made, so that a letter
 * which is sent again says the same: *bisection is docs/api.md's, to be released, or NULL:
 * nothing by then. In a snapshot; memory of the pool. */
enum err suspect_load(const struct server_conf *conf, struct db *db, struct pool *p, int64_t alert,
                      int64_t step, struct suspect *out, json_t **bisection, struct why *w);

#endif
