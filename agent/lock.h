/*
 * lock.h - wait for a lock that another step of this agent may hold.
 */
#ifndef FOLDWATCH_LOCK_H
#define FOLDWATCH_LOCK_H

#include "lib/err.h"

/* An exclusive flock(2) on `path`, made when missing. Waits as long as another
 * process holds it: steps have a deadline of their own, and the lock vanishes
 * with its holder. The descriptor is close-on-exec; -1 is an error. Where it has to wait
 * it calls held(arg) once before; held may be NULL. */
int lock_wait(const char *path, void (*held)(const void *arg), const void *arg, struct why *w);

#endif
