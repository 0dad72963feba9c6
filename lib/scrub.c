/*
 * scrub.c - foreign bytes made fit for JSON and for a terminal.
 */
#include "lib/json.h"
#include "lib/utf8.h"

#include <stdint.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* C0, DEL and C1: what a terminal may take for a command. */
static bool is_control(const unsigned char *s, size_t n)
{
	return (n == 1 && (s[0] < 0x20 || s[0] == 0x7f)) || (n == 2 && s[0] == 0xc2 && s[1] < 0xa0);
}

/* Bytes from s on, in eights, that are all ASCII and none of them NUL. */
static size_t plain_run(const char *s, size_t len)
{
	const uint64_t high = 0x8080808080808080u, one = 0x0101010101010101u;
	size_t i = 0;

	for (; i + sizeof(uint64_t) <= len; i += sizeof(uint64_t)) {
		uint64_t v;

		memcpy(&v, s + i, sizeof(v));
		/* A byte without its high bit that borrows is a NUL. */
		if ((v | (v - one)) & high)
			break;
	}
	return i;
}

bool utf8_valid(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t i = 0, n;

	/* Nearly all that comes here is ASCII, and a result is 100 KB of it. */
	while ((i += plain_run(s + i, len - i)) < len) {
		n = utf8_step(s + i, len - i);
		if (!n || !p[i])
			return false;
		i += n;
	}
	return true;
}

bool utf8_has_control(const char *s, size_t len, bool text)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t i = 0, n;

	while (i < len) {
		n = utf8_step(s + i, len - i);
		if (!n)
			n = 1;
		else if (is_control(p + i, n) &&
		         !(text && (p[i] == '\n' || p[i] == '\t' || p[i] == '\r')))
			return true;
		i += n;
	}
	return false;
}

void utf8_scrub(struct buf *b, const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t i = 0, from = 0, n;

	while (i < len) {
		bool keep, drop;

		n = utf8_step(s + i, len - i);
		drop = p[i] == '\r' && i + 1 < len && p[i + 1] == '\n';
		keep = n && !drop && (p[i] == '\n' || p[i] == '\t' || !is_control(p + i, n));
		if (keep) {
			i += n;
			continue;
		}
		/* Stop at the first piece that does not fit: a later, shorter one
		 * would leave a hole that nobody sees. */
		if (!buf_add(b, s + from, i - from))
			return;
		if (!drop && !buf_adds(b, REPLACEMENT))
			return;
		i += n ? n : 1;
		from = i;
	}
	buf_add(b, s + from, len - from);
}
