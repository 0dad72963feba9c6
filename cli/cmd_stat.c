/* foldwatch stat: the statistics of the verdicts, on numbers from a file. Needs no
 * server, and is the same code. */
#include "cli/commands.h"
#include "cli/stat_boots.h"
#include "cli/stat_series.h"

#include "lib/mem.h"
#include "lib/stat/history.h"

#include <stdlib.h>
#include <string.h>

#define BOOTS_BYTES_MAX (256u << 20)

struct stat_opts {
	double threshold; /* per cent */
};

static const struct cli_opt stat_table[] = {
        {"threshold", OPT_REAL, offsetof(struct stat_opts, threshold), "PCT",
         "smallest change of interest, in per cent (1)", 0, 1000, false},
        {0},
};

static void preset(void *opt)
{
	((struct stat_opts *)opt)->threshold = 1;
}

/* With the file's name in front. */
static enum err read_file(const char *path, size_t max, struct buf *b, struct why *w)
{
	buf_init(b, max);
	return cli_read_file(path, b, w);
}

static enum err in_file(const char *path, enum err e, struct why *w)
{
	if (e != OK)
		err_at(w, e, "%s", path);
	return e;
}

/* ---- compare */

static json_t *components(const struct stat_levels *l)
{
	static const char *const names[] = {"iteration", "run", "boot"};
	json_t *o = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		json_put_real(o, names[i], l->t2[i]);
	return o;
}

static json_t *result_json(const struct stat_result *r, const struct stat_boots *b)
{
	json_t *o = json_object();
	bool open = r->verdict == VERDICT_UNSURE;

	json_put_real(o, "change", r->change);
	json_put_real(o, "low", r->low);
	json_put_real(o, "high", r->high);
	json_put_int(o, "boots", (int64_t)b->boots);
	json_put_real(o, "std_rel", b->std_rel);
	json_put(o, "components", components(&b->levels));
	if (open && r->needed < 0)
		json_put_str(o, "needed", NULL);
	else
		json_put_int(o, "needed", open ? r->needed : 0);
	json_put_str(o, "verdict", verdict_name(r->verdict));
	json_put_str(o, "why", r->why[0] ? r->why : NULL);
	json_put_bool(o, "skewed", r->skewed);
	return o;
}

static struct stat_side side_of(const struct stat_boots *b)
{
	return (struct stat_side){.median = b->median, .mean = b->mean, .n = b->boots};
}

static enum err compare_all(const struct stat_boots *base, json_t *kernels,
                            const struct stat_rule *rule, json_t *out, struct why *w)
{
	struct stat_side from = side_of(base);
	const char *name;
	json_t *value;

	json_object_foreach (kernels, name, value) {
		char *place = xasprintf("kernels.%s", name);
		struct stat_boots b;
		struct stat_result r;
		struct stat_side to;
		enum err e = stat_boots_read(value, place, &b, w);

		free(place);
		if (e == OK) {
			to = side_of(&b);
			stat_compare_boots(&from, &to, rule, &r);
			json_put(out, name, result_json(&r, &b));
		}
		stat_boots_release(&b);
		if (e != OK)
			return e;
	}
	return OK;
}

static enum err compare_text(const struct buf *text, const struct stat_rule *rule, json_t *out,
                             struct why *w)
{
	struct in {
		json_t *baseline, *kernels;
	} in = {0};
	static const struct json_field fields[] = {
	        {"baseline", JSON_ARR, offsetof(struct in, baseline), JSON_MUST, 0, 1000000, NULL},
	        {"kernels", JSON_OBJ, offsetof(struct in, kernels), JSON_MUST, 0, 0, NULL},
	        {0},
	};
	struct stat_boots base = {0};
	json_t *root = NULL;
	enum err e = json_parse(text->data, text->len, text->len, &root, w);

	if (e == OK)
		e = json_decode(root, "", fields, &in, w);
	if (e == OK)
		e = stat_boots_read(in.baseline, "baseline", &base, w);
	if (e == OK)
		e = compare_all(&base, in.kernels, rule, out, w);
	stat_boots_release(&base);
	json_decref(root);
	return e;
}

static enum err compare_file(const char *path, double threshold, json_t **out, struct why *w)
{
	struct stat_rule rule = stat_rule_default();
	json_t *kernels = json_object();
	struct buf text;
	enum err e = read_file(path, BOOTS_BYTES_MAX, &text, w);

	rule.tau = threshold;
	if (e == OK)
		e = in_file(path, compare_text(&text, &rule, kernels, w), w);
	buf_release(&text);
	*out = json_object();
	json_put(*out, "kernels", kernels);
	return e;
}

/* ---- changes */

static json_t *history_json(const struct stat_history *h)
{
	json_t *o = json_object(), *changes = json_array(), *outliers = json_array();

	for (size_t i = 0; i < h->changes; i++) {
		const struct stat_change *c = &h->change[i];
		json_t *one = json_object();

		json_put_int(one, "index", (int64_t)c->index);
		json_put_real(one, "before", c->before);
		json_put_real(one, "after", c->after);
		json_put_real(one, "change", c->change);
		json_put_real(one, "score", c->score);
		json_put_bool(one, "transient", c->transient);
		json_array_append_new(changes, one);
	}
	for (size_t i = 0; i < h->outliers; i++)
		json_array_append_new(outliers, json_integer((json_int_t)h->outlier[i]));
	json_put(o, "changes", changes);
	json_put(o, "outliers", outliers);
	json_put_str(o, "class", stat_class_name(h->class));
	return o;
}

static enum err changes_file(const char *path, double threshold, json_t *out, struct why *w)
{
	double *x = NULL;
	struct buf text;
	size_t n = 0;
	enum err e;

	if (!utf8_valid(path, strlen(path)))
		return err_set(w, ERR_INPUT,
		               "\"%s\": the file's name is the key of its answer, and "
		               "this one is not UTF-8",
		               path);
	if (json_object_get(out, path))
		return err_set(w, ERR_INPUT, "\"%s\" is given twice", path);
	e = read_file(path, SERIES_BYTES_MAX, &text, w);
	if (e == OK)
		e = in_file(path, stat_series_read(text.data, text.len, &x, &n, w), w);
	if (e == OK) {
		struct stat_history h;

		stat_history(x, n, threshold, &h);
		json_put(out, path, history_json(&h));
		stat_history_release(&h);
	}
	free(x);
	buf_release(&text);
	return e;
}

/* ---- both */

static enum err run_stat(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const struct stat_opts *o = opt;
	double threshold = o->threshold / 100;
	json_t *out = NULL;
	enum err e = OK;

	(void)cli;
	if (!(threshold > 0))
		return err_set(w, ERR_INPUT, "--threshold: expected a number above 0");
	if (str_eq(argv[0], "compare") && argc == 2) {
		e = compare_file(argv[1], threshold, &out, w);
	} else if (str_eq(argv[0], "changes") && argc >= 2) {
		out = json_object();
		for (int i = 1; e == OK && i < argc; i++)
			e = changes_file(argv[i], threshold, out, w);
	} else {
		return err_set(w, ERR_INPUT,
		               "expected: foldwatch stat compare FILE.json | changes FILE.csv ...");
	}
	if (e == OK)
		e = cli_print_json(out, w);
	json_decref(out);
	/* Too large a file is bad input too: 2 */
	return e == ERR_TOO_LARGE ? ERR_INPUT : e;
}

const struct cli_command cmd_stat = {
        .name = "stat",
        .args = "compare FILE.json | changes FILE.csv ...",
        .summary = "the statistics of the verdicts, on numbers from files",
        .help = "compare: {\"baseline\": B, \"kernels\": {\"NAME\": B}}, B an array of boots of\n"
                "runs of numbers; one look, a 95 % interval, no pool, no floor. changes: where\n"
                "a series of lines \"index,value\" changed. Both print JSON.\n"
                "\n"
                "examples:\n"
                "  foldwatch stat compare boots.json --threshold 2\n"
                "  foldwatch stat changes fork-o0.csv fork-o9.csv\n",
        .opts = stat_table,
        .size = sizeof(struct stat_opts),
        .min_args = 1,
        .max_args = -1,
        .local = true,
        .run = run_stat,
        .preset = preset,
};
