/*
 * presets.c - seconds that a boot of a named plan takes on the virtual board: of
 * the Image that IMAGE names, with nothing but qemu and foldbench.
 *
 * seed-fork is the lists' own plan, and emulated it takes many minutes: it runs
 * only when it is asked for by name.
 */
#include "tests/bench/bench.h"

#include "cli/preset.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <stdlib.h>

static void write_plan(const struct preset *p, const char *path)
{
	json_t *cases = json_array(), *text;
	struct buf b;
	struct why w;
	size_t i;

	preset_cases(p, cases);
	buf_init(&b, 1 << 20);
	buf_adds(&b, "# foldbench plan 1\n");
	json_array_foreach (cases, i, text) {
		buf_addf(&b, "%s runs=%lld iterations=%lld warmup=%lld\n", json_string_value(text),
		         (long long)p->runs, (long long)p->iterations, (long long)p->warmup);
	}
	if (file_write(path, b.data, b.len, 0644, &w) != OK)
		die("%s", w.text);
	buf_release(&b);
	json_decref(cases);
}

static void measure(const char *name, double most)
{
	char *script = xasprintf("%s/kernel/recipe/boot-once.sh", settings.share);
	char *bench = xasprintf("FOLDBENCH=%s/foldbench-arm64", settings.programs);
	char *plan = xasprintf("%s/%s.plan", settings.work, name);
	char *figure = xasprintf("preset_%s", name);
	const char *argv[] = {"env", bench, script, "-p", "7", settings.image, plan, NULL};
	const struct preset *p;
	struct buf out;
	struct why w;
	int64_t begin;

	if (preset_find(name, &p, &w) != OK)
		die("%s", w.text);
	write_plan(p, plan);
	buf_init(&out, 16 << 20);
	begin = clock_mono_ns();
	if (proc_run(&(struct proc_spec){.argv = argv, .timeout_ns = 2 * 3600 * NS_PER_S}, &out,
	             &w) != OK)
		die("%s: %s", name, w.text);
	report(&(struct figure){figure, (double)(clock_mono_ns() - begin) / 1e9, "s/boot", NAN,
	                        "qemu and foldbench alone", most > 0 ? VALUE_MAX : NO_BOUND, most});
	buf_release(&out);
	free(figure);
	free(plan);
	free(bench);
	free(script);
}

void bench_presets(void)
{
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
