#include "lib/buf.h"

#include "lib/err.h"
#include "lib/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 256

/* What `data` points to before the first addition; never written. */
static char nothing[1];

static bool owns(const struct buf *b)
{
	return b->cap > 0;
}

/* Room for `more` bytes and the NUL, or false when that would pass max. */
static bool reserve(struct buf *b, size_t more)
{
	size_t need, cap;

	if (more > b->max || b->len > b->max - more || b->len + more == SIZE_MAX) {
		b->full = true;
		return false;
	}
	need = b->len + more + 1;
	if (need <= b->cap)
		return true;
	/* What comes whole needs its own size; only what grows needs spare room. */
	cap = b->cap ? b->cap : need > FIRST_CAP ? need : FIRST_CAP;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	/* doubling must not take much more than the maximum allows */
	if (b->max < SIZE_MAX && cap > b->max + 1)
		cap = b->max + 1;
	b->data = xreallocarray(owns(b) ? b->data : NULL, cap, 1);
	b->cap = cap;
	return true;
}

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.data = nothing, .max = max};
}

void buf_release(struct buf *b)
{
	if (owns(b))
		free(b->data);
	buf_init(b, b->max);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->full = false;
	if (owns(b))
		b->data[0] = '\0';
}

bool buf_add(struct buf *b, const void *data, size_t len)
{
	if (!reserve(b, len))
		return false;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return true;
}

bool buf_adds(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

bool buf_addc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

bool buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		err_bug("cannot format \"%s\"", fmt);
	if (!reserve(b, (size_t)n))
		return false;
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
	return true;
}

bool buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	bool fitted;

	va_start(ap, fmt);
	fitted = buf_vaddf(b, fmt, ap);
	va_end(ap);
	return fitted;
}

void buf_drop(struct buf *b, size_t n)
{
	if (n > b->len)
		err_bug("dropping %zu bytes of a buffer of %zu", n, b->len);
	if (n == 0)
		return;
	b->len -= n;
	memmove(b->data, b->data + n, b->len + 1);
}

char *buf_take(struct buf *b, size_t *len)
{
	char *data = owns(b) ? b->data : xstrdup("");

	if (len)
		*len = b->len;
	buf_init(b, b->max);
	return data;
}
