/* foldwatch status: submissions, and one of them in full. */
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/watch.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

struct status_opts {
	int64_t limit, before;
	bool wait;
};

static const struct cli_opt status_table[] = {
        {"limit", OPT_INT, offsetof(struct status_opts, limit), "N",
         "how many to list (default 20)", 1, 500, false},
        {"before", OPT_INT, offsetof(struct status_opts, before), "ID",
         "list those older than this one", 1, INT64_MAX, false},
        {"wait", OPT_FLAG, offsetof(struct status_opts, wait), NULL,
         "follow ID until it ends; exit 1 when it failed", 0, 0, false},
        {0},
};

static void preset(void *opt)
{
	((struct status_opts *)opt)->limit = 20;
}

static enum err list(struct cli *cli, const struct status_opts *o, struct why *w)
{
	char *path, id[24], when[12];
	struct reply r;
	struct table t;
	const json_t *s;
	size_t i;
	enum err e;

	path = list_path("/api/v1/submissions", o->limit, o->before);
	e = cli_get(cli, path, &r, w);
	free(path);
	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	if (e || cli->json) {
		reply_release(&r);
		return e;
	}
	table_init(&t, "ID", "CREATED", "STATE", "BASELINE", "TITLE");
	json_array_foreach (json_object_get(r.json, "submissions"), i, s) {
		snprintf(id, sizeof(id), "%lld", (long long)json_int(s, "id", 0));
		table_time(json_str(s, "created", NULL), when, sizeof(when));
		table_row(&t, id, when, json_str(s, "state", NULL), json_str(s, "baseline", NULL),
		          json_str(s, "title", NULL));
	}
	table_print(&t);
	table_release(&t);
	reply_release(&r);
	return OK;
}

static void print_kernels(const json_t *sub)
{
	struct table t;
	const json_t *k;
	size_t i;

	table_init(&t, "KERNEL", "STATE", "COMMIT", "CONFIG", "WHY");
	json_array_foreach (json_object_get(sub, "kernels"), i, k) {
		const char *commit = json_str(k, "commit", NULL);
		const char *of = json_str(k, "base_of", NULL);
		char *cut = commit ? xstrndup(commit, 12) : NULL;
		char *name = xasprintf("%s%s%s%s", json_str(k, "name", ""),
		                       of ? " (merge base of " : "", of ? of : "", of ? ")" : "");

		table_row(&t, name, json_str(k, "state", NULL), cut, json_str(k, "config", NULL),
		          json_str(k, "why", ""));
		free(name);
		free(cut);
	}
	json_array_foreach (json_object_get(sub, "validations"), i, k) {
		char *name = xasprintf("%s (validation)", json_str(k, "kernel", ""));

		table_row(&t, name, json_str(k, "state", NULL), NULL, json_str(k, "config", NULL),
		          json_str(k, "why", ""));
		free(name);
	}
	table_print(&t);
	table_release(&t);
}

/* "patch 7", "one of the patches 3 to 5" */
static void print_effect(const json_t *x)
{
	long long first = (long long)json_int(x, "first", 0),
	          last = (long long)json_int(x, "last", 0);
	const char *why = json_str(x, "why", NULL);
	char *which = first == last ? xasprintf("patch %lld", last)
	                            : xasprintf("patches %lld to %lld", first, last),
	     *line = xasprintf("%s: %s, %+.2f %% in %s on %s, %s against %s%s%s", which,
	                       json_str(x, "verdict", ""), json_num(x, "change", 0) * 100,
	                       json_str(x, "case", ""), json_str(x, "board", ""),
	                       json_str(x, "kernel", ""), json_str(x, "against", ""),
	                       why ? ": " : "", why ? why : "");

	print_clean(line);
	free(line);
	free(which);
}

/* Which patches matter, as far as it is known. */
static void print_search(const json_t *search)
{
	const json_t *boots = json_object_get(search, "boots"), *x;
	size_t i, steps = json_array_size(json_object_get(search, "steps"));
	char *line;

	json_array_foreach (json_object_get(search, "effects"), i, x) {
		print_effect(x);
	}
	json_array_foreach (json_object_get(search, "intervals"), i, x) {
		const char *why = json_str(x, "why", NULL);

		if (!why)
			continue;
		line = xasprintf("patches %lld to %lld: %s", (long long)json_int(x, "after", 0) + 1,
		                 (long long)json_int(x, "until", 0), why);
		print_clean(line);
		free(line);
	}
	/* Boots are counted as they come: before the end they say little about all of them. */
	if (str_eq(json_str(search, "state", ""), "waiting")) {
		print_clean("search waiting: it begins when marks and tip are judged");
		return;
	}
	line = xasprintf(
	        "search %s: %zu of at most %lld steps, %lld of %lld boots; every prefix: "
	        "%lld",
	        json_str(search, "state", ""), steps, (long long)json_int(search, "steps_max", 0),
	        (long long)json_int(boots, "search", 0), (long long)json_int(boots, "made", 0),
	        (long long)json_int(boots, "all", 0));
	print_clean(line);
	free(line);
}

/* Every patch, those that are only built too. */
static void print_series(const json_t *sub)
{
	const json_t *series = json_object_get(sub, "series"), *x;
	const json_t *patches = json_object_get(series, "patches");
	char number[24], before[48];
	struct table t;
	size_t i;

	if (!json_array_size(patches))
		return;
	table_init(&t, "PATCH", "KERNEL", "STATE", "BOOTED", "COMMIT", "BEFORE", "SUBJECT");
	json_array_foreach (patches, i, x) {
		const char *why = json_str(x, "why", NULL);
		char *cut = xstrndup(json_str(x, "commit", ""), 12);
		char *text = xasprintf("%s%s%s", json_str(x, "subject", ""), why ? ": " : "",
		                       why ? why : "");

		const json_t *e = json_object_get(x, "earlier");

		snprintf(number, sizeof(number), "%lld", (long long)json_int(x, "position", 0));
		snprintf(before, sizeof(before), "#%lld/%lld",
		         (long long)json_int(e, "submission", 0),
		         (long long)json_int(e, "position", 0));
		table_row(&t, number, json_str(x, "kernel", NULL), json_str(x, "state", NULL),
		          json_flag(x, "booted", false) ? "yes" : "no", cut,
		          json_is_object(e) ? before : "-", text);
		free(cut);
		free(text);
	}
	table_print(&t);
	table_release(&t);
	json_array_foreach (json_object_get(series, "changes"), i, x) {
		char *line = xasprintf(
		        "%s, %s on %s: %s, was %s in submission %lld", json_str(x, "kernel", ""),
		        json_str(x, "case", ""), json_str(x, "board", ""), json_str(x, "is", ""),
		        json_str(x, "was", ""), (long long)json_int(x, "submission", 0));

		print_clean(line);
		free(line);
	}
	if (json_is_object(json_object_get(series, "search")))
		print_search(json_object_get(series, "search"));
	putchar('\n');
}

static void print_jobs(const json_t *sub)
{
	struct table t;
	const json_t *j;
	char id[24];
	size_t i;

	table_init(&t, "JOB", "KIND", "STATE", "BOARD", "AGENT", "WHAT");
	json_array_foreach (json_object_get(sub, "jobs"), i, j) {
		const char *why = json_str(j, "why", NULL), *what = json_str(j, "summary", "");
		const char *fault = json_str(j, "signature", NULL);
		char *text = xasprintf("%s%s%s%s%s%s", what, why ? ": " : "", why ? why : "",
		                       fault ? " [" : "", fault ? fault : "", fault ? "]" : "");

		snprintf(id, sizeof(id), "%lld", (long long)json_int(j, "id", 0));
		table_row(&t, id, json_str(j, "kind", NULL), json_str(j, "state", NULL),
		          json_str(j, "board", NULL), json_str(j, "agent", NULL), text);
		free(text);
	}
	table_print(&t);
	table_release(&t);
}

static enum err one(struct cli *cli, const char *id, bool wait, struct why *w)
{
	char *path = api_path("/api/v1/submissions", id, NULL);
	struct reply r = {0};
	struct buf line;
	json_t *sub = NULL;
	enum err e = cli_get(cli, path, &r, w);

	free(path);
	if (!e && wait) {
		struct watch watch = {.cli = cli, .submission = json_int(r.json, "id", 0)};

		e = watch_submission(&watch, &sub, w);
	} else if (!e) {
		sub = json_incref(r.json);
	}
	reply_release(&r);
	if (!e && cli->json) {
		e = cli_print_json(sub, w);
	} else if (!e) {
		buf_init(&line, 65536);
		buf_addf(&line, "submission %lld: %s, %s", (long long)json_int(sub, "id", 0),
		         json_str(sub, "state", "?"), json_str(sub, "title", ""));
		print_clean(line.data);
		buf_reset(&line);
		if (json_str(sub, "why", NULL))
			print_clean(json_str(sub, "why", ""));
		if (!json_str(sub, "ended", NULL)) {
			watch_line(sub, &line);
			print_clean(line.data);
		}
		buf_release(&line);
		putchar('\n');
		print_kernels(sub);
		putchar('\n');
		print_series(sub);
		print_jobs(sub);
	}
	if (!e && wait && !str_eq(json_str(sub, "state", ""), "done"))
		cli->exit_code = err_exit_code(ERR_IO);
	json_decref(sub);
	return e;
}

static enum err run_status(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const struct status_opts *o = opt;

	if (argc == 1 && o->before)
		return err_set(w, ERR_INPUT, "--before is for the list, not for one submission");
	if (argc == 1)
		return one(cli, argv[0], o->wait, w);
	if (o->wait)
		return err_set(w, ERR_INPUT,
		               "--wait needs the submission to wait for: ID or latest");
	return list(cli, o, w);
}

const struct cli_command cmd_status = {
        .name = "status",
        .args = "[ID|latest]",
        .summary = "list submissions, or show one with its kernels and jobs",
        .help = "examples:\n"
                "  foldwatch status\n"
                "  foldwatch status 7 --wait\n"
                "  foldwatch status latest --json\n",
        .opts = status_table,
        .size = sizeof(struct status_opts),
        .max_args = 1,
        .run = run_status,
        .preset = preset,
};
