/*
 * scan.h - faults in a kernel's log.
 *
 * Feed a console log from its first byte on; get the lines that make the
 * numbers of that boot invalid. The patterns are data (scan_table()), with the
 * lines that look like faults and are none beside them. NULs, bytes that are
 * not UTF-8 and endless lines are read like any other: a line is cut for
 * matching into pieces of SCAN_LINE bytes that overlap a little, never skipped.
 *
 * Understood in front of a line, and left out of a fault's text: `<4>`,
 * `[    0.278000] `, `[    0.278000][    T1] `, `[Sat Nov 22 10:03:01 2025] `,
 * dmesg -x's `kern  :warn  : `, colours, and syslog's time, host and `kernel:`
 * (of the lines of a syslog only the kernel's are looked at).
 *
 *     struct scan *s = scan_new(0);
 *     scan_feed(s, data, len);      any number of times, split anywhere
 *     scan_end(s);                  the last line may lack its newline
 *     for (i = 0; i < scan_count(s); i++) use(scan_fault(s, i));
 *     scan_free(s);
 */
#ifndef FOLDWATCH_SCAN_H
#define FOLDWATCH_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#define SCAN_LINE 4096

/* A banner "Linux version" seen twice is an unexpected reboot, unless told not
 * to count (a dmesg file of several boots). Where lines have time stamps, a
 * banner is at 0.000000: a program that prints /proc/version is none. */
#define SCAN_BANNER_OK 1u

struct scan_pattern {
	const char *kind;    /* "warning", "bad-page", "oops", ... : the word in JSON; NULL: a line
	                      * that looks like a fault and is none */
	const char *pattern; /* POSIX extended regular expression */
	bool fatal;          /* the kernel does not go on after it */
	const char *help;    /* what it means, one line */
	const char *needles; /* plain texts, '|' between them, one of which each match contains */
	unsigned int role;   /* its part in a report of several lines: lib/scan_table.h */
};

struct fault {
	size_t line;      /* 1-based, of `text` */
	const char *kind; /* from the table */
	char *function;   /* where the log tells it ("copy_page_range"), or NULL */
	char *text;       /* the line, scrubbed to UTF-8, without its time stamp's prefix */
	char *trace;      /* its report's functions in their order, a line each, at most 24:
	                   * "=copy_page_range+0x8a4/0xb50", '=' in front of a program
	                   * counter, " [xfs]" behind one of a module; NULL: none */
	bool paged;       /* the report began with the dump of a page */
	bool fatal;
};

struct scan;

struct scan *scan_new(unsigned int flags);
void scan_free(struct scan *s);
void scan_feed(struct scan *s, const void *data, size_t len);
void scan_end(struct scan *s);
/* One report (a WARNING with its cut-here line, its registers and its trace)
 * is one fault. At most 1000 are kept; scan_total() counts all. While a log
 * grows, the last fault may still get a better headline or its function. */
size_t scan_count(const struct scan *s);
size_t scan_total(const struct scan *s);
const struct fault *scan_fault(const struct scan *s, size_t i);
bool scan_fatal(const struct scan *s);

/* In the order of matching: the first pattern that matches a line decides. */
const struct scan_pattern *scan_table(size_t *count);

#endif
