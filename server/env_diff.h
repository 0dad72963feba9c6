/*
 * env_diff.h - in which fields two environments differ.
 */
#ifndef FOLDWATCH_SERVER_ENV_DIFF_H
#define FOLDWATCH_SERVER_ENV_DIFF_H

#include "lib/err.h"
#include "server/pool.h"

#include <stdbool.h>
#include <stddef.h>

/* "guest.env.cpufreq[0].governor": "powersave" in one, "performance" in the
 * other; as JSON texts but for strings, which stand as they are. NULL: absent. */
struct env_difference {
	const char *field, *one, *other;
};
struct env_differences {
	struct env_difference *at;
	size_t count;
};

/* What differs between two texts of `environment`.body, in the order of fields,
 * added to *out unless that very difference stands there. NULL is an environment
 * that nobody told. All in the pool. */
void env_diff(struct pool *p, const char *one, const char *other, struct env_differences *out);

/* The first three, and how many more: `board.qemu is "7.2" there, "9.1" here; ...`.
 * In the pool; "" when there are none. */
const char *env_diff_words(struct pool *p, const struct env_differences *d);

#endif
