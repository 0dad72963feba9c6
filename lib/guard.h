/*
 * guard.h - which addresses a program goes to on a stranger's word.
 *
 *     struct guard g = {0};
 *     e = guard_allow(&g, "127.0.0.1/32", &w);       what an operator listed
 *     if (!guard_permits(&g, sockaddr)) ...          asked of each address, after DNS
 *     guard_release(&g);
 *
 * Without an exception only addresses of the public internet are permitted:
 * nothing private, loopback, link-local, shared, reserved, multicast or for
 * documentation, by IANA's registries of special-purpose addresses
 * (https://www.iana.org/assignments/iana-ipv4-special-registry and -ipv6-). An IPv6
 * address that carries an IPv4 one (mapped, NAT64, 6to4) is judged by that as well.
 */
#ifndef FOLDWATCH_GUARD_H
#define FOLDWATCH_GUARD_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct guard_net {
	unsigned char net[16]; /* an IPv4 one as ::ffff:a.b.c.d */
	unsigned int bits;     /* of 128 */
};

struct guard {
	struct guard_net *allow;
	size_t count;
};

/* "192.0.2.0/24", "2001:db8::/32"; without a length that one address. ERR_INPUT for
 * anything else, and where bits are set behind the length. */
enum err guard_allow(struct guard *g, const char *net, struct why *w);
/* False for what is neither IPv4 nor IPv6. */
bool guard_permits(const struct guard *g, const struct sockaddr *to);
/* The same of an address as text, as in a URL ("127.0.0.1", "[::1]" without the
 * brackets); true for a name, which says nothing before it is looked up. */
bool guard_permits_text(const struct guard *g, const char *address);
void guard_release(struct guard *g);

#endif
