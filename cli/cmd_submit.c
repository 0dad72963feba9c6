/* foldwatch submit: ask for a comparison. */
#include "cli/commands.h"
#include "cli/request.h"
#include "cli/show.h"
#include "cli/watch.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct submit_opts {
	const char *title, *baseline, *key, *table;
	struct conf_list kernels, boards, cases;
	int64_t boots, runs, iterations, warmup, priority;
	double threshold_pct;
	bool wait, fresh;
};

#define UNSET INT64_MIN

static const struct cli_opt submit_table[] = {
        {"kernel", OPT_LIST, offsetof(struct submit_opts, kernels), "SPEC",
         "NAME=TREE#REF[,config=SET|FILE][,toolchain=T] or NAME=image:PATH; repeat", 0, 0, false},
        {"baseline", OPT_TEXT, offsetof(struct submit_opts, baseline), "NAME|SPEC",
         "the kernel to compare with: a name from --kernel, or a SPEC of its own", 0, 0, true},
        {"board", OPT_LIST, offsetof(struct submit_opts, boards), "NAME|label:WORD",
         "boards to boot on (default: every active board); repeat", 0, 0, false},
        {"case", OPT_LIST, offsetof(struct submit_opts, cases), "CASE",
         "fork/order=9,size=256M and the like (default: fork, munmap, mremap); repeat", 0, 0,
         false},
        {"title", OPT_TEXT, offsetof(struct submit_opts, title), "TEXT", "a line for people", 0, 0,
         false},
        {"boots", OPT_INT, offsetof(struct submit_opts, boots), "N",
         "boots (phases on a deterministic board) of each kernel", 1, 32, false},
        {"runs", OPT_INT, offsetof(struct submit_opts, runs), "N", "processes a boot and case", 1,
         1000, false},
        {"iterations", OPT_INT, offsetof(struct submit_opts, iterations), "N", "samples a run", 1,
         100000, false},
        {"warmup", OPT_INT, offsetof(struct submit_opts, warmup), "N", "samples before, left out",
         0, 1000, false},
        {"threshold", OPT_REAL, offsetof(struct submit_opts, threshold_pct), "PCT",
         "least change in percent that is worth a verdict", 0, 100, false},
        {"priority", OPT_INT, offsetof(struct submit_opts, priority), "N", "-100 to 100", -100, 100,
         false},
        {"key", OPT_TEXT, offsetof(struct submit_opts, key), "KEY",
         "idempotency key: the same key again is the same submission", 0, 0, false},
        {"fresh", OPT_FLAG, offsetof(struct submit_opts, fresh), NULL,
         "build and boot anew, whatever stands", 0, 0, false},
        {"wait", OPT_FLAG, offsetof(struct submit_opts, wait), NULL,
         "show progress, then the tables", 0, 0, false},
        {0},
};

static void preset(void *opt)
{
	struct submit_opts *o = opt;

	o->boots = o->runs = o->iterations = o->warmup = o->priority = UNSET;
	o->threshold_pct = -1;
}

static void put_unless_unset(json_t *obj, const char *key, int64_t value)
{
	if (value != UNSET)
		json_put_int(obj, key, value);
}

static json_t *string_list(const struct conf_list *list)
{
	json_t *out = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(out, json_string(list->items[i]));
	return out;
}

static enum err add_baseline(struct cli *cli, const char *baseline, json_t *kernels, char **name,
                             struct why *w)
{
	const char *eq = strchr(baseline, '=');
	const json_t *k;
	size_t i;

	if (eq) {
		*name = xstrndup(baseline, (size_t)(eq - baseline));
		return request_kernel(cli, baseline, kernels, w);
	}
	json_array_foreach (kernels, i, k)
		if (str_eq(json_str(k, "name", ""), baseline)) {
			*name = xstrdup(baseline);
			return OK;
		}
	return err_set(w, ERR_INPUT, "--baseline: no --kernel is named \"%s\"", baseline);
}

static enum err make_request(struct cli *cli, const struct submit_opts *o, json_t **out,
                             struct why *w)
{
	json_t *req = json_object(), *kernels = json_array(), *plan = json_object(), *cases;
	char *baseline = NULL;
	enum err e = OK;

	json_put(req, "kernels", kernels);
	for (size_t i = 0; !e && i < o->kernels.count; i++)
		e = request_kernel(cli, o->kernels.items[i], kernels, w);
	if (!e)
		e = add_baseline(cli, o->baseline, kernels, &baseline, w);
	if (e) {
		json_decref(plan);
		json_decref(req);
		free(baseline);
		return e;
	}
	json_put_str(req, "baseline", baseline);
	if (o->title) {
		json_put_str(req, "title", o->title);
	} else {
		char *title =
		        xasprintf("%zu kernels against %s", json_array_size(kernels) - 1, baseline);

		json_put_str(req, "title", title);
		free(title);
	}
	free(baseline);
	if (o->boards.count)
		json_put(req, "boards", string_list(&o->boards));
	cases = string_list(&o->cases);
	for (size_t i = 0; !o->cases.count && request_cases[i]; i++)
		json_array_append_new(cases, json_string(request_cases[i]));
	json_put(req, "cases", cases);
	put_unless_unset(plan, "boots", o->boots);
	put_unless_unset(plan, "runs", o->runs);
	put_unless_unset(plan, "iterations", o->iterations);
	put_unless_unset(plan, "warmup", o->warmup);
	json_put(req, "plan", plan);
	put_unless_unset(req, "priority", o->priority);
	if (o->threshold_pct >= 0)
		json_put_real(req, "threshold", o->threshold_pct / 100);
	if (o->fresh)
		json_put_bool(req, "reuse", false);
	*out = req;
	return OK;
}

static enum err wait_for(struct cli *cli, int64_t id, struct why *w)
{
	struct watch watch = {.cli = cli, .submission = id};
	json_t *sub;
	enum err e = watch_submission(&watch, &sub, w);

	if (e)
		return e;
	if (str_eq(json_str(sub, "state", ""), "done")) {
		char path_id[24];

		snprintf(path_id, sizeof(path_id), "%lld", (long long)id);
		e = show_comparison(cli, path_id, "all", "text", w);
	} else {
		e = show_failed(sub, w);
	}
	json_decref(sub);
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
	e = make_request(cli, o, &req, w);
	if (e)
		return e;
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
	return e || !o->wait ? e : wait_for(cli, id, w);
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
                "  foldwatch submit --baseline old=image:a/Image --kernel new=image:b/Image \\\n"
                "      --case fork/order=0,size=256M --case fork/order=9,size=256M --wait\n"
                "\n"
                "A config is the name of a set (`contpte-y`, `virt+contpte-on`) or a file: lines\n"
                "to merge, or a whole .config. TREE is a URL or a directory of this machine.\n"
                "\n"
                "exit codes: 0 asked (with --wait: compared), 2 bad input, 4 token, 7 no answer;\n"
                "with --wait also 1 when the submission failed\n",
        .opts = submit_table,
        .size = sizeof(struct submit_opts),
        .max_args = 0,
        .run = run_submit,
        .preset = preset,
};
