/* foldwatch log, cancel, token: one request each. */
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/table.h"

#include "lib/mem.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- log */

struct log_opts {
	bool follow, boot;
};

static const struct cli_opt log_table[] = {
        {"follow", OPT_FLAG, offsetof(struct log_opts, follow), NULL, "go on until the job ends", 0,
         0, false},
        {"boot", OPT_FLAG, offsetof(struct log_opts, boot), NULL,
         "ID is a boot: print its kernel's console", 0, 0, false},
        {0},
};

static enum err write_out(const struct reply *r, struct why *w)
{
	if (fwrite(r->body.data, 1, r->body.len, stdout) != r->body.len || fflush(stdout) == EOF)
		return err_sys(w, ERR_IO, "cannot write to standard output");
	return OK;
}

static enum err get_text(struct cli *cli, const char *path, struct reply *r, struct why *w)
{
	struct client *c;
	enum err e = cli_connect(cli, &c, w);

	if (!e)
		e = client_bytes(c, "GET", path, NULL, NULL, 0, "text/plain", NULL, r, w);
	if (e && r->status == 0)
		e = err_at(w, e, "the server at %s does not answer", cli->base);
	return e;
}

static enum err run_log(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const struct log_opts *o = opt;
	int64_t id, offset = 0;
	enum err e = arg_id(o->boot ? "boot" : "job", argv[0], &id, w);

	(void)argc;
	while (!e) {
		struct reply r = {0};
		int64_t next;
		bool complete = true;
		size_t got;
		char *path = o->boot ? xasprintf("/api/v1/boots/%lld/console", (long long)id)
		                     : xasprintf("/api/v1/jobs/%lld/log?offset=%lld", (long long)id,
		                                 (long long)offset);

		e = get_text(cli, path, &r, w);
		free(path);
		if (!e)
			e = write_out(&r, w);
		got = r.body.len;
		next = r.next_offset;
		reply_release(&r);
		if (e || o->boot)
			break;
		if (next > offset)
			offset = next;
		if (got)
			continue; /* there may be more already */
		if (!o->follow)
			break;
		path = xasprintf("/api/v1/jobs/%lld", (long long)id);
		e = cli_get(cli, path, &r, w);
		free(path);
		if (!e) {
			const char *state = json_str(r.json, "state", "");

			complete = !str_eq(state, "queued") && !str_eq(state, "leased");
		}
		reply_release(&r);
		if (complete)
			break;
		poll(NULL, 0, 500);
	}
	return e;
}

const struct cli_command cmd_log = {
        .name = "log",
        .args = "ID",
        .summary = "print a job's log, or the console of a boot",
        .help = "examples:\n  foldwatch log 31 --follow\n  foldwatch log --boot 12\n",
        .opts = log_table,
        .size = sizeof(struct log_opts),
        .min_args = 1,
        .max_args = 1,
        .run = run_log,
};

/* ---- cancel */

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

/* ---- token */

static void print_tokens(const json_t *root)
{
	struct table t;
	const json_t *k;
	char id[24], made[12];
	size_t i;

	table_init(&t, "ID", "ROLE", "CREATED", "STATE", "LABEL", NULL);
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
		return err_set(w, ERR_INPUT, "expected: token list | add ROLE LABEL | revoke ID");
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
                "example:\n"
                "  foldwatch token add submit \"Ada's laptop\" --token-file var/admin.token\n",
        .max_args = 3,
        .run = run_token,
};
