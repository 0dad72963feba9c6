/*
 * cli.h - the frame of the `foldwatch` command: one table of subcommands, one
 * table of options for each, one place that finds the server.
 *
 * A subcommand is a file cmd_NAME.c that defines `const struct cli_command
 * cmd_NAME` and a row in commands.c. The frame parses the options into the
 * struct that the table describes, prints `--help` from the tables, runs it,
 * prints an error as one line `foldwatch: SENTENCE` (with --json also as the
 * API's error object on standard output) and exits by err_exit_code() - or by
 * cli->exit_code, which a subcommand sets where its exit code says more than
 * "failed".
 */
#ifndef FOLDWATCH_CLI_H
#define FOLDWATCH_CLI_H

#include "lib/client.h"
#include "lib/conf.h"
#include "lib/err.h"
#include "lib/json.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cli_opt_kind {
	OPT_FLAG, /* bool */
	OPT_TEXT, /* const char *, borrowed from argv; the last one given wins */
	OPT_INT,  /* int64_t within [min, max] */
	OPT_REAL, /* double within [min, max], finite */
	OPT_LIST  /* struct conf_list, one item an occurrence; freed by the frame */
};

/* In the order in which a table's row is read. */
struct cli_opt {          /* NOLINT(clang-analyzer-optin.performance.Padding) */
	const char *name; /* without the dashes */
	enum cli_opt_kind kind;
	size_t offset;
	const char *arg; /* the value's word in the help: "NAME"; NULL for OPT_FLAG */
	const char *help;
	int64_t min, max;
	bool must;
};

struct cli {
	const char *server; /* as given by --server, or NULL */
	const char *token_file;
	bool json;     /* --json: the answer as the API gives it, on standard output */
	bool dry_run;  /* nothing is uploaded */
	int exit_code; /* used when the subcommand returns OK */
	struct client *client;
	char *base;            /* the address that was found; owned */
	char *token;           /* owned; never printed */
	const char *base_from; /* where the address was found, for sentences */
	char *token_from;      /* the same of the token, "\"var/submit.token\""; owned */
};

struct cli_command {
	const char *name;
	const char *args;           /* usage after the options: "ID|latest" */
	const char *summary;        /* one line */
	const char *help;           /* paragraphs and examples, shown by `foldwatch help NAME` */
	const struct cli_opt *opts; /* closed by a NULL name; may be NULL */
	size_t size;                /* of the struct the options fill */
	int min_args, max_args;     /* max_args -1: any number */
	bool local;                 /* needs no server */
	int error_code;             /* exit status of an error; 0: by err_exit_code() */
	/* opt: zeroed struct of `size` bytes, filled. argv: the arguments that
	 * are no options. */
	enum err (*run)(struct cli *cli, void *opt, int argc, char **argv, struct why *w);
	/* Presets for the options; may be NULL. */
	void (*preset)(void *opt);
};

extern const struct cli_command *const cli_commands[]; /* closed by NULL */

/* The client for the server: --server, else $FOLDWATCH_SERVER, else the address
 * that ./var/address records, else http://127.0.0.1:8080. The token comes from
 * --token-file, else $FOLDWATCH_TOKEN_FILE, else $FOLDWATCH_TOKEN, else
 * ./var/submit.token where the address came from ./var. Made once; owned by cli. */
enum err cli_connect(struct cli *cli, struct client **out, struct why *w);
/* A file that the command line names: as file_read(), but one that is not there
 * is ERR_INPUT, so that exit 5 always speaks of the server's things. */
enum err cli_read_file(const char *path, struct buf *out, struct why *w);
/* Read one line of a token file; ERR_INPUT when it is empty or no token. */
enum err cli_read_token(const char *path, char **token, struct why *w);

/* The directory of the running program, where its siblings are; free() it. */
enum err cli_programs_dir(char **out, struct why *w);

/* Bytes, or JSON indented, to standard output; ERR_IO when it cannot be written. */
enum err cli_print(const void *data, size_t len, struct why *w);
enum err cli_print_json(const json_t *value, struct why *w);

/* One request. Beside what the server says, the sentence tells where an address
 * that does not answer, or a token that is not taken, came from. r is written
 * in any case; reply_release() it in any case. */
enum err cli_get(struct cli *cli, const char *path, struct reply *r, struct why *w);
enum err cli_get_text(struct cli *cli, const char *path, struct reply *r, struct why *w);
enum err cli_send(struct cli *cli, const char *method, const char *path, const json_t *body,
                  const char *key, struct reply *r, struct why *w);
/* What the server answers is printed as JSON, or as `done` with its id behind it. */
enum err cli_do(struct cli *cli, const char *method, const char *path, const json_t *body,
                const char *done, struct why *w);
/* Upload a file as artifact `hex`, its hash, unless the server has it, or it is a dry run. */
enum err cli_put_file(struct cli *cli, const char *path, const char *hex, struct why *w);

/* opt.c: parse argv[1..] by the tables. Fills `rest` with the arguments that
 * are no options; `help` is set for --help. Options may stand anywhere; `--`
 * ends them. --opt=VALUE and --opt VALUE are one. */
enum err cli_parse(const struct cli_command *cmd, struct cli *cli, int argc, char **argv, void *opt,
                   char **rest, int *rest_count, bool *help, struct why *w);
void cli_release_opts(const struct cli_command *cmd, void *opt);
void cli_usage(const struct cli_command *cmd);
/* The options of every subcommand; those that speak of a server come first. */
extern const struct cli_opt cli_common_opts[];
/* Of them, what a command that needs no server takes. */
const struct cli_opt *cli_local_opts(void);

#endif
