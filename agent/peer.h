/*
 * peer.h - the server as the agent's loop sees it: one connection, and a pause
 * that grows while it does not answer, so that a server that is away costs the
 * loop one short try now and then and everything else goes on.
 */
#ifndef FOLDWATCH_PEER_H
#define FOLDWATCH_PEER_H

#include "agent/agent_conf.h"
#include "lib/client.h"

#include <stdbool.h>
#include <stdint.h>

struct peer {
	const struct agent_conf *conf;
	struct client *client; /* NULL: the token is read again first */
	int64_t not_before_ns; /* monotonic; no call before */
	unsigned int failures; /* in a row */
	bool away;             /* said so in the log */
	int64_t backoff_base_ms, backoff_cap_ms;
};

void peer_init(struct peer *p, const struct agent_conf *conf);
void peer_release(struct peer *p);
/* A client of one's own with the token from token_file, for a child process. */
enum err peer_client(const struct agent_conf *conf, struct client **c, struct why *w);

bool peer_ready(const struct peer *p, int64_t now_ns);
/* client_json() and client_bytes(), within 20 s. A server that is away, or that
 * does not know our token, sets not_before_ns. r is filled in any case. */
enum err peer_json(struct peer *p, const char *method, const char *path, const json_t *body,
                   struct reply *r, struct why *w);
enum err peer_bytes(struct peer *p, const char *method, const char *path, const char *type,
                    const void *data, size_t len, struct reply *r, struct why *w);
/* What a child learnt about the server. */
void peer_was_away(struct peer *p, const char *sentence);

#endif
