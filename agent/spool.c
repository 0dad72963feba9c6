#include "agent/spool.h"

#include "lib/conf.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void entry_name(struct spool_entry *e)
{
	snprintf(e->name, sizeof(e->name), "%08" PRId64 "-%" PRId64 "-%" PRId64, e->seq, e->job,
	         e->attempt);
}

/* Only names that entry_name() makes: what it prints must come out again. */
static bool entry_parse(const char *name, struct spool_entry *e)
{
	int64_t *const numbers[] = {&e->seq, &e->job, &e->attempt};
	char part[24];

	memset(e, 0, sizeof(*e));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const char *p = name;
		size_t len;

		for (size_t k = 0; k < i; k++)
			p += strcspn(p, "-") + 1;
		len = strcspn(p, "-");
		if (len >= sizeof(part) || (p[len] == '-') != (i < 2))
			return false;
		memcpy(part, p, len);
		part[len] = '\0';
		if (int_parse(part, i > 0, INT64_MAX - 1, numbers[i], NULL) != OK)
			return false;
	}
	entry_name(e);
	return strcmp(e->name, name) == 0;
}

static int by_seq(const void *a, const void *b)
{
	int64_t x = ((const struct spool_entry *)a)->seq;
	int64_t y = ((const struct spool_entry *)b)->seq;

	return (x > y) - (x < y);
}

static struct spool_entry *append(struct spool *s, const struct spool_entry *e)
{
	s->entry = xreallocarray(s->entry, s->count + 1, sizeof(*s->entry));
	s->entry[s->count] = *e;
	return &s->entry[s->count++];
}

static enum err foreign(const char *dir, const char *name, struct why *w)
{
	char *from = xasprintf("%s/spool/%s", dir, name);
	char *to = xasprintf("%s/dead/%s", dir, name);
	enum err e;

	for (int n = 1; path_exists(to); n++) {
		free(to);
		to = xasprintf("%s/dead/%s.%d", dir, name, n);
	}
	e = file_rename(from, to, w);
	log_warn("spool.foreign", "name", name, "kept_as", to, "why",
	         e == OK ? "not an entry of the spool" : w->text, NULL);
	free(from);
	free(to);
	return e;
}

static enum err list(struct spool *s, struct why *w)
{
	char *path = path_join(s->dir, "spool");
	DIR *d = opendir(path);
	struct dirent *de;
	enum err e = OK;

	if (!d)
		e = err_sys(w, ERR_IO, "cannot read the spool \"%s\"", path);
	while (d && e == OK && (de = readdir(d))) {
		struct spool_entry entry;

		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		if (entry_parse(de->d_name, &entry))
			append(s, &entry);
		else
			e = foreign(s->dir, de->d_name, w);
	}
	if (d)
		closedir(d);
	free(path);
	if (s->entry)
		qsort(s->entry, s->count, sizeof(*s->entry), by_seq);
	return e;
}

enum err spool_open(struct spool *s, const char *dir, struct why *w)
{
	static const char *const rooms[] = {"spool", "dead", "jobs", "trash"};
	enum err e = OK;

	memset(s, 0, sizeof(*s));
	s->dir = dir;
	for (size_t i = 0; i < ARRAY_SIZE(rooms) && e == OK; i++) {
		char *path = path_join(dir, rooms[i]);

		e = dir_make(path, 0700, w);
		free(path);
	}
	return e == OK ? list(s, w) : e;
}

void spool_release(struct spool *s)
{
	free(s->entry);
	memset(s, 0, sizeof(*s));
}

char *spool_path(const struct spool *s, const struct spool_entry *e)
{
	return xasprintf("%s/spool/%s", s->dir, e->name);
}

struct spool_entry *spool_find(struct spool *s, int64_t job, int64_t attempt)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->entry[i].job == job && s->entry[i].attempt == attempt)
			return &s->entry[i];
	}
	return NULL;
}

enum err spool_add(struct spool *s, int64_t job, int64_t attempt, int64_t log_sent, struct why *w)
{
	struct spool_entry entry = {.job = job, .attempt = attempt, .log_sent = log_sent};
	char *from, *to;
	enum err e;

	if (spool_find(s, job, attempt))
		return OK;
	entry.seq = s->count ? s->entry[s->count - 1].seq + 1 : 1;
	entry_name(&entry);
	from = xasprintf("%s/jobs/%" PRId64 "-%" PRId64, s->dir, job, attempt);
	to = spool_path(s, &entry);
	e = file_rename(from, to, w);
	/* Renamed, though perhaps not written back: it is there now. */
	if (e == OK || (path_exists(to) && !path_exists(from)))
		append(s, &entry);
	free(from);
	free(to);
	return e;
}

void spool_refresh(struct spool *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		char *path = spool_path(s, &s->entry[i]);

		if (path_exists(path))
			s->entry[kept++] = s->entry[i];
		free(path);
	}
	s->count = kept;
}
