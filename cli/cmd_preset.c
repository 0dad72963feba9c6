/* foldwatch preset: a preset as a plan for foldbench. Needs no server. */
#include "cli/commands.h"
#include "lib/preset.h"

#include <stdio.h>

#define PLAN_MAX (1u << 20)

struct preset_opts {
	const char *pages;
};

static const struct cli_opt preset_table[] = {
        {"pages", OPT_TEXT, offsetof(struct preset_opts, pages), "SIZE",
         "the kernel's page size: 4K (default), 16K, 64K", 0, 0, false},
        {0},
};

static enum err run_preset(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const struct preset_opts *o = opt;
	const struct preset_pages *pages;
	const struct preset *p;
	struct buf plan;
	enum err e = preset_find(argv[0], &p, w);

	(void)argc;
	if (!e)
		e = err_at(w, preset_pages_find(o->pages, &pages, w), "--pages");
	if (e)
		return e;
	buf_init(&plan, PLAN_MAX);
	if (cli->json) {
		json_t *root = json_object(), *cases = json_array();

		preset_cases(p, pages, cases);
		json_put(root, "cases", cases);
		e = cli_print_json(root, w);
		json_decref(root);
	} else {
		preset_plan(p, pages, &plan);
		fputs(plan.data, stdout);
		if (fflush(stdout) == EOF)
			e = err_sys(w, ERR_INPUT, "cannot write to standard output");
	}
	buf_release(&plan);
	return e;
}

const struct cli_command cmd_preset = {
        .name = "preset",
        .args = "NAME",
        .summary = "print a preset as a plan for foldbench",
        .help = "The same cases that `submit --preset NAME` asks for, a line each, for foldbench\n"
                "on a machine of one's own or a guest. --json: {\"cases\":[...]}.\n"
                "\n"
                "examples:\n"
                "  foldwatch preset contpte-quick --pages 16K > plan\n"
                "  foldbench run --plan plan\n",
        .opts = preset_table,
        .size = sizeof(struct preset_opts),
        .min_args = 1,
        .max_args = 1,
        .local = true,
        .run = run_preset,
};
