/* foldwatch submit: ask for a comparison. */
#include "cli/commands.h"
#include "cli/request.h"
#include "cli/series.h"
#include "cli/show.h"
#include "cli/table.h"
#include "lib/preset.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct submit_opts {
	const char *title, *baseline, *onto, *key, *preset, *pages;
	struct conf_list kernels, boards, cases;
	struct request_plan plan;
	bool wait, fresh, validate, no_validate, across, dry_run;
	struct series_opts series;
};

#define TITLE_MAX 200

static const struct cli_opt submit_table[] = {
        {"kernel", OPT_LIST, offsetof(struct submit_opts, kernels), "SPEC",
         "NAME=TREE#REF[,config=SET|FILE][,toolchain=T] or NAME=image:PATH; repeat", 0, 0, false},
        {"baseline", OPT_TEXT, offsetof(struct submit_opts, baseline), "NAME|SPEC",
         "the kernel to compare with: a name from --kernel, or a SPEC of its own", 0, 0, false},
        {"onto", OPT_TEXT, offsetof(struct submit_opts, onto), "REF",
         "without --baseline: what the first kernel's branch left (default: the tree's HEAD)", 0, 0,
         false},
        {"each-patch", OPT_TEXT, offsetof(struct submit_opts, series.range), "BASE..TIP",
         "the commits of this work tree, pushed or not, as a series against BASE", 0, 0, false},
        {"series", OPT_TEXT, offsetof(struct submit_opts, series.mails), "MBOX|DIR",
         "patches as mails, or a folder of them, as a series", 0, 0, false},
        {"base", OPT_TEXT, offsetof(struct submit_opts, series.base), "REF|COMMIT",
         "what --series stands on (default: its base-commit: line)", 0, 0, false},
        {"tree", OPT_TEXT, offsetof(struct submit_opts, series.tree), "URL|DIR",
         "where an agent fetches the base (default: what this branch follows)", 0, 0, false},
        {"mark", OPT_LIST, offsetof(struct submit_opts, series.marks), "NAME=N[,...]",
         "boot the series at patch N, and call the row so; repeat", 0, 0, false},
        {"all", OPT_FLAG, offsetof(struct submit_opts, series.all), NULL,
         "boot every prefix of the series, not marks and tip alone", 0, 0, false},
        {"marks-only", OPT_FLAG, offsetof(struct submit_opts, series.marks_only), NULL,
         "do not look for the patches that matter between marks and tip", 0, 0, false},
        {"steps", OPT_INT, offsetof(struct submit_opts, series.steps), "N",
         "prefixes that may be booted to find them (default: by the series' length)", 0, 63, false},
        {"config", OPT_TEXT, offsetof(struct submit_opts, series.config), "SET|FILE",
         "the configuration of the series' kernels", 0, 0, false},
        {"tip-config", OPT_TEXT, offsetof(struct submit_opts, series.tip_config), "SET|FILE",
         "boot the tip with this configuration as well", 0, 0, false},
        {"toolchain", OPT_TEXT, offsetof(struct submit_opts, series.toolchain), "NAME",
         "the compiler of the series' kernels", 0, 0, false},
        {"board", OPT_LIST, offsetof(struct submit_opts, boards), "NAME|label:WORD",
         "boards to boot on (default: every active board); repeat", 0, 0, false},
        {"case", OPT_LIST, offsetof(struct submit_opts, cases), "CASE",
         "fork/order=9,size=256M and the like, or a pattern: 'fork/*' (default: fork, munmap, "
         "mremap); repeat",
         0, 0, false},
        {"preset", OPT_TEXT, offsetof(struct submit_opts, preset), "NAME",
         "cases and plan by name: seed-fork, contpte-quick, contpte-full", 0, 0, false},
        {"pages", OPT_TEXT, offsetof(struct submit_opts, pages), "SIZE",
         "the kernels' page size, for words of presets and patterns: 4K (default), 16K, 64K", 0, 0,
         false},
        {"title", OPT_TEXT, offsetof(struct submit_opts, title), "TEXT", "a line for people", 0, 0,
         false},
        {"boots", OPT_INT, offsetof(struct submit_opts, plan.boots), "N",
         "boots (phases on a deterministic board) of each kernel", 1, 32, false},
        {"runs", OPT_INT, offsetof(struct submit_opts, plan.runs), "N", "processes a boot and case",
         1, 1000, false},
        {"iterations", OPT_INT, offsetof(struct submit_opts, plan.iterations), "N", "samples a run",
         1, 100000, false},
        {"warmup", OPT_INT, offsetof(struct submit_opts, plan.warmup), "N",
         "samples before, left out", 0, 1000, false},
        {"layouts", OPT_INT, offsetof(struct submit_opts, plan.layouts), "N",
         "link each kernel that is built N times, its code at other addresses", 1, 8, false},
        {"threshold", OPT_REAL, offsetof(struct submit_opts, plan.threshold_pct), "PCT",
         "least change in percent that is worth a verdict", 0, 100, false},
        {"priority", OPT_INT, offsetof(struct submit_opts, plan.priority), "N", "-100 to 100", -100,
         100, false},
        {"key", OPT_TEXT, offsetof(struct submit_opts, key), "KEY",
         "idempotency key: the same key again is the same submission", 0, 0, false},
        {"validate", OPT_FLAG, offsetof(struct submit_opts, validate), NULL,
         "boot the same commits with the mm's own checks on, too: a fault there voids", 0, 0,
         false},
        {"no-validate", OPT_FLAG, offsetof(struct submit_opts, no_validate), NULL,
         "do not validate the tip of a series", 0, 0, false},
        {"across-environments", OPT_FLAG, offsetof(struct submit_opts, across), NULL,
         "compare boots of different environments as well, and say so", 0, 0, false},
        {"fresh", OPT_FLAG, offsetof(struct submit_opts, fresh), NULL,
         "build and boot anew, whatever stands", 0, 0, false},
        {"dry-run", OPT_FLAG, offsetof(struct submit_opts, dry_run), NULL,
         "check all of it, store nothing, and tell its jobs and minutes", 0, 0, false},
        {"wait", OPT_FLAG, offsetof(struct submit_opts, wait), NULL,
         "show progress, then the tables", 0, 0, false},
        {0},
};

static void preset(void *opt)
{
	struct submit_opts *o = opt;

	request_plan_clear(&o->plan);
	o->series.steps = -1;
}

static enum err need_kernel(const json_t *kernels, const char *name, struct why *w)
{
	const json_t *k;
	size_t i;

	json_array_foreach (kernels, i, k)
		if (str_eq(json_str(k, "name", ""), name))
			return OK;
	return err_set(w, ERR_INPUT, "--baseline: no --kernel is named \"%s\"", name);
}

static bool is_series(const struct submit_opts *o)
{
	return o->series.range || o->series.mails;
}

static enum err check_options(const struct submit_opts *o, struct why *w)
{
	if (o->validate && o->no_validate)
		return err_set(w, ERR_INPUT, "--validate and --no-validate exclude each other");
	if (o->dry_run && (o->wait || o->key))
		return err_set(w, ERR_INPUT, "--dry-run excludes --wait and --key");
	if (o->onto && (o->baseline || is_series(o)))
		return err_set(w, ERR_INPUT, "--onto excludes %s",
		               o->baseline ? "--baseline" : "a series");
	if (!is_series(o) && !o->baseline && !o->kernels.count)
		return err_set(w, ERR_INPUT,
		               "submit needs --baseline or --kernel, or a series: --each-patch or "
		               "--series");
	if (!is_series(o))
		return series_unused(&o->series, w);
	if (o->baseline || o->kernels.count)
		return err_set(w, ERR_INPUT, "%s excludes %s: the base of a series is its baseline",
		               o->series.range ? "--each-patch" : "--series",
		               o->baseline ? "--baseline" : "--kernel");
	return OK;
}

/* Without a baseline it is the commit at which the first kernel's branch left. */
static enum err put_merge_base(const struct submit_opts *o, json_t *kernels, json_t *req,
                               struct why *w)
{
	const char *of = json_str(json_array_get(kernels, 0), "name", ""), *name = "base";
	const json_t *k;
	json_t *base;
	size_t i;

	if (json_str(json_array_get(kernels, 0), "image", NULL))
		return err_set(w, ERR_INPUT,
		               "submit needs --baseline: the prebuilt image \"%s\" has no branch "
		               "whose base could be found",
		               of);
	json_array_foreach (kernels, i, k)
		if (str_eq(json_str(k, "name", ""), "base"))
			name = "merge-base";
	base = json_object();
	json_put_str(base, "name", name);
	json_put_str(base, "base_of", of);
	if (o->onto)
		json_put_str(base, "onto", o->onto);
	json_array_insert_new(kernels, 0, base);
	json_put_str(req, "baseline", name);
	return OK;
}

/* The baseline first where it has a SPEC of its own: its name is then known. */
static enum err put_kernels(struct cli *cli, const struct submit_opts *o, json_t *req,
                            struct why *w)
{
	json_t *kernels = json_array();
	const char *baseline = o->baseline ? o->baseline : "";
	size_t n = strcspn(baseline, "=");
	char *name = xstrndup(baseline, n);
	enum err e = OK;

	json_put(req, "kernels", kernels);
	if (baseline[n])
		e = request_kernel(cli, o->baseline, kernels, w);
	for (size_t i = 0; !e && i < o->kernels.count; i++)
		e = request_kernel(cli, o->kernels.items[i], kernels, w);
	if (!e && !o->baseline)
		e = put_merge_base(o, kernels, req, w);
	else if (!e)
		e = need_kernel(kernels, name, w);
	if (o->baseline)
		json_put_str(req, "baseline", name);
	free(name);
	return e;
}

/* "mine, other against base", or their number where that is too long. */
static void put_title(json_t *req, const char *title)
{
	const json_t *kernels = json_object_get(req, "kernels"), *k;
	const char *baseline = json_str(req, "baseline", "");
	struct buf b;
	size_t i;

	if (title) {
		json_put_str(req, "title", title);
		return;
	}
	buf_init(&b, TITLE_MAX);
	json_array_foreach (kernels, i, k)
		if (!str_eq(json_str(k, "name", ""), baseline))
			buf_addf(&b, "%s%s", b.len ? ", " : "", json_str(k, "name", ""));
	if (b.len)
		buf_addf(&b, " against %s", baseline);
	else
		buf_adds(&b, baseline);
	if (b.full) {
		buf_reset(&b);
		buf_addf(&b, "%zu kernels against %s", json_array_size(kernels) - 1, baseline);
	}
	json_put_str(req, "title", b.data);
	buf_release(&b);
}

static void put_plan(json_t *req, const struct submit_opts *o, const struct preset *preset)
{
	request_plan_put(req, &o->plan, preset);
	if (o->fresh)
		json_put_bool(req, "reuse", false);
	if (o->across)
		json_put_bool(req, "across_environments", true);
	if (o->validate || o->no_validate)
		json_put_bool(req, "validate", o->validate);
}

static enum err make_request(struct cli *cli, const struct submit_opts *o, json_t **out,
                             struct why *w)
{
	json_t *req = json_object(), *boards = json_array(), *cases = json_array();
	const struct preset *preset = NULL;
	const struct preset_pages *pages = NULL;
	char *title = NULL;
	enum err e = check_options(o, w);

	if (!e && o->preset)
		e = preset_find(o->preset, &preset, w);
	if (!e)
		e = err_at(w, preset_pages_find(o->pages, &pages, w), "--pages");
	/* Words before kernels: an image is uploaded as it is read. */
	if (!e)
		e = request_strings("--board", &o->boards, boards, w);
	if (!e)
		e = request_strings("--case", &o->cases, cases, w);
	if (!e && is_series(o))
		e = series_request(cli, &o->series, req, &title, w);
	else if (!e)
		e = put_kernels(cli, o, req, w);
	if (!e && !o->cases.count && preset)
		preset_cases(preset, pages, cases);
	if (o->cases.count && o->pages)
		json_put_str(req, "pages", o->pages);
	for (size_t i = 0; !o->cases.count && !preset && request_cases[i]; i++)
		json_array_append_new(cases, json_string(request_cases[i]));
	if (o->boards.count)
		json_put(req, "boards", json_incref(boards));
	json_decref(boards);
	json_put(req, "cases", cases);
	if (e) {
		free(title);
		json_decref(req);
		return e;
	}
	if (title && !o->title)
		json_put_str(req, "title", title);
	else
		put_title(req, o->title);
	free(title);
	put_plan(req, o, preset);
	*out = req;
	return OK;
}

static void print_minutes(const char *what, const json_t *m)
{
	printf("%s %.1f min (%.1f to %.1f)\n", what, json_num(m, "expected", 0),
	       json_num(m, "low", 0), json_num(m, "high", 0));
}

static void print_dry_run(const json_t *root)
{
	const json_t *builds = json_object_get(root, "builds"), *one;
	const char *basis = json_str(builds, "basis", NULL);
	struct table t;
	size_t i;

	printf("nothing was stored\n\n%lld to resolve, %lld to build, %lld built already\n",
	       (long long)json_int(root, "resolves", 0), (long long)json_int(builds, "new", 0),
	       (long long)json_int(builds, "known", 0));
	print_minutes("builds:", json_object_get(builds, "minutes"));
	if (basis)
		printf("from %s\n", basis);
	putchar('\n');
	table_init(&t, "BOARD", "BOOTS", "REUSED", "MINUTES", "RANGE", "FROM");
	json_array_foreach (json_object_get(root, "boots"), i, one) {
		const json_t *m = json_object_get(one, "minutes");
		char boots[24], reused[24], minutes[24], range[48];

		snprintf(boots, sizeof(boots), "%lld", (long long)json_int(one, "new", 0));
		snprintf(reused, sizeof(reused), "%lld", (long long)json_int(one, "known", 0));
		snprintf(minutes, sizeof(minutes), "%.1f", json_num(m, "expected", 0));
		snprintf(range, sizeof(range), "%.1f to %.1f", json_num(m, "low", 0),
		         json_num(m, "high", 0));
		table_row(&t, json_str(one, "board", NULL), boots, reused, minutes, range,
		          json_str(one, "basis", NULL));
	}
	table_print(&t);
	table_release(&t);
	putchar('\n');
	print_minutes("in all:", json_object_get(root, "minutes"));
	print_minutes("boards side by side:", json_object_get(root, "elapsed_minutes"));
	json_array_foreach (json_object_get(root, "notes"), i, one) {
		printf("note: %s\n", json_string_value(one));
	}
}

static enum err try_only(struct cli *cli, const json_t *req, struct why *w)
{
	struct reply r = {0};
	enum err e = cli_send(cli, "POST", "/api/v1/submissions?dry_run=1", req, NULL, &r, w);

	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e)
		print_dry_run(r.json);
	reply_release(&r);
	return e;
}

static enum err run_submit(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const struct submit_opts *o = opt;
	json_t *req = NULL;
	struct reply r = {0};
	int64_t id = -1;
	enum err e;

	(void)argc;
	(void)argv;
	cli->dry_run = o->dry_run;
	e = make_request(cli, o, &req, w);
	if (e)
		return e;
	if (o->dry_run) {
		e = try_only(cli, req, w);
		json_decref(req);
		return e;
	}
	e = cli_send(cli, "POST", "/api/v1/submissions", req, o->key, &r, w);
	json_decref(req);
	if (!e) {
		id = json_int(r.json, "id", -1);
		if (cli->json && !o->wait)
			e = cli_print_json(r.json, w);
		else
			fprintf(o->wait ? stderr : stdout, "submission %lld\n", (long long)id);
	}
	reply_release(&r);
	return e || !o->wait ? e : show_when_ended(cli, id, w);
}

const struct cli_command cmd_submit = {
        .name = "submit",
        .summary = "ask for kernels to be built, booted and compared",
        .help = "examples:\n"
                "  foldwatch submit --baseline contpte-n \\\n"
                "      --kernel contpte-n=https://git.example.org/linux.git#v6.12,config=contpte-n "
                "\\\n"
                "      --kernel contpte-y=https://git.example.org/linux.git#v6.12,config=contpte-y "
                "--wait\n"
                "  foldwatch submit --kernel mine=https://git.example.org/linux.git#topic --wait\n"
                "  foldwatch submit --baseline old=image:a/Image --kernel new=image:b/Image \\\n"
                "      --case fork/order=0,size=256M --case fork/order=9,size=256M --wait\n"
                "  foldwatch submit --each-patch HEAD~25..HEAD --mark basic=19,batch=23 \\\n"
                "      --config contpte-y --tip-config contpte-n --preset contpte-quick\n"
                "  foldwatch submit --series v3.mbox --tree https://git.example.org/linux.git\n"
                "\n"
                "Without --baseline the first kernel's branch is held against the commit at which\n"
                "it left the tree's default branch, or --onto another ref; an agent finds it.\n"
                "\n"
                "A series is built patch by patch; marks and tip are booted, against its base.\n"
                "Where two neighbours of them differ, prefixes in between are booted until the\n"
                "patches that matter stand alone (--marks-only: none; --all: every prefix).\n"
                "Nothing need be pushed but the base, which an agent fetches from --tree: the\n"
                "remote of this branch or, without one, this work tree.\n"
                "\n"
                "A preset is a whole plan: `seed-fork` as the lists measure fork (their table: "
                "two\n"
                "boots are no verdict), `contpte-quick` every operation in small regions,\n"
                "`contpte-full` at all orders. --case, --boots and the like go before it.\n"
                "\n"
                "A pattern of cases means those of contpte-full that match: 'fork/*',\n"
                "'*/order=9*'. One that is named twice counts once.\n"
                "\n"
                "A config is the name of a set (`contpte-y`, `virt+contpte-on`) or a file: lines\n"
                "to merge, or a whole .config. TREE is a URL or a directory of this machine.\n"
                "\n"
                "With --dry-run the request is checked as a whole and its jobs and minutes are\n"
                "told, by what the last such jobs took; nothing is uploaded or stored.\n"
                "\n"
                "With --wait, progress goes to standard error and the tables (--json: the\n"
                "comparison) to standard output; exit 1 when the submission failed. Ctrl-C ends\n"
                "the waiting, not the submission.\n",
        .opts = submit_table,
        .size = sizeof(struct submit_opts),
        .max_args = 0,
        .run = run_submit,
        .preset = preset,
};
