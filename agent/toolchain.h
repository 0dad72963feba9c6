/*
 * toolchain.h - which compilers the agent has, asked of the compilers.
 */
#ifndef FOLDWATCH_TOOLCHAIN_H
#define FOLDWATCH_TOOLCHAIN_H

#include "agent/agent_conf.h"
#include "lib/err.h"

struct toolchain_facts {
	char compiler[256]; /* first line of `CC --version` */
	char linker[256];   /* first line of `LD --version` */
};

/* The programs' names: gcc takes the prefix, clang is one program for all
 * targets and links with ld.lld. free() them. */
char *toolchain_cc(const struct toolchain_conf *t);
char *toolchain_ld(const struct toolchain_conf *t);

/* Ask both; an error names the one that is missing. At most 20 s. */
enum err toolchain_probe(const struct toolchain_conf *t, struct toolchain_facts *f, struct why *w);

#endif
