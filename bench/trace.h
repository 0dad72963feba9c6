/*
 * trace.h - how often the functions of the contpte layer were called in windows of
 * their own, behind the timed ones: by the kernel's function profiler (ftrace), for
 * boards on which no emulator can count them.
 *
 *     trace_open(&t, m, &w);            false: there are none, with the reason
 *     ... windows, as for time ...
 *     trace_take(&t);                   after each
 *     trace_close(&t);
 *     trace_emit(&t, e);                their medians
 *     trace_free(&t);
 *
 * Takes the superuser and a kernel with CONFIG_FUNCTION_PROFILER, and switches its
 * profiler on for the functions below alone. A profiler or a filter that somebody else
 * uses is left alone. Switching it on writes branches into the kernel's code and
 * switching it off takes them out, so nothing is timed in between; what was called
 * before a window and behind it is taken off by reading the counts at both its edges.
 * Counts are of all CPUs and tasks.
 */
#ifndef FOLDBENCH_TRACE_H
#define FOLDBENCH_TRACE_H

#include "bench/emit.h"
#include "bench/meter.h"

#define TRACE_WINDOWS   5
#define TRACE_FUNCTIONS 24
#define TRACE_NAME      48

/* Counts since the profiler was switched on. */
struct trace_counts {
	uint32_t functions;
	char name[TRACE_FUNCTIONS][TRACE_NAME];
	uint64_t hits[TRACE_FUNCTIONS];
	bool full;       /* there were more functions */
	bool unreadable; /* some CPU's counts could not be read */
};

struct trace {
	struct meter *meter;
	const char *dir; /* of tracefs */
	/* In memory mapped shared, which fork() does not write-protect. */
	struct trace_edges {
		struct trace_counts start, stop;
	} * edges;
	uint32_t functions, taken;
	char name[TRACE_FUNCTIONS][TRACE_NAME];
	uint64_t value[TRACE_FUNCTIONS][TRACE_WINDOWS];
	bool tried;
	struct reason why; /* there are none; "" when there are */
};

bool trace_open(struct trace *t, struct meter *m, struct reason *w);
bool trace_take(struct trace *t, struct reason *w);
void trace_close(struct trace *t);
/* Adds "calls": {"windows":5,"contpte_set_ptes":16,...} or {"why":...}; nothing when
 * they were not tried. */
void trace_emit(const struct trace *t, struct emit *e);
void trace_free(struct trace *t);

/* Called by the meter at the edges of a window. */
void trace_read(const struct trace *t, struct trace_counts *c);
/* Adds one line of trace_stat/functionN, "  NAME  HITS  ...", to the counts; what is no
 * such line (the heading) adds nothing. */
void trace_line(struct trace_counts *c, const char *line);

#endif
