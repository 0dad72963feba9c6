#include "cli/cli.h"

#include "lib/file.h"
#include "lib/mem.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FALLBACK "http://127.0.0.1:8080"

/* First line of a small file, without its white space; NULL when there is none. */
static char *first_line(const char *path, enum err *e, struct why *w)
{
	struct buf b;
	size_t n;
	char *out;

	buf_init(&b, 4096);
	*e = file_read(path, &b, w);
	if (*e) {
		buf_release(&b);
		return NULL;
	}
	n = strcspn(b.data, "\r\n");
	while (n && isspace((unsigned char)b.data[n - 1]))
		n--;
	out = xstrndup(b.data, n);
	buf_release(&b);
	return out;
}

enum err cli_read_token(const char *path, char **token, struct why *w)
{
	enum err e;

	*token = first_line(path, &e, w);
	if (e)
		return e;
	for (const char *p = *token; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '-' && *p != '_') {
			free(*token);
			*token = NULL;
			return err_set(w, ERR_INPUT, "\"%s\" holds no token", path);
		}
	if (!**token) {
		free(*token);
		*token = NULL;
		return err_set(w, ERR_INPUT, "\"%s\" is empty: it should hold a token", path);
	}
	return OK;
}

enum err cli_connect(struct cli *cli, struct client **out, struct why *w)
{
	const char *env = getenv("FOLDWATCH_SERVER"), *file = cli->token_file;
	bool from_var = false;
	enum err e = OK;

	if (cli->client) {
		*out = cli->client;
		return OK;
	}
	if (cli->server)
		cli->base = xstrdup(cli->server);
	else if (env && *env)
		cli->base = xstrdup(env);
	else if ((cli->base = first_line("var/address", &e, NULL)))
		from_var = true;
	else
		cli->base = xstrdup(FALLBACK);
	if (!str_starts(cli->base, "http://") && !str_starts(cli->base, "https://"))
		return err_set(
		        w, ERR_INPUT,
		        "\"%s\" is no server address: it should begin with http:// or https://",
		        cli->base);
	for (size_t n = strlen(cli->base); n && cli->base[n - 1] == '/'; n--)
		cli->base[n - 1] = '\0';

	if (!file)
		file = getenv("FOLDWATCH_TOKEN_FILE");
	if (file && *file) {
		e = cli_read_token(file, &cli->token, w);
		if (e)
			return e;
	} else if ((env = getenv("FOLDWATCH_TOKEN")) && *env) {
		cli->token = xstrdup(env);
	} else if (from_var) {
		/* Readable by the owner alone: others read without a token. */
		e = cli_read_token("var/submit.token", &cli->token, NULL);
		if (e)
			cli->token = NULL;
	}
	cli->client = client_new(cli->base, cli->token, "foldwatch/" FOLDWATCH_VERSION);
	*out = cli->client;
	return OK;
}

static enum err explain(struct cli *cli, enum err e, const struct reply *r, struct why *w)
{
	if (e && r->status == 0)
		return err_at(w, e, "the server at %s does not answer", cli->base);
	if (e == ERR_AUTH && !cli->token)
		return err_set(w, e,
		               "the server at %s wants a token: give --token-file FILE or set "
		               "FOLDWATCH_TOKEN_FILE",
		               cli->base);
	return e;
}

enum err cli_send(struct cli *cli, const char *method, const char *path, const json_t *body,
                  const char *key, struct reply *r, struct why *w)
{
	struct client *c;
	enum err e;

	memset(r, 0, sizeof(*r));
	e = cli_connect(cli, &c, w);
	if (e)
		return e;
	return explain(cli, client_json(c, method, path, body, key, r, w), r, w);
}

enum err cli_get(struct cli *cli, const char *path, struct reply *r, struct why *w)
{
	return cli_send(cli, "GET", path, NULL, NULL, r, w);
}

enum err cli_print_json(const json_t *value, struct why *w)
{
	if (json_dumpf(value, stdout, JSON_INDENT(1) | JSON_ENCODE_ANY) != 0 ||
	    putchar('\n') == EOF || fflush(stdout) == EOF)
		return err_sys(w, ERR_IO, "cannot write to standard output");
	return OK;
}
