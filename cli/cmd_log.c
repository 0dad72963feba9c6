/* foldwatch log: what a job wrote, live, and the console of a boot. */
#include "cli/commands.h"
#include "cli/show.h"

#include "lib/mem.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TURN_MS 500
#define LOG_MAX ((size_t)64 << 20) /* the server keeps no more of one */

struct log_opts {
	bool follow, boot;
	int64_t attempt;
};

static const struct cli_opt log_table[] = {
        {"follow", OPT_FLAG, offsetof(struct log_opts, follow), NULL, "go on until the job ends", 0,
         0, false},
        {"attempt", OPT_INT, offsetof(struct log_opts, attempt), "N",
         "an earlier attempt's log (default: the newest)", 1, INT64_MAX, false},
        {"boot", OPT_FLAG, offsetof(struct log_opts, boot), NULL,
         "ID is a boot: print its kernel's console", 0, 0, false},
        {0},
};

struct following {
	struct cli *cli;
	int64_t job, attempt, offset;
	bool ended;      /* the attempt: its log grows no more */
	struct buf text; /* with --json: what came so far */
};

static void scrub(const struct buf *raw, struct buf *out)
{
	buf_init(out, 3 * raw->len); /* a byte becomes a character of three at most */
	utf8_scrub(out, raw->data, raw->len);
}

/* To a file as it came; a terminal would obey what a build or a kernel wrote. */
static enum err print_text(const struct buf *raw, struct why *w)
{
	struct buf text;
	enum err e;

	if (isatty(STDOUT_FILENO) != 1)
		return cli_print(raw->data, raw->len, w);
	scrub(raw, &text);
	e = cli_print(text.data, text.len, w);
	buf_release(&text);
	return e;
}

/* Takes `root`. */
static enum err print_object(json_t *root, const struct buf *raw, struct why *w)
{
	struct buf text;
	enum err e;

	scrub(raw, &text);
	json_put(root, "text", json_stringn(text.data, text.len));
	e = cli_print_json(root, w);
	buf_release(&text);
	json_decref(root);
	return e;
}

/* Which attempt there is, before its log is read: what a job had written when
 * it ended is then all of it. An attempt that was lost is followed by the next,
 * whose log begins anew. */
static enum err look(struct following *f, int64_t wanted, struct why *w)
{
	char *path = xasprintf("/api/v1/jobs/%lld", (long long)f->job);
	struct reply r;
	enum err e = cli_get(f->cli, path, &r, w);

	if (!e) {
		const char *state = json_str(r.json, "state", "");
		int64_t newest = json_int(r.json, "attempt", 0);
		int64_t attempt = wanted ? wanted : newest;

		f->ended =
		        attempt < newest || (!str_eq(state, "queued") && !str_eq(state, "leased"));
		if (attempt > newest)
			e = err_set(w, ERR_NOT_FOUND, "job %lld has had %lld attempts, not %lld",
			            (long long)f->job, (long long)newest, (long long)attempt);
		if (f->offset && attempt != f->attempt) {
			fprintf(stderr, "foldwatch: attempt %lld begins\n", (long long)attempt);
			f->offset = 0;
		}
		f->attempt = attempt;
	}
	reply_release(&r);
	free(path);
	return e;
}

/* All that is there now. */
static enum err drain(struct following *f, struct why *w)
{
	for (;;) {
		char *path = f->attempt
		                     ? xasprintf("/api/v1/jobs/%lld/log?attempt=%lld&offset=%lld",
		                                 (long long)f->job, (long long)f->attempt,
		                                 (long long)f->offset)
		                     : xasprintf("/api/v1/jobs/%lld/log?offset=%lld",
		                                 (long long)f->job, (long long)f->offset);
		struct reply r;
		enum err e = cli_get_text(f->cli, path, &r, w);
		size_t got = r.body.len;

		free(path);
		if (!e && !f->cli->json)
			e = print_text(&r.body, w);
		else if (!e && !buf_add(&f->text, r.body.data, got))
			e = err_set(w, ERR_TOO_LARGE, "the log is larger than %zu MiB",
			            LOG_MAX >> 20);
		f->offset += (int64_t)got;
		reply_release(&r);
		if (e || !got)
			return e;
	}
}

static enum err show_job(struct cli *cli, const struct log_opts *o, int64_t job, struct why *w)
{
	struct following f = {.cli = cli, .job = job};
	json_t *root;
	enum err e;

	buf_init(&f.text, LOG_MAX);
	for (;;) {
		e = look(&f, o->attempt, w);
		if (!e)
			e = drain(&f, w);
		if (e || !o->follow || f.ended)
			break;
		poll(NULL, 0, TURN_MS);
	}
	if (!e && cli->json) {
		root = json_object();
		json_put_int(root, "job", job);
		json_put_int(root, "attempt", f.attempt);
		json_put_bool(root, "complete", f.ended);
		e = print_object(root, &f.text, w);
	}
	buf_release(&f.text);
	return e;
}

/* Where the faults in that console were: beside it, not within it. */
static void print_places(const json_t *faults)
{
	const json_t *f;
	size_t i;

	json_array_foreach (faults, i, f) {
		const char *place = json_str(f, "place", NULL);
		char *line =
		        xasprintf("foldwatch: line %lld: %s%s%s", (long long)json_int(f, "line", 0),
		                  json_str(f, "signature", json_str(f, "kind", "")),
		                  place ? " at " : "", place ? place : "");
		struct buf raw = {.data = line, .len = strlen(line)}, clean;

		scrub(&raw, &clean);
		fprintf(stderr, "%s\n", clean.data);
		buf_release(&clean);
		free(line);
	}
}

static enum err show_console(struct cli *cli, int64_t boot, struct why *w)
{
	char *path = xasprintf("/api/v1/boots/%lld", (long long)boot);
	char *console = xasprintf("%s/console", path);
	struct reply r, b = {0};
	json_t *root, *faults;
	enum err e = cli_get_text(cli, console, &r, w);

	if (!e)
		e = cli_get(cli, path, &b, w);
	faults = e ? NULL : json_object_get(b.json, "faults");
	if (!e && !cli->json) {
		e = print_text(&r.body, w);
		if (!e)
			print_places(faults);
	} else if (!e) {
		root = json_object();
		json_put_int(root, "boot", boot);
		json_put(root, "faults", json_incref(faults));
		e = print_object(root, &r.body, w);
	}
	reply_release(&b);
	reply_release(&r);
	free(console);
	free(path);
	return e;
}

static enum err run_log(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const struct log_opts *o = opt;
	int64_t id;
	enum err e = arg_id(o->boot ? "boot" : "job", argv[0], &id, w);

	(void)argc;
	if (e)
		return e;
	if (o->boot && (o->follow || o->attempt))
		return err_set(w, ERR_INPUT,
		               "--boot prints a console that is complete: it goes without "
		               "--follow and --attempt");
	return o->boot ? show_console(cli, id, w) : show_job(cli, o, id, w);
}

const struct cli_command cmd_log = {
        .name = "log",
        .args = "ID",
        .summary = "print a job's log, or the console of a boot",
        .help = "`foldwatch status ID` lists the jobs of a submission. A job whose agent was lost\n"
                "is tried again; each attempt has a log of its own.\n"
                "\n"
                "examples:\n  foldwatch log 31 --follow\n  foldwatch log --boot 12\n",
        .opts = log_table,
        .size = sizeof(struct log_opts),
        .min_args = 1,
        .max_args = 1,
        .run = run_log,
};
