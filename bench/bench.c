#include "bench/bench.h"

#include <string.h>

static const struct bench *const benches[] = {
        &bench_fork,     &bench_munmap, &bench_mremap,  &bench_exit, &bench_dontneed,
        &bench_mprotect, &bench_split,  &bench_cow,     &bench_walk, &bench_refs,
        &bench_reads,    &bench_moved,  &bench_pageout, &bench_ksm,
};

const struct bench *bench_find(const char *name)
{
	for (size_t i = 0; i < sizeof(benches) / sizeof(benches[0]); i++)
		if (!strcmp(benches[i]->name, name))
			return benches[i];
	return NULL;
}
