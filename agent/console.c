/*
 * console.c - see console.h.
 */
#include "agent/console.h"

#include "lib/json.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 4096

void console_init(struct console *c, const char *nonce)
{
	*c = (struct console){.scan = scan_new(0), .nonce = nonce};
	buf_init(&c->line, LINE_BYTES);
}

void console_release(struct console *c)
{
	scan_free(c->scan);
	buf_release(&c->line);
	c->scan = NULL;
}

static bool has_nonce(struct console *c, const char *words)
{
	const char *at = strstr(words, "nonce=");
	size_t n = strlen(c->nonce);

	if (at && !strncmp(at + 6, c->nonce, n) && (!at[6 + n] || at[6 + n] == ' '))
		return true;
	c->foreign = true;
	return false;
}

static void take_begin(struct console *c, const char *words)
{
	c->began = has_nonce(c, words) || c->began;
}

static void take_end(struct console *c, const char *words)
{
	c->ended = has_nonce(c, words) || c->ended;
}

/* "3/7 fork/order=9,size=256M" */
static void take_case(struct console *c, const char *words)
{
	char *end;
	int64_t number = strtoll(words, &end, 10), cases;

	if (*end != '/')
		return;
	cases = strtoll(end + 1, &end, 10);
	if (*end != ' ' || number < 1 || number > cases)
		return;
	c->case_number = number;
	c->cases = cases;
	snprintf(c->case_text, sizeof(c->case_text), "%.159s", end + 1);
}

static void take_failed(struct console *c, const char *words)
{
	if (!c->failed[0])
		snprintf(c->failed, sizeof(c->failed), "%.511s", words);
}

static const struct {
	const char *word;
	void (*take)(struct console *c, const char *words);
} words_of_bench[] = {
        {"foldbench: begin ", take_begin},
        {"foldbench: end ", take_end},
        {"foldbench: case ", take_case},
        {"foldbench: failed: ", take_failed},
};

static void remember(struct console *c, const char *line)
{
	if (!line[strspn(line, " \t")])
		return;
	memmove(c->last[0], c->last[1], sizeof(c->last) - sizeof(c->last[0]));
	snprintf(c->last[CONSOLE_LAST - 1], sizeof(c->last[0]), "%.150s", line);
}

static void end_line(struct console *c)
{
	struct buf clean;
	size_t i;

	buf_init(&clean, 4 * LINE_BYTES);
	utf8_scrub(&clean, c->line.data, c->line.len);
	remember(c, clean.data);
	for (i = 0; i < ARRAY_SIZE(words_of_bench); i++) {
		const char *at = strstr(clean.data, words_of_bench[i].word);

		if (at)
			words_of_bench[i].take(c, at + strlen(words_of_bench[i].word));
	}
	buf_release(&clean);
	buf_reset(&c->line);
}

void console_feed(struct console *c, const char *data, size_t len)
{
	c->bytes += len;
	scan_feed(c->scan, data, len);
	while (len) {
		const char *end = data;
		size_t n, room;

		while (end < data + len && *end != '\n' && *end != '\r')
			end++;
		n = (size_t)(end - data);
		room = c->line.max - c->line.len;
		buf_add(&c->line, data, n < room ? n : room);
		if (end == data + len)
			return;
		if (c->line.len)
			end_line(c);
		data += n + 1;
		len -= n + 1;
	}
}

void console_end(struct console *c)
{
	if (c->line.len)
		end_line(c);
	scan_end(c->scan);
}

void console_last_words(const struct console *c, struct buf *out)
{
	bool any = false;
	int i;

	for (i = 0; i < CONSOLE_LAST; i++) {
		if (!c->last[i][0])
			continue;
		buf_addf(out, "%s\"%s\"", any ? " / " : "", c->last[i]);
		any = true;
	}
	if (!any)
		buf_adds(out, "its console is empty");
}
