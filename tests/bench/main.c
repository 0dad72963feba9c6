/*
 * foldwatch-bench: the groups of `make bench`, a table, and a JSON file.
 *
 *     foldwatch-bench --work DIR --programs DIR --share DIR --json FILE
 *                     [--image FILE] [--vmlinux FILE] [--kept DIR] [GROUP...]
 *
 * run.sh calls it as an unprivileged user.
 */
#include "tests/bench/bench.h"

#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct settings settings;
static json_t *figures;
static int missed;

static const struct {
	const char *name;
	void (*run)(void);
	/* Why it runs only when it is asked for; NULL: always. */
	const char *asked;
	unsigned int deadline_s; /* 0: it has its own */
} groups[] = {
        {"ingest", bench_ingest, NULL, 900},
        {"turns", bench_turns, NULL, 900},
        {"alerts", bench_alerts, NULL, 900},
        {"compare", bench_compare, NULL, 900},
        {"memory", bench_memory, NULL, 900},
        {"idle", bench_idle, NULL, 900},
        {"stat", bench_stat, NULL, 900},
        {"history", bench_history, NULL, 900},
        {"presets", bench_presets, NULL, 900},
        {"seed-fork", bench_seed_fork, "1 GiB, 800 times, emulated (ONLY=seed-fork IMAGE=FILE)", 0},
        {"pipeline", bench_pipeline, "it builds two kernels first (PIPELINE=1 or ONLY=pipeline)",
         0},
};

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("foldwatch-bench: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	/* The children go with us (PR_SET_PDEATHSIG); threads of ours may be
	 * anywhere. */
	_exit(1);
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("# ", stdout);
	vfprintf(stdout, fmt, ap);
	fputc('\n', stdout);
	va_end(ap);
	fflush(stdout);
}

void sleep_ms(int ms)
{
	struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double quantile(double *v, size_t n, double q)
{
	double at = q * (double)(n - 1);
	size_t low = (size_t)at;

	qsort(v, n, sizeof(*v), by_size);
	if (low + 1 >= n)
		return v[n - 1];
	return v[low] + (at - (double)low) * (v[low + 1] - v[low]);
}

void report(const struct figure *f)
{
	static const char *const words[] = {
	        [NO_BOUND] = "",
	        [RATIO_MIN] = "at least",
	        [RATIO_MAX] = "at most",
	        [VALUE_MAX] = "at most",
	};
	bool good = f->kind == NO_BOUND || (f->kind == RATIO_MIN && f->ratio >= f->bound) ||
	            (f->kind == RATIO_MAX && f->ratio <= f->bound) ||
	            (f->kind == VALUE_MAX && f->value <= f->bound);
	json_t *o = json_object();
	char ratio[32] = "", bound[64] = "";

	if (!isnan(f->ratio))
		snprintf(ratio, sizeof(ratio), "%.2f", f->ratio);
	if (f->kind != NO_BOUND)
		snprintf(bound, sizeof(bound), "%s %g: %s", words[f->kind], f->bound,
		         good ? "ok" : "MISSED");
	printf("%-24s %12.*f %-10s %8s  %-22s %s\n", f->name, f->value < 1000 ? 3 : 0, f->value,
	       f->unit, ratio, bound, f->against ? f->against : "");
	fflush(stdout);
	missed += !good;
	json_put_real(o, "value", f->value);
	json_put_str(o, "unit", f->unit);
	json_put_real(o, "ratio", f->ratio);
	json_put_str(o, "against", f->against);
	json_put(figures, f->name, o);
}

static void save(const char *path)
{
	char *text = json_dumps(figures, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	struct why w;

	if (!text || file_write(path, text, strlen(text), 0644, &w) != OK)
		die("%s", text ? w.text : "out of memory");
	free(text);
}

static bool wanted(int argc, char **argv, size_t group)
{
	bool any = false;

	for (int i = optind; i < argc; i++)
		any |= strcmp(argv[i], groups[group].name) == 0;
	return any || (optind == argc && !groups[group].asked);
}

static bool known(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (strcmp(groups[i].name, name) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
	        {"work", required_argument, NULL, 'w'},  {"programs", required_argument, NULL, 'p'},
	        {"share", required_argument, NULL, 's'}, {"json", required_argument, NULL, 'j'},
	        {"image", required_argument, NULL, 'i'}, {"vmlinux", required_argument, NULL, 'v'},
	        {"kept", required_argument, NULL, 'k'},  {0},
	};
	const char *json = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'w')
			settings.work = optarg;
		else if (c == 'p')
			settings.programs = optarg;
		else if (c == 's')
			settings.share = optarg;
		else if (c == 'j')
			json = optarg;
		else if (c == 'i')
			settings.image = optarg;
		else if (c == 'v')
			settings.vmlinux = optarg;
		else if (c == 'k')
			settings.kept = optarg;
		else
			return 2;
	}
	if (!settings.work || !settings.programs || !settings.share || !json)
		die("--work, --programs, --share and --json must be given");
	for (int i = optind; i < argc; i++)
		if (!known(argv[i]))
			die("there is no group \"%s\"", argv[i]);
	if (!geteuid())
		die("not as root: the agent would not run either");
	client_global_init();
	figures = json_object();
	printf("%-24s %12s %-10s %8s  %-22s %s\n", "NAME", "VALUE", "UNIT", "RATIO", "BOUND",
	       "AGAINST");
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		if (!wanted(argc, argv, i))
			continue;
		alarm(groups[i].deadline_s);
		groups[i].run();
	}
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (groups[i].asked && !wanted(argc, argv, i))
			note("%s: not run, %s", groups[i].name, groups[i].asked);
	stored_stop();
	save(json);
	json_decref(figures);
	if (missed)
		note("%d missed", missed);
	return 0;
}
