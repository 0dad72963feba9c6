/*
 * loop.h - the supervisor's own data, shared by its two files: supervisor.c
 * (processes, signals, time) and loop_server.c (what is said to the server).
 */
#ifndef FOLDWATCH_LOOP_H
#define FOLDWATCH_LOOP_H

#include "agent/peer.h"
#include "agent/slot.h"
#include "agent/supervisor.h"

#define SLOTS (AGENT_BOARDS + 2)

struct supervisor {
	const struct agent_conf *conf;
	const struct supervisor_timing *timing;
	struct slot_env env;
	struct spool spool;
	struct peer peer;
	struct slot slot[SLOTS];
	size_t slots;

	/* One child each, besides the steps. */
	struct child post, sweep, probe;
	int64_t post_job, post_attempt;
	bool sweep_wanted, all_usable;
	int64_t sweep_ns, probe_ns; /* monotonic: not before */

	char *announce; /* body, NULL until probed */
	bool announced;
	int64_t announce_ns;
	int64_t claim_ns, claim_pause_ms;
	bool disk_low, claim_refused; /* said so in the log */
};

static inline void sooner(int64_t *next_ns, int64_t t_ns)
{
	if (t_ns < *next_ns)
		*next_ns = t_ns;
}

/* Everything that is due to be said to the server; lowers *next_ns to when it
 * should be called again at the latest. */
void loop_server(struct supervisor *v, int64_t *next_ns);

#endif
