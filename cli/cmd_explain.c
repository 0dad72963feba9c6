/* foldwatch explain: which of the kernel's functions make the difference. */
#include "cli/commands.h"
#include "cli/explain.h"
#include "cli/table.h"

#include "lib/file.h"
#include "lib/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CALLS_SHOWN     8
#define LEAST           .5 /* of an instruction a window: less is rounding */
#define FUNCTION_COLUMN 27

static const struct cli_opt explain_table[] = {
        {"submission", OPT_TEXT, offsetof(struct explain_opts, submission), "ID|latest",
         "whose kernels are named (latest)", 0, 0, false},
        {"top", OPT_INT, offsetof(struct explain_opts, top), "N", "functions to show (12)", 1, 1000,
         false},
        {"boot", OPT_FLAG, offsetof(struct explain_opts, boot), NULL,
         "boot here, though the server has the counts", 0, 0, false},
        {"iterations", OPT_INT, offsetof(struct explain_opts, iterations), "N",
         "timed windows that are counted in boots here (3)", 1, 1000, false},
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
	const struct explain_side *a = &x->side[0], *b = &x->side[1];
	double rest_a = 0, rest_b = 0, others_a = 0, others_b = 0;
	double samples = b->mean - a->mean, sum = b->profile.total - a->profile.total;
	double left = fabs(samples - sum) < LEAST ? 0 : samples - sum;
	size_t shown = 0, rest = 0;

	printf("%s: %+.0f instructions a window (%+.2f%%)\n", x->text, samples,
	       100 * samples / a->mean);
	printf("A is %s, B is %s; mean of %llu windows behind the warm-up;\n", a->kernel.name,
	       b->kernel.name, (unsigned long long)a->profile.windows);
	if (a->boot)
		printf("boots %lld and %lld on %s, ", (long long)a->boot, (long long)b->boot,
		       a->board);
	printf("%lld pages held; emulated, not time\n\n", (long long)a->phase_pages);
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

static json_t *side_json(const struct explain_side *s)
{
	json_t *o = json_object();

	json_put_str(o, "name", s->kernel.name);
	json_put_real(o, "mean", s->mean);
	json_put(o, "boot", s->boot ? json_integer(s->boot) : json_null());
	json_put_str(o, "board", s->board);
	json_put_int(o, "phase_pages", s->phase_pages);
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
	const struct explain_side *a = &x->side[0], *b = &x->side[1];
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
	const struct explain_side *a = &x->side[0], *b = &x->side[1];
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

static bool is_dir(const char *word)
{
	return strchr(word, '/') || str_eq(word, ".");
}

static enum err explain(struct cli *cli, struct explaining *x, char **argv, struct why *w)
{
	struct bench_case c;
	char why[400];
	bool found = false;
	enum err e = OK;

	if (case_parse(argv[2], &c, why, sizeof(why)) != 0)
		return err_set(w, ERR_INPUT, "%s", why);
	case_format(&c, x->text, sizeof(x->text));
	if (!x->o->boot && !is_dir(argv[0]) && !is_dir(argv[1]))
		e = explain_stored(cli, x, argv, &found, w);
	for (size_t i = 0; e == OK && !found && i < 2; i++)
		e = kernel_files_find(cli, argv[i], x->o->submission, x->dir, i ? 'b' : 'a',
		                      &x->side[i].kernel, w);
	if (e == OK && !found)
		e = explain_boot(x, w);
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
		free(x.side[i].board);
	}
	free(x.dir);
	return e;
}

const struct cli_command cmd_explain = {
        .name = "explain",
        .args = "A B CASE",
        .summary = "which of two kernels' functions make the difference in a case",
        .help = "A and B are kernels of a submission, by name. On a deterministic board one boot\n"
                "of each kernel counts every instruction inside the timed windows by function\n"
                "(kernels that were built, not prebuilt images); the server has what it counted.\n"
                "Or they are directories of kernel builds (named with a slash;\n"
                "arch/arm64/boot/Image and vmlinux in them): then, and where the server has\n"
                "nothing, both are booted on a virtual board here. Rows sum to the whole.\n"
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
