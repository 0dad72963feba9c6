#include "cli/cli.h"

#include "lib/mem.h"
#include "lib/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNKNOWN "unknown option \"%.*s\" of \"foldwatch %s\"; `foldwatch help %s` lists them"

/* Every subcommand takes these; they fill struct cli itself. */
const struct cli_opt cli_common_opts[] = {
        {"server", OPT_TEXT, offsetof(struct cli, server), "URL",
         "the server (default: $FOLDWATCH_SERVER, ./var/address, http://127.0.0.1:8080)", 0, 0,
         false},
        {"token-file", OPT_TEXT, offsetof(struct cli, token_file), "FILE",
         "holds the token (default: $FOLDWATCH_TOKEN_FILE, $FOLDWATCH_TOKEN)", 0, 0, false},
        {"json", OPT_FLAG, offsetof(struct cli, json), NULL, "print JSON, errors too", 0, 0, false},
        {0},
};

const struct cli_opt *cli_local_opts(void)
{
	return cli_common_opts + 2;
}

static const struct cli_opt *find(const struct cli_opt *opts, const char *name, size_t len)
{
	for (; opts && opts->name; opts++)
		if (strlen(opts->name) == len && memcmp(opts->name, name, len) == 0)
			return opts;
	return NULL;
}

static enum err real_parse(const char *text, const struct cli_opt *o, double *out, struct why *w)
{
	/* strtod() would take blanks, hexadecimal and "inf" as well. */
	bool plain = *text && !text[strspn(text, "0123456789.eE+-")];
	char *end;
	double v = plain ? strtod(text, &end) : 0;

	if (!plain || end == text || *end || !isfinite(v))
		return err_set(w, ERR_INPUT, "--%s: expected a number, got \"%s\"", o->name, text);
	if (v < (double)o->min || v > (double)o->max)
		return err_set(w, ERR_INPUT,
		               "--%s: expected a number from %lld to %lld, got \"%s\"", o->name,
		               (long long)o->min, (long long)o->max, text);
	*out = v;
	return OK;
}

static enum err store(const struct cli_opt *o, void *base, char *value, struct why *w)
{
	void *at = (char *)base + o->offset;
	struct conf_list *list;
	enum err e;

	switch (o->kind) {
	case OPT_FLAG:
		*(bool *)at = true;
		return OK;
	case OPT_TEXT:
		*(const char **)at = value;
		return OK;
	case OPT_INT:
		e = int_parse(value, o->min, o->max, at, w);
		return err_at(w, e, "--%s", o->name);
	case OPT_REAL:
		return real_parse(value, o, at, w);
	case OPT_LIST:
		list = at;
		list->items = xreallocarray(list->items, list->count + 1, sizeof(*list->items));
		list->items[list->count++] = xstrdup(value);
		return OK;
	}
	err_bug("option --%s has no kind", o->name);
}

static bool is_set(const struct cli_opt *o, const void *base)
{
	const void *at = (const char *)base + o->offset;

	switch (o->kind) {
	case OPT_TEXT:
		return *(const char *const *)at != NULL;
	case OPT_LIST:
		return ((const struct conf_list *)at)->count > 0;
	default:
		return true;
	}
}

/* What is sent is UTF-8, and a replacement for what is not would name another branch. Names
 * of files may be anything. */
static bool is_clean(const char *arg)
{
	const char *eq = str_starts(arg, "--") ? strchr(arg, '=') : NULL;

	return utf8_valid(arg, strlen(arg)) || access(eq ? eq + 1 : arg, F_OK) == 0;
}

enum err cli_parse(const struct cli_command *cmd, struct cli *cli, int argc, char **argv, void *opt,
                   char **rest, int *rest_count, bool *help, struct why *w)
{
	bool options = true;
	int i;

	*rest_count = 0;
	*help = false;
	for (i = 1; i < argc; i++)
		if (!is_clean(argv[i]))
			return err_set(w, ERR_INPUT, "argument %d of \"foldwatch %s\" is not UTF-8",
			               i, cmd->name);
	for (i = 1; i < argc; i++) {
		char *arg = argv[i], *eq, *value;
		const struct cli_opt *o;
		void *base = opt;
		size_t len;
		enum err e;

		if (!options || arg[0] != '-' || !arg[1]) {
			rest[(*rest_count)++] = arg;
			continue;
		}
		if (str_eq(arg, "--")) {
			options = false;
			continue;
		}
		if (str_eq(arg, "--help") || str_eq(arg, "-h")) {
			*help = true;
			return OK;
		}
		if (arg[1] != '-')
			return err_set(w, ERR_INPUT, UNKNOWN, (int)strlen(arg), arg, cmd->name,
			               cmd->name);
		eq = strchr(arg, '=');
		len = eq ? (size_t)(eq - arg - 2) : strlen(arg + 2);
		o = find(cmd->opts, arg + 2, len);
		if (!o) {
			o = find(cmd->local ? cli_local_opts() : cli_common_opts, arg + 2, len);
			base = cli;
		}
		if (!o)
			return err_set(w, ERR_INPUT, UNKNOWN, (int)len + 2, arg, cmd->name,
			               cmd->name);
		if (o->kind == OPT_FLAG) {
			if (eq)
				return err_set(w, ERR_INPUT, "--%s takes no value", o->name);
			value = NULL;
		} else if (eq) {
			value = eq + 1;
		} else if (i + 1 < argc) {
			value = argv[++i];
		} else {
			return err_set(w, ERR_INPUT, "--%s needs a value: %s", o->name, o->arg);
		}
		e = store(o, base, value, w);
		if (e)
			return e;
	}
	for (const struct cli_opt *o = cmd->opts; o && o->name; o++)
		if (o->must && !is_set(o, opt))
			return err_set(w, ERR_INPUT, "\"foldwatch %s\" needs --%s %s", cmd->name,
			               o->name, o->arg);
	if (*rest_count < cmd->min_args)
		return err_set(w, ERR_INPUT, "\"foldwatch %s\" needs %s", cmd->name, cmd->args);
	if (cmd->max_args >= 0 && *rest_count > cmd->max_args)
		return err_set(w, ERR_INPUT, "\"foldwatch %s\" does not take \"%s\"", cmd->name,
		               rest[cmd->max_args]);
	return OK;
}

void cli_release_opts(const struct cli_command *cmd, void *opt)
{
	for (const struct cli_opt *o = cmd->opts; o && o->name; o++) {
		struct conf_list *list;

		if (o->kind != OPT_LIST)
			continue;
		list = (struct conf_list *)((char *)opt + o->offset);
		for (size_t i = 0; i < list->count; i++)
			free(list->items[i]);
		free(list->items);
		*list = (struct conf_list){0};
	}
}

static void print_opts(const struct cli_opt *o)
{
	for (; o && o->name; o++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s", o->name, o->arg ? " " : "",
		         o->arg ? o->arg : "");
		if (strlen(left) > 24)
			printf("  %s\n  %-24s  %s\n", left, "", o->help);
		else
			printf("  %-24s  %s\n", left, o->help);
	}
}

void cli_usage(const struct cli_command *cmd)
{
	printf("usage: foldwatch %s%s%s%s\n\n%s\n", cmd->name,
	       cmd->opts && cmd->opts->name ? " [OPTION...]" : "",
	       cmd->args && *cmd->args ? " " : "", cmd->args ? cmd->args : "", cmd->summary);
	if (cmd->help)
		printf("\n%s", cmd->help);
	printf("\noptions:\n");
	print_opts(cmd->opts);
	print_opts(cmd->local ? cli_local_opts() : cli_common_opts);
}
