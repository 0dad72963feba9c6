/* foldwatch explain: which of the kernel's functions make the difference. */
#include "cli/commands.h"
#include "cli/kernel_files.h"
#include "cli/table.h"

#include "lib/case.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/profile.h"
#include "lib/profile_plugin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BOOT_TIMEOUT_S  900
#define OUT_MAX         (64u << 20)
#define CALLS_SHOWN     8
#define LEAST           .5 /* of an instruction a window: less is rounding */
#define PHASE_PAGES     "7"
#define FUNCTION_COLUMN 27

struct explain_opts {
	const char *submission, *share;
	int64_t top, iterations;
};

static const struct cli_opt explain_table[] = {
        {"submission", OPT_TEXT, offsetof(struct explain_opts, submission), "ID|latest",
         "whose kernels are named (latest)", 0, 0, false},
        {"top", OPT_INT, offsetof(struct explain_opts, top), "N", "functions to show (12)", 1, 1000,
         false},
        {"iterations", OPT_INT, offsetof(struct explain_opts, iterations), "N",
         "timed windows that are counted (3)", 1, 1000, false},
        {"share", OPT_TEXT, offsetof(struct explain_opts, share), "DIR",
         "holds kernel/recipe (beside the program)", 0, 0, false},
        {0},
};

static void preset(void *opt)
{
	struct explain_opts *o = opt;

	o->submission = "latest";
	o->top = 12;
	o->iterations = 3;
}

/* One of the two kernels, and what its boot gave. */
struct side {
	struct kernel_files kernel;
	struct symbols *symbols;
	struct profiles kept;
	struct profile profile; /* the run of it, borrowed */
	double mean;            /* of the samples that the profile stands beside */
};

struct explaining {
	const struct explain_opts *o;
	char *dir, *programs, *share;
	char text[CASE_TEXT]; /* the case */
	struct side side[2];
};

/* ---- booting */

/* The plugin's words for this kernel; free() it. */
static enum err plugin_words(const struct explaining *x, const struct side *s, const char *out_path,
                             const char *runs_path, char **words, struct why *w)
{
	char *bench = path_join(x->programs, "foldbench-arm64");
	char *plugin = path_join(x->programs, "foldwatch-profile.so");
	enum err e = profile_plugin_words(&(struct profile_plugin){.plugin = plugin,
	                                                           .out = out_path,
	                                                           .runs = runs_path,
	                                                           .foldbench = bench,
	                                                           .kernel = s->symbols},
	                                  words, w);

	free(plugin);
	free(bench);
	return e;
}

static enum err read_result(const char *text, struct side *s, struct why *w)
{
	const char *line = strstr(text, "{\"type\":\"run\"");
	const json_t *samples;
	json_t *run = NULL;
	size_t n = line ? strcspn(line, "\n") : 0, i, warmup;
	double sum = 0;
	enum err e = line ? json_parse(line, n, n, &run, w)
	                  : err_set(w, ERR_INPUT, "it brought no result");

	if (e != OK)
		return e;
	samples = json_object_get(run, "samples");
	warmup = (size_t)json_int(run, "warmup", 0);
	if (!str_eq(json_str(run, "state", ""), "valid"))
		e = err_set(w, ERR_INPUT, "the run is %s: %s", json_str(run, "state", "?"),
		            json_str(run, "why", "no reason given"));
	for (i = warmup; i < json_array_size(samples); i++)
		sum += json_number_value(json_array_get(samples, i));
	s->mean = sum / (double)(json_array_size(samples) - warmup);
	json_decref(run);
	return e;
}

static enum err boot(const struct explaining *x, struct side *s, const char *plan,
                     const char *runs_path, const char *out_path, struct why *w)
{
	struct profiles all = {0};

	char *script = path_join(x->share, "kernel/recipe/boot-once.sh"), *words = NULL;
	char *bench = xasprintf("FOLDBENCH=%s/foldbench-arm64", x->programs);
	struct buf out, text;
	enum err e = plugin_words(x, s, out_path, runs_path, &words, w);

	buf_init(&out, OUT_MAX);
	buf_init(&text, OUT_MAX);
	if (e == OK) {
		const char *argv[] = {"env", bench, script,          "-p", PHASE_PAGES,
		                      "-x",  words, s->kernel.image, plan, NULL};

		fprintf(stderr, "booting %s\n", s->kernel.name);
		e = proc_run(
		        &(struct proc_spec){.argv = argv, .timeout_ns = BOOT_TIMEOUT_S * NS_PER_S},
		        &out, w);
	}
	if (e == OK)
		e = read_result(out.data, s, w);
	if (e == OK)
		e = file_read(out_path, &text, w);
	if (e == OK)
		e = profiles_fold(text.data, text.len, s->symbols, &all, w);
	if (e == OK && (all.runs != 1 || !all.run[0].windows))
		e = err_set(w, ERR_INPUT, "no window was counted: the case did not run");
	if (e == OK) {
		s->kept = all;
		s->profile = all.run[0];
	} else {
		profiles_release(&all);
	}
	buf_release(&out);
	buf_release(&text);
	free(words);
	free(bench);
	free(script);
	return e == OK ? OK : err_at(w, e, "kernel \"%s\"", s->kernel.name);
}

static enum err boot_both(struct explaining *x, struct why *w)
{
	char *plan = path_join(x->dir, "plan"), *runs = path_join(x->dir, "runs"), *line, *text;
	enum err e;

	line = xasprintf("%s runs=1 iterations=%lld warmup=1\n", x->text,
	                 (long long)x->o->iterations);
	text = profile_plugin_runs(line);
	e = file_write(plan, line, strlen(line), 0644, w);
	if (e == OK)
		e = file_write(runs, text, strlen(text), 0644, w);
	for (size_t i = 0; e == OK && i < 2; i++) {
		char *name = xasprintf("%zu.profile", i), *path = path_join(x->dir, name);

		e = symbols_load(x->side[i].kernel.vmlinux, &x->side[i].symbols, w);
		if (e == OK)
			e = boot(x, &x->side[i], plan, runs, path, w);
		free(name);
		free(path);
	}
	free(text);
	free(line);
	free(runs);
	free(plan);
	return e;
}

/* ---- what moved */

static bool is_sum_row(const char *function)
{
	return function[0] == '(';
}

/* '+' only in B, '-' only in A, '*' other size: other code for sure. */
static char mark(const struct mover *m)
{
	if (is_sum_row(m->function))
		return ' ';
	if (!m->size_a != !m->size_b)
		return m->size_a ? '-' : '+';
	return m->size_a != m->size_b ? '*' : ' ';
}

static void row(const char *name, char sign, double a, double b)
{
	printf("| %c %-*.*s | %10.0f | %10.0f | %+10.0f |\n", sign, FUNCTION_COLUMN,
	       FUNCTION_COLUMN, name, a, b, b - a);
}

static void rule(void)
{
	puts("|:------------------------------|-----------:|-----------:|-----------:|");
}

static void print_calls(const struct mover *m, size_t n)
{
	size_t shown = 0;

	for (size_t i = 0; i < n && shown < CALLS_SHOWN; i++) {
		if (!strstr(m[i].function, "contpte_") || is_sum_row(m[i].function) ||
		    m[i].calls_a + m[i].calls_b < LEAST)
			continue;
		printf("calls of %s: %.0f, %.0f\n", m[i].function, m[i].calls_a, m[i].calls_b);
		shown++;
	}
}

static void print_table(const struct explaining *x, const struct mover *m, size_t n)
{
	const struct side *a = &x->side[0], *b = &x->side[1];
	double rest_a = 0, rest_b = 0, others_a = 0, others_b = 0;
	double samples = b->mean - a->mean, sum = b->profile.total - a->profile.total;
	double left = fabs(samples - sum) < LEAST ? 0 : samples - sum;
	size_t shown = 0, rest = 0;

	printf("%s: %+.0f instructions a window (%+.2f%%)\n", x->text, samples,
	       100 * samples / a->mean);
	printf("A is %s, B is %s; mean of %lld windows behind one of warm-up;\n", a->kernel.name,
	       b->kernel.name, (long long)x->o->iterations);
	printf("%s pages held; emulated, not time\n\n", PHASE_PAGES);
	printf("| function                      |          A |          B |       move |\n");
	rule();
	for (size_t i = 0; i < n; i++) {
		if (str_eq(m[i].function, PROFILE_OTHERS)) {
			others_a = m[i].a;
			others_b = m[i].b;
		} else if (shown < (size_t)x->o->top && fabs(m[i].b - m[i].a) >= LEAST) {
			row(m[i].function, mark(&m[i]), m[i].a, m[i].b);
			shown++;
		} else {
			rest_a += m[i].a;
			rest_b += m[i].b;
			rest++;
		}
	}
	if (rest) {
		char name[64];

		snprintf(name, sizeof(name), "(%zu others)", rest);
		row(name, ' ', rest_a, rest_b);
	}
	row(PROFILE_OTHERS, ' ', others_a, others_b);
	rule();
	row("all", ' ', a->profile.total, b->profile.total);
	row("the samples", ' ', a->mean, b->mean);
	printf("\n* other size, + only in B, - only in A; not explained: %+.0f\n", left);
	printf("TLBI executed: %.0f, %.0f; DSB: %.0f, %.0f\n", a->profile.tlbi, b->profile.tlbi,
	       a->profile.dsb, b->profile.dsb);
	print_calls(m, n);
}

static json_t *side_json(const struct side *s)
{
	json_t *o = json_object();

	json_put_str(o, "name", s->kernel.name);
	json_put_real(o, "mean", s->mean);
	json_put_real(o, "counted", s->profile.total);
	json_put_int(o, "windows", (int64_t)s->profile.windows);
	json_put_int(o, "switches", (int64_t)s->profile.switches);
	json_put_real(o, "tlbi", s->profile.tlbi);
	json_put_real(o, "dsb", s->profile.dsb);
	return o;
}

static enum err print_json(const struct explaining *x, const struct mover *m, size_t n,
                           struct why *w)
{
	const struct side *a = &x->side[0], *b = &x->side[1];
	json_t *out = json_object(), *movers = json_array();
	enum err e;

	json_put_str(out, "case", x->text);
	json_put(out, "a", side_json(a));
	json_put(out, "b", side_json(b));
	json_put_real(out, "move", b->mean - a->mean);
	json_put_real(out, "not_explained",
	              b->mean - a->mean - (b->profile.total - a->profile.total));
	for (size_t i = 0; i < n; i++) {
		json_t *o = json_object();

		json_put_str(o, "function", m[i].function);
		json_put_real(o, "a", m[i].a);
		json_put_real(o, "b", m[i].b);
		json_put_real(o, "move", m[i].b - m[i].a);
		json_put_real(o, "calls_a", m[i].calls_a);
		json_put_real(o, "calls_b", m[i].calls_b);
		json_put_int(o, "size_a", (int64_t)m[i].size_a);
		json_put_int(o, "size_b", (int64_t)m[i].size_b);
		json_array_append_new(movers, o);
	}
	json_put(out, "movers", movers);
	e = cli_print_json(out, w);
	json_decref(out);
	return e;
}

static enum err tell(struct cli *cli, const struct explaining *x, struct why *w)
{
	const struct side *a = &x->side[0], *b = &x->side[1];
	size_t n;
	struct mover *m = profile_movers(&a->profile, a->symbols, &b->profile, b->symbols, &n);
	enum err e = OK;

	if (cli->json)
		e = print_json(x, m, n, w);
	else
		print_table(x, m, n);
	free(m);
	return e;
}

/* ---- the whole */

static enum err explain(struct cli *cli, struct explaining *x, char **argv, struct why *w)
{
	struct bench_case c;
	char why[400];
	enum err e = OK;

	if (case_parse(argv[2], &c, why, sizeof(why)) != 0)
		return err_set(w, ERR_INPUT, "%s", why);
	case_format(&c, x->text, sizeof(x->text));
	for (size_t i = 0; e == OK && i < 2; i++)
		e = kernel_files_find(cli, argv[i], x->o->submission, x->dir, i ? 'b' : 'a',
		                      &x->side[i].kernel, w);
	if (e == OK)
		e = cli_programs_dir(&x->programs, w);
	if (e == OK)
		x->share = x->o->share ? xstrdup(x->o->share) : xasprintf("%s/..", x->programs);
	if (e == OK)
		e = boot_both(x, w);
	return e == OK ? tell(cli, x, w) : e;
}

static enum err run_explain(struct cli *cli, void *opt, int argc, char **argv, struct why *w)
{
	const char *tmp = getenv("TMPDIR");
	struct explaining x = {.o = opt};
	struct why ignored;
	enum err e;

	(void)argc;
	x.dir = xasprintf("%s/foldwatch-explain.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(x.dir)) {
		e = err_sys(w, ERR_IO, "cannot make \"%s\"", x.dir);
		free(x.dir);
		return e;
	}
	e = explain(cli, &x, argv, w);
	dir_remove(x.dir, &ignored);
	for (size_t i = 0; i < 2; i++) {
		kernel_files_release(&x.side[i].kernel);
		symbols_free(x.side[i].symbols);
		profiles_release(&x.side[i].kept);
	}
	free(x.dir);
	free(x.programs);
	free(x.share);
	return e;
}

const struct cli_command cmd_explain = {
        .name = "explain",
        .args = "A B CASE",
        .summary = "boot two kernels here and show which functions make the difference",
        .help = "A and B are kernels of a submission, by name, or directories of kernel builds\n"
                "(named with a slash; arch/arm64/boot/Image and vmlinux in them). Both are booted\n"
                "on a virtual board of this machine, where a plugin of QEMU counts every\n"
                "instruction inside the timed windows by function. Rows sum to the whole.\n"
                "\n"
                "examples:\n"
                "  foldwatch explain contpte-n contpte-y fork/order=0,size=16M\n"
                "  foldwatch explain ./linux-a ./linux-b mremap/order=9,size=16M,skew=4K\n",
        .opts = explain_table,
        .size = sizeof(struct explain_opts),
        .min_args = 3,
        .max_args = 3,
        .run = run_explain,
        .preset = preset,
};
