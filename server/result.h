/*
 * result.h - reading what foldbench wrote (docs/foldbench-format.md).
 *
 *     struct boot b = boot_blank();
 *     const char *torn;
 *     e = result_read(p, text, len, &want, &b, &torn, &w);
 *
 * ERR_UNPROCESSABLE for a whole result that is nonsense: the sentence begins
 * with "result:LINE: FIELD: ". OK with *torn a sentence when the end line, its
 * length or its CRC do not fit: nothing of it is read then. Otherwise `b` has
 * metric, unit, better, nonce, build_id, boot_uuid, bench, taints, env and
 * runs; all of it in the pool.
 */
#ifndef FOLDWATCH_SERVER_RESULT_H
#define FOLDWATCH_SERVER_RESULT_H

#include "server/store_boot.h"

#include <jansson.h>

struct result_want {
	const char *nonce;     /* NULL: any (imports) */
	const char *build_ids; /* separated by a space; NULL or "": any */
	const char *metric;    /* NULL: any */
	const char *plan;      /* NULL: whatever it holds */
};

struct result_head {
	const char *release, *version, *machine;
};

enum err result_read(struct pool *p, const char *text, size_t len, const struct result_want *want,
                     struct boot *b, struct result_head *head, const char **torn, struct why *w);
/* From what the agent says of the board (`board`; may be NULL, its "guest" is left
 * out), what foldbench says of the guest (b->env) and b->bench: what must be equal
 * for numbers to be compared in b->env and b->env_id, what belongs to the kernel
 * under test in b->traits and b->traits_id. Nonce and phase are struck out. */
void result_env(struct pool *p, const json_t *board, struct boot *b);

#endif
