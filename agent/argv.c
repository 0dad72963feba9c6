/*
 * argv.c - see argv.h.
 */
#include "agent/argv.h"

#include "lib/mem.h"

#include <stdarg.h>
#include <stdlib.h>

/* The list stays NULL-terminated after every addition. */
static void push(struct argv *a, char *s)
{
	if (a->n + 2 > a->cap) {
		a->cap = a->cap ? a->cap * 2 : 32;
		a->v = xreallocarray(a->v, a->cap, sizeof(*a->v));
	}
	a->v[a->n++] = s;
	a->v[a->n] = NULL;
}

void argv_add(struct argv *a, ...)
{
	const char *s;
	va_list ap;

	va_start(ap, a);
	while ((s = va_arg(ap, const char *)) != NULL)
		push(a, xstrdup(s));
	va_end(ap);
}

void argv_addf(struct argv *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	push(a, xvasprintf(fmt, ap));
	va_end(ap);
}

void argv_extend(struct argv *a, const char *const *list)
{
	for (; list && *list; list++)
		push(a, xstrdup(*list));
}

const char *const *argv_list(const struct argv *a)
{
	static const char *const empty[] = {NULL};

	return a->v ? (const char *const *)a->v : empty;
}

void argv_pass_env(struct argv *a, const char *name)
{
	const char *value = getenv(name);

	if (value)
		argv_addf(a, "%s=%s", name, value);
}

void argv_release(struct argv *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		free(a->v[i]);
	free(a->v);
	*a = (struct argv){0};
}
