/*
 * notify.h - the outbox on its way: mail, webhooks.
 *
 *     e = notify_start(srv, &w);     after the store is open, before work.h
 *     notify_poke(srv);              a step was stored
 *     notify_stop(srv);              after work_stop()
 *
 * Two threads, one for mail and one for URLs, so that a mail server that hangs holds up
 * no webhook. A letter is sent, then marked as sent: a crash between sends it again, with
 * the same id, Message-ID and text. What is not taken is tried again, each pause twice as
 * long as the one before, with jitter, up to a bound of time; then it is given up, and its
 * alert says so.
 */
#ifndef FOLDWATCH_SERVER_NOTIFY_H
#define FOLDWATCH_SERVER_NOTIFY_H

#include "lib/guard.h"
#include "server/server.h"

enum err notify_start(struct server *srv, struct why *w);
void notify_stop(struct server *srv);
/* Cheap, from any thread. */
void notify_poke(struct server *srv);

/* What the configuration lists. guard_release() it, after an error too. */
enum err notify_guard(const struct server_conf *c, struct guard *g, struct why *w);

#endif
