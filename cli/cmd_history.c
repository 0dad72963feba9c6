/* foldwatch history: the numbers along a branch, and where they change. */
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/table.h"

#include "lib/buf.h"
#include "lib/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CSV_MAX (64u << 20)

struct history_opts {
	const char *board, *case_text, *metric, *config, *env;
	int64_t from, until, last;
	bool csv;
};

static const struct cli_opt history_table[] = {
        {"case", OPT_TEXT, offsetof(struct history_opts, case_text), "CASE",
         "this one; without it, a list of all histories", 0, 0, false},
        {"board", OPT_TEXT, offsetof(struct history_opts, board), "NAME",
         "on this board; must be given where the case has several", 0, 0, false},
        {"metric", OPT_TEXT, offsetof(struct history_opts, metric), "NAME", "of this metric", 0, 0,
         false},
        {"config", OPT_TEXT, offsetof(struct history_opts, config), "NAME",
         "of kernels of this configuration", 0, 0, false},
        {"env", OPT_TEXT, offsetof(struct history_opts, env), "ID",
         "in this environment alone, as --json tells it", 0, 0, false},
        {"from", OPT_INT, offsetof(struct history_opts, from), "N", "from this point on", 0,
         INT64_MAX, false},
        {"until", OPT_INT, offsetof(struct history_opts, until), "N", "up to this point", 0,
         INT64_MAX, false},
        {"last", OPT_INT, offsetof(struct history_opts, last), "N",
         "points that are printed, the newest (default 20)", 0, 5000, false},
        {"csv", OPT_FLAG, offsetof(struct history_opts, csv), NULL,
         "all points, or buckets of them, as CSV", 0, 0, false},
        {0},
};

static void preset(void *opt)
{
	struct history_opts *o = opt;

	o->from = o->until = INT64_MIN;
	o->last = 20;
}

/* ---- figures */

static void number(char out[32], const json_t *o, const char *key, const char *metric)
{
	double x = json_num(o, key, NAN);

	if (isnan(x))
		snprintf(out, 32, "-");
	else if (!str_eq(metric, "ns"))
		snprintf(out, 32, "%.0f", x);
	else if (x >= 1e6)
		snprintf(out, 32, "%.3f ms", x / 1e6);
	else if (x >= 1e3)
		snprintf(out, 32, "%.3f us", x / 1e3);
	else
		snprintf(out, 32, "%.1f ns", x);
}

static void percent(char out[32], const json_t *o, const char *key)
{
	double x = json_num(o, key, NAN);

	if (isnan(x))
		snprintf(out, 32, "-");
	else
		snprintf(out, 32, "%+.2f %%", 100 * x);
}

static void position(char out[32], const json_t *o)
{
	snprintf(out, 32, "%lld", (long long)json_int(o, "position", 0));
}

/* ---- the list */

static void print_list(const json_t *list)
{
	struct table t;
	const json_t *h;
	size_t i;

	table_init(&t, "BOARD", "CASE", "METRIC", "CONFIG", "POINTS", "NEWEST", "LAST CHANGE",
	           "CLASS");
	json_array_foreach (list, i, h) {
		const json_t *last = json_object_get(h, "last"), *c = json_object_get(h, "change");
		char points[32], newest[32], change[32], text[96] = "none";

		snprintf(points, sizeof(points), "%lld", (long long)json_int(h, "points", 0));
		number(newest, last, "value", json_str(h, "metric", ""));
		percent(change, c, "change");
		if (json_is_object(c))
			snprintf(text, sizeof(text), "%s at %lld%s", change,
			         (long long)json_int(c, "position", 0),
			         str_eq(json_str(c, "class", ""), "transient") ? ", undone" : "");
		table_row(&t, json_str(h, "board", NULL), json_str(h, "case", NULL),
		          json_str(h, "metric", NULL), json_str(h, "config", NULL), points, newest,
		          text, json_str(h, "class", NULL));
	}
	table_print(&t);
	table_release(&t);
}

static enum err list(struct cli *cli, int64_t track, struct why *w)
{
	char *path = xasprintf("/api/v1/tracks/%lld/histories", (long long)track);
	struct reply r;
	enum err e = cli_get(cli, path, &r, w);

	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e && json_array_size(json_object_get(r.json, "histories")))
		print_list(json_object_get(r.json, "histories"));
	else if (!e)
		puts("nothing was measured yet");
	reply_release(&r);
	free(path);
	return e;
}

/* ---- one */

static void print_changes(const json_t *h)
{
	const json_t *list = json_object_get(h, "changes"), *c;
	const char *metric = json_str(h, "metric", "");
	struct table t;

	if (!json_array_size(list)) {
		puts("no changes");
		return;
	}
	table_init(&t, "POINT", "COMMIT", "CLASS", "BEFORE", "AFTER", "CHANGE", "INTERVAL",
	           "SUBJECT");
	for (size_t i = json_array_size(list); i-- > 0;) {
		char at[32], commit[16], before[32], after[32], change[32], low[32], high[32];
		char interval[80] = "-";

		c = json_array_get(list, i);
		position(at, c);
		snprintf(commit, sizeof(commit), "%.12s", json_str(c, "commit", ""));
		number(before, c, "before", metric);
		number(after, c, "after", metric);
		percent(change, c, "change");
		percent(low, c, "low");
		percent(high, c, "high");
		if (!str_eq(low, "-"))
			snprintf(interval, sizeof(interval), "[%s, %s]", low, high);
		table_row(&t, at, commit, json_str(c, "class", NULL), before, after, change,
		          interval, json_str(c, "subject", ""));
	}
	table_print(&t);
	table_release(&t);
}

static void print_faults(const json_t *h)
{
	const json_t *list = json_object_get(h, "faults"), *f;
	struct table t;

	if (!json_array_size(list))
		return;
	putchar('\n');
	table_init(&t, "POINT", "COMMIT", "BOOT", "THROWN OUT");
	for (size_t i = json_array_size(list); i-- > 0;) {
		char at[32], commit[16], boot[32];

		f = json_array_get(list, i);
		position(at, f);
		snprintf(commit, sizeof(commit), "%.12s", json_str(f, "commit", ""));
		snprintf(boot, sizeof(boot), "%lld", (long long)json_int(f, "boot", 0));
		table_row(&t, at, commit, boot, json_str(f, "why", ""));
	}
	table_print(&t);
	table_release(&t);
}

static void print_points(const json_t *h, int64_t last)
{
	const json_t *list = json_object_get(h, "points"), *p;
	const char *metric = json_str(h, "metric", "");
	size_t n = json_array_size(list), first = n > (size_t)last ? n - (size_t)last : 0;
	struct table t;

	if (!n || !last)
		return;
	putchar('\n');
	table_init(&t, "POINT", "COMMIT", "MEASURED", "SHOWN", "BOOTS", "SUBJECT");
	for (size_t i = n; i-- > first;) {
		char at[32], commit[16], value[32], shown[32], boots[32];

		p = json_array_get(list, i);
		position(at, p);
		snprintf(commit, sizeof(commit), "%.12s", json_str(p, "commit", ""));
		number(value, p, "value", metric);
		number(shown, p, "shown", metric);
		snprintf(boots, sizeof(boots), "%lld", (long long)json_int(p, "boots", 0));
		table_row(&t, at, commit, value, shown,
		          json_flag(p, "carried", false) ? "same binary" : boots,
		          json_str(p, "subject", ""));
	}
	table_print(&t);
	table_release(&t);
}

static void print_history(const json_t *h, int64_t last)
{
	char *head = xasprintf("%s on %s, along %s: %lld points%s%s", json_str(h, "case", ""),
	                       json_str(h, "board", ""), json_str(h, "branch", ""),
	                       (long long)json_int(h, "total", 0),
	                       json_flag(h, "bucketed", false) ? ", too many to list" : "",
	                       json_flag(h, "emulated", false) ? "; emulated, not time" : "");
	const json_t *segments = json_object_get(h, "segments"), *s;
	size_t i;

	print_clean(head);
	free(head);
	if (json_array_size(segments) > 1)
		json_array_foreach (segments, i, s) {
			printf("points %lld to %lld: environment %.12s, ",
			       (long long)json_int(s, "first", 0),
			       (long long)json_int(s, "last", 0), json_str(s, "env", ""));
			if (json_is_number(json_object_get(s, "scale")))
				printf("times %.4f\n", json_num(s, "scale", 1));
			else
				puts("by itself: no reference on both sides of the border");
		}
	putchar('\n');
	print_changes(h);
	print_faults(h);
	print_points(h, last);
}

/* ---- CSV */

/* As a spreadsheet reads it, which takes some texts for formulas. */
static void csv_text(struct buf *b, const char *text)
{
	char *clean = clean_line(text ? text : "");
	const char *guard = *clean && strchr("=+-@", *clean) ? "'" : "";

	buf_addf(b, "\"%s", guard);
	for (const char *c = clean; *c; c++) {
		if (*c == '"')
			buf_addc(b, '"');
		buf_addc(b, *c);
	}
	buf_addc(b, '"');
	free(clean);
}

static void csv_num(struct buf *b, const json_t *o, const char *key)
{
	double x = json_num(o, key, NAN);

	buf_addc(b, ',');
	if (isfinite(x))
		buf_addf(b, "%.17g", x);
}

static const json_t *change_at(const json_t *h, const json_t *p)
{
	const json_t *c;
	size_t i;

	json_array_foreach (json_object_get(h, "changes"), i, c)
		if (json_int(c, "position", 0) == json_int(p, "position", -1) &&
		    json_int(c, "segment", 0) == json_int(p, "segment", -1))
			return c;
	return NULL;
}

static enum err print_csv(const json_t *h, struct why *w)
{
	const json_t *x, *c;
	struct buf b;
	size_t i;
	enum err e;

	buf_init(&b, CSV_MAX);
	if (json_flag(h, "bucketed", false))
		buf_adds(&b, "segment,from,until,points,min,mean,max\r\n");
	else
		buf_adds(&b, "segment,position,commit,subject,seen,value,shown,std_rel,boots,"
		             "carried,submission,class,change,low,high\r\n");
	json_array_foreach (json_object_get(h, "buckets"), i, x) {
		buf_addf(&b, "%lld,%lld,%lld,%lld", (long long)json_int(x, "segment", 0),
		         (long long)json_int(x, "from", 0), (long long)json_int(x, "until", 0),
		         (long long)json_int(x, "points", 0));
		csv_num(&b, x, "min");
		csv_num(&b, x, "mean");
		csv_num(&b, x, "max");
		buf_adds(&b, "\r\n");
	}
	json_array_foreach (json_object_get(h, "points"), i, x) {
		c = change_at(h, x);
		buf_addf(&b, "%lld,%lld,%s,", (long long)json_int(x, "segment", 0),
		         (long long)json_int(x, "position", 0), json_str(x, "commit", ""));
		csv_text(&b, json_str(x, "subject", ""));
		buf_addf(&b, ",%s", json_str(x, "seen", ""));
		csv_num(&b, x, "value");
		csv_num(&b, x, "shown");
		csv_num(&b, x, "std_rel");
		buf_addf(&b, ",%lld,%s,%lld,%s", (long long)json_int(x, "boots", 0),
		         json_flag(x, "carried", false) ? "true" : "false",
		         (long long)json_int(x, "submission", 0), json_str(c, "class", ""));
		csv_num(&b, c, "change");
		csv_num(&b, c, "low");
		csv_num(&b, c, "high");
		buf_adds(&b, "\r\n");
	}
	e = b.full ? err_set(w, ERR_TOO_LARGE, "the history is too large for CSV")
	           : cli_print(b.data, b.len, w);
	buf_release(&b);
	return e;
}

static void add_word(char **path, const char *key, const char *value)
{
	char *word = value ? url_encode(value) : NULL, *more;

	if (!word)
		return;
	more = xasprintf("%s%s%s=%s", *path, strchr(*path, '?') ? "&" : "?", key, word);
	free(*path);
	free(word);
	*path = more;
}

static enum err one(struct cli *cli, int64_t track, const struct history_opts *o, struct why *w)
{
	char *path = xasprintf("/api/v1/tracks/%lld/history", (long long)track);
	char from[24], until[24];
	struct reply r;
	enum err e;

	snprintf(from, sizeof(from), "%lld", (long long)o->from);
	snprintf(until, sizeof(until), "%lld", (long long)o->until);
	add_word(&path, "case", o->case_text);
	add_word(&path, "board", o->board);
	add_word(&path, "metric", o->metric);
	add_word(&path, "config", o->config);
	add_word(&path, "env", o->env);
	add_word(&path, "from", o->from == INT64_MIN ? NULL : from);
	add_word(&path, "until", o->until == INT64_MIN ? NULL : until);
	e = cli_get(cli, path, &r, w);
	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e && o->csv)
		e = print_csv(r.json, w);
	else if (!e)
		print_history(r.json, o->last);
	reply_release(&r);
	free(path);
	return e;
}

static enum err run_history(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const struct history_opts *o = opt;
	bool part = o->board || o->metric || o->config || o->env || o->csv ||
	            o->from != INT64_MIN || o->until != INT64_MIN;
	int64_t track;
	enum err e = arg_id("track", argv[0], &track, w);

	(void)argc;
	if (e)
		return e;
	if (cli->json && o->csv)
		return err_set(w, ERR_INPUT, "--json and --csv exclude each other");
	if (!o->case_text && part)
		return err_set(w, ERR_INPUT,
		               "--case: missing: \"foldwatch history %lld\" lists the cases",
		               (long long)track);
	return o->case_text ? one(cli, track, o, w) : list(cli, track, w);
}

const struct cli_command cmd_history = {
        .name = "history",
        .args = "TRACK",
        .summary = "the numbers along a branch that is followed, and where they change",
        .help = "Without --case a list of the histories of the track: one a board, case, metric\n"
                "and configuration in each environment. With it the changes of that history,\n"
                "the boots that were thrown out, and its last points. A new environment begins\n"
                "another segment; the reference says by what to multiply the earlier one.\n"
                "\n"
                "examples:\n"
                "  foldwatch history 1\n"
                "  foldwatch history 1 --case fork/order=0,size=256M --board qemu-det\n"
                "  foldwatch history 1 --case fork/order=0,size=256M --board altra-1 --csv\n",
        .opts = history_table,
        .size = sizeof(struct history_opts),
        .min_args = 1,
        .max_args = 1,
        .run = run_history,
        .preset = preset,
};
