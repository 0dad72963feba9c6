/* foldwatch token: list, make and revoke tokens. */
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/table.h"

#include "lib/conf.h"
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

struct token_opts {
	const char *submissions, *jobs, *boots, *bytes;
};

static const struct cli_opt token_table[] = {
        {"submissions", OPT_TEXT, offsetof(struct token_opts, submissions), "N",
         "quota: open submissions at a time", 0, 0, false},
        {"jobs", OPT_TEXT, offsetof(struct token_opts, jobs), "N",
         "quota: jobs that wait at a time", 0, 0, false},
        {"boots", OPT_TEXT, offsetof(struct token_opts, boots), "N", "quota: boots in 24 hours", 0,
         0, false},
        {"bytes", OPT_TEXT, offsetof(struct token_opts, bytes), "SIZE",
         "quota: of uploads that are stored", 0, 0, false},
        {0},
};

/* A number, `none`, or `default`, which is the server's. */
static enum err put_limit(json_t *body, const char *name, const char *text, struct why *w)
{
	uint64_t n = 0;
	enum err e = OK;

	if (!text)
		return OK;
	if (str_eq(text, "default")) {
		json_object_set_new(body, name, json_null());
		return OK;
	}
	if (!str_eq(text, "none"))
		e = size_parse(text, &n, w);
	if (e == OK && !str_eq(text, "none") && (n == 0 || n > INT64_MAX))
		e = err_set(w, ERR_INPUT, "expected 1 or more, none, or default, got \"%s\"", text);
	if (e == OK)
		json_put_int(body, name, (int64_t)n);
	return err_at(w, e, "--%s", name);
}

static enum err set_quota(struct cli *cli, const struct token_opts *o, int64_t id, struct reply *r,
                          struct why *w)
{
	json_t *body = json_object();
	char *path = xasprintf("/api/v1/tokens/%lld/quota", (long long)id);
	enum err e = put_limit(body, "submissions", o->submissions, w);

	if (!e)
		e = put_limit(body, "jobs", o->jobs, w);
	if (!e)
		e = put_limit(body, "boots", o->boots, w);
	if (!e)
		e = put_limit(body, "bytes", o->bytes, w);
	if (!e && json_object_size(body))
		e = cli_send(cli, "PUT", path, body, NULL, r, w);
	else if (!e)
		e = cli_get(cli, path, r, w);
	json_decref(body);
	free(path);
	return e;
}

static void print_limits(const json_t *o)
{
	static const char *const names[] = {"submissions", "jobs", "boots", "bytes"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int64_t n = json_int(o, names[i], -1);
		char text[32];

		snprintf(text, sizeof(text), "%lld", (long long)n);
		if (n > 0 && str_eq(names[i], "bytes"))
			size_format((uint64_t)n, text, sizeof(text));
		printf("%-12s %s\n", names[i], n < 0 ? "default" : n == 0 ? "none" : text);
	}
}

static enum err run_token(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const char *verb = argc ? argv[0] : "list";
	json_t *body = NULL;
	struct reply r = {0};
	int64_t id;
	enum err e;

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
	} else if (str_eq(verb, "quota") && argc == 2) {
		e = arg_id("token", argv[1], &id, w);
		if (!e)
			e = set_quota(cli, opt, id, &r, w);
		if (!e && !cli->json && json_object_get(r.json, "quotas"))
			print_quotas(r.json);
		else if (!e && !cli->json)
			print_limits(r.json);
	} else {
		return err_set(
		        w, ERR_INPUT,
		        "expected: foldwatch token list | add ROLE LABEL | revoke ID | quota ID");
	}
	if (!e && cli->json && r.json)
		e = cli_print_json(r.json, w);
	reply_release(&r);
	json_decref(body);
	return e;
}

const struct cli_command cmd_token = {
        .name = "token",
        .args = "[list | add ROLE LABEL | revoke ID | quota ID]",
        .summary = "list, make, limit and revoke tokens (admin)",
        .help = "A role is read, submit, agent or admin. The token is printed once.\n"
                "Quotas hold for tokens of role submit: a number, `none`, or `default`, which is\n"
                "what the server's configuration says. Without one, what holds and is used is\n"
                "shown.\n"
                "\n"
                "examples:\n"
                "  foldwatch token --token-file var/admin.token\n"
                "  foldwatch token add submit \"Ada's laptop\" --token-file var/admin.token\n"
                "  foldwatch token quota 3 --token-file var/admin.token\n"
                "  foldwatch token quota 3 --boots 500 --bytes 20G --token-file var/admin.token\n"
                "  foldwatch token revoke 3 --token-file var/admin.token\n",
        .opts = token_table,
        .size = sizeof(struct token_opts),
        .max_args = 3,
        .run = run_token,
};
