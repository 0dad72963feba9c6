/* foldwatch quota: what the token may use, and what is used. */
#include "cli/commands.h"
#include "cli/table.h"

#include "lib/conf.h"
#include "lib/mem.h"

#include <stdio.h>

static void amount(const json_t *q, const char *key, char *out, size_t size)
{
	int64_t n = json_int(q, key, -1);

	if (n < 0)
		snprintf(out, size, "no limit");
	else if (str_eq(json_str(q, "name", ""), "bytes"))
		size_format((uint64_t)n, out, size);
	else
		snprintf(out, size, "%lld", (long long)n);
}

void print_quotas(const json_t *root)
{
	struct table t;
	const json_t *q;
	char used[32], limit[32];
	size_t i;

	printf("%s%s\n", json_str(root, "label", ""),
	       json_flag(root, "exempt", false) ? ", an admin: no quota holds" : "");
	table_init(&t, "USED", "LIMIT", "WHAT");
	json_array_foreach (json_object_get(root, "quotas"), i, q) {
		amount(q, "used", used, sizeof(used));
		amount(q, "limit", limit, sizeof(limit));
		table_row(&t, used, limit, json_str(q, "what", NULL));
	}
	table_print(&t);
	table_release(&t);
}

static enum err run_quota(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	struct reply r = {0};
	enum err e = cli_get(cli, "/api/v1/quota", &r, w);

	(void)opt;
	(void)argc;
	(void)argv;
	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e)
		print_quotas(r.json);
	reply_release(&r);
	return e;
}

const struct cli_command cmd_quota = {
        .name = "quota",
        .args = "",
        .summary = "what the token may use, and what is used",
        .help = "Limits hold for open submissions, jobs that wait, boots that are asked for in\n"
                "24 hours, and bytes of uploads. Tokens with one label share what they use.\n"
                "\n"
                "example:\n"
                "  foldwatch quota\n",
        .run = run_quota,
};
