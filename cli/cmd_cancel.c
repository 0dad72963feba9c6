/* foldwatch cancel: end a submission. */
#include "cli/commands.h"
#include "cli/show.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

static enum err run_cancel(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	char *path;
	struct reply r;
	int64_t id;
	enum err e = arg_id("submission", argv[0], &id, w);

	(void)opt;
	(void)argc;
	if (e)
		return e;
	path = xasprintf("/api/v1/submissions/%lld/cancel", (long long)id);
	e = cli_send(cli, "POST", path, NULL, NULL, &r, w);
	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e)
		printf("submission %lld: %s\n", (long long)id, json_str(r.json, "state", "?"));
	reply_release(&r);
	free(path);
	return e;
}

const struct cli_command cmd_cancel = {
        .name = "cancel",
        .args = "ID",
        .summary = "cancel a submission; what was measured stays",
        .help = "example:\n  foldwatch cancel 7\n",
        .min_args = 1,
        .max_args = 1,
        .run = run_cancel,
};
