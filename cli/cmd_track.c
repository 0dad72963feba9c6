/* foldwatch track: branches that are followed. */
#include "cli/commands.h"
#include "cli/request.h"
#include "cli/show.h"
#include "cli/table.h"
#include "lib/preset.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct track_opts {
	const char *every, *config, *toolchain, *preset, *pages, *release, *why, *until, *state;
	struct conf_list boards, cases;
	struct request_plan plan;
	int64_t points;
	bool tips, all, merges;
};

#define POINTS_MAX 500

#define AT(member) offsetof(struct track_opts, member)
static const struct cli_opt track_table[] = {
        {"every", OPT_TEXT, AT(every), "TIME", "add: look so often: 90s, 15m (default), 6h, 1d", 0,
         0, false},
        {"tips", OPT_FLAG, AT(tips), NULL,
         "add: measure what the branch is when it is looked at (default)", 0, 0, false},
        {"merges", OPT_FLAG, AT(merges), NULL, "add: measure the merges of its main line as well",
         0, 0, false},
        {"all-commits", OPT_FLAG, AT(all), NULL, "add: measure every commit that changes something",
         0, 0, false},
        {"config", OPT_TEXT, AT(config), "SET|FILE", "add: the configuration of its kernels", 0, 0,
         false},
        {"toolchain", OPT_TEXT, AT(toolchain), "NAME", "add: their compiler", 0, 0, false},
        {"board", OPT_LIST, AT(boards), "NAME|label:WORD[,...]",
         "add: boards to boot on (default: every active board); repeat", 0, 0, false},
        {"boards", OPT_LIST, AT(boards), "NAME|label:WORD[,...]", "the same", 0, 0, false},
        {"case", OPT_LIST, AT(cases), "CASE",
         "add: fork/order=9,size=256M and the like (default: fork, munmap, mremap); repeat", 0, 0,
         false},
        {"cases", OPT_LIST, AT(cases), "CASE", "the same", 0, 0, false},
        {"preset", OPT_TEXT, AT(preset), "NAME",
         "add: cases and plan by name: seed-fork, contpte-quick, contpte-full", 0, 0, false},
        {"pages", OPT_TEXT, AT(pages), "SIZE",
         "add: the kernels' page size, for the preset's words: 4K (default), 16K, 64K", 0, 0,
         false},
        {"release", OPT_TEXT, AT(release), "REF", "add: hold each tip against this one as well", 0,
         0, false},
        {"boots", OPT_INT, AT(plan.boots), "N", "add: boots (phases) of each kernel", 1, 32, false},
        {"runs", OPT_INT, AT(plan.runs), "N", "add: processes a boot and case", 1, 1000, false},
        {"iterations", OPT_INT, AT(plan.iterations), "N", "add: samples a run", 1, 100000, false},
        {"warmup", OPT_INT, AT(plan.warmup), "N", "add: samples before, left out", 0, 1000, false},
        {"layouts", OPT_INT, AT(plan.layouts), "N", "add: link each kernel N times", 1, 8, false},
        {"threshold", OPT_REAL, AT(plan.threshold_pct), "PCT",
         "add: least change in percent that is worth a verdict", 0, 100, false},
        {"priority", OPT_INT, AT(plan.priority), "N", "add: -100 to 100", -100, 100, false},
        {"why", OPT_TEXT, AT(why), "TEXT", "pause, end: the reason, which the track keeps", 0, 0,
         false},
        {"until", OPT_TEXT, AT(until), "YYYY-MM-DD",
         "pause: the last day, after which it goes on by itself", 0, 0, false},
        {"state", OPT_TEXT, AT(state), "STATE",
         "list: active, paused, ended or open (default: those that have not ended)", 0, 0, false},
        {"points", OPT_INT, AT(points), "N", "show: so many of the newest points (default: 20)", 1,
         POINTS_MAX, false},
        {0},
};
#undef AT

static void preset(void *opt)
{
	struct track_opts *o = opt;

	request_plan_clear(&o->plan);
	o->points = 20;
}

/* ---- showing */

/* "15m" */
static void span(int64_t s, char *out, size_t size)
{
	static const struct {
		int64_t s;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	size_t i = 0;

	while (s % units[i].s)
		i++;
	snprintf(out, size, "%lld%c", (long long)(s / units[i].s), units[i].unit);
}

static enum err list(struct cli *cli, const struct track_opts *o, struct why *w)
{
	char *state = url_encode(o->state ? o->state : "open");
	char *path = xasprintf("/api/v1/tracks?limit=200&state=%s", state);
	const json_t *t;
	struct table table;
	struct reply r;
	size_t i;
	enum err e = cli_get(cli, path, &r, w);

	free(state);
	free(path);
	if (!e && cli->json) {
		e = cli_print_json(r.json, w);
	} else if (!e && !json_array_size(json_object_get(r.json, "tracks"))) {
		puts("no tracks");
	} else if (!e) {
		table_init(&table, "ID", "STATE", "BRANCH", "TREE", "EVERY", "POINTS", "LOOKED",
		           "WHY");
		json_array_foreach (json_object_get(r.json, "tracks"), i, t) {
			char id[24], every[24], points[24], looked[16] = "";

			snprintf(id, sizeof(id), "%lld", (long long)json_int(t, "id", 0));
			span(json_int(t, "every_s", 0), every, sizeof(every));
			snprintf(points, sizeof(points), "%lld",
			         (long long)json_int(t, "points_total", 0));
			if (json_str(t, "looked", NULL))
				table_time(json_str(t, "looked", ""), looked, sizeof(looked));
			table_row(&table, id, json_str(t, "state", NULL),
			          json_str(t, "branch", NULL), json_str(t, "tree", NULL), every,
			          points, looked[0] ? looked : NULL, json_str(t, "why", ""));
		}
		table_print(&table);
		table_release(&table);
	}
	reply_release(&r);
	return e;
}

static void print_time(const char *name, const json_t *t, const char *key)
{
	char at[16];

	if (!json_str(t, key, NULL))
		return;
	table_time(json_str(t, key, ""), at, sizeof(at));
	print_line(name, at);
}

static void print_words(const char *name, const json_t *words)
{
	const json_t *x;
	struct buf b;
	size_t i;

	if (!json_array_size(words))
		return;
	buf_init(&b, 1 << 20);
	json_array_foreach (words, i, x) {
		buf_addf(&b, "%s%s", i ? ", " : "", json_string_value(x));
	}
	print_line(name, b.data);
	buf_release(&b);
}

/* "2 slower, 10 same" */
static void result_of(const json_t *x, char *out, size_t size)
{
	static const char *const words[] = {"slower", "faster",  "same",
	                                    "unsure", "invalid", "skip"};
	const json_t *v = json_object_get(x, "verdicts");
	size_t n = 0;

	out[0] = '\0';
	if (json_flag(x, "same_image", false)) {
		snprintf(out, size, "same image");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(words) && n < size; i++) {
		int64_t k = json_int(v, words[i], 0);

		if (k)
			n += (size_t)snprintf(out + n, size - n, "%s%lld %s", n ? ", " : "",
			                      (long long)k, words[i]);
	}
}

/* What is said of a point, under the table: it is as long as it likes. */
static void print_said(const json_t *x, const char *key)
{
	const char *text = json_str(x, key, NULL);
	char *line;

	if (!text)
		return;
	line = xasprintf("%.12s: %.*s", json_str(x, "commit", ""), (int)strcspn(text, "\n"), text);
	print_clean(line);
	free(line);
}

static void print_points(const json_t *t)
{
	const json_t *points = json_object_get(t, "points"), *x;
	struct table table;
	size_t i;

	if (!json_array_size(points))
		return;
	putchar('\n');
	table_init(&table, "SEEN", "COMMIT", "KIND", "AGAINST", "SUBMISSION", "STATE", "RESULT",
	           "SUBJECT");
	json_array_foreach (points, i, x) {
		const char *against = json_str(x, "against", NULL);
		char seen[16], commit[16], other[16], sub[24], result[120], kind[40];

		table_time(json_str(x, "seen", ""), seen, sizeof(seen));
		snprintf(commit, sizeof(commit), "%.12s", json_str(x, "commit", ""));
		snprintf(other, sizeof(other), "%.12s", against ? against : "-");
		snprintf(sub, sizeof(sub), "%lld", (long long)json_int(x, "submission", 0));
		snprintf(kind, sizeof(kind), "%.16s%s%s", json_str(x, "kind", ""),
		         json_flag(x, "rebased", false) ? ", rebased" : "",
		         json_flag(x, "filled", false) ? ", filled" : "");
		result_of(x, result, sizeof(result));
		table_row(&table, seen, commit, kind, other,
		          json_int(x, "submission", 0) ? sub : NULL, json_str(x, "state", NULL),
		          result, json_str(x, "subject", ""));
	}
	table_print(&table);
	table_release(&table);
	json_array_foreach (points, i, x) {
		print_said(x, "note");
		print_said(x, "why");
	}
	if (json_is_integer(json_object_get(t, "points_next")))
		printf("%lld points in all; --points shows more\n",
		       (long long)json_int(t, "points_total", 0));
}

static void print_track(const json_t *t)
{
	const char *config = json_str(t, "config", NULL), *by = json_str(t, "stopped_by", NULL);
	char every[24], *line;

	span(json_int(t, "every_s", 0), every, sizeof(every));
	printf("track %lld, %s%s\n", (long long)json_int(t, "id", 0), json_str(t, "state", ""),
	       json_flag(t, "looking", false) ? ", being looked at" : "");
	line = xasprintf("%s of %s", json_str(t, "branch", ""), json_str(t, "tree", ""));
	print_line("branch", line);
	free(line);
	print_line("why", json_str(t, "why", NULL));
	print_line("stopped", by);
	print_time("until", t, "until");
	line = xasprintf("%s, every %s", json_str(t, "mode", ""), every);
	print_line("measures", line);
	free(line);
	print_line("config",
	           json_is_object(json_object_get(t, "config")) ? "lines of its own" : config);
	print_line("release", json_str(t, "release", NULL));
	print_words("boards", json_object_get(t, "boards"));
	print_words("cases", json_object_get(t, "cases"));
	print_line("tip", json_str(t, "tip", NULL));
	print_time("looked", t, "looked");
	print_time("next look", t, "next_look");
	print_points(t);
}

/* /api/v1/tracks/ID[/VERB]; free() it. */
static enum err path_of(const char *arg, const char *verb, char **path, struct why *w)
{
	int64_t id;
	enum err e = arg_id("track", arg, &id, w);

	if (!e)
		*path = xasprintf("/api/v1/tracks/%lld%s%s", (long long)id, verb ? "/" : "",
		                  verb ? verb : "");
	return e;
}

static enum err show(struct cli *cli, const struct track_opts *o, const char *arg, struct why *w)
{
	struct reply r;
	char *path, *whole;
	enum err e = path_of(arg, NULL, &path, w);

	if (e)
		return e;
	whole = xasprintf("%s?limit=%lld", path, (long long)o->points);
	e = cli_get(cli, whole, &r, w);
	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e)
		print_track(r.json);
	reply_release(&r);
	free(path);
	free(whole);
	return e;
}

/* ---- adding */

/* "15m" -> 900 */
static enum err seconds(const char *text, int64_t *out, struct why *w)
{
	static const struct {
		const char *unit;
		int64_t s;
	} units[] = {{"s", 1}, {"", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}};
	size_t n = strspn(text, "0123456789");

	for (size_t i = 0; n && n < 8 && i < ARRAY_SIZE(units); i++) {
		if (!str_eq(text + n, units[i].unit))
			continue;
		*out = strtoll(text, NULL, 10) * units[i].s;
		return OK;
	}
	return err_set(w, ERR_INPUT, "--every: expected a time like 90s, 15m, 6h or 1d, got \"%s\"",
	               text);
}

static enum err put_boards(const struct track_opts *o, json_t *body, struct why *w)
{
	json_t *boards = json_array();
	enum err e = OK;

	for (size_t i = 0; !e && i < o->boards.count; i++) {
		const char *at = o->boards.items[i];

		while (!e) {
			size_t n = strcspn(at, ",");
			json_t *x = json_stringn(at, n);

			if (!x)
				e = err_set(w, ERR_INPUT, "--board: \"%s\" is not UTF-8", at);
			else
				json_array_append_new(boards, x);
			if (!at[n])
				break;
			at += n + 1;
		}
	}
	if (!e && json_array_size(boards))
		json_put(body, "boards", json_incref(boards));
	json_decref(boards);
	return e;
}

static enum err put_cases(const struct track_opts *o, const struct preset *preset, json_t *body,
                          struct why *w)
{
	const struct preset_pages *pages = NULL;
	json_t *cases = json_array();
	enum err e = preset_pages_find(o->pages, &pages, w);

	if (!e)
		e = request_strings("--case", &o->cases, cases, w);
	if (!e && !o->cases.count && preset)
		preset_cases(preset, pages, cases);
	for (size_t i = 0; !e && !o->cases.count && !preset && request_cases[i]; i++)
		json_array_append_new(cases, json_string(request_cases[i]));
	json_put(body, "cases", cases);
	return e;
}

static enum err put_kernel(const struct track_opts *o, const char *tree, const char *branch,
                           json_t *body, struct why *w)
{
	const char *const words[] = {branch, o->toolchain, o->release};
	json_t *config = NULL;
	char *url = NULL;
	enum err e = request_tree(tree, &url, w);

	for (size_t i = 0; !e && i < ARRAY_SIZE(words); i++)
		if (words[i] && !utf8_valid(words[i], strlen(words[i])))
			e = err_set(w, ERR_INPUT, "\"%s\" is not UTF-8", words[i]);
	if (!e) {
		json_put_str(body, "tree", url);
		json_put_str(body, "branch", branch);
	}
	if (!e && o->config)
		e = request_config(o->config, &config, w);
	if (!e && config)
		json_put(body, "config", config);
	if (o->toolchain)
		json_put_str(body, "toolchain", o->toolchain);
	if (o->release)
		json_put_str(body, "release", o->release);
	free(url);
	return e;
}

static enum err add(struct cli *cli, const struct track_opts *o, const char *tree,
                    const char *branch, struct why *w)
{
	const struct preset *preset = NULL;
	json_t *body = json_object();
	int64_t every = 0;
	enum err e = OK;

	if (o->tips + o->all + o->merges > 1)
		e = err_set(w, ERR_INPUT, "--tips, --merges and --all-commits exclude each other");
	if (!e && o->every) {
		e = seconds(o->every, &every, w);
		json_put_int(body, "every_s", e ? 0 : every);
	}
	if (o->all || o->merges)
		json_put_str(body, "mode", o->all ? "all" : "merges");
	if (!e && o->preset)
		e = preset_find(o->preset, &preset, w);
	if (!e)
		e = put_kernel(o, tree, branch, body, w);
	if (!e)
		e = put_boards(o, body, w);
	if (!e)
		e = put_cases(o, preset, body, w);
	if (!e) {
		request_plan_put(body, &o->plan, preset);
		e = cli_do(cli, "POST", "/api/v1/tracks", body, "track", w);
	}
	json_decref(body);
	return e;
}

/* ---- changing */

static const struct verb {
	const char *word, *route, *done;
	bool why;
} verbs[] = {
        {"pause", "pause", "paused: track", true},
        {"resume", "resume", "goes on: track", false},
        {"end", "end", "ended: track", true},
        {"now", "look", "is looked at: track", false},
};

static enum err change(struct cli *cli, const struct track_opts *o, const struct verb *v,
                       const char *arg, struct why *w)
{
	json_t *body;
	char *path;
	enum err e;

	if (v->why && !o->why)
		return err_set(w, ERR_INPUT, "\"foldwatch track %s\" needs --why TEXT", v->word);
	e = path_of(arg, v->route, &path, w);
	if (e)
		return e;
	body = json_object();
	if (v->why)
		json_put_str(body, "why", o->why);
	if (str_eq(v->word, "pause") && o->until)
		json_put_str(body, "until", o->until);
	e = cli_do(cli, "POST", path, body, v->done, w);
	json_decref(body);
	free(path);
	return e;
}

static enum err run_track(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const struct track_opts *o = opt;
	const char *verb = argc ? argv[0] : "list";

	if (str_eq(verb, "list") && argc <= 1)
		return list(cli, o, w);
	if (str_eq(verb, "add") && argc == 3)
		return add(cli, o, argv[1], argv[2], w);
	if (str_eq(verb, "show") && argc == 2)
		return show(cli, o, argv[1], w);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (str_eq(verbs[i].word, verb) && argc == 2)
			return change(cli, o, &verbs[i], argv[1], w);
	return err_set(w, ERR_INPUT,
	               "expected: foldwatch track list | add TREE BRANCH | show ID | now|pause|"
	               "resume|end ID");
}

const struct cli_command cmd_track = {
        .name = "track",
        .args = "[list | add TREE BRANCH | show ID | now|pause|resume|end ID]",
        .summary = "follow branches, and see how they went",
        .help = "A track has each new point of a branch built, booted and held against the point\n"
                "before; what is slower, or shows a new fault, is an alert. Of a branch that is\n"
                "rebased each new tip is held against the old one, with their merge base beside\n"
                "it. While nothing else is to do, commits between the points are measured.\n"
                "\n"
                "TREE is a URL or a directory of this machine; BRANCH a branch or tag that "
                "moves.\n"
                "\n"
                "examples:\n"
                "  foldwatch track add https://git.example.org/linux.git master --every 15m \\\n"
                "      --config contpte-y --preset contpte-quick --release v6.12\n"
                "  foldwatch track add https://git.example.org/mm.git mm-unstable --merges \\\n"
                "      --boards qemu-det --case fork/order=0,size=256M\n"
                "  foldwatch track\n"
                "  foldwatch track show 3\n"
                "  foldwatch track now 3\n"
                "  foldwatch track pause 3 --why \"the merge window\" --until 2026-12-31\n"
                "  foldwatch track end 3 --why \"merged\"\n",
        .opts = track_table,
        .size = sizeof(struct track_opts),
        .max_args = 3,
        .run = run_track,
        .preset = preset,
};
