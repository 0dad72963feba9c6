#include "lib/utf8.h"

/* Lead bytes of one shape, and the bounds of the byte that follows them: the
 * narrower bounds keep overlong forms, surrogates and what is past U+10FFFF
 * out. All further bytes are 80..BF. */
static const struct {
	unsigned char lead_low, lead_high;
	unsigned char len;
	unsigned char next_low, next_high;
} shapes[] = {
        {0x00, 0x7f, 1, 0x00, 0x00}, {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
        {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
        {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

size_t utf8_step(const char *s, size_t len)
{
	const unsigned char *b = (const unsigned char *)s;

	if (len == 0)
		return 0;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (b[0] < shapes[i].lead_low || b[0] > shapes[i].lead_high)
			continue;
		if (shapes[i].len > len)
			return 0;
		for (size_t k = 1; k < shapes[i].len; k++) {
			unsigned char low = k == 1 ? shapes[i].next_low : 0x80;
			unsigned char high = k == 1 ? shapes[i].next_high : 0xbf;

			if (b[k] < low || b[k] > high)
				return 0;
		}
		return shapes[i].len;
	}
	return 0;
}
