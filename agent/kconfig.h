/*
 * kconfig.h - what a configuration asks for, and what became of it.
 *
 *     struct kconfig asked, got;
 *     kconfig_parse(&asked, text, len);      CONFIG_X=v and "# CONFIG_X is not set"
 *     kconfig_parse(&got, result, result_len);
 *     n = kconfig_verify(&asked, &got, NULL, &sentence);
 *
 * A symbol that is set twice has its last value, as with kconfig itself. "n" and
 * "is not set" are the same; a symbol that the result does not mention is "n".
 */
#ifndef FOLDWATCH_KCONFIG_H
#define FOLDWATCH_KCONFIG_H

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/hash.h"

#include <stdbool.h>
#include <stddef.h>

struct kconfig_line {
	char *name;  /* without CONFIG_ */
	char *value; /* as written: y, m, n, 100, "text" with its quotes */
};

struct kconfig {
	struct kconfig_line *line; /* sorted by name, each once */
	size_t count;
};

/* Lines that are neither of the two forms, nor empty, nor a comment, are
 * errors with their number; a line of more than 64 KiB too. */
enum err kconfig_parse(struct kconfig *k, const char *text, size_t len, struct why *w);
void kconfig_release(struct kconfig *k);
/* NULL when it is not there. */
const char *kconfig_value(const struct kconfig *k, const char *name);
/* True when the text begins as a whole .config does. */
bool kconfig_is_whole(const char *text);

/* Every symbol of `asked` that did not take, as
 * "CONFIG_X: asked for y, got n (is a dependency missing?)", joined by "; " in
 * `out`. Returns how many. With `prompts` (sorted names) only symbols among
 * those count: a whole .config also holds what the compiler and other symbols
 * determine, which nobody asked for. */
size_t kconfig_verify(const struct kconfig *asked, const struct kconfig *got,
                      const struct kconfig *prompts, struct buf *out);

/* Symbols with a prompt in one Kconfig file: they are what people set. Adds
 * them to `k` (values are empty); call kconfig_sort() at the end. */
void kconfig_add_prompts(struct kconfig *k, const char *text, size_t len);
void kconfig_sort(struct kconfig *k);
/* The same for every Kconfig* file below a directory; no links are followed. */
enum err kconfig_read_prompts(struct kconfig *k, const char *tree_dir, struct why *w);

/* SHA-256 over the .config without its empty lines and its comment lines (a
 * symbol that "is not set" is as one that is not there). */
void kconfig_hash(const char *text, size_t len, char hex[SHA256_HEX]);

#endif
