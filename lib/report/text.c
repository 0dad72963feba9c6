#include "lib/report/text.h"

#include "lib/mem.h"
#include "lib/report/report.h"
#include "lib/utf8.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *text_ascii(const char *s, bool cell)
{
	size_t len = s ? strlen(s) : 0, at = 0, step;
	char *out = xmalloc(len + 1);

	for (size_t i = 0; i < len; i += step ? step : 1) {
		unsigned char c = (unsigned char)s[i];

		step = utf8_step(s + i, len - i);
		if (c >= 0x7f)
			out[at++] = '?';
		else if (c < 0x20)
			out[at++] = ' ';
		else
			out[at++] = cell && c == '|' ? '/' : (char)c;
	}
	out[at] = '\0';
	return out;
}

void text_percent(char out[PERCENT_TEXT], double fraction, int decimals, bool plus)
{
	double p = 100 * fraction;

	if (isnan(p)) {
		snprintf(out, PERCENT_TEXT, "-");
		return;
	}
	/* past ten million per cent digits say nothing, and columns burst */
	if (fabs(p) >= 1e7)
		snprintf(out, PERCENT_TEXT, plus ? "%+.1e%%" : "%.1e%%", p);
	else
		snprintf(out, PERCENT_TEXT, plus ? "%+.*f%%" : "%.*f%%", decimals, p);
	/* a sign in front of nothing but zeros reads as a direction */
	if (!strpbrk(out, "123456789i") && (out[0] == '-' || out[0] == '+'))
		memmove(out, out + 1, strlen(out));
}

void text_fill(struct buf *out, char c, size_t n)
{
	while (n-- > 0)
		buf_addc(out, c);
}

void text_left(struct buf *out, const char *s, size_t width)
{
	size_t len = strlen(s);

	buf_adds(out, s);
	if (len < width)
		text_fill(out, ' ', width - len);
}

void text_right(struct buf *out, const char *s, size_t width)
{
	size_t len = strlen(s);

	if (len < width)
		text_fill(out, ' ', width - len);
	buf_adds(out, s);
}

static void wrap(struct buf *out, size_t indent, const char *text)
{
	size_t column = 0;
	bool fresh = true; /* nothing but indent on this line yet */

	text += strspn(text, " ");
	while (*text) {
		size_t gap = fresh ? 0 : strspn(text, " ");
		size_t word = strcspn(text + gap, " ");

		if (word == 0)
			break; /* blanks at the end */
		/* a quoted line keeps its double blanks, but for a break among them */
		if (column + gap + word > REPORT_COLUMNS && !fresh) {
			buf_addc(out, '\n');
			text_fill(out, ' ', indent);
			column = indent;
			fresh = true;
			text += gap;
			continue;
		}
		if (column + gap + word > REPORT_COLUMNS)
			word = REPORT_COLUMNS - column; /* longer than a line: broken */
		buf_add(out, text, gap + word);
		column += gap + word;
		text += gap + word;
		fresh = false;
	}
	buf_addc(out, '\n');
}

void text_wrapf(struct buf *out, size_t indent, const char *fmt, ...)
{
	va_list ap;
	char *text, *ascii;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	ascii = text_ascii(text, false);
	wrap(out, indent, ascii);
	free(ascii);
	free(text);
}

/* `suffix` stands behind the cut. Head and tail stay, since branches of one
 * series differ at their ends as often as at their beginnings. */
static char *cut_middle(const char *s, size_t width, const char *suffix)
{
	size_t len = strlen(s), add = strlen(suffix), room, head, tail;

	if (add >= width)
		return xstrdup(suffix);
	room = width - add;
	if (len <= room)
		return xasprintf("%s%s", s, suffix);
	head = room / 2;
	tail = room - head - 1;
	return xasprintf("%.*s~%s%s", (int)head, s, s + len - tail, suffix);
}

char *text_cut(const char *s, size_t width)
{
	return cut_middle(s, width, "");
}

static bool taken(const struct labels *l, size_t before, const char *label)
{
	for (size_t i = 0; i < before; i++)
		if (strcmp(l->label[i], label) == 0)
			return true;
	return false;
}

void labels_init(struct labels *l, const char *const *names, size_t n, size_t width)
{
	*l = (struct labels){xcalloc(n ? n : 1, sizeof(char *)), xcalloc(n ? n : 1, sizeof(char *)),
	                     n};
	for (size_t i = 0; i < n; i++) {
		char suffix[16] = "";

		l->full[i] = text_ascii(names[i], true);
		if (l->full[i][strspn(l->full[i], " ")] == '\0') {
			free(l->full[i]);
			l->full[i] = xstrdup("(no name)");
		}
		l->label[i] = cut_middle(l->full[i], width, suffix);
		for (unsigned int k = 2; taken(l, i, l->label[i]); k++) {
			free(l->label[i]);
			snprintf(suffix, sizeof(suffix), "~%u", k);
			l->label[i] = cut_middle(l->full[i], width, suffix);
		}
	}
}

void labels_release(struct labels *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->label[i]);
		free(l->full[i]);
	}
	free(l->label);
	free(l->full);
}

size_t labels_width(const struct labels *l)
{
	size_t width = 0;

	for (size_t i = 0; i < l->n; i++) {
		size_t len = strlen(l->label[i]);

		width = len > width ? len : width;
	}
	return width;
}

void text_legend(const char *label, const char *full, struct buf *legend)
{
	struct buf line;

	if (strcmp(label, full) == 0)
		return;
	buf_init(&line, 64 * 1024);
	text_wrapf(&line, 4, "\"%s\" is %s", label, full);
	if (!strstr(legend->data, line.data))
		buf_add(legend, line.data, line.len);
	buf_release(&line);
}

void labels_legend(const struct labels *l, struct buf *legend)
{
	for (size_t i = 0; i < l->n; i++)
		text_legend(l->label[i], l->full[i], legend);
}
