/* foldwatch compare: the tables of a submission. */
#include "cli/commands.h"
#include "cli/show.h"

#include "lib/mem.h"

struct compare_opts {
	const char *table, *format;
	bool across, marginal;
};

static const struct cli_opt compare_table[] = {
        {"table", OPT_TEXT, offsetof(struct compare_opts, table), "NAME",
         "all (default), reply, commit, cover or summary", 0, 0, false},
        {"format", OPT_TEXT, offsetof(struct compare_opts, format), "NAME",
         "text (default), markdown, csv or json", 0, 0, false},
        {"across-environments", OPT_FLAG, offsetof(struct compare_opts, across), NULL,
         "with boots of other environments than the baseline's, flagged", 0, 0, false},
        {"marginal", OPT_FLAG, offsetof(struct compare_opts, marginal), NULL,
         "each kernel against the one before it: what each patch group adds", 0, 0, false},
        {0},
};

static void preset(void *opt)
{
	struct compare_opts *o = opt;

	o->table = "all";
	o->format = "text";
}

static enum err one_of(const char *option, const char *value, const char *const *words,
                       struct why *w)
{
	for (const char *const *p = words; *p; p++)
		if (str_eq(*p, value))
			return OK;
	return err_set(w, ERR_INPUT,
	               "%s: \"%s\" is not known; `foldwatch help compare` lists the words", option,
	               value);
}

static enum err run_compare(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	static const char *const tables[] = {"all", "reply", "commit", "cover", "summary", NULL};
	static const char *const formats[] = {"text", "markdown", "csv", "json", NULL};
	static const char *const view[2][2] = {{"", "against=previous"},
	                                       {"across=true", "across=true&against=previous"}};
	const struct compare_opts *o = opt;
	enum err e;

	(void)argc;
	e = one_of("--table", o->table, tables, w);
	if (!e)
		e = one_of("--format", o->format, formats, w);
	if (!e && cli->json && !str_eq(o->format, "text") && !str_eq(o->format, "json"))
		e = err_set(w, ERR_INPUT, "--json and --format %s exclude each other", o->format);
	if (!e && !str_eq(o->table, "all") &&
	    (cli->json || str_eq(o->format, "csv") || str_eq(o->format, "json")))
		e = err_set(w, ERR_INPUT, "--table %s is for text and markdown: %s holds all cells",
		            o->table, cli->json ? "JSON" : o->format);
	return e ? e
	         : show_comparison(cli, argv[0], o->table, o->format, view[o->across][o->marginal],
	                           w);
}

const struct cli_command cmd_compare = {
        .name = "compare",
        .args = "ID|latest",
        .summary = "print the comparison of a submission, ready for a mail",
        .help = "`reply` has a table of mean_rel and std_rel per case and board, `commit` boards\n"
                "side by side, `cover` orders side by side, `summary` every cell with its\n"
                "interval and verdict. All of it is 7-bit ASCII in 72 columns.\n"
                "\n"
                "Of a patch series each row is a prefix of it against its base: what the patches\n"
                "come to together. With --marginal, from the same boots, each is against the\n"
                "prefix before it: what the patches in between add.\n"
                "\n"
                "examples:\n"
                "  foldwatch compare latest\n"
                "  foldwatch compare latest --table cover --marginal\n"
                "  foldwatch compare 7 --table reply\n"
                "  foldwatch compare latest --json | jq '.cells[] | select(.verdict == "
                "\"slower\")'\n",
        .opts = compare_table,
        .size = sizeof(struct compare_opts),
        .min_args = 1,
        .max_args = 1,
        .run = run_compare,
        .preset = preset,
};
