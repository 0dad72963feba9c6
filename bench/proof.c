#include "bench/proof.h"

#include "bench/thp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Documentation/admin-guide/mm/pagemap.rst */
#define PM_PFN   ((1ull << 55) - 1)
#define KPF_HEAD (1ull << 15)
#define KPF_TAIL (1ull << 16)
#define KPF_THP  (1ull << 22)

#define CHUNK 2048 /* entries of pagemap or kpageflags at a time */

struct walk {
	const char *at;
	uint64_t page;
	unsigned int order;
	bool file, skewed;
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
	uint64_t place = k->index + (k->skewed ? 0 : (uintptr_t)k->at / k->page);
	const char *what = NULL;

	if (!(entry & PM_PRESENT) || entry & PM_SWAP)
		what = "is not present";
	else if (!(entry & PM_FILE) != !k->file)
		what = k->file ? "is not the file's" : "is of a file or shared";
	else if ((pfn ^ place) & mask)
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

/* The entries of some pages from page number `first` of the address space on. */
static bool read_entries(int fd, uint64_t first, uint64_t n, struct reason *w)
{
	ssize_t got = pread(fd, map, n * sizeof(map[0]), (off_t)(first * sizeof(map[0])));

	if (got == (ssize_t)(n * sizeof(map[0])))
		return true;
	reason_set(w, "pagemap: %s", got < 0 ? strerror(errno) : "short");
	return false;
}

static bool walk_pages(struct walk *k, size_t size, struct reason *w)
{
	uint64_t pages = size / k->page;

	while (k->index < pages) {
		uint64_t n = pages - k->index < CHUNK ? pages - k->index : CHUNK;

		if (!read_entries(k->pagemap, (uintptr_t)k->at / k->page + k->index, n, w))
			return false;
		for (uint64_t i = 0; i < n; i++)
			if (!take_page(k, map[i], w))
				return false;
	}
	return !k->run_len || check_flags(k, w);
}

/* A file of a process in /proc; pid 0 is this one. */
static int open_proc(pid_t pid, const char *name)
{
	char path[64];

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	else
		snprintf(path, sizeof(path), "/proc/self/%s", name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

struct span {
	uint64_t vmas, outside;
	uint64_t anon_huge_kb;
	uint64_t file_pmd_kb; /* pages of files that PMD entries map */
	uint64_t line_kb;     /* of the line that was asked for */
	uint64_t writable;    /* bytes of VMAs that may be written */
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

/* What smaps says of the VMAs that touch [at, at + size); `sum` names a further
 * line to add up, or is NULL. */
static bool read_smaps(pid_t pid, const char *at, size_t size, const char *sum, struct span *s,
                       struct reason *w)
{
	uintptr_t start = (uintptr_t)at, end = start + size;
	int fd = open_proc(pid, "smaps");
	bool inside = false;
	struct lines l;
	char *line;

	*s = (struct span){.all_nohuge = true};
	if (fd < 0) {
		reason_set(w, "smaps: %s", strerror(errno));
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
			if (inside && strstr(line, " rw"))
				s->writable += to - from;
		} else if (inside && sum && line_value(line, sum, &kb)) {
			s->line_kb += kb;
		} else if (inside && line_value(line, "AnonHugePages:", &kb)) {
			s->anon_huge_kb += kb;
		} else if (inside && (line_value(line, "ShmemPmdMapped:", &kb) ||
		                      line_value(line, "FilePmdMapped:", &kb))) {
			s->file_pmd_kb += kb;
		} else if (inside && text_starts(line, "VmFlags:")) {
			s->all_nohuge &= strstr(line, " nh") != NULL;
		}
	}
	close(fd);
	return true;
}

static enum proof_answer proof_mapping(const struct proof_range *want, struct span *s,
                                       struct proof *p, struct reason *w)
{
	uint64_t vmas = want->vmas ? want->vmas : 1;

	if (!read_smaps(want->pid, want->at, want->size, NULL, s, w))
		return PROOF_CANNOT;
	p->vmas = s->vmas;
	p->anon_huge_kb = s->anon_huge_kb;
	if (s->vmas != vmas || (s->outside && !want->inner)) {
		if (vmas == 1)
			reason_set(w, "the region has %llu VMAs%s instead of one of its own",
			           (unsigned long long)s->vmas,
			           s->outside ? ", which reach outside," : "");
		else
			reason_set(w, "the region has %llu VMAs instead of %llu",
			           (unsigned long long)s->vmas, (unsigned long long)vmas);
		return PROOF_WRONG;
	}
	if (s->anon_huge_kb || s->file_pmd_kb) {
		reason_set(w, "%llu kB of the region are mapped by PMD entries, not by PTEs",
		           (unsigned long long)s->anon_huge_kb + s->file_pmd_kb);
		return PROOF_WRONG;
	}
	return PROOF_HOLDS;
}

enum proof_answer proof_range(const struct proof_range *want, struct proof *p, struct reason *w)
{
	struct walk k = {.at = want->at,
	                 .page = (size_t)sysconf(_SC_PAGESIZE),
	                 .order = want->order,
	                 .file = want->file,
	                 .skewed = want->skewed};
	enum proof_answer answer;
	uint64_t entry = 0;
	struct span s;

	*p = (struct proof){.pages = want->size / k.page,
	                    .folios = (want->size / k.page) >> want->order};
	answer = proof_mapping(want, &s, p, w);
	if (answer != PROOF_HOLDS)
		return answer;
	k.pagemap = open_proc(want->pid, "pagemap");
	k.flags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	if (k.pagemap < 0 || k.flags < 0 ||
	    pread(k.pagemap, &entry, sizeof(entry), (off_t)((uintptr_t)k.at / k.page * 8)) != 8 ||
	    !(entry & PM_PFN)) {
		/* The kernel gives frame number 0 to who may not see them. */
		if (!want->order && (s.all_nohuge || thp_pmd_order() < 0)) {
			p->means = "vma";
			answer = PROOF_HOLDS;
		} else {
			reason_set(w,
			           "folios of order %u cannot be proved: page frame numbers need "
			           "root (CAP_SYS_ADMIN) and CONFIG_PROC_PAGE_MONITOR",
			           want->order);
			answer = PROOF_CANNOT;
		}
	} else {
		p->means = "pagemap";
		answer = walk_pages(&k, want->size, w) ? PROOF_HOLDS : PROOF_WRONG;
		p->contiguous = answer == PROOF_HOLDS;
	}
	if (k.pagemap >= 0)
		close(k.pagemap);
	if (k.flags >= 0)
		close(k.flags);
	return answer;
}

enum proof_answer proof_folios(const char *at, size_t size, unsigned int order, struct proof *p,
                               struct reason *w)
{
	struct proof_range want = {.at = at, .size = size, .order = order};

	return proof_range(&want, p, w);
}

enum proof_answer proof_bits(const char *at, size_t size, const struct proof_bits *want,
                             struct reason *w)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t pages = size / page, n;
	enum proof_answer answer = PROOF_HOLDS;
	int fd = open_proc(0, "pagemap");

	if (fd < 0) {
		reason_set(w, "/proc/self/pagemap: %s", strerror(errno));
		return PROOF_CANNOT;
	}
	for (uint64_t at_page = 0; at_page < pages && answer == PROOF_HOLDS; at_page += n) {
		n = pages - at_page < CHUNK ? pages - at_page : CHUNK;
		if (!read_entries(fd, (uintptr_t)at / page + at_page, n, w))
			answer = PROOF_WRONG;
		for (uint64_t i = 0; i < n && answer == PROOF_HOLDS; i++) {
			bool in = cut_has(&want->cut, (at_page + i) * page);

			if ((map[i] & want->mask) == (in ? want->in : want->out))
				continue;
			reason_set(w, "page %llu of %llu %s (pagemap %llx)",
			           (unsigned long long)at_page + i, (unsigned long long)pages,
			           want->what, (unsigned long long)map[i]);
			answer = PROOF_WRONG;
		}
	}
	close(fd);
	return answer;
}

enum proof_answer proof_exclusive(const char *at, size_t size, bool exclusive, struct reason *w)
{
	const struct proof_bits want = {
	        .mask = PM_PRESENT | PM_EXCLUSIVE,
	        .out = PM_PRESENT | (exclusive ? PM_EXCLUSIVE : 0),
	        .what = exclusive ? "is not mapped by this process alone"
	                          : "is not mapped by this process and another"};

	return proof_bits(at, size, &want, w);
}

enum proof_answer proof_writable(const char *at, size_t size, uint64_t bytes, struct reason *w)
{
	struct span s;

	if (!read_smaps(0, at, size, NULL, &s, w))
		return PROOF_CANNOT;
	if (s.writable == bytes)
		return PROOF_HOLDS;
	reason_set(w, "%llu bytes of the region may be written, expected %llu",
	           (unsigned long long)s.writable, (unsigned long long)bytes);
	return PROOF_WRONG;
}

enum proof_answer proof_vmas(const char *at, size_t size, uint64_t want, struct reason *w)
{
	struct span s;

	if (!read_smaps(0, at, size, NULL, &s, w))
		return PROOF_CANNOT;
	if (s.vmas == want)
		return PROOF_HOLDS;
	if (want)
		reason_set(w, "the region has %llu VMAs instead of %llu",
		           (unsigned long long)s.vmas, (unsigned long long)want);
	else
		reason_set(w, "%llu VMAs are left where the region was unmapped",
		           (unsigned long long)s.vmas);
	return PROOF_WRONG;
}

enum proof_answer proof_gone(const char *at, size_t size, struct reason *w)
{
	return proof_vmas(at, size, 0, w);
}

enum proof_answer proof_smaps_kb(const char *at, size_t size, const char *line, uint64_t want_kb,
                                 struct reason *w)
{
	struct span s;

	if (!read_smaps(0, at, size, line, &s, w))
		return PROOF_CANNOT;
	if (s.line_kb == want_kb)
		return PROOF_HOLDS;
	reason_set(w, "smaps says \"%s %llu kB\" of the region, expected %llu kB", line,
	           (unsigned long long)s.line_kb, (unsigned long long)want_kb);
	return PROOF_WRONG;
}

static bool read_number(const char *path, uint64_t *value)
{
	char text[64];
	long len = text_read(path, text, sizeof(text));

	return len > 0 && u64_parse(text, (size_t)len, value);
}

const char *const vm_counter[VM_COUNTERS] = {
        "pgfault",        "pgmajfault",     "pswpin",        "pswpout",  "pgmigrate_success",
        "pgsteal_kswapd", "pgsteal_direct", "compact_stall", "oom_kill", "thp_collapse_alloc",
};

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
	for (size_t i = 0; i < VM_COUNTERS; i++)
		c->has_vm[i] = line_value(text, vm_counter[i], &c->vm[i]);
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
