/*
 * host.h - the machine that an emulator runs on, for boards whose numbers are time:
 * they are the host's as much as the guest's. Where instructions are counted the host
 * changes none of them, and is not told.
 */
#ifndef FOLDWATCH_HOST_H
#define FOLDWATCH_HOST_H

#include <jansson.h>

/* {"machine","kernel","cpus","cpu","governor","max_khz","smt"}; what this machine does
 * not tell is left out. */
json_t *host_describe(void);

#endif
