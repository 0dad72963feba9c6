/* foldwatch subscribe: who is told of alerts. */
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/table.h"

#include "lib/buf.h"
#include "lib/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_MAX 2048

struct subscribe_opts {
	const char *branch, *board, *case_glob, *direction, *secret_file;
	double min_size_pct;
};

static const struct cli_opt subscribe_table[] = {
        {"branch", OPT_TEXT, offsetof(struct subscribe_opts, branch), "PATTERN",
         "only kernels of such a ref, or TREE#REF", 0, 0, false},
        {"board", OPT_TEXT, offsetof(struct subscribe_opts, board), "PATTERN",
         "only boards with such a name", 0, 0, false},
        {"case", OPT_TEXT, offsetof(struct subscribe_opts, case_glob), "PATTERN",
         "only such cases; faults are told all the same", 0, 0, false},
        {"min-size", OPT_REAL, offsetof(struct subscribe_opts, min_size_pct), "PCT",
         "only changes of so many per cent", 0, 10000, false},
        {"direction", OPT_TEXT, offsetof(struct subscribe_opts, direction), "slower|any",
         "any: also for a faster cell of a kernel that is slower elsewhere", 0, 0, false},
        {"secret-file", OPT_TEXT, offsetof(struct subscribe_opts, secret_file), "FILE",
         "webhook: the key of its signatures, 16 to 256 characters; else one is made", 0, 0, false},
        {0},
};

static void preset(void *opt)
{
	((struct subscribe_opts *)opt)->min_size_pct = NAN;
}

static enum err list(struct cli *cli, struct why *w)
{
	struct table t;
	struct reply r;
	const json_t *s;
	size_t i;
	enum err e = cli_get(cli, "/api/v1/subscriptions", &r, w);

	if (!e && cli->json) {
		e = cli_print_json(r.json, w);
	} else if (!e) {
		table_init(&t, "ID", "STATE", "CHANNEL", "TO", "BRANCH", "BOARD", "CASE", "SIZE",
		           "DIRECTION");
		json_array_foreach (json_object_get(r.json, "subscriptions"), i, s) {
			const json_t *size = json_object_get(s, "min_size");
			char id[24], pct[24] = "any";

			snprintf(id, sizeof(id), "%lld", (long long)json_int(s, "id", 0));
			if (json_is_number(size))
				snprintf(pct, sizeof(pct), "%.2f %%",
				         100 * json_number_value(size));
			table_row(&t, id, json_str(s, "ended", NULL) ? "ended" : "told",
			          json_str(s, "channel", NULL), json_str(s, "to", NULL),
			          json_str(s, "branch", "any"), json_str(s, "board", "any"),
			          json_str(s, "case", "any"), pct, json_str(s, "direction", NULL));
		}
		table_print(&t);
		table_release(&t);
	}
	reply_release(&r);
	return e;
}

/* "-": a line of standard input, since arguments are seen by everybody on the machine. */
static enum err read_address(const char *arg, char **out, struct why *w)
{
	char line[ADDRESS_MAX + 2];

	if (!str_eq(arg, "-")) {
		*out = xstrdup(arg);
		return OK;
	}
	if (!fgets(line, sizeof(line), stdin))
		return err_set(w, ERR_INPUT, "standard input holds no address");
	*out = xstrndup(line, strcspn(line, "\r\n"));
	return OK;
}

static enum err read_secret(const char *path, char **out, struct why *w)
{
	struct buf b;
	enum err e;

	*out = NULL;
	if (!path)
		return OK;
	buf_init(&b, 4096);
	e = cli_read_file(path, &b, w);
	if (!e)
		*out = xstrndup(b.data, strcspn(b.data, "\r\n"));
	buf_release(&b);
	return e;
}

static void print_made(const json_t *s)
{
	char *line = xasprintf("subscription %lld: %s to %s", (long long)json_int(s, "id", 0),
	                       json_str(s, "channel", ""), json_str(s, "to", ""));

	print_clean(line);
	free(line);
	if (json_str(s, "secret", NULL))
		printf("secret, shown this once: %s\n", json_str(s, "secret", NULL));
}

static enum err make(struct cli *cli, const struct subscribe_opts *o, const char *channel,
                     const char *arg, struct why *w)
{
	json_t *body = json_object();
	struct reply r = {0};
	char *to = NULL, *secret = NULL;
	bool sent = false;
	enum err e = read_address(arg, &to, w);

	if (!e)
		e = read_secret(o->secret_file, &secret, w);
	if (!e) {
		json_put_str(body, "channel", channel);
		json_put_str(body, "to", to);
		if (secret)
			json_put_str(body, "secret", secret);
		if (o->branch)
			json_put_str(body, "branch", o->branch);
		if (o->board)
			json_put_str(body, "board", o->board);
		if (o->case_glob)
			json_put_str(body, "case", o->case_glob);
		if (!isnan(o->min_size_pct))
			json_put_real(body, "min_size", o->min_size_pct / 100);
		if (o->direction)
			json_put_str(body, "direction", o->direction);
		e = cli_send(cli, "POST", "/api/v1/subscriptions", body, NULL, &r, w);
		sent = true;
	}
	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e)
		print_made(r.json);
	if (sent)
		reply_release(&r);
	json_decref(body);
	free(secret);
	free(to);
	return e;
}

static enum err end(struct cli *cli, const char *arg, struct why *w)
{
	struct reply r;
	int64_t id;
	char *path;
	enum err e = arg_id("subscription", arg, &id, w);

	if (e)
		return e;
	path = xasprintf("/api/v1/subscriptions/%lld", (long long)id);
	e = cli_send(cli, "DELETE", path, NULL, NULL, &r, w);
	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e)
		printf("subscription %lld is ended\n", (long long)id);
	reply_release(&r);
	free(path);
	return e;
}

static enum err run_subscribe(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	static const char *const channels[] = {"mail", "webhook", "slack"};
	const struct subscribe_opts *o = opt;
	const char *verb = argc ? argv[0] : "list";
	bool options = o->branch || o->board || o->case_glob || o->direction || o->secret_file ||
	               !isnan(o->min_size_pct);

	for (size_t i = 0; i < ARRAY_SIZE(channels); i++)
		if (str_eq(channels[i], verb) && argc == 2)
			return make(cli, o, verb, argv[1], w);
	if (options)
		return err_set(w, ERR_INPUT, "options go with mail, webhook or slack");
	if (str_eq(verb, "list") && argc <= 1)
		return list(cli, w);
	if (str_eq(verb, "end") && argc == 2)
		return end(cli, argv[1], w);
	return err_set(
	        w, ERR_INPUT,
	        "expected: foldwatch subscribe list | mail ADDRESS | webhook URL | slack URL "
	        "| end ID");
}

const struct cli_command cmd_subscribe = {
        .name = "subscribe",
        .args = "[list | mail ADDRESS | webhook URL | slack URL | end ID]",
        .summary = "tell somebody of alerts, by mail or webhook (admin)",
        .help = "Who subscribes is told of each alert with a cell that matches all that is asked,\n"
                "and of its later steps. A URL of \"-\" is read from standard input: it may be a\n"
                "secret, and of it only the host is ever shown again.\n"
                "\n"
                "examples:\n"
                "  foldwatch subscribe mail mm-perf@example.org --branch 'mm-*' --min-size 1 \\\n"
                "      --token-file admin.token\n"
                "  foldwatch subscribe webhook https://ci.example.org/fw --board 'altra-*'\n"
                "  foldwatch subscribe slack - < slack.url\n"
                "  foldwatch subscribe end 3\n",
        .opts = subscribe_table,
        .size = sizeof(struct subscribe_opts),
        .max_args = 2,
        .run = run_subscribe,
        .preset = preset,
};
