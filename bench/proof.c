#include "bench/proof.h"

#include "bench/thp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Documentation/admin-guide/mm/pagemap.rst */
#define PM_PRESENT (1ull << 63)
#define PM_SWAP    (1ull << 62)
#define PM_FILE    (1ull << 61)
#define PM_PFN     ((1ull << 55) - 1)
#define KPF_HEAD   (1ull << 15)
#define KPF_TAIL   (1ull << 16)
#define KPF_THP    (1ull << 22)

#define CHUNK 2048 /* entries of pagemap or kpageflags at a time */

struct walk {
	const char *at;
	uint64_t page;
	unsigned int order;
	int pagemap, flags;
	uint64_t index;   /* of the page that comes next, in the region */
	uint64_t run_pfn; /* the consecutive frames collected so far */
	uint64_t run_len;
	uint64_t run_index;
};

static uint64_t map[CHUNK];
static uint64_t flag[CHUNK + 1];

/* Flags of the frames [run_pfn, run_pfn + run_len), and of the one behind. */
static bool check_flags(struct walk *k, struct reason *w)
{
	uint64_t mask = (1ull << k->order) - 1;
	ssize_t got = pread(k->flags, flag, (k->run_len + 1) * sizeof(flag[0]),
	                    (off_t)(k->run_pfn * sizeof(flag[0])));

	if (got < (ssize_t)(k->run_len * sizeof(flag[0]))) {
		reason_set(w, "/proc/kpageflags ends before frame %llx",
		           (unsigned long long)k->run_pfn + k->run_len);
		return false;
	}
	/* The last frame of memory has none behind it. */
	if (got == (ssize_t)(k->run_len * sizeof(flag[0])))
		flag[k->run_len] = 0;
	for (uint64_t i = 0; i < k->run_len; i++) {
		uint64_t in = (k->run_index + i) & mask;
		uint64_t want = !k->order ? 0 : in ? KPF_TAIL | KPF_THP : KPF_HEAD | KPF_THP;
		uint64_t have = flag[i] & (KPF_HEAD | KPF_TAIL | KPF_THP);

		/* KPF_THP is set on all of a folio, or (older) on its head alone. */
		if ((have & ~KPF_THP) != (want & ~KPF_THP) || (!k->order && have) ||
		    (k->order && !in && !(have & KPF_THP))) {
			reason_set(w, "page %llu is %s of order %u (frame %llx, flags %llx)",
			           (unsigned long long)k->run_index + i,
			           in         ? "no tail of a folio"
			           : k->order ? "no head of a folio"
			                      : "no folio",
			           k->order, (unsigned long long)k->run_pfn + i,
			           (unsigned long long)flag[i]);
			return false;
		}
		if (in == mask && flag[i + 1] & KPF_TAIL) {
			reason_set(w, "the folio that ends at page %llu is larger than order %u",
			           (unsigned long long)k->run_index + i, k->order);
			return false;
		}
	}
	k->run_len = 0;
	return true;
}

static bool take_page(struct walk *k, uint64_t entry, struct reason *w)
{
	uint64_t mask = (1ull << k->order) - 1;
	uint64_t pfn = entry & PM_PFN;
	const char *what = NULL;

	if (!(entry & PM_PRESENT) || entry & PM_SWAP)
		what = "is not present";
	else if (entry & PM_FILE)
		what = "is of a file or shared";
	else if ((pfn ^ ((uintptr_t)k->at / k->page + k->index)) & mask)
		what = "does not lie in memory as in its address, modulo its folio";
	else if (k->index & mask && pfn != k->run_pfn + k->run_len)
		what = "does not follow the page before it in memory";
	if (what) {
		reason_set(w, "page %llu %s (frame %llx, order %u)", (unsigned long long)k->index,
		           what, (unsigned long long)pfn, k->order);
		return false;
	}
	/* Only whole folios are flushed together, so that heads and tails that
	 * belong together are looked at together. */
	if (k->run_len && (pfn != k->run_pfn + k->run_len ||
	                   (!(k->index & mask) && k->run_len + mask + 1 > CHUNK)))
		if (!check_flags(k, w))
			return false;
	if (!k->run_len) {
		k->run_pfn = pfn;
		k->run_index = k->index;
	}
	k->run_len++;
	k->index++;
	return true;
}

static bool walk_pages(struct walk *k, size_t size, struct reason *w)
{
	uint64_t pages = size / k->page;

	while (k->index < pages) {
		uint64_t n = pages - k->index < CHUNK ? pages - k->index : CHUNK;
		off_t off = (off_t)(((uintptr_t)k->at / k->page + k->index) * sizeof(map[0]));
		ssize_t got = pread(k->pagemap, map, n * sizeof(map[0]), off);

		if (got != (ssize_t)(n * sizeof(map[0]))) {
			reason_set(w, "/proc/self/pagemap: %s",
			           got < 0 ? strerror(errno) : "short");
			return false;
		}
		for (uint64_t i = 0; i < n; i++)
			if (!take_page(k, map[i], w))
				return false;
	}
	return !k->run_len || check_flags(k, w);
}

struct span {
	uint64_t vmas, anon_huge_kb, outside;
	bool all_nohuge;
};

/* "ffff8000-ffff9000 rw-p ...": the first line of a VMA in smaps. */
static bool vma_line(const char *line, uintptr_t *from, uintptr_t *to)
{
	char *end;

	*from = (uintptr_t)strtoull(line, &end, 16);
	if (end == line || *end != '-')
		return false;
	line = end + 1;
	*to = (uintptr_t)strtoull(line, &end, 16);
	return end != line && *end == ' ';
}

/* What smaps says of the VMAs that touch [at, at + size). */
static bool read_smaps(const char *at, size_t size, struct span *s, struct reason *w)
{
	uintptr_t start = (uintptr_t)at, end = start + size;
	int fd = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
	bool inside = false;
	struct lines l;
	char *line;

	*s = (struct span){.all_nohuge = true};
	if (fd < 0) {
		reason_set(w, "/proc/self/smaps: %s", strerror(errno));
		return false;
	}
	lines_init(&l, fd);
	while ((line = lines_next(&l))) {
		uintptr_t from, to;
		uint64_t kb;

		if (vma_line(line, &from, &to)) {
			inside = from < end && to > start;
			s->vmas += inside;
			s->outside += inside && (from < start || to > end);
		} else if (inside && line_value(line, "AnonHugePages:", &kb)) {
			s->anon_huge_kb += kb;
		} else if (inside && text_starts(line, "VmFlags:")) {
			s->all_nohuge &= strstr(line, " nh") != NULL;
		}
	}
	close(fd);
	return true;
}

static enum proof_answer proof_mapping(const char *at, size_t size, struct span *s, struct proof *p,
                                       struct reason *w)
{
	if (!read_smaps(at, size, s, w))
		return PROOF_CANNOT;
	p->vmas = s->vmas;
	p->anon_huge_kb = s->anon_huge_kb;
	if (s->vmas != 1 || s->outside) {
		reason_set(w, "the region has %llu VMAs%s instead of one of its own",
		           (unsigned long long)s->vmas, s->outside ? ", which reach outside," : "");
		return PROOF_WRONG;
	}
	if (s->anon_huge_kb) {
		reason_set(w, "%llu kB of the region are mapped by PMD entries, not by PTEs",
		           (unsigned long long)s->anon_huge_kb);
		return PROOF_WRONG;
	}
	return PROOF_HOLDS;
}

enum proof_answer proof_folios(const char *at, size_t size, unsigned int order, struct proof *p,
                               struct reason *w)
{
	struct walk k = {.at = at, .page = (size_t)sysconf(_SC_PAGESIZE), .order = order};
	enum proof_answer answer;
	uint64_t entry = 0;
	struct span s;

	*p = (struct proof){.pages = size / k.page, .folios = (size / k.page) >> order};
	answer = proof_mapping(at, size, &s, p, w);
	if (answer != PROOF_HOLDS)
		return answer;
	k.pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	k.flags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	if (k.pagemap < 0 || k.flags < 0 ||
	    pread(k.pagemap, &entry, sizeof(entry), (off_t)((uintptr_t)at / k.page * 8)) != 8 ||
	    !(entry & PM_PFN)) {
		/* The kernel gives frame number 0 to who may not see them. */
		if (!order && (s.all_nohuge || thp_pmd_order() < 0)) {
			p->means = "vma";
			answer = PROOF_HOLDS;
		} else {
			reason_set(w,
			           "folios of order %u cannot be proved: page frame numbers need "
			           "root (CAP_SYS_ADMIN) and CONFIG_PROC_PAGE_MONITOR",
			           order);
			answer = PROOF_CANNOT;
		}
	} else {
		p->means = "pagemap";
		answer = walk_pages(&k, size, w) ? PROOF_HOLDS : PROOF_WRONG;
		p->contiguous = answer == PROOF_HOLDS;
	}
	if (k.pagemap >= 0)
		close(k.pagemap);
	if (k.flags >= 0)
		close(k.flags);
	return answer;
}

enum proof_answer proof_gone(const char *at, size_t size, struct reason *w)
{
	struct span s;

	if (!read_smaps(at, size, &s, w))
		return PROOF_CANNOT;
	if (s.vmas) {
		reason_set(w, "%llu VMAs are left where the region was unmapped",
		           (unsigned long long)s.vmas);
		return PROOF_WRONG;
	}
	return PROOF_HOLDS;
}

static bool read_number(const char *path, uint64_t *value)
{
	char text[64];
	long len = text_read(path, text, sizeof(text));

	return len > 0 && u64_parse(text, (size_t)len, value);
}

void counters_read(struct counters *c, unsigned int order)
{
	static char text[16384];
	unsigned long kb = ((unsigned long)sysconf(_SC_PAGESIZE) << order) / 1024;
	bool pmd = (int)order == thp_pmd_order();
	char path[160];

	*c = (struct counters){0};
	if (text_read("/proc/vmstat", text, sizeof(text)) < 0)
		text[0] = '\0';
	c->has_split_page = line_value(text, "thp_split_page", &c->split_page);
	c->has_split_pmd = line_value(text, "thp_split_pmd", &c->split_pmd);
	if (!order)
		return;
	snprintf(path, sizeof(path), THP_DIR "/hugepages-%lukB/stats/anon_fault_alloc", kb);
	c->has_alloc = read_number(path, &c->alloc) ||
	               (pmd && line_value(text, "thp_fault_alloc", &c->alloc));
	snprintf(path, sizeof(path), THP_DIR "/hugepages-%lukB/stats/anon_fault_fallback", kb);
	c->has_fallback = read_number(path, &c->fallback) ||
	                  (pmd && line_value(text, "thp_fault_fallback", &c->fallback));
}

bool free_large_blocks(uint64_t *blocks)
{
	int pmd = thp_pmd_order();
	char text[4096], *save = NULL;

	*blocks = 0;
	if (pmd < 0 || text_read("/proc/buddyinfo", text, sizeof(text)) < 0)
		return false;
	/* "Node 0, zone  DMA  1 2 3 ...": a column an order from 0 on. */
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *at = strstr(line, "zone"), *columns = NULL;
		int order = -1;

		at = at ? strtok_r(at + 4, " ", &columns) : NULL; /* the zone's name */
		while (at && (at = strtok_r(NULL, " ", &columns))) {
			uint64_t n;

			if (++order >= pmd && u64_parse(at, strlen(at), &n))
				*blocks += n << (order - pmd);
		}
	}
	return true;
}
