/*
 * store_boot.h - boots, their runs and samples, and the numbers of a run.
 * Conventions as in store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_BOOT_H
#define FOLDWATCH_SERVER_STORE_BOOT_H

#include "server/store_submission.h"

struct boot_fault {
	int64_t line;
	const char *kind, *function, *text;
	bool fatal;
	/* Derived (store_fault.h), only when read; NULL until then. */
	const char *signature, *file, *place, *never, *undecoded;
	bool decoded;
};

struct run_row {
	int64_t case_id;
	const char *case_text; /* when read */
	int64_t number;
	const char *state, *why;
	int64_t warmup, batch, windows, empty_window, count;
	const void *samples; /* zstd frame of little-endian int64, NULL: none */
	size_t samples_len;
	const char *evidence; /* JSON */
	/* derived, for a valid run; else iterations is 0 */
	double median, mean, sd;
	int64_t iterations;
};
struct run_list {
	struct run_row *at;
	size_t count;
};

struct boot {
	int64_t id, job, attempt, submission, kernel;
	const char *board, *board_identity, *env_id, *traits_id;
	const char *purpose;
	bool baseline;
	const char *plan_sha256;
	int64_t memory_bytes, phase, phase_pages, replicate;
	bool valid;
	const char *why, *class, *reached;
	const char *metric, *unit, *better;
	const char *nonce, *build_id, *boot_uuid, *bench;
	double seconds;
	const char *console, *profile;
	int64_t console_bytes, taint_before, taint_after;
	bool imported;
	const char *idem_key, *content_hash;
	int64_t created_ms;

	/* What hangs on it, for store_boot_add(). */
	const char *env, *traits; /* canonical JSON, or NULL */
	struct boot_fault *fault;
	size_t faults;
	struct run_list runs;
	const void *raw; /* zstd of a result that could not be read, or NULL */
	size_t raw_len;

	/* Only when read for a submission. */
	const char *void_why; /* made invalid by later evidence */
	bool forgiven;        /* valid after all: its faults are known ones */
};
struct boot_list {
	struct boot *at;
	size_t count;
};

struct boot boot_blank(void);
/* The boot with its environment, faults, runs and their numbers. */
enum err store_boot_add(struct db *db, const struct boot *b, int64_t *id, struct why *w);
enum err store_boot_link(struct db *db, int64_t submission, int64_t boot, bool reused,
                         struct why *w);
/* The boots of a job no longer answer its submission: they were the board's
 * fault. They stay as facts. */
enum err store_boot_unlink(struct db *db, int64_t submission, int64_t job, struct why *w);
enum err store_boot_get(struct db *db, int64_t id, struct pool *p, struct boot *out, struct why *w);
enum err store_boot_env(struct db *db, const char *env_id, struct pool *p, const char **body,
                        struct why *w);
/* b->fault and b->faults. */
enum err store_boot_faults(struct db *db, struct pool *p, struct boot *b, struct why *w);
/* b->runs, with their numbers, without samples. */
enum err store_boot_runs(struct db *db, struct pool *p, struct boot *b, struct why *w);
/* All boots that answer a submission, oldest first, with void_why. */
enum err store_boot_of_sub(struct db *db, int64_t submission, struct pool *p, struct boot_list *out,
                           struct why *w);
/* The boot of a job's last attempt that told one; NONE. */
enum err store_boot_of_job(struct db *db, int64_t job, int64_t *id, struct why *w);
/* Valid boots of a submission for one kernel and board. */
enum err store_boot_valid_count(struct db *db, int64_t submission, int64_t kernel,
                                const char *board, int64_t *count, struct why *w);

/* Boots that a submission took over from earlier ones. */
enum err store_boot_reused_count(struct db *db, int64_t submission, int64_t *count, struct why *w);

struct boot_want {
	int64_t kernel;
	const char *board, *board_identity, *plan_sha256;
	int64_t memory_bytes, phase, replicate;
	const char *bench; /* NULL: that of the newest boot on the board */
};
/* The newest valid boot that may stand for what is wanted, of the environment that the
 * board was in last with that much memory; NONE. */
enum err store_boot_reusable(struct db *db, const struct boot_want *want, int64_t *id,
                             struct why *w);
/* An import that came with this key: its boot; NONE. */
enum err store_boot_by_key(struct db *db, const char *key, struct pool *p, int64_t *id,
                           const char **content_hash, struct why *w);

/* Runs in which two boots differ, by stored bytes, or that only one of them
 * has (the other's samples NULL). The order is that of case and number. */
struct run_pair {
	const char *case_text;
	int64_t number;
	const char *state_a, *state_b; /* NULL: it has none */
	const void *a, *b;
	size_t a_len, b_len;
};
struct run_pairs {
	struct run_pair *at;
	size_t count;
};
enum err store_boot_differences(struct db *db, int64_t a, int64_t b, struct pool *p,
                                struct run_pairs *out, struct why *w);

/* A valid run's numbers, for comparisons; in order of boot, case, number. */
struct stat_row {
	int64_t boot, case_id;
	double median, mean;
};
struct stat_rows {
	struct stat_row *at;
	size_t count;
};
enum err store_stat_of_sub(struct db *db, int64_t submission, struct pool *p, struct stat_rows *out,
                           struct why *w);
/* What other kernels' valid boots gave on a board: of the newest `boots` with ids
 * up to `newest` those of the newest `kernels` kernels, none that the submission
 * has; in order of case, kernel, boot. */
struct spread_row {
	int64_t case_id, kernel;
	double number; /* the boot's: mean of its runs' medians */
};
struct spread_rows {
	struct spread_row *at;
	size_t count;
};
struct spread_want {
	const char *board, *metric;
	int64_t submission, newest, boots, kernels;
};
enum err store_stat_spread(struct db *db, const struct spread_want *want, struct pool *p,
                           struct spread_rows *out, struct why *w);
/* Skipped and invalid runs: case, state, why. */
struct no_number {
	int64_t boot, case_id;
	bool skip;
	const char *why;
};
struct no_numbers {
	struct no_number *at;
	size_t count;
};
enum err store_run_without_number(struct db *db, int64_t submission, struct pool *p,
                                  struct no_numbers *out, struct why *w);

struct sample_row {
	int64_t kernel, boot, phase, number;
	const char *board, *state;
	bool boot_valid;
	int64_t warmup, windows;
	const void *samples;
	size_t samples_len;
};
struct sample_rows {
	struct sample_row *at;
	size_t count;
};
/* board and metric NULL: any. */
enum err store_run_samples(struct db *db, int64_t submission, const char *case_text,
                           const char *board, const char *metric, struct pool *p,
                           struct sample_rows *out, struct why *w);

/* Runs of a case whose boots were counted by function: `at` is the run's place in the
 * artifact's list. */
struct profile_row_of {
	int64_t kernel, boot, phase, phase_pages, number, at;
	const char *board, *profile;
	double mean; /* of its samples after the warm-up */
};
struct profile_rows_of {
	struct profile_row_of *at;
	size_t count;
};
enum err store_run_profiles(struct db *db, int64_t submission, const char *case_text,
                            struct pool *p, struct profile_rows_of *out, struct why *w);

/* Cases of a submission with samples of several windows, by case and board. */
struct summed_row {
	const char *case_text, *board;
	int64_t windows; /* the most of a run */
};
struct summed_rows {
	struct summed_row *at;
	size_t count;
};
enum err store_run_summed(struct db *db, int64_t submission, struct pool *p,
                          struct summed_rows *out, struct why *w);

/* Derived numbers from the stored samples: all valid runs in
 * order, a page at a time, for a rebuild. */
struct raw_run {
	int64_t id, boot, case_id, number, warmup, windows;
	const void *samples;
	size_t samples_len;
};
struct raw_runs {
	struct raw_run *at;
	size_t count;
};
enum err store_run_page(struct db *db, int64_t after, int64_t limit, struct pool *p,
                        struct raw_runs *out, struct why *w);
enum err store_stat_add(struct db *db, int64_t boot, const struct run_row *r, struct why *w);
enum err store_stat_clear(struct db *db, struct why *w);

#endif
