/*
 * system.h - what kernel and machine this is: the result's first line.
 */
#ifndef FOLDBENCH_SYSTEM_H
#define FOLDBENCH_SYSTEM_H

#include "bench/emit.h"
#include "bench/meter.h"

#include <stdint.h>

#define NONCE_SIZE 17 /* 16 hex digits and a NUL */
#define FORMAT     1  /* of the result; docs/foldbench-format.md */

/* The `begin` line. */
void system_begin(struct emit *e, const char *nonce, unsigned int phase_pages, enum metric metric);
/* /proc/sys/kernel/tainted; 0 where it cannot be read. */
uint64_t system_taint(void);
/* The GNU build-id note of an ELF note section as hex; "" where there is none.
 * Words are in the machine's byte order, as the kernel shows its own notes. */
void build_id_from_notes(const void *notes, size_t len, char *out, size_t size);

#endif
