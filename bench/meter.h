/*
 * meter.h - what a timed window took: retired instructions or nanoseconds.
 *
 *     e = meter_open(&m, METRIC_INSTRUCTIONS, &w);   false: skip, with the reason
 *     meter_calibrate(&m);                           the empty window
 *     meter_settle(&m);                              before every window, untimed
 *     meter_start(&m);
 *     ... the call ...
 *     meter_stop(&m);
 *     meter_value(&m, &sample, &w);                  false: invalid, with the reason
 *
 * Instructions: one perf event of this task alone (not inherited: what a child
 * does never counts here), user and kernel, pinned: a counter that had to share
 * its hardware goes into the error state instead of being scaled, and
 * time_enabled is compared with time_running beside that. Nanoseconds:
 * CLOCK_MONOTONIC_RAW, which no NTP slew reaches.
 *
 * Work that another task does for the call (a child's exit) is in no counter of
 * this one, and an event on the child is closed before its address space goes
 * (since Linux 6.16 and the stable kernels that took it over). meter_wide() has
 * windows read an event of the CPU instead: all that it does from start to stop,
 * for whichever task. Time is one for all.
 *
 * The readings go to a page that is mapped shared: fork() does not
 * write-protect it, so that taking the second reading costs no copy-on-write
 * fault.
 */
#ifndef FOLDBENCH_METER_H
#define FOLDBENCH_METER_H

#include "bench/text.h"

#include <stdbool.h>
#include <stdint.h>

enum metric { METRIC_INSTRUCTIONS, METRIC_NS, METRIC_COUNT };

struct metric_def {
	const char *name; /* as in plans, options and results */
	const char *unit;
	const char *better; /* "less" */
};

extern const struct metric_def metrics[METRIC_COUNT];
/* -1 for an unknown name. Dashes behind it are padding. */
int metric_find(const char *name);

/* As read(2) on the event gives it. */
struct meter_reading {
	uint64_t value;
	uint64_t enabled_ns, running_ns;
	int64_t got; /* what read(2) returned */
};

/* As read(2) on a group of events gives it. */
#define METER_COUNTERS 5

struct meter_counts {
	uint64_t events, enabled_ns, running_ns, value[METER_COUNTERS];
	int64_t got;
};

struct meter_page {
	struct meter_reading start, stop;
	struct meter_counts counts_start, counts_stop;
};

struct trace;

struct meter {
	enum metric metric;
	int fd;    /* the event: this task's, or the CPU's */
	int group; /* of events that is read instead of the clock (covariates.h), or -1 */
	bool wide; /* windows are of the whole CPU */
	const struct trace *trace; /* functions are counted at the edges, too (trace.h); or NULL */
	struct meter_page *page;
	uint64_t empty;      /* of the empty window: what start and stop take themselves */
	long switches_start; /* context switches of this thread */
	uint64_t switches;   /* ... inside the last window */
};

/* Of 1 to METER_MEDIAN_MAX counts, the lower of two middle ones: one that occurred. */
#define METER_MEDIAN_MAX 64
uint64_t meter_median(const uint64_t *value, uint32_t n);

bool meter_open(struct meter *m, enum metric metric, struct reason *w);
void meter_close(struct meter *m);
/* Times 64 empty windows and keeps their median in m->empty. False when a
 * reading failed. */
bool meter_calibrate(struct meter *m, struct reason *w);
/*
 * Let the machine come to rest, so that a window depends on its call and not on
 * what ran before it. 100 ms asleep are two RCU grace periods at 100 ticks a
 * second: what earlier windows freed behind one is back in the allocator's
 * lists by then (with less, the fixed part of a fork cost 2 % more or less by
 * chance). And without high-resolution timers the sleep ends at a timer tick,
 * so each window begins at the same distance from one and holds the same number
 * of them, of some thousand instructions each. On a virtual board sleep costs
 * no time. Only for instructions: on hardware, idling before each window would
 * cool caches and clocks. It is not part of any window.
 */
void meter_settle(const struct meter *m);
void meter_start(struct meter *m);
void meter_stop(struct meter *m);
/* From here on count for all tasks of the CPU that this one is bound to; times the
 * empty window anew. False: skip, with the reason. */
bool meter_wide(struct meter *m, struct reason *w);
/* What `events` counters of the group took in the last window, the empty window with it.
 * False when they were not all counting all the time. */
bool meter_counts(const struct meter *m, uint64_t *value, uint32_t events, struct reason *w);
/* What an error of perf_event_open(2) means to somebody who reads a table. */
const char *meter_event_why(int error);
/* The last window with the empty window taken off, not below 0. */
bool meter_value(struct meter *m, uint64_t *value, struct reason *w);

/* The clock's tick in ns, rounded up: of the architected timer on arm64 (40 at 25 MHz),
 * else what clock_getres(2) says. */
uint64_t meter_tick_ns(void);
/* How many windows go into one sample, so that it is at least METER_TICKS ticks long:
 * 1 for a window of that length, and never more than METER_WINDOWS. A window's length
 * is known to one tick, so k windows of n ticks are known to sqrt(k / 6) / (k n) of
 * their sum: 0.2 % at worst where k is not cut short. */
#define METER_TICKS   1000
#define METER_WINDOWS 1000
uint32_t meter_windows(uint64_t window_ns, uint64_t tick_ns);

#endif
