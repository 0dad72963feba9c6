#include "lib/test/client_world.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int world_set_up(void **state)
{
	struct world *x = xcalloc(1, sizeof(*x));

	x->peer = peer_new();
	snprintf(x->base, sizeof(x->base), "http://127.0.0.1:%d", peer_port(x->peer));
	x->client = client_new(x->base, TOKEN, "foldwatch-test/1");
	snprintf(x->dir, sizeof(x->dir), "/tmp/client-test-XXXXXX");
	*state = x;
	return mkdtemp(x->dir) ? 0 : -1;
}

int world_tear_down(void **state)
{
	struct world *x = *state;

	client_free(x->client);
	peer_free(x->peer);
	if (rmdir(x->dir)) /* fails where a test left a file behind */
		return -1;
	free(x);
	return 0;
}
