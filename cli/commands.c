#include "cli/commands.h"

#include <stddef.h>

/* In the order of the help. */
const struct cli_command *const cli_commands[] = {
        &cmd_submit,   &cmd_status,    &cmd_compare, &cmd_bisect_step, &cmd_explain, &cmd_repro,
        &cmd_kernels,  &cmd_boards,    &cmd_boots,   &cmd_log,         &cmd_cancel,  &cmd_faults,
        &cmd_history,  &cmd_reference, &cmd_alerts,  &cmd_subscribe,   &cmd_token,   &cmd_import,
        &cmd_scan_log, &cmd_stat,      &cmd_preset,  &cmd_up,          NULL,
};
