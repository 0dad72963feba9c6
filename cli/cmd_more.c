/* foldwatch more: further boots for a submission that is done, or for some of its cells. */
#include "cli/commands.h"
#include "cli/request.h"
#include "cli/show.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

struct more_opts {
	int64_t boots;
	struct conf_list boards, kernels, cases;
	const char *key;
	bool wait;
};

static const struct cli_opt more_table[] = {
        {"boots", OPT_INT, offsetof(struct more_opts, boots), "N",
         "further boots (phases on a deterministic board) of each kernel", 1, 32, false},
        {"board", OPT_LIST, offsetof(struct more_opts, boards), "NAME",
         "on this board of the submission (default: all of them); repeat", 0, 0, false},
        {"kernel", OPT_LIST, offsetof(struct more_opts, kernels), "NAME",
         "of this kernel (default: all), and of the baseline; repeat", 0, 0, false},
        {"case", OPT_LIST, offsetof(struct more_opts, cases), "CASE",
         "this case or pattern alone, both sides in boots of its own; repeat", 0, 0, false},
        {"key", OPT_TEXT, offsetof(struct more_opts, key), "KEY",
         "with --case: idempotency key: the same key again is the same submission", 0, 0, false},
        {"wait", OPT_FLAG, offsetof(struct more_opts, wait), NULL, "show progress, then the tables",
         0, 0, false},
        {0},
};

static enum err put_list(json_t *body, const char *key, const char *option,
                         const struct conf_list *list, struct why *w)
{
	json_t *out = json_array();
	enum err e = request_strings(option, list, out, w);

	if (!e && list->count)
		json_put(body, key, json_incref(out));
	json_decref(out);
	return e;
}

static enum err read_body(const struct more_opts *o, json_t *body, struct why *w)
{
	enum err e = OK;

	if (!o->boots && !o->cases.count)
		e = err_set(w, ERR_INPUT, "more needs --boots: how many?");
	else if (o->key && !o->cases.count)
		e = err_set(w, ERR_INPUT, "--key goes with --case");
	if (o->boots)
		json_put_int(body, "boots", o->boots);
	if (!e)
		e = put_list(body, "boards", "--board", &o->boards, w);
	if (!e)
		e = put_list(body, "kernels", "--kernel", &o->kernels, w);
	return e ? e : put_list(body, "cases", "--case", &o->cases, w);
}

static void tell(const struct more_opts *o, int64_t id, int64_t made)
{
	FILE *to = o->wait ? stderr : stdout;

	if (made == id)
		fprintf(to, "submission %lld is open again: %lld boots of each kernel were added\n",
		        (long long)id, (long long)o->boots);
	else
		fprintf(to, "submission %lld: cases of %lld by themselves, in boots of their own\n",
		        (long long)made, (long long)id);
}

static enum err run_more(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const struct more_opts *o = opt;
	json_t *body = json_object();
	struct reply r = {0};
	char *path;
	int64_t id, made = -1;
	enum err e = arg_id("submission", argv[0], &id, w);

	(void)argc;
	if (!e)
		e = read_body(o, body, w);
	if (!e) {
		path = xasprintf("/api/v1/submissions/%lld/boots", (long long)id);
		e = cli_send(cli, "POST", path, body, o->key, &r, w);
		free(path);
	}
	if (!e)
		made = json_int(r.json, "id", -1);
	if (!e && cli->json && !o->wait)
		e = cli_print_json(r.json, w);
	else if (!e)
		tell(o, id, made);
	reply_release(&r);
	json_decref(body);
	return e || !o->wait ? e : show_when_ended(cli, made, w);
}

const struct cli_command cmd_more = {
        .name = "more",
        .args = "ID",
        .summary = "add boots to a submission that is done, or measure some of its cases again",
        .help = "The kernels and the baseline are booted further times, all cases in each, and "
                "the\n"
                "tables are then made of all boots. What they say is exploratory: each interval\n"
                "is at 95 % by itself, a note says so, and no alert comes of it.\n"
                "\n"
                "With --case those cases alone are measured again, of the same kernels as they "
                "were\n"
                "built. What ran before a case moves its counts, so boots of another plan cannot\n"
                "be counted with those that are there: it is a submission of its own, with both\n"
                "sides in the short plan and verdicts of its own. Without --boots it has as many\n"
                "as any submission.\n"
                "\n"
                "With --wait, progress goes to standard error and the tables (--json: the\n"
                "comparison) to standard output; exit 1 when it did not end as done. Ctrl-C ends\n"
                "the waiting alone.\n"
                "\n"
                "examples:\n"
                "  foldwatch more 7 --boots 4\n"
                "  foldwatch more 7 --boots 8 --board rack2 --kernel mine --wait\n"
                "  foldwatch more 7 --case 'fork/order=9*' --kernel mine\n",
        .opts = more_table,
        .size = sizeof(struct more_opts),
        .min_args = 1,
        .max_args = 1,
        .run = run_more,
};
