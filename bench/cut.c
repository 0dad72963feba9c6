#include "bench/cut.h"

size_t block_bytes(size_t page)
{
	return page <= 4ul << 10 ? 64ul << 10 : 2ul << 20;
}

struct cut cut_block(size_t bytes, size_t page)
{
	size_t block = block_bytes(page);

	return (struct cut){.step = block, .from = (block - bytes) / 2 / page * page, .len = bytes};
}

struct cut cut_all(size_t len)
{
	return (struct cut){.step = len, .len = len};
}

bool cut_has(const struct cut *c, size_t offset)
{
	size_t in = c->len ? offset % c->step : 0;

	return c->len && in >= c->from && in < c->from + c->len;
}

uint64_t cut_count(const struct cut *c, size_t size)
{
	return c->len ? size / c->step : 0;
}

uint64_t cut_left(const struct cut *c, size_t size)
{
	uint64_t n = cut_count(c, size);

	if (!n)
		return 1;
	if (c->len == c->step)
		return 0;
	/* In mid-block something stays on both sides, and the end of one block
	 * and the beginning of the next are one piece. */
	return c->from && c->from + c->len < c->step ? n + 1 : n;
}

uint64_t cut_pieces(const struct cut *c, size_t size)
{
	uint64_t n = cut_count(c, size);

	return n && c->len == c->step ? 1 : n + cut_left(c, size);
}
