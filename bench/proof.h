/*
 * proof.h - are the folios what the case asks for? Never inside a timed window.
 *
 * Pages: /proc/self/pagemap (present, page frame number; consecutive within a
 * folio, and both addresses aligned to it) and /proc/kpageflags (compound head
 * where a folio begins, tail in the rest, none for order 0; the page behind the
 * last is no tail of it). Mapping: /proc/self/smaps (one VMA; AnonHugePages 0,
 * as a PMD entry left over would be no PTE case). Over the whole run: what
 * /proc/vmstat and the mTHP counters say of splits and fall-backs.
 *
 * Page frame numbers need CAP_SYS_ADMIN. Without it order 0 is still proved, by
 * the VMA that refuses large folios (VmFlags nh) and was mapped anew; other
 * orders cannot be.
 */
#ifndef FOLDBENCH_PROOF_H
#define FOLDBENCH_PROOF_H

#include "bench/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum proof_answer {
	PROOF_HOLDS,
	PROOF_CANNOT, /* not on this machine or as this user: a skip */
	PROOF_WRONG   /* it is not so: invalid */
};

struct proof {
	const char *means; /* "pagemap", or "vma" without page frame numbers */
	uint64_t pages, folios;
	uint64_t vmas;
	uint64_t anon_huge_kb;
	bool contiguous; /* each folio's pages consecutive and congruent */
};

enum proof_answer proof_folios(const char *at, size_t size, unsigned int order, struct proof *p,
                               struct reason *w);
/* Nothing is mapped there any more: no VMA touches the range. */
enum proof_answer proof_gone(const char *at, size_t size, struct reason *w);

struct counters {
	bool has_split_page, has_split_pmd, has_alloc, has_fallback;
	uint64_t split_page; /* vmstat thp_split_page: folios split into pages */
	uint64_t split_pmd;  /* vmstat thp_split_pmd */
	uint64_t alloc;      /* hugepages-<size>kB/stats/anon_fault_alloc, or thp_fault_alloc */
	uint64_t fallback;   /* .../anon_fault_fallback, or thp_fault_fallback */
};

void counters_read(struct counters *c, unsigned int order);
/* Blocks of the order a PMD maps that are free in all zones, from
 * /proc/buddyinfo; false where it cannot be read. */
bool free_large_blocks(uint64_t *blocks);

#endif
