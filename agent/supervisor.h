/*
 * supervisor.h - the agent's loop: one thread, one poll(2).
 *
 *     supervisor_run(&conf, &steps, NULL, &w);     until SIGTERM or SIGINT
 *
 * It announces, claims, renews leases with progress, sends live logs, starts
 * and ends steps (slot.h), and hands results to a child process that posts
 * them (spool.h). Everything that may take long - a step, an upload, a probe,
 * the removal of a tree - is a child; what the loop itself asks of the server
 * takes at most 20 s, and while the server is away almost nothing.
 *
 * On SIGTERM or SIGINT it kills its children and keeps its state: the next
 * start goes on from there, as it does after SIGKILL or a power cut.
 */
#ifndef FOLDWATCH_SUPERVISOR_H
#define FOLDWATCH_SUPERVISOR_H

#include "agent/agent_conf.h"
#include "agent/step.h"
#include "lib/err.h"

#include <stdint.h>

struct supervisor_timing {
	int64_t claim_min_ms, claim_max_ms; /* between two claims, growing while there is no job */
	int64_t progress_ms;                /* between two renewals that bring new progress */
	int64_t log_ms;                     /* between two pieces of a live log */
	int64_t announce_ms, probe_ms;      /* again; and when something could not be used */
	int64_t backoff_base_ms, backoff_cap_ms; /* while the server is away */
	int64_t refused_cap_ms;                  /* an entry of the spool that is refused for now */
	int64_t sweep_ms;                        /* between two sweeps of trash and caches */
	int64_t lock_wait_ms;                    /* for the last children of a killed agent */
	int64_t grace_s;                         /* beyond the deadlines of the steps */
};

extern const struct supervisor_timing supervisor_timing;

/* OK when it was asked to stop; ERR_CONFLICT when another agent has the
 * directory. `timing` NULL: the above. */
enum err supervisor_run(const struct agent_conf *conf, const struct step_table *table,
                        const struct supervisor_timing *timing, struct why *w);

#endif
