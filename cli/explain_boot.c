#include "cli/explain.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/profile_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOOT_TIMEOUT_S 900
#define OUT_MAX        (64u << 20)
#define PHASE_PAGES    7

/* What stands beside this program. */
struct here {
	char *programs, *share;
};

/* The plugin's words for this kernel; free() it. */
static enum err plugin_words(const struct here *h, const struct explain_side *s,
                             const char *out_path, const char *runs_path, char **words,
                             struct why *w)
{
	char *bench = path_join(h->programs, "foldbench-arm64");
	char *plugin = path_join(h->programs, "foldwatch-profile.so");
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

static enum err read_result(const char *text, struct explain_side *s, struct why *w)
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

static enum err boot(const struct here *h, struct explain_side *s, const char *plan,
                     const char *runs_path, const char *out_path, struct why *w)
{
	struct profiles all = {0};
	char *script = path_join(h->share, "kernel/recipe/boot-once.sh"), *words = NULL;
	char *bench = xasprintf("FOLDBENCH=%s/foldbench-arm64", h->programs);
	struct buf out, text;
	enum err e = plugin_words(h, s, out_path, runs_path, &words, w);

	buf_init(&out, OUT_MAX);
	buf_init(&text, OUT_MAX);
	if (e == OK) {
		char phase[16];
		const char *argv[] = {"env", bench, script,          "-p", phase,
		                      "-x",  words, s->kernel.image, plan, NULL};

		snprintf(phase, sizeof(phase), "%d", PHASE_PAGES);
		s->phase_pages = PHASE_PAGES;
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

static enum err boot_both(const struct here *h, struct explaining *x, struct why *w)
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
			e = boot(h, &x->side[i], plan, runs, path, w);
		free(name);
		free(path);
	}
	free(text);
	free(line);
	free(runs);
	free(plan);
	return e;
}

enum err explain_boot(struct explaining *x, struct why *w)
{
	struct here h = {0};
	enum err e = cli_programs_dir(&h.programs, w);

	if (e == OK)
		h.share = x->o->share ? xstrdup(x->o->share) : xasprintf("%s/..", h.programs);
	if (e == OK)
		e = boot_both(&h, x, w);
	free(h.programs);
	free(h.share);
	return e;
}
