/*
 * report.h - a comparison as text: the mailing lists' tables, a summary,
 * Markdown and CSV. Pure: structs in, text out.
 *
 *     struct buf out;
 *     buf_init(&out, 4 << 20);
 *     report_text(c, REPORT_REPLY, NULL, &out);
 *     if (out.full) ...
 *
 * The text formats are 7-bit ASCII in lines of at most 72 columns, whatever
 * the names hold: other bytes show as '?', a '|' in a table's cell as '/', long
 * names are cut in their middle ("contpte~batch") and spelt out below the
 * table. No line begins with what a name brought along, so that none is "---"
 * to git-am or "From " to a mailbox.
 *
 *   reply    one table per case x board under a caption, exactly as posted:
 *                fork, order-0, 1G, altra:
 *
 *                | kernel                |   mean_rel |   std_rel |
 *                |:----------------------|-----------:|----------:|
 *                | mm-unstable           |       0.0% |      0.7% |
 *   commit   one table per case, boards side by side, mean and stdev each
 *   cover    one table per benchmark x board, orders side by side
 *   summary  all cells: change, interval, verdict, boots; reasons below
 *
 * Each begins with iterations, runs, boots (or phases) and which way is which,
 * and ends with the baseline's commit, config and compiler, what was thrown out
 * and why, and the notes. Counts of instructions are "more" or "fewer", never
 * slower, and stand in a block of their own: one block is one metric on boards
 * of one nature (hardware, emulated, emulated with phases). `skip` and
 * `invalid` stand where a number would, their reasons below the table.
 *
 * mean_rel (mean) is the change; std_rel (stdev) the row's own standard
 * deviation over its own mean.
 */
#ifndef FOLDWATCH_REPORT_H
#define FOLDWATCH_REPORT_H

#include "lib/buf.h"
#include "lib/compare.h"

#define REPORT_COLUMNS 72

enum report_table {
	REPORT_ALL, /* the four below, each under a title line */
	REPORT_REPLY,
	REPORT_COMMIT,
	REPORT_COVER,
	REPORT_SUMMARY,
	REPORT_TABLES
};

const char *report_table_name(enum report_table t); /* "all", "reply", ... */
bool report_table_parse(const char *word, enum report_table *t);

struct report_opts {
	/* The comparison's page, printed last. Give it only when public_url is
	 * set; NULL: no address. */
	const char *address;
};

/* All append to `out`; check out->full. `o` may be NULL. */
void report_text(const struct cmp *c, enum report_table t, const struct report_opts *o,
                 struct buf *out);

/* GitHub-flavoured Markdown, UTF-8, names whole and escaped: a table of all
 * cells for REPORT_SUMMARY; the lists' tables as fenced text otherwise, ready to
 * be pasted. */
void report_markdown(const struct cmp *c, enum report_table t, const struct report_opts *o,
                     struct buf *out);

/* All cells (without the baseline) by RFC 4180: CRLF, a header line with the
 * JSON names, UTF-8, empty for null, numbers as they are to the last bit. A text
 * that a spreadsheet would take for a formula gets an apostrophe in front. */
void report_csv(const struct cmp *c, struct buf *out);

#endif
