#include "lib/place.h"

#include "lib/mem.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_LETTERS                                           \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789_$"
#define FILE_LETTERS NAME_LETTERS "-+.,/"

/* Functions that report what their caller did, print, or are any lock's or
 * copy's own; innermost first they are passed over. */
static const char *const reporters[] = {
        /* how a report is printed */
        "dump_backtrace*", "show_stack*", "dump_stack*", "__dump_stack", "show_regs*", "__warn",
        "__warn_printk", "warn_slowpath*", "report_*", "print_*", "panic", "vpanic", "nmi_panic",
        "die", "__die*", "check_panic_on_warn",
        /* sanitizers and assertions */
        "kasan_*", "__kasan_*", "__asan_*", "check_memory_region*", "kfence_*", "__msan_*",
        "kmsan_*", "kcsan_*", "__tsan_*", "__ubsan_*", "ubsan_*", "refcount_warn_saturate",
        "__list_*", "list_*_valid*", "debug_print_object", "debug_object_*", "__debug_object_*",
        "debug_check_no_obj*", "lookup_object_or_alloc*", "__might_*", "__schedule_bug",
        "debug_smp_processor_id", "check_preemption_disabled", "__this_cpu_preempt_check",
        "fortify_panic", "__fortify_*", "usercopy_*", "__check_object_size", "__stack_chk_fail",
        /* pages and objects */
        "bad_page*", "free_page_is_bad*", "check_new_page*", "free_unref_*", "__free_pages*",
        "free_pages*", "free_frozen_*", "release_pages", "folio_put*", "__folio_put*", "slab_err*",
        "object_err*", "slab_fix*", "check_bytes_and_report", "check_object", "on_freelist",
        "free_to_partial_list", "kfree*", "kmem_cache_*", "__kmalloc*", "warn_alloc*", "__slab_*",
        /* locks and waiting */
        "lockdep_*", "lock_*", "__lock_*", "check_noncircular", "check_prev_add", "validate_chain",
        "check_irq_usage", "mark_lock*", "mark_usage", "_raw_*", "mutex_*", "__mutex_*", "down_*",
        "__down_*", "rwsem_*", "schedule", "__schedule", "schedule_*", "io_schedule*",
        /* copies */
        "memcpy*", "memset*", "memmove*", "memcmp*", "__memcpy*", "__memset*", "__memmove*",
        "__pi_mem*", "__pi_str*", "strlen", "strnlen", "strcmp", "strncmp", "strcpy", "strscpy",
        "__arch_copy_*", "__arch_clear_user"};

/* A headline's FILE:LINE of these kinds is that of the code at fault, whichever
 * function prints it. */
static const char *const says_culprit[] = {"ubsan", "atomic-sleep", "bad-pgtable"};
/* Kinds whose headline is the kernel's own text, no name of a process before
 * FILE:LINE. */
static const char *const says_place[] = {"warning", "bug", "ubsan", "atomic-sleep", "bad-pgtable"};

/* Faults of memory management whatever file prints them. */
static const char *const mm_kinds[] = {"bad-page",      "bad-map",     "rss-counter",
                                       "page-dump",     "slub",        "oom",
                                       "alloc-failure", "bad-pgtable", "leak"};

/* Headers whose inlined code is memory management wherever it was compiled. */
static const char *const mm_headers[] = {
        "include/linux/mm*.h",        "include/linux/rmap.h",      "include/linux/huge_mm.h",
        "include/linux/hugetlb*.h",   "include/linux/page*.h",     "include/linux/pgtable*.h",
        "include/linux/pgalloc*.h",   "include/linux/swap*.h",     "include/linux/memcontrol.h",
        "include/linux/migrate*.h",   "include/linux/gfp*.h",      "include/linux/vmstat.h",
        "include/linux/userfaultfd*", "include/linux/ksm.h",       "include/linux/khugepaged.h",
        "include/linux/leafops.h",    "include/linux/highmem*.h",  "include/linux/slab*.h",
        "include/asm-generic/tlb.h",  "include/asm-generic/pg*.h", "arch/*/include/asm/pg*.h",
        "arch/*/include/asm/tlb*.h",  "arch/*/include/asm/mmu*.h", "arch/*/include/asm/page*.h"};

static bool among(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; word && i < n; i++)
		if (fnmatch(list[i], word, 0) == 0)
			return true;
	return false;
}

/* "copy_page_range.isra.0" to "copy_page_range"; NULL for what is no name. */
static char *plain(const char *name, size_t len)
{
	size_t n = strspn(name, NAME_LETTERS);

	n = n > len ? len : n;
	return n && n <= 200 ? xstrndup(name, n) : NULL;
}

/* ---- what the log says */

/* "mm/rmap.c:208" somewhere in a text. */
static char *said_file(const char *text, unsigned int *line)
{
	static const char *const ends[] = {".c", ".h", ".S", ".rs"};

	for (const char *at = strchr(text, ':'); at; at = strchr(at + 1, ':')) {
		const char *start = at;
		char *file;

		if (!isdigit((unsigned char)at[1]))
			continue;
		while (start > text && strchr(FILE_LETTERS, start[-1]))
			start--;
		while (str_starts(start, "./"))
			start += 2;
		if (at - start < 3 || at - start > 256)
			continue;
		file = xstrndup(start, (size_t)(at - start));
		for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
			if (!str_ends(file, ends[i]))
				continue;
			*line = (unsigned int)strtoul(at + 1, NULL, 10);
			return file;
		}
		free(file);
	}
	return NULL;
}

struct candidate {
	const char *name;
	size_t len;
	uint64_t offset, size;
	bool exact, module;
};

/* "=copy_page_range+0x8a4/0xb50 [xfs]" at the start of a text. */
static bool read_frame(const char *at, struct candidate *c)
{
	char *end;

	c->exact = *at == '=';
	c->name = at + c->exact;
	c->len = strcspn(c->name, "+\n");
	if (!str_starts(c->name + c->len, "+0x"))
		return false;
	c->offset = strtoull(c->name + c->len + 1, &end, 16);
	if (*end != '/')
		return false;
	c->size = strtoull(end + 1, &end, 16);
	c->module = str_starts(end, " [");
	return true;
}

/* The function that the scan found, with the offset its report has for it. */
static void headline_frame(const struct fault *f, struct candidate *c)
{
	size_t len = strlen(f->function);
	const char *texts[] = {f->text, f->trace ? f->trace : ""};

	*c = (struct candidate){.name = f->function, .len = len, .exact = true};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		for (const char *at = strstr(texts[i], f->function); at;
		     at = strstr(at + 1, f->function)) {
			struct candidate found;

			if ((at > texts[i] && strchr(NAME_LETTERS ".", at[-1])) ||
			    !read_frame(at, &found) || found.len != len)
				continue;
			c->offset = found.offset;
			c->size = found.size;
			c->module = found.module;
			c->exact = i == 0 || (at > texts[i] && at[-1] == '=');
			return;
		}
	}
}

static void choose(struct place_ask *ask, const struct candidate *c)
{
	free(ask->name);
	free(ask->function);
	ask->name = xstrndup(c->name, c->len);
	ask->function = plain(c->name, c->len);
	ask->module = c->module;
	ask->frame = (struct decode_ask){c->size ? ask->name : NULL, c->offset, c->size, c->exact};
}

/* True when it is not one that only reports. */
static bool consider(struct place_ask *ask, const struct candidate *c)
{
	char *name = plain(c->name, c->len);
	bool good = name && !among(name, reporters, ARRAY_SIZE(reporters));

	free(name);
	if (good || !ask->function)
		choose(ask, c);
	return good;
}

void place_ask(const struct fault *f, struct place_ask *ask)
{
	struct candidate c;
	bool found = false, first = true, fits = true;
	const char *at = f->trace;

	*ask = (struct place_ask){.reporter = false};
	if (f->function) {
		headline_frame(f, &c);
		found = consider(ask, &c);
		fits = found;
		first = false;
	}
	while (!found && at && *at) {
		if (read_frame(at, &c)) {
			found = consider(ask, &c);
			/* A trace that begins with printing is that of a headline which
			 * names no function. */
			fits = first ? found || !c.exact : fits;
			first = false;
		}
		at = strchr(at, '\n');
		at += at != NULL;
	}
	ask->reporter = !found && ask->function;
	if (!among(f->kind, says_place, ARRAY_SIZE(says_place)))
		return;
	if (fits || among(f->kind, says_culprit, ARRAY_SIZE(says_culprit)))
		ask->said = said_file(f->text, &ask->said_line);
}

void place_ask_release(struct place_ask *ask)
{
	free(ask->name);
	free(ask->function);
	free(ask->said);
	*ask = (struct place_ask){.reporter = false};
}

/* ---- what may be known */

bool place_is_mm(const char *file)
{
	return file && (str_starts(file, "mm/") || strstr(file, "/mm/"));
}

static bool in_mm(const char *file)
{
	return place_is_mm(file) || among(file, mm_headers, ARRAY_SIZE(mm_headers));
}

static const char never_mm[] = "a fault of mm/ or arch/*/mm is never a known one";
static const char never_kind[] =
        "this kind is memory management's own, whatever prints it: never a known one";
static const char never_undecoded[] =
        "its file is unknown, so it cannot be shown not to be of mm/: never a known one";
static const char never_fatal[] = "the kernel does not go on after it: its boots cannot count";
static const char never_word[] =
        "expected KIND:FUNCTION:FILE as `foldwatch faults` or a boot shows it";

static const char *kind_never(const char *kind)
{
	size_t n;
	const struct scan_pattern *table = scan_table(&n);
	bool known = false, survives = false;

	if (among(kind, mm_kinds, ARRAY_SIZE(mm_kinds)))
		return never_kind;
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(table[i].kind, kind))
			continue;
		known = true;
		survives = survives || !table[i].fatal;
	}
	return !known ? never_word : !survives ? never_fatal : NULL;
}

const char *place_never(const char *signature)
{
	const char *function = strchr(signature, ':');
	const char *file = function ? strchr(function + 1, ':') : NULL, *never;
	size_t len;
	char *kind;

	if (!file || strlen(signature) > PLACE_SIGNATURE_MAX)
		return never_word;
	len = (size_t)(file - function - 1);
	kind = xstrndup(signature, (size_t)(function - signature));
	never = kind_never(kind);
	free(kind);
	if (never)
		return never;
	function++;
	file++;
	if (!len || !*file || strspn(file, FILE_LETTERS) != strlen(file) ||
	    (strspn(function, NAME_LETTERS) != len && !(len == 1 && *function == '-')))
		return never_word;
	if (in_mm(file))
		return never_mm;
	if (str_eq(file, "-") || str_ends(file, ".h"))
		return never_undecoded;
	return NULL;
}

/* ---- the whole */

static void set_file(const struct place_ask *ask, const struct decoded *d, const char *why,
                     struct place *out)
{
	if (d && d->unit && !ask->reporter) {
		out->file = xstrdup(d->unit);
		out->decoded = true;
	} else if (ask->reporter) {
		out->why = xstrdup("the log names nothing but the function that reports it");
	} else {
		out->why = xstrdup(ask->module                ? "it is in a module"
		                   : d && d->why              ? d->why
		                   : !ask->frame.name && !why ? "the log names no function"
		                   : why                      ? why
		                                              : "nothing is known of it");
		if (ask->said && !str_ends(ask->said, ".h"))
			out->file = xstrdup(ask->said);
	}
}

void place_of(const struct fault *f, const struct place_ask *ask, const struct decoded *d,
              const char *why, struct place *out)
{
	*out = (struct place){.function = ask->function ? xstrdup(ask->function) : NULL};
	set_file(ask, d, why, out);
	if (ask->said)
		out->where = xasprintf("%s:%u", ask->said, ask->said_line);
	else if (out->decoded && d->file && d->line)
		out->where = xasprintf("%s:%u", d->file, d->line);
	else if (d && d->object && !out->file)
		out->where = xstrdup(d->object);
	out->signature = xasprintf("%s:%s:%s", f->kind, out->function ? out->function : "-",
	                           out->file ? out->file : "-");
	out->never = f->fatal ? never_fatal : place_never(out->signature);
	/* What the file does not tell: code inlined from mm's headers, and a
	 * report that began with a page's dump. */
	if (!out->never && (in_mm(ask->said) || f->paged || (d && in_mm(d->file))))
		out->never = never_mm;
}

void place_release(struct place *p)
{
	free(p->function);
	free(p->file);
	free(p->where);
	free(p->signature);
	free(p->why);
	*p = (struct place){.function = NULL};
}
