#include "cli/commands.h"

#include <stddef.h>

/* In the order of the help. */
const struct cli_command *const cli_commands[] = {
        &cmd_up,
        NULL,
};
