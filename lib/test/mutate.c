#include "lib/test/mutate.h"

#include "lib/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* xorshift64* (Vigna 2016): small, and the same on every libc */
static uint64_t next(uint64_t *s)
{
	*s ^= *s >> 12;
	*s ^= *s << 25;
	*s ^= *s >> 27;
	return *s * UINT64_C(2685821657736338717);
}

static size_t below(uint64_t *s, size_t n)
{
	return n ? (size_t)(next(s) >> 16) % n : 0;
}

/* One piece of damage; the block has room for twice its length and 64 bytes. */
static size_t damage(uint64_t *s, char *d, size_t len, size_t room)
{
	static const char *const tokens[] = {"\"", "=",       ",",    "#",
	                                     "[",  "]",       "\n",   "/",
	                                     "\\", "\xff",    "\xc3", "99999999999999999999",
	                                     "-1", "K",       "\t",   "\r\n",
	                                     " ",  "order=2", "NaN"};
	static const unsigned char edges[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
	size_t at = below(s, len), n;
	const char *t;

	switch (below(s, 7)) {
	case 0: /* a bit */
		if (len)
			d[at] = (char)(d[at] ^ 1 << below(s, 8));
		return len;
	case 1: /* a byte */
		if (len)
			d[at] = (char)edges[below(s, sizeof(edges))];
		return len;
	case 2: /* torn */
		return at;
	case 3: /* a piece less */
		n = below(s, len - at + 1);
		memmove(d + at, d + at + n, len - at - n);
		return len - n;
	case 4: /* a piece twice */
		n = below(s, len - at + 1);
		if (len + n > room)
			return len;
		memmove(d + at + n, d + at, len - at);
		return len + n;
	case 5: /* something with a meaning */
		t = tokens[below(s, ARRAY_SIZE(tokens))];
		n = strlen(t);
		if (len + n > room)
			return len;
		memmove(d + at + n, d + at, len - at);
		memcpy(d + at, t, n);
		return len + n;
	default: /* a word of four bytes at its extremes, as lengths and offsets are */
		if (len >= 4)
			memset(d + below(s, len - 3), below(s, 2) ? 0xff : 0x00, 4);
		return len;
	}
}

void mutate(const char *data, size_t len, int rounds, void (*try_one)(const char *data, size_t len))
{
	uint64_t s = UINT64_C(0x666f6c6477617463);
	size_t room = 2 * len + 64;
	char *work = xmalloc(room);

	for (int i = 0; i < rounds; i++) {
		size_t n = len;
		char *exact;

		memcpy(work, data, len);
		for (size_t k = below(&s, 4) + 1; k > 0; k--)
			n = damage(&s, work, n, room);
		exact = malloc(n ? n : 1);
		if (!exact)
			abort();
		memcpy(exact, work, n);
		try_one(exact, n);
		free(exact);
	}
	free(work);
}

char *mutate_text(const char *data, size_t len)
{
	char *text = xmalloc(len + 1);

	memcpy(text, data, len);
	text[len] = '\0';
	return text;
}
