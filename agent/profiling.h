/*
 * profiling.h - a boot whose instructions are counted by function, beside its samples.
 *
 * On a deterministic board one phase is booted twice, to prove that its counts repeat.
 * The second of the two carries QEMU's plugin (agent/plugin/profile.c), which changes
 * no count of the guest: that its samples are equal proves both. Where the plugin or
 * the kernel's vmlinux cannot be had the boot goes without, and the job's log says why.
 */
#ifndef FOLDWATCH_PROFILING_H
#define FOLDWATCH_PROFILING_H

#include "agent/boot.h"

struct profiling {
	struct symbols *kernel; /* NULL: this boot has no profile */
	char *plugin;           /* the shared object */
	char *runs;             /* the file that it reads */
	char *words;            /* for QEMU's -plugin */
};

/* Whether there is to be one, and all that it takes. In a sandbox QEMU sees the
 * plugin at PROFILING_PLUGIN and the runs at PROFILING_RUNS. */
#define PROFILING_PLUGIN "/in/profile.so"
#define PROFILING_RUNS   "/in/runs"
void profiling_stage(struct profiling *p, const struct boot *b);
/* What came of it, as an artifact of the outcome: "profile" in its body, the zstd of
 * profiles_json(). Without one, null. */
enum err profiling_keep(const struct profiling *p, const struct boot *b, struct step_outcome *out,
                        struct why *w);
void profiling_release(struct profiling *p);

#endif
