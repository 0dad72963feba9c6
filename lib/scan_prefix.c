/*
 * scan_prefix.c - what stands in front of a kernel's line.
 */
#include "lib/scan_prefix.h"

#include "lib/mem.h"

#include <string.h>

/* A cursor that never runs past the line. */
struct cursor {
	const char *at, *end;
};

static char peek(const struct cursor *c, size_t ahead)
{
	return (size_t)(c->end - c->at) > ahead ? c->at[ahead] : '\0';
}

static bool is_digit(char ch)
{
	return ch >= '0' && ch <= '9';
}

static bool is_alpha(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
}

static size_t digits(const struct cursor *c, size_t from)
{
	size_t n = 0;

	while (is_digit(peek(c, from + n)))
		n++;
	return n;
}

static size_t blanks(const struct cursor *c, size_t from)
{
	size_t n = 0;

	while (peek(c, from + n) == ' ')
		n++;
	return n;
}

/* What a template says: 9 a digit, a a letter, _ a blank or a digit, anything
 * else itself. */
static bool looks_like(const struct cursor *c, const char *template)
{
	for (size_t i = 0; template[i]; i++) {
		char ch = peek(c, i);

		switch (template[i]) {
		case '9':
			if (!is_digit(ch))
				return false;
			break;
		case 'a':
			if (!is_alpha(ch))
				return false;
			break;
		case '_':
			if (ch != ' ' && !is_digit(ch))
				return false;
			break;
		default:
			if (ch != template[i])
				return false;
		}
	}
	return true;
}

/* <4> */
static bool take_level(struct cursor *c)
{
	size_t n = digits(c, 1);

	if (peek(c, 0) != '<' || !n || n > 3 || peek(c, 1 + n) != '>')
		return false;
	c->at += n + 2;
	return true;
}

/* [    0.278000] */
static bool take_stamp(struct cursor *c, struct scan_prefix *p)
{
	size_t at = 1, whole, part;
	bool zero = true;

	if (peek(c, 0) != '[')
		return false;
	at += blanks(c, at);
	whole = digits(c, at);
	if (!whole || peek(c, at + whole) != '.')
		return false;
	part = digits(c, at + whole + 1);
	if (part < 3 || peek(c, at + whole + 1 + part) != ']')
		return false;
	for (size_t i = 0; i < whole + 1 + part; i++)
		zero = zero && (peek(c, at + i) == '0' || peek(c, at + i) == '.');
	c->at += at + whole + part + 2;
	p->has_stamp = true;
	p->at_zero = zero;
	return true;
}

/* [    T1] or [   C0], of CONFIG_PRINTK_CALLER */
static bool take_caller(struct cursor *c)
{
	size_t at = 1, n;

	if (peek(c, 0) != '[')
		return false;
	at += blanks(c, at);
	if (peek(c, at) != 'T' && peek(c, at) != 'C')
		return false;
	n = digits(c, at + 1);
	if (!n || peek(c, at + 1 + n) != ']')
		return false;
	c->at += at + n + 2;
	return true;
}

/* [Sat Nov 22 10:03:01 2025], of dmesg -T */
static bool take_date(struct cursor *c)
{
	static const char form[] = "[aaa aaa _9 99:99:99 9999]";

	if (!looks_like(c, form))
		return false;
	c->at += strlen(form);
	return true;
}

/* "kern  :warn  : ", of dmesg -x */
static bool take_facility(struct cursor *c)
{
	size_t at = 4, n = 0;

	if (!looks_like(c, "kern"))
		return false;
	at += blanks(c, at);
	if (peek(c, at++) != ':')
		return false;
	while (is_alpha(peek(c, at + n)))
		n++;
	at += n;
	at += blanks(c, at);
	if (!n || peek(c, at) != ':')
		return false;
	c->at += at + 1;
	return true;
}

/* "Nov 22 10:03:01 host kernel: " and "2025-11-22T10:03:01.123456+00:00 host
 * kernel: ", the host left out by some. */
static bool take_syslog(struct cursor *c, struct scan_prefix *p)
{
	static const char old[] = "aaa _9 99:99:99 ", iso[] = "9999-99-99T99:99:99";
	struct cursor in = *c;

	if (looks_like(&in, old)) {
		in.at += strlen(old);
	} else if (looks_like(&in, iso)) {
		in.at += strlen(iso);
		while (in.at < in.end && *in.at != ' ')
			in.at++;
		in.at += blanks(&in, 0);
	} else {
		return false;
	}
	for (int word = 0; word < 2; word++) {
		const char *start = in.at;

		if (peek(&in, 0) == '[' || peek(&in, 0) == '<')
			break; /* a serial line's recorder that wrote the time only */
		while (in.at < in.end && *in.at != ' ')
			in.at++;
		if (in.at > start && in.at[-1] == ':') {
			p->foreign = !((size_t)(in.at - start) == strlen("kernel:") &&
			               !memcmp(start, "kernel:", strlen("kernel:")));
			break;
		}
		in.at += blanks(&in, 0);
	}
	*c = in;
	return true;
}

struct scan_prefix scan_prefix(const char *line, size_t len)
{
	struct cursor c = {line, line + len};
	struct scan_prefix p = {0};
	bool more = take_syslog(&c, &p);

	while (more || c.at == line || c.at < c.end) {
		const char *before = c.at;

		c.at += blanks(&c, 0);
		more = take_level(&c) || take_stamp(&c, &p) || take_caller(&c) || take_date(&c) ||
		       take_facility(&c);
		if (!more) {
			if (before == line)
				c.at = before; /* blanks that follow nothing are the text's */
			break;
		}
	}
	p.len = (size_t)(c.at - line);
	return p;
}

size_t scan_uncolour(char *line, size_t len)
{
	size_t to = 0;

	if (!memchr(line, '\033', len))
		return len;
	for (size_t i = 0; i < len; i++) {
		size_t n = 2;

		if (line[i] == '\033' && i + 1 < len && line[i + 1] == '[') {
			while (i + n < len && (is_digit(line[i + n]) || line[i + n] == ';'))
				n++;
			if (i + n < len && line[i + n] == 'm') {
				i += n;
				continue;
			}
		}
		line[to++] = line[i];
	}
	return to;
}
