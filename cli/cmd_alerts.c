/* foldwatch alerts: what is worth a look, its story, and what people do with it. */
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/table.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct alerts_opts {
	const char *state, *kind, *board, *case_glob, *branch, *why, *until;
};

static const struct cli_opt alerts_table[] = {
        {"state", OPT_TEXT, offsetof(struct alerts_opts, state), "STATE",
         "list: open (new, confirmed, acknowledged), or one state", 0, 0, false},
        {"kind", OPT_TEXT, offsetof(struct alerts_opts, kind), "KIND",
         "list: slower, fault or missing", 0, 0, false},
        {"board", OPT_TEXT, offsetof(struct alerts_opts, board), "NAME|PATTERN",
         "list: on this board; mute: on boards with such a name", 0, 0, false},
        {"case", OPT_TEXT, offsetof(struct alerts_opts, case_glob), "CASE|PATTERN",
         "mute: such cases; missed: that case", 0, 0, false},
        {"branch", OPT_TEXT, offsetof(struct alerts_opts, branch), "PATTERN",
         "mute: such a ref, or TREE#REF", 0, 0, false},
        {"why", OPT_TEXT, offsetof(struct alerts_opts, why), "TEXT",
         "the reason, or the note, which the alert keeps", 0, 0, false},
        {"until", OPT_TEXT, offsetof(struct alerts_opts, until), "YYYY-MM-DD",
         "mute: the last day on which it holds, at most a year away", 0, 0, false},
        {0},
};

/* ---- showing */

static void print_list(const json_t *list)
{
	struct table t;
	const json_t *a;
	char id[24], day[16], cells[24];
	size_t i;

	table_init(&t, "ID", "STATE", "KIND", "SINCE", "CELLS", "OWNER", "WHAT");
	json_array_foreach (list, i, a) {
		snprintf(id, sizeof(id), "%lld", (long long)json_int(a, "id", 0));
		table_time(json_str(a, "created", ""), day, sizeof(day));
		snprintf(cells, sizeof(cells), "%zu%s",
		         json_array_size(json_object_get(a, "cells")),
		         json_flag(a, "muted", false) ? " muted" : "");
		table_row(&t, id, json_str(a, "state", NULL), json_str(a, "kind", NULL), day, cells,
		          json_str(a, "owner", NULL), json_str(a, "title", NULL));
	}
	table_print(&t);
	table_release(&t);
}

static enum err list(struct cli *cli, const struct alerts_opts *o, struct why *w)
{
	const char *const keys[] = {"state", "kind", "board"};
	const char *const values[] = {o->state, o->kind, o->board};
	char *path = xstrdup("/api/v1/alerts?limit=200");
	struct reply r;
	enum err e;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		char *word = values[i] ? url_encode(values[i]) : NULL, *more;

		if (!word)
			continue;
		more = xasprintf("%s&%s=%s", path, keys[i], word);
		free(path);
		free(word);
		path = more;
	}
	e = cli_get(cli, path, &r, w);
	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e && json_array_size(json_object_get(r.json, "alerts")))
		print_list(json_object_get(r.json, "alerts"));
	else if (!e)
		puts("no alerts");
	reply_release(&r);
	free(path);
	return e;
}

static void print_side(const char *name, const json_t *side)
{
	const char *ref = json_str(side, "ref", NULL), *commit = json_str(side, "commit", NULL);
	char *line;

	if (!json_is_object(side))
		return;
	/* Asked for by its commit, which stands beside it. */
	if (ref && str_eq(ref, commit))
		ref = NULL;
	line = xasprintf("%s%s%s%s%.12s%s%s", json_str(side, "name", ""), ref ? ", " : "",
	                 ref ? ref : "", commit ? " " : "", commit ? commit : "",
	                 json_str(side, "subject", NULL) ? ": " : "",
	                 json_str(side, "subject", ""));
	print_line(name, line);
	free(line);
}

static void print_cells(const json_t *cells)
{
	struct table t;
	const json_t *c;
	char change[32], interval[64], mute[32];
	size_t i;

	if (!json_array_size(cells))
		return;
	table_init(&t, "BOARD", "CASE", "METRIC", "CHANGE", "INTERVAL", "");
	json_array_foreach (cells, i, c) {
		if (!json_str(c, "case", NULL)) {
			snprintf(change, sizeof(change), "boot %lld",
			         (long long)json_int(c, "boot", 0));
			table_row(&t, json_str(c, "board", NULL), change, NULL, NULL, NULL, "");
			continue;
		}
		snprintf(change, sizeof(change), "%+.2f %%", 100 * json_num(c, "change", 0));
		interval[0] = '\0';
		if (json_is_number(json_object_get(c, "low")))
			snprintf(interval, sizeof(interval), "[%+.2f %%, %+.2f %%]",
			         100 * json_num(c, "low", 0), 100 * json_num(c, "high", 0));
		mute[0] = '\0';
		if (json_int(c, "mute", 0))
			snprintf(mute, sizeof(mute), "mute %lld",
			         (long long)json_int(c, "mute", 0));
		table_row(&t, json_str(c, "board", NULL), json_str(c, "case", NULL),
		          json_str(c, "metric", NULL), change, interval, mute);
	}
	table_print(&t);
	table_release(&t);
}

static void print_story(const json_t *steps)
{
	struct table t;
	const json_t *s;
	char day[16];
	size_t i;

	table_init(&t, "AT", "BY", "STEP", "WHY");
	json_array_foreach (steps, i, s) {
		const char *from = json_str(s, "from", NULL), *to = json_str(s, "to", "");

		table_time(json_str(s, "at", ""), day, sizeof(day));
		table_row(&t, day, json_str(s, "by", "foldwatch"), str_eq(from, to) ? "note" : to,
		          json_str(s, "why", ""));
	}
	table_print(&t);
	table_release(&t);
}

static void print_marks(const json_t *marks)
{
	const json_t *m;
	size_t i;

	json_array_foreach (marks, i, m) {
		char *line = xasprintf("%s, by %s: %s", json_str(m, "mark", ""),
		                       json_str(m, "by", ""), json_str(m, "why", ""));

		print_line("marked", line);
		free(line);
	}
}

static void print_told(const json_t *told)
{
	struct table t;
	const json_t *l;
	char step[24], sub[24], tries[24];
	size_t i;

	if (!json_array_size(told))
		return;
	putchar('\n');
	table_init(&t, "SUBSCRIPTION", "CHANNEL", "STEP", "STATE", "TRIES", "WHY");
	json_array_foreach (told, i, l) {
		snprintf(step, sizeof(step), "%lld", (long long)json_int(l, "step", 0));
		snprintf(sub, sizeof(sub), "%lld", (long long)json_int(l, "subscription", 0));
		snprintf(tries, sizeof(tries), "%lld", (long long)json_int(l, "attempts", 0));
		table_row(&t, sub, json_str(l, "channel", NULL), step, json_str(l, "state", NULL),
		          tries, json_str(l, "why", ""));
	}
	table_print(&t);
	table_release(&t);
}

static void print_suspect(const json_t *b)
{
	const json_t *c = json_object_get(b, "culprit");
	char *line;

	if (!json_is_object(b))
		return;
	line = json_is_object(c)
	               ? xasprintf("%.12s: %s, %s", json_str(c, "commit", ""),
	                           json_str(c, "subject", ""), json_str(c, "author", ""))
	               : xasprintf("%s%s%s", json_str(b, "state", ""),
	                           json_str(b, "why", NULL) ? ": " : "", json_str(b, "why", ""));
	print_line(json_is_object(c) ? "suspect" : "bisection", line);
	free(line);
}

static void print_alert(const json_t *a)
{
	char *head =
	        xasprintf("alert %lld, %s%s", (long long)json_int(a, "id", 0),
	                  json_str(a, "state", ""), json_flag(a, "muted", false) ? ", muted" : "");

	print_clean(head);
	free(head);
	print_line("what", json_str(a, "title", NULL));
	print_side("kernel", json_object_get(a, "kernel"));
	print_side("baseline", json_object_get(a, "baseline"));
	print_line("owner", json_str(a, "owner", NULL));
	print_suspect(json_object_get(a, "bisection"));
	print_marks(json_object_get(a, "marks"));
	putchar('\n');
	print_cells(json_object_get(a, "cells"));
	putchar('\n');
	print_story(json_object_get(a, "steps"));
	print_told(json_object_get(a, "told"));
}

/* /api/v1/alerts/ID[/VERB]; free() it. */
static enum err path_of(const char *arg, const char *verb, char **path, struct why *w)
{
	int64_t id;
	enum err e = arg_id("alert", arg, &id, w);

	if (!e)
		*path = xasprintf("/api/v1/alerts/%lld%s%s", (long long)id, verb ? "/" : "",
		                  verb ? verb : "");
	return e;
}

static enum err show(struct cli *cli, const char *arg, struct why *w)
{
	struct reply r;
	char *path;
	enum err e = path_of(arg, NULL, &path, w);

	if (e)
		return e;
	e = cli_get(cli, path, &r, w);
	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e)
		print_alert(r.json);
	reply_release(&r);
	free(path);
	return e;
}

/* ---- doing */

static json_t *body_of(const struct alerts_opts *o)
{
	json_t *body = json_object();

	if (o->why)
		json_put_str(body, "why", o->why);
	return body;
}

/* As cli_do(); takes `body`. */
static enum err send(struct cli *cli, const char *method, const char *path, json_t *body,
                     const char *done, struct why *w)
{
	enum err e = cli_do(cli, method, path, body, done, w);

	json_decref(body);
	return e;
}

static const struct verb {
	const char *word, *route, *done;
} verbs[] = {
        {"ack", "acknowledge", "you look after alert"},
        {"dismiss", "dismiss", "dismissed: alert"},
        {"fix", "fix", "fixed: alert"},
        {"note", "note", "noted: alert"},
        {"mark", "mark", "marked: alert"},
};

static enum err person(struct cli *cli, const struct alerts_opts *o, const struct verb *v, int argc,
                       char **argv, struct why *w)
{
	char *path;
	json_t *body;
	enum err e;

	if (!o->why)
		return err_set(w, ERR_INPUT, "\"foldwatch alerts %s\" needs --why TEXT", v->word);
	e = path_of(argv[1], v->route, &path, w);
	if (e)
		return e;
	body = body_of(o);
	if (argc > 2)
		json_put_str(body, "mark", argv[2]);
	e = send(cli, "POST", path, body, v->done, w);
	free(path);
	return e;
}

/* Measured again; a reason is not asked for. */
static enum err remeasure(struct cli *cli, const struct alerts_opts *o, const char *arg,
                          struct why *w)
{
	char *path;
	enum err e = path_of(arg, "remeasure", &path, w);

	if (e)
		return e;
	e = send(cli, "POST", path, body_of(o), "it is measured again: alert", w);
	free(path);
	return e;
}

static enum err missed(struct cli *cli, const struct alerts_opts *o, const char *arg, struct why *w)
{
	int64_t id;
	json_t *body;
	enum err e = arg_id("submission", arg, &id, w);

	if (e)
		return e;
	if (!o->why)
		return err_set(w, ERR_INPUT, "\"foldwatch alerts missed\" needs --why TEXT");
	body = body_of(o);
	json_put_int(body, "submission", id);
	if (o->board)
		json_put_str(body, "board", o->board);
	if (o->case_glob)
		json_put_str(body, "case", o->case_glob);
	return send(cli, "POST", "/api/v1/marks", body, "marked as missed:", w);
}

static void print_share(const char *name, int64_t n, const json_t *share)
{
	char *line = json_is_number(share) ? xasprintf("%lld, %.1f %%", (long long)n,
	                                               json_number_value(share) * 100)
	                                   : xasprintf("%lld", (long long)n);

	printf("%-16s", name);
	print_clean(line);
	free(line);
}

static enum err quality(struct cli *cli, struct why *w)
{
	struct table t;
	struct reply r;
	const json_t *m, *q;
	size_t i;
	enum err e = cli_get(cli, "/api/v1/marks?limit=50", &r, w);

	if (!e && cli->json) {
		e = cli_print_json(r.json, w);
	} else if (!e) {
		q = json_object_get(r.json, "quality");
		print_share("alerts", json_int(q, "alerts", 0), NULL);
		print_share("confirmed", json_int(q, "confirmed", 0), NULL);
		print_share("not reproduced", json_int(q, "not_reproduced", 0), NULL);
		print_share("wrong", json_int(q, "wrong", 0), json_object_get(q, "wrong_share"));
		print_share("missed", json_int(q, "missed", 0), json_object_get(q, "missed_share"));
		table_init(&t, "ID", "MARK", "ALERT", "SUBMISSION", "BY", "WHY");
		json_array_foreach (json_object_get(r.json, "marks"), i, m) {
			char id[24], alert[24] = "", sub[24] = "";

			snprintf(id, sizeof(id), "%lld", (long long)json_int(m, "id", 0));
			if (json_int(m, "alert", 0))
				snprintf(alert, sizeof(alert), "%lld",
				         (long long)json_int(m, "alert", 0));
			if (json_int(m, "submission", 0))
				snprintf(sub, sizeof(sub), "%lld",
				         (long long)json_int(m, "submission", 0));
			table_row(&t, id, json_str(m, "mark", NULL), alert, sub,
			          json_str(m, "by", NULL), json_str(m, "why", ""));
		}
		if (json_array_size(json_object_get(r.json, "marks")))
			table_print(&t);
		table_release(&t);
	}
	reply_release(&r);
	return e;
}

/* ---- mutes */

static enum err mutes(struct cli *cli, struct why *w)
{
	struct table t;
	struct reply r;
	const json_t *m;
	size_t i;
	enum err e = cli_get(cli, "/api/v1/mutes", &r, w);

	if (!e && cli->json) {
		e = cli_print_json(r.json, w);
	} else if (!e) {
		table_init(&t, "ID", "STATE", "UNTIL", "BOARD", "CASE", "BRANCH", "BY", "WHY");
		json_array_foreach (json_object_get(r.json, "mutes"), i, m) {
			char id[24];

			snprintf(id, sizeof(id), "%lld", (long long)json_int(m, "id", 0));
			table_row(&t, id, json_str(m, "state", NULL), json_str(m, "last_day", NULL),
			          json_str(m, "board", "any"), json_str(m, "case", "any"),
			          json_str(m, "branch", "any"), json_str(m, "by", NULL),
			          json_str(m, "why", ""));
		}
		table_print(&t);
		table_release(&t);
	}
	reply_release(&r);
	return e;
}

static enum err mute(struct cli *cli, const struct alerts_opts *o, struct why *w)
{
	json_t *body;

	if (!o->why || !o->until)
		return err_set(w, ERR_INPUT, "\"foldwatch alerts mute\" needs %s",
		               o->why ? "--until YYYY-MM-DD" : "--why TEXT");
	body = body_of(o);
	json_put_str(body, "until", o->until);
	if (o->board)
		json_put_str(body, "board", o->board);
	if (o->case_glob)
		json_put_str(body, "case", o->case_glob);
	if (o->branch)
		json_put_str(body, "branch", o->branch);
	return send(cli, "POST", "/api/v1/mutes", body, "mute", w);
}

static enum err unmute(struct cli *cli, const char *arg, struct why *w)
{
	int64_t id;
	char *path;
	enum err e = arg_id("mute", arg, &id, w);

	if (e)
		return e;
	path = xasprintf("/api/v1/mutes/%lld", (long long)id);
	e = send(cli, "DELETE", path, NULL, "ended: mute", w);
	free(path);
	return e;
}

static enum err run_alerts(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const struct alerts_opts *o = opt;
	const char *verb = argc ? argv[0] : "list";

	if (str_eq(verb, "list") && argc <= 1)
		return list(cli, o, w);
	if (str_eq(verb, "show") && argc == 2)
		return show(cli, argv[1], w);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (str_eq(verbs[i].word, verb) && argc == (str_eq(verb, "mark") ? 3 : 2))
			return person(cli, o, &verbs[i], argc, argv, w);
	if (str_eq(verb, "remeasure") && argc == 2)
		return remeasure(cli, o, argv[1], w);
	if (str_eq(verb, "missed") && argc == 2)
		return missed(cli, o, argv[1], w);
	if (str_eq(verb, "quality") && argc == 1)
		return quality(cli, w);
	if (str_eq(verb, "mute") && argc == 1)
		return mute(cli, o, w);
	if (str_eq(verb, "mutes") && argc == 1)
		return mutes(cli, w);
	if (str_eq(verb, "unmute") && argc == 2)
		return unmute(cli, argv[1], w);
	return err_set(w, ERR_INPUT,
	               "expected: foldwatch alerts list | show ID | ack|dismiss|fix|note ID | "
	               "remeasure ID | mark ID wrong|missed | missed SUBMISSION | quality | mute | "
	               "mutes | "
	               "unmute ID");
}

const struct cli_command cmd_alerts = {
        .name = "alerts",
        .args = "[list | show ID | ack|dismiss|fix|note ID | remeasure ID | mark ID wrong|missed | "
                "missed "
                "SUBMISSION | quality | mute | mutes | unmute ID]",
        .summary = "list alerts, show one with its story, and say what becomes of it",
        .help = "An alert is a kernel that is slower than its baseline, or a fault that no boot "
                "had\n"
                "shown: one cause, one alert, however many cases and boards show it. It is new\n"
                "until somebody or a second measurement says more; every step is kept. What is\n"
                "muted is kept and not told.\n"
                "\n"
                "examples:\n"
                "  foldwatch alerts --state open\n"
                "  foldwatch alerts show 3\n"
                "  foldwatch alerts ack 3 --why \"I look at it tomorrow\"\n"
                "  foldwatch alerts fix 3 --why \"commit 1234abcd in mm-unstable\"\n"
                "  foldwatch alerts remeasure 3\n"
                "  foldwatch alerts mark 3 wrong --why \"the host swapped\"\n"
                "  foldwatch alerts missed 7 --case fork/order=0,size=1G --why \"see the plot\"\n"
                "  foldwatch alerts mute --board 'altra-*' --case 'mremap/*' --why \"flaps\" \\\n"
                "      --until 2026-12-31 --token-file admin.token\n",
        .opts = alerts_table,
        .size = sizeof(struct alerts_opts),
        .max_args = 3,
        .run = run_alerts,
};
