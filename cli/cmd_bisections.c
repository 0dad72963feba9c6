/* foldwatch bisect: the service's own search for the commit behind an alert. */
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/table.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURN_MS     500
#define PATIENCE_NS (30 * NS_PER_S)
#define UNDECIDED   3

struct bisect_opts {
	bool start, cancel, wait;
	const char *why;
};

static const struct cli_opt bisect_table[] = {
        {"start", OPT_FLAG, offsetof(struct bisect_opts, start), NULL, "begin it", 0, 0, false},
        {"cancel", OPT_FLAG, offsetof(struct bisect_opts, cancel), NULL, "stop it", 0, 0, false},
        {"wait", OPT_FLAG, offsetof(struct bisect_opts, wait), NULL,
         "until it has ended: exit 0 where it found the commit, 3 where not", 0, 0, false},
        {"why", OPT_TEXT, offsetof(struct bisect_opts, why), "TEXT",
         "--start: the reason, which the alert keeps", 0, 0, false},
        {0},
};

/* ---- printing */

static void print_commit(const char *name, const json_t *c)
{
	char *line;

	if (!json_is_object(c))
		return;
	line = xasprintf("%.12s %s, %s", json_str(c, "commit", ""), json_str(c, "subject", ""),
	                 json_str(c, "author", ""));
	print_line(name, line);
	free(line);
}

static void number(char *out, size_t size, int places, double v)
{
	if (isnan(v))
		snprintf(out, size, "-");
	else
		snprintf(out, size, "%.*f", places, v);
}

static void print_steps(const json_t *steps)
{
	struct table t;
	const json_t *s;
	size_t i;

	if (!json_array_size(steps))
		return;
	putchar('\n');
	table_init(&t, "STEP", "COMMIT", "SUBMISSION", "ANSWER", "BOOTS", "USED", "LEVEL", "LLR",
	           "SUBJECT", "WHY");
	json_array_foreach (steps, i, s) {
		char step[24], commit[16], sub[24], boots[24], used[24], level[24], llr[24];

		snprintf(step, sizeof(step), "%lld", (long long)json_int(s, "number", 0));
		snprintf(commit, sizeof(commit), "%.12s", json_str(s, "commit", ""));
		snprintf(sub, sizeof(sub), "%lld", (long long)json_int(s, "submission", 0));
		snprintf(boots, sizeof(boots), "%lld", (long long)json_int(s, "boots", 0));
		snprintf(used, sizeof(used), "%lld", (long long)json_int(s, "used", 0));
		number(level, sizeof(level), 2, json_num(s, "level", NAN));
		number(llr, sizeof(llr), 1, json_num(s, "llr", NAN));
		table_row(&t, step, commit, sub, json_str(s, "outcome", "runs"), boots, used, level,
		          llr, json_str(s, "subject", ""), json_str(s, "why", ""));
	}
	table_print(&t);
	table_release(&t);
}

static void print_bisection(const json_t *b)
{
	const char *why = json_str(b, "why", NULL);
	json_int_t commits = json_int(b, "commits", 0);
	const json_t *c;
	size_t i;
	char *line = xasprintf("bisection of alert %lld: %s", (long long)json_int(b, "alert", 0),
	                       json_str(b, "state", ""));

	print_clean(line);
	free(line);
	line = xasprintf("%lld commit%s behind %.12s, up to %.12s", (long long)commits,
	                 commits == 1 ? "" : "s", json_str(b, "good", ""), json_str(b, "bad", ""));
	print_line("range", line);
	free(line);
	line = xasprintf("%s on %s", json_str(b, "case", "the fault"), json_str(b, "board", ""));
	print_line("by", line);
	free(line);
	print_commit("culprit", json_object_get(b, "culprit"));
	json_array_foreach (json_object_get(b, "or"), i, c) {
		print_commit("or", c);
	}
	if (!json_is_object(json_object_get(b, "culprit")))
		print_line("why", why);
	else if (json_flag(b, "shared", false))
		print_line("note", "several commits share the change; with this one it is past its "
		                   "half");
	if (json_is_number(json_object_get(b, "confidence"))) {
		double p = json_num(b, "confidence", 0);

		printf("confidence %s%.4f\n", p > .9999 ? "over " : "", p > .9999 ? .9999 : p);
	}
	printf("boots     %lld in %lld steps; %lld by a plain bisection, %lld for every commit\n",
	       (long long)json_int(b, "boots", 0), (long long)json_int(b, "steps", 0),
	       (long long)json_int(b, "boots_plain", 0), (long long)json_int(b, "boots_every", 0));
	if (json_int(b, "proof", 0))
		printf("proof     submission %lld: foldwatch compare %lld\n",
		       (long long)json_int(b, "proof", 0), (long long)json_int(b, "proof", 0));
	print_steps(json_object_get(b, "table"));
}

/* ---- doing */

static bool ended(const json_t *b)
{
	return json_is_string(json_object_get(b, "ended"));
}

/* Until it has ended; a server that is away may be back in a moment. */
static enum err wait_for(struct cli *cli, const char *path, json_t **out, struct why *w)
{
	char *topic = xstrdup("");
	int64_t silent_since = 0;
	enum err e;

	for (bool over = false; !over;) {
		struct reply r;

		e = cli_get(cli, path, &r, w);
		if (e == ERR_UNAVAILABLE || e == ERR_TIMEOUT || e == ERR_BUSY) {
			silent_since = silent_since ? silent_since : clock_mono_ns();
			over = clock_mono_ns() - silent_since > PATIENCE_NS;
		} else if (e) {
			over = true;
		} else {
			char *now = xasprintf("%s, %lld steps", json_str(r.json, "state", ""),
			                      (long long)json_int(r.json, "steps", 0));

			silent_since = 0;
			over = ended(r.json);
			if (!str_eq(now, topic))
				fprintf(stderr, "%s\n", now);
			free(topic);
			topic = now;
			if (over)
				*out = json_incref(r.json);
		}
		reply_release(&r);
		if (!over)
			poll(NULL, 0, TURN_MS);
	}
	free(topic);
	return e;
}

static enum err do_bisect(struct cli *cli, const struct bisect_opts *o, const char *path,
                          struct why *w)
{
	json_t *body = o->start ? json_object() : NULL, *b = NULL;
	struct reply r;
	enum err e;

	if (o->start && o->why)
		json_put_str(body, "why", o->why);
	e = o->start || o->cancel
	            ? cli_send(cli, o->start ? "POST" : "DELETE", path, body, NULL, &r, w)
	            : cli_get(cli, path, &r, w);
	json_decref(body);
	if (!e)
		b = json_incref(r.json);
	reply_release(&r);
	if (!e && o->wait && !ended(b)) {
		json_decref(b);
		b = NULL;
		e = wait_for(cli, path, &b, w);
	}
	if (!e && cli->json)
		e = cli_print_json(b, w);
	else if (!e)
		print_bisection(b);
	if (!e && o->wait && !str_eq(json_str(b, "state", ""), "done"))
		cli->exit_code = UNDECIDED;
	json_decref(b);
	return e;
}

static enum err run_bisect(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const struct bisect_opts *o = opt;
	int64_t id;
	char *path;
	enum err e;

	if (argc != 1)
		return err_set(w, ERR_INPUT, "expected: foldwatch bisect ALERT");
	if (o->cancel && (o->start || o->wait))
		return err_set(w, ERR_INPUT, "--cancel stands alone");
	if (o->why && !o->start)
		return err_set(w, ERR_INPUT, "--why needs --start");
	e = arg_id("alert", argv[0], &id, w);
	if (e)
		return e;
	path = xasprintf("/api/v1/alerts/%lld/bisection", (long long)id);
	e = do_bisect(cli, o, path, w);
	free(path);
	return e;
}

const struct cli_command cmd_bisect = {
        .name = "bisect",
        .args = "ALERT",
        .summary = "the search for the commit behind an alert: show, start, cancel, wait",
        .help = "The service searches by itself for what a branch that is followed shows; for\n"
                "other alerts when asked to. It measures both ends, then one commit at a time\n"
                "with as few boots as tell which end it is like, and the one it found against\n"
                "what is before it.\n"
                "\n"
                "examples:\n"
                "  foldwatch bisect 3\n"
                "  foldwatch bisect 3 --start --wait --why \"who was it?\"\n",
        .opts = bisect_table,
        .size = sizeof(struct bisect_opts),
        .max_args = 1,
        .run = run_bisect,
};
