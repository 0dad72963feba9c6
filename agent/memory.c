#include "agent/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void memory_settle(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	malloc_trim(0);
	while (maps && fgets(line, sizeof(line), maps)) {
		char *p, *perms;
		uintptr_t from = strtoul(line, &p, 16), to;

		if (*p != '-')
			continue;
		to = strtoul(p + 1, &perms, 16);
		/* Text of files, private and never writable: a page of it that differs
		 * from the file would be lost, and there is none. (Not "r--p": that holds
		 * what the dynamic linker has relocated.) */
		if (strncmp(perms, " r-xp ", 6) == 0 && strchr(perms, '/'))
			madvise((void *)from, to - from, MADV_DONTNEED);
	}
	if (maps)
		fclose(maps);
}
