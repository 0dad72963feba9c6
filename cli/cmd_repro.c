/* foldwatch repro: what a sceptic needs to see a cell's numbers. */
#include "cli/commands.h"
#include "cli/kernel_files.h"
#include "cli/table.h"

#include "lib/case.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1 << 20)

struct repro_opts {
	const char *submission, *kernel, *out, *share;
};

static const struct cli_opt repro_table[] = {
        {"submission", OPT_TEXT, offsetof(struct repro_opts, submission), "ID|latest",
         "whose cell it is (latest)", 0, 0, false},
        {"kernel", OPT_TEXT, offsetof(struct repro_opts, kernel), "NAME",
         "the kernel beside the baseline (default: the first)", 0, 0, false},
        {"out", OPT_TEXT, offsetof(struct repro_opts, out), "DIR",
         "the directory to make (default: foldwatch-repro)", 0, 0, false},
        {"share", OPT_TEXT, offsetof(struct repro_opts, share), "DIR",
         "holds kernel/recipe (beside the program)", 0, 0, false},
        {0},
};

static void preset(void *opt)
{
	struct repro_opts *o = opt;

	o->submission = "latest";
	o->out = "foldwatch-repro";
}

struct repro {
	const struct repro_opts *o;
	json_t *sub;
	char text[CASE_TEXT];
	const json_t *kernel[2]; /* the baseline, and the other */
	const json_t *sample[2]; /* of phase 0; NULL: there is none */
	json_t *rows;
	int64_t boot; /* of sample[0] */
	char *bench;  /* build-id of the foldbench that it ran; NULL: not known */
};

/* ---- what it was */

static enum err choose(struct repro *r, struct why *w)
{
	const char *base = json_str(r->sub, "baseline", ""), *text;
	const json_t *k, *c;
	bool measured = false;
	size_t i;

	json_array_foreach (json_object_get(r->sub, "kernels"), i, k) {
		const char *name = json_str(k, "name", "");

		if (str_eq(name, base))
			r->kernel[0] = k;
		else if (!r->kernel[1] && (!r->o->kernel || str_eq(name, r->o->kernel)))
			r->kernel[1] = k;
	}
	json_array_foreach (json_object_get(r->sub, "cases"), i, c) {
		text = json_string_value(c);
		measured |= str_eq(text, r->text);
	}
	if (!measured)
		return err_set(w, ERR_INPUT, "submission %lld does not measure \"%s\"",
		               (long long)json_int(r->sub, "id", -1), r->text);
	if (!r->kernel[0] || !r->kernel[1])
		return err_set(
		        w, ERR_INPUT, "submission %lld has no kernel \"%s\" beside its baseline",
		        (long long)json_int(r->sub, "id", -1), r->o->kernel ? r->o->kernel : "");
	for (i = 0; i < 2; i++)
		if (!json_str(r->kernel[i], "image", NULL))
			return err_set(w, ERR_INPUT, "kernel \"%s\" was never built",
			               json_str(r->kernel[i], "name", ""));
	return OK;
}

static enum err read_sub(struct cli *cli, struct repro *r, struct why *w)
{
	char path[64 + CASE_TEXT];
	struct reply got = {0};
	int64_t id = -1;
	const json_t *row;
	size_t i, k;
	enum err e = kernel_files_submission(cli, r->o->submission, &id, w);

	if (e != OK)
		return e;
	snprintf(path, sizeof(path), "/api/v1/submissions/%lld", (long long)id);
	e = cli_get(cli, path, &got, w);
	r->sub = json_incref(got.json);
	reply_release(&got);
	if (e == OK)
		e = choose(r, w);
	if (e != OK)
		return e;
	snprintf(path, sizeof(path), "/api/v1/submissions/%lld/samples?case=%s", (long long)id,
	         r->text);
	got = (struct reply){0};
	e = cli_get(cli, path, &got, w);
	r->rows = json_incref(json_object_get(got.json, "rows"));
	reply_release(&got);
	/* Only a board that has phases repeats to the digit. */
	json_array_foreach (r->rows, i, row) {
		for (k = 0; k < 2; k++)
			if (json_flag(row, "valid", false) && json_int(row, "phase", -1) == 0 &&
			    !r->sample[k] &&
			    str_eq(json_str(row, "kernel", ""),
			           json_str(r->kernel[k], "name", ""))) {
				r->sample[k] = json_object_get(row, "samples");
				r->boot = json_int(row, "boot", -1);
			}
	}
	if (e != OK || !r->sample[0] || !r->sample[1])
		return e;
	snprintf(path, sizeof(path), "/api/v1/boots/%lld", (long long)r->boot);
	got = (struct reply){0};
	e = cli_get(cli, path, &got, w);
	if (e == OK && json_str(got.json, "bench", NULL))
		r->bench = xstrdup(json_str(got.json, "bench", ""));
	reply_release(&got);
	return e;
}

/* ---- the directory */

static enum err put(const char *dir, const char *name, const struct buf *b, mode_t mode,
                    struct why *w)
{
	char *path = path_join(dir, name);
	enum err e = file_write(path, b->data, b->len, mode, w);

	free(path);
	return e;
}

static enum err copy(const char *from_dir, const char *from, const char *dir, const char *to,
                     struct why *w)
{
	char *source = path_join(from_dir, from), *target = path_join(dir, to);
	enum err e = file_copy(source, target, w);

	free(source);
	free(target);
	return e;
}

/* The whole plan: what runs before a case is part of its conditions. */
static void put_plan(const struct repro *r, struct buf *b)
{
	const json_t *plan = json_object_get(r->sub, "plan"), *c;
	size_t i;

	buf_adds(b, "# foldbench plan 1\n");
	json_array_foreach (json_object_get(r->sub, "cases"), i, c) {
		buf_addf(b, "%s runs=%lld iterations=%lld warmup=%lld\n", json_string_value(c),
		         (long long)json_int(plan, "runs", 1),
		         (long long)json_int(plan, "iterations", 5),
		         (long long)json_int(plan, "warmup", 1));
	}
}

/* Boots both and holds the samples against the stored ones. */
static void put_script(const struct repro *r, struct buf *b)
{
	static const char letter[2] = {'a', 'b'};
	size_t k, i;
	const json_t *v;

	buf_addf(b,
	         "#!/bin/sh\n"
	         "# Boots both kernels on the virtual board (qemu-system-aarch64, cpio) and holds\n"
	         "# the samples of one case against those that were stored.\n"
	         "set -eu\n"
	         "cd \"$(dirname \"$0\")\"\n"
	         "case='%s' bench='%s' rc=0\n"
	         "boot() {\n"
	         "\techo \"$3 stored: $2\"\n"
	         "\tFOLDBENCH=./foldbench ./boot-once.sh -p 7 -m %lld \"$1.Image\" plan "
	         ">\"$1.jsonl\" "
	         "2>\"$1.log\"\n"
	         "\tgot=$(grep -F \"\\\"case\\\":\\\"$case\\\",\\\"run\\\":0,\" \"$1.jsonl\" | sed "
	         "'s/.*\"samples\":\\[\\([^]]*\\)\\].*/\\1/' | tr , ' ')\n"
	         "\techo \"$3 here:   $got\"\n"
	         "\t[ \"$got\" = \"$2\" ] || { echo \"$3 differs\"; rc=1; }\n"
	         "\tgrep -qF \"\\\"bench\\\":\\\"$bench\\\"\" \"$1.jsonl\" || echo 'this foldbench "
	         "is "
	         "another build than the one that was stored: counts move by its size'\n"
	         "}\n",
	         r->text, r->bench ? r->bench : "",
	         (long long)(json_int(r->sub, "memory_bytes", 0) / MIB));
	for (k = 0; k < 2; k++) {
		buf_addf(b, "boot %c '", letter[k]);
		json_array_foreach (r->sample[k], i, v) {
			buf_addf(b, "%s%lld", i ? " " : "", (long long)json_integer_value(v));
		}
		buf_addf(b, "' '%s'\n", json_str(r->kernel[k], "name", ""));
	}
	buf_adds(b, "exit $rc\n");
}

static enum err fill(struct cli *cli, const struct repro *r, const char *programs,
                     const char *share, struct why *w)
{
	const char *dir = r->o->out;
	struct buf plan, script;
	enum err e;

	if (path_exists(dir))
		return err_set(w, ERR_INPUT, "--out: \"%s\" is there already", dir);
	buf_init(&plan, 256 * 1024);
	buf_init(&script, MIB);
	put_plan(r, &plan);
	put_script(r, &script);
	e = dir_make(dir, 0755, w);
	if (e == OK)
		e = copy(programs, "foldbench-arm64", dir, "foldbench", w);
	if (e == OK && r->sample[0] && r->sample[1]) {
		char *a = path_join(dir, "a.Image"), *b = path_join(dir, "b.Image");

		e = copy(share, "kernel/recipe/boot-once.sh", dir, "boot-once.sh", w);
		if (e == OK)
			e = put(dir, "plan", &plan, 0644, w);
		if (e == OK)
			e = put(dir, "run.sh", &script, 0755, w);
		if (e == OK)
			e = kernel_files_fetch(cli, json_str(r->kernel[0], "image", ""), a, w);
		if (e == OK)
			e = kernel_files_fetch(cli, json_str(r->kernel[1], "image", ""), b, w);
		free(a);
		free(b);
	}
	buf_release(&plan);
	buf_release(&script);
	return e;
}

static void tell(const struct repro *r)
{
	const json_t *plan = json_object_get(r->sub, "plan");

	printf("%s/foldbench is one static arm64 binary. On a board, as root:\n"
	       "    ./foldbench run --iterations %lld --warmup %lld %s\n",
	       r->o->out, (long long)json_int(plan, "iterations", 5),
	       (long long)json_int(plan, "warmup", 1), r->text);
	if (r->sample[0] && r->sample[1])
		printf("Without one, both kernels on the virtual board, sample for sample:\n"
		       "    %s/run.sh\n",
		       r->o->out);
	else
		printf("No boot of a deterministic board has this case: there is nothing that "
		       "repeats to the digit.\n");
}

static enum err run_repro(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	struct repro r = {.o = opt};
	char *programs = NULL, *share = NULL, why[400];
	struct bench_case c;
	enum err e;

	(void)argc;
	if (case_parse(argv[0], &c, why, sizeof(why)) != 0)
		return err_set(w, ERR_INPUT, "%s", why);
	case_format(&c, r.text, sizeof(r.text));
	e = read_sub(cli, &r, w);
	if (e == OK)
		e = cli_programs_dir(&programs, w);
	if (e == OK) {
		share = r.o->share ? xstrdup(r.o->share) : xasprintf("%s/..", programs);
		e = fill(cli, &r, programs, share, w);
	}
	if (e == OK)
		tell(&r);
	json_decref(r.sub);
	json_decref(r.rows);
	free(r.bench);
	free(programs);
	free(share);
	return e;
}

const struct cli_command cmd_repro = {
        .name = "repro",
        .args = "CASE",
        .summary = "one static binary and one command to see a cell's numbers again",
        .help = "Makes a directory with foldbench and, where the case ran on the virtual board,\n"
                "both images, the whole plan, and run.sh, which boots them and holds every\n"
                "sample against the stored ones. It needs nothing of foldwatch.\n"
                "\n"
                "examples:\n"
                "  foldwatch repro fork/order=0,size=256M\n"
                "  foldwatch repro munmap/order=9,size=256M --submission 7 --kernel mine --out "
                "/tmp/r\n",
        .opts = repro_table,
        .size = sizeof(struct repro_opts),
        .min_args = 1,
        .max_args = 1,
        .run = run_repro,
        .preset = preset,
};
