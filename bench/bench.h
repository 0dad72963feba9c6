/*
 * bench.h - one benchmark, one file, one contract.
 *
 * A benchmark is a table of five functions, or six. The runner (run.c) calls them, in a
 * process that was started for this one run, as
 *
 *     open                      once: check parameters, reserve addresses
 *     for each window, warm-up first:
 *         ready                 untimed: the same start for every window
 *         prove(before)         untimed, in a warm-up and in an extra last window: the folios
 *         window                timed: meter_start(), the call, meter_stop()
 *         prove(after)          untimed, in the same windows: what the call did
 *         reset                 untimed: take apart what the window left
 *     close                     once, where there is one
 *
 * Each answers with RUN_VALID to go on, RUN_SKIP for what this kernel or
 * machine cannot do, RUN_INVALID for what could not be proved; the latter two
 * with the reason in run->why, and the run ends there without a number.
 * Everything that a benchmark leaves behind ends with its process, or it says
 * so in its file's first comment.
 *
 * docs/benchmarks.md shows how to write one.
 */
#ifndef FOLDBENCH_BENCH_H
#define FOLDBENCH_BENCH_H

#include "bench/cut.h"
#include "bench/emit.h"
#include "bench/meter.h"
#include "bench/proof.h"
#include "bench/region.h"
#include "bench/text.h"
#include "lib/case.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum run_state { RUN_VALID, RUN_SKIP, RUN_INVALID };

struct run {
	const struct bench_case *c;
	unsigned int order;
	size_t size; /* bytes of the region */
	size_t page;
	struct meter *meter;
	struct reason why;
	struct proof before, after; /* of the last window that was proved */
	bool moved;                 /* after was filled by prove(after) */
	uint64_t populated;         /* folios that ready() has populated so far, all windows */
	uint64_t calls;             /* operations in one window: `batch`; 1 unless open() says */
	uint64_t sleeps;            /* times that a window gives the CPU away by itself */
	bool splits;                /* the kernel splits folios in a window: no fault of the run */
	struct region a, b;         /* for the benchmark: its region, and a second place */
	struct cut cut;             /* the part of each block that its calls name */
};

struct bench {
	const char *name;
	enum run_state (*open)(struct run *r);
	enum run_state (*ready)(struct run *r);
	enum run_state (*prove)(struct run *r, bool after);
	enum run_state (*window)(struct run *r);
	enum run_state (*reset)(struct run *r);
	/* Or NULL. Once, also behind a run that gave no number: what would
	 * outlive the process. */
	void (*close)(struct run *r);
};

/* One a file: bench/case_NAME.c. */
extern const struct bench bench_fork, bench_munmap, bench_mremap, bench_exit, bench_dontneed,
        bench_mprotect, bench_split, bench_cow, bench_walk, bench_refs, bench_reads, bench_moved,
        bench_pageout, bench_ksm;

/* NULL for a case that the command line knows but this binary cannot run. */
const struct bench *bench_find(const char *name);

/* For ready(): the region mapped anew and populated with folios of the case's
 * order. Counts r->populated. */
enum run_state run_populate(struct run *r, struct region *at);
/* For prove(): the folios of the case's order are there. */
enum run_state run_prove(struct run *r, const struct region *at, struct proof *p);
/* The answer that a proof stands for. */
enum run_state run_proof(enum proof_answer answer);

/*
 * What most cases have as their open, ready and reset: one region, r->a,
 * populated anew before every window and unmapped behind it.
 */
enum run_state run_open_region(struct run *r);
enum run_state run_ready_region(struct run *r);
enum run_state run_reset_region(struct run *r);
/* For open(): r->cut as block= asks for, one call for the whole region when the
 * case names no block; and r->calls. Skips what is no part of a block here. */
enum run_state run_open_cut(struct run *r);
/* For open(): skips when the kernel lets no process have that many VMAs. */
enum run_state run_open_vmas(struct run *r, uint64_t vmas);
/* Was this parameter given, and is this the word of `mode`, by its index? */
bool run_given(const struct run *r, enum case_param param);
bool run_mode(const struct run *r, int mode);
/* Say why and answer with state: `return run_answer(r, RUN_SKIP, "...")`. */
enum run_state run_answer(struct run *r, enum run_state state, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

struct run_spec {
	const struct bench_case *c;
	const char *text; /* the case's canonical text */
	uint32_t index;   /* of the run within its case */
	uint32_t iterations, warmup;
	enum metric metric;
	bool covariates;  /* a pass of counters behind the timed windows */
	uint64_t tick_ns; /* of the clock; 0: what meter_tick_ns() says */
};

/* Do one run in this process, and write its line. */
void run_one(const struct run_spec *spec, struct emit *e);
/* The line of a run that gave no numbers. */
void run_emit_without(const struct run_spec *spec, enum run_state state, const char *why,
                      struct emit *e);
/* Bytes that the line of such a run can take. */
size_t run_line_max(const struct run_spec *spec);

#endif
