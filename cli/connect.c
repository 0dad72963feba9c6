#include "cli/cli.h"

#include "lib/file.h"
#include "lib/mem.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FALLBACK    "http://127.0.0.1:8080"
#define VAR_ADDRESS "var/address"
#define VAR_TOKEN   "var/submit.token"

enum err cli_read_file(const char *path, struct buf *out, struct why *w)
{
	enum err e = file_read(path, out, w);

	return e == ERR_NOT_FOUND ? ERR_INPUT : e;
}

/* First line of a small file, without its white space; NULL when there is none. */
static char *first_line(const char *path, enum err *e, struct why *w)
{
	struct buf b;
	size_t n;
	char *out;

	buf_init(&b, 4096);
	*e = cli_read_file(path, &b, w);
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

static enum err check_token(char **token, const char *where, struct why *w)
{
	const char *p = *token;

	while (isalnum((unsigned char)*p) || *p == '-' || *p == '_')
		p++;
	if (**token && !*p)
		return OK;
	if (**token)
		err_set(w, ERR_INPUT, "%s holds no token", where);
	else
		err_set(w, ERR_INPUT, "%s is empty: it should hold a token", where);
	explicit_bzero(*token, strlen(*token));
	free(*token);
	*token = NULL;
	return ERR_INPUT;
}

enum err cli_read_token(const char *path, char **token, struct why *w)
{
	char *where;
	enum err e;

	*token = first_line(path, &e, w);
	if (e)
		return err_at(w, e, "the token");
	where = xasprintf("\"%s\"", path);
	e = check_token(token, where, w);
	free(where);
	return e;
}

static enum err find_server(struct cli *cli, struct why *w)
{
	const char *env = getenv("FOLDWATCH_SERVER");
	enum err e;
	size_t n;

	if (cli->server) {
		cli->base = xstrdup(cli->server);
		cli->base_from = "--server";
	} else if (env && *env) {
		cli->base = xstrdup(env);
		cli->base_from = "FOLDWATCH_SERVER";
	} else if ((cli->base = first_line(VAR_ADDRESS, &e, NULL))) {
		cli->base_from = VAR_ADDRESS;
	} else {
		cli->base = xstrdup(FALLBACK);
	}
	if (!str_starts(cli->base, "http://") && !str_starts(cli->base, "https://")) {
		e = err_set(
		        w, ERR_INPUT,
		        "%s: \"%s\" is no server address: it should begin with http:// or https://",
		        cli->base_from, cli->base);
		free(cli->base);
		cli->base = NULL;
		return e;
	}
	for (n = strlen(cli->base); n && cli->base[n - 1] == '/'; n--)
		cli->base[n - 1] = '\0';
	return OK;
}

static enum err find_token(struct cli *cli, struct why *w)
{
	const char *file = cli->token_file, *env = getenv("FOLDWATCH_TOKEN");

	if (!file)
		file = getenv("FOLDWATCH_TOKEN_FILE");
	if (file && *file) {
		cli->token_from = xasprintf("\"%s\"", file);
		return cli_read_token(file, &cli->token, w);
	}
	if (env && *env) {
		cli->token_from = xstrdup("FOLDWATCH_TOKEN");
		cli->token = xstrdup(env);
		return check_token(&cli->token, cli->token_from, w);
	}
	/* Readable by its owner alone: others read without a token. */
	if (str_eq(cli->base_from, VAR_ADDRESS) && !cli_read_token(VAR_TOKEN, &cli->token, NULL))
		cli->token_from = xstrdup("\"" VAR_TOKEN "\"");
	return OK;
}

enum err cli_connect(struct cli *cli, struct client **out, struct why *w)
{
	enum err e = OK;

	if (!cli->base)
		e = find_server(cli, w);
	if (!e && !cli->client) {
		e = find_token(cli, w);
		if (!e)
			cli->client =
			        client_new(cli->base, cli->token, "foldwatch/" FOLDWATCH_VERSION);
	}
	*out = cli->client;
	return e;
}

/* What the server's sentence cannot know: where we have its address and the
 * token from. `status` 0: no answer. */
static enum err explain(struct cli *cli, enum err e, int status, bool sentence, struct why *w)
{
	if (!e || !w)
		return e;
	if (status == 0 && (e == ERR_UNAVAILABLE || e == ERR_TIMEOUT))
		return cli->base_from ? err_set(w, e, "%s (the address is from %s)", w->text,
		                                cli->base_from)
		                      : err_set(w, e,
		                                "%s (neither --server nor FOLDWATCH_SERVER nor "
		                                "./" VAR_ADDRESS " names another server)",
		                                w->text);
	if (e == ERR_AUTH && !cli->token)
		return err_set(w, e,
		               "the server at %s wants a token: give --token-file FILE or set "
		               "FOLDWATCH_TOKEN_FILE",
		               cli->base);
	if (e == ERR_AUTH && !sentence)
		err_set(w, e, "it is not known to the server at %s, or was revoked", cli->base);
	if (e == ERR_AUTH || (e == ERR_DENIED && cli->token))
		return err_at(w, e, "the token of %s", cli->token_from);
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
	e = client_json(c, method, path, body, key, r, w);
	return explain(cli, e, r->status, r->json, w);
}

enum err cli_get(struct cli *cli, const char *path, struct reply *r, struct why *w)
{
	return cli_send(cli, "GET", path, NULL, NULL, r, w);
}

enum err cli_get_text(struct cli *cli, const char *path, struct reply *r, struct why *w)
{
	struct client *c;
	enum err e;

	memset(r, 0, sizeof(*r));
	e = cli_connect(cli, &c, w);
	if (e)
		return e;
	e = client_bytes(c, "GET", path, NULL, NULL, 0, "*/*", NULL, r, w);
	return explain(cli, e, r->status, r->json, w);
}

enum err cli_put_file(struct cli *cli, const char *path, const char *hex, struct why *w)
{
	struct client *c;
	enum err e = cli_connect(cli, &c, w);

	if (e || cli->dry_run)
		return e;
	/* What went wrong is told by the error alone here. A HEAD has no body, so
	 * the server's sentence about a token may be missing. */
	e = client_put_artifact(c, path, hex, w);
	return explain(cli, e, e == ERR_UNAVAILABLE || e == ERR_TIMEOUT ? 0 : 400, e != ERR_AUTH,
	               w);
}

enum err cli_print(const void *data, size_t len, struct why *w)
{
	if (fwrite(data, 1, len, stdout) != len || fflush(stdout) == EOF)
		return err_sys(w, ERR_IO, "cannot write to standard output");
	return OK;
}

enum err cli_print_json(const json_t *value, struct why *w)
{
	if (json_dumpf(value, stdout, JSON_INDENT(1) | JSON_ENCODE_ANY) != 0 ||
	    putchar('\n') == EOF || fflush(stdout) == EOF)
		return err_sys(w, ERR_IO, "cannot write to standard output");
	return OK;
}

enum err cli_do(struct cli *cli, const char *method, const char *path, const json_t *body,
                const char *done, struct why *w)
{
	struct reply r;
	enum err e = cli_send(cli, method, path, body, NULL, &r, w);

	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e)
		printf("%s %lld\n", done, (long long)json_int(r.json, "id", 0));
	reply_release(&r);
	return e;
}

enum err cli_programs_dir(char **out, struct why *w)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n <= 0)
		return err_sys(w, ERR_IO, "cannot read /proc/self/exe");
	path[n] = '\0';
	slash = strrchr(path, '/');
	*slash = '\0';
	*out = xstrdup(path);
	return OK;
}
