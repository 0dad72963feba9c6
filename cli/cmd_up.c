/*
 * foldwatch up: what `make run` does once everything is built: a server, an
 * agent, a submission, progress, tables.
 */
#include "cli/commands.h"
#include "cli/request.h"
#include "cli/service.h"
#include "cli/show.h"
#include "cli/watch.h"

#include "lib/file.h"
#include "lib/mem.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct up_opts {
	const char *dir, *listen, *tree, *ref, *share;
	struct conf_list images;
	bool once;
};

static const struct cli_opt up_table[] = {
        {"dir", OPT_TEXT, offsetof(struct up_opts, dir), "DIR", "state (default ./var)", 0, 0,
         false},
        {"listen", OPT_TEXT, offsetof(struct up_opts, listen), "ADDR:PORT",
         "address of the server (default 127.0.0.1:8080)", 0, 0, false},
        {"tree", OPT_TEXT, offsetof(struct up_opts, tree), "URL", "git tree of the kernel", 0, 0,
         false},
        {"ref", OPT_TEXT, offsetof(struct up_opts, ref), "REF", "branch, tag or commit of it", 0, 0,
         false},
        {"image", OPT_LIST, offsetof(struct up_opts, images), "[NAME=]FILE",
         "a prebuilt arm64 Image instead; the first is the baseline", 0, 0, false},
        {"once", OPT_FLAG, offsetof(struct up_opts, once), NULL, "stop after the tables", 0, 0,
         false},
        {"share", OPT_TEXT, offsetof(struct up_opts, share), "DIR",
         "directory that holds kernel/ (default: above the programs)", 0, 0, false},
        {0},
};

static volatile sig_atomic_t stop_asked;

static void on_signal(int sig)
{
	(void)sig;
	stop_asked = 1;
}

static void catch_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal};

	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

struct up {
	struct cli *cli;
	const struct up_opts *opt;
	struct service service;
};

static enum err tick(void *ctx, struct why *w)
{
	struct up *up = ctx;

	if (stop_asked)
		return err_set(w, ERR_CANCELLED, "stopped; the next run goes on from here");
	return service_check(&up->service, w);
}

/* `NAME=FILE` or `FILE`; two files of one name are told apart by a number. */
static enum err add_image(struct up *up, const char *spec, json_t *kernels, struct why *w)
{
	/* A '=' behind a slash belongs to the path. */
	const char *cut = strpbrk(spec, "=/"), *have;
	bool named = cut && *cut == '=';
	const char *path = named ? cut + 1 : spec;
	char *stem = named ? xstrndup(spec, (size_t)(cut - spec)) : request_image_name(path);
	char *name = xstrdup(stem);
	int n = 2;
	size_t i;
	json_t *k;
	enum err e;

	for (i = 0; i < json_array_size(kernels); i++) {
		k = json_array_get(kernels, i);
		have = json_str(k, "name", "");
		if (!str_eq(have, name))
			continue;
		free(name);
		name = xasprintf("%s-%d", stem, n++);
		i = (size_t)-1;
	}
	e = request_image(up->cli, name, path, kernels, w);
	free(stem);
	free(name);
	return e;
}

static void add_source(const struct up_opts *opt, const char *config, json_t *kernels)
{
	json_t *k = json_object();

	json_put_str(k, "name", config);
	json_put_str(k, "tree", opt->tree);
	json_put_str(k, "ref", opt->ref);
	json_put_str(k, "config", config);
	json_put_str(k, "toolchain", "gcc");
	json_array_append_new(kernels, k);
}

static enum err build_request(struct up *up, json_t **out, struct why *w)
{
	const struct up_opts *opt = up->opt;
	json_t *kernels = json_array(), *list = json_array(), *req = json_object(), *plan;
	enum err e = OK;

	json_put_str(req, "title",
	             opt->images.count ? "prebuilt images" : "CONFIG_ARM64_CONTPTE on against off");
	for (size_t i = 0; !e && i < opt->images.count; i++)
		e = add_image(up, opt->images.items[i], kernels, w);
	if (!opt->images.count) {
		add_source(opt, "contpte-n", kernels);
		add_source(opt, "contpte-y", kernels);
	}
	if (!e)
		json_put_str(req, "baseline", json_str(json_array_get(kernels, 0), "name", ""));
	for (size_t i = 0; request_cases[i]; i++)
		json_array_append_new(list, json_string(request_cases[i]));
	json_put(req, "kernels", kernels);
	json_put(req, "cases", list);
	/* Counts of the virtual board repeat to the digit: three samples a run tell
	 * as much as five, and 18 boots of two kernels stay under three minutes. */
	plan = json_object();
	json_put_int(plan, "iterations", 3);
	json_put(req, "plan", plan);
	if (e) {
		json_decref(req);
		return e;
	}
	*out = req;
	return OK;
}

/* What was asked, by which foldbench: the same again is the same submission,
 * so that a second run finds what stands. */
static enum err request_key(struct up *up, const json_t *req, int attempt, char **key,
                            struct why *w)
{
	char bench[SHA256_HEX], hex[SHA256_HEX], *path, *text, *all;
	enum err e;

	path = path_join(up->service.programs, "foldbench-arm64");
	e = hash_file(path, bench, NULL, w);
	free(path);
	if (e)
		return e;
	text = json_canonical(req);
	all = xasprintf("%s\n%s\n%d", text, bench, attempt);
	hash_block(all, strlen(all), hex);
	free(text);
	free(all);
	*key = xasprintf("up-%.48s", hex);
	return OK;
}

/* A submission that failed or was cancelled stays a fact; asking again makes a
 * new one beside it, which takes over every kernel that was built. */
static enum err submit(struct up *up, int64_t *id, struct why *w)
{
	json_t *req = NULL;
	enum err e = build_request(up, &req, w);

	for (int attempt = 0; !e; attempt++) {
		struct reply r;
		const char *state;
		char *key = NULL;
		bool again;

		e = request_key(up, req, attempt, &key, w);
		if (e)
			break;
		e = cli_send(up->cli, "POST", "/api/v1/submissions", req, key, &r, w);
		free(key);
		state = e ? NULL : json_str(r.json, "state", "");
		again = r.status == 200 && (str_eq(state, "failed") || str_eq(state, "cancelled"));
		if (!e)
			*id = json_int(r.json, "id", -1);
		reply_release(&r);
		if (!again)
			break;
	}
	json_decref(req);
	return e;
}

static enum err save(struct up *up, const char *name, const char *data, size_t len, struct why *w)
{
	char *path = path_join(up->service.dir, name);
	enum err e = file_write(path, data, len, 0644, w);

	free(path);
	return e;
}

/* Prints and saves the tables; *result gets the number of the last line. */
static enum err tables(struct up *up, int64_t id, int *result, struct why *w)
{
	struct client *c;
	struct reply r;
	char *path = xasprintf("/api/v1/comparisons/%lld?table=all", (long long)id);
	const json_t *cell;
	size_t i;
	enum err e = cli_connect(up->cli, &c, w);

	memset(&r, 0, sizeof(r));
	if (!e)
		e = client_bytes(c, "GET", path, NULL, NULL, 0, "text/plain", NULL, &r, w);
	if (!e) {
		/* Saved first: a reader that went away must not cost them. */
		e = save(up, "tables.txt", r.body.data, r.body.len, w);
		if (!e && !up->cli->json)
			e = cli_print(r.body.data, r.body.len, w);
	}
	reply_release(&r);
	free(path);
	if (e)
		return e;
	path = xasprintf("/api/v1/comparisons/%lld", (long long)id);
	e = cli_get(up->cli, path, &r, w);
	free(path);
	if (!e)
		e = save(up, "compare.json", r.body.data, r.body.len, w);
	if (!e && up->cli->json)
		e = cli_print_json(r.json, w);
	if (!e) {
		const json_t *cells = json_object_get(r.json, "cells");

		*result = json_array_size(cells) ? 0 : 3;
		json_array_foreach (cells, i, cell) {
			const char *v = json_str(cell, "verdict", "invalid");

			if (str_eq(v, "unsure") || str_eq(v, "invalid"))
				*result = 3;
		}
	}
	reply_release(&r);
	return e;
}

static enum err compare(struct up *up, int *result, struct why *w)
{
	struct watch watch = {.cli = up->cli, .tick = tick, .ctx = up};
	json_t *sub = NULL;
	int64_t id = -1;
	enum err e;

	e = submit(up, &id, w);
	if (e)
		return e;
	fprintf(stderr, "foldwatch: submission %lld at %s\n", (long long)id, up->service.address);
	watch.submission = id;
	e = watch_submission(&watch, &sub, w);
	if (e)
		return e;
	if (str_eq(json_str(sub, "state", ""), "done"))
		e = tables(up, id, result, w);
	else
		e = show_failed(sub, w);
	json_decref(sub);
	return e;
}

static enum err serve(struct up *up, struct why *w)
{
	FILE *to = up->cli->json ? stderr : stdout;

	fprintf(to, "\nThe page: %s/   (Ctrl-C stops everything)\n", up->service.address);
	fflush(to);
	while (!stop_asked) {
		enum err e = service_check(&up->service, w);

		if (e)
			return e;
		poll(NULL, 0, 1000);
	}
	return OK;
}

static enum err absolute(const char *path, char **out, struct why *w)
{
	char *real;
	enum err e = dir_make(path, 0755, w);

	if (e)
		return e;
	real = realpath(path, NULL);
	if (!real)
		return err_sys(w, ERR_IO, "cannot resolve \"%s\"", path);
	*out = real;
	return OK;
}

/* The server and everything after it; the service is stopped by the caller. */
static enum err work(struct up *up, int *result, struct why *w)
{
	const struct up_opts *opt = up->opt;
	char *token_path;
	enum err e;

	if (opt->tree && str_starts(opt->tree, "file://"))
		up->service.tree = xstrdup(opt->tree);
	e = service_start(&up->service, (const volatile int *)&stop_asked, w);
	if (e)
		return e;
	up->cli->server = up->service.address;
	token_path = path_join(up->service.dir, "submit.token");
	up->cli->token_file = token_path;
	e = compare(up, result, w);
	if (!e && !opt->once && !up->service.joined)
		e = serve(up, w);
	up->cli->token_file = NULL;
	free(token_path);
	return e;
}

static enum err run_up(struct cli *cli, void *opt_, int argc, char **argv, struct why *w)
{
	struct up_opts *opt = opt_;
	struct up up = {.cli = cli, .opt = opt};
	char *dir = NULL, *programs = NULL, *share = NULL;
	int result = 1;
	enum err e;

	(void)argc;
	(void)argv;
	if (opt->images.count == 1)
		return err_set(w, ERR_INPUT,
		               "one image has nothing to be compared with: give two or more");
	if (!opt->images.count && (!opt->tree || !opt->ref))
		return err_set(w, ERR_INPUT, "give --tree URL --ref REF, or two --image FILE");
	catch_signals();
	e = absolute(opt->dir ? opt->dir : "var", &dir, w);
	if (!e)
		e = cli_programs_dir(&programs, w);
	if (!e) {
		share = opt->share ? xstrdup(opt->share) : xasprintf("%s/..", programs);
		service_init(&up.service, dir, opt->listen ? opt->listen : "127.0.0.1:8080",
		             programs, share);
		e = work(&up, &result, w);
		cli->server = NULL;
		/* Ctrl-C while serving is how it is meant to end. */
		service_release(&up.service);
	}
	free(dir);
	free(programs);
	free(share);
	if (!opt->once)
		return e;
	if (e) {
		fflush(stdout);
		fprintf(stderr, "foldwatch: %s\n", w->text);
	}
	fprintf(cli->json ? stderr : stdout, "result %d\n", e ? 1 : result);
	fflush(stdout);
	cli->exit_code = e ? 1 : result;
	return OK;
}

const struct cli_command cmd_up = {
        .name = "up",
        .summary = "start a server and an agent here, compare two kernels, serve",
        .help = "What `make run` does once everything is built. State is kept in DIR: a second\n"
                "run with the same request goes on from what stands.\n"
                "\n"
                "examples:\n"
                "  foldwatch up --tree https://git.example.org/linux.git --ref v6.12\n"
                "  foldwatch up --image old=a/Image --image new=b/Image --once\n"
                "\n"
                "With --once the last line is `result N`: 0 when every cell is slower, faster,\n"
                "same or skip, 3 when one is unsure or invalid, 1 on failure. The tables are\n"
                "also in DIR/tables.txt and, as JSON, in DIR/compare.json.\n",
        .opts = up_table,
        .size = sizeof(struct up_opts),
        .max_args = 0,
        .local = true,
        .run = run_up,
};
