#include "lib/profile_plugin.h"

#include "lib/buf.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 32768
#define RUNS_MAX  (16 << 20)

/* In the order of the plugin's words: where each address stands. */
static const struct {
	const char *word, *function;
	bool of_kernel;
} addresses[] = {
        {"begin", "meter_start", false},   {"end", "meter_stop", false},
        {"run", "suite_next_run", false},  {"wide", "meter_wide", false},
        {"switch", "cpu_switch_to", true}, {"irq", "el1h_64_irq", true},
        {"irq", "el0t_64_irq", true},
};

/* A comma ends a value in QEMU's options; a doubled one is a comma. */
static void add_path(struct buf *b, const char *path)
{
	for (; *path; path++)
		buf_adds(b, *path == ',' ? ",," : (const char[]){*path, '\0'});
}

enum err profile_plugin_words(const struct profile_plugin *p, char **words, struct why *w)
{
	struct symbols *own = NULL;
	struct buf b;
	enum err e = symbols_load(p->foldbench, &own, w);

	buf_init(&b, WORDS_MAX);
	add_path(&b, p->plugin);
	buf_adds(&b, ",out=");
	add_path(&b, p->out);
	buf_adds(&b, ",runs=");
	add_path(&b, p->runs);
	for (size_t i = 0; e == OK && i < ARRAY_SIZE(addresses); i++) {
		const char *function = addresses[i].function;
		const struct symbol *x =
		        symbols_find(addresses[i].of_kernel ? p->kernel : own, function);

		if (x)
			buf_addf(&b, ",%s=0x%" PRIx64, addresses[i].word, x->address);
		else
			e = err_set(w, ERR_INPUT, "the %s has no function \"%s\"",
			            addresses[i].of_kernel ? "kernel" : "foldbench", function);
	}
	symbols_free(own);
	*words = e == OK ? buf_take(&b, NULL) : NULL;
	buf_release(&b);
	return e;
}

static long count(const char *line, size_t len, const char *word, long preset)
{
	const char *at = memmem(line, len, word, strlen(word));

	return at ? strtol(at + strlen(word), NULL, 10) : preset;
}

char *profile_plugin_runs(const char *plan)
{
	struct buf b;

	buf_init(&b, RUNS_MAX);
	buf_adds(&b, "");
	for (const char *at = plan; *at;) {
		size_t len = strcspn(at, "\n"), blank = strspn(at, " \t");

		if (blank < len && at[blank] != '#') {
			long runs = count(at, len, " runs=", 1);
			long warmup = count(at, len, " warmup=", 1);

			/* Without a warm-up there is one window that is looked at before. */
			for (long i = 0; i < runs; i++)
				buf_addf(&b, "%ld %ld\n", warmup ? warmup : 1,
				         count(at, len, " iterations=", 5));
		}
		at += len + (at[len] == '\n');
	}
	return buf_take(&b, NULL);
}
