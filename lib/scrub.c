/*
 * utf8.c - UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing
 * past U+10FFFF.
 */
#include "lib/json.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Length of the valid sequence at s[0..len), or 0. */
static size_t sequence(const unsigned char *s, size_t len)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t n, i;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	/* The second byte's range is what keeps out overlong forms, surrogates
	 * and code points past the end (RFC 3629, section 4). */
	if (s[0] == 0xe0)
		low = 0xa0;
	if (s[0] == 0xed)
		high = 0x9f;
	if (s[0] == 0xf0)
		low = 0x90;
	if (s[0] == 0xf4)
		high = 0x8f;
	if (n > len || s[1] < low || s[1] > high)
		return 0;
	for (i = 2; i < n; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return n;
}

/* C0, DEL and C1: what a terminal may take for a command. */
static bool is_control(const unsigned char *s, size_t n)
{
	return (n == 1 && (s[0] < 0x20 || s[0] == 0x7f)) || (n == 2 && s[0] == 0xc2 && s[1] < 0xa0);
}

bool utf8_valid(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t i = 0, n;

	while (i < len) {
		n = sequence(p + i, len - i);
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
		n = sequence(p + i, len - i);
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

		n = sequence(p + i, len - i);
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
