/* foldwatch reference: the pinned kernel that boards boot every night. */
#include "cli/commands.h"
#include "cli/request.h"
#include "cli/show.h"
#include "cli/table.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reference_opts {
	const char *kernel, *board;
	struct conf_list cases;
	int64_t hour;
};

static const struct cli_opt reference_table[] = {
        {"kernel", OPT_TEXT, offsetof(struct reference_opts, kernel), "SPEC",
         "set: TREE#COMMIT[,config=SET|FILE][,toolchain=T] or image:PATH", 0, 0, false},
        {"case", OPT_LIST, offsetof(struct reference_opts, cases), "CASE",
         "set: a case to measure, such as the tracks have; repeat", 0, 0, false},
        {"board", OPT_TEXT, offsetof(struct reference_opts, board), "PATTERN",
         "boards with such a name (default: all)", 0, 0, false},
        {"hour", OPT_INT, offsetof(struct reference_opts, hour), "N",
         "set: at which a night begins, UTC (default 2)", 0, 23, false},
        {0},
};

static void preset(void *opt)
{
	((struct reference_opts *)opt)->hour = -1;
}

static void print_one(const json_t *r)
{
	const json_t *k = json_object_get(r, "kernel"), *x;
	char *what = json_str(k, "image", NULL) ? xasprintf("image %.12s", json_str(k, "image", ""))
	                                        : xasprintf("%s#%.12s", json_str(k, "tree", ""),
	                                                    json_str(k, "ref", ""));
	char *line =
	        xasprintf("reference %lld: %s on %s, from %02lld:00 UTC, by %s%s",
	                  (long long)json_int(r, "id", 0), what, json_str(r, "board", "all boards"),
	                  (long long)json_int(r, "hour", 0), json_str(r, "by", ""),
	                  json_str(r, "ended", NULL) ? ", ended" : "");
	size_t i;

	print_clean(line);
	json_array_foreach (json_object_get(r, "cases"), i, x) {
		printf("    %s\n", json_string_value(x));
	}
	free(line);
	free(what);
}

static void print_boards(const json_t *list)
{
	struct table t;
	const json_t *b;
	size_t i;

	if (!json_array_size(list))
		return;
	putchar('\n');
	table_init(&t, "BOARD", "LAST", "SUBMISSION", "STATE", "MISSED", "WHY");
	json_array_foreach (list, i, b) {
		char last[16] = "-", sub[24] = "-", missed[24];

		if (json_str(b, "last", NULL))
			table_time(json_str(b, "last", ""), last, sizeof(last));
		if (json_int(b, "submission", 0))
			snprintf(sub, sizeof(sub), "%lld", (long long)json_int(b, "submission", 0));
		snprintf(missed, sizeof(missed), "%lld", (long long)json_int(b, "missed", 0));
		table_row(&t, json_str(b, "board", NULL), last, sub, json_str(b, "state", NULL),
		          missed, json_str(b, "why", ""));
	}
	table_print(&t);
	table_release(&t);
}

static enum err show(struct cli *cli, struct why *w)
{
	const json_t *r;
	struct reply reply;
	size_t i;
	enum err e = cli_get(cli, "/api/v1/reference", &reply, w);

	if (!e && cli->json) {
		e = cli_print_json(reply.json, w);
	} else if (!e) {
		json_array_foreach (json_object_get(reply.json, "references"), i, r) {
			print_one(r);
		}
		if (!i)
			puts("there is no reference");
		print_boards(json_object_get(reply.json, "boards"));
	}
	reply_release(&reply);
	return e;
}

static enum err send(struct cli *cli, const char *method, const char *path, json_t *body,
                     struct why *w)
{
	struct reply r;
	enum err e = cli_send(cli, method, path, body, NULL, &r, w);

	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e)
		print_one(r.json);
	reply_release(&r);
	json_decref(body);
	return e;
}

static enum err set(struct cli *cli, const struct reference_opts *o, struct why *w)
{
	json_t *body = json_object(), *kernels = json_array(), *cases = json_array(), *kernel;
	char *spec = xasprintf("reference=%s", o->kernel ? o->kernel : "");
	enum err e = OK;

	if (!o->kernel || !o->cases.count)
		e = err_set(w, ERR_INPUT, "\"foldwatch reference set\" needs %s",
		            o->kernel ? "--case CASE" : "--kernel SPEC");
	if (!e)
		e = request_kernel(cli, spec, kernels, w);
	if (!e)
		e = request_strings("--case", &o->cases, cases, w);
	if (!e) {
		kernel = json_array_get(kernels, 0);
		json_object_del(kernel, "name");
		json_put(body, "kernel", json_incref(kernel));
		json_put(body, "cases", json_incref(cases));
		if (o->board)
			json_put_str(body, "board", o->board);
		if (o->hour >= 0)
			json_put_int(body, "hour", o->hour);
		e = send(cli, "PUT", "/api/v1/reference", json_incref(body), w);
	}
	json_decref(body);
	json_decref(kernels);
	json_decref(cases);
	free(spec);
	return e;
}

static enum err end(struct cli *cli, const struct reference_opts *o, struct why *w)
{
	char *word = o->board ? url_encode(o->board) : NULL;
	char *path = xasprintf("/api/v1/reference%s%s", word ? "?board=" : "", word ? word : "");
	enum err e = send(cli, "DELETE", path, NULL, w);

	free(path);
	free(word);
	return e;
}

static enum err run_reference(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const struct reference_opts *o = opt;
	const char *verb = argc ? argv[0] : "show";

	if (str_eq(verb, "show"))
		return show(cli, w);
	if (str_eq(verb, "set"))
		return set(cli, o, w);
	if (str_eq(verb, "end"))
		return end(cli, o, w);
	return err_set(w, ERR_INPUT, "expected: foldwatch reference show | set | end");
}

const struct cli_command cmd_reference = {
        .name = "reference",
        .args = "[show | set | end]",
        .summary = "the pinned kernel that boards boot every night",
        .help = "A kernel that never changes, measured on every board each night and at once in a\n"
                "new environment: its numbers on both sides of the border are what a history\n"
                "goes on by. It has to be an image, or a tree with a whole commit id.\n"
                "\n"
                "examples:\n"
                "  foldwatch reference\n"
                "  foldwatch reference set --kernel image:v6.12/Image \\\n"
                "      --case fork/order=0,size=256M --case fork/order=9,size=256M\n"
                "  foldwatch reference end --board 'altra-*'\n",
        .opts = reference_table,
        .size = sizeof(struct reference_opts),
        .max_args = 1,
        .run = run_reference,
        .preset = preset,
};
