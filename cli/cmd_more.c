/* foldwatch more: further boots for a submission that is done. */
#include "cli/commands.h"
#include "cli/show.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

struct more_opts {
	int64_t boots;
	struct conf_list boards, kernels;
};

static const struct cli_opt more_table[] = {
        {"boots", OPT_INT, offsetof(struct more_opts, boots), "N",
         "further boots (phases on a deterministic board) of each kernel", 1, 32, false},
        {"board", OPT_LIST, offsetof(struct more_opts, boards), "NAME",
         "on this board of the submission (default: all of them); repeat", 0, 0, false},
        {"kernel", OPT_LIST, offsetof(struct more_opts, kernels), "NAME",
         "of this kernel (default: all), and of the baseline; repeat", 0, 0, false},
        {0},
};

static enum err put_list(json_t *body, const char *key, const char *option,
                         const struct conf_list *list, struct why *w)
{
	json_t *out = json_array();

	for (size_t i = 0; i < list->count; i++) {
		json_t *item = json_string(list->items[i]);

		if (!item) {
			json_decref(out);
			return err_set(w, ERR_INPUT, "%s: \"%s\" is not UTF-8", option,
			               list->items[i]);
		}
		json_array_append_new(out, item);
	}
	if (list->count)
		json_put(body, key, json_incref(out));
	json_decref(out);
	return OK;
}

static enum err run_more(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const struct more_opts *o = opt;
	json_t *body = json_object();
	struct reply r = {0};
	char *path;
	int64_t id;
	enum err e = arg_id("submission", argv[0], &id, w);

	(void)argc;
	if (!e && !o->boots)
		e = err_set(w, ERR_INPUT, "more needs --boots: how many?");
	json_put_int(body, "boots", o->boots);
	if (!e)
		e = put_list(body, "boards", "--board", &o->boards, w);
	if (!e)
		e = put_list(body, "kernels", "--kernel", &o->kernels, w);
	if (!e) {
		path = xasprintf("/api/v1/submissions/%lld/boots", (long long)id);
		e = cli_send(cli, "POST", path, body, NULL, &r, w);
		free(path);
	}
	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e)
		printf("submission %lld is open again: %lld boots of each kernel were added\n",
		       (long long)id, (long long)o->boots);
	reply_release(&r);
	json_decref(body);
	return e;
}

const struct cli_command cmd_more = {
        .name = "more",
        .args = "ID",
        .summary = "add boots to a submission that is done",
        .help = "The kernels and the baseline are booted further times, all cases in each, and "
                "the\n"
                "tables are then made of all boots. What they say is exploratory: each interval\n"
                "is at 95 % by itself, a note says so, and no alert comes of it.\n"
                "\n"
                "examples:\n"
                "  foldwatch more 7 --boots 4\n"
                "  foldwatch more 7 --boots 8 --board rack2 --kernel mine\n",
        .opts = more_table,
        .size = sizeof(struct more_opts),
        .min_args = 1,
        .max_args = 1,
        .run = run_more,
};
