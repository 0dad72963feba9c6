#include "cli/stat_series.h"

#include "lib/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS    " \t\r"
#define SHOWN     40
#define FIELD_MAX 64 /* bytes of a number */

struct span {
	const char *at;
	size_t len;
};

static struct span trimmed(const char *at, const char *end)
{
	while (at < end && strchr(BLANKS, *at) && *at)
		at++;
	while (end > at && end[-1] && strchr(BLANKS, end[-1]))
		end--;
	return (struct span){at, (size_t)(end - at)};
}

/* Decimal, finite; what strtod() would take beside that (hex, infinity, nan) is
 * no number here. */
static bool number(struct span s, double *out)
{
	char copy[FIELD_MAX + 1], *end;

	if (!s.len || s.len > FIELD_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!s.at[i] || !strchr("0123456789+-.eE", s.at[i]))
			return false;
	memcpy(copy, s.at, s.len);
	copy[s.len] = '\0';
	*out = strtod(copy, &end);
	return !*end && isfinite(*out);
}

static enum err wrong(size_t line, const char *expected, struct span got, struct why *w)
{
	return err_set(w, ERR_INPUT, "line %zu: expected %s, got \"%.*s\"", line, expected,
	               (int)(got.len > SHOWN ? SHOWN : got.len), got.at);
}

static enum err read_line(struct span s, size_t line, bool first, double *value, bool *header,
                          struct why *w)
{
	const char *end = s.at + s.len, *comma = memchr(s.at, ',', s.len);
	struct span index, field;

	*header = false;
	if (!comma)
		return wrong(line, "\"index,value\"", s, w);
	index = trimmed(s.at, comma);
	field = trimmed(comma + 1, end);
	if (!index.len || memchr(field.at, ',', field.len))
		return wrong(line, "\"index,value\"", s, w);
	if (number(field, value))
		return OK;
	*header = first && field.len;
	return *header ? OK : wrong(line, "a finite number behind the comma", field, w);
}

enum err stat_series_read(const char *text, size_t len, double **out, size_t *count, struct why *w)
{
	static const char mark[3] = {(char)0xef, (char)0xbb, (char)0xbf};
	const char *at = text, *end = text + len;
	size_t room = 0, line = 0;
	enum err e = OK;

	*out = NULL;
	*count = 0;
	if (len >= sizeof(mark) && memcmp(text, mark, sizeof(mark)) == 0)
		at += sizeof(mark);
	while (end > at && (end[-1] == '\n' || (end[-1] && strchr(BLANKS, end[-1]))))
		end--;
	while (e == OK && at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		const char *stop = nl ? nl : end;
		double value = 0;
		bool header;

		line++;
		e = read_line(trimmed(at, stop), line, line == 1, &value, &header, w);
		at = nl ? nl + 1 : end;
		if (e != OK || header)
			continue;
		if (*count == room) {
			room = room ? room * 2 : 256;
			*out = xreallocarray(*out, room, sizeof(**out));
		}
		(*out)[(*count)++] = value;
	}
	if (e == OK && !*count)
		e = err_set(w, ERR_INPUT, "there is no line \"index,value\" in it");
	if (e != OK) {
		free(*out);
		*out = NULL;
		*count = 0;
	}
	return e;
}
