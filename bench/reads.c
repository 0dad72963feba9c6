#include "bench/reads.h"

#include "bench/folio.h"

#define SEED UINT64_C(0x9e3779b97f4a7c15)
#define LINE 64

uint64_t reads_count(size_t size, size_t page)
{
	return size / page;
}

/* Where the next read goes, in [0, size), on a line's first byte; `read` is what
 * the one before it saw. */
static inline __attribute__((always_inline)) size_t next(uint64_t *x, unsigned char read,
                                                         size_t size)
{
	uint64_t v = *x + read;

	v ^= v << 13;
	v ^= v >> 7;
	v ^= v << 17;
	*x = v;
	/* The upper half of v * size: uniform, and no division. */
	return (size_t)((unsigned __int128)v * size >> 64) & ~(size_t)(LINE - 1);
}

static uint64_t sum_random(const char *at, size_t size, uint64_t n)
{
	uint64_t x = SEED, sum = 0;
	unsigned char byte = 0;

	while (n--) {
		byte = *(const volatile unsigned char *)(at + next(&x, byte, size));
		sum += byte;
	}
	return sum;
}

/* The same from what populate wrote: a page's first byte, zeros behind it. */
static uint64_t expected_random(size_t size, size_t page, uint64_t n)
{
	uint64_t x = SEED, sum = 0;
	unsigned char byte = 0;

	while (n--) {
		size_t i = next(&x, byte, size);

		byte = i % page ? 0 : folio_byte(i / page);
		sum += byte;
	}
	return sum;
}

static enum run_state compare(struct run *r, uint64_t sum, uint64_t want)
{
	if (sum == want)
		return RUN_VALID;
	return run_answer(r, RUN_INVALID,
	                  "what was read adds up to %llu, and %llu was written there",
	                  (unsigned long long)sum, (unsigned long long)want);
}

enum run_state reads_window(struct run *r, const struct region *at)
{
	uint64_t sum, n = reads_count(at->size, r->page);

	meter_start(r->meter);
	sum = sum_random(at->at, at->size, n);
	meter_stop(r->meter);

	return compare(r, sum, expected_random(at->size, r->page, n));
}

enum run_state reads_each_window(struct run *r, const struct region *at)
{
	uint64_t sum = 0, want = 0;

	meter_start(r->meter);
	for (size_t i = 0; i < at->size; i += r->page)
		sum += *(const volatile unsigned char *)(at->at + i);
	meter_stop(r->meter);

	for (size_t i = 0; i < at->size / r->page; i++)
		want += folio_byte(i);
	return compare(r, sum, want);
}
