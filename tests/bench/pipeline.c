/*
 * pipeline.c - the shell script that times a patch's way, and its figures.
 *
 * Two kernel builds come first: it runs only when it is asked for by name or by
 * PIPELINE=1.
 */
#include "tests/bench/bench.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 16

void bench_pipeline(void)
{
	char *script = xasprintf("%s/tests/bench/pipeline.sh", settings.share);
	const char *argv[] = {script, settings.programs, settings.share, settings.kept, NULL};
	double s[ROUNDS_MAX], ratio[ROUNDS_MAX];
	char *line, *save = NULL, *against = NULL;
	size_t n = 0;
	struct buf out;
	struct why w;

	if (!settings.kept)
		die("--kept must be given for the pipeline");
	buf_init(&out, 64 << 10);
	if (proc_run(&(struct proc_spec){.argv = argv,
	                                 .timeout_ns = 4 * 3600 * NS_PER_S,
	                                 .out_only = true},
	             &out, &w) != OK)
		die("%s", w.text);
	for (line = strtok_r(out.data, "\n", &save); line && n < ROUNDS_MAX;
	     line = strtok_r(NULL, "\n", &save)) {
		char *rest;

		s[n] = strtod(line, &rest);
		ratio[n++] = strtod(rest, &rest);
		free(against);
		against = xstrdup(rest + strspn(rest, " "));
	}
	if (!n)
		die("the pipeline told no figures");
	report(&(struct figure){"pipeline", quantile(s, n, 0.5), "s", quantile(ratio, n, 0.5),
	                        against, RATIO_MAX, 1.1});
	free(against);
	buf_release(&out);
	free(script);
}
