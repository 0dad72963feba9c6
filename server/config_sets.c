/* config_sets.c - named configurations. */
#include "server/config_sets.h"

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* How Kconfig begins a .config that it wrote. */
#define WHOLE_MARK "# Automatically generated file; DO NOT EDIT."

static bool name_is_good(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_.");

	return n > 0 && n <= 64 && !s[n] && s[0] != '.';
}

static char *trim(char *s)
{
	char *end;

	s += strspn(s, " \t\r");
	end = s + strlen(s);
	while (end > s && strchr(" \t\r", end[-1]))
		*--end = '\0';
	return s;
}

static enum err read_text(struct pool *p, const char *dir, const char *file, const char **text,
                          struct why *w)
{
	char *path = path_join(dir, file);
	struct buf b;
	enum err e;

	buf_init(&b, CONFIG_TEXT_MAX);
	e = file_read(path, &b, w);
	if (e == OK && !utf8_valid(b.data, b.len))
		e = err_set(w, ERR_INPUT, "\"%s\" is not UTF-8", path);
	if (e == OK)
		*text = pool_strn(p, b.data, b.len);
	buf_release(&b);
	free(path);
	return e;
}

static enum err read_line(struct pool *p, char *line, int number, struct config_sets *out,
                          struct why *w)
{
	char *hash = strchr(line, '#'), *eq, *word, *save = NULL;
	struct config_set *set;
	const char *help = "";

	if (hash) {
		*hash = '\0';
		help = trim(hash + 1);
	}
	line = trim(line);
	if (!*line)
		return OK;
	eq = strchr(line, '=');
	if (!eq)
		return err_set(w, ERR_INPUT, "sets:%d: expected NAME = FRAGMENT...", number);
	*eq = '\0';
	line = trim(line);
	if (!name_is_good(line))
		return err_set(w, ERR_INPUT, "sets:%d: \"%s\" is no name for a set", number, line);
	set = pool_push(p, (void **)&out->at, &out->count, sizeof(*set));
	set->name = pool_str(p, line);
	set->help = pool_str(p, help);
	for (word = strtok_r(eq + 1, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		if (!name_is_good(word))
			return err_set(w, ERR_INPUT, "sets:%d: \"%s\" is no name of a fragment",
			               number, word);
		*(const char **)pool_push(p, (void **)&set->fragment, &set->fragments,
		                          sizeof(*set->fragment)) = pool_str(p, word);
	}
	return OK;
}

static const struct config_set *find(const struct config_sets *sets, const char *name)
{
	size_t i;

	for (i = 0; i < sets->count; i++)
		if (strcmp(sets->at[i].name, name) == 0)
			return &sets->at[i];
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct config_set *)a)->name, ((const struct config_set *)b)->name);
}

/* Each fragment's own name is a set of one; its first comment is its help. */
static enum err add_fragments(struct pool *p, struct config_sets *out, struct why *w)
{
	size_t named = out->count;
	struct dirent *d;
	DIR *dir = opendir(out->dir);
	enum err e = OK;

	if (!dir)
		return err_sys(w, ERR_IO, "cannot read \"%s\"", out->dir);
	while (e == OK && (d = readdir(dir))) {
		struct config_set *set;
		const char *text;
		char *name;

		if (!str_ends(d->d_name, ".config"))
			continue;
		name = pool_strn(p, d->d_name, strlen(d->d_name) - strlen(".config"));
		if (!name_is_good(name) || find(out, name))
			continue;
		e = read_text(p, out->dir, d->d_name, &text, w);
		if (e != OK)
			break;
		set = pool_push(p, (void **)&out->at, &out->count, sizeof(*set));
		set->name = name;
		set->help =
		        text[0] == '#' ? trim(pool_strn(p, text + 1, strcspn(text + 1, "\n"))) : "";
		*(const char **)pool_push(p, (void **)&set->fragment, &set->fragments,
		                          sizeof(*set->fragment)) = name;
	}
	closedir(dir);
	if (out->count > named)
		qsort(out->at + named, out->count - named, sizeof(*out->at), by_name);
	return e;
}

enum err config_sets_load(struct pool *p, const char *kernel_dir, struct config_sets *out,
                          struct why *w)
{
	const char *text;
	char *copy, *line;
	int number = 0;
	enum err e;

	*out = (struct config_sets){0};
	if (!kernel_dir)
		return err_set(w, ERR_UNPROCESSABLE,
		               "this server has no kernel configurations: kernel_dir is not set");
	out->dir = pool_fmt(p, "%s/config", kernel_dir);
	e = read_text(p, out->dir, "sets", &text, w);
	if (e != OK)
		return e == ERR_NOT_FOUND
		               ? err_set(w, ERR_UNPROCESSABLE, "\"%s/sets\" is not there", out->dir)
		               : e;
	copy = pool_str(p, text);
	while (e == OK && (line = strsep(&copy, "\n")))
		e = read_line(p, line, ++number, out, w);
	return e == OK ? add_fragments(p, out, w) : e;
}

/* ---- texts */

struct merging {
	struct pool *p;
	const struct config_sets *sets;
	struct buf text;
	const char **done;
	size_t count;
};

static enum err merge_fragment(struct merging *m, const char *name, struct why *w)
{
	const char *text;
	char *file;
	size_t i;
	enum err e;

	for (i = 0; i < m->count; i++)
		if (strcmp(m->done[i], name) == 0)
			return OK;
	*(const char **)pool_push(m->p, (void **)&m->done, &m->count, sizeof(*m->done)) = name;
	file = xasprintf("%s.config", name);
	e = read_text(m->p, m->sets->dir, file, &text, w);
	free(file);
	if (e == ERR_NOT_FOUND)
		return err_set(w, ERR_UNPROCESSABLE, "config fragment \"%s\" is not there", name);
	if (e != OK)
		return e;
	buf_addf(&m->text, "# -- %s\n%s", name, text);
	if (!str_ends(text, "\n"))
		buf_addc(&m->text, '\n');
	return OK;
}

static enum err unknown_set(const struct config_sets *sets, const char *name, struct why *w)
{
	struct buf names;
	enum err e;
	size_t i;

	buf_init(&names, 512);
	for (i = 0; i < sets->count; i++)
		buf_addf(&names, "%s%s", i ? ", " : "", sets->at[i].name);
	e = err_set(w, ERR_UNPROCESSABLE, "there is no config \"%s\"; there are %s", name,
	            names.data);
	buf_release(&names);
	return e;
}

static enum err merge_sets(struct merging *m, const char *names, struct why *w)
{
	char *copy = xstrdup(names), *rest = copy, *name;
	enum err e = OK;
	size_t i;

	while (e == OK && (name = strsep(&rest, "+"))) {
		const struct config_set *set = find(m->sets, name);

		if (!set) {
			e = unknown_set(m->sets, name, w);
			break;
		}
		for (i = 0; e == OK && i < set->fragments; i++)
			e = merge_fragment(m, set->fragment[i], w);
	}
	free(copy);
	return e;
}

static enum err merged(struct merging *m, enum err e, const char **text, struct why *w)
{
	if (e == OK && m->text.full)
		e = err_set(w, ERR_UNPROCESSABLE, "the config is larger than %u bytes",
		            CONFIG_TEXT_MAX);
	if (e == OK)
		*text = pool_strn(m->p, m->text.data, m->text.len);
	buf_release(&m->text);
	return e;
}

enum err config_text(struct pool *p, const struct config_sets *sets, const char *name,
                     const char **text, struct why *w)
{
	struct merging m = {.p = p, .sets = sets};
	enum err e;

	buf_init(&m.text, CONFIG_TEXT_MAX);
	e = merge_fragment(&m, CONFIG_BASE, w);
	if (e == OK)
		e = merge_sets(&m, name, w);
	return merged(&m, e, text, w);
}

enum err config_with(struct pool *p, const struct config_sets *sets, const char *text,
                     const char *name, const char **out, struct why *w)
{
	struct merging m = {.p = p, .sets = sets};

	buf_init(&m.text, CONFIG_TEXT_MAX);
	buf_adds(&m.text, text);
	return merged(&m, merge_sets(&m, name, w), out, w);
}

bool config_is_whole(const char *text)
{
	/* Kconfig's line stands behind a "#" line of its own. */
	return str_starts(str_starts(text, "#\n") ? text + 2 : text, WHOLE_MARK);
}

enum err config_custom(struct pool *p, const struct config_sets *sets, const char *lines,
                       const char **text, bool *whole, struct why *w)
{
	struct merging m = {.p = p, .sets = sets};
	enum err e;

	*whole = config_is_whole(lines);
	if (*whole) {
		*text = pool_str(p, lines);
		return OK;
	}
	buf_init(&m.text, CONFIG_TEXT_MAX);
	e = merge_fragment(&m, CONFIG_BASE, w);
	if (e == OK)
		buf_addf(&m.text, "# -- custom\n%s\n", lines);
	return merged(&m, e, text, w);
}
