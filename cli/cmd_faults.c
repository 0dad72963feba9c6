/* foldwatch faults: what boots showed, and listing a fault as known. */
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/table.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

struct faults_opts {
	const char *why, *until, *board, *branch;
};

static const struct cli_opt faults_table[] = {
        {"why", OPT_TEXT, offsetof(struct faults_opts, why), "TEXT",
         "known: the reason, which every table will carry", 0, 0, false},
        {"until", OPT_TEXT, offsetof(struct faults_opts, until), "YYYY-MM-DD",
         "known: the last day on which it holds, at most a year away", 0, 0, false},
        {"board", OPT_TEXT, offsetof(struct faults_opts, board), "PATTERN",
         "known: only on boards with such a name", 0, 0, false},
        {"branch", OPT_TEXT, offsetof(struct faults_opts, branch), "PATTERN",
         "known: only of such a ref, or TREE#REF", 0, 0, false},
        {0},
};

static void print_known(const json_t *list)
{
	struct table t;
	const json_t *k;
	char id[24], until[12];
	size_t i;

	table_init(&t, "ID", "STATE", "UNTIL", "BOARD", "BRANCH", "BY", "SIGNATURE", "WHY");
	json_array_foreach (list, i, k) {
		snprintf(id, sizeof(id), "%lld", (long long)json_int(k, "id", 0));
		/* The server tells the moment after; people told a day. */
		snprintf(until, sizeof(until), "%.10s", json_str(k, "last_day", ""));
		table_row(&t, id, json_str(k, "state", NULL), until, json_str(k, "board", "any"),
		          json_str(k, "branch", "any"), json_str(k, "by", NULL),
		          json_str(k, "signature", NULL), json_str(k, "why", ""));
	}
	table_print(&t);
	table_release(&t);
}

static void print_seen(const json_t *list)
{
	struct table t;
	const json_t *s;
	char boots[24], last[24];
	size_t i;

	table_init(&t, "BOOTS", "LAST", "BOARD", "SIGNATURE", "PLACE", "NEVER KNOWN, BECAUSE");
	json_array_foreach (list, i, s) {
		snprintf(boots, sizeof(boots), "%lld", (long long)json_int(s, "boots", 0));
		snprintf(last, sizeof(last), "%lld", (long long)json_int(s, "last_boot", 0));
		table_row(&t, boots, last, json_str(s, "board", NULL),
		          json_str(s, "signature", NULL), json_str(s, "place", NULL),
		          json_str(s, "never", ""));
	}
	table_print(&t);
	table_release(&t);
}

static enum err list(struct cli *cli, struct why *w)
{
	struct reply r;
	enum err e = cli_get(cli, "/api/v1/faults", &r, w);

	if (!e && cli->json) {
		e = cli_print_json(r.json, w);
	} else if (!e) {
		const json_t *known = json_object_get(r.json, "known");

		if (json_array_size(known)) {
			print_known(known);
			putchar('\n');
		}
		print_seen(json_object_get(r.json, "seen"));
	}
	reply_release(&r);
	return e;
}

static enum err known(struct cli *cli, const struct faults_opts *o, const char *signature,
                      struct why *w)
{
	json_t *body;
	struct reply r;
	enum err e;

	if (!o->why || !o->until)
		return err_set(w, ERR_INPUT, "\"foldwatch faults known\" needs %s",
		               o->why ? "--until YYYY-MM-DD" : "--why TEXT");
	body = json_object();
	json_put_str(body, "signature", signature);
	json_put_str(body, "why", o->why);
	json_put_str(body, "until", o->until);
	if (o->board)
		json_put_str(body, "board", o->board);
	if (o->branch)
		json_put_str(body, "branch", o->branch);
	e = cli_send(cli, "POST", "/api/v1/faults", body, NULL, &r, w);
	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e)
		printf("known fault %lld: its boots count until %s\n",
		       (long long)json_int(r.json, "id", 0), o->until);
	reply_release(&r);
	json_decref(body);
	return e;
}

static enum err end(struct cli *cli, const char *arg, struct why *w)
{
	struct reply r;
	int64_t id;
	char *path;
	enum err e = arg_id("known fault", arg, &id, w);

	if (e)
		return e;
	path = xasprintf("/api/v1/faults/%lld", (long long)id);
	e = cli_send(cli, "DELETE", path, NULL, NULL, &r, w);
	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e)
		printf("known fault %lld is ended: its boots count no more\n", (long long)id);
	reply_release(&r);
	free(path);
	return e;
}

static enum err run_faults(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const struct faults_opts *o = opt;
	const char *verb = argc ? argv[0] : "list";
	bool options = o->why || o->until || o->board || o->branch;

	if (str_eq(verb, "known") && argc == 2)
		return known(cli, o, argv[1], w);
	if (options)
		return err_set(w, ERR_INPUT,
		               "--why, --until, --board and --branch go with \"faults known\"");
	if (str_eq(verb, "list") && argc <= 1)
		return list(cli, w);
	if (str_eq(verb, "end") && argc == 2)
		return end(cli, argv[1], w);
	return err_set(w, ERR_INPUT, "expected: foldwatch faults list | known SIGNATURE | end ID");
}

const struct cli_command cmd_faults = {
        .name = "faults",
        .args = "[list | known SIGNATURE | end ID]",
        .summary = "list faults of boots, and declare one as known (admin)",
        .help = "A fault makes its boot invalid. One that is listed as known does not: boots that\n"
                "hold no other count, and every table that rests on them says so. Never for a\n"
                "fault of mm/ or arch/*/mm, one whose file is unknown, or one that kills.\n"
                "\n"
                "examples:\n"
                "  foldwatch faults\n"
                "  foldwatch faults known warning:foo_probe:drivers/foo.c --why \"bug 123\" \\\n"
                "      --until 2026-12-31 --board 'altra-*' --token-file admin.token\n"
                "  foldwatch faults end 3 --token-file admin.token\n",
        .opts = faults_table,
        .size = sizeof(struct faults_opts),
        .max_args = 2,
        .run = run_faults,
};
