/*
 * store_board.h - agents and the boards they offer.
 * Conventions as in store_submission.h.
 */
#ifndef FOLDWATCH_SERVER_STORE_BOARD_H
#define FOLDWATCH_SERVER_STORE_BOARD_H

#include "server/store_submission.h"

struct toolchain {
	const char *name, *compiler;
};

struct agent {
	const char *name, *version, *bench;
	bool builds;
	int64_t seen_ms;
	struct toolchain *toolchain;
	size_t toolchains;
	struct texts trees, boards;
	struct ids jobs; /* leased to it now */
};
struct agent_list {
	struct agent *at;
	size_t count;
};

struct board {
	const char *name, *agent, *kind, *profile;
	const char *labels; /* " virtual ci " */
	const char *metric;
	bool deterministic, emulated, untrusted;
	const char *capabilities; /* JSON */
	const char *description;
	const char *identity;
	bool offered;
	const char *state, *why;
	int64_t infra_streak;
	const char *bench; /* its agent's foldbench, or NULL */
	int64_t job;       /* leased on it now, or NONE */
};
struct board_list {
	struct board *at;
	size_t count;
};

struct board_event {
	int64_t id;
	const char *event, *why, *by;
	int64_t job, at_ms;
};
struct board_events {
	struct board_event *at;
	size_t count;
};

/* Replaces what the agent announced before; boards that it leaves out are no
 * longer offered. ERR_CONFLICT when a board is another agent's. */
enum err store_agent_put(struct db *db, const struct agent *a, const struct board *boards,
                         size_t count, int64_t now_ms, struct why *w);
enum err store_agent_get(struct db *db, const char *name, struct pool *p, struct agent *out,
                         struct why *w);
enum err store_agent_list(struct db *db, struct pool *p, struct agent_list *out, struct why *w);
enum err store_agent_seen(struct db *db, const char *name, int64_t now_ms, struct why *w);
/* May any agent that builds fetch from this tree? */
enum err store_tree_offered(struct db *db, const char *tree, bool *offered, struct why *w);
/* The compiler behind a toolchain's name, by the agent that was seen last;
 * NULL: no agent that builds offers it. */
enum err store_toolchain_compiler(struct db *db, const char *toolchain, struct pool *p,
                                  const char **compiler, struct why *w);

enum err store_board_get(struct db *db, const char *name, struct pool *p, struct board *out,
                         struct why *w);
/* Of a label, or all (NULL); by name. */
enum err store_board_list(struct db *db, const char *label, struct pool *p, struct board_list *out,
                          struct why *w);
enum err store_board_state(struct db *db, const char *name, const char *state, const char *why,
                           struct why *w);
enum err store_board_streak(struct db *db, const char *name, int64_t streak, struct why *w);
enum err store_board_event(struct db *db, const char *board, const char *event, const char *why,
                           const char *by, int64_t job, int64_t submission, int64_t now_ms,
                           struct why *w);
enum err store_board_events(struct db *db, const char *board, int64_t limit, struct pool *p,
                            struct board_events *out, struct why *w);
/* Has this submission's mismatch on the board been told already? */
enum err store_board_mismatch_told(struct db *db, const char *board, int64_t submission, bool *told,
                                   struct why *w);
/* The last validly booted baseline on it; NONE: none yet. */
enum err store_board_known_good(struct db *db, const char *board, int64_t *kernel, struct why *w);

#endif
