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

#include "bench/cut.h"
#include "bench/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Bits of a pagemap entry (Documentation/admin-guide/mm/pagemap.rst). All but
 * the frame number below them are shown to everybody. */
#define PM_PRESENT   (1ull << 63)
#define PM_SWAP      (1ull << 62)
#define PM_FILE      (1ull << 61) /* of a file, or shared anonymous */
#define PM_EXCLUSIVE (1ull << 56) /* mapped once, here */

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

/* What is expected of a range. Zero in all but the first three: private
 * anonymous memory of this process that is one VMA. */
struct proof_range {
	const char *at;
	size_t size;
	unsigned int order;
	pid_t pid;     /* of another process that maps the same; 0: of this one */
	uint64_t vmas; /* that the range consists of; 0: one */
	bool inner;    /* the range is a part of its VMA */
	bool file;     /* the pages are a file's */
	bool skewed;   /* it begins with a folio, wherever it lies in the address space */
};

enum proof_answer proof_range(const struct proof_range *want, struct proof *p, struct reason *w);
/* The same of this process' private anonymous memory, one VMA. */
enum proof_answer proof_folios(const char *at, size_t size, unsigned int order, struct proof *p,
                               struct reason *w);
/*
 * Of every page's pagemap entry the bits of `mask`: `in` for pages that the cut
 * has, `out` for the others. `what` ends the sentence "page 7 of 512 ...":
 * "is not where the calls left it". Needs no privilege.
 */
struct proof_bits {
	struct cut cut;
	uint64_t mask, in, out;
	const char *what;
};
enum proof_answer proof_bits(const char *at, size_t size, const struct proof_bits *want,
                             struct reason *w);
/* Every page is present and mapped by this process alone; or by another too. */
enum proof_answer proof_exclusive(const char *at, size_t size, bool exclusive, struct reason *w);
/* The VMAs in the range that may be written have so many bytes together. */
enum proof_answer proof_writable(const char *at, size_t size, uint64_t bytes, struct reason *w);
/* The number of VMAs that touch the range. */
enum proof_answer proof_vmas(const char *at, size_t size, uint64_t want, struct reason *w);
/* The sum over the range's VMAs of a line of smaps, "Referenced:" for instance. */
enum proof_answer proof_smaps_kb(const char *at, size_t size, const char *line, uint64_t want_kb,
                                 struct reason *w);
/* Nothing is mapped there any more: no VMA touches the range. */
enum proof_answer proof_gone(const char *at, size_t size, struct reason *w);

/* Of /proc/vmstat, by the kernel's own names: what else went on over a run. */
#define VM_COUNTERS 10
extern const char *const vm_counter[VM_COUNTERS];

struct counters {
	bool has_vm[VM_COUNTERS];
	uint64_t vm[VM_COUNTERS];
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
