/*
 * state.h - the durable state of a slot: which job it has and how far it is.
 *
 *     build:   idle -> claimed -> fetched -> configured -> built -> spooled -> idle
 *     boot:    idle -> claimed -> staged -> armed -> booted -> measured -> spooled -> idle
 *     resolve, walk: idle -> claimed -> fetched -> spooled -> idle
 *
 * The moves are one table (state.c) and state_move() alone makes them. A move
 * is on the disk before it is in memory, and so before the effect that it
 * names. Two rows lead back: a job that was interrupted is begun again
 * (-> claimed) or given up (-> idle); and a job that failed goes to `spooled`
 * from wherever it stood.
 *
 * There is one file a slot, dir/state/SLOT.json. While a step runs, its child
 * process alone writes the file (through struct step's mark()); the supervisor
 * reads it again when the child has ended.
 *
 *     {"format":1,"state":"fetched","kind":"build","job":31,"attempt":1,
 *      "lease_s":60,"starts":1}
 *
 * A file that cannot be read (torn, foreign, of a later format) is set aside
 * as SLOT.json.bad-N and the slot begins idle: its job's lease ends by itself
 * and the server gives the job out again.
 */
#ifndef FOLDWATCH_STATE_H
#define FOLDWATCH_STATE_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

enum job_kind { JOB_NONE, JOB_RESOLVE, JOB_BUILD, JOB_BOOT, JOB_WALK, JOB_KINDS };

enum job_state {
	STATE_IDLE,
	STATE_CLAIMED,
	STATE_FETCHED,
	STATE_CONFIGURED,
	STATE_BUILT,
	STATE_STAGED,
	STATE_ARMED,
	STATE_BOOTED,
	STATE_MEASURED,
	STATE_SPOOLED,
	STATE_COUNT
};

struct state {
	char *path; /* its file */
	enum job_state at;
	enum job_kind kind; /* JOB_NONE when idle */
	int64_t job, attempt;
	int64_t lease_s;
	int64_t starts; /* how often its step was begun, at least 1 once claimed */
};

const char *job_kind_name(enum job_kind k); /* "none", "resolve", "build", "boot", "walk" */
/* JOB_NONE for any other word. */
enum job_kind job_kind_parse(const char *word);
const char *job_state_name(enum job_state s);
/* -1 for a word that is no state. */
int job_state_parse(const char *word);

/* True when the table has such a move for this kind of job. */
bool state_may(enum job_kind kind, enum job_state from, enum job_state to);

/* Read dir/state/SLOT.json, or begin idle. Only a failing disk is an error; a
 * file that makes no sense is set aside, with a log line. */
enum err state_load(struct state *s, const char *dir, const char *slot, struct why *w);
void state_release(struct state *s);

/* idle -> claimed: takes over the job's numbers. */
enum err state_claim(struct state *s, enum job_kind kind, int64_t job, int64_t attempt,
                     int64_t lease_s, struct why *w);
/* ERR_INTERNAL for a move that is not in the table; the disk's error when it
 * could not be made durable, and nothing has changed then. */
enum err state_move(struct state *s, enum job_state to, struct why *w);

#endif
