/*
 * git_list.c - see git_list.h.
 */
#include "agent/git_list.h"

#include "lib/file.h"
#include "lib/json.h"
#include "lib/mailbox.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST_MAX       (16 << 20) /* what git says of the commits */
#define LINE_MAX_BYTES 1000       /* of a subject or an author */

/* ---- their words */

static char *clean_line(const char *s, size_t n)
{
	struct buf b;

	buf_init(&b, 4 * LINE_MAX_BYTES);
	utf8_scrub(&b, s, n < LINE_MAX_BYTES ? n : LINE_MAX_BYTES);
	return buf_take(&b, NULL);
}

static int64_t count_words(const char *s, size_t n)
{
	int64_t words = 0;
	size_t i;

	for (i = 0; i < n; i++)
		words += s[i] != ' ' && (i == 0 || s[i - 1] == ' ');
	return words;
}

void git_persons(const char *values, size_t len, struct conf_list *out)
{
	const char *end = values + len;

	while (values < end && out->count < GIT_PERSONS_MAX) {
		const char *us = memchr(values, 0x1f, (size_t)(end - values));
		size_t n = (size_t)((us ? us : end) - values);
		char address[MAILBOX_TEXT];
		bool again = false;

		if (mailbox_find(values, n, address)) {
			for (size_t i = 0; i < out->count; i++)
				again |= strcasecmp(out->items[i], address) == 0;
			if (!again) {
				out->items = xreallocarray(out->items, out->count + 1,
				                           sizeof(*out->items));
				out->items[out->count++] = xstrdup(address);
			}
		}
		values += n + 1;
	}
}

enum { F_COMMIT, F_SOURCE, F_PARENTS, F_AUTHOR, F_SUBJECT, F_PERSONS, FIELDS };

/* A line a field, none of which can hold a newline. False: it ends in the middle. */
static bool take_entry(const char **at, struct git_list *l)
{
	const char *field[FIELDS];
	struct git_entry *x;
	size_t k, n[FIELDS];

	for (k = 0; k < FIELDS; k++) {
		field[k] = *at;
		n[k] = strcspn(*at, "\n");
		*at += n[k];
		if (**at != '\n')
			return false;
		++*at;
	}
	if (n[F_COMMIT] != 40 || n[F_SOURCE] != 40)
		return false;
	l->at = xreallocarray(l->at, l->count + 1, sizeof(*l->at));
	x = &l->at[l->count++];
	*x = (struct git_entry){.parents = count_words(field[F_PARENTS], n[F_PARENTS]),
	                        .author = clean_line(field[F_AUTHOR], n[F_AUTHOR]),
	                        .subject = clean_line(field[F_SUBJECT], n[F_SUBJECT])};
	memcpy(x->commit, field[F_COMMIT], 40);
	memcpy(x->source, field[F_SOURCE], 40);
	git_persons(field[F_PERSONS], n[F_PERSONS], &x->persons);
	if (n[F_PARENTS] >= 40)
		memcpy(x->parent, field[F_PARENTS], 40);
	return true;
}

static void add_range(struct argv *a, const char *tip, const char *base)
{
	argv_add(a, tip, NULL);
	if (base)
		argv_addf(a, "^%s", base);
	argv_add(a, "--", NULL);
}

enum err git_list(struct git *g, const char *tip, const char *base, size_t max,
                  struct git_list *out, struct why *w)
{
	struct argv a = {0};
	struct buf text;
	const char *at;
	enum err e;

	buf_init(&text, LIST_MAX);
	git_begin(g, &a);
	argv_add(&a, "log", "--reverse", "--topo-order", "--no-show-signature", "--encoding=UTF-8",
	         "--format=%H%n%T%n%P%n%an <%ae>%n%s%n"
	         "%(trailers:key=Signed-off-by,key=Co-developed-by,key=Reported-by,"
	         "key=Suggested-by,key=Reviewed-by,key=Acked-by,key=Tested-by,key=Cc,"
	         "valueonly,unfold,separator=%x1f)",
	         NULL);
	argv_addf(&a, "--max-count=%zu", max);
	add_range(&a, tip, base);
	e = git_ask(g, &a, &text, w);
	for (at = text.data; !e && *at;)
		if (text.full || !take_entry(&at, out))
			e = err_set(w, ERR_UNPROCESSABLE,
			            "the commits' subjects or trailers are too long");
	argv_release(&a);
	buf_release(&text);
	return e;
}

enum err git_count(struct git *g, const char *tip, const char *base, int64_t *count, struct why *w)
{
	struct argv a = {0};
	struct buf text;
	enum err e;

	buf_init(&text, 64);
	git_begin(g, &a);
	argv_add(&a, "rev-list", "--count", NULL);
	add_range(&a, tip, base);
	e = git_ask(g, &a, &text, w);
	*count = e ? 0 : strtoll(text.data, NULL, 10);
	argv_release(&a);
	buf_release(&text);
	return e;
}

/* ---- ids of their patches */

static enum err write_names(const struct git_list *l, size_t from, size_t until, const char *path,
                            struct why *w)
{
	struct buf text;
	enum err e;

	buf_init(&text, LIST_MAX);
	for (; from < until; from++)
		if (l->at[from].parents < 2)
			buf_addf(&text, "%s\n", l->at[from].commit);
	e = file_write(path, text.data, text.len, 0600, w);
	buf_release(&text);
	return e;
}

/* The patches as text, each behind its commit's id. */
static enum err write_diffs(struct git *g, const char *names, const char *diffs, struct why *w)
{
	struct argv a = {0};
	struct stat st;
	enum err e;

	unlink(diffs);
	git_begin(g, &a);
	argv_add(&a, "diff-tree", "--stdin", "--root", "-r", "-p", "--no-color", "--no-ext-diff",
	         "--no-textconv", "--no-renames", "--full-index", NULL);
	argv_addf(&a, "--output=%s", diffs);
	g->input = names;
	e = git_ask(g, &a, NULL, w);
	g->input = NULL;
	argv_release(&a);
	if (!e && !stat(diffs, &st) && st.st_size > GIT_DIFF_MAX)
		e = err_set(w, ERR_TOO_LARGE,
		            "the patches are %lld bytes together: more than %d are not taken",
		            (long long)st.st_size, GIT_DIFF_MAX);
	return e;
}

static void take_id(struct git_list *l, size_t from, size_t until, const char *line)
{
	for (; from < until; from++)
		if (memcmp(l->at[from].commit, line + 41, 40) == 0) {
			memcpy(l->at[from].patch_id, line, 40);
			return;
		}
}

static enum err read_ids(struct git *g, const char *diffs, struct git_list *l, size_t from,
                         size_t until, struct why *w)
{
	struct argv a = {0};
	struct buf text;
	const char *line;
	size_t n;
	enum err e;

	buf_init(&text, LIST_MAX);
	git_begin(g, &a);
	argv_add(&a, "patch-id", "--stable", NULL);
	g->input = diffs;
	e = git_ask(g, &a, &text, w);
	g->input = NULL;
	for (line = text.data; !e && *line; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		if (n == 81)
			take_id(l, from, until, line);
	}
	argv_release(&a);
	buf_release(&text);
	return e;
}

enum err git_patch_ids(struct git *g, struct git_list *l, size_t from, size_t until, struct why *w)
{
	char *names = path_join(g->step->dir, "commits.names");
	char *diffs = path_join(g->step->dir, "commits.diff");
	enum err e = write_names(l, from, until, names, w);

	if (!e)
		e = write_diffs(g, names, diffs, w);
	if (!e)
		e = read_ids(g, diffs, l, from, until, w);
	unlink(names);
	unlink(diffs);
	free(names);
	free(diffs);
	return e;
}

void git_list_release(struct git_list *l)
{
	size_t i;

	for (i = 0; i < l->count; i++) {
		free(l->at[i].subject);
		free(l->at[i].author);
		for (size_t o = 0; o < l->at[i].persons.count; o++)
			free(l->at[i].persons.items[o]);
		free(l->at[i].persons.items);
	}
	free(l->at);
	*l = (struct git_list){0};
}
