/*
 * config_sets.h - named kernel configurations from kernel_dir/config.
 *
 * NAME.config is a fragment; the file `sets` has lines
 *
 *     contpte-y = virt contpte-on        # contiguous PTEs on
 *
 * A config is asked for as set names joined by '+': its text is the base
 * `virt` and then the sets' fragments in order, each once, with a line in front
 * that names it.
 */
#ifndef FOLDWATCH_SERVER_CONFIG_SETS_H
#define FOLDWATCH_SERVER_CONFIG_SETS_H

#include "lib/err.h"
#include "server/pool.h"

#include <stdbool.h>

struct config_set {
	const char *name, *help;
	const char **fragment;
	size_t fragments;
};
struct config_sets {
	const char *dir;
	struct config_set *at; /* sets in the file's order, then bare fragments by name */
	size_t count;
};

#define CONFIG_BASE     "virt"
/* The mm's own assertions, and a file system for what is exercised under them. */
#define VALIDATE_SET    "debug-vm+files"
#define CONFIG_TEXT_MAX (512u << 10)

/* Read anew each time: the files may be edited while the server runs. */
enum err config_sets_load(struct pool *p, const char *kernel_dir, struct config_sets *out,
                          struct why *w);
/* ERR_UNPROCESSABLE for a name that is unknown, saying which there are. */
enum err config_text(struct pool *p, const struct config_sets *sets, const char *name,
                     const char **text, struct why *w);
/* A text that is no whole .config, with the fragments of further sets behind it. */
enum err config_with(struct pool *p, const struct config_sets *sets, const char *text,
                     const char *name, const char **out, struct why *w);
/* Is it a whole .config, as Kconfig writes it? */
bool config_is_whole(const char *text);
/* A submitter's own lines over the base, or a whole .config as it is. */
enum err config_custom(struct pool *p, const struct config_sets *sets, const char *lines,
                       const char **text, bool *whole, struct why *w);

#endif
