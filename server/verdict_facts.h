/*
 * verdict_facts.h - a submission's facts, laid out for verdict.c: which boots
 * count, and each boot's number for each case.
 */
#ifndef FOLDWATCH_SERVER_VERDICT_FACTS_H
#define FOLDWATCH_SERVER_VERDICT_FACTS_H

#include "lib/stat/layout.h"
#include "lib/stat/pool.h"
#include "server/env_diff.h"
#include "server/store_boot.h"
#include "server/store_job.h"
#include "server/store_kernel.h"
#include "server/store_layout.h"
#include "server/verdict.h"

/* What one boot gave for one case. */
struct number {
	size_t boot;         /* index of facts.boots */
	double median, mean; /* over its runs */
	size_t first, runs;  /* run values: facts.stats.at[first].median, ... */
	size_t next;         /* 1 + index of the next of this slot, 0: the last */
};

/* One board x case x kernel. */
struct slot {
	size_t head, tail; /* 1 + index of a number, 0: none */
	size_t numbers;
	size_t unnumbered;          /* boots that are valid and gave no number for this case */
	const char *skip, *invalid; /* the first reasons among their runs */
};

/* A boot that counts by this listing of its fault. */
struct known_fault;
struct forgiven {
	size_t boot; /* index of facts.boots */
	const struct known_fault *by;
};

struct facts {
	struct sub sub;
	struct sub_kernels kernels;
	struct sub_kernels validators; /* of kernels that are validated; never compared */
	size_t *stands_for;            /* per kernel: the first of the same kernel id, or
	                                * the baseline, where it is the same binary and has
	                                * no boots of its own */
	struct kernel *built;          /* per kernel; id 0 when there is none */
	struct texts boards, cases;
	struct ids case_ids;
	struct boot_list boots;
	size_t *board_of, *kernel_of; /* per boot; NOWHERE */
	int64_t *layout_of;           /* per boot */
	struct sub_layouts relinks;
	bool *counts;       /* per boot: valid, not void, no replicate */
	const char **apart; /* per boot: why it may not be compared, or NULL */
	const char **env;   /* per board: of the boots that are compared; NULL: there are none */
	/* [board][kernel]: differences that are compared across, on request */
	struct env_differences *across;
	struct stat_rows stats;
	struct no_numbers unnumbered;
	struct job_list jobs;
	bool *deterministic; /* per board: its boots have phases */
	const char **metric, **unit;
	bool *more_is_better; /* per board */
	bool *emulated;
	struct number *number;
	size_t numbers;
	struct slot *slot; /* [board][case][kernel] */
	/* [board][case]: the spread of other kernels' boots there (lib/stat/pool.h);
	 * df 0 where too few are known, and on deterministic boards. */
	struct stat_pool *spread;
	/* [board][case]: what relinking made there, and one image in several
	 * submissions; of all boots up to last_boot (verdict_floor.c). */
	struct stat_floor *layout_floor, *image_floor;
	int64_t *added; /* per board: boots of a kernel that were asked for when it was done */
	int64_t open_jobs;
	int64_t last_boot;
	struct {
		struct forgiven *at;
		size_t count;
	} forgiven;
	int64_t last_known; /* newest row of known_fault about its faults; 0: none */
};

#define NOWHERE ((size_t)-1)

/* Submission, kernels, boards, cases and boots: what a frame needs. */
enum err facts_head(struct db *db, struct pool *p, int64_t sub, struct facts *f, struct why *w);
/* All of it. */
enum err facts_load(struct db *db, struct pool *p, int64_t sub, struct facts *f, struct why *w);
/* Voids the boots of kernels whose validation found a fault, and says in the
 * comparison's notes what validation came to; before facts_lay(). */
enum err facts_validate(struct db *db, struct pool *p, struct facts *f, struct judged *v,
                        struct why *w);
/* Voids boots by their replicates; before facts_lay(). */
enum err facts_replicates(struct db *db, struct pool *p, struct facts *f, struct judged *v,
                          struct why *w);
/* Boots whose faults are all known are valid from here on (verdict_known.c); before
 * facts_replicates(). */
enum err facts_known(struct db *db, struct pool *p, struct facts *f, struct why *w);
/* The comparison's footnotes, and the signatures of what was thrown out. */
void facts_footnotes(const struct facts *f, struct cmp *c);
enum err facts_signatures(struct db *db, struct pool *p, const struct facts *f, struct cmp *c,
                          struct why *w);
/* Fills spread (verdict_spread.c). */
enum err facts_spread(struct db *db, struct pool *p, struct facts *f, struct why *w);
/* Fills apart, env and across (verdict_env.c); before facts_lay(). */
enum err facts_environments(struct db *db, struct pool *p, struct facts *f, struct why *w);
/* What is compared across, as rows and notes of the comparison. */
void facts_note_across(struct pool *p, const struct facts *f, struct cmp *c);
/* Into the comparison's cells, once all are there (verdict_covariates.c). */
enum err facts_covariates(struct db *db, struct pool *p, const struct facts *f, struct cmp *c,
                          struct why *w);
/* Fills layout_floor and image_floor (verdict_floor.c). */
enum err facts_floor(struct db *db, struct pool *p, struct facts *f, struct why *w);
/* The floor under a comparison over so many layouts; NAN: none is known yet. */
double facts_floor_of(const struct facts *f, size_t board, size_t case_, size_t layouts);
/* It has a boot there that counts, or may come to one; after facts_lay(). */
bool facts_measured(const struct facts *f, size_t board, size_t kernel);
/* Fills counts, number and slot. */
void facts_lay(struct pool *p, struct facts *f);

static inline struct slot *facts_slot(const struct facts *f, size_t board, size_t case_,
                                      size_t kernel)
{
	return &f->slot[(board * f->cases.count + case_) * f->kernels.count +
	                f->stands_for[kernel]];
}

static inline struct env_differences *facts_across(const struct facts *f, size_t board,
                                                   size_t kernel)
{
	return &f->across[board * f->kernels.count + kernel];
}

/* Why the numbers of a boot are left out; NULL: they count. */
static inline const char *facts_why_out(const struct facts *f, size_t boot)
{
	const struct boot *b = &f->boots.at[boot];

	if (b->valid && !b->void_why)
		return f->apart[boot];
	if (b->void_why || b->why)
		return b->void_why ? b->void_why : b->why;
	return "no reason given";
}

#endif
