/*
 * argv.h - an argument vector (or an environment) that grows.
 *
 *     struct argv a = {0};
 *     argv_add(&a, "git", "fetch", "--depth=1", NULL);
 *     argv_addf(&a, "+%s:refs/x", commit);
 *     run(argv_list(&a));           NULL-terminated, valid until the next addition
 *     argv_release(&a);
 *
 * Strings are copied. There is no shell anywhere: an argument is one string
 * whatever stands in it.
 */
#ifndef FOLDWATCH_ARGV_H
#define FOLDWATCH_ARGV_H

#include <stddef.h>

struct argv {
	char **v;
	size_t n, cap;
};

void argv_add(struct argv *a, ...) __attribute__((sentinel));
void argv_addf(struct argv *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Append every string of a NULL-terminated list. */
void argv_extend(struct argv *a, const char *const *list);
const char *const *argv_list(const struct argv *a);
/* "K=V" from this process's environment, when it is set there. */
void argv_pass_env(struct argv *a, const char *name);
void argv_release(struct argv *a);

#endif
