/*
 * sandbox.h - a program in bubblewrap: no network, nothing of this machine but
 * its read-only system, no secrets, and only the directories that it is given.
 *
 *     struct sandbox_mount m[] = {{src, "/src", false}, {out, "/out", true}};
 *     struct sandbox b = {.mounts = m, .mount_count = 2, .dir = "/out", ...};
 *     sandbox_begin(&b, &argv);
 *     argv_add(&argv, "make", ..., NULL);
 *     watch_run(... argv_list(&argv) ...)
 *
 * What the program sees: /usr (with /bin, /lib, … as the system has them), a few
 * files of /etc that programs need, its mounts at their fixed places, a new
 * /proc, a small /dev, an empty /tmp in memory. Its environment is what
 * `env` lists. It has its own user, process, network, IPC, UTS and cgroup
 * name spaces, cannot make further ones, has no capabilities, and dies with
 * whoever started it. Fixed places make every path that a compiler writes down
 * the same on every machine.
 */
#ifndef FOLDWATCH_SANDBOX_H
#define FOLDWATCH_SANDBOX_H

#include "agent/argv.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sandbox_mount {
	const char *host;
	const char *at;
	bool writable;
};

struct sandbox {
	const struct sandbox_mount *mounts;
	size_t mount_count;
	const char *dir; /* working directory inside; NULL: / */
	const char *const
	        *env;       /* "K=V", NULL-terminated; PATH, HOME and LC_ALL are there already */
	const char *device; /* a device file that it may use (/dev/kvm), or NULL */
	int64_t tmp_bytes;  /* of /tmp, in memory */
	/* prlimit(2), each process: */
	int64_t memory_bytes; /* address space; 0: unlimited */
	int64_t file_bytes;   /* largest file; 0: unlimited */
	int64_t processes;    /* of this sandbox; 0: unlimited */
};

/* Try it with /bin/true, once a process. Not OK: the sentence says why it
 * cannot be had here (not installed, no user name spaces). */
enum err sandbox_probe(struct why *w);
/* bwrap with its options; the program's own arguments follow. */
void sandbox_begin(const struct sandbox *b, struct argv *a);

#endif
