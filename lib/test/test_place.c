/* Where faults were: signatures from excerpts, and lines from a vmlinux with DWARF. */
#include "lib/place.h"

#include "lib/decode.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/test/elf_file.h"
#include "lib/test/tmpdir.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

/* ---- signatures from the log alone */

#define CUT "------------[ cut here ]------------\n"
#define END "---[ end trace 0000000000000000 ]---\n"
#define PC(f, off)                                                          \
	"CPU: 2 UID: 0 PID: 1 Comm: systemd Not tainted 6.12.117 #1\n"      \
	"pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)\n" \
	"pc : " f off "\nlr : dup_mmap+0x2f0/0x5d0\nsp : ffff800080123a90\n"
#define BY_PRINTING                                                           \
	"CPU: 0 UID: 0 PID: 611 Comm: gmain Not tainted 6.12.117 #1\n"        \
	"Call trace:\n show_stack+0x18/0x24 (C)\n dump_stack_lvl+0x60/0x80\n" \
	" dump_stack+0x18/0x24\n"

static const struct {
	const char *log, *signature, *where, *never;
} logs[] = {
        /* A WARN of a driver's own file: what may be listed. */
        {CUT "WARNING: CPU: 2 PID: 1 at drivers/foo/probe.c:208 foo_probe+0x8a4/0xb50\n" PC(
                 "foo_probe", "+0x8a4/0xb50") END,
         "warning:foo_probe:drivers/foo/probe.c", "drivers/foo/probe.c:208", NULL},
        /* The same of another build: other numbers, an outlined copy, another task. */
        {CUT "WARNING: CPU: 0 PID: 77 at drivers/foo/probe.c:211 "
             "foo_probe.constprop.0.isra.0+0x20/0x90\n" END,
         "warning:foo_probe:drivers/foo/probe.c", "drivers/foo/probe.c:211", NULL},
        {CUT "WARNING: drivers/foo/probe.c:1274 at foo_probe+0x1b0/0x200, CPU#2: systemd/1\n" END,
         "warning:foo_probe:drivers/foo/probe.c", "drivers/foo/probe.c:1274", NULL},
        {CUT "WARNING: drivers/foo/probe.c:1274 at foo_probe, CPU#2: mm/x.c:3/1\n" END,
         "warning:foo_probe:drivers/foo/probe.c", "drivers/foo/probe.c:1274", NULL},
        /* mm, by its path */
        {CUT "WARNING: CPU: 1 PID: 9 at mm/rmap.c:12 folio_add_anon_rmap+0x4/0x50\n" END,
         "warning:folio_add_anon_rmap:mm/rmap.c", "mm/rmap.c:12", "mm/"},
        {CUT
         "WARNING: CPU: 1 PID: 9 at ./arch/arm64/mm/contpte.c:12 contpte_convert+0x4/0x50\n" END,
         "warning:contpte_convert:arch/arm64/mm/contpte.c", "arch/arm64/mm/contpte.c:12", "mm/"},
        {CUT "WARNING: CPU: 1 PID: 9 at /build/linux/mm/rmap.c:12 f+0x4/0x50\n" END,
         "warning:f:/build/linux/mm/rmap.c", "/build/linux/mm/rmap.c:12", "mm/"},
        /* A header of mm's in whatever was compiled: unknown without a vmlinux, and never. */
        {CUT "WARNING: CPU: 2 PID: 1 at include/linux/rmap.h:208 "
             "copy_page_range+0x8a4/0xb50\n" PC("copy_page_range", "+0x8a4/0xb50") END,
         "warning:copy_page_range:-", "include/linux/rmap.h:208", "unknown"},
        {CUT "WARNING: CPU: 2 PID: 1 at include/linux/cpumask.h:145 f+0x4/0x50\n" END,
         "warning:f:-", "include/linux/cpumask.h:145", "unknown"},
        /* Whose WARN began with the dump of a page is mm's. */
        {"page: refcount:1 mapcount:0 mapping:0 index:0x1 pfn:0x12a094\n"
         "page dumped because: VM_WARN_ON_FOLIO(folio_test_large(folio))\n" CUT
         "WARNING: CPU: 2 PID: 1 at fs/foo.c:208 foo+0x4/0x50\n" END,
         "warning:foo:fs/foo.c", "fs/foo.c:208", "mm/"},
        /* Those that only report: who called is at fault. */
        {CUT "refcount_t: underflow; use-after-free.\n"
             "WARNING: CPU: 1 PID: 8 at lib/refcount.c:28 refcount_warn_saturate+0xf4/0x148\n" PC(
                     "refcount_warn_saturate",
                     "+0xf4/0x148") "Call trace:\n refcount_warn_saturate+0xf4/0x148 (P)\n"
                                    " __mmdrop+0x30/0x1a0\n finish_task_switch+0x1/0x2\n" END,
         "refcount:__mmdrop:-", NULL, "unknown"},
        {CUT "list_del corruption. prev->next should be ffff, but was 0.\n"
             "WARNING: CPU: 0 PID: 1 at lib/list_debug.c:29 "
             "__list_del_entry_valid_or_report+0x1c/0x50\n" END,
         "list-corruption:__list_del_entry_valid_or_report:-", NULL, "unknown"},
        {CUT "UBSAN: array-index-out-of-bounds in drivers/foo/a.c:212:14\n"
             "index 16 is out of range for type 'int [16]'\n" BY_PRINTING
             " ubsan_epilogue+0x14/0x50\n __ubsan_handle_out_of_bounds+0x7c/0xb0\n"
             " foo_set+0x220/0x300\n---[ end trace ]---\n",
         "ubsan:foo_set:drivers/foo/a.c", "drivers/foo/a.c:212", NULL},
        {CUT "UBSAN: array-index-out-of-bounds in mm/mremap.c:212:14\n---[ end trace ]---\n",
         "ubsan:-:mm/mremap.c", "mm/mremap.c:212", "mm/"},
        {"BUG: sleeping function called from invalid context at kernel/foo.c:12\n"
         "in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 77, name: fork\n" BY_PRINTING
         " __might_resched+0x10c/0x150\n foo_wait+0x10/0x20\n",
         "atomic-sleep:foo_wait:kernel/foo.c", "kernel/foo.c:12", NULL},
        {"BUG: KASAN: slab-use-after-free in foo_free+0x1c/0x50\n"
         "Read of size 8 at addr ffff00000a1b2c40 by task fork/312\n" BY_PRINTING
         " print_report+0x1/0x2\n kasan_report+0x1/0x2\n foo_free+0x1c/0x50\n",
         "kasan:foo_free:-", NULL, "unknown"},
        /* x86, with a module and frames that only may be there */
        {CUT "WARNING: CPU: 0 PID: 512 at fs/foo.c:12 foo_write+0x1c/0x50 [foo]\n"
             "RIP: 0010:foo_write+0x1c/0x50 [foo]\nCall Trace:\n <TASK>\n ? __warn+0x81/0x130\n"
             " do_syscall_64+0x5d/0x90\n </TASK>\n" END,
         "warning:foo_write:fs/foo.c", "fs/foo.c:12", NULL},
        /* Kinds that are mm's whatever prints them */
        {"BUG: Bad page state in process mm/x.c:1  pfn:12a094\n"
         "page: refcount:12 mapcount:1 mapping:0 index:0x1c0 pfn:0x12a094\n"
         "page dumped because: nonzero mapcount\n" BY_PRINTING
         " bad_page+0x90/0x130\n free_unref_folios+0x4/0x8\n zap_present_ptes+0x4/0x8\n",
         "bad-page:zap_present_ptes:-", NULL, "management"},
        {"BUG: Bad rss-counter state mm:00000000de3b1c8a type:MM_ANONPAGES val:-16\n",
         "rss-counter:-:-", NULL, "management"},
        {"mm/pgtable-generic.c:54: bad pmd 0068000041a00f51.\n",
         "bad-pgtable:-:mm/pgtable-generic.c", "mm/pgtable-generic.c:54", "management"},
        {"fork: page allocation failure: order:9, mode:0x1c20ca(GFP_TRANSHUGE_LIGHT)\n",
         "alloc-failure:-:-", NULL, "management"},
        /* The kernel died. */
        {CUT "kernel BUG at drivers/foo/a.c:1234!\n"
             "Internal error: Oops - BUG: 00000000f2000800 [#1] SMP\n" PC("foo_a", "+0x4/0x8") END,
         "bug:foo_a:drivers/foo/a.c", "drivers/foo/a.c:1234", "go on"},
        {CUT "kernel BUG at lib/list_debug.c:62!\n" PC("__list_del_entry_valid_or_report",
                                                       "+0xb8/0xc0") " foo_a+0x4/0x8\n" END,
         "bug:foo_a:-", NULL, "go on"},
        {"Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b\n", "panic:-:-",
         NULL, "go on"},
        {"watchdog: BUG: soft lockup - CPU#2 stuck for 26s! [drivers/a.c:77]\n" PC("foo_loop",
                                                                                   "+0x8/0x10"),
         "soft-lockup:foo_loop:-", NULL, "unknown"},
        /* What nobody prints by chance */
        {CUT "WARNING: CPU: 2 PID: 1 at a b.c:208 f;rm+0x8a4/0xb50\n" END, "warning:rm:b.c",
         "b.c:208", NULL},
        {"WARNING: CPU: 2 PID: 1 at :.c:1:.c:99999999999999999999 \xff\xfe+0x1/0x2\n",
         "warning:-:-", NULL, "unknown"},
};

static void signatures(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		struct scan *s = scan_new(0);
		struct place_ask ask;
		struct place p;

		scan_feed(s, logs[i].log, strlen(logs[i].log));
		scan_end(s);
		assert_true(scan_count(s) >= 1);
		place_ask(scan_fault(s, 0), &ask);
		place_of(scan_fault(s, 0), &ask, NULL, NULL, &p);
		if (strcmp(p.signature, logs[i].signature) != 0)
			fail_msg("log %zu: %s where %s was expected", i, p.signature,
			         logs[i].signature);
		if (!str_eq(p.where, logs[i].where))
			fail_msg("%s at %s", p.signature, p.where ? p.where : "-");
		if (logs[i].never ? !p.never || !strstr(p.never, logs[i].never) : p.never != NULL)
			fail_msg("%s: %s", p.signature, p.never ? p.never : "may be listed");
		assert_false(p.decoded);
		place_release(&p);
		place_ask_release(&ask);
		scan_free(s);
	}
}

static void who_may_be_listed(void **state)
{
	static const struct {
		const char *signature, *never;
	} rows[] = {
	        {"warning:f:kernel/foo.c", NULL},
	        {"warning:-:kernel/foo.c", NULL},
	        {"warning:f:arch/arm64/kernel/foo.S", NULL},
	        {"kasan:f:drivers/a.c", NULL},
	        {"warning:f:mm/foo.c", "mm/"},
	        {"warning:f:arch/x86/mm/foo.c", "mm/"},
	        {"warning:f:./mm/foo.c", "mm/"},
	        {"warning:f:kernel/../mm/foo.c", "mm/"},
	        {"warning:f:include/linux/mm_inline.h", "mm/"},
	        {"warning:f:arch/arm64/include/asm/pgtable.h", "mm/"},
	        {"warning:f:include/linux/cpumask.h", "unknown"},
	        {"warning:f:-", "unknown"},
	        {"bad-page:f:drivers/a.c", "management"},
	        {"bad-map:f:drivers/a.c", "management"},
	        {"rss-counter:f:drivers/a.c", "management"},
	        {"bad-pgtable:f:drivers/a.c", "management"},
	        {"oops:f:drivers/a.c", "go on"},
	        {"panic:f:drivers/a.c", "go on"},
	        {"", "expected"},
	        {"warning", "expected"},
	        {"warning:f", "expected"},
	        {"warning::kernel/foo.c", "expected"},
	        {"warning:f:", "expected"},
	        {":f:kernel/foo.c", "expected"},
	        {"nosuch:f:kernel/foo.c", "expected"},
	        {"warning:*:kernel/foo.c", "expected"},
	        {"warning:f:kernel/*.c", "expected"},
	        {"warning:f.isra.0:kernel/foo.c", "expected"},
	        {"warning:f:kernel/foo.c:208", "expected"},
	        {"warning:f:kernel/f\xc3\xb6.c", "expected"},
	        {"WARNING:f:kernel/foo.c", "expected"},
	};
	char *huge = xmalloc(100001);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *never = place_never(rows[i].signature);

		if (!never != !rows[i].never || (never && !strstr(never, rows[i].never)))
			fail_msg("\"%s\": %s", rows[i].signature, never ? never : "may be listed");
	}
	memset(huge, 'a', 100000);
	huge[100000] = '\0';
	memcpy(huge, "warning:a:", 10);
	assert_non_null(place_never(huge));
	free(huge);
}

/* ---- a vmlinux with line tables */

static const char *const sources[][2] = {
        {"include/linux/rmap.h", "static inline __attribute__((always_inline)) int rmap(int *p)\n"
                                 "{\n\tp[1] = p[0] * 7;\n\treturn p[2];\n}\n"},
        {"init/main.c", "int copy_page_range(int *p);\nint foo_probe(int *p);\n"
                        "void _start(void)\n{\n\tint a[9] = {0};\n"
                        "\tcopy_page_range(a);\n\tfoo_probe(a);\n\tfor (;;)\n\t\t;\n}\n"},
        {"mm/memory.c", "#include \"include/linux/rmap.h\"\n"
                        "static __attribute__((noinline)) int twice(int *p)\n{\n\treturn p[3]++;\n"
                        "}\nint copy_page_range(int *p)\n{\n\treturn rmap(p) + twice(p);\n}\n"},
        {"drivers/foo.c",
         "#include \"include/linux/rmap.h\"\n"
         "static __attribute__((noinline)) int twice(int *p)\n{\n\treturn p[3]++ + p[8] * p[7];\n"
         "}\nint foo_probe(int *p)\n{\n\treturn rmap(p) - twice(p);\n}\n"},
};

/* The names as an out-of-tree build gives them: the tree is elsewhere. */
static void compile(const char *dir, const char *out, const char *debug)
{
	char *src = path_join(dir, "src"), *include = xasprintf("-I%s", src), *file[3];
	char *path = path_join(dir, out);
	const char *argv[] = {"gcc",
	                      "-O2",
	                      debug,
	                      "-nostdlib",
	                      "-static",
	                      "-ffreestanding",
	                      "-fno-stack-protector",
	                      "-fno-asynchronous-unwind-tables",
	                      include,
	                      "-o",
	                      path,
	                      NULL,
	                      NULL,
	                      NULL,
	                      NULL};
	struct why w;

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		char *name = path_join(src, sources[i][0]), *slash;

		for (slash = strchr(name + strlen(dir) + 1, '/'); slash;
		     slash = strchr(slash + 1, '/')) {
			*slash = '\0';
			mkdir(name, 0700);
			*slash = '/';
		}
		assert_int_equal(file_write(name, sources[i][1], strlen(sources[i][1]), 0600, &w),
		                 OK);
		free(name);
	}
	for (size_t i = 0; i < 3; i++)
		argv[11 + i] = file[i] = path_join(src, sources[1 + i][0]);
	if (proc_run(&(struct proc_spec){.argv = argv, .dir = dir}, NULL, &w) != OK)
		fail_msg("%s", w.text);
	for (size_t i = 0; i < 3; i++)
		free(file[i]);
	free(include);
	free(src);
	free(path);
}

static struct decode *opened(const char *path)
{
	struct decode *d;
	struct why w;

	if (decode_open(path, &d, &w) != OK)
		fail_msg("%s", w.text);
	return d;
}

static void lines_of_a_vmlinux(void **state)
{
	const char *dir = *state;
	struct decoded out;
	struct decode *d;
	bool header = false, own = false;
	size_t offset;

	compile(dir, "vmlinux", "-g1");
	d = opened(in(dir, "vmlinux"));
	for (offset = 0; offset < 22; offset++) {
		decode_frame(d, &(struct decode_ask){"copy_page_range", offset, 0, true}, &out);
		assert_string_equal(out.unit, "mm/memory.c");
		header |=
		        str_eq(out.file, "include/linux/rmap.h") && out.line >= 2 && out.line <= 4;
		own |= str_eq(out.file, "mm/memory.c") && out.line >= 6;
		decoded_release(&out);
	}
	assert_true(header && own);
	decode_frame(d, &(struct decode_ask){"foo_probe", 4, 0, false}, &out);
	assert_string_equal(out.unit, "drivers/foo.c");
	decoded_release(&out);
	/* two functions of one name, and nothing to tell them apart; then their sizes do */
	decode_frame(d, &(struct decode_ask){"twice", 1, 0, true}, &out);
	assert_null(out.unit);
	assert_string_equal(out.why, "several functions are called that");
	decoded_release(&out);
	decode_frame(d, &(struct decode_ask){"nosuch", 1, 2, true}, &out);
	assert_null(out.unit);
	assert_non_null(strstr(out.why, "no function of that name"));
	decoded_release(&out);
	/* past its end, and from another build */
	decode_frame(d, &(struct decode_ask){"foo_probe", 1u << 20, 1u << 20, true}, &out);
	assert_null(out.unit);
	decoded_release(&out);
	decode_frame(d, &(struct decode_ask){"foo_probe", UINT64_MAX, UINT64_MAX, true}, &out);
	assert_null(out.unit);
	decoded_release(&out);
	decode_close(d);
}

/* The WARN of the log above with the vmlinux: mm's, whatever header printed it. */
static void a_header_is_decoded_to_its_unit(void **state)
{
	const char *log = CUT "WARNING: CPU: 2 PID: 1 at include/linux/cpumask.h:208 "
	                      "copy_page_range+0x4/0x40\n" END;
	const char *dir = *state;
	struct place_ask ask;
	struct decoded out;
	struct decode *d;
	struct scan *s = scan_new(0);
	struct place p;

	compile(dir, "vmlinux", "-g1");
	d = opened(in(dir, "vmlinux"));
	scan_feed(s, log, strlen(log));
	scan_end(s);
	place_ask(scan_fault(s, 0), &ask);
	assert_string_equal(ask.frame.name, "copy_page_range");
	assert_int_equal(ask.frame.offset, 4);
	assert_int_equal(ask.frame.size, 0x40);
	assert_true(ask.frame.exact);
	ask.frame.size = 0; /* the log is of another machine */
	decode_frame(d, &ask.frame, &out);
	place_of(scan_fault(s, 0), &ask, &out, NULL, &p);
	assert_string_equal(p.signature, "warning:copy_page_range:mm/memory.c");
	assert_string_equal(p.where, "include/linux/cpumask.h:208");
	assert_true(p.decoded);
	assert_non_null(strstr(p.never, "mm/"));
	place_release(&p);
	place_ask_release(&ask);
	decoded_release(&out);
	decode_close(d);
	scan_free(s);
}

/* A header of mm's inlined into a driver is never a known fault either, though the
 * signature names the driver. */
static void mm_inlined_elsewhere(void **state)
{
	const char *log = CUT "WARNING: CPU: 2 PID: 1 at include/linux/rmap.h:3 "
	                      "foo_probe+0x4/0x40\n" END;
	struct decoded out = {.unit = xstrdup("drivers/foo.c")};
	struct scan *s = scan_new(0);
	struct place_ask ask;
	struct place p;

	(void)state;
	scan_feed(s, log, strlen(log));
	scan_end(s);
	place_ask(scan_fault(s, 0), &ask);
	place_of(scan_fault(s, 0), &ask, &out, NULL, &p);
	assert_string_equal(p.signature, "warning:foo_probe:drivers/foo.c");
	assert_null(place_never(p.signature));
	assert_non_null(p.never);
	place_release(&p);
	place_ask_release(&ask);
	decoded_release(&out);
	scan_free(s);
}

static void what_is_no_vmlinux(void **state)
{
	static const struct elf_symbol symbols[] = {
	        {"f", 0x1000, 0x40, STT_FUNC, STB_GLOBAL},
	};
	const char *dir = *state;
	struct decoded out;
	struct decode *d;
	struct why w;

	assert_int_equal(decode_open(in(dir, "none"), &d, &w), ERR_INPUT);
	file_write(in(dir, "empty"), "", 0, 0600, NULL);
	assert_int_equal(decode_open(in(dir, "empty"), &d, &w), ERR_INPUT);
	assert_non_null(strstr(w.text, "no ELF file"));
	file_write(in(dir, "text"), "\177ELF and no more", 16, 0600, NULL);
	assert_int_equal(decode_open(in(dir, "text"), &d, &w), ERR_INPUT);
	compile(dir, "stripped", "-s");
	assert_int_equal(decode_open(in(dir, "stripped"), &d, &w), ERR_INPUT);
	assert_non_null(strstr(w.text, "stripped"));
	/* no line tables: the symbol table names the file without its directory */
	compile(dir, "plain", "-g0");
	d = opened(in(dir, "plain"));
	decode_frame(d, &(struct decode_ask){"copy_page_range", 4, 0, true}, &out);
	assert_null(out.unit);
	assert_string_equal(out.why, "the vmlinux holds no line tables");
	decoded_release(&out);
	decode_frame(d, &(struct decode_ask){"twice", 1, 0, true}, &out);
	assert_string_equal(out.why, "several functions are called that");
	decoded_release(&out);
	decode_close(d);
	elf_file(in(dir, "symbols"), symbols, 1);
	d = opened(in(dir, "symbols"));
	decode_frame(d, &(struct decode_ask){"f", 4, 0x40, true}, &out);
	assert_null(out.unit);
	assert_non_null(out.why);
	decoded_release(&out);
	decode_close(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(signatures),
	        cmocka_unit_test(who_may_be_listed),
	        cmocka_unit_test(mm_inlined_elsewhere),
	        cmocka_unit_test_setup_teardown(lines_of_a_vmlinux, tmpdir_setup, tmpdir_teardown),
	        cmocka_unit_test_setup_teardown(a_header_is_decoded_to_its_unit, tmpdir_setup,
	                                        tmpdir_teardown),
	        cmocka_unit_test_setup_teardown(what_is_no_vmlinux, tmpdir_setup, tmpdir_teardown),
	};

	return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
