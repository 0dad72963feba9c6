/*
 * profile.c - a QEMU plugin that counts instructions by address inside foldbench's
 * timed windows.
 *
 *     -plugin foldwatch-profile.so,out=FILE,begin=ADDR,end=ADDR,switch=ADDR,
 *             irq=ADDR,irq=ADDR,warmup=N,windows=N
 *
 * A window is what runs from `begin` (the address of foldbench's meter_start())
 * to `end` (meter_stop()): what a sample counts and the meter's own readings. The
 * meter's windows with nothing inside come first and are counted apart, so that
 * they can be taken off; then `warmup` windows are left out, and the next
 * `windows` counted. Full ones are told from empty ones by size: half as much
 * again as the first of all.
 *
 * Whose instructions? Plugins of QEMU 7.2 cannot read registers. With one CPU
 * it can be told by what is seen to run: from an interrupt's entry (`irq`) to the
 * next ERET they are the interrupt's; from `switch` (cpu_switch_to) on they are
 * another task's, to the end of the window. Both are counted in sums of their
 * own (addresses of 0 tell nothing apart). Everything else in the window is the
 * task that opened it.
 *
 * FILE, at exit, lines of text:
 *     windows FULL EMPTY         how many of each
 *     other N, irq N, switches N in full windows; the same of empty ones behind: "other N M"
 *     ADDR FULL EMPTY [KIND]     times the instruction there ran, KIND tlbi or dsb
 * The counts are whole sums over the windows. A file without the last line "end"
 * is torn.
 *
 * Instructions are watched one by one: a block that is left in its middle must
 * not be counted whole. That changes no count of the guest.
 */
#include "agent/plugin/qemu_api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS    (1u << 20) /* of the table; a small kernel has some 100,000 instructions that run */
#define IRQS_MAX 8

#define OP_ERET 0xd69f03e0u

enum kind { PLAIN, ERET, TLBI, DSB };
enum edge { NO_EDGE, BEGIN, END, SWITCH, IRQ };

struct insn {
	uint64_t pc;
	uint64_t now; /* in this window */
	uint64_t full, empty;
	uint8_t kind, edge;
};

struct sums {
	uint64_t windows, other, irq, switches;
};

int qemu_plugin_version = QEMU_API_VERSION;

static struct {
	uint64_t begin, end, change, irq[IRQS_MAX];
	unsigned int irqs;
	uint64_t warmup, windows;
	const char *out;
} set;

static struct insn *slot[SLOTS];
static size_t used;

/* The window that is open. */
static struct {
	bool open, other, irq;
	uint64_t count, others, irqs, switches;
	struct insn **touched;
	size_t n, room;
} window;

static uint64_t first; /* instructions of the first window of all */
static uint64_t seen;  /* full windows so far */
static struct sums full, empty;

static void fail(const char *what)
{
	fprintf(stderr, "foldwatch-profile: %s\n", what);
	exit(1);
}

static struct insn *insn_at(uint64_t pc)
{
	size_t i = (size_t)((pc >> 2) * UINT64_C(0x9e3779b97f4a7c15) >> 44) % SLOTS;

	for (; slot[i]; i = (i + 1) % SLOTS)
		if (slot[i]->pc == pc)
			return slot[i];
	if (++used > SLOTS / 4 * 3)
		fail("more instructions than the table holds");
	slot[i] = calloc(1, sizeof(**slot));
	if (!slot[i])
		fail("out of memory");
	slot[i]->pc = pc;
	return slot[i];
}

/* ---- running */

static void open_window(void)
{
	window.open = true;
	window.other = window.irq = false;
	window.count = window.others = window.irqs = window.switches = 0;
}

static void keep(struct sums *s, bool is_full)
{
	s->windows++;
	s->other += window.others;
	s->irq += window.irqs;
	s->switches += window.switches;
	for (size_t i = 0; i < window.n; i++)
		*(is_full ? &window.touched[i]->full : &window.touched[i]->empty) +=
		        window.touched[i]->now;
}

static void close_window(void)
{
	window.open = false;
	if (!first)
		first = window.count;
	if (window.count <= first + first / 2) {
		keep(&empty, false);
	} else {
		if (seen >= set.warmup && seen < set.warmup + set.windows)
			keep(&full, true);
		seen++;
	}
	for (size_t i = 0; i < window.n; i++)
		window.touched[i]->now = 0;
	window.n = 0;
}

static void count(struct insn *x)
{
	if (x->now++)
		return;
	if (window.n == window.room) {
		window.room = window.room ? window.room * 2 : 4096;
		window.touched = realloc(window.touched, window.room * sizeof(struct insn *));
		if (!window.touched)
			fail("out of memory");
	}
	window.touched[window.n++] = x;
}

static void executed(unsigned int cpu, void *arg)
{
	struct insn *x = arg;

	(void)cpu;
	if (!window.open) {
		if (x->edge == BEGIN)
			open_window();
		return;
	}
	if (x->edge == END) {
		close_window();
		return;
	}
	window.count++;
	if (x->edge == IRQ)
		window.irq = true;
	if (window.other)
		window.others++;
	else if (window.irq)
		window.irqs++;
	else
		count(x);
	if (x->kind == ERET)
		window.irq = false;
	if (x->edge == SWITCH) {
		window.other = true;
		window.switches++;
	}
}

/* ---- translating */

static enum kind kind_of(uint32_t op)
{
	if (op == OP_ERET)
		return ERET;
	/* SYS with CRn 8 is TLBI; DSB is in the barriers' space (Arm ARM, C4.1). */
	if ((op & 0xfff8f000u) == 0xd5088000u)
		return TLBI;
	return (op & 0xfffff0ffu) == 0xd503309fu ? DSB : PLAIN;
}

static enum edge edge_of(uint64_t pc)
{
	if (pc == set.begin)
		return BEGIN;
	if (pc == set.end)
		return END;
	if (pc == set.change)
		return SWITCH;
	for (unsigned int i = 0; i < set.irqs; i++)
		if (pc == set.irq[i])
			return IRQ;
	return NO_EDGE;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		struct insn *x = insn_at(qemu_plugin_insn_vaddr(insn));
		uint32_t op;

		memcpy(&op, qemu_plugin_insn_data(insn), sizeof(op));
		x->kind = kind_of(op);
		x->edge = edge_of(x->pc);
		qemu_plugin_register_vcpu_insn_exec_cb(insn, executed, QEMU_CB_NO_REGS, x);
	}
}

/* ---- the file */

static void write_out(uint64_t id, void *arg)
{
	static const char *const words[] = {"", "", " tlbi", " dsb"};
	FILE *f = fopen(set.out, "w");

	(void)id;
	(void)arg;
	if (!f) {
		perror(set.out);
		return;
	}
	fprintf(f, "windows %" PRIu64 " %" PRIu64 "\n", full.windows, empty.windows);
	fprintf(f, "other %" PRIu64 " %" PRIu64 "\n", full.other, empty.other);
	fprintf(f, "irq %" PRIu64 " %" PRIu64 "\n", full.irq, empty.irq);
	fprintf(f, "switches %" PRIu64 " %" PRIu64 "\n", full.switches, empty.switches);
	for (size_t i = 0; i < SLOTS; i++)
		if (slot[i] && (slot[i]->full || slot[i]->empty))
			fprintf(f, "%" PRIx64 " %" PRIu64 " %" PRIu64 "%s\n", slot[i]->pc,
			        slot[i]->full, slot[i]->empty, words[slot[i]->kind]);
	fputs("end\n", f);
	if (fclose(f))
		perror(set.out);
}

static bool number(const char *text, uint64_t *out)
{
	char *end;

	*out = strtoull(text, &end, 0);
	return *text && !*end;
}

static bool option(const char *arg)
{
	const char *value = strchr(arg, '=');
	size_t n = value ? (size_t)(value - arg) : 0;
	uint64_t v = 0;

	if (!value)
		return false;
	value++;
	if (n == 3 && !strncmp(arg, "out", n)) {
		set.out = strdup(value);
		return set.out != NULL;
	}
	if (!number(value, &v))
		return false;
	if (n == 5 && !strncmp(arg, "begin", n))
		set.begin = v;
	else if (n == 3 && !strncmp(arg, "end", n))
		set.end = v;
	else if (n == 6 && !strncmp(arg, "switch", n))
		set.change = v;
	else if (n == 3 && !strncmp(arg, "irq", n) && set.irqs < IRQS_MAX)
		set.irq[set.irqs++] = v;
	else if (n == 6 && !strncmp(arg, "warmup", n))
		set.warmup = v;
	else if (n == 7 && !strncmp(arg, "windows", n))
		set.windows = v;
	else
		return false;
	return true;
}

int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv)
{
	if (!info->system_emulation || strcmp(info->target_name, "aarch64") != 0 ||
	    info->system.smp_vcpus != 1) {
		fprintf(stderr, "foldwatch-profile: one CPU of aarch64, system emulation, is all "
		                "that it can tell tasks apart on\n");
		return -1;
	}
	for (int i = 0; i < argc; i++)
		if (!option(argv[i])) {
			fprintf(stderr, "foldwatch-profile: \"%s\" is no option\n", argv[i]);
			return -1;
		}
	if (!set.out || !set.begin || !set.end || !set.windows) {
		fprintf(stderr, "foldwatch-profile: out, begin, end and windows must be given\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, write_out, NULL);
	return 0;
}
