/* foldwatch import: what foldbench printed on a machine without an agent. */
#include "cli/commands.h"

#include "lib/file.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TITLE_MAX  200
#define RESULT_MAX ((size_t)32 << 20)

struct import_opts {
	const char *dmesg, *kernel, *title;
	int64_t submission;
};

static const struct cli_opt import_table[] = {
        {"dmesg", OPT_TEXT, offsetof(struct import_opts, dmesg), "FILE",
         "the kernel's log: a fault in it makes the boot invalid", 0, 0, false},
        {"kernel", OPT_TEXT, offsetof(struct import_opts, kernel), "NAME",
         "what to call the kernel (default: its release)", 0, 0, false},
        {"title", OPT_TEXT, offsetof(struct import_opts, title), "TEXT", "a line for people", 0, 0,
         false},
        {"submission", OPT_INT, offsetof(struct import_opts, submission), "ID",
         "add to an earlier import, to be compared with it", 1, INT64_MAX, false},
        {0},
};

static enum err read_text(const char *path, json_t *body, const char *key, struct why *w)
{
	struct buf raw, text;
	enum err e;

	buf_init(&raw, RESULT_MAX);
	buf_init(&text, 3 * RESULT_MAX);
	e = cli_read_file(path, &raw, w);
	if (!e) {
		/* A log may hold any byte; JSON may not. */
		utf8_scrub(&text, raw.data, raw.len);
		json_put(body, key, json_stringn(text.data, text.len));
	}
	buf_release(&raw);
	buf_release(&text);
	return e;
}

/* The release that the `begin` line names, or "imported". */
static char *release_of(const json_t *body)
{
	const char *text = json_str(body, "result", "");
	const char *end = text;
	json_t *begin = NULL;
	char *out;

	while (*end && *end != '\n')
		end++;
	if (json_parse(text, (size_t)(end - text), RESULT_MAX, &begin, NULL))
		begin = NULL;
	out = xstrndup(json_str(begin, "release", ""), 64);
	if (!*out) {
		free(out);
		out = xstrdup("imported");
	}
	json_decref(begin);
	for (char *p = out; *p; p++)
		if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') &&
		    !(*p >= '0' && *p <= '9') && *p != '.' && *p != '_' && *p != '+')
			*p = '-';
	return out;
}

/* A file's name may be longer than a title, and in any encoding. */
static void put_title(json_t *body, const char *title, const char *file)
{
	struct buf b;

	if (title) {
		json_put_str(body, "title", title);
		return;
	}
	buf_init(&b, TITLE_MAX);
	utf8_scrub(&b, file, strlen(file));
	json_put_str(body, "title", b.len ? b.data : "import");
	buf_release(&b);
}

static enum err run_import(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const struct import_opts *o = opt;
	json_t *body = json_object();
	char hex[SHA256_HEX], *text;
	struct reply r = {0};
	enum err e = read_text(argv[0], body, "result", w);

	(void)argc;
	if (!e && o->dmesg)
		e = read_text(o->dmesg, body, "dmesg", w);
	if (e) {
		json_decref(body);
		return e;
	}
	if (o->kernel) {
		json_put_str(body, "kernel", o->kernel);
	} else {
		char *release = release_of(body);

		json_put_str(body, "kernel", release);
		free(release);
	}
	put_title(body, o->title, path_base(argv[0]));
	if (o->submission)
		json_put_int(body, "submission", o->submission);
	/* The same file sent twice is one boot. */
	text = json_canonical(body);
	hash_block(text, strlen(text), hex);
	free(text);
	e = cli_send(cli, "POST", "/api/v1/imports", body, hex, &r, w);
	json_decref(body);
	if (!e && cli->json)
		e = cli_print_json(r.json, w);
	else if (!e)
		printf("submission %lld, boot %lld: %s%s%s\n",
		       (long long)json_int(r.json, "submission", 0),
		       (long long)json_int(r.json, "boot", 0),
		       json_flag(r.json, "valid", false) ? "valid, self-reported" : "invalid",
		       json_str(r.json, "why", NULL) ? ": " : "", json_str(r.json, "why", ""));
	reply_release(&r);
	return e;
}

const struct cli_command cmd_import = {
        .name = "import",
        .args = "FILE.jsonl",
        .summary = "hand in what foldbench printed on a machine without an agent",
        .help = "The numbers are marked as self-reported and never stand beside an agent's. A "
                "fault\n"
                "in the kernel's log makes the boot invalid. The same file twice is one boot.\n"
                "The first kernel of an import is the baseline; further files join it by\n"
                "--submission.\n"
                "\n"
                "examples:\n"
                "  foldbench run fork/order=9,size=1G --out a.jsonl\n"
                "  foldwatch import a.jsonl --dmesg dmesg.txt --kernel before\n"
                "  foldwatch import b.jsonl --kernel after --submission 12\n",
        .opts = import_table,
        .size = sizeof(struct import_opts),
        .min_args = 1,
        .max_args = 1,
        .run = run_import,
};
