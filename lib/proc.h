/*
 * proc.h - child processes with a deadline, a group of their own and capped
 * output.
 *
 *     struct proc p;
 *     proc_init(&p, 64 * 1024, 192 * 1024);
 *     e = proc_start(&p, &(struct proc_spec){.argv = argv, .timeout_ns = ...}, &w);
 *     ... poll(2) p.out_fd and p.pid_fd for reading, at most until
 *         proc_next_ns(&p), then proc_read(&p, ...) and ...
 *     if (proc_poll(&p))       ended? deadline passed?
 *             ... one more proc_read(), p.status ...
 *     proc_release(&p);        kills what is left of the group
 *
 * or, where waiting is all there is to do, proc_run(). Never system() or
 * popen(): arguments are an array. The child starts with only descriptors 0,
 * 1 and 2, default signal dispositions, an empty signal mask, and
 * PR_SET_PDEATHSIG = SIGKILL, so that it does not outlive a killed supervisor
 * (its own children may, for a moment). When it ends, what is left of its
 * group is killed: one process stands for its group.
 */
#ifndef FOLDWATCH_PROC_H
#define FOLDWATCH_PROC_H

#include "lib/buf.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_spec {
	const char *const *argv; /* argv[0] without a slash is looked up in the parent's PATH */
	const char *const *env;  /* "K=V", NULL-terminated; NULL: the parent's */
	const char *dir;         /* working directory; NULL: the parent's */
	const char *input;       /* text for its standard input (at most 60 KiB); NULL: /dev/null */
	const char *input_path;  /* a file as its standard input instead; NULL: none */
	const char *out_path; /* standard output and error go to this file, appended, instead of the
	                         pipe */
	int64_t timeout_ns;   /* 0: none */
	bool out_only;        /* standard error is left alone (the parent's) */
};

struct proc {
	pid_t pid;           /* also its process group; 0 when none runs */
	int pid_fd;          /* pidfd, readable once it ended; -1 where the system has none */
	int out_fd;          /* read end, non-blocking, close-on-exec; -1 after EOF */
	int64_t deadline_ns; /* monotonic; INT64_MAX: none */
	bool ended;
	bool timed_out;
	bool stopping;      /* SIGTERM was sent */
	int64_t kill_ns;    /* monotonic; when SIGKILL follows; INT64_MAX: not asked */
	int status;         /* as waitpid(2) gives it, valid once ended */
	struct buf head;    /* the first bytes of its output */
	struct buf tail;    /* the last bytes beyond the head, as a sliding window */
	uint64_t out_bytes; /* all that it wrote */
	size_t tail_max;
};

void proc_init(struct proc *p, size_t head_max, size_t tail_max);
enum err proc_start(struct proc *p, const struct proc_spec *spec, struct why *w);
/* Read what is there (at most 1 MiB a call, so that an endless writer cannot
 * hold the caller) into head and tail; `sink` (may be NULL) gets the same
 * bytes. Returns false at EOF. A process that left the group may hold the
 * other end open: do not wait for EOF once proc_poll() said that it ended. */
bool proc_read(struct proc *p, void (*sink)(void *ctx, const char *data, size_t len), void *ctx);
/* Reap when it ended; past the deadline SIGTERM, and 5 s later SIGKILL, to the
 * group. Returns true once ended. */
bool proc_poll(struct proc *p);
/* When proc_poll() has something to do at the latest, by the monotonic clock;
 * INT64_MAX: never. Without a pid_fd call it some times a second besides. */
int64_t proc_next_ns(const struct proc *p);
/* Ask the group to end: SIGTERM now, SIGKILL by proc_poll() 5 s later. */
void proc_stop(struct proc *p);
/* Kill the group at once, reap, and free. */
void proc_release(struct proc *p);

/* Start, read and wait, on the calling thread. OK when it exited with 0; otherwise ERR_IO with the
 * sentence `"git" exited with 128: LAST LINE OF OUTPUT` (or the signal, or
 * ERR_TIMEOUT). Output (both streams) goes to out when not NULL; what passes
 * its maximum is read and dropped, and out->full set. */
enum err proc_run(const struct proc_spec *spec, struct buf *out, struct why *w);
/* "exited with 2", "was killed by signal 9 (Killed)". */
void proc_status_words(int status, char *out, size_t size);

/* First in main(): where 0, 1 or 2 was closed by the parent, nothing that is opened later may
 * land there and be taken for it - a line to be printed must not go into a connection or a
 * file of ours. Reading or writing it fails, as it did. */
void proc_stdio(void);

#endif
