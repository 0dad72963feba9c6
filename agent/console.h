/*
 * console.h - a guest's console, read while it is written.
 *
 *     console_init(&c, nonce);
 *     console_feed(&c, data, len);    any number of times, split anywhere
 *     console_end(&c);
 *     ... c.began, c.failed, scan_fault(c.scan, 0) ...
 *     console_release(&c);
 *
 * The words of foldbench (docs/foldbench-format.md) are looked for at any place
 * of a line: the kernel may have printed in front of them. Faults are found by
 * lib/scan from the first byte on.
 */
#ifndef FOLDWATCH_CONSOLE_H
#define FOLDWATCH_CONSOLE_H

#include "lib/buf.h"
#include "lib/scan.h"

#include <stdbool.h>
#include <stdint.h>

#define CONSOLE_LAST 3 /* lines kept for a sentence */

struct console {
	struct scan *scan;
	const char *nonce;
	struct buf line;
	bool began;                 /* foldbench: begin, with our nonce */
	bool ended;                 /* foldbench: end, with our nonce */
	bool foreign;               /* one of them with another nonce */
	char failed[512];           /* foldbench: failed: … */
	int64_t case_number, cases; /* foldbench: case 3/7 …; 0 before */
	char case_text[160];
	char last[CONSOLE_LAST][160]; /* the last lines that hold something, oldest first */
	uint64_t bytes;
};

void console_init(struct console *c, const char *nonce);
void console_feed(struct console *c, const char *data, size_t len);
void console_end(struct console *c);
void console_release(struct console *c);
/* The last lines as `"…" / "…"`, or "its console is empty". */
void console_last_words(const struct console *c, struct buf *out);

#endif
