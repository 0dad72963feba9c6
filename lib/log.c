#include "lib/log.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define VALUES     16
#define VALUE_SIZE 40

/* A write to a pipe is whole up to PIPE_BUF bytes (pipe(7)), so a line is at
 * most that long; one that is cut says so in its last pair. */
#define LINE_SIZE PIPE_BUF
#define CUT_MARK  "cut=yes"
#define LINE_ROOM (LINE_SIZE - sizeof("\" " CUT_MARK "\n"))

struct line {
	char text[LINE_SIZE];
	size_t len;
	bool cut;
};

static const char *const level_names[] = {
        [LOG_ERROR] = "error",
        [LOG_WARN] = "warn",
        [LOG_INFO] = "info",
        [LOG_DEBUG] = "debug",
};

static atomic_int shown = LOG_INFO;

void log_set_level(enum log_level level)
{
	atomic_store(&shown, (int)level);
}

int log_level_parse(const char *word, enum log_level *level)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
		if (str_eq(word, level_names[i])) {
			*level = (enum log_level)i;
			return 0;
		}
	}
	return -1;
}

static bool put(struct line *l, const char *data, size_t len)
{
	if (l->cut || l->len + len > LINE_ROOM) {
		l->cut = true;
		return false;
	}
	memcpy(l->text + l->len, data, len);
	l->len += len;
	return true;
}

/* Length of the character at s when it may stand in a log as it is, else 0:
 * not what moves a terminal's cursor (C0, DEL, C1), nor what is not UTF-8. */
static size_t plain(const char *s, size_t len)
{
	size_t step = utf8_step(s, len);
	unsigned char c = (unsigned char)s[0];

	if (step == 1 && (c < 0x20 || c == 0x7f))
		return 0;
	if (step == 2 && c == 0xc2 && (unsigned char)s[1] < 0xa0)
		return 0;
	return step;
}

static bool needs_quotes(const char *s, size_t len)
{
	if (len == 0)
		return true;
	for (size_t i = 0; i < len;) {
		size_t step = plain(s + i, len - i);

		if (step == 0 || strchr(" \"=\\", s[i]))
			return true;
		i += step;
	}
	return false;
}

static void put_quoted(struct line *l, const char *s, size_t len)
{
	static const char named[] = "\nn\tt\rr\"\"\\\\";
	size_t opened = l->len;

	if (!put(l, "\"", 1))
		return;
	for (size_t i = 0; i < len;) {
		size_t step = plain(s + i, len - i);
		const char *name = NULL;
		char escape[5];
		bool fitted;

		for (size_t k = 0; k + 1 < sizeof(named); k += 2)
			if (named[k] == s[i])
				name = &named[k + 1];
		if (name) {
			fitted = put(l, (const char[]){'\\', *name}, 2);
			step = 1;
		} else if (step) {
			fitted = put(l, s + i, step);
		} else {
			/* octal has a fixed length in C, \x has none */
			snprintf(escape, sizeof(escape), "\\%03o", (unsigned char)s[i]);
			fitted = put(l, escape, 4);
			step = 1;
		}
		if (!fitted)
			break;
		i += step;
	}
	/* LINE_ROOM keeps a place for this one */
	if (l->len > opened)
		l->text[l->len++] = '"';
}

static void put_pair(struct line *l, const char *key, const char *value)
{
	size_t start = l->len;
	size_t len;

	if (!value)
		value = "-";
	len = strlen(value);
	if ((start > 0 && !put(l, " ", 1)) || !put(l, key, strlen(key)) || !put(l, "=", 1)) {
		l->len = start;
		return;
	}
	/* what is to be cut goes into quotes, where a cut is seen */
	if (needs_quotes(value, len) || l->len + len > LINE_ROOM)
		put_quoted(l, value, len);
	else
		put(l, value, len);
}

static void write_line(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* nobody listens; there is no other place to say so */
		text += n;
		len -= (size_t)n;
	}
}

void log_event(enum log_level level, const char *event, ...)
{
	int saved = errno;
	struct line l = {.len = 0};
	char iso[32], ts[40];
	int64_t now;
	const char *key;
	va_list ap;

	if ((int)level > atomic_load(&shown))
		return;
	now = clock_wall_ms();
	clock_iso(now, iso, sizeof(iso));
	snprintf(ts, sizeof(ts), "%.19s.%03dZ", iso, (int)(now % 1000));
	put_pair(&l, "ts", ts);
	put_pair(&l, "level", level_names[level]);
	put_pair(&l, "event", event);
	va_start(ap, event);
	while ((key = va_arg(ap, const char *)))
		put_pair(&l, key, va_arg(ap, const char *));
	va_end(ap);
	if (l.cut) {
		memcpy(l.text + l.len, " " CUT_MARK, sizeof(" " CUT_MARK) - 1);
		l.len += sizeof(" " CUT_MARK) - 1;
	}
	l.text[l.len++] = '\n';
	write_line(l.text, l.len);
	errno = saved;
}

static char *next_value(void)
{
	static _Thread_local char values[VALUES][VALUE_SIZE];
	static _Thread_local unsigned int turn;

	return values[turn++ % VALUES];
}

const char *log_i(int64_t value)
{
	char *out = next_value();

	snprintf(out, VALUE_SIZE, "%" PRId64, value);
	return out;
}

const char *log_f(double value)
{
	char *out = next_value();

	snprintf(out, VALUE_SIZE, "%.6g", value);
	return out;
}
