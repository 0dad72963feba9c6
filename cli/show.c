#include "cli/show.h"

#include "cli/watch.h"
#include "lib/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *api_path(const char *first, ...)
{
	struct buf b;
	va_list ap;

	buf_init(&b, 8192);
	buf_adds(&b, first);
	va_start(ap, first);
	for (const char *part = va_arg(ap, const char *); part; part = va_arg(ap, const char *)) {
		char *enc = url_encode(part);

		buf_addf(&b, "/%s", enc);
		free(enc);
	}
	va_end(ap);
	return buf_take(&b, NULL);
}

enum err arg_id(const char *what, const char *text, int64_t *id, struct why *w)
{
	enum err e = int_parse(text, 1, INT64_MAX, id, NULL);

	return e ? err_set(w, ERR_INPUT, "%s: expected a number, got \"%s\"", what, text) : OK;
}

enum err show_comparison(struct cli *cli, const char *id, const char *table, const char *format,
                         struct why *w)
{
	char *base = api_path("/api/v1/comparisons", id, NULL), *path;
	struct reply r = {0};
	struct client *c;
	enum err e;

	if (cli->json || str_eq(format, "json")) {
		e = cli_get(cli, base, &r, w);
		if (!e)
			e = cli_print_json(r.json, w);
		goto out;
	}
	e = cli_connect(cli, &c, w);
	if (e)
		goto out;
	path = xasprintf("%s?table=%s&format=%s", base, table, format);
	e = client_bytes(c, "GET", path, NULL, NULL, 0, "*/*", NULL, &r, w);
	free(path);
	if (e && r.status == 0)
		e = err_at(w, e, "the server at %s does not answer", cli->base);
	if (!e &&
	    (fwrite(r.body.data, 1, r.body.len, stdout) != r.body.len || fflush(stdout) == EOF))
		e = err_sys(w, ERR_IO, "cannot write to standard output");
out:
	reply_release(&r);
	free(base);
	return e;
}

enum err show_failed(const json_t *sub, struct why *w)
{
	struct buf why;
	enum err e;

	buf_init(&why, 16384);
	watch_reasons(sub, &why);
	for (size_t i = 0; i < why.len; i++)
		if (why.data[i] == '\n')
			why.data[i] = i + 1 < why.len ? ';' : '\0';
	e = err_set(w, ERR_IO, "submission %lld %s%s%s", (long long)json_int(sub, "id", 0),
	            json_str(sub, "state", "?"), why.len ? ": " : "", why.data);
	buf_release(&why);
	return e;
}
