/* Every file in kernel/series is readable, and what it names exists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/case.h"
#include "lib/conf.h"
#include "lib/mem.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIRECTORY "kernel/series"
#define MANY      32

struct series {
	char *title, *message_id, *author, *replaces, *tree, *base, *landed, *note;
	int64_t version;
	struct conf_list after, cases;
};

struct machine {
	char *help;
};

struct stage {
	char *help, *empty;
	int64_t patches;
	struct conf_list figures;
};

static const struct conf_key series_keys[] = {
        {.name = "title", .type = CONF_STR, .offset = offsetof(struct series, title), .max = 200},
        {.name = "version",
         .type = CONF_INT,
         .offset = offsetof(struct series, version),
         .min = 1,
         .max = 100,
         .preset = "1"},
        {.name = "message_id",
         .type = CONF_STR,
         .offset = offsetof(struct series, message_id),
         .max = 200},
        {.name = "author", .type = CONF_STR, .offset = offsetof(struct series, author), .max = 200},
        {.name = "replaces",
         .type = CONF_STR,
         .offset = offsetof(struct series, replaces),
         .max = 200},
        {.name = "tree", .type = CONF_STR, .offset = offsetof(struct series, tree), .max = 200},
        {.name = "base", .type = CONF_STR, .offset = offsetof(struct series, base), .max = 200},
        {.name = "landed", .type = CONF_STR, .offset = offsetof(struct series, landed), .max = 40},
        {.name = "after", .type = CONF_LIST, .offset = offsetof(struct series, after)},
        {.name = "case", .type = CONF_LIST, .offset = offsetof(struct series, cases)},
        {.name = "note", .type = CONF_STR, .offset = offsetof(struct series, note), .max = 600},
        {0},
};

static const struct conf_key machine_keys[] = {
        {.name = "help", .type = CONF_STR, .offset = offsetof(struct machine, help), .max = 200},
        {0},
};

static const struct conf_key stage_keys[] = {
        {.name = "help", .type = CONF_STR, .offset = offsetof(struct stage, help), .max = 200},
        {.name = "void", .type = CONF_STR, .offset = offsetof(struct stage, empty), .max = 200},
        {.name = "patches",
         .type = CONF_INT,
         .offset = offsetof(struct stage, patches),
         .max = 1000,
         .preset = "0"},
        {.name = "figure", .type = CONF_LIST, .offset = offsetof(struct stage, figures)},
        {0},
};

struct file {
	struct series series;
	struct machine machine[MANY];
	char *machine_name[MANY];
	size_t machines;
	struct stage stage[MANY];
	size_t stages;
};

static void *open_series(void *ctx, const char *name, struct why *w)
{
	(void)name, (void)w;
	return &((struct file *)ctx)->series;
}

static void *open_machine(void *ctx, const char *name, struct why *w)
{
	struct file *f = ctx;

	(void)w;
	f->machine_name[f->machines] = xstrdup(name);
	return &f->machine[f->machines++];
}

static void *open_stage(void *ctx, const char *name, struct why *w)
{
	struct file *f = ctx;

	(void)name, (void)w;
	return &f->stage[f->stages++];
}

static const struct conf_block blocks[] = {
        {NULL, series_keys, open_series},
        {"machine", machine_keys, open_machine},
        {"stage", stage_keys, open_stage},
};

static void check_case(const char *path, const char *text)
{
	char err[200], canonical[CASE_TEXT];
	struct bench_case c;

	if (case_parse(text, &c, err, sizeof(err)))
		fail_msg("%s: %s", path, err);
	case_format(&c, canonical, sizeof(canonical));
	assert_string_equal(canonical, text);
}

static void check_names_file(const char *path, const char *name)
{
	char other[300];

	snprintf(other, sizeof(other), DIRECTORY "/%s.conf", name);
	if (access(other, R_OK))
		fail_msg("%s: there is no \"%s\"", path, other);
}

static void check_figure(const char *path, const struct file *f, char **word)
{
	bool known = false;
	char *end;

	check_case(path, word[0]);
	for (size_t i = 0; i < f->machines; i++)
		known |= !strcmp(f->machine_name[i], word[1]);
	if (!known)
		fail_msg("%s: no section [machine %s]", path, word[1]);
	(void)strtod(word[2], &end);
	if (*end || end == word[2])
		fail_msg("%s: \"%s\" is no figure", path, word[2]);
	if (strcmp(word[3], "-") != 0 && (strtod(word[3], &end) < 0 || *end))
		fail_msg("%s: \"%s\" is no standard deviation", path, word[3]);
}

static size_t check_file(const char *path)
{
	static struct file f;
	struct why w = {0};
	size_t figures = 0;

	memset(&f, 0, sizeof(f));
	if (conf_read(path, blocks, ARRAY_SIZE(blocks), &f, &w) != OK)
		fail_msg("%s", w.text);
	/* A message-id names its sender. */
	assert_non_null(f.series.message_id);
	assert_non_null(f.series.author);
	assert_true(str_ends(f.series.message_id, f.series.author));
	for (size_t i = 0; i < f.series.cases.count; i++)
		check_case(path, f.series.cases.items[i]);
	for (size_t i = 0; i < f.series.after.count; i++)
		check_names_file(path, f.series.after.items[i]);
	if (f.series.replaces)
		check_names_file(path, f.series.replaces);
	for (size_t i = 0; i < f.stages; i++) {
		struct conf_list *list = &f.stage[i].figures;

		assert_int_equal(list->count % 4, 0);
		for (size_t k = 0; k < list->count; k += 4)
			check_figure(path, &f, list->items + k);
		figures += list->count / 4;
		conf_release(stage_keys, &f.stage[i]);
	}
	for (size_t i = 0; i < f.machines; i++) {
		conf_release(machine_keys, &f.machine[i]);
		free(f.machine_name[i]);
	}
	conf_release(series_keys, &f.series);
	return figures;
}

static void every_series_is_readable(void **state)
{
	DIR *d = opendir(DIRECTORY);
	struct dirent *entry;
	size_t files = 0, figures = 0;

	(void)state;
	assert_non_null(d);
	while ((entry = readdir(d))) {
		char path[300];

		if (!str_ends(entry->d_name, ".conf"))
			continue;
		snprintf(path, sizeof(path), DIRECTORY "/%s", entry->d_name);
		figures += check_file(path);
		files++;
	}
	closedir(d);
	assert_true(files >= 7);
	/* 4 of v4, 16 + 8 of v5, 8 void ones, two sweeps of 9 */
	assert_int_equal(figures, 54);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_series_is_readable)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
