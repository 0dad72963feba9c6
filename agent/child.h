/*
 * child.h - a part of the agent that runs in a process of its own: forked, not
 * executed, with a deadline and a process group.
 *
 *     c.pid == 0                         none runs
 *     child_start(&c, &spec, &w);
 *     ... poll c.out_fd and c.say_fd; read them ...
 *     if (child_reap(&c)) use(c.status);  ended; descriptors still open: drain them
 *     child_close(&c);
 *
 * In the child: standard input is /dev/null, signals are as a fresh program
 * has them (SIGPIPE and SIGXFSZ stay ignored), no descriptor is open but 0, 1,
 * 2, `say` and `keep`, and SIGKILL comes when the supervisor dies.
 */
#ifndef FOLDWATCH_CHILD_H
#define FOLDWATCH_CHILD_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
	pid_t pid;           /* also its process group; 0: none */
	int out_fd;          /* what it prints; non-blocking; -1: not caught */
	int say_fd;          /* what it writes to `say`; non-blocking */
	int64_t deadline_ns; /* monotonic; INT64_MAX: none */
	int status;          /* as waitpid(2) gives it, once reaped */
};

struct child_spec {
	/* Runs in the child; its return value is the exit status. */
	int (*run)(void *arg, int say);
	void *arg;
	const char *job_dir; /* becomes FOLDWATCH_JOB_DIR of all that it starts; may be NULL */
	int keep;            /* a descriptor that it holds too, close-on-exec; -1: none */
	bool catch_output;   /* 1 and 2 become out_fd; otherwise they are the parent's */
	int64_t timeout_ns;  /* 0: none */
};

#define CHILD_NONE                                                             \
	{                                                                      \
		.pid = 0, .out_fd = -1, .say_fd = -1, .deadline_ns = INT64_MAX \
	}

enum err child_start(struct child *c, const struct child_spec *spec, struct why *w);
/* True once it has ended; pid is 0 then and `status` valid. */
bool child_reap(struct child *c);
/* SIGKILL to the whole group. */
void child_kill(const struct child *c);
/* Close the descriptors. */
void child_close(struct child *c);
/* Kill, wait, close. */
void child_end(struct child *c);

/* Kill every process of this user whose environment says
 * FOLDWATCH_JOB_DIR=`job_dir` or, with `below`, a directory below `job_dir`:
 * what left the process group, or outlived an agent that was killed. Returns
 * how many were killed. Never the caller itself. */
int child_kill_strays(const char *job_dir, bool below);

#endif
