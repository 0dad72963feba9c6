/* foldwatch token: list, make and revoke tokens. */
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/table.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

static void print_tokens(const json_t *root)
{
	struct table t;
	const json_t *k;
	char id[24], made[12];
	size_t i;

	table_init(&t, "ID", "ROLE", "CREATED", "STATE", "LABEL");
	json_array_foreach (json_object_get(root, "tokens"), i, k) {
		snprintf(id, sizeof(id), "%lld", (long long)json_int(k, "id", 0));
		table_time(json_str(k, "created", NULL), made, sizeof(made));
		table_row(&t, id, json_str(k, "role", NULL), made,
		          json_str(k, "revoked", NULL) ? "revoked" : "valid",
		          json_str(k, "label", ""));
	}
	table_print(&t);
	table_release(&t);
}

static enum err run_token(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const char *verb = argc ? argv[0] : "list";
	json_t *body = NULL;
	struct reply r = {0};
	int64_t id;
	enum err e;

	(void)opt;
	if (str_eq(verb, "list") && argc <= 1) {
		e = cli_get(cli, "/api/v1/tokens", &r, w);
		if (!e && !cli->json)
			print_tokens(r.json);
	} else if (str_eq(verb, "add") && argc == 3) {
		body = json_object();
		json_put_str(body, "role", argv[1]);
		json_put_str(body, "label", argv[2]);
		e = cli_send(cli, "POST", "/api/v1/tokens", body, NULL, &r, w);
		if (!e && !cli->json)
			printf("%s\n", json_str(r.json, "token", ""));
	} else if (str_eq(verb, "revoke") && argc == 2) {
		e = arg_id("token", argv[1], &id, w);
		if (!e) {
			char *path = xasprintf("/api/v1/tokens/%lld", (long long)id);

			e = cli_send(cli, "DELETE", path, NULL, NULL, &r, w);
			free(path);
		}
		if (!e && !cli->json)
			printf("token %s is revoked\n", argv[1]);
	} else {
		return err_set(w, ERR_INPUT,
		               "expected: foldwatch token list | add ROLE LABEL | revoke ID");
	}
	if (!e && cli->json && r.json)
		e = cli_print_json(r.json, w);
	reply_release(&r);
	json_decref(body);
	return e;
}

const struct cli_command cmd_token = {
        .name = "token",
        .args = "[list | add ROLE LABEL | revoke ID]",
        .summary = "list, make and revoke tokens (admin)",
        .help = "A role is read, submit, agent or admin. The token is printed once.\n"
                "\n"
                "examples:\n"
                "  foldwatch token --token-file var/admin.token\n"
                "  foldwatch token add submit \"Ada's laptop\" --token-file var/admin.token\n"
                "  foldwatch token revoke 3 --token-file var/admin.token\n",
        .max_args = 3,
        .run = run_token,
};
