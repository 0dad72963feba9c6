/* wire.c - one connection that stays, and nothing but the bytes of an answer. */
#include "tests/bench/bench.h"

#include "lib/mem.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WIRE_MAX (8u << 20)

struct wire wire_connect(const struct world *w)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons((uint16_t)w->port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct wire c = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
	                 .in = xmalloc(WIRE_MAX)};

	if (c.fd < 0 || connect(c.fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die("cannot connect to %s", w->address);
	return c;
}

void wire_close(struct wire *c)
{
	close(c->fd);
	free(c->in);
}

size_t wire_get(struct wire *c, const char *path)
{
	char out[256], *in = c->in;
	size_t n = 0, head = 0, length = 0;
	int len = snprintf(out, sizeof(out), "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", path);

	if (send(c->fd, out, (size_t)len, MSG_NOSIGNAL) != len)
		die("GET %s: the connection broke", path);
	while (!head || n < head + length) {
		ssize_t got = recv(c->fd, in + n, WIRE_MAX - 1 - n, 0);
		char *at;

		if (got <= 0)
			die("GET %s: the connection broke", path);
		n += (size_t)got;
		in[n] = '\0';
		if (!head && (at = strstr(in, "\r\n\r\n"))) {
			head = (size_t)(at + 4 - in);
			at = strcasestr(in, "\r\nContent-Length:");
			if (!str_starts(in, "HTTP/1.1 200") || !at || at > in + head)
				die("GET %s: %.60s", path, in);
			length = strtoul(at + 17, NULL, 10);
		}
	}
	return length;
}
