/*
 * commands.h - every subcommand, each defined in its cmd_NAME.c.
 */
#ifndef FOLDWATCH_COMMANDS_H
#define FOLDWATCH_COMMANDS_H

#include "cli/cli.h"

extern const struct cli_command cmd_up;

#endif
