#include "lib/guard.h"

#include "lib/conf.h"
#include "lib/mem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define V4_BITS 96 /* of a mapped address before its IPv4 part */

struct range {
	unsigned char net[16];
	unsigned int bits;
};

/* IPv4 that is not the public internet. */
static const struct range4 {
	unsigned char net[4];
	unsigned int bits;
} special4[] = {
        {{0, 0, 0, 0}, 8},       /* "this network" */
        {{10, 0, 0, 0}, 8},      /* private */
        {{100, 64, 0, 0}, 10},   /* shared by carriers */
        {{127, 0, 0, 0}, 8},     /* loopback */
        {{169, 254, 0, 0}, 16},  /* link-local, and clouds' metadata */
        {{172, 16, 0, 0}, 12},   /* private */
        {{192, 0, 0, 0}, 24},    /* protocol assignments */
        {{192, 0, 2, 0}, 24},    /* documentation */
        {{192, 88, 99, 0}, 24},  /* 6to4 relays, gone */
        {{192, 168, 0, 0}, 16},  /* private */
        {{198, 18, 0, 0}, 15},   /* benchmarks of networks */
        {{198, 51, 100, 0}, 24}, /* documentation */
        {{203, 0, 113, 0}, 24},  /* documentation */
        {{224, 0, 0, 0}, 4},     /* multicast */
        {{240, 0, 0, 0}, 4},     /* reserved, broadcast */
};

/* Of 2000::/3, outside of which no IPv6 address is public. */
static const struct range special6[] = {
        {{0x20, 0x01}, 23},             /* 2001::/23: protocol assignments, Teredo */
        {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
        {{0x3f, 0xff}, 20},             /* documentation */
};

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
static const unsigned char nat64[12] = {0, 0x64, 0xff, 0x9b};

static bool within(const unsigned char *address, const unsigned char *net, unsigned int bits)
{
	unsigned int whole = bits / 8, rest = bits % 8;

	if (memcmp(address, net, whole) != 0)
		return false;
	return !rest || (address[whole] >> (8 - rest)) == (net[whole] >> (8 - rest));
}

static bool is_public4(const unsigned char *a)
{
	for (size_t i = 0; i < ARRAY_SIZE(special4); i++)
		if (within(a, special4[i].net, special4[i].bits))
			return false;
	return true;
}

static bool is_public6(const unsigned char *a)
{
	if (memcmp(a, mapped, sizeof(mapped)) == 0 || memcmp(a, nat64, sizeof(nat64)) == 0)
		return is_public4(a + 12);
	if (a[0] == 0x20 && a[1] == 0x02) /* 6to4 */
		return is_public4(a + 2);
	if ((a[0] & 0xe0) != 0x20)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(special6); i++)
		if (within(a, special6[i].net, special6[i].bits))
			return false;
	return true;
}

static bool permits(const struct guard *g, const unsigned char a[16])
{
	for (size_t i = 0; i < g->count; i++)
		if (within(a, g->allow[i].net, g->allow[i].bits))
			return true;
	return is_public6(a);
}

/* True for an address of either family, as 16 bytes. */
static bool read_address(const char *text, unsigned char out[16], bool *four)
{
	*four = inet_pton(AF_INET, text, out + 12) == 1;
	if (*four)
		memcpy(out, mapped, sizeof(mapped));
	return *four || inet_pton(AF_INET6, text, out) == 1;
}

enum err guard_allow(struct guard *g, const char *net, struct why *w)
{
	const char *slash = strchr(net, '/');
	char *address = slash ? xstrndup(net, (size_t)(slash - net)) : xstrdup(net);
	struct guard_net n = {{0}, 128};
	int64_t bits = 0;
	bool four = false, read = read_address(address, n.net, &four);
	enum err e = OK;

	free(address);
	if (read && slash)
		e = int_parse(slash + 1, 0, four ? 32 : 128, &bits, NULL);
	if (!read || e != OK)
		return err_set(w, ERR_INPUT,
		               "\"%s\" is not a network: expected ADDRESS/BITS, as in 10.0.0.0/8",
		               net);
	if (slash)
		n.bits = (unsigned int)bits + (four ? V4_BITS : 0);
	for (unsigned int i = n.bits; i < 128; i++)
		if (n.net[i / 8] & (0x80 >> i % 8))
			return err_set(w, ERR_INPUT,
			               "\"%s\": the address has bits behind its /%lld", net,
			               (long long)bits);
	g->allow = xreallocarray(g->allow, g->count + 1, sizeof(*g->allow));
	g->allow[g->count++] = n;
	return OK;
}

bool guard_permits(const struct guard *g, const struct sockaddr *to)
{
	unsigned char a[16];

	if (to->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, to, sizeof(in));
		memcpy(a, mapped, sizeof(mapped));
		memcpy(a + 12, &in.sin_addr, 4);
	} else if (to->sa_family == AF_INET6) {
		struct sockaddr_in6 in;

		memcpy(&in, to, sizeof(in));
		memcpy(a, &in.sin6_addr, 16);
	} else {
		return false;
	}
	return permits(g, a);
}

bool guard_permits_text(const struct guard *g, const char *address)
{
	unsigned char a[16];
	bool four;

	return !read_address(address, a, &four) || permits(g, a);
}

void guard_release(struct guard *g)
{
	free(g->allow);
	*g = (struct guard){0};
}
