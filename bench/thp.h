/*
 * thp.h - the kernel's controls for large folios.
 *
 * Only the size that a case asks for is on, and only for who asks by madvise;
 * khugepaged sleeps, the huge zero page and the splitting of half-used folios
 * are off. Every file that is written is remembered and gets its text back
 * from thp_restore(), so that a machine which is not a guest is left as it was.
 */
#ifndef FOLDBENCH_THP_H
#define FOLDBENCH_THP_H

#include "bench/emit.h"
#include "bench/text.h"

#include <stdbool.h>
#include <stddef.h>

#define THP_DIR "/sys/kernel/mm/transparent_hugepage"

enum thp_answer {
	THP_READY,
	THP_CANNOT /* this kernel, or this user, cannot: a skip, with the reason */
};

/* The order whose folio a page-middle-directory entry maps (9 with 4K pages);
 * -1 on a kernel without large folios. */
int thp_pmd_order(void);
/* The file that switches folios of an order on ("" where the kernel has none),
 * relative to THP_DIR. */
void thp_control(unsigned int order, char *out, size_t size);
/* Quiet what works behind a case's back. Once, before the first case. */
void thp_quiet(void);
/* Only folios of this order from now on. */
enum thp_answer thp_only(unsigned int order, struct reason *w);
/* The same of files on tmpfs, beside it. */
enum thp_answer thp_only_file(unsigned int order, struct reason *w);
/* Everything written since the start gets its text back. */
void thp_restore(void);
/* The settings as they are, for the result's `env`. */
void thp_describe(struct emit *e);

#endif
