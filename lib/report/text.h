/*
 * text.h - safe text of bounded width; inside lib/report only.
 */
#ifndef FOLDWATCH_REPORT_TEXT_H
#define FOLDWATCH_REPORT_TEXT_H

#include "lib/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define PERCENT_TEXT 48

/* 7-bit copy: each character outside of ASCII, and each stray byte, is one
 * '?'; control characters are spaces. With `cell`, '|' is '/'. NULL is "".
 * free() it. */
char *text_ascii(const char *s, bool cell);

/* A fraction as a percentage: "3.2%", "+14.62%" with `plus`, "-" for NAN, and
 * never "-0.0%". */
void text_percent(char out[PERCENT_TEXT], double fraction, int decimals, bool plus);

/* Words wrapped to REPORT_COLUMNS, each further line behind `indent` blanks;
 * a word too long for a line is broken. Ends with a newline. Text is made
 * ASCII first. */
void text_wrapf(struct buf *out, size_t indent, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/* At most `width` bytes (>= 3) of an ASCII text: "head~tail". free() it. */
char *text_cut(const char *s, size_t width);

/* Names for the cells of a table: ASCII, at most `width` bytes (>= 6), all
 * different. */
struct labels {
	char **label;
	char **full; /* ASCII, uncut */
	size_t n;
};
void labels_init(struct labels *l, const char *const *names, size_t n, size_t width);
void labels_release(struct labels *l);
size_t labels_width(const struct labels *l); /* of the longest */
/* Adds a wrapped line for each label that is not the full name, unless that line
 * stands in `legend` already: one legend serves all tables of a list. */
void labels_legend(const struct labels *l, struct buf *legend);
void text_legend(const char *label, const char *full, struct buf *legend);

/* s, padded on the right (or left) with blanks to at least `width`. */
void text_left(struct buf *out, const char *s, size_t width);
void text_right(struct buf *out, const char *s, size_t width);
void text_fill(struct buf *out, char c, size_t n);

#endif
