/*
 * slot.h - a place in the agent that has one job at a time: each board is one, the
 * builder is one, and what only asks git (resolve and walk jobs) is one, so that a look at
 * a branch need not wait for the minutes of a build. The last two share mirrors: each is
 * used by one step at a time (git.h), a build by its fetch and its checkout alone.
 *
 * A slot is its durable state (state.h), the step's child process when one
 * runs, and a phase that says what the loop has to do next:
 *
 *     IDLE ──claim──> START ──> RUN ──ended──> FINISH ──> POST ──acknowledged──> IDLE
 *                       ^        │
 *     (agent began) RESUME       └─fenced──> DROP ──> IDLE
 *
 * The phase is never stored: slot_open() finds it from what is on the disk.
 *
 *     state                  on the disk                     phase
 *     idle                                                   IDLE
 *     claimed ... measured   the result is in the spool      FINISH (-> POST)
 *                            jobs/J-A/result.json            FINISH
 *                            jobs/J-A/lease.json             RESUME: begun again in
 *                                                            its directory when the
 *                                                            lease is still ours
 *                            nothing                         DROP
 *     spooled                the result is in the spool      POST
 *                            not any more                    IDLE
 */
#ifndef FOLDWATCH_SLOT_H
#define FOLDWATCH_SLOT_H

#include "agent/child.h"
#include "agent/spool.h"
#include "agent/state.h"
#include "agent/step.h"
#include "lib/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* A job's log is kept up to this length, and then the last bytes of what the
 * step printed. */
#define SLOT_LOG_MAX  (4 << 20)
#define SLOT_TAIL_MAX (64 << 10)

enum slot_sort { SLOT_GIT, SLOT_BUILD, SLOT_BOARD };
enum slot_phase { SLOT_IDLE, SLOT_RESUME, SLOT_START, SLOT_RUN, SLOT_FINISH, SLOT_POST, SLOT_DROP };

enum slot_stop { STOP_NONE, STOP_CANCELLED, STOP_FENCED, STOP_DEADLINE };

/* What all slots share. */
struct slot_env {
	const struct agent_conf *conf;
	const struct step_table *table;
	struct spool *spool;
	int lock_fd;     /* each step holds it: a new agent waits until the last is gone */
	int64_t grace_s; /* beyond the step's own deadlines */
	bool *trash;     /* set when something was put into trash/ */
};

struct slot_progress {
	char step[64];
	int64_t done, total; /* total < 0: unknown */
};

struct slot {
	const struct slot_env *env;
	enum slot_sort sort;
	char name[80];                  /* of its state file: git, build, board-NAME */
	const struct board_conf *board; /* of SLOT_BOARD */
	bool usable;                    /* probed: may be offered to the server */

	struct state st;
	enum slot_phase phase;
	char *dir;        /* the job's */
	bool again;       /* it was interrupted: begin again */
	int64_t retry_ns; /* monotonic: when a phase that failed here is tried again */
	unsigned int retries;

	struct child child;
	enum slot_stop stop;
	int64_t begun_ns;
	struct slot_progress progress;
	struct buf say; /* an unfinished line */

	int log_fd;
	int64_t log_len, log_sent;
	uint64_t log_dropped; /* of the bytes beyond the cap, those before `tail` */
	struct buf tail;

	/* The loop's: */
	int64_t renew_ns, progress_ns, log_ns;
	bool progress_new;
	bool lost; /* the lease is another's: nothing more to renew */
};

/* Read the state and find the phase. */
enum err slot_open(struct slot *s, const struct slot_env *env, enum slot_sort sort,
                   const struct board_conf *board, struct why *w);
/* Which slots are for jobs of that kind. */
enum slot_sort slot_sort_of(enum job_kind kind);
/* Kills the step, if one runs; the state stays. */
void slot_close(struct slot *s);

/* A lease as the server sent it, with its numbers. */
enum err slot_claim(struct slot *s, enum job_kind kind, int64_t job, int64_t attempt,
                    int64_t lease_s, const char *lease, size_t len, struct why *w);
/* Do what is due: start, reap, end at the deadline, spool, drop. */
void slot_tick(struct slot *s, int64_t now_ns);
/* When slot_tick() is due by the clock: INT64_MAX when it is not. */
int64_t slot_due(const struct slot *s);
/* Kill the step for that reason; without one, give the job up at once. */
void slot_stop(struct slot *s, enum slot_stop why);
/* The lease is ours, or nobody can be asked: RESUME -> START. */
void slot_resume(struct slot *s);
/* The entry has left the spool: POST -> IDLE. */
void slot_posted(struct slot *s);

/* slot_log.c */

/* Read what the step says and prints; new progress sets progress_new. */
void slot_read(struct slot *s);
/* Open the job's log, and close it with what was left out. */
void slot_log_begin(struct slot *s);
void slot_log_end(struct slot *s);
/* At most `max` bytes that the server has not got, from log_sent on. */
size_t slot_log_next(const struct slot *s, char *out, size_t max);

#endif
