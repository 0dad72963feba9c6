/*
 * watch.h - run one program of a step to its end, its output line by line,
 * under limits that are looked at from outside.
 *
 * Limits that a process sets on itself (prlimit) bind one process; these bind
 * the program with everything below it: time, disk under the directories it
 * may write, resident memory and number of processes. A program that passes
 * one is ended, and the sentence says which.
 */
#ifndef FOLDWATCH_WATCH_H
#define FOLDWATCH_WATCH_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WATCH_LINE  4096 /* a longer line is cut for `line`, not for the log */
#define WATCH_DISKS 3

struct watch {
	const char *name; /* in sentences: "git fetch", "the build" */
	const char *const *argv;
	const char *const *env; /* NULL: this process's */
	const char *dir;        /* working directory; NULL: this one */
	const char *input_path; /* a file as its standard input; NULL: /dev/null */
	int64_t timeout_s;      /* 0: none */
	int64_t disk_max;       /* bytes below disk[] together; 0: not looked at */
	const char
	        *disk[WATCH_DISKS]; /* the first is also the file system whose free space counts */
	const char *disk_key;       /* the key of the configuration that sets disk_max */
	int64_t disk_reserve;       /* free bytes that must remain */
	int64_t memory_max;         /* resident bytes of all processes; 0: not looked at */
	int64_t processes_max;      /* 0: not looked at */
	bool echo;                  /* copy the output to the job's log (descriptor 1) */
	/* Each line, ended by newline or carriage return, without it. */
	void (*line)(void *ctx, const char *line);
	void *ctx;
};

/* OK when the program ended by itself; *status is as waitpid(2) gives it.
 * Otherwise it was ended: ERR_TIMEOUT, ERR_TOO_LARGE, ERR_NO_SPACE. ERR_IO
 * when it could not be started. */
enum err watch_run(const struct watch *wt, int *status, struct why *w);

/* Resident bytes and number of the processes at and below `root`, by /proc. */
void watch_usage(int root, int64_t *bytes, int64_t *processes);
/* Append to the job's log, whole, whatever the descriptor is. */
void watch_log(const char *data, size_t len);

#endif
