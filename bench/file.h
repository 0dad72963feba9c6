/*
 * file.h - a private mapping of a file in folios of one order.
 *
 * The file is on tmpfs and has no name. Its folios come of writing it through a
 * shared mapping at r->b that asks for them, as tmpfs gives large folios of any
 * order to such a mapping alone (Linux 6.11, hugepages-<size>kB/shmem_enabled;
 * before that only those that a PMD maps). That mapping goes, and r->a maps the
 * same file privately: every page read, so that PTEs of it are there, and the
 * first page written, which makes it anonymous. A mapping without an anonymous
 * page is not copied by fork(2): its child faults instead.
 */
#ifndef FOLDBENCH_FILE_H
#define FOLDBENCH_FILE_H

#include "bench/bench.h"

/* For open(), ready() and reset(). */
enum run_state file_open(struct run *r);
enum run_state file_ready(struct run *r);
enum run_state file_reset(struct run *r);
/* For prove(): the first page is anonymous, the others are the file's, mapped by
 * PTEs in one VMA, and from the second folio on folios of the case's order. */
enum run_state file_prove(struct run *r, struct proof *p);

#endif
