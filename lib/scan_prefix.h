/*
 * scan_prefix.h - what stands in front of a kernel's line: levels, time
 * stamps, callers, colours, a syslog's time and host.
 */
#ifndef FOLDWATCH_SCAN_PREFIX_H
#define FOLDWATCH_SCAN_PREFIX_H

#include <stdbool.h>
#include <stddef.h>

struct scan_prefix {
	size_t len;     /* bytes to leave out */
	bool foreign;   /* a syslog's line of another program than the kernel */
	bool has_stamp; /* [    0.278000] */
	bool at_zero;   /* and it is [    0.000000] */
};

struct scan_prefix scan_prefix(const char *line, size_t len);
/* Remove colour sequences (ESC [ ... m) in place; returns the new length. */
size_t scan_uncolour(char *line, size_t len);

#endif
