/*
 * faults.h - where the faults of boots were, derived from consoles and vmlinux.
 *
 *     e = faults_derive(srv, sub, &w);      of a submission's boots, before it is compared
 *     e = faults_derive(srv, NONE, &w);     of all that have none
 *
 * It runs where comparisons are made, not where a result is acknowledged: it reads
 * a console and a vmlinux, which may take a second. A vmlinux came out of a tree
 * that nobody has to trust, so it is read by a process of its own:
 * `foldwatchd decode FILE`, which may die of it.
 */
#ifndef FOLDWATCH_SERVER_FAULTS_H
#define FOLDWATCH_SERVER_FAULTS_H

#include "server/server.h"

enum err faults_derive(struct server *srv, int64_t submission, struct why *w);
/* As faults_derive(NONE), of boots that came since the last call: for work.c. */
enum err faults_derive_new(struct server *srv, int64_t *after, struct why *w);

/* Lines "NAME OFFSET SIZE EXACT" from standard input, for each a line of five
 * fields with tabs between to standard output: unit, file, line, object, why. The
 * exit status of the process. */
int faults_decode_main(const char *vmlinux);

#endif
