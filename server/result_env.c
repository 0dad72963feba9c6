/* result_env.c - the conditions of a boot, equal for equal conditions. */
#include "server/result.h"

#include "lib/hash.h"
#include "lib/json.h"

#include <stdlib.h>
#include <string.h>

/* Digits of equal width in place of what differs from boot to boot. */
static void strike(char *text, const char *before, size_t width)
{
	char *at = text;
	size_t i;

	while ((at = strstr(at, before))) {
		at += strlen(before);
		for (i = 0; i < width && at[i] && at[i] != '"' && at[i] != ' '; i++)
			at[i] = '_';
	}
}

void result_env(struct pool *p, const json_t *board, struct boot *b)
{
	json_t *copy = board ? json_copy((json_t *)board) : NULL;
	char *one, *text, hex[SHA256_HEX], *at;

	/* What foldbench said stands in its result, and names the boot. */
	if (copy)
		json_object_del(copy, "guest");
	one = copy ? json_canonical(copy) : NULL;
	text = pool_fmt(p, "{\"board\":%s,\"guest\":%s}", one ? one : "null",
	                b->env ? b->env : "null");
	free(one);
	json_decref(copy);
	if (b->nonce && strlen(b->nonce) >= 8)
		for (at = text; (at = strstr(at, b->nonce));)
			memset(at, '_', strlen(b->nonce));
	strike(text, "foldwatch.nonce=", 16);
	strike(text, "foldwatch.phase=", 4);
	hash_block(text, strlen(text), hex);
	b->env = text;
	b->env_id = pool_str(p, hex);
}
