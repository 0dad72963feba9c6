/*
 * spool.h - results on their way to the server.
 *
 * An entry is the job's own directory under another name: jobs/31-1 becomes
 * spool/00000007-31-1 by one durable rename, so a result is in the spool with
 * its artifacts and its log, or not at all. The first number orders them.
 *
 *     spool/00000007-31-1/result.json      as step_result() wrote it
 *                         lease.json, log, artifact/…
 *
 * The oldest is posted first: its log's rest, its artifacts, then the result,
 * with the Idempotency-Key `job-31-attempt-1` and until it is acknowledged.
 * Then the entry is renamed into trash/, from where it is removed in its time.
 * What the server refuses for good goes to dead/ with its sentence in the file
 * `why`; nothing else ever leaves the spool.
 */
#ifndef FOLDWATCH_SPOOL_H
#define FOLDWATCH_SPOOL_H

#include "agent/agent_conf.h"
#include "agent/state.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool_entry {
	int64_t seq, job, attempt;
	char name[80];    /* 00000007-31-1 */
	int64_t log_sent; /* bytes of its log that the server has; 0 after a restart */
	unsigned int tries;
	int64_t not_before_ns; /* monotonic */
};

struct spool {
	const char *dir;           /* the agent's */
	struct spool_entry *entry; /* by seq */
	size_t count;
};

/* Make the directories and list what is there. A foreign name is moved to
 * dead/ with a log line. */
enum err spool_open(struct spool *s, const char *dir, struct why *w);
void spool_release(struct spool *s);
/* Take over jobs/JOB-ATTEMPT. OK also when it is in the spool already. */
enum err spool_add(struct spool *s, int64_t job, int64_t attempt, int64_t log_sent, struct why *w);
/* NULL: not in the spool (any more). */
struct spool_entry *spool_find(struct spool *s, int64_t job, int64_t attempt);
/* Drop from the list what has left the directory. */
void spool_refresh(struct spool *s);
/* "DIR/spool/NAME"; free() it. */
char *spool_path(const struct spool *s, const struct spool_entry *e);

/* Exit statuses of spool_post(). */
enum post_end {
	POST_DONE = 0, /* acknowledged; the entry is in trash/ */
	POST_FENCED,   /* 409: the job was given to another; in dead/ */
	POST_DEAD,     /* refused for good, or unreadable; in dead/ */
	POST_AWAY,     /* no answer, 503 or 504: the server's state, not the entry's */
	POST_REFUSED,  /* an answer that may change: 401, 403, 408, 429, 500, 507 */
	POST_LOCAL     /* the agent's own disk or token */
};

/* Deliver one entry; runs in a child process. */
int spool_post(const struct agent_conf *conf, const struct spool *s, const struct spool_entry *e);

#endif
