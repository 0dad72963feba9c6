/*
 * notify_cc.h - who gets a copy of a mail about an alert.
 *
 * Those whom the trailers name of the patches that the alert's kernel holds, where its
 * tree is one of notify_cc_trees: not the subscriber, nobody of notify_cc_never, CC_MAX at
 * most. With one mail of a step only, so that several subscriptions are no several
 * copies.
 */
#ifndef FOLDWATCH_SERVER_NOTIFY_CC_H
#define FOLDWATCH_SERVER_NOTIFY_CC_H

#include "server/server.h"
#include "server/store_alert.h"
#include "server/store_tell.h"

#define CC_MAX 20

enum err notify_cc(struct db *db, struct pool *p, const struct server_conf *c,
                   const struct alert *a, const struct letter *l, const char *to, const char ***out,
                   size_t *count, struct why *w);

#endif
