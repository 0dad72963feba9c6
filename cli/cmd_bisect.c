/* foldwatch bisect-step: one commit's answer for `git bisect run`. */
#include "cli/commands.h"
#include "cli/request.h"
#include "cli/table.h"
#include "cli/watch.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* git-bisect(1): 0 good, 125 cannot be tested, 1 to 127 bad, others end the
 * bisection. */
#define EXIT_GOOD  0
#define EXIT_BAD   1
#define EXIT_SKIP  125
#define EXIT_ABORT 128

#define GIT_TIMEOUT_S 60

struct bisect_opts {
	const char *good, *tree, *config, *toolchain;
	struct conf_list boards, cases;
	double threshold_pct;
};

static const struct cli_opt bisect_table[] = {
        {"good", OPT_TEXT, offsetof(struct bisect_opts, good), "REV",
         "the commit to compare with, as git names it", 0, 0, true},
        {"case", OPT_LIST, offsetof(struct bisect_opts, cases), "CASE",
         "fork/order=9,size=256M and the like; repeat: one that is slower is bad", 0, 0, true},
        {"board", OPT_LIST, offsetof(struct bisect_opts, boards), "NAME|label:WORD",
         "boards to boot on (default: every active board); repeat", 0, 0, false},
        {"config", OPT_TEXT, offsetof(struct bisect_opts, config), "SET|FILE",
         "as for submit, for both kernels", 0, 0, false},
        {"toolchain", OPT_TEXT, offsetof(struct bisect_opts, toolchain), "T", "for both kernels", 0,
         0, false},
        {"tree", OPT_TEXT, offsetof(struct bisect_opts, tree), "URL",
         "where the agent finds the commits (default: this repository)", 0, 0, false},
        {"threshold", OPT_REAL, offsetof(struct bisect_opts, threshold_pct), "PCT",
         "least change in percent that is bad", 0, 100, false},
        {0},
};

static void preset(void *opt)
{
	((struct bisect_opts *)opt)->threshold_pct = -1;
}

/* ---- git */

/* One line that git prints; free() it. */
static enum err git_line(const char *what, const char *arg, const char *of, char **out,
                         struct why *w)
{
	const char *argv[] = {"git", what, arg, of, NULL};
	struct buf b;
	enum err e;

	buf_init(&b, 4096);
	e = proc_run(&(struct proc_spec){.argv = argv, .timeout_ns = GIT_TIMEOUT_S * NS_PER_S}, &b,
	             w);
	if (e == OK) {
		b.data[strcspn(b.data, "\n")] = '\0';
		*out = xstrdup(b.data);
	}
	buf_release(&b);
	return e;
}

static enum err git_commit(const char *rev, char **out, struct why *w)
{
	char *peeled = xasprintf("%s^{commit}", rev);
	enum err e = git_line("rev-parse", "--verify", peeled, out, w);

	free(peeled);
	return e == OK ? OK : err_set(w, ERR_INPUT, "git knows no commit \"%s\"", rev);
}

/* ---- asking */

static enum err add_kernel(struct cli *cli, const struct bisect_opts *o, const char *name,
                           const char *tree, const char *commit, json_t *kernels, struct why *w)
{
	char *spec = xasprintf("%s=%s#%s%s%s%s%s", name, tree, commit, o->config ? ",config=" : "",
	                       o->config ? o->config : "", o->toolchain ? ",toolchain=" : "",
	                       o->toolchain ? o->toolchain : "");
	enum err e = request_kernel(cli, spec, kernels, w);

	free(spec);
	return e;
}

static json_t *strings(const struct conf_list *list)
{
	json_t *out = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(out, json_string(list->items[i]));
	return out;
}

/* Kernel 0 is the good one, 1 the one in question. */
static enum err make_request(struct cli *cli, const struct bisect_opts *o, json_t **out,
                             struct why *w)
{
	char *tree = NULL, *good = NULL, *head = NULL, *title;
	json_t *req = json_object(), *kernels = json_array();
	enum err e = git_commit(o->good, &good, w);

	json_put(req, "kernels", kernels);
	if (e == OK)
		e = git_commit("HEAD", &head, w);
	if (e == OK && o->tree)
		tree = xstrdup(o->tree);
	else if (e == OK)
		e = git_line("rev-parse", "--path-format=absolute", "--git-common-dir", &tree, w);
	if (e == OK)
		e = add_kernel(cli, o, "good", tree, good, kernels, w);
	if (e == OK)
		e = add_kernel(cli, o, "head", tree, head, kernels, w);
	if (e == OK) {
		title = xasprintf("bisect: %.12s against %.12s", head, good);
		json_put_str(req, "title", title);
		free(title);
		json_put_str(req, "baseline", "good");
		json_put(req, "cases", strings(&o->cases));
		if (o->boards.count)
			json_put(req, "boards", strings(&o->boards));
		if (o->threshold_pct >= 0)
			json_put_real(req, "threshold", o->threshold_pct / 100);
	}
	free(tree);
	free(good);
	free(head);
	if (e != OK)
		json_decref(req);
	else
		*out = req;
	return e;
}

/* Asks and waits; *sub is the ended SUBMISSION. */
static enum err ask(struct cli *cli, json_t *req, int64_t boots, json_t **sub, struct why *w)
{
	struct reply r = {0};
	struct watch watch = {.cli = cli};
	json_t *plan = json_object();
	enum err e;

	if (boots)
		json_put_int(plan, "boots", boots);
	json_put(req, "plan", plan);
	e = cli_send(cli, "POST", "/api/v1/submissions", req, NULL, &r, w);
	if (e == OK) {
		watch.submission = json_int(r.json, "id", -1);
		fprintf(stderr, "submission %lld\n", (long long)watch.submission);
	}
	reply_release(&r);
	return e == OK ? watch_submission(&watch, sub, w) : e;
}

/* ---- the answer */

/* A submission that is not done: the commit cannot be tested, or nothing can. */
static enum err failed(const json_t *sub, int *code, struct why *w)
{
	const json_t *kernels = json_object_get(sub, "kernels"), *job;
	struct buf why;
	size_t i;
	bool infra = false;
	enum err e = OK;

	json_array_foreach (json_object_get(sub, "jobs"), i, job)
		infra |= str_eq(json_str(job, "state", ""), "failed") &&
		         str_eq(json_str(job, "class", ""), "infra");
	buf_init(&why, WATCH_REASONS);
	watch_reasons(sub, &why);
	why.data[strcspn(why.data, "\n")] = '\0';
	if (infra || !str_eq(json_str(json_array_get(kernels, 1), "state", ""), "failed") ||
	    str_eq(json_str(json_array_get(kernels, 0), "state", ""), "failed")) {
		e = err_set(w, ERR_IO, "submission %lld is %s: %s",
		            (long long)json_int(sub, "id", -1), json_str(sub, "state", ""),
		            why.len ? why.data : "no reason given");
	} else {
		*code = EXIT_SKIP;
		printf("skip: ");
		print_clean(why.data);
	}
	buf_release(&why);
	return e;
}

static void print_cell(const char *word, const json_t *cell)
{
	double change = json_num(cell, "change", NAN), low = json_num(cell, "low", NAN);
	const char *why = json_str(cell, "why", NULL);
	struct buf b;

	buf_init(&b, 4096);
	buf_addf(&b, "%s: %s on %s, %s", word, json_str(cell, "case", ""),
	         json_str(cell, "board", ""), json_str(cell, "metric", ""));
	if (!isnan(change))
		buf_addf(&b, ": %+.2f%%", 100 * change);
	if (!isnan(low))
		buf_addf(&b, " [%+.2f, %+.2f]", 100 * low, 100 * json_num(cell, "high", NAN));
	buf_addf(&b, ", %s, %lld boots%s%s", json_str(cell, "verdict", ""),
	         (long long)json_int(cell, "boots", 0), why ? ": " : "", why ? why : "");
	print_clean(b.data);
	buf_release(&b);
}

static int code_of(const char *verdict)
{
	if (str_eq(verdict, "slower"))
		return EXIT_BAD;
	return str_eq(verdict, "faster") || str_eq(verdict, "same") ? EXIT_GOOD : EXIT_SKIP;
}

/* One slower cell is bad; else all have to be decided. *unsure: more boots may
 * decide. */
static int judge(const json_t *cells, bool *unsure)
{
	const json_t *c;
	int code = json_array_size(cells) ? EXIT_GOOD : EXIT_SKIP;
	size_t i;

	*unsure = false;
	json_array_foreach (cells, i, c) {
		const char *verdict = json_str(c, "verdict", "");
		int one = code_of(verdict);

		*unsure |= str_eq(verdict, "unsure");
		if (one == EXIT_BAD)
			code = EXIT_BAD;
		else if (one == EXIT_SKIP && code == EXIT_GOOD)
			code = EXIT_SKIP;
	}
	*unsure = *unsure && code == EXIT_SKIP;
	return code;
}

static const char *word_of(int code)
{
	return code == EXIT_GOOD ? "good" : code == EXIT_BAD ? "bad" : "skip";
}

static enum err tell(struct cli *cli, const json_t *sub, const json_t *cells, int code,
                     struct why *w)
{
	json_t *out;
	const json_t *c;
	size_t i;
	enum err e;

	if (!cli->json) {
		json_array_foreach (cells, i, c) {
			print_cell(word_of(code), c);
		}
		return OK;
	}
	out = json_object();
	json_put_str(out, "answer", word_of(code));
	json_put_int(out, "submission", json_int(sub, "id", -1));
	json_put(out, "cells", json_deep_copy(cells));
	e = cli_print_json(out, w);
	json_decref(out);
	return e;
}

/* As many boots as the service gives by itself, then more while it is unsure. */
static enum err answer(struct cli *cli, json_t *req, struct why *w)
{
	static const int64_t boots[] = {0, 16, 32};
	bool unsure = true;
	enum err e = OK;

	for (size_t i = 0; e == OK && unsure && i < ARRAY_SIZE(boots); i++) {
		json_t *sub = NULL;
		struct reply r = {0};
		char path[64];

		e = ask(cli, req, boots[i], &sub, w);
		if (e == OK && !str_eq(json_str(sub, "state", ""), "done")) {
			e = failed(sub, &cli->exit_code, w);
			json_decref(sub);
			return e;
		}
		if (e == OK) {
			snprintf(path, sizeof(path), "/api/v1/comparisons/%lld",
			         (long long)json_int(sub, "id", -1));
			e = cli_get(cli, path, &r, w);
		}
		if (e == OK) {
			const json_t *cells = json_object_get(r.json, "cells");

			cli->exit_code = judge(cells, &unsure);
			if (!unsure || i + 1 == ARRAY_SIZE(boots))
				e = tell(cli, sub, cells, cli->exit_code, w);
		}
		reply_release(&r);
		json_decref(sub);
	}
	return e;
}

static enum err run_bisect(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	json_t *req = NULL;
	enum err e = make_request(cli, opt, &req, w);

	(void)argc;
	(void)argv;
	if (e == OK)
		e = answer(cli, req, w);
	json_decref(req);
	return e;
}

const struct cli_command cmd_bisect_step = {
        .name = "bisect-step",
        .summary = "build, boot and judge HEAD, for `git bisect run`",
        .help = "Compares the commit that is checked out with a good one: exit 0 where no case\n"
                "got slower, 1 where one did, 125 where this commit cannot be built or judged,\n"
                "128, which ends the bisection, where anything else failed. Boots are added\n"
                "while the answer is unsure, up to 32 a kernel. An agent must be able to fetch\n"
                "from this repository, or from --tree, where the commits are.\n"
                "\n"
                "examples:\n"
                "  git bisect start v6.13-rc1 v6.12\n"
                "  git bisect run foldwatch bisect-step --good v6.12 \\\n"
                "      --case fork/order=0,size=256M --config contpte-y\n",
        .opts = bisect_table,
        .size = sizeof(struct bisect_opts),
        .max_args = 0,
        .error_code = EXIT_ABORT,
        .run = run_bisect,
        .preset = preset,
};
