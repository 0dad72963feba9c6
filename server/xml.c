#include "server/xml.h"

#include "lib/utf8.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

static bool is_allowed(const char *s, size_t n)
{
	if (n == 1)
		return (unsigned char)*s >= ' ' || *s == '\t' || *s == '\n';
	return n &&
	       (n != 3 || (memcmp(s, "\xef\xbf\xbe", 3) != 0 && memcmp(s, "\xef\xbf\xbf", 3) != 0));
}

/* One character of n bytes; 0: no UTF-8. */
static void one(struct buf *b, const char *s, size_t n)
{
	if (!is_allowed(s, n))
		buf_adds(b, "\xef\xbf\xbd");
	else if (*s == '&')
		buf_adds(b, "&amp;");
	else if (*s == '<')
		buf_adds(b, "&lt;");
	else if (*s == '>')
		buf_adds(b, "&gt;");
	else if (*s == '"')
		buf_adds(b, "&quot;");
	else
		buf_add(b, s, n);
}

void xml_text(struct buf *b, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		size_t n = utf8_step(text, left), step = n ? n : 1;

		one(b, text, n);
		text += step;
		left -= step;
	}
}

void xml_open(struct buf *b, const char *name, ...)
{
	const char *key;
	va_list ap;

	buf_addf(b, "<%s", name);
	va_start(ap, name);
	while ((key = va_arg(ap, const char *))) {
		buf_addf(b, " %s=\"", key);
		xml_text(b, va_arg(ap, const char *));
		buf_addc(b, '"');
	}
	va_end(ap);
	buf_addc(b, '>');
}

void xml_close(struct buf *b, const char *name)
{
	buf_addf(b, "</%s>\n", name);
}

void xml_element(struct buf *b, const char *name, const char *text)
{
	if (!text)
		return;
	xml_open(b, name, NULL);
	xml_text(b, text);
	xml_close(b, name);
}
