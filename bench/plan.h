/*
 * plan.h - what foldbench is asked to run: one case a line.
 *
 *     # a comment
 *     fork/order=9,size=256M runs=1 iterations=5 warmup=1
 *
 * docs/foldbench-format.md has the bounds. A plan that cannot be read is an
 * error before anything runs, with the line's number in its sentence.
 */
#ifndef FOLDBENCH_PLAN_H
#define FOLDBENCH_PLAN_H

#include "bench/text.h"
#include "lib/case.h"

#include <stddef.h>
#include <stdint.h>

#define PLAN_BYTES      (256 * 1024)
#define PLAN_CASES      1000
#define PLAN_RUNS       1000
#define PLAN_ITERATIONS 100000
#define PLAN_WARMUP     1000

struct plan_counts {
	uint32_t runs, iterations, warmup;
};

struct plan_item {
	struct bench_case c;
	char text[CASE_TEXT]; /* canonical */
	struct plan_counts n;
};

struct plan {
	struct plan_item *items; /* plan_release() frees */
	size_t count;
};

/* runs=1 iterations=5 warmup=1 */
extern const struct plan_counts plan_preset;

/* Read a plan; `name` stands before the line's number in messages. The counts
 * of lines that do not give them are `preset`. Returns 0, or -1 with the
 * sentence. A plan without a case is an error. */
int plan_parse(struct plan *p, const char *name, const char *text, size_t len,
               const struct plan_counts *preset, struct reason *w);
int plan_read(struct plan *p, const char *path, const struct plan_counts *preset, struct reason *w);
/* Add one case by its text, as from the command line. */
int plan_add(struct plan *p, const char *text, const struct plan_counts *n, struct reason *w);
/* One of `runs`, `iterations`, `warmup` from its text, within its bounds. */
int plan_count_set(struct plan_counts *n, const char *name, const char *value, struct reason *w);
uint64_t plan_runs(const struct plan *p);
void plan_release(struct plan *p);

#endif
