#include "cli/show.h"

#include "cli/watch.h"
#include "lib/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than an argument can have, encoded: a part that did not fit would make
 * another path. */
#define PATH_BYTES ((size_t)16 << 20)

char *api_path(const char *first, ...)
{
	struct buf b;
	va_list ap;

	buf_init(&b, PATH_BYTES);
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

char *list_path(const char *path, int64_t limit, int64_t before)
{
	return before ? xasprintf("%s?limit=%lld&before=%lld", path, (long long)limit,
	                          (long long)before)
	              : xasprintf("%s?limit=%lld", path, (long long)limit);
}

enum err arg_id(const char *what, const char *text, int64_t *id, struct why *w)
{
	enum err e = int_parse(text, 1, INT64_MAX, id, NULL);

	return e ? err_set(w, ERR_INPUT, "%s: expected a number, got \"%s\"", what, text) : OK;
}

enum err show_comparison(struct cli *cli, const char *id, const char *table, const char *format,
                         const char *view, struct why *w)
{
	char *base = api_path("/api/v1/comparisons", id, NULL), *path;
	struct reply r;
	enum err e;

	if (cli->json || str_eq(format, "json")) {
		path = xasprintf("%s%s%s", base, *view ? "?" : "", view);
		e = cli_get(cli, path, &r, w);
		free(path);
		if (!e)
			e = cli_print_json(r.json, w);
	} else {
		path = xasprintf("%s?table=%s&format=%s%s%s", base, table, format, *view ? "&" : "",
		                 view);
		e = cli_get_text(cli, path, &r, w);
		free(path);
		if (!e)
			e = cli_print(r.body.data, r.body.len, w);
	}
	reply_release(&r);
	free(base);
	return e;
}

enum err show_failed(const json_t *sub, struct why *w)
{
	struct buf why, line;
	enum err e;

	buf_init(&why, WATCH_REASONS);
	buf_init(&line, 2 * WATCH_REASONS);
	watch_reasons(sub, &why);
	for (size_t i = 0; i + 1 < why.len; i++) {
		if (why.data[i] == '\n')
			buf_adds(&line, "; ");
		else
			buf_addc(&line, why.data[i]);
	}
	e = err_set(w, ERR_IO, "submission %lld %s%s%s", (long long)json_int(sub, "id", 0),
	            json_str(sub, "state", "?"), line.len ? ": " : "", line.data);
	buf_release(&why);
	buf_release(&line);
	return e;
}

enum err show_when_ended(struct cli *cli, int64_t id, struct why *w)
{
	struct watch watch = {.cli = cli, .submission = id};
	json_t *sub;
	enum err e = watch_submission(&watch, &sub, w);

	if (e)
		return e;
	if (str_eq(json_str(sub, "state", ""), "done")) {
		char path_id[24];

		snprintf(path_id, sizeof(path_id), "%lld", (long long)id);
		e = show_comparison(cli, path_id, "all", "text", "", w);
	} else {
		e = show_failed(sub, w);
	}
	json_decref(sub);
	return e;
}
