/*
 * presets.c - seconds that a boot of a named plan takes on the virtual board: of
 * the Image that IMAGE names, with nothing but qemu and foldbench; and with the
 * plugin that counts by function, where VMLINUX names its symbols.
 *
 * seed-fork is the lists' own plan, and emulated it takes many minutes: it runs
 * only when it is asked for by name.
 */
#include "tests/bench/bench.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/preset.h"
#include "lib/profile_plugin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *write_plan(const struct preset *p, const char *path)
{
	const struct preset_pages *pages;
	struct buf b;
	struct why w;

	buf_init(&b, 1 << 20);
	if (preset_pages_find(NULL, &pages, &w) != OK)
		die("%s", w.text);
	preset_plan(p, pages, &b);
	if (file_write(path, b.data, b.len, 0644, &w) != OK)
		die("%s", w.text);
	return buf_take(&b, NULL);
}

/* The plugin's words for that plan; free() them. */
static char *plugin_words(const char *plan)
{
	char *plugin = xasprintf("%s/foldwatch-profile.so", settings.programs);
	char *bench = xasprintf("%s/foldbench-arm64", settings.programs);
	char *out = xasprintf("%s/profile", settings.work), *words, *text;
	char *runs = xasprintf("%s/runs", settings.work);
	struct symbols *kernel;
	struct why w;

	if (symbols_load(settings.vmlinux, &kernel, &w) != OK)
		die("%s", w.text);
	text = profile_plugin_runs(plan);
	if (file_write(runs, text, strlen(text), 0644, &w) != OK ||
	    profile_plugin_words(&(struct profile_plugin){.plugin = plugin,
	                                                  .out = out,
	                                                  .runs = runs,
	                                                  .foldbench = bench,
	                                                  .kernel = kernel},
	                         &words, &w) != OK)
		die("%s", w.text);
	symbols_free(kernel);
	free(plugin);
	free(bench);
	free(runs);
	free(text);
	free(out);
	return words;
}

/* What the meter itself takes, as a result says it. */
static double empty_window(const char *result)
{
	static const char key[] = "\"empty_window\":";
	const char *at = strstr(result, key);

	return at ? strtod(at + sizeof(key) - 1, NULL) : NAN;
}

/* Seconds of one boot; `plugin` NULL: without. */
static double boot(const char *plan, const char *plugin, double *empty)
{
	char *script = xasprintf("%s/kernel/recipe/boot-once.sh", settings.share);
	char *bench = xasprintf("FOLDBENCH=%s/foldbench-arm64", settings.programs);
	const char *argv[12] = {"env", bench, script, "-p", "7", "-t", "7200"};
	size_t n = 7;
	struct buf out;
	struct why w;
	int64_t begin;

	if (plugin) {
		argv[n++] = "-x";
		argv[n++] = plugin;
	}
	argv[n++] = settings.image;
	argv[n] = plan;
	buf_init(&out, 16 << 20);
	begin = clock_mono_ns();
	if (proc_run(&(struct proc_spec){.argv = argv, .timeout_ns = 2 * 3600 * NS_PER_S}, &out,
	             &w) != OK)
		die("%s: %s", plan, w.text);
	begin = clock_mono_ns() - begin;
	*empty = empty_window(out.data);
	buf_release(&out);
	free(bench);
	free(script);
	return (double)begin / 1e9;
}

static void measure(const char *name, double most)
{
	char *plan = xasprintf("%s/%s.plan", settings.work, name), *text, *words;
	char *figure = xasprintf("preset_%s", name), *with = xasprintf("plugin_%s", name);
	const struct preset *p;
	struct why w;
	double took, counted, empty;

	if (preset_find(name, &p, &w) != OK)
		die("%s", w.text);
	text = write_plan(p, plan);
	took = boot(plan, NULL, &empty);
	report(&(struct figure){figure, took, "s/boot", NAN, "qemu and foldbench alone",
	                        most > 0 ? VALUE_MAX : NO_BOUND, most});
	report(&(struct figure){"empty_window", empty, "instructions", NAN,
	                        "subtracted from each sample", NO_BOUND, 0});
	if (settings.vmlinux) {
		words = plugin_words(text);
		counted = boot(plan, words, &empty);
		report(&(struct figure){with, counted, "s/boot", counted / took,
		                        "the same without counting by function", NO_BOUND, 0});
		free(words);
	}
	free(figure);
	free(with);
	free(text);
	free(plan);
}

/* On this machine, in time. */
static void empty_window_here(void)
{
	char *bench = xasprintf("%s/foldbench", settings.programs);
	const char *argv[] = {bench, "run", "fork", "--order", "0", "--size", "2M", NULL};
	struct buf out;
	struct why w;

	buf_init(&out, 1 << 20);
	if (proc_run(&(struct proc_spec){.argv = argv, .timeout_ns = 60 * NS_PER_S}, &out, &w) !=
	    OK)
		die("%s", w.text);
	report(&(struct figure){"empty_window_ns", empty_window(out.data), "ns", NAN,
	                        "here; subtracted from each window", NO_BOUND, 0});
	buf_release(&out);
	free(bench);
}

void bench_presets(void)
{
	empty_window_here();
	if (!settings.image) {
		note("preset_contpte-quick: not run, there is no IMAGE");
		return;
	}
	measure("contpte-quick", 30);
}

void bench_seed_fork(void)
{
	if (!settings.image)
		die("seed-fork: name an IMAGE to boot");
	measure("seed-fork", 0);
}
