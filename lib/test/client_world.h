/* A client and the server that it talks to, for its tests. */
#ifndef FOLDWATCH_TEST_CLIENT_WORLD_H
#define FOLDWATCH_TEST_CLIENT_WORLD_H

#include "lib/client.h"
#include "lib/test/http_peer.h"

#define TOKEN "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"

struct world {
	struct peer *peer;
	struct client *client;
	char base[64];
	char dir[64]; /* empty; a file that a test leaves there fails it */
};

/* cmocka's set-up and tear-down. */
int world_set_up(void **state);
int world_tear_down(void **state);

#define PEER_TEST(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

#endif
