#include "agent/memory.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

void memory_settle(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	malloc_trim(0);
	while (maps && fgets(line, sizeof(line), maps)) {
		uintptr_t from, to;
		char perms[8];

		/* Text of files, private and never writable: a page of it that differs
		 * from the file would be lost, and there is none. (Not "r--p": that holds
		 * what the dynamic linker has relocated.) */
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &from, &to, perms) == 3 &&
		    strcmp(perms, "r-xp") == 0 && strchr(line, '/'))
			madvise((void *)from, to - from, MADV_DONTNEED);
	}
	if (maps)
		fclose(maps);
}
