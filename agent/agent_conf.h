/*
 * agent_conf.h - the configuration of foldwatch-agent.
 *
 *     server = http://127.0.0.1:8080
 *     token_file = /…/agent.token
 *     dir = /…/agent
 *     trees = https:// file:///srv/linux.git       prefixes that may be fetched
 *     trusted_trees =                              built without a sandbox, on the owner's word
 *
 *     [toolchain gcc]
 *     cross = aarch64-linux-gnu-
 *
 *     [board qemu-det]
 *     kind = qemu
 *     profile = deterministic
 *     labels = virtual ci
 *
 * The table that reads it (agent_conf.c) is checked against the man page.
 */
#ifndef FOLDWATCH_AGENT_CONF_H
#define FOLDWATCH_AGENT_CONF_H

#include "lib/conf.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AGENT_BOARDS     16
#define AGENT_TOOLCHAINS 16

enum board_kind { BOARD_QEMU };
enum qemu_profile { PROFILE_DETERMINISTIC, PROFILE_FAST };

struct toolchain_conf {
	char name[65];
	char *cross;    /* CROSS_COMPILE prefix, "" for the native compiler */
	char *compiler; /* CC's base name: gcc or clang */
};

struct board_conf {
	char name[65];
	int kind;    /* enum board_kind */
	int profile; /* enum qemu_profile */
	char *qemu;  /* program: qemu-system-aarch64 */
	struct conf_list labels;
	bool untrusted; /* boots kernels of untrusted submitters (virtual boards only) */
};

struct agent_conf {
	char *name; /* [A-Za-z0-9._-]{1,64} */
	char *server;
	char *token_file;
	char *dir;       /* lock, state/, spool/, dead/, jobs/, trash/, mirrors/, builds/, ccache/,
	                    images/ */
	char *foldbench; /* static arm64 binary for guests */
	bool builds;     /* takes resolve, walk and build jobs */
	int64_t build_jobs; /* make -j; 0: the number of processors */
	int64_t build_timeout_s, fetch_timeout_s, boot_timeout_s;
	int64_t fetch_max_bytes, build_max_bytes; /* disk */
	int64_t build_memory_bytes, build_processes;
	int64_t ccache_bytes;
	int64_t disk_reserve_bytes; /* below it caches are evicted and no job is claimed */
	struct conf_list trees, trusted_trees;
	struct toolchain_conf toolchain[AGENT_TOOLCHAINS];
	size_t toolchains;
	struct board_conf board[AGENT_BOARDS];
	size_t boards;
};

/* Reads, checks, fills presets. Errors are `file:line: key: message`. */
enum err agent_conf_load(const char *path, struct agent_conf *c, struct why *w);
void agent_conf_release(struct agent_conf *c);

/* The tables, closed by a NULL name: for --help and for the test that every key
 * stands in the man page. */
enum agent_section { AGENT_TOP, AGENT_TOOLCHAIN, AGENT_BOARD, AGENT_SECTIONS };
const struct conf_key *agent_conf_keys(enum agent_section section);

#endif
