#include "cli/cli.h"

#include "lib/mem.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_commands(FILE *to)
{
	fprintf(to, "usage: foldwatch COMMAND [OPTION...] [ARGUMENT...]\n\n"
	            "Performance regressions of Linux memory management on arm64, measured by\n"
	            "building, booting and benchmarking kernels.\n\ncommands:\n");
	for (const struct cli_command *const *c = cli_commands; *c; c++)
		fprintf(to, "  %-10s  %s\n", (*c)->name, (*c)->summary);
	fprintf(to, "\n`foldwatch help COMMAND` says more, with examples.\n");
}

static const struct cli_command *find(const char *name)
{
	for (const struct cli_command *const *c = cli_commands; *c; c++)
		if (str_eq((*c)->name, name))
			return *c;
	return NULL;
}

static int fail(const struct why *w, enum err e)
{
	fflush(stdout);
	fprintf(stderr, "foldwatch: %s\n", w->text[0] ? w->text : err_name(e));
	return err_exit_code(e);
}

static int run(const struct cli_command *cmd, int argc, char **argv)
{
	void *opt = xcalloc(1, cmd->size ? cmd->size : 1);
	char **rest = xcalloc((size_t)argc + 1, sizeof(*rest));
	struct why w = {""};
	struct cli cli = {0};
	bool help;
	int count, code;
	enum err e;

	if (cmd->preset)
		cmd->preset(opt);
	e = cli_parse(cmd, &cli, argc, argv, opt, rest, &count, &help, &w);
	if (e) {
		code = fail(&w, e);
	} else if (help) {
		cli_usage(cmd);
		code = 0;
	} else {
		e = cmd->run(&cli, opt, count, rest, &w);
		code = e ? fail(&w, e) : cli.exit_code;
	}
	cli_release_opts(cmd, opt);
	free(rest);
	free(opt);
	client_free(cli.client);
	free(cli.base);
	free(cli.token);
	return code;
}

int main(int argc, char **argv)
{
	const struct cli_command *cmd;

	/* A reader that closes early ends us by an error of write, not by a signal. */
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		print_commands(stderr);
		return err_exit_code(ERR_INPUT);
	}
	if (str_eq(argv[1], "--version")) {
		printf("foldwatch %s\n", FOLDWATCH_VERSION);
		return 0;
	}
	if (str_eq(argv[1], "help") || str_eq(argv[1], "--help") || str_eq(argv[1], "-h")) {
		cmd = argc > 2 ? find(argv[2]) : NULL;
		if (argc > 2 && !cmd) {
			fprintf(stderr, "foldwatch: there is no command \"%s\"\n", argv[2]);
			return err_exit_code(ERR_INPUT);
		}
		if (cmd)
			cli_usage(cmd);
		else
			print_commands(stdout);
		return 0;
	}
	cmd = find(argv[1]);
	if (!cmd) {
		fprintf(stderr,
		        "foldwatch: there is no command \"%s\"; `foldwatch help` lists them\n",
		        argv[1]);
		return err_exit_code(ERR_INPUT);
	}
	client_global_init();
	return run(cmd, argc - 1, argv + 1);
}
