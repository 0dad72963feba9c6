/*
 * env.h - the conditions of a boot, as the running kernel tells them: the `env`
 * of a result's first line.
 *
 * Each member is read where the kernel says it; one that it does not tell, or
 * that this user may not read, is left out. The server says which of them must
 * be equal for numbers to be compared (server/result_env.c).
 *
 * Everything is read once, before the first case: what reading takes from the
 * allocator's lists is the same in each boot.
 */
#ifndef FOLDBENCH_ENV_H
#define FOLDBENCH_ENV_H

#include "bench/emit.h"

/* Adds "env": {...}. `root` stands before each path: "" but in tests. */
void env_describe(struct emit *e, const char *root);

/* Adds "detected": what "CPU features: detected: ..." lines of a kernel log
 * name, each once, in their order; nothing when there is no such line. */
void env_detected(struct emit *e, const char *log, size_t len);

#endif
