/*
 * store_job.h - jobs: queue, leases, attempts, answers.
 * Conventions as in store_submission.h.
 *
 *     queued -> leased -> done | failed
 *        ^         |
 *        +---------+  infra failure, lease expired (attempt stays, the next claim adds one)
 *     queued | leased -> cancelled
 */
#ifndef FOLDWATCH_SERVER_STORE_JOB_H
#define FOLDWATCH_SERVER_STORE_JOB_H

#include "server/store_submission.h"

struct job {
	int64_t id;
	const char *kind;    /* resolve, build, boot, walk */
	const char *purpose; /* work, health, confirm, validate */
	const char *state;
	/* In whose turn it is done. NULL when adding: its submission's; of a check nobody's. */
	const char *submitter;
	int64_t urgency, seq;
	int64_t submission, kernel; /* NONE: none */
	const char *name;           /* the kernel's, in its submission */
	const char *domain, *tree, *ref, *toolchain, *compiler;
	const char *base_of; /* resolve: the commit whose merge base with ref is asked */
	const char *board;
	/* A check's own; NULL when adding: the submission's. Lists leave it out. */
	const char *plan;
	const char *metric;
	int64_t memory_bytes, phase, phase_pages, replicate;
	int64_t about; /* confirm: the failed job; health: the first of its group */
	bool baseline;
	int64_t attempt;
	const char *agent, *nonce;
	int64_t lease_until_ms, infra_failures;
	const char *class, *why;
	const char *step;
	int64_t done, total;
	int64_t created_ms, started_ms, ended_ms;
};
struct job_list {
	struct job *at;
	size_t count;
};

/* All absent: what a new job begins with. */
/* Is it about a board's health, and for no submission's sake? */
bool job_is_check(const struct job *j);
struct job job_blank(void);
enum err store_job_add(struct db *db, const struct job *j, int64_t now_ms, int64_t *id,
                       struct why *w);
enum err store_job_get(struct db *db, int64_t id, struct pool *p, struct job *out, struct why *w);
/* Newest first below `before`; submission NONE: any; state NULL: any. */
enum err store_job_list(struct db *db, int64_t submission, const char *state, int64_t before,
                        int64_t limit, struct pool *p, struct job_list *out, struct why *w);
/* Of one submission, oldest first, whatever their number. */
enum err store_job_of_sub(struct db *db, int64_t submission, struct pool *p, struct job_list *out,
                          struct why *w);

/* Above every submission's priority: checks on a board, which is nobody's turn. */
#define URGENCY_CHECK 1000

#define CLAIM_BOARDS 16
struct claim {
	const char *agent;
	bool resolve, build, walk;
	const char *board[CLAIM_BOARDS];
	size_t boards;
	const char *nonce;
	int64_t lease_until_ms, now_ms;
};
/* Would claiming give one? A read, so that an idle agent costs no write. */
enum err store_job_claimable(struct db *db, const struct claim *c, bool *is, struct why *w);
/* Leases the next job; *id NONE: there is none. */
enum err store_job_claim(struct db *db, const struct claim *c, int64_t *id, struct why *w);
/* Of a leased or cancelled job of that attempt; ERR_CONFLICT when fenced.
 * `done`, `total`: NONE, unknown. */
enum err store_job_renew(struct db *db, int64_t id, int64_t attempt, int64_t lease_until_ms,
                         const char *step, int64_t done, int64_t total, struct why *w);
/* Leased ones whose time is up. */
enum err store_job_expired(struct db *db, int64_t now_ms, struct pool *p, struct ids *out,
                           struct why *w);
/* After a stop of the server: no lease ends before `lease_until_ms`. */
enum err store_job_extend(struct db *db, int64_t lease_until_ms, struct why *w);
/* leased -> done or failed; class and why NULL for done. A failed one may be
 * put back by store_job_requeue(). */
enum err store_job_end(struct db *db, int64_t id, const char *state, const char *class,
                       const char *why, int64_t now_ms, struct why *w);
/* Back into the queue after an infra failure: counts it. */
enum err store_job_requeue(struct db *db, int64_t id, const char *why, struct why *w);
/* queued or leased -> cancelled. */
enum err store_job_cancel(struct db *db, int64_t id, const char *why, int64_t now_ms,
                          struct why *w);
/* Gives a job to another submission that waits for its kernel. */
enum err store_job_move(struct db *db, int64_t id, int64_t submission, int64_t seq, struct why *w);
/* Words in a finished job's reason that came later (what a check found). */
enum err store_job_why(struct db *db, int64_t id, const char *class, const char *why,
                       struct why *w);

/* Queued or leased jobs of a submission. */
enum err store_job_open(struct db *db, int64_t submission, int64_t *count, struct why *w);
/* The job that resolves tree#ref for a submission, or its merge base with `base_of`;
 * NONE. */
enum err store_job_resolving(struct db *db, int64_t submission, const char *tree, const char *ref,
                             const char *base_of, int64_t *id, struct why *w);
/* Queued work on a board, of one submission (NONE: all) and one kernel (NONE: all). */
enum err store_job_waiting(struct db *db, const char *board, int64_t submission, int64_t kernel,
                           struct pool *p, struct ids *out, struct why *w);
/* Jobs of a health check or a confirmation by `about`, oldest first. */
enum err store_job_about(struct db *db, int64_t about, struct pool *p, struct job_list *out,
                         struct why *w);
/* The first job of an open health check on a board; NONE. */
enum err store_job_health(struct db *db, const char *board, int64_t *id, struct why *w);
/* Ended boots of a kernel on a board in a submission: failed as kernel or boot. */
enum err store_job_failed_boots(struct db *db, int64_t submission, int64_t kernel,
                                const char *board, int64_t *count, struct why *w);
/* Mean seconds of the last jobs of this kind (on this board, NULL: any);
 * NAN: none yet. */
enum err store_job_seconds(struct db *db, const char *kind, const char *board, double *out,
                           struct why *w);

struct job_answer {
	const char *content_hash, *state;
	int64_t boot;
};
/* *found false: this key is new for the job. */
enum err store_job_answer(struct db *db, int64_t job, const char *key, struct pool *p, bool *found,
                          struct job_answer *out, struct why *w);
enum err store_job_answer_add(struct db *db, int64_t job, const char *key,
                              const struct job_answer *a, struct why *w);

#endif
