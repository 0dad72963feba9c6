/*
 * commands.h - every subcommand, each defined in its cmd_NAME.c.
 */
#ifndef FOLDWATCH_COMMANDS_H
#define FOLDWATCH_COMMANDS_H

#include "cli/cli.h"

extern const struct cli_command cmd_up;
extern const struct cli_command cmd_submit;
extern const struct cli_command cmd_status;
extern const struct cli_command cmd_compare;
extern const struct cli_command cmd_bisect;
extern const struct cli_command cmd_bisect_step;
extern const struct cli_command cmd_explain;
extern const struct cli_command cmd_repro;
extern const struct cli_command cmd_kernels;
extern const struct cli_command cmd_boards;
extern const struct cli_command cmd_boots;
extern const struct cli_command cmd_faults;
extern const struct cli_command cmd_alerts;
extern const struct cli_command cmd_subscribe;
extern const struct cli_command cmd_track;
extern const struct cli_command cmd_history;
extern const struct cli_command cmd_reference;
extern const struct cli_command cmd_log;
extern const struct cli_command cmd_cancel;
extern const struct cli_command cmd_more;
extern const struct cli_command cmd_token;
extern const struct cli_command cmd_quota;
extern const struct cli_command cmd_import;
extern const struct cli_command cmd_scan_log;
extern const struct cli_command cmd_stat;
extern const struct cli_command cmd_preset;

/* Limits and what is used of them, for people (cmd_quota.c). */
void print_quotas(const json_t *root);

#endif
