#include "lib/err.h"

#include "lib/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `reads_back`: of the errors that share a status, the one that the status
 * stands for when a client sees it. */
static const struct {
	const char *name;
	int http;
	int exit;
	bool reads_back;
} errors[ERR_COUNT] = {
        [OK] = {"ok", 200, 0, true},
        [ERR_INPUT] = {"input", 400, 2, true},
        [ERR_AUTH] = {"auth", 401, 4, true},
        [ERR_DENIED] = {"denied", 403, 4, true},
        [ERR_NOT_FOUND] = {"not_found", 404, 5, true},
        [ERR_METHOD] = {"method", 405, 2, true},
        [ERR_CONFLICT] = {"conflict", 409, 6, true},
        [ERR_TOO_LARGE] = {"too_large", 413, 2, true},
        [ERR_UNPROCESSABLE] = {"unprocessable", 422, 2, true},
        [ERR_BUSY] = {"busy", 429, 7, true},
        [ERR_UNAVAILABLE] = {"unavailable", 503, 7, true},
        [ERR_NO_SPACE] = {"no_space", 507, 8, true},
        [ERR_IO] = {"io", 500, 1, false},
        [ERR_TIMEOUT] = {"timeout", 504, 7, true},
        [ERR_CANCELLED] = {"cancelled", 409, 9, false},
        [ERR_INTERNAL] = {"internal", 500, 1, true},
};

static bool known(enum err e)
{
	return (unsigned int)e < ERR_COUNT;
}

/* Copy a sentence so that it is one line of UTF-8, cut between characters.
 * Reasons quote what came from outside, and end up in JSON and in logs. */
static void settle(struct why *w, const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		size_t step = utf8_step(text + i, len - i);
		unsigned char c = (unsigned char)text[i];

		if (n + (step ? step : 1) >= WHY_TEXT)
			break;
		if (step == 0)
			w->text[n++] = '?';
		else if (c < 0x20 || c == 0x7f)
			w->text[n++] = ' ';
		else
			for (size_t k = 0; k < step; k++)
				w->text[n++] = text[i + k];
		i += step ? step : 1;
	}
	w->text[n] = '\0';
}

/* Where a format stopped in the middle of a character, that character must go
 * rather than turn into a question mark. */
static size_t whole_characters(const char *text, size_t len, bool cut)
{
	size_t back;

	if (!cut)
		return len;
	for (back = 1; back <= 3 && back <= len; back++) {
		unsigned char c = (unsigned char)text[len - back];

		if (c < 0x80)
			return len;
		if (c >= 0xc0)
			return utf8_step(text + len - back, back) == back ? len : len - back;
	}
	return len;
}

/* The arguments may point into w->text: it is written last. */
static void set_text(struct why *w, const char *text, int wanted, size_t room)
{
	bool cut = wanted >= 0 && (size_t)wanted >= room;
	size_t len = wanted < 0 ? 0 : cut ? room - 1 : (size_t)wanted;

	settle(w, text, whole_characters(text, len, cut));
}

enum err err_set(struct why *w, enum err e, const char *fmt, ...)
{
	char text[WHY_TEXT];
	va_list ap;
	int n;

	if (!w)
		return e;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	set_text(w, text, n, sizeof(text));
	return e;
}

enum err err_sys(struct why *w, enum err e, const char *fmt, ...)
{
	int code = errno;
	char first[WHY_TEXT];
	char words[128];
	va_list ap;
	int n;

	if (code == ENOSPC || code == EDQUOT)
		e = ERR_NO_SPACE;
	if (!w)
		return e;
	va_start(ap, fmt);
	n = vsnprintf(first, sizeof(first), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(first)) {
		set_text(w, first, n, sizeof(first));
		return e;
	}
	return err_set(w, e, "%s: %s", n < 0 ? "" : first, strerror_r(code, words, sizeof(words)));
}

enum err err_at(struct why *w, enum err e, const char *fmt, ...)
{
	char place[WHY_TEXT];
	va_list ap;
	int n;

	if (e == OK || !w)
		return e;
	va_start(ap, fmt);
	n = vsnprintf(place, sizeof(place), fmt, ap);
	va_end(ap);
	return err_set(w, e, "%s: %s", n < 0 ? "" : place, w->text);
}

const char *err_name(enum err e)
{
	return known(e) ? errors[e].name : errors[ERR_INTERNAL].name;
}

int err_http_status(enum err e)
{
	return known(e) ? errors[e].http : errors[ERR_INTERNAL].http;
}

int err_exit_code(enum err e)
{
	return known(e) ? errors[e].exit : errors[ERR_INTERNAL].exit;
}

enum err err_from_http(int status)
{
	if (status >= 200 && status <= 299)
		return OK;
	for (int e = OK + 1; e < ERR_COUNT; e++)
		if (errors[e].reads_back && errors[e].http == status)
			return (enum err)e;
	return status >= 400 && status <= 499 ? ERR_INPUT : ERR_UNAVAILABLE;
}

void err_bug_at(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "foldwatch: broken invariant at %s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}
