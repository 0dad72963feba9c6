/* process.c - what a process takes, by /proc. */
#include "tests/bench/bench.h"

#include "lib/mem.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nanoseconds on a processor of all threads, the ended ones left out: nothing
 * of ours ends threads while it is measured. Finer than utime's ticks. */
static double threads_ns(pid_t pid)
{
	char *dir = xasprintf("/proc/%d/task", (int)pid), line[128];
	DIR *d = opendir(dir);
	struct dirent *entry;
	double ns = 0;

	while (d && (entry = readdir(d))) {
		char *path = xasprintf("%s/%s/schedstat", dir, entry->d_name);
		FILE *f = entry->d_name[0] == '.' ? NULL : fopen(path, "re");

		if (f && fgets(line, sizeof(line), f))
			ns += strtod(line, NULL);
		if (f)
			fclose(f);
		free(path);
	}
	if (d)
		closedir(d);
	free(dir);
	return ns;
}

struct usage usage_of(pid_t pid)
{
	char *path = xasprintf("/proc/%d/status", (int)pid), line[256];
	struct usage u = {.cpu_s = threads_ns(pid) / 1e9};
	FILE *f = fopen(path, "re");

	if (!f)
		die("process %d is gone", (int)pid);
	while (fgets(line, sizeof(line), f)) {
		if (str_starts(line, "VmRSS:"))
			u.rss_mib = strtod(line + 6, NULL) / 1024;
		else if (str_starts(line, "VmHWM:"))
			u.peak_mib = strtod(line + 6, NULL) / 1024;
	}
	fclose(f);
	free(path);
	return u;
}
