/*
 * announce.h - what the agent can do, as it tells the server: its toolchains
 * and boards, each asked whether it really works.
 */
#ifndef FOLDWATCH_ANNOUNCE_H
#define FOLDWATCH_ANNOUNCE_H

#include "agent/agent_conf.h"
#include "agent/step.h"

#include <jansson.h>

/* Ask everything (seconds: it starts compilers and emulators) and write the
 * body of PUT /api/v1/agents/NAME durably to dir/announce.json. What does not
 * work is logged and left out. Runs in a child process. */
enum err announce_write(const struct agent_conf *conf, const struct step_table *table,
                        struct why *w);
/* Which boards and whether any toolchain stand in such a body. */
bool announce_has_board(const json_t *body, const char *board);
bool announce_has_toolchain(const json_t *body);

#endif
