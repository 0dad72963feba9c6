/*
 * run_line.h - what differs from `run` line to `run` line, taken out before
 * JSON's own reader has the rest.
 *
 * A boot brings thousands of samples, and as much evidence as all other members
 * together. As foldbench writes them, both are read from the line itself, and so
 * are the case and the number of the run: what is left of the lines of a boot is
 * then mostly the same, and need not be read again.
 *
 *     run_line_cut(p, line, len, &cut);
 *     e = json_parse(cut.rest, cut.rest_len, ...);
 *
 * What was taken leaves [], {}, "" or 0 in its place. A line that looks otherwise (no
 * such member, two of them, anything but digits in the samples; an evidence
 * that nests, repeats a name, escapes or has blanks; a case that is empty, too
 * long or not plain) is left to the JSON reader,
 * which says what is wrong with it. The caller checks that what was taken stood
 * at the top of the line: it may have stood inside another object.
 */
#ifndef FOLDWATCH_SERVER_RUN_LINE_H
#define FOLDWATCH_SERVER_RUN_LINE_H

#include "server/pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run_line {
	const char *rest; /* of the line; in the pool when something was taken */
	size_t rest_len;
	bool has_samples;
	int64_t *sample;       /* the caller's array ... */
	size_t samples, room;  /* ... of so many, grown as needed; free() it at the end */
	const char *evidence;  /* its compact text, in the pool; NULL: not taken */
	const char *case_text; /* the same */
	bool has_run;
	int64_t run; /* at least 0 */
};

void run_line_cut(struct pool *p, const char *line, size_t len, struct run_line *cut);

#endif
