/*
 * http_peer.h - a small HTTP server on loopback with manners good and bad.
 *
 *     struct peer *p = peer_new();
 *     snprintf(base, ..., "http://127.0.0.1:%d", peer_port(p));
 *     peer_hits(p)     requests so far, of which it served in full
 *     peer_free(p)
 *
 * What it does is told by the path; see peer_routes[] in http_peer.c.
 */
#ifndef FOLDWATCH_LIB_TEST_HTTP_PEER_H
#define FOLDWATCH_LIB_TEST_HTTP_PEER_H

#include <stddef.h>

struct peer;

struct peer *peer_new(void);
void peer_free(struct peer *p);
int peer_port(const struct peer *p);
int peer_hits(struct peer *p);
int peer_connections(struct peer *p);
/* Where /redirect points to. */
void peer_redirect_to(struct peer *p, const char *url);
/* The one artifact it has: bytes served whatever hash is asked for. NULL: none. */
void peer_set_artifact(struct peer *p, const void *data, size_t len);
/* The head of the last request, at most size bytes. */
void peer_last_head(struct peer *p, char *out, size_t size);
/* The body of the last request. */
size_t peer_last_body(struct peer *p, char *out, size_t size);

#endif
