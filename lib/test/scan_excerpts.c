#include "lib/test/scan_excerpts.h"

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <stdlib.h>

/* A log that is a file below lib/test/logs/faults. */
#define REAL(name) "@" name ".log"

#define CUT "------------[ cut here ]------------\n"
#define END "---[ end trace 0000000000000000 ]---\n"
#define ARM64_REGS(f)                                                         \
	"Modules linked in:\n"                                                \
	"CPU: 2 UID: 0 PID: 1 Comm: systemd Not tainted 6.12.117 #1\n"        \
	"Hardware name: linux,dummy-virt (DT)\n"                              \
	"pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)\n"   \
	"pc : " f "+0x8a4/0xb50\n"                                            \
	"lr : dup_mmap+0x2f0/0x5d0\n"                                         \
	"sp : ffff800080123a90\n"                                             \
	"x29: ffff800080123a90 x28: 0000000000000000 x27: ffff000002f1a540\n" \
	"Call trace:\n"                                                       \
	" " f "+0x8a4/0xb50\n"                                                \
	" dup_mmap+0x2f0/0x5d0\n"                                             \
	" kernel_clone+0x84/0x3a0\n"
#define X86_REGS(f)                                                                      \
	"Modules linked in: xfs(E) virtio_net\n"                                         \
	"CPU: 0 UID: 0 PID: 512 Comm: bash Tainted: G            E      6.12.0 #2\n"     \
	"Hardware name: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.2-1 04/01/2014\n" \
	"RIP: 0010:" f "+0x1c/0x50\n"                                                    \
	"Code: 0f 0b 48 8b 04 24 <0f> 0b eb d2\n"                                        \
	"RSP: 0018:ffffc900003d7d50 EFLAGS: 00010246\n"                                  \
	"Call Trace:\n"                                                                  \
	" <TASK>\n"                                                                      \
	" ? __warn+0x81/0x130\n"                                                         \
	" do_syscall_64+0x5d/0x90\n"                                                     \
	"RIP: 0033:0x7f1c2a51a3d7\n"                                                     \
	" </TASK>\n"
#define PAGE                                                                               \
	"page: refcount:12 mapcount:1 mapping:00000000b9ed2b01 index:0x1c0 pfn:0x12a094\n" \
	"head: order:2 mapcount:4 entire_mapcount:0 nr_pages_mapped:4 pincount:0\n"        \
	"memcg:ffff000003bd8000\n"                                                         \
	"aops:0xffffbb1e6a0cd560 ino:2a1 dentry name:\"libc.so.6\"\n"                      \
	"flags: 0x17ffff80000022c(uptodate|referenced|lru|head|zone=1)\n"                  \
	"raw: 017ffff80000022c fffffdffc04a8008 fffffdffc04a8208 ffff00000319e2b0\n"

static const struct excerpt excerpts[] = {
        /* Of a kernel that misbehaved when it was told to (tests/kernel/faults.patch). */
        {"real_alloc",
         REAL("alloc"),
         {{"alloc-failure", NULL, "faulty: page allocation failure: order:10, mode:0x800(__GFP_",
           0}}},
        {"real_badmap",
         REAL("badmap"),
         {{"bad-map", NULL, "BUG: Bad page map in process exe  pte:60000fffffffc3 pmd:800", 0}}},
        {"real_badpage",
         REAL("badpage"),
         {{"bad-page", NULL, "BUG: Bad page state in process faulty  pfn:42c85", 0}}},
        {"real_bug",
         REAL("bug"),
         {{"bug", "fault_bug", "kernel BUG at mm/foldwatch_faults.c:45!", 1}}},
        {"real_circular",
         REAL("circular"),
         {{"lockdep", NULL, "WARNING: possible circular locking dependency detected", 0}}},
        {"real_flood",
         REAL("flood"),
         {{"log-lost", NULL, "** 18362 printk messages dropped **", 0}}},
        {"real_hung",
         REAL("hung"),
         {{"hung-task", NULL, "INFO: task faulty:30 blocked for more than 122 seconds.", 0}}},
        {"real_inconsistent",
         REAL("inconsistent"),
         {{"lockdep", NULL, "WARNING: inconsistent lock state", 0}}},
        {"real_kfence",
         REAL("kfence"),
         {{"kfence", "fault_kfence", "BUG: KFENCE: use-after-free read in fault_kfence+0xcc/0x19c",
           0}}},
        {"real_list",
         REAL("list"),
         {{"list-corruption", "__list_del_entry_valid_or_report",
           "list_del corruption. prev->next should be ffff8000810651c0, ", 0}}},
        {"real_oom",
         REAL("oom"),
         {{"oom", NULL, "exe invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVAB", 0},
          {"oom", NULL, "Out of memory: Killed process 32 (phase) total-vm:1216kB, an", 0}}},
        {"real_oops",
         REAL("oops"),
         {{"oops", "fault_oops", "Unable to handle kernel NULL pointer dereference at virtual ",
           1}}},
        {"real_panic",
         REAL("panic"),
         {{"panic", NULL, "Kernel panic - not syncing: foldwatch: a panic that was aske", 1}}},
        {"real_rcu", REAL("rcu"), {{"rcu-usage", NULL, "WARNING: suspicious RCU usage", 0}}},
        {"real_recursive",
         REAL("recursive"),
         {{"lockdep", NULL, "WARNING: possible recursive locking detected", 0}}},
        {"real_redzone",
         REAL("redzone"),
         {{"slub", "object_err", "BUG foldwatch_victim (Not tainted): Object corrupt", 0}}},
        {"real_refcount",
         REAL("refcount"),
         {{"bug", "fault_refcount", "kernel BUG at include/linux/mm.h:1140!", 1}}},
        {"real_rss",
         REAL("rss"),
         {{"rss-counter", NULL, "BUG: Bad rss-counter state mm:(____ptrval____) type:MM_ANONP",
           0}}},
        {"real_schedule",
         REAL("schedule"),
         {{"atomic-sleep", NULL, "BUG: scheduling while atomic: faulty/30/0x00000002", 0}}},
        {"real_slab_leak",
         REAL("slab-leak"),
         {{"slub", "__slab_err", "BUG foldwatch_leak (Not tainted): Objects remaining on __kme", 0},
          {"warning", "kmem_cache_destroy",
           "WARNING: CPU: 0 PID: 30 at mm/slab_common.c:548 kmem_cache_d", 0}}},
        {"real_sleep",
         REAL("sleep"),
         {{"atomic-sleep", NULL, "BUG: sleeping function called from invalid context at includ",
           0}}},
        {"real_soft_lockup",
         REAL("soft-lockup"),
         {{"soft-lockup", "__delay", "watchdog: BUG: soft lockup - CPU#0 stuck for 3s! [faulty:40]",
           0}}},
        {"real_tables",
         REAL("tables"),
         {{"rss-counter", NULL, "BUG: non-zero pgtables_bytes on freeing mm: 4096", 0}}},
        {"real_ubsan",
         REAL("ubsan"),
         {{"ubsan", NULL, "UBSAN: shift-out-of-bounds in mm/foldwatch_faults.c:70:15", 0}}},
        {"real_warn",
         REAL("warn"),
         {{"warning", "fault_warn", "WARNING: CPU: 0 PID: 30 at mm/foldwatch_faults.c:40 fault_wa",
           0}}},
        {"real_wild",
         REAL("wild"),
         {{"oops", "fault_wild", "Unable to handle kernel paging request at virtual address ff",
           1}}},
        {"real_workqueue",
         REAL("workqueue"),
         {{"workqueue-lockup", NULL, "BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 ",
           0}}},

        {"warning_arm64",
         CUT "WARNING: CPU: 2 PID: 1 at include/linux/rmap.h:208 "
             "copy_page_range+0x8a4/0xb50\n" ARM64_REGS("copy_page_range") END,
         {{"warning", "copy_page_range",
           "WARNING: CPU: 2 PID: 1 at include/linux/rmap.h:208 copy_page_range+0x8a4/0xb50", 0}}},
        {"warning_x86_with_message_before",
         CUT "memcpy: detected field-spanning write (size 64) of single field\n"
             "WARNING: CPU: 0 PID: 512 at fs/foo.c:12 foo_write+0x1c/0x50 [foo]\n" X86_REGS(
                     "foo_write") END,
         {{"warning", "foo_write", "WARNING: CPU: 0 PID: 512 at fs/foo.c:12", 0}}},
        {"warning_without_debug_info",
         CUT "WARNING: CPU: 1 PID: 77 at folio_add_new_anon_rmap+0x1c/0x50\n" END,
         {{"warning", "folio_add_new_anon_rmap", "WARNING: CPU: 1 PID: 77 at folio_add", 0}}},
        {"warning_since_6_19",
         CUT "WARNING: mm/rmap.c:1274 at __folio_add_rmap+0x1b0/0x200, CPU#2: systemd/1\n" END,
         {{"warning", "__folio_add_rmap", "WARNING: mm/rmap.c:1274 at __folio_add_rmap", 0}}},
        {"warning_since_6_19_bare_name",
         CUT "WARNING: mm/rmap.c:1274 at __folio_add_rmap, CPU#2: systemd/1\n" END,
         {{"warning", "__folio_add_rmap", "WARNING: mm/rmap.c:1274 at", 0}}},
        {"warning_without_cut_here",
         "WARNING: CPU: 3 PID: 9 at kernel/smp.c:1 smp_call+0x1/0x2\n"
         "CPU: 3 PID: 9 Comm: x Tainted: G        W\n" END,
         {{"warning", "smp_call", "WARNING: CPU: 3 PID: 9", 0}}},
        {"warning_of_old_kernels",
         "WARNING: at mm/slub.c:3357 kmalloc_slab+0x52/0x74()\n",
         {{"warning", "kmalloc_slab", "WARNING: at mm/slub.c:3357", 0}}},
        {"warning_names_its_function_in_pc_only",
         CUT "WARNING: CPU: 2 PID: 1 at mm/memory.c:1\n" ARM64_REGS("zap_present_ptes") END,
         {{"warning", "zap_present_ptes", "WARNING: CPU: 2 PID: 1 at mm/memory.c:1", 0}}},
        {"cut_here_without_headline",
         CUT "CPU: 2 PID: 1 Comm: systemd\n" END,
         {{"warning", NULL, "------------[ cut here ]------------", 0}}},
        {"cut_here_and_nothing", CUT, {{"warning", NULL, "------------[ cut here ]", 0}}},
        {"end_without_beginning",
         " ret_from_fork+0x10/0x20\n" END,
         {{"warning", NULL, "---[ end trace 0000000000000000 ]---", 0}}},
        {"two_warnings_are_two",
         CUT "WARNING: CPU: 0 PID: 1 at a.c:1 one+0x1/0x2\n" END CUT
             "WARNING: CPU: 0 PID: 1 at a.c:2 two+0x1/0x2\n" END,
         {{"warning", "one", "WARNING", 0}, {"warning", "two", "WARNING", 0}}},
        {"two_warnings_with_the_ends_lost",
         CUT "WARNING: CPU: 0 PID: 1 at a.c:1 one+0x1/0x2\n" CUT
             "WARNING: CPU: 0 PID: 1 at a.c:2 two+0x1/0x2\n",
         {{"warning", "one", "WARNING", 0}, {"warning", "two", "WARNING", 0}}},
        {"an_oops_inside_a_warning",
         CUT "WARNING: CPU: 0 PID: 1 at a.c:1 one+0x1/0x2\n"
             "Unable to handle kernel paging request at virtual address ffff8000deadbeef\n"
             "Internal error: Oops: 0000000096000007 [#1] PREEMPT SMP\n" ARM64_REGS("two") END END,
         {{"warning", "one", "WARNING: CPU", 0},
          {"oops", "two", "Unable to handle kernel paging request", 1}}},
        {"page_dump_before_a_warning",
         PAGE "page dumped because: VM_WARN_ON_FOLIO(folio_test_large(folio))\n" CUT
              "WARNING: CPU: 2 PID: 1 at include/linux/rmap.h:208 "
              "copy_page_range+0x8a4/0xb50\n" ARM64_REGS("copy_page_range") END,
         {{"warning", "copy_page_range", "WARNING: CPU: 2 PID: 1 at include/linux/rmap.h:208", 0}}},
        {"page_dump_before_a_bug",
         PAGE "page dumped because: VM_BUG_ON_PAGE(PageTail(page))\n" CUT
              "kernel BUG at mm/huge_memory.c:3011!\n"
              "Internal error: Oops - BUG: 00000000f2000800 [#1] PREEMPT SMP\n" ARM64_REGS(
                      "split_huge_page_to_list") END,
         {{"bug", "split_huge_page_to_list", "kernel BUG at mm/huge_memory.c:3011!", 1}}},
        {"page_dump_alone",
         PAGE "page dumped because: migration failure\n",
         {{"page-dump", NULL, "page dumped because: migration failure", 0}}},

        {"kernel_bug_x86",
         CUT "kernel BUG at mm/rmap.c:1234!\n"
             "Oops: invalid opcode: 0000 [#1] PREEMPT SMP NOPTI\n" X86_REGS("page_remove_rmap") END
         "Kernel panic - not syncing: Fatal exception\n"
         "Kernel Offset: disabled\n"
         "---[ end Kernel panic - not syncing: Fatal exception ]---\n",
         {{"bug", "page_remove_rmap", "kernel BUG at mm/rmap.c:1234!", 1},
          {"panic", NULL, "Kernel panic - not syncing: Fatal exception", 1}}},
        {"kernel_bug_x86_old",
         "kernel BUG at mm/rmap.c:1234!\ninvalid opcode: 0000 [#1] SMP\n",
         {{"bug", NULL, "kernel BUG at", 1}}},
        {"kernel_bug_without_debug_info",
         "Kernel BUG at put_page+0x4/0x8 [verbose debug info unavailable]\n",
         {{"bug", "put_page", "Kernel BUG at put_page", 1}}},
        {"bug_failure", "BUG: failure at kernel/x.c:3/f()!\n", {{"bug", NULL, "BUG: failure", 1}}},
        {"oops_x86",
         "BUG: kernel NULL pointer dereference, address: 0000000000000008\n"
         "#PF: supervisor read access in kernel mode\n"
         "#PF: error_code(0x0000) - not-present page\n"
         "PGD 0 P4D 0 \n"
         "Oops: Oops: 0000 [#1] PREEMPT SMP PTI\n" X86_REGS("do_fault") END,
         {{"oops", "do_fault", "BUG: kernel NULL pointer dereference", 1}}},
        {"oops_x86_paging",
         "BUG: unable to handle page fault for address: ffffc90000a3d000\n"
         "Oops: 0002 [#1] SMP\n" X86_REGS("memcpy_erms") END
         "BUG: unable to handle page fault for address: ffffc90000a3e000\n"
         "Oops: 0002 [#2] SMP\n" END,
         {{"oops", "memcpy_erms", "BUG: unable to handle page fault", 1},
          {"oops", NULL, "BUG: unable to handle page fault", 1}}},
        {"oops_whose_headline_is_lost",
         "Internal error: Oops - BUG: 00000000f2000800 [#1] SMP\n" ARM64_REGS("f") END,
         {{"oops", "f", "Internal error: Oops - BUG", 1}}},
        {"oops_dash", "Oops - undefined instruction: 0 [#1] SMP\n", {{"oops", NULL, "Oops -", 1}}},
        {"general_protection",
         "Oops: general protection fault, probably for non-canonical address "
         "0xdead000000000122: 0000 [#1] PREEMPT SMP\n" X86_REGS("__list_del_entry") END,
         {{"general-protection", "__list_del_entry", "Oops: general protection fault, prob", 1}}},
        {"general_protection_old",
         "general protection fault: 0000 [#1] SMP\n",
         {{"general-protection", NULL, "general protection fault: 0000", 1}}},
        {"divide_error",
         "divide error: 0000 [#1] PREEMPT SMP\n" X86_REGS("div") END,
         {{"divide-error", "div", "divide error: 0000", 1}}},
        {"stack_overflow_arm64",
         "Insufficient stack space to handle exception!\n"
         "ESR: 0x0000000096000047 -- DABT (current EL)\n"
         "CPU: 1 PID: 210 Comm: a\n"
         "pc : deep+0x4/0x40\n"
         "Kernel panic - not syncing: kernel stack overflow\n",
         {{"stack-overflow", "deep", "Insufficient stack space", 1},
          {"panic", NULL, "Kernel panic - not syncing: kernel stack overflow", 1}}},
        {"stack_overflow_x86",
         "BUG: TASK stack guard page was hit at 00000000b1 (stack is 00000000a0..00000000b0)\n"
         "Oops: stack guard page: 0000 [#1] PREEMPT SMP\n" X86_REGS("deep") END,
         {{"stack-overflow", "deep", "BUG: TASK stack guard page was hit", 1}}},
        {"double_fault",
         "PANIC: double fault, error_code: 0x0\nOops: double fault: 0000 [#1] SMP\n" X86_REGS("f"),
         {{"double-fault", "f", "PANIC: double fault", 1}}},
        {"unhandled_fault",
         "Unhandled fault: synchronous external abort (0x96000210) at 0xffff80001190d004\n"
         "Internal error: : 96000210 [#1] PREEMPT SMP\n" ARM64_REGS("readl") END,
         {{"unhandled-fault", "readl", "Unhandled fault: synchronous external abort", 1}}},
        {"unhandled_exception",
         "Unhandled 64-bit el1h sync exception on CPU1, ESR 0x0000000002000000 -- "
         "Unknown\n" ARM64_REGS("f") "Kernel panic - not syncing: Unhandled exception\n",
         {{"unhandled-exception", "f", "Unhandled 64-bit el1h sync exception on CPU1", 1},
          {"panic", NULL, "Kernel panic", 1}}},
        {"bad_mode",
         "Bad mode in Error handler detected on CPU0, code 0xbf000000 -- SError\n",
         {{"unhandled-exception", NULL, "Bad mode in Error handler detected", 1}}},
        {"serror",
         "SError Interrupt on CPU3, code 0x00000000be000011 -- SError\n" ARM64_REGS(
                 "f") "Kernel panic - not syncing: Asynchronous SError Interrupt\n",
         {{"serror", "f", "SError Interrupt on CPU3", 1},
          {"panic", NULL, "Kernel panic - not syncing: Asynchronous SError Interrupt", 1}}},
        {"panic",
         "Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b\n"
         "CPU: 0 UID: 0 PID: 1 Comm: init Not tainted 6.12.117 #1\n"
         "Call trace:\n panic+0x364/0x378\n"
         "---[ end Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b ]---\n",
         {{"panic", NULL, "Kernel panic - not syncing: Attempted to kill init!", 1}}},
        {"panic_whose_beginning_is_lost",
         "---[ end Kernel panic - not syncing: x ]---\n",
         {{"panic", NULL, "---[ end Kernel panic", 1}}},

        {"bad_page",
         "BUG: Bad page state in process gmain  pfn:12a094\n" PAGE
         "page dumped because: nonzero mapcount\n"
         "Modules linked in:\n"
         "CPU: 0 UID: 0 PID: 611 Comm: gmain Not tainted 6.12.117 #1\n"
         "Call trace:\n dump_backtrace+0x90/0xe4\n bad_page+0x90/0x130\n"
         "Disabling lock debugging due to kernel taint\n",
         {{"bad-page", NULL, "BUG: Bad page state in process gmain  pfn:12a094", 0}}},
        {"bad_page_then_a_warning",
         "BUG: Bad page state in process gmain  pfn:12a094\n" PAGE
         "page dumped because: nonzero mapcount\n" CUT
         "WARNING: CPU: 2 PID: 1 at mm/x.c:1 f+0x1/0x2\n" END,
         {{"bad-page", NULL, "BUG: Bad page state in process gmain", 0},
          {"warning", "f", "WARNING: CPU: 2", 0}}},
        {"bad_page_cache",
         "BUG: Bad page cache in process rm  pfn:3a1c2\n" PAGE
         "page dumped because: still mapped when deleted\n",
         {{"bad-page", NULL, "BUG: Bad page cache in process rm", 0}}},
        {"bad_pmd",
         "mm/pgtable-generic.c:54: bad pmd 0068000041a00f51.\n"
         "mm/pgtable-generic.c:45: bad pud 0000000012345678.\n"
         "mm/pgtable-generic.c:30: bad pgd 0000000012345678.\n"
         "arch/x86/mm/x.c:1: bad p4d 000000001(0)\n",
         {{"bad-pgtable", NULL, "mm/pgtable-generic.c:54: bad pmd 0068000041a00f51.", 0},
          {"bad-pgtable", NULL, "mm/pgtable-generic.c:45: bad pud", 0},
          {"bad-pgtable", NULL, "mm/pgtable-generic.c:30: bad pgd", 0},
          {"bad-pgtable", NULL, "arch/x86/mm/x.c:1: bad p4d", 0}}},
        {"bad_pte",
         "mm/memory.c:1: bad pte ffff8000(1234).\n",
         {{"bad-pgtable", NULL, "mm/memory.c:1: bad pte", 0}}},
        {"kasan",
         "==================================================================\n"
         "BUG: KASAN: slab-use-after-free in contpte_try_unfold+0x1c/0x50\n"
         "Read of size 8 at addr ffff00000a1b2c40 by task fork/312\n"
         "CPU: 1 UID: 0 PID: 312 Comm: fork Not tainted 6.12.117 #1\n"
         "The buggy address belongs to the physical page:\n" PAGE
         "page dumped because: kasan: bad access detected\n"
         "==================================================================\n",
         {{"kasan", "contpte_try_unfold", "BUG: KASAN: slab-use-after-free in contpte", 0}}},
        {"kmsan",
         "BUG: KMSAN: uninit-value in copy_folio+0x12/0x40\n",
         {{"kmsan", "copy_folio", "BUG: KMSAN: uninit-value", 0}}},
        {"kcsan",
         "BUG: KCSAN: data-race in folio_batch_move_lru / folio_lruvec_lock\n",
         {{"kcsan", "folio_batch_move_lru", "BUG: KCSAN: data-race in", 0}}},
        {"slub_tainted",
         "BUG mm_struct (Tainted: G    B   W         ): Object already free\n",
         {{"slub", NULL, "BUG mm_struct (Tainted: G", 0}}},
        {"leak",
         "kmemleak: unreferenced object 0xffff000003c1a200 (size 128):\n"
         "kmemleak:   comm \"fork\", pid 412, jiffies 4294893021\n"
         "kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)\n",
         {{"leak", NULL, "kmemleak: unreferenced object 0x", 0},
          {"leak", NULL, "kmemleak: 3 new suspected memory leaks", 0}}},
        {"oom",
         "mremap invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0\n"
         "CPU: 0 UID: 0 PID: 99 Comm: mremap Not tainted 6.12.117 #1\n"
         "Mem-Info:\n"
         "oom-kill:constraint=CONSTRAINT_NONE,task=mremap,pid=99,uid=0\n"
         "Out of memory: Killed process 99 (mremap) total-vm:2097152kB, anon-rss:998000kB\n"
         "Out of memory: Killed process 98 (sh) total-vm:2097152kB, anon-rss:998000kB\n",
         {{"oom", NULL, "mremap invoked oom-killer", 0},
          {"oom", NULL, "Out of memory: Killed process 98", 0}}},
        {"oom_of_a_cgroup",
         "Memory cgroup out of memory: Killed process 99 (mremap)\n",
         {{"oom", NULL, "Memory cgroup out of memory: Killed", 0}}},
        {"oom_of_the_allocating",
         "Out of memory (oom_kill_allocating_task): Killed process 99 (mremap)\n",
         {{"oom", NULL, "Out of memory (oom_kill_allocating_task): Killed", 0}}},
        {"oom_with_nobody_to_kill",
         "Out of memory and no killable processes...\n",
         {{"oom", NULL, "Out of memory and no killable", 0}}},
        {"alloc_failure",
         "fork: page allocation failure: order:9, mode:0x1c20ca(GFP_TRANSHUGE_LIGHT)\n"
         "insmod: vmalloc error: size 4096, page order 0, failed to allocate pages\n"
         "insmod: vmalloc: allocation failure, allocated 4096 of 8192 bytes\n",
         {{"alloc-failure", NULL, "fork: page allocation failure: order:9", 0},
          {"alloc-failure", NULL, "insmod: vmalloc error: size", 0},
          {"alloc-failure", NULL, "insmod: vmalloc: allocation failure", 0}}},

        {"list_corruption_bug",
         "list_del corruption. prev->next should be ffff00000a1b2c40, but was "
         "0000000000000000.\n" CUT "kernel BUG at lib/list_debug.c:62!\n"
         "Internal error: Oops - BUG: 00000000f2000800 [#1] PREEMPT SMP\n" ARM64_REGS(
                 "__list_del_entry_valid_or_report") END,
         {{"list-corruption", "__list_del_entry_valid_or_report", "list_del corruption. prev", 1}}},
        {"list_corruption_warning",
         CUT "list_add corruption. next->prev should be prev (ffff), but was 0. (next=ffff).\n"
             "WARNING: CPU: 0 PID: 1 at lib/list_debug.c:29 __list_add_valid+0x1c/0x50\n" X86_REGS(
                     "__list_add_valid") END,
         {{"list-corruption", "__list_add_valid", "list_add corruption. next->prev", 0}}},
        {"list_double_add",
         "list_add double add: new=ffff, prev=ffff, next=ffff.\n",
         {{"list-corruption", NULL, "list_add double add", 0}}},
        {"refcount",
         CUT "refcount_t: underflow; use-after-free.\n"
             "WARNING: CPU: 1 PID: 8 at lib/refcount.c:28 "
             "refcount_warn_saturate+0xf4/0x148\n" ARM64_REGS("refcount_warn_saturate") END,
         {{"refcount", "refcount_warn_saturate", "refcount_t: underflow; use-after-free.", 0}}},
        {"refcount_message_after_its_headline",
         CUT "WARNING: CPU: 1 PID: 8 at lib/refcount.c:28 refcount_warn_saturate+0xf4/0x148\n"
             "refcount_t: underflow; use-after-free.\n" END,
         {{"refcount", "refcount_warn_saturate", "refcount_t: underflow; use-after-free.", 0}}},
        {"odebug",
         CUT "ODEBUG: free active (active state 0) object: 00000000c3 object type: timer_list\n"
             "WARNING: CPU: 0 PID: 33 at lib/debugobjects.c:514 "
             "debug_print_object+0x7d/0xb0\n" X86_REGS("debug_print_object") END,
         {{"odebug", "debug_print_object", "ODEBUG: free active", 0}}},
        {"odebug_on_stack",
         "ODEBUG: object 00000000a1 is on stack 00000000a0, but NOT annotated.\n" CUT
         "WARNING: CPU: 0 PID: 33 at lib/debugobjects.c:557 lookup_object_or_alloc+0x1/0x2\n" END,
         {{"odebug", "lookup_object_or_alloc", "ODEBUG: object 00000000a1 is on stack", 0}}},
        {"cfi",
         "CFI failure at do_one+0x1c/0x50 (target: two+0x0/0x8; expected type: 0x7e0c52a5)\n"
         "Internal error: Oops - CFI: 00000000f2008228 [#1] PREEMPT SMP\n" ARM64_REGS("do_one") END,
         {{"cfi", "do_one", "CFI failure at do_one", 1}}},

        {"lockdep_recursive",
         "WARNING: possible recursive locking detected\n"
         "[ INFO: possible recursive locking detected ]\n",
         {{"lockdep", NULL, "WARNING: possible recursive", 0},
          {"lockdep", NULL, "[ INFO: possible recursive", 0}}},
        {"lockdep_irq",
         "WARNING: possible irq lock inversion dependency detected\n"
         "WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected\n"
         "WARNING: inconsistent lock state\n"
         "inconsistent {IN-SOFTIRQ-W} -> {SOFTIRQ-ON-W} usage.\n",
         {{"lockdep", NULL, "WARNING: possible irq", 0},
          {"lockdep", NULL, "WARNING: HARDIRQ-safe", 0},
          {"lockdep", NULL, "WARNING: inconsistent lock state", 0}}},
        {"lockdep_balance",
         "WARNING: bad unlock balance detected!\n"
         "WARNING: bad contention detected!\n"
         "WARNING: held lock freed!\n"
         "WARNING: fork/99 still has locks held!\n",
         {{"lockdep", NULL, "WARNING: bad unlock", 0},
          {"lockdep", NULL, "WARNING: bad contention", 0},
          {"lockdep", NULL, "WARNING: held lock", 0},
          {"lockdep", NULL, "WARNING: fork/99", 0}}},
        {"lockdep_others",
         "WARNING: lock held when returning to user space!\n"
         "WARNING: Nested lock was not taken\n"
         "WARNING: chain_key collision\n"
         "[ BUG: Invalid wait context ]\n",
         {{"lockdep", NULL, "WARNING: lock held", 0},
          {"lockdep", NULL, "WARNING: Nested lock", 0},
          {"lockdep", NULL, "WARNING: chain_key", 0},
          {"lockdep", NULL, "[ BUG: Invalid wait context ]", 0}}},
        {"lockdep_keys",
         "INFO: trying to register non-static key.\n"
         "BUG: looking up invalid subclass: 9\n"
         "BUG: key ffff000003c1a200 has not been registered!\n",
         {{"lockdep", NULL, "INFO: trying to register", 0},
          {"lockdep", NULL, "BUG: looking up", 0},
          {"lockdep", NULL, "BUG: key", 0}}},
        {"atomic_sleep",
         "BUG: sleeping function called from invalid context at mm/page_alloc.c:4321\n"
         "in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 77, name: fork\n"
         "BUG: scheduling while atomic: fork/77/0x00000002\n"
         "BUG: scheduling in a non-blocking section: fork/77/1\n"
         "BUG: assuming atomic context at mm/x.c:12\n",
         {{"atomic-sleep", NULL, "BUG: sleeping function called", 0},
          {"atomic-sleep", NULL, "BUG: scheduling while atomic", 0},
          {"atomic-sleep", NULL, "BUG: scheduling in", 0},
          {"atomic-sleep", NULL, "BUG: assuming atomic", 0}}},
        {"preempt",
         "BUG: using smp_processor_id() in preemptible [00000000] code: fork/77\n",
         {{"preempt", NULL, "BUG: using smp_processor_id()", 0}}},
        {"hard_lockup",
         "watchdog: Watchdog detected hard LOCKUP on cpu 1\n" ARM64_REGS(
                 "g") "Kernel panic - not syncing: Hard LOCKUP\n",
         {{"hard-lockup", "g", "watchdog: Watchdog detected hard LOCKUP", 0},
          {"panic", NULL, "Kernel panic - not syncing: Hard LOCKUP", 1}}},
        {"rcu_stall",
         "rcu: INFO: rcu_preempt self-detected stall on CPU\n"
         "rcu: \t1-....: (5249 ticks this GP) idle=b4c4/1/0x4000000000000000\n"
         "rcu: INFO: rcu_sched detected stalls on CPUs/tasks:\n"
         "rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-...D } 21 jiffies\n"
         "INFO: rcu_tasks_trace detected stalls on tasks:\n",
         {{"rcu-stall", NULL, "rcu: INFO: rcu_preempt self-detected stall", 0},
          {"rcu-stall", NULL, "rcu: INFO: rcu_sched detected stalls", 0},
          {"rcu-stall", NULL, "rcu: INFO: rcu_preempt detected expedited", 0},
          {"rcu-stall", NULL, "INFO: rcu_tasks_trace detected", 0}}},
        {"hung_task",
         "INFO: task kworker/0:1:12 blocked for more than 120 seconds.\n"
         "      Not tainted 6.12.117 #1\n"
         "\"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.\n"
         "INFO: task sync:99 blocked in I/O wait for more than 241 seconds.\n",
         {{"hung-task", NULL, "INFO: task kworker/0:1:12 blocked for more than 120", 0},
          {"hung-task", NULL, "INFO: task sync:99 blocked", 0}}},
        {"reboot",
         "Linux version 6.12.117 (foldwatch@foldwatch) #1 SMP\nRun /init as init process\n"
         "Linux version 6.12.117 (foldwatch@foldwatch) #1 SMP\n",
         {{"reboot", NULL, "Linux version 6.12.117", 0}}},
        {"log_lost",
         "** 1273 printk messages dropped **\n"
         "** 12 printk messages dropped ** [    3.100000] random: crng init done\n",
         {{"log-lost", NULL, "** 1273 printk messages dropped **", 0},
          {"log-lost", NULL, "** 12 printk messages dropped **", 0}}},
        {"any_other_bug",
         "BUG: arch topology borken\n"
         "Driver BUG: missing reserved tailroom\n"
         "BUG: spinlock bad magic on CPU#0, fork/77\n"
         "BUG: workqueue leaked atomic, lock or RCU: kworker/1:1[33]\n",
         {{"bug", NULL, "BUG: arch topology", 0},
          {"bug", NULL, "Driver BUG: missing", 0},
          {"bug", NULL, "BUG: spinlock", 0},
          {"bug", NULL, "BUG: workqueue leaked", 0}}},
        {"bug_behind_what_a_program_left_on_the_line",
         "# fork order-9: 12.5[    3.100000] BUG: Bad page state in process gmain  pfn:1\n",
         {{"bad-page", NULL, "# fork order-9: 12.5[    3.100000] BUG: Bad page state", 0}}},
};

static char *real_log(const char *name)
{
	char *path = xasprintf("lib/test/logs/faults/%s", name);
	struct buf b;
	struct why w;

	buf_init(&b, 1 << 20);
	if (file_read(path, &b, &w) != OK)
		err_bug("%s", w.text);
	free(path);
	return buf_take(&b, NULL);
}

const struct excerpt *scan_excerpts(size_t *count)
{
	static struct excerpt whole[ARRAY_SIZE(excerpts)];

	for (size_t i = 0; i < ARRAY_SIZE(excerpts) && !whole[i].name; i++) {
		whole[i] = excerpts[i];
		if (excerpts[i].log[0] == '@')
			whole[i].log = real_log(excerpts[i].log + 1);
	}
	*count = ARRAY_SIZE(excerpts);
	return whole;
}
