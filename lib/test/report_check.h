/*
 * report_check.h - what must be true of every text that lib/report prints.
 */
#ifndef FOLDWATCH_TEST_REPORT_CHECK_H
#define FOLDWATCH_TEST_REPORT_CHECK_H

#include "lib/buf.h"

/* 7-bit, at most 72 columns, no blanks at a line's end, nothing that cuts a
 * mail, no "-0.0%" and no NAN; `what` names the text in a failure. */
void report_check(const struct buf *out, const char *what);
/* How often `part` stands in `text`. */
size_t report_times(const char *text, const char *part);

#endif
