/*
 * work.h - what happens without a request: leases that expire, comparisons
 * that have to be computed, submissions that end; alerts that are measured again
 * (remeasure.h), and the search for their commits (bisections.h).
 *
 *     e = work_start(srv, &w);     after the store is open, before http
 *     work_poke(srv, sub);         a boot landed, a job ended
 *     work_stop(srv);              after http stopped
 *
 * One thread. A submission's comparison is computed at once when nothing is
 * left to run, and at most once a second while boots still arrive. What a stop
 * left undone is found again at the start.
 */
#ifndef FOLDWATCH_SERVER_WORK_H
#define FOLDWATCH_SERVER_WORK_H

#include "server/server.h"

enum err work_start(struct server *srv, struct why *w);
void work_stop(struct server *srv);
/* Has the thread look soon; cheap, from any thread. */
void work_poke(struct server *srv);

#endif
