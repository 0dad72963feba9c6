/* foldwatch kernels: what was built, and how. */
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/table.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

struct kernels_opts {
	int64_t limit, before;
};

static const struct cli_opt kernels_table[] = {
        {"limit", OPT_INT, offsetof(struct kernels_opts, limit), "N",
         "how many to list (default 20)", 1, 500, false},
        {"before", OPT_INT, offsetof(struct kernels_opts, before), "ID",
         "list those older than this one", 1, INT64_MAX, false},
        {0},
};

static void preset(void *opt)
{
	((struct kernels_opts *)opt)->limit = 20;
}

static char *cut(const char *s, size_t n)
{
	return s ? xstrndup(s, n) : NULL;
}

static void print_list(const json_t *root)
{
	struct table t;
	const json_t *k;
	char id[24], layout[24];
	size_t i;

	table_init(&t, "ID", "STATE", "COMMIT", "CONFIG", "LAYOUT", "TOOLCHAIN", "BUILD-ID",
	           "SUBJECT");
	json_array_foreach (json_object_get(root, "kernels"), i, k) {
		char *commit = cut(json_str(k, "commit", NULL), 12);
		char *build = cut(json_str(k, "build_id", NULL), 12);

		snprintf(id, sizeof(id), "%lld", (long long)json_int(k, "id", 0));
		snprintf(layout, sizeof(layout), "%lld", (long long)json_int(k, "layout", 0));
		table_row(&t, id, json_str(k, "state", NULL), commit, json_str(k, "config", NULL),
		          layout, json_str(k, "toolchain", NULL), build,
		          json_str(k, "subject", ""));
		free(commit);
		free(build);
	}
	table_print(&t);
	table_release(&t);
}

/* Every field that is a plain value, one a line. */
static void print_fields(const json_t *obj)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)obj, key, value) {
		char *text = json_is_string(value) ? xstrdup(json_string_value(value))
		                                   : json_text(value);

		if (!json_is_null(value)) {
			printf("%-16s ", key);
			print_clean(text);
		}
		free(text);
	}
}

static enum err run_kernels(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const struct kernels_opts *o = opt;
	char *path;
	struct reply r = {0};
	int64_t id;
	enum err e = OK;

	if (argc == 1) {
		e = arg_id("kernel", argv[0], &id, w);
		path = api_path("/api/v1/kernels", argv[0], NULL);
	} else {
		path = list_path("/api/v1/kernels", o->limit, o->before);
	}
	if (!e)
		e = cli_get(cli, path, &r, w);
	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e && argc == 1)
		print_fields(r.json);
	else if (!e)
		print_list(r.json);
	reply_release(&r);
	free(path);
	return e;
}

const struct cli_command cmd_kernels = {
        .name = "kernels",
        .args = "[ID]",
        .summary = "list the kernels that were built, or show one",
        .help = "One kernel is shown with its compiler, its hashes and its build-id.\n"
                "\n"
                "examples:\n  foldwatch kernels\n  foldwatch kernels --limit 100 --before 300\n"
                "  foldwatch kernels 12\n",
        .opts = kernels_table,
        .size = sizeof(struct kernels_opts),
        .max_args = 1,
        .run = run_kernels,
        .preset = preset,
};
