/*
 * lists.h - what each table prints between head and foot; inside lib/report only.
 */
#ifndef FOLDWATCH_REPORT_LISTS_H
#define FOLDWATCH_REPORT_LISTS_H

#include "lib/report/frame.h"

/* Heads and tables of all blocks; the caller adds the foot. */
void list_reply(const struct view *v, struct buf *out);
void list_commit(const struct view *v, struct buf *out);
void list_cover(const struct view *v, struct buf *out);
void list_summary(const struct view *v, struct buf *out);
/* export.c: a table of all cells with whole names, and the foot. */
void markdown_summary(const struct view *v, const struct report_opts *o, struct buf *out);

#endif
