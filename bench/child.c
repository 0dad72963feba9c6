#include "bench/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* In the child: ready, then wait for the word to go. The other end closes when
 * the run's process ends, which is a word to go too. */
static void hold(int ready, int go) __attribute__((noreturn));
static void hold(int ready, int go)
{
	char byte = 1;

	if (write(ready, &byte, 1) != 1)
		_exit(1);
	while (read(go, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

/* "7 (comm) S ...": /proc/PID/stat */
static bool waits(pid_t pid)
{
	char path[48], text[512], *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (text_read(path, text, sizeof(text)) < 0)
		return false;
	state = strrchr(text, ')');
	return state && text_starts(state, ") S");
}

/* Its word came, but it is still on its way into the read: in the window it would
 * take the CPU from the call. */
static bool rests(pid_t pid, struct reason *w)
{
	const struct timespec nap = {.tv_nsec = 100000};

	for (int i = 0; i < 10000; i++) {
		if (waits(pid))
			return true;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
	}
	reason_set(w, "the child does not come to rest");
	return false;
}

bool child_hold(struct child *c, struct reason *w)
{
	int ready[2], go[2];
	char byte;
	bool told;

	*c = (struct child){0};
	if (pipe2(ready, O_CLOEXEC)) {
		reason_set(w, "no pipe for a child: %s", strerror(errno));
		return false;
	}
	if (pipe2(go, O_CLOEXEC)) {
		reason_set(w, "no pipe for a child: %s", strerror(errno));
		close(ready[0]);
		close(ready[1]);
		return false;
	}
	c->pid = fork();
	if (!c->pid) {
		close(go[1]);
		hold(ready[1], go[0]);
	}
	c->go = go[1];
	close(ready[1]);
	close(go[0]);
	if (c->pid < 0) {
		reason_set(w, "fork: %s", strerror(errno));
		close(ready[0]);
		close(c->go);
		c->pid = 0;
		return false;
	}
	told = read(ready[0], &byte, 1) == 1;
	close(ready[0]);
	if (!told)
		reason_set(w, "the child ended before it was told to");
	return told && rests(c->pid, w);
}

bool child_release(const struct child *c)
{
	return write(c->go, "", 1) == 1;
}

static bool reap(pid_t pid, struct reason *w)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno == EINTR)
			continue;
		reason_set(w, "waitpid: %s", strerror(errno));
		return false;
	}
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return true;
	reason_set(w, "the child ended with status 0x%x", (unsigned int)status);
	return false;
}

bool child_reap(struct child *c, struct reason *w)
{
	pid_t pid = c->pid;

	if (!pid)
		return true;
	close(c->go);
	*c = (struct child){0};
	return reap(pid, w);
}

bool child_end(struct child *c, struct reason *w)
{
	if (c->pid && !child_release(c)) {
		reason_set(w, "the child cannot be released: %s", strerror(errno));
		return false;
	}
	return child_reap(c, w);
}

/* Asked for in every window, in front of it: a run is one process, and its
 * environment does not change. */
static bool child_spin(uint64_t *turns, struct reason *w)
{
	const char *spin = getenv("FOLDBENCH_CHILD_SPIN");

	*turns = 0;
	if (!spin || u64_parse(spin, strlen(spin), turns))
		return true;
	reason_set(w, "FOLDBENCH_CHILD_SPIN: expected a number, got \"%.40s\"", spin);
	return false;
}

enum run_state child_fork(struct run *r)
{
	uint64_t turns;
	pid_t pid;

	if (!child_spin(&turns, &r->why))
		return RUN_SKIP;
	meter_start(r->meter);
	pid = fork();
	if (!pid) {
		for (volatile uint64_t i = 0; i < turns; i++)
			;
		_exit(0);
	}
	meter_stop(r->meter);

	if (pid < 0)
		return run_answer(r, RUN_INVALID, "fork: %s", strerror(errno));
	return reap(pid, &r->why) ? RUN_VALID : RUN_INVALID;
}
