/*
 * service.h - a server and an agent of one state directory, as children of
 * `foldwatch up`.
 *
 *     service_init(&s, dir, listen, programs, share);
 *     e = service_start(&s, &w);      server, tokens, agent; or joins what runs
 *     ... service_check(&s, &w) now and then ...
 *     service_stop(&s);               agent first, then server
 *
 * What it writes into the directory: foldwatchd.conf and agent.conf (made
 * anew each time), submit.token and agent.token (0600, kept), server.log,
 * agent.log, up.lock.
 */
#ifndef FOLDWATCH_SERVICE_H
#define FOLDWATCH_SERVICE_H

#include "lib/client.h"
#include "lib/err.h"
#include "lib/proc.h"

#include <stdbool.h>

struct service {
	char *dir;      /* state, absolute */
	char *listen;   /* "127.0.0.1:8080" */
	char *programs; /* directory of foldwatchd, foldwatch-agent, foldbench-arm64 and web/ */
	char *share;    /* directory that holds kernel/ */
	char *tree;     /* a prefix that the agent may fetch beside https, or NULL */
	int lock_fd;
	bool joined; /* another process runs them: nothing is started or stopped */
	struct proc server, agent;
	char *address; /* http://…, once started */
};

void service_init(struct service *s, const char *dir, const char *listen, const char *programs,
                  const char *share);
/* `stop` is looked at while waiting: true ends it with ERR_CANCELLED. */
enum err service_start(struct service *s, const volatile int *stop, struct why *w);
/* ERR_UNAVAILABLE with the child's own last sentence when one has ended. */
enum err service_check(struct service *s, struct why *w);
void service_stop(struct service *s);
void service_release(struct service *s);

#endif
