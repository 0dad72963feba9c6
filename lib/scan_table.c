/*
 * scan_table.c - what a kernel prints when its numbers cannot be trusted.
 *
 * The texts are those of the kernel's own printk() calls from about 4.9 to
 * 6.19, x86 and arm64; order matters, the first row that matches a line
 * decides. W is what keeps "DEBUG: " and "ODEBUG: " from being a "BUG: ".
 */
#include "lib/scan_table.h"

#include "lib/mem.h"

#define W "(^|[^A-Za-z_])"

static const struct scan_pattern table[] = {
        /* Not faults */
        {NULL, W "BUG: MAX_[A-Z_]+ too low", false,
         "lockdep ran out of its tables and turned itself off", "BUG: MAX_", 0},
        {NULL, "INFO: lockdep is turned off", false, "said inside other reports",
         "INFO: lockdep is turned off", 0},
        {NULL, "ODEBUG: (selftest passed|[0-9]+ of [0-9]+ active|[Oo]ut of memory)", false,
         "the object debugger speaks of itself", "ODEBUG: ", 0},
        {NULL, W "SError: \\{", false, "a SATA link's error register", "SError: {", 0},
        {NULL, "^ *(pc : |RIP: 00[01]0:|EIP: )", false, "a register inside a report",
         "pc : |RIP: 0|EIP: ", SCAN_PC},

        /* The frame of a report */
        {"warning", "-\\[ cut here \\]-", false, "a report began whose headline was lost",
         "-[ cut here ]-", SCAN_CUT},
        {"warning", "---\\[ end trace ", false, "a report ended whose beginning was lost",
         "---[ end trace ", SCAN_END},
        {"panic", "---\\[ end Kernel panic", true, "a panic whose beginning was lost",
         "---[ end Kernel panic", SCAN_PANICKED | SCAN_ALONE},
        {"panic", "Kernel panic - not syncing", true, "the kernel stopped itself",
         "Kernel panic - not syncing", SCAN_PANIC | SCAN_ALONE},
        {"warning",
         W "WARNING: (CPU: [0-9]+ PID: [0-9]+|at [^ ]+(:[0-9]+|\\+0x[0-9a-f]+)|"
           "([^ ]+:[0-9]+ )?at .*, CPU#[0-9]+)",
         false, "an assertion of the kernel failed", "WARNING: ", SCAN_WHERE},
        {"bug", "[kK]ernel BUG at |" W "BUG: failure at ", true,
         "an assertion that ends the task failed", "ernel BUG at |BUG: failure at ",
         SCAN_WHERE | SCAN_DIES},

        /* The processor took an exception in the kernel */
        {"oops", "Unable to handle kernel |" W "BUG: (unable to handle |kernel NULL pointer )",
         true, "the kernel used an address that is not mapped",
         "Unable to handle kernel |BUG: unable to handle |BUG: kernel NULL pointer ",
         SCAN_DIES | SCAN_OPENS | SCAN_ALONE},
        {"general-protection", "general protection fault[:,] ", true,
         "the kernel used an address that cannot be", "general protection fault",
         SCAN_DIE | SCAN_OPENS | SCAN_ALONE},
        {"divide-error", "divide error[:,] ", true, "the kernel divided by zero", "divide error",
         SCAN_DIE | SCAN_OPENS | SCAN_ALONE},
        {"stack-overflow", "Insufficient stack space to handle exception|stack guard page was hit",
         true, "a kernel stack overflowed", "Insufficient stack space|stack guard page was hit",
         SCAN_DIES | SCAN_OPENS | SCAN_ALONE},
        {"double-fault", "PANIC: double fault", true, "an exception inside an exception",
         "PANIC: double fault", SCAN_DIES | SCAN_OPENS | SCAN_ALONE},
        {"unhandled-fault", W "Unhandled fault", true, "the memory system answered with an error",
         "Unhandled fault", SCAN_DIES | SCAN_OPENS | SCAN_ALONE},
        {"unhandled-exception",
         "Unhandled .* exception on CPU[0-9]|Bad mode in .* handler detected", true,
         "an exception that the kernel does not expect", " exception on CPU| handler detected",
         SCAN_DIES | SCAN_OPENS | SCAN_ALONE},
        {"oops", W "(Internal error: |Oops( -|:))|: [0-9a-f]{4,16} \\[#[0-9]+\\]", true,
         "the task that ran in the kernel was killed", "Internal error: |Oops -|Oops:| [#",
         SCAN_DIE | SCAN_OPENS | SCAN_ALONE},
        {"serror", W "SError", true, "the memory system reported an error late", "SError",
         SCAN_ALONE},

        /* Memory */
        {"bad-page", W "BUG: Bad page (state|cache)", false, "a page in a state it must not have",
         "BUG: Bad page state|BUG: Bad page cache", SCAN_HAS_DUMP},
        {"bad-map", W "BUG: Bad page map", false, "a page table entry that must not be",
         "BUG: Bad page map", SCAN_HAS_DUMP},
        {"rss-counter", W "BUG: (Bad rss-counter state|non-zero )", false,
         "pages or page tables were lost from an address space",
         "BUG: Bad rss-counter|BUG: non-zero ", 0},
        {"page-dump", "page dumped because: ", false, "a page was dumped for a failed assertion",
         "page dumped because: ", SCAN_DUMP | SCAN_LEADS},
        {"bad-pgtable", W "bad (pmd|pud|p4d|pgd|pte) ", false,
         "a page table entry that must not be", "bad pmd |bad pud |bad p4d |bad pgd |bad pte ", 0},
        {"kasan", W "BUG: KASAN: ", false, "memory used that is not its user's",
         "BUG: KASAN: ", SCAN_HAS_DUMP},
        {"kfence", W "BUG: KFENCE: ", false, "memory used that is not its user's",
         "BUG: KFENCE: ", SCAN_HAS_DUMP},
        {"kmsan", W "KMSAN: ", false, "memory used before it was written",
         "KMSAN: ", SCAN_HAS_DUMP},
        {"kcsan", W "BUG: KCSAN: ", false, "a data race", "BUG: KCSAN: ", 0},
        {"slub", W "BUG [^ :].* \\([^)]*\\):", false, "an object of a slab was overwritten", "BUG ",
         SCAN_LEADS | SCAN_HAS_DUMP},
        {"leak", "unreferenced object 0x|[0-9]+ new suspected memory leak", false,
         "memory that nothing points to", "unreferenced object 0x|new suspected memory leak", 0},
        {"oom", "invoked oom-killer", false, "memory ran out", "invoked oom-killer", SCAN_OOM},
        {"oom",
         "[Oo]ut of memory( \\([a-z_]+\\))?: Kill(ed)? process|Out of memory and no killable",
         false, "a process was killed because memory ran out",
         "ut of memory: Kill|(oom_kill_allocating_task): Kill|Out of memory and no killable",
         SCAN_OOM_KILL},
        {"alloc-failure",
         "page allocation failure|vmalloc error: size |vmalloc: allocation failure", false,
         "the kernel could not get memory",
         "page allocation failure|vmalloc error: size |vmalloc: allocation failure", 0},

        /* What a WARN() or BUG() says of itself */
        {"list-corruption", "list_(add|del) corruption|list_add double add", false,
         "a linked list is broken", "list_add corruption|list_del corruption|list_add double add",
         SCAN_WHAT | SCAN_LEADS},
        {"refcount", "refcount_t: ", false, "a reference count went wrong",
         "refcount_t: ", SCAN_WHAT},
        {"odebug", "ODEBUG: ", false, "an object used outside of its life",
         "ODEBUG: ", SCAN_WHAT | SCAN_LEADS},
        {"ubsan", W "UBSAN: ", false, "behaviour that C does not define", "UBSAN: ", SCAN_WHAT},
        {"cfi", "CFI failure at ", false, "a call through a pointer of the wrong type",
         "CFI failure at ", SCAN_WHAT | SCAN_LEADS | SCAN_DIES},

        /* Locks and time */
        {"lockdep",
         "possible (recursive locking|circular locking|irq lock inversion)|-unsafe lock order|"
         "inconsistent lock state|bad (unlock balance|contention) detected|held lock freed|"
         "still has locks held|lock held when returning|Nested lock was not taken|"
         "chain_key collision|BUG: Invalid wait context|trying to register non-static key|"
         "BUG: (looking up invalid subclass|key .* has not been registered)",
         false, "locks are taken in an order that can deadlock",
         "possible recursive locking|possible circular locking|possible irq lock inversion|"
         "-unsafe lock order|inconsistent lock state|bad unlock balance detected|"
         "bad contention detected|held lock freed|still has locks held|lock held when returning|"
         "Nested lock was not taken|chain_key collision|BUG: Invalid wait context|"
         "trying to register non-static key|BUG: looking up invalid subclass|BUG: key ",
         0},
        {"rcu-usage", "suspicious RCU usage", false, "RCU used without its lock",
         "suspicious RCU usage", 0},
        {"atomic-sleep",
         W "BUG: (sleeping function called|scheduling (while atomic|in a non-blocking section)|"
           "assuming (atomic|non migratable) context)",
         false, "sleeping where that is forbidden",
         "BUG: sleeping |BUG: scheduling |BUG: assuming ", 0},
        {"preempt", W "BUG: using .* in preemptible", false, "data of a CPU used where it can move",
         "BUG: using ", 0},
        {"soft-lockup", W "BUG: soft lockup", false, "a CPU did not schedule for long",
         "BUG: soft lockup", 0},
        {"hard-lockup", "hard LOCKUP", false, "a CPU did not take interrupts for long",
         "hard LOCKUP", 0},
        {"workqueue-lockup", W "BUG: workqueue lockup", false,
         "a queue of work did not move for long", "BUG: workqueue lockup", 0},
        {"rcu-stall", "INFO: rcu[a-z_]* (self-)?detected( expedited)? stall", false,
         "a CPU held up RCU for long", "INFO: rcu", 0},
        {"hung-task", "INFO: task .* blocked (in I/O wait )?for more than [0-9]+ second", false,
         "a task waited for long", "INFO: task ", 0},

        {"log-lost", W "[0-9]+ printk messages dropped", false,
         "the log is not whole: what is missing may be a fault", " printk messages dropped", 0},
        {"reboot", "^Linux version [0-9]", false,
         "the machine booted again in the middle of the log", "Linux version ",
         SCAN_BANNER | SCAN_ALONE},
        {"bug", W "BUG: ", false, "the kernel found itself at fault", "BUG: ", 0},

        /* Not faults, and behind all that are */
        {NULL, "[A-Za-z0-9_]\\+0x[0-9a-f]+/0x[0-9a-f]", false, "a function inside a report", "+0x",
         SCAN_FRAME},
};

const struct scan_pattern *scan_table(size_t *count)
{
	_Static_assert(ARRAY_SIZE(table) <= SCAN_ROWS_MAX, "too many patterns");
	*count = ARRAY_SIZE(table);
	return table;
}
