/* series.c - see series.h. */
#include "cli/series.h"

#include "cli/request.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIST_MAX (4 << 20)
#define ARGS_MAX 24

enum err series_git(struct buf *out, struct why *w, ...)
{
	const char *argv[ARGS_MAX] = {"git"}, *s;
	struct proc_spec spec = {.argv = argv, .timeout_ns = 600 * NS_PER_S};
	size_t n = 1;
	va_list ap;

	va_start(ap, w);
	while (n + 1 < ARGS_MAX && (s = va_arg(ap, const char *)) != NULL)
		argv[n++] = s;
	va_end(ap);
	return proc_run(&spec, out, w);
}

/* ---- a range */

enum err series_parse_range(const char *range, const char *list, struct series_range *out,
                            struct why *w)
{
	const char *line = list;
	size_t n;

	*out = (struct series_range){.count = 0};
	/* First: what hangs on a merge is out of line too, which would say less. */
	for (; *line; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		if (n > 81 && strspn(line, "0123456789abcdef") == 40)
			return err_set(w, ERR_INPUT,
			               "--each-patch %s: %.12s is a merge: a series is one line of "
			               "commits",
			               range, line);
	}
	line = list;
	for (; *line; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		if (out->count == SERIES_PATCHES_MAX)
			return err_set(w, ERR_INPUT, "--each-patch %s: more than %d commits", range,
			               SERIES_PATCHES_MAX);
		if (n < 40 || strspn(line, "0123456789abcdef") != 40)
			return err_set(w, ERR_INPUT, "--each-patch %s: git answers \"%.*s\"", range,
			               (int)(n < 200 ? n : 200), line);
		if (n == 40)
			return err_set(w, ERR_INPUT,
			               "--each-patch %s: %.12s has no parent: a series stands on a "
			               "base",
			               range, line);
		if (out->count && strncmp(line + 41, out->tip, 40) != 0)
			return err_set(w, ERR_INPUT,
			               "--each-patch %s: %.12s does not stand on %.12s: a series "
			               "is one line of commits",
			               range, line, out->tip);
		if (!out->count++)
			snprintf(out->base, sizeof(out->base), "%.40s", line + 41);
		snprintf(out->tip, sizeof(out->tip), "%.40s", line);
	}
	if (!out->count)
		return err_set(w, ERR_INPUT, "--each-patch %s: there is no commit in it", range);
	return OK;
}

static enum err read_range(const char *range, struct series_range *out, struct why *w)
{
	char *count = xasprintf("--max-count=%d", SERIES_PATCHES_MAX + 1);
	struct buf list;
	enum err e;

	buf_init(&list, LIST_MAX);
	if (!strstr(range, "..") || range[0] == '-' || !utf8_valid(range, strlen(range)))
		e = err_set(w, ERR_INPUT,
		            "--each-patch \"%s\": expected a range of commits, BASE..TIP", range);
	else
		e = series_git(&list, w, "rev-list", "--reverse", "--topo-order", "--parents",
		               count, "--end-of-options", range, "--", NULL);
	if (e && e != ERR_INPUT)
		e = err_at(w, ERR_INPUT, "--each-patch %s", range);
	if (!e)
		e = series_parse_range(range, list.data, out, w);
	buf_release(&list);
	free(count);
	return e;
}

/* ---- the tree */

/* One line of git's answer; NULL: it has none. free() it. */
static char *one_line(struct buf *out)
{
	out->data[strcspn(out->data, "\n")] = '\0';
	return out->data[0] ? xstrdup(out->data) : NULL;
}

static char *ask(const char *what, const char *arg, const char *more)
{
	struct buf out;
	char *line = NULL;

	buf_init(&out, 65536);
	if (!series_git(&out, NULL, what, arg, more, NULL))
		line = one_line(&out);
	buf_release(&out);
	return line;
}

/* The address of the remote that the checked-out branch follows; NULL: none. */
static char *upstream(void)
{
	char *head = ask("rev-parse", "--abbrev-ref", "HEAD"), *key, *remote, *url;

	if (!head)
		return NULL;
	key = xasprintf("branch.%s.remote", head);
	remote = ask("config", "--get", key);
	url = remote && !str_eq(remote, ".") ? ask("remote", "get-url", remote) : NULL;
	free(head);
	free(key);
	free(remote);
	return url;
}

/* From where an agent can fetch the base: as told, or what this branch follows, or this
 * work tree itself. */
static enum err find_tree(const struct series_opts *o, char **url, struct why *w)
{
	char *found;
	enum err e;

	if (o->tree)
		return err_at(w, request_tree(o->tree, url, w), "--tree");
	found = upstream();
	if (!found)
		found = ask("rev-parse", "--show-toplevel", NULL);
	if (!found)
		found = ask("rev-parse", "--absolute-git-dir", NULL);
	if (!found)
		return err_set(w, ERR_INPUT,
		               "this is no git work tree: say with --tree where the base can be "
		               "fetched");
	e = request_tree(found, url, w);
	if (e)
		e = err_set(w, ERR_INPUT,
		            "the remote \"%s\" of this branch is no address that an agent could "
		            "fetch: say with --tree where the base is",
		            found);
	free(found);
	return e;
}

/* ---- words */

enum err series_marks(const struct conf_list *given, json_t *out, struct why *w)
{
	for (size_t i = 0; i < given->count; i++) {
		char *copy = xstrdup(given->items[i]), *save = NULL, *item;
		enum err e = OK;

		for (item = strtok_r(copy, ",", &save); !e && item;
		     item = strtok_r(NULL, ",", &save)) {
			char *eq = strchr(item, '=');
			int64_t at = 0;

			if (!eq || eq == item || !utf8_valid(item, strlen(item)) ||
			    int_parse(eq + 1, 1, SERIES_PATCHES_MAX, &at, NULL)) {
				e = err_set(w, ERR_INPUT,
				            "--mark: \"%s\": expected NAME=N, N the number of a "
				            "patch",
				            item);
				break;
			}
			*eq = '\0';
			if (json_object_get(out, item))
				e = err_set(w, ERR_INPUT, "--mark: \"%s\" is given twice", item);
			else
				json_put_int(out, item, at);
		}
		free(copy);
		if (e)
			return e;
	}
	return OK;
}

static enum err put_config(const char *option, const char *key, const char *value, json_t *series,
                           struct why *w)
{
	json_t *config = NULL;
	enum err e;

	if (!value)
		return OK;
	e = request_config(value, &config, w);
	if (e)
		return err_at(w, e, "%s", option);
	json_put(series, key, config);
	return OK;
}

static enum err put_words(const struct series_opts *o, json_t *series, struct why *w)
{
	json_t *marks = json_object();
	enum err e = series_marks(&o->marks, marks, w);

	json_put(series, "marks", marks);
	if (!e)
		e = put_config("--config", "config", o->config, series, w);
	if (!e)
		e = put_config("--tip-config", "tip_config", o->tip_config, series, w);
	if (!e && o->toolchain && !utf8_valid(o->toolchain, strlen(o->toolchain)))
		e = err_set(w, ERR_INPUT, "--toolchain is not UTF-8");
	if (o->toolchain && !e)
		json_put_str(series, "toolchain", o->toolchain);
	if (o->all)
		json_put_bool(series, "all", true);
	if (o->marks_only || o->steps >= 0)
		json_put_int(series, "steps", o->marks_only ? 0 : o->steps);
	return e;
}

enum err series_unused(const struct series_opts *o, struct why *w)
{
	const struct {
		const char *option;
		bool given;
	} all[] = {{"--base", o->base},
	           {"--tree", o->tree},
	           {"--config", o->config},
	           {"--toolchain", o->toolchain},
	           {"--tip-config", o->tip_config},
	           {"--mark", o->marks.count > 0},
	           {"--all", o->all},
	           {"--marks-only", o->marks_only},
	           {"--steps", o->steps >= 0}};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i].given)
			return err_set(w, ERR_INPUT,
			               "%s is about a patch series: it goes with --each-patch or "
			               "--series",
			               all[i].option);
	return OK;
}

/* ---- the whole */

static enum err from_range(struct cli *cli, const struct series_opts *o, json_t *series,
                           char **title, struct why *w)
{
	struct series_range r;
	char hex[SHA256_HEX];
	enum err e = OK;

	if (o->base)
		return err_set(w, ERR_INPUT, "--base is for --series: a range has its base");
	e = read_range(o->range, &r, w);
	if (!e)
		e = series_bundle(cli, &r, hex, w);
	if (e)
		return e;
	json_put_str(series, "base", r.base);
	json_put_str(series, "bundle", hex);
	*title = xasprintf("%zu patch%s of %.150s", r.count, r.count == 1 ? "" : "es", o->range);
	return OK;
}

static enum err upload_text(struct cli *cli, const struct buf *text, char hex[SHA256_HEX],
                            struct why *w)
{
	const char *tmp = getenv("TMPDIR");
	char *path = xasprintf("%s/foldwatch-series-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	int fd = mkstemp(path);
	enum err e;

	if (fd < 0) {
		e = err_sys(w, ERR_IO, "cannot make a file in \"%s\"", tmp && *tmp ? tmp : "/tmp");
		free(path);
		return e;
	}
	close(fd);
	hash_block(text->data, text->len, hex);
	e = file_write(path, text->data, text->len, 0600, w);
	if (!e)
		e = cli_put_file(cli, path, hex, w);
	unlink(path);
	free(path);
	return e;
}

static enum err from_mails(struct cli *cli, const struct series_opts *o, json_t *series,
                           char **title, struct why *w)
{
	char base[41], hex[SHA256_HEX];
	struct buf text;
	enum err e;

	buf_init(&text, SERIES_BYTES_MAX);
	e = series_mails(o->mails, &text, w);
	if (!e && !o->base && !series_base_trailer(text.data, base))
		e = err_set(w, ERR_INPUT,
		            "--series %s: it has no \"base-commit:\" line: say with --base what it "
		            "stands on",
		            o->mails);
	if (!e)
		e = upload_text(cli, &text, hex, w);
	buf_release(&text);
	if (e)
		return e;
	json_put_str(series, "base", o->base ? o->base : base);
	json_put_str(series, "patches", hex);
	*title = xasprintf("the patches of %.150s", o->mails);
	return OK;
}

enum err series_request(struct cli *cli, const struct series_opts *o, json_t *req, char **title,
                        struct why *w)
{
	json_t *series = json_object();
	char *url = NULL;
	enum err e;

	*title = NULL;
	json_put(req, "series", series);
	if (o->range && o->mails)
		return err_set(w, ERR_INPUT, "--each-patch and --series exclude each other");
	if (o->marks_only + o->all + (o->steps >= 0) > 1)
		return err_set(w, ERR_INPUT, "--all, --marks-only and --steps exclude each other");
	/* Words before uploads. */
	e = put_words(o, series, w);
	if (!e)
		e = find_tree(o, &url, w);
	if (e)
		return e;
	json_put_str(series, "tree", url);
	free(url);
	return o->range ? from_range(cli, o, series, title, w)
	                : from_mails(cli, o, series, title, w);
}
