/*
 * harness.h - runs the real supervisor as a process of its own, with steps
 * that do what a script in the job's spec says.
 *
 *     {"script":["mark fetched","print 1000","hold fetched","artifact hello"]}
 *
 *     mark STATE      as a step does; checks that the state file says so by then
 *     hold NAME       wait while the file BASE/hold-NAME exists
 *     count           append a line to BASE/count-JOB: how often the job ran
 *     print N         N bytes of numbered lines on standard output
 *     progress N      step_progress()
 *     artifact TEXT   a file with that text in the job's directory
 *     outside TEXT    the same in builds/, where it does not stay
 *     fill            write into the job's directory until the disk is full
 *     child, daemon   start a process that stays: in the group, outside of it;
 *                     its pid goes to BASE/pids
 *     hang, die, exit, error TEXT, fail CLASS, nothing
 *
 * A test program that uses it begins its main() with harness_agent().
 */
#ifndef HARNESS_H
#define HARNESS_H

#include "agent/test/fake_server.h"

#include <stdbool.h>
#include <sys/types.h>

struct harness {
	struct fake_server *server;
	char base[64]; /* token, agent/, agent.log, hold-*, count-* */
	char dir[80];  /* base/agent */
	pid_t agent;
	int boards;
	int timeout_s;   /* of every step */
	int64_t reserve; /* disk_reserve_bytes */
	bool builds;
};

/* When argv says --agent this is the agent's process and does not return. */
void harness_agent(int argc, char **argv);

void harness_init(struct harness *h);
void harness_release(struct harness *h);
void agent_start(struct harness *h);
/* Signal and wait; returns the status of waitpid(2). */
int agent_end(struct harness *h, int sig);
/* Wait for it to end by itself. */
int agent_wait(struct harness *h);

void hold(struct harness *h, const char *name);
void let_go(struct harness *h, const char *name);
/* Lines of BASE/count-JOB. */
int times_run(struct harness *h, int64_t job);
/* The state that DIR/state/SLOT.json tells, "" when there is none. Static. */
const char *state_of(struct harness *h, const char *slot);
/* Names below DIR/ROOM, dot files not counted. */
int entries(struct harness *h, const char *room);
/* The content of a file below `base`; "" when there is none. free() it. */
char *content(struct harness *h, const char *path);
/* The first file below DIR/dead with that name in an entry. free() it. */
char *dead_file(struct harness *h, const char *name);
/* All processes of BASE/pids have ended. */
bool pids_gone(struct harness *h);

bool job_done(struct harness *h, int64_t id);
bool log_says(struct harness *h, const char *text);

#define WAIT_MS 15000
/* Look every few milliseconds until it is so; fails the test when it never is. */
#define wait_for(condition)                                                        \
	do {                                                                       \
		bool so_ = false;                                                  \
		for (int ms_ = 0; ms_ < WAIT_MS && !(so_ = (condition)); ms_ += 5) \
			harness_pause();                                           \
		if (!so_)                                                          \
			harness_tell(h, #condition);                               \
		assert_true(so_);                                                  \
	} while (0)
void harness_pause(void);
/* Show the agent's log of a test that fails. */
void harness_tell(struct harness *h, const char *condition);

#endif
