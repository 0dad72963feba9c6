/*
 * scan_table.h - the parts that lines play in a kernel's report. Only
 * lib/scan*.c needs this; lib/scan.h is for everybody else.
 */
#ifndef FOLDWATCH_SCAN_TABLE_H
#define FOLDWATCH_SCAN_TABLE_H

#include "lib/scan.h"

/* "------------[ cut here ]------------": a report begins, its headline follows. */
#define SCAN_CUT      0x0001u
/* "---[ end trace": a report ends. */
#define SCAN_END      0x0002u
/* The headline of a cut-here report that says where, not what: it takes the
 * place of the cut-here line, and gives its function to a line with SCAN_WHAT. */
#define SCAN_WHERE    0x0004u
/* A message that tells what a cut-here report is about, before or after the
 * line that tells where. */
#define SCAN_WHAT     0x0008u
/* May stand in front of the cut-here line of its own report. */
#define SCAN_LEADS    0x0010u
/* A die line ("Oops: ... [#1]") of the same report follows. */
#define SCAN_DIES     0x0020u
/* A die line: part of the report before it, or a report of its own. */
#define SCAN_DIE      0x0040u
/* The report ends with "---[ end trace", though no cut-here line began it. */
#define SCAN_OPENS    0x0080u
/* The report holds a page's dump. */
#define SCAN_HAS_DUMP 0x0100u
/* The page's dump: part of a report, or one of its own. */
#define SCAN_DUMP     0x0200u
/* Never the headline of a cut-here line before it. */
#define SCAN_ALONE    0x0400u
/* "Kernel panic", and the line that ends it. */
#define SCAN_PANIC    0x0800u
#define SCAN_PANICKED 0x1000u
/* "invoked oom-killer", and whom it killed. */
#define SCAN_OOM      0x2000u
#define SCAN_OOM_KILL 0x4000u
/* "Linux version": a fault from the second time on. */
#define SCAN_BANNER   0x8000u
/* No fault: a register that names the function of the report around it. */
#define SCAN_PC       0x10000u
/* No fault: a function of the report around it. */
#define SCAN_FRAME    0x20000u

#define SCAN_ROWS_MAX 96

/* Which texts of the table's `needles` a stretch of bytes contains, one byte
 * at a time: an Aho-Corasick automaton over all of them. */
struct scan_hits {
	unsigned long long rows[(SCAN_ROWS_MAX + 63) / 64];
};

/* Builds automaton and expressions at the first call, for the whole process. */
void scan_match_init(void);
/* Feed bytes in `state` (0 at the start of a line); adds to `hits` the rows of
 * which a needle ended. Returns the new state. */
unsigned int scan_match_feed(unsigned int state, const unsigned char *data, size_t len,
                             struct scan_hits *hits);
/* The first row among `hits` whose expression matches, or NULL. */
const struct scan_pattern *scan_match_line(const struct scan_hits *hits, const char *line);

#endif
