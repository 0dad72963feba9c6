/* foldwatch boards: the machines, and taking them out of service. */
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/table.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

static void print_labels(const json_t *labels, struct buf *out)
{
	const json_t *l;
	size_t i;

	buf_reset(out);
	json_array_foreach (labels, i, l)
		if (json_is_string(l))
			buf_addf(out, "%s%s", i ? "," : "", json_string_value(l));
}

static void print_list(const json_t *root)
{
	struct table t;
	struct buf labels;
	const json_t *b;
	size_t i;

	buf_init(&labels, 4096);
	table_init(&t, "BOARD", "STATE", "KIND", "PROFILE", "METRIC", "AGENT", "LABELS", "WHY");
	json_array_foreach (json_object_get(root, "boards"), i, b) {
		print_labels(json_object_get(b, "labels"), &labels);
		table_row(&t, json_str(b, "name", NULL), json_str(b, "state", NULL),
		          json_str(b, "kind", NULL), json_str(b, "profile", NULL),
		          json_str(b, "metric", NULL), json_str(b, "agent", NULL), labels.data,
		          json_flag(b, "offered", true) ? json_str(b, "why", "")
		                                        : "its agent no longer announces it");
	}
	table_print(&t);
	table_release(&t);
	buf_release(&labels);
}

static void print_one(const json_t *b)
{
	struct table t;
	const json_t *ev;
	char when[12];
	size_t i;

	char *text = xasprintf("%s: %s%s%s%s", json_str(b, "name", ""), json_str(b, "state", ""),
	                       json_str(b, "why", NULL) ? " (" : "", json_str(b, "why", ""),
	                       json_str(b, "why", NULL) ? ")" : "");

	print_clean(text);
	free(text);
	print_clean(json_str(b, "description", ""));
	putchar('\n');
	table_init(&t, "WHEN", "EVENT", "BY", "WHY");
	json_array_foreach (json_object_get(b, "events"), i, ev) {
		table_time(json_str(ev, "at", NULL), when, sizeof(when));
		table_row(&t, when, json_str(ev, "event", NULL), json_str(ev, "by", NULL),
		          json_str(ev, "why", ""));
	}
	table_print(&t);
	table_release(&t);
}

static enum err act(struct cli *cli, const char *verb, const char *board, const char *why,
                    struct why *w)
{
	char *path = api_path("/api/v1/boards", board, verb, NULL);
	json_t *body = json_object();
	struct reply r;
	enum err e;

	if (why)
		json_put_str(body, "why", why);
	e = cli_send(cli, "POST", path, body, NULL, &r, w);
	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e)
		printf("%s: %s%s\n", json_str(r.json, "name", ""), json_str(r.json, "state", ""),
		       str_eq(verb, "resume") &&
		                       str_eq(json_str(r.json, "state", ""), "quarantined")
		               ? ", a health check is queued"
		               : "");
	reply_release(&r);
	json_decref(body);
	free(path);
	return e;
}

static const struct {
	const char *verb;
	bool why; /* must be said */
} verbs[] = {{"drain", true}, {"quarantine", true}, {"resume", false}};

static enum err run_boards(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	struct reply r = {0};
	char *path;
	enum err e;

	(void)opt;
	for (size_t i = 0; argc && i < ARRAY_SIZE(verbs); i++) {
		if (!str_eq(argv[0], verbs[i].verb))
			continue;
		if (argc < 2)
			return err_set(w, ERR_INPUT,
			               "\"foldwatch boards %s\" needs the board's name", argv[0]);
		if (argc < 3 && verbs[i].why)
			return err_set(w, ERR_INPUT, "\"foldwatch boards %s %s\" needs the reason",
			               argv[0], argv[1]);
		return act(cli, argv[0], argv[1], argc > 2 ? argv[2] : NULL, w);
	}
	if (argc > 1)
		return err_set(w, ERR_INPUT, "\"%s\" is none of drain, resume, quarantine",
		               argv[0]);
	path = argc ? api_path("/api/v1/boards", argv[0], NULL) : xstrdup("/api/v1/boards");
	e = cli_get(cli, path, &r, w);
	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e && argc)
		print_one(r.json);
	else if (!e)
		print_list(r.json);
	reply_release(&r);
	free(path);
	return e;
}

const struct cli_command cmd_boards = {
        .name = "boards",
        .args = "[NAME | drain NAME WHY | quarantine NAME WHY | resume NAME [WHY]]",
        .summary = "list boards, show one, or take it out of and into service",
        .help = "A drained board finishes what it does and gets no more. A quarantined one boots\n"
                "nothing but health checks; resume asks for one.\n"
                "\n"
                "examples:\n"
                "  foldwatch boards\n"
                "  foldwatch boards qemu-det\n"
                "  foldwatch boards resume altra-1 --token-file admin.token\n"
                "  foldwatch boards drain altra-1 \"new firmware\" --token-file admin.token\n",
        .max_args = 3,
        .run = run_boards,
};
