#include "cli/explain.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

/* As profiles_read() takes them: what the server shows of one run, less what it says
 * about the boot. */
static enum err read_one(const json_t *p, struct explain_side *s, struct why *w)
{
	static const char *const same[] = {"windows", "switches", "tlbi", "dsb"};
	json_t *file = json_object(), *runs = json_array(), *run = json_object();
	json_t *rows = json_array(), *row;
	char *text;
	size_t i;
	enum err e;

	for (i = 0; i < ARRAY_SIZE(same); i++)
		json_put(run, same[i], json_incref(json_object_get(p, same[i])));
	json_array_foreach (json_object_get(p, "rows"), i, row) {
		json_t *list = json_array();

		json_array_append(list, json_object_get(row, "function"));
		json_array_append(list, json_object_get(row, "instructions"));
		json_array_append(list, json_object_get(row, "calls"));
		json_array_append_new(rows, list);
	}
	json_put(run, "rows", rows);
	json_array_append_new(runs, run);
	json_put_int(file, "format", 1);
	json_put(file, "runs", runs);
	text = json_text(file);
	json_decref(file);
	e = profiles_read(text, strlen(text), &s->kept, w);
	free(text);
	if (e != OK)
		return e;
	s->profile = s->kept.run[0];
	s->mean = json_number_value(json_object_get(p, "mean"));
	s->boot = json_int(p, "boot", 0);
	s->phase_pages = json_int(p, "phase_pages", 0);
	s->board = xstrdup(json_str(p, "board", ""));
	return OK;
}

static bool is_of(const json_t *p, const char *kernel)
{
	return str_eq(json_str(p, "kernel", ""), kernel);
}

/* Board and phase of both are one, or other things move, too. */
static bool are_alike(const json_t *a, const json_t *b)
{
	return str_eq(json_str(a, "board", ""), json_str(b, "board", "")) &&
	       json_int(a, "phase", -1) == json_int(b, "phase", -1) &&
	       json_int(a, "run", -1) == json_int(b, "run", -1);
}

static bool find(const json_t *list, char **names, const json_t *pair[2])
{
	const json_t *a, *b;
	size_t i, k;

	json_array_foreach (list, i, a) {
		json_array_foreach (list, k, b) {
			if (is_of(a, names[0]) && is_of(b, names[1]) && are_alike(a, b)) {
				pair[0] = a;
				pair[1] = b;
				return true;
			}
		}
	}
	return false;
}

enum err explain_stored(struct cli *cli, struct explaining *x, char **names, bool *found,
                        struct why *w)
{
	struct reply r = {0};
	const json_t *pair[2];
	char *path;
	int64_t sub = -1;
	enum err e = kernel_files_submission(cli, x->o->submission, &sub, w);

	*found = false;
	if (e != OK)
		return e;
	path = xasprintf("/api/v1/submissions/%lld/profiles?case=%s", (long long)sub, x->text);
	e = cli_get(cli, path, &r, w);
	free(path);
	*found = e == OK && find(json_object_get(r.json, "profiles"), names, pair);
	for (size_t i = 0; e == OK && *found && i < 2; i++) {
		struct explain_side *s = &x->side[i];

		e = kernel_files_find(cli, names[i], x->o->submission, x->dir, i ? 'b' : 'a',
		                      &s->kernel, w);
		if (e == OK)
			e = symbols_load(s->kernel.vmlinux, &s->symbols, w);
		if (e == OK)
			e = read_one(pair[i], s, w);
	}
	reply_release(&r);
	return e;
}
