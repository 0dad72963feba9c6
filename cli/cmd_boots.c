/* foldwatch boots: under which conditions a boot was made, or in what two differ. */
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/table.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

/* A row a value: "guest.env.cpufreq[0].governor". */
static void add_rows(struct table *t, const char *name, const json_t *v)
{
	const char *key;
	json_t *x;
	size_t i;

	json_object_foreach ((json_t *)v, key, x) {
		char *longer = xasprintf("%s%s%s", name, *name ? "." : "", key);

		add_rows(t, longer, x);
		free(longer);
	}
	json_array_foreach (v, i, x) {
		char *longer = xasprintf("%s[%zu]", name, i);

		add_rows(t, longer, x);
		free(longer);
	}
	if (!json_is_object(v) && !json_is_array(v) && !json_is_null(v)) {
		char *text = json_is_string(v) ? NULL : json_dumps(v, JSON_ENCODE_ANY);

		table_row(t, name, text ? text : json_string_value(v));
		free(text);
	}
}

static void print_head(const json_t *b)
{
	char *text =
	        xasprintf("boot %lld: kernel %s on %s, %s%s%s", (long long)json_int(b, "id", 0),
	                  json_str(b, "kernel_name", "?"), json_str(b, "board", "?"),
	                  json_flag(b, "valid", false) ? "valid" : "invalid",
	                  json_str(b, "why", NULL) ? ": " : "", json_str(b, "why", ""));

	print_clean(text);
	free(text);
	text = xasprintf("environment %s", json_str(b, "env_id", "unknown"));
	print_clean(text);
	free(text);
}

static void print_env(const json_t *b)
{
	struct table t;

	print_head(b);
	printf("\nWhat must be equal for numbers to be compared:\n\n");
	table_init(&t, "FIELD", "VALUE");
	add_rows(&t, "", json_object_get(b, "env"));
	table_print(&t);
	table_release(&t);
	printf("\nWhat the kernel under test brings along:\n\n");
	table_init(&t, "FIELD", "VALUE");
	add_rows(&t, "", json_object_get(b, "traits"));
	add_rows(&t, "built", json_object_get(b, "built"));
	table_print(&t);
	table_release(&t);
}

static void print_differences(const json_t *b, const char *other)
{
	const json_t *list = json_object_get(b, "differs"), *d;
	char *one = xasprintf("BOOT %lld", (long long)json_int(b, "id", 0));
	char *two = xasprintf("BOOT %s", other);
	struct table t;
	size_t i;

	print_head(b);
	if (json_array_size(list)) {
		putchar('\n');
		table_init(&t, "FIELD", one, two);
		json_array_foreach (list, i, d) {
			table_row(&t, json_str(d, "field", NULL), json_str(d, "one", NULL),
			          json_str(d, "other", NULL));
		}
		table_print(&t);
		table_release(&t);
	} else {
		printf("boot %s has the same environment and traits\n", other);
	}
	free(one);
	free(two);
}

static enum err run_boots(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	char *path = NULL, *base;
	struct reply r = {0};
	int64_t id, other;
	enum err e = arg_id("boot", argv[0], &id, w);

	(void)opt;
	if (!e && argc > 1)
		e = arg_id("boot", argv[1], &other, w);
	if (e)
		return e;
	base = api_path("/api/v1/boots", argv[0], NULL);
	path = argc > 1 ? xasprintf("%s?against=%s", base, argv[1]) : xstrdup(base);
	e = cli_get(cli, path, &r, w);
	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e && argc > 1)
		print_differences(r.json, argv[1]);
	else if (!e)
		print_env(r.json);
	reply_release(&r);
	free(base);
	free(path);
	return e;
}

const struct cli_command cmd_boots = {
        .name = "boots",
        .args = "ID [OTHER]",
        .summary = "show the environment of a boot, or in what two boots differ",
        .help = "Numbers of boots are compared when their environments are equal: the board, its\n"
                "firmware, QEMU, frequencies, the command line, foldbench. What belongs to the\n"
                "kernel under test is shown beside it.\n"
                "\n"
                "examples:\n"
                "  foldwatch boots 17\n"
                "  foldwatch boots 17 23\n",
        .min_args = 1,
        .max_args = 2,
        .run = run_boots,
};
