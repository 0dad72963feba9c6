#include "bench/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void reason_set(struct reason *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->text, sizeof(w->text), fmt, ap);
	va_end(ap);
}

long text_read(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;

	if (fd < 0)
		return -1;
	while (len < size - 1) {
		ssize_t n = read(fd, out + len, size - 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int saved = errno;

			close(fd);
			errno = saved;
			return -1;
		}
		if (!n)
			break;
		len += (size_t)n;
	}
	close(fd);
	while (len && out[len - 1] == '\n')
		len--;
	out[len] = '\0';
	return (long)len;
}

int text_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;
	int saved;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	saved = errno;
	close(fd);
	errno = saved;
	return n < 0 ? -1 : 0;
}

int fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

bool u64_parse(const char *text, size_t len, uint64_t *value)
{
	uint64_t v = 0;

	if (!len)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned int digit = (unsigned int)(unsigned char)text[i] - '0';

		if (digit > 9 || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, digit, &v))
			return false;
	}
	*value = v;
	return true;
}

bool text_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

void choice_parse(const char *text, char *out, size_t size)
{
	const char *open = strchr(text, '[');
	const char *close = open ? strchr(open, ']') : NULL;
	size_t len = close ? (size_t)(close - open - 1) : 0;

	if (len >= size)
		len = 0;
	if (len)
		memcpy(out, open + 1, len);
	out[len] = '\0';
}

bool line_value(const char *text, const char *name, uint64_t *value)
{
	size_t len = strlen(name);

	for (const char *p = text; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL) {
		if (!text_starts(p, name) || !p[len] || !strchr(" \t", p[len]))
			continue;
		p += len;
		p += strspn(p, " \t");
		return u64_parse(p, strspn(p, "0123456789"), value);
	}
	return false;
}

void lines_init(struct lines *l, int fd)
{
	l->fd = fd;
	l->start = l->end = 0;
	l->eof = false;
}

char *lines_next(struct lines *l)
{
	for (;;) {
		char *at = l->buf + l->start;
		char *nl = memchr(at, '\n', l->end - l->start);
		ssize_t n;

		if (nl) {
			*nl = '\0';
			l->start = (size_t)(nl - l->buf) + 1;
			return at;
		}
		if (l->eof || l->end - l->start >= sizeof(l->buf) - 1) {
			if (l->start == l->end)
				return NULL;
			l->buf[l->end] = '\0';
			l->start = l->end = 0;
			return at;
		}
		memmove(l->buf, at, l->end - l->start);
		l->end -= l->start;
		l->start = 0;
		do
			n = read(l->fd, l->buf + l->end, sizeof(l->buf) - 1 - l->end);
		while (n < 0 && errno == EINTR);
		if (n <= 0)
			l->eof = true;
		else
			l->end += (size_t)n;
	}
}
