/*
 * profile_plugin.h - what QEMU is told so that agent/plugin/profile.c counts a boot's
 * runs: `-plugin WORDS`, and the file that its `runs` names.
 */
#ifndef FOLDWATCH_PROFILE_PLUGIN_H
#define FOLDWATCH_PROFILE_PLUGIN_H

#include "lib/err.h"
#include "lib/symbols.h"

struct profile_plugin {
	const char *plugin;           /* the shared object, as QEMU sees it, ... */
	const char *out, *runs;       /* ... and the files */
	const char *foldbench;        /* the guest's, as we see it: its symbols are read */
	const struct symbols *kernel; /* of the vmlinux */
};

/* free() the words. ERR_INPUT where foldbench or the kernel lacks a function that it
 * is told by. */
enum err profile_plugin_words(const struct profile_plugin *p, char **words, struct why *w);

/* The text of `runs`, a line a run of a plan (docs/foldbench-format.md) that was
 * found good; free() it. */
char *profile_plugin_runs(const char *plan);

#endif
