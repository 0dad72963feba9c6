/*
 * compare.h - a comparison as plain structs: what server/verdict.c computes,
 * what the API writes as JSON (docs/api.md, COMPARISON) and what lib/report
 * prints.
 *
 *     struct cmp *c = cmp_new();
 *     c->submission = 7;
 *     size_t k = cmp_add_kernel(c, "contpte-n");      first: they are the rows' order
 *     c->kernel[k].commit = xstrdup("...");
 *     c->baseline = k;
 *     size_t b = cmp_add_board(c, "qemu-det");
 *     size_t s = cmp_add_case(c, "fork/order=0,size=256M");
 *     size_t m = cmp_add_metric(c, "instructions");
 *     struct cmp_cell *cell = cmp_add_cell(c, b, s, m, k);
 *     cmp_cell_result(cell, &result);                 from lib/stat
 *     cell->mean = ...; cell->boots = ...;
 *     cmp_free(c);
 *
 * Ownership: a struct cmp owns every array and every `char *` in it; fill them
 * with xstrdup() and friends, cmp_free() frees all. Cells name board, case,
 * metric and kernel by index. cmp_add_*() may move the arrays: keep indices,
 * not pointers, over a further cmp_add_*() of the same kind.
 *
 * How it maps to JSON: `rows` are all cells; `cells` are those for which
 * cmp_is_baseline() is false. NAN is null, a NULL string is null, needed < 0
 * is null; `statistic` is always "median".
 */
#ifndef FOLDWATCH_COMPARE_H
#define FOLDWATCH_COMPARE_H

#include "lib/stat/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CMP_STATISTIC "median"

struct cmp_kernel {
	char *name;         /* as the submission names it; any UTF-8 */
	char *tree, *ref;   /* NULL for a prebuilt image */
	char *commit;       /* 40 hex digits, or NULL */
	char *subject;      /* of the commit, or NULL */
	char *config;       /* name of its config set ("contpte-n"), or NULL */
	char *compiler;     /* first line of --version, or NULL */
	char *build_id;     /* hex, or NULL */
	char *image;        /* sha256 of the Image, or NULL */
	bool self_reported; /* imported: nobody of ours saw it boot */
};

struct cmp_board {
	char *name;
	char *description;  /* "qemu-system-aarch64 7.2.22, neoverse-n1, icount", or NULL */
	bool deterministic; /* its boots are phases */
	bool emulated;      /* never a row beside hardware */
	char *env_id;       /* environment of the boots behind its cells, or NULL */
};

struct cmp_metric {
	char *name; /* "instructions", "ns" */
	char *unit; /* NULL: the name */
	bool more_is_better;
};

/* One kernel on one board in one case and metric; the baseline has one too. */
struct cmp_cell {
	size_t board, case_, metric, kernel; /* indices */
	size_t base;                         /* the kernel that it is compared with */
	double mean;                         /* mean over its boots' numbers; NAN: none */
	double base_mean; /* the baseline's, NAN: none; equal to mean in the baseline's own cell */
	double std_rel;   /* sd of its run values over their own mean; NAN under 2 runs */
	/* 0 and NANs in the baseline's own cell */
	double change, low, high, level, at_most, mean_change;
	double tau;           /* what the verdict was measured against */
	double floor;         /* of this board x case; NAN: none is known yet */
	unsigned int layouts; /* linked layouts behind it: 1 unless relinks were measured */
	int64_t boots, invalid_boots, runs; /* valid boots, left-out boots, valid runs */
	bool skewed;
	long needed; /* boots or phases a kernel still to be added; -1: none, or cannot be told */
	/* The baseline's own cell: same when it has a number, else skip or
	 * invalid. Where the baseline is skip or invalid so are the others, with
	 * a reason that names it. */
	enum verdict verdict;
	char *why; /* one sentence, or NULL */
};

/* A boot whose numbers were not used. */
struct cmp_thrown {
	size_t board, kernel;
	int64_t boot;    /* id */
	int64_t phase;   /* -1: the board has none */
	char *why;       /* one sentence: the quoted line of the log, the torn result, ... */
	char *signature; /* of its first fault (lib/place.h), or NULL */
};

/* A boot that counts though its log holds a fault, which an operator has listed as
 * known: every table that rests on it carries that as a footnote. One for each
 * such boot and listing. */
struct cmp_known {
	size_t board, kernel;
	int64_t boot;
	int64_t id; /* of the listing */
	char *signature, *why;
	int64_t until_ms; /* the listing is for boots made before it */
};

/* The cells of a kernel on a board hold boots of different environments, as was asked
 * for: in what they differ. */
struct cmp_across {
	size_t board, kernel;
	char *field;       /* "board.qemu" */
	char *one, *other; /* the baseline's and the other; NULL: absent */
};

/* What hardware counted beside the time of a cell, a window. For JSON and CSV. */
struct cmp_covariate {
	size_t cell;
	char *name;                /* "cycles" */
	double base, mean, change; /* NAN: nobody counted it */
};

/* What was asked for; the same for every cell. */
struct cmp_plan {
	int64_t boots;      /* a kernel; phases on a deterministic board */
	int64_t runs;       /* a boot */
	int64_t iterations; /* a run, after warm-up */
	int64_t warmup;
};

struct cmp {
	int64_t submission;
	char *title;        /* or NULL */
	bool complete;      /* false: boots are still to come */
	int64_t last_fact;  /* the newest boot it saw: recomputing up to it gives it again */
	int64_t last_known; /* the newest listing or end of one that concerns it; 0: none */
	size_t baseline;    /* index of a kernel */
	bool previous;      /* each kernel is compared with the one before it (cmp_previous()) */
	struct cmp_plan plan;
	struct cmp_kernel *kernel;
	struct cmp_board *board;
	struct cmp_metric *metric;
	char **case_; /* canonical texts: "fork/order=0,size=256M" */
	struct cmp_cell *cell;
	struct cmp_thrown *thrown;
	struct cmp_across *across;
	struct cmp_known *known;
	struct cmp_covariate *covariate;
	char **note; /* sentences about the whole: floors unknown, one layout, ... */
	size_t kernels, boards, metrics, cases, cells, throwns, acrosses, knowns, covariates, notes;
};

struct cmp *cmp_new(void);
void cmp_free(struct cmp *c);

/* Index of the one of that name, added when it is new. */
size_t cmp_add_kernel(struct cmp *c, const char *name);
size_t cmp_add_board(struct cmp *c, const char *name);
size_t cmp_add_case(struct cmp *c, const char *text);
size_t cmp_add_metric(struct cmp *c, const char *name);
/* A new cell with NANs, no boots, needed -1, layouts 1, verdict invalid; against the
 * baseline, which is known by then. */
struct cmp_cell *cmp_add_cell(struct cmp *c, size_t board, size_t case_, size_t metric,
                              size_t kernel);
struct cmp_thrown *cmp_add_thrown(struct cmp *c, size_t board, size_t kernel, int64_t boot,
                                  int64_t phase, const char *why);
/* `one` and `other` may be NULL. */
void cmp_add_across(struct cmp *c, size_t board, size_t kernel, const char *field, const char *one,
                    const char *other);
/* With NULL strings: fill them. */
struct cmp_known *cmp_add_known(struct cmp *c, size_t board, size_t kernel, int64_t boot);
/* The footnotes of a cell (its own boots' and the baseline's), or with NULL of the
 * whole, a sentence each: call with *at 0 until NULL comes. free() it. */
char *cmp_footnote(const struct cmp *c, const struct cmp_cell *cell, size_t *at);
void cmp_add_covariate(struct cmp *c, size_t cell, const char *name, double base, double mean,
                       double change);
/* A sentence, unless it stands there already. */
void cmp_add_note(struct cmp *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Copies what lib/stat found: change ... needed, verdict, why. */
void cmp_cell_result(struct cmp_cell *cell, const struct stat_result *r);
/* Adds what must stand beside verdicts: boards x cases without a known floor,
 * single layouts, order-0 verdicts under 5 % on hardware from one layout,
 * skewed cells, self-reported kernels. Call once, when all cells are in. */
void cmp_standard_notes(struct cmp *c);

/* The kernel whose row stands above this one's: the baseline's is first. The baseline's
 * own is itself. */
size_t cmp_previous(const struct cmp *c, size_t kernel);

static inline bool cmp_is_baseline(const struct cmp *c, const struct cmp_cell *cell)
{
	return cell->kernel == c->baseline;
}
/* True when the metric counts instructions: texts say more/fewer, never slower. */
bool cmp_counts_instructions(const struct cmp *c, size_t metric);

#endif
