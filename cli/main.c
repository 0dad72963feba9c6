#include "cli/cli.h"

#include "lib/mem.h"
#include "lib/proc.h"

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
		fprintf(to, "  %-11s  %s\n", (*c)->name, (*c)->summary);
	fprintf(to,
	        "\n`foldwatch help COMMAND` says more, with examples; foldwatch(1) says all.\n");
}

static const struct cli_command *find(const char *name)
{
	for (const struct cli_command *const *c = cli_commands; *c; c++)
		if (str_eq((*c)->name, name))
			return *c;
	return NULL;
}

static int fail(const struct cli *cli, const struct why *w, enum err e)
{
	const char *text = w->text[0] ? w->text : err_name(e);

	if (cli->json) {
		json_t *root = json_object(), *error = json_object();

		json_put_str(error, "code", err_name(e));
		json_put_str(error, "message", text);
		json_put(root, "error", error);
		(void)cli_print_json(root, NULL);
		json_decref(root);
	}
	fflush(stdout);
	fprintf(stderr, "foldwatch: %s\n", text);
	return err_exit_code(e);
}

/* What was printed along the way may still be in the buffer, or lost. */
static enum err settle_output(struct why *w)
{
	if (fflush(stdout) == EOF)
		return err_sys(w, ERR_IO, "cannot write to standard output");
	return ferror(stdout) ? err_set(w, ERR_IO, "cannot write to standard output") : OK;
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
	if (!e && help)
		cli_usage(cmd);
	else if (!e)
		e = cmd->run(&cli, opt, count, rest, &w);
	if (!e)
		e = settle_output(&w);
	code = e ? fail(&cli, &w, e) : cli.exit_code;
	if (e && cmd->error_code)
		code = cmd->error_code;
	cli_release_opts(cmd, opt);
	free(rest);
	free(opt);
	client_free(cli.client);
	free(cli.base);
	if (cli.token)
		explicit_bzero(cli.token, strlen(cli.token));
	free(cli.token);
	free(cli.token_from);
	return code;
}

int main(int argc, char **argv)
{
	const struct cli_command *cmd;

	proc_stdio();
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
		if (argv[1][0] == '-')
			fprintf(stderr,
			        "foldwatch: options stand after the command: "
			        "`foldwatch COMMAND %s`\n",
			        argv[1]);
		else
			fprintf(stderr,
			        "foldwatch: there is no command \"%s\"; `foldwatch help` lists "
			        "them\n",
			        argv[1]);
		return err_exit_code(ERR_INPUT);
	}
	client_global_init();
	return run(cmd, argc - 1, argv + 1);
}
