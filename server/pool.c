/* pool.c - memory that is freed at once: blocks in a chain, each twice the last. */
#include "server/pool.h"

#include "lib/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MIN 4096
#define BLOCK_MAX (256 * 1024)
#define ALIGN     _Alignof(max_align_t)

struct block {
	struct block *next;
	size_t used, size;
	_Alignas(max_align_t) char data[];
};

struct pool {
	struct block *top;
};

struct pool *pool_new(void)
{
	return xcalloc(1, sizeof(struct pool));
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	while (p->top) {
		struct block *b = p->top;

		p->top = b->next;
		free(b);
	}
	free(p);
}

void *pool_alloc(struct pool *p, size_t bytes)
{
	struct block *b = p->top;
	void *at;

	bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
	if (!b || b->size - b->used < bytes) {
		size_t size = b ? b->size * 2 : BLOCK_MIN;

		if (size > BLOCK_MAX)
			size = BLOCK_MAX;
		if (size < bytes)
			size = bytes;
		b = xmalloc(sizeof(*b) + size);
		b->next = p->top;
		b->used = 0;
		b->size = size;
		p->top = b;
	}
	at = b->data + b->used;
	b->used += bytes;
	memset(at, 0, bytes);
	return at;
}

void *pool_copy(struct pool *p, const void *data, size_t len)
{
	char *at = pool_alloc(p, len + 1);

	if (len)
		memcpy(at, data, len);
	return at;
}

char *pool_strn(struct pool *p, const char *s, size_t n)
{
	return pool_copy(p, s, n);
}

char *pool_str(struct pool *p, const char *s)
{
	return s ? pool_copy(p, s, strlen(s)) : NULL;
}

char *pool_fmt(struct pool *p, const char *fmt, ...)
{
	va_list ap;
	char *text, *kept;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	kept = pool_str(p, text);
	free(text);
	return kept;
}

void *pool_push(struct pool *p, void **array, size_t *count, size_t size)
{
	size_t n = *count;

	/* The capacity is the power of two at or above the count, from 8. */
	if (n == 0 || (n >= 8 && (n & (n - 1)) == 0)) {
		char *bigger = pool_alloc(p, (n ? n * 2 : 8) * size);

		if (n)
			memcpy(bigger, *array, n * size);
		*array = bigger;
	}
	*count = n + 1;
	return (char *)*array + n * size;
}
