/*
 * profile.c - a QEMU plugin that counts instructions by address inside foldbench's
 * timed windows, run by run.
 *
 *     -plugin foldwatch-profile.so,out=FILE,runs=FILE,begin=ADDR,end=ADDR,run=ADDR,
 *             wide=ADDR,switch=ADDR,irq=ADDR,irq=ADDR
 *
 * A run begins with `run` (the address of foldbench's suite_next_run()), whether it
 * comes to a window or not; the file `runs` has a line for each, "SKIP WINDOWS". A
 * window is what runs from `begin` (meter_start()) to `end` (meter_stop()): what a
 * sample counts and the meter's own readings. The meter's windows with nothing
 * inside come first and are counted apart, so that they can be taken off; then SKIP
 * windows are left out, and the next WINDOWS counted. Full ones are told from empty
 * ones by size: half as much again as the first of the run.
 *
 * Whose instructions? Plugins of QEMU 7.2 cannot read registers. With one CPU
 * it can be told by what is seen to run: from an interrupt's entry (`irq`) to its
 * ERET, with those that come in the middle of it, they are the interrupt's; from `switch`
 * (cpu_switch_to) on they are another task's, to the end of the window. Both are counted in sums of
 * their own. Everything else in the window is the task that opened it. Behind `wide` (meter_wide())
 * a run's samples count all tasks and interrupts, and so does this: nothing is told apart then, and
 * empty windows before it are forgotten.
 *
 * FILE, lines of text, a section a run as it ends:
 *     run FULL EMPTY             windows of each kind; 0 0: it came to none
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
enum edge { NO_EDGE, BEGIN, END, SWITCH, IRQ, RUN, WIDE };

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
	uint64_t begin, end, change, run, wide, irq[IRQS_MAX];
	unsigned int irqs;
	FILE *out, *runs;
} set;

static struct insn *slot[SLOTS];
static size_t used;

/* The window that is open. */
static struct {
	bool open, other;
	unsigned int irq; /* interrupts that are being served, one in the other */
	uint64_t count, others, irqs, switches;
	struct insn **touched;
	size_t n, room;
} window;

/* The run that is under way. */
static struct {
	bool open, wide;
	uint64_t skip, windows; /* as `runs` says */
	uint64_t first;         /* instructions of its first window */
	uint64_t seen;          /* full windows so far */
	struct sums full, empty;
	struct insn **counted; /* all that either sum has */
	size_t n, room;
} run;

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
	window.other = false;
	window.irq = 0;
	window.count = window.others = window.irqs = window.switches = 0;
}

static void push(struct insn *x, struct insn ***list, size_t *n, size_t *room)
{
	if (*n == *room) {
		*room = *room ? *room * 2 : 4096;
		*list = realloc(*list, *room * sizeof(struct insn *));
		if (!*list)
			fail("out of memory");
	}
	(*list)[(*n)++] = x;
}

static void keep(struct sums *s, bool is_full)
{
	s->windows++;
	s->other += window.others;
	s->irq += window.irqs;
	s->switches += window.switches;
	for (size_t i = 0; i < window.n; i++) {
		struct insn *x = window.touched[i];

		if (!x->full && !x->empty)
			push(x, &run.counted, &run.n, &run.room);
		*(is_full ? &x->full : &x->empty) += x->now;
	}
}

static void forget_window(void)
{
	for (size_t i = 0; i < window.n; i++)
		window.touched[i]->now = 0;
	window.n = 0;
}

static void close_window(void)
{
	window.open = false;
	if (!run.first)
		run.first = window.count;
	if (window.count <= run.first + run.first / 2) {
		keep(&run.empty, false);
	} else {
		if (run.seen >= run.skip && run.seen < run.skip + run.windows)
			keep(&run.full, true);
		run.seen++;
	}
	forget_window();
}

static void count(struct insn *x)
{
	if (!x->now++)
		push(x, &window.touched, &window.n, &window.room);
}

/* ---- runs */

static void forget(void)
{
	for (size_t i = 0; i < run.n; i++)
		run.counted[i]->full = run.counted[i]->empty = 0;
	run.n = 0;
	run.first = run.seen = 0;
	run.full = run.empty = (struct sums){0};
}

static void write_run(void)
{
	static const char *const words[] = {"", "", " tlbi", " dsb"};
	const struct sums *f = &run.full, *e = &run.empty;

	fprintf(set.out, "run %" PRIu64 " %" PRIu64 "\n", f->windows, e->windows);
	fprintf(set.out, "other %" PRIu64 " %" PRIu64 "\n", f->other, e->other);
	fprintf(set.out, "irq %" PRIu64 " %" PRIu64 "\n", f->irq, e->irq);
	fprintf(set.out, "switches %" PRIu64 " %" PRIu64 "\n", f->switches, e->switches);
	for (size_t i = 0; f->windows && i < run.n; i++) {
		const struct insn *x = run.counted[i];

		fprintf(set.out, "%" PRIx64 " %" PRIu64 " %" PRIu64 "%s\n", x->pc, x->full,
		        x->empty, words[x->kind]);
	}
}

static void end_run(void)
{
	if (run.open)
		write_run();
	forget();
	run.open = run.wide = false;
}

static void begin_run(void)
{
	char line[64], *end;

	/* The last run may have died in a window. */
	window.open = false;
	forget_window();
	end_run();
	run.open = true;
	/* One more than the plan has is the caller's to find out. */
	run.skip = run.windows = 0;
	if (fgets(line, sizeof(line), set.runs)) {
		run.skip = strtoull(line, &end, 10);
		run.windows = strtoull(end, NULL, 10);
	}
}

static void executed(unsigned int cpu, void *arg)
{
	struct insn *x = arg;

	(void)cpu;
	if (x->edge == RUN) {
		begin_run();
		return;
	}
	if (!window.open) {
		if (x->edge == BEGIN) {
			open_window();
		} else if (x->edge == WIDE) {
			forget();
			run.wide = true;
		}
		return;
	}
	if (x->edge == END) {
		close_window();
		return;
	}
	window.count++;
	if (run.wide) {
		count(x);
		window.switches += x->edge == SWITCH;
		return;
	}
	if (x->edge == IRQ)
		window.irq++;
	if (window.other)
		window.others++;
	else if (window.irq)
		window.irqs++;
	else
		count(x);
	if (x->kind == ERET && window.irq)
		window.irq--;
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
	if (pc == set.run)
		return RUN;
	if (pc == set.wide)
		return WIDE;
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

static void finish(uint64_t id, void *arg)
{
	(void)id;
	(void)arg;
	end_run();
	fputs("end\n", set.out);
	if (fclose(set.out))
		perror("foldwatch-profile: its output");
}

static bool number(const char *text, uint64_t *out)
{
	char *end;

	*out = strtoull(text, &end, 0);
	return *text && !*end;
}

static bool open_file(const char *path, const char *how, FILE **f)
{
	*f = fopen(path, how);
	if (!*f)
		perror(path);
	return *f != NULL;
}

static bool option(const char *arg)
{
	static const struct {
		const char *name;
		uint64_t *to;
	} numbers[] = {
	        {"begin", &set.begin}, {"end", &set.end},   {"switch", &set.change},
	        {"run", &set.run},     {"wide", &set.wide},
	};
	const char *value = strchr(arg, '=');
	size_t n = value ? (size_t)(value - arg) : 0;
	uint64_t v = 0;

	if (!value)
		return false;
	value++;
	if (n == 3 && !strncmp(arg, "out", n))
		return open_file(value, "w", &set.out);
	if (n == 4 && !strncmp(arg, "runs", n))
		return open_file(value, "r", &set.runs);
	if (!number(value, &v))
		return false;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (n == strlen(numbers[i].name) && !strncmp(arg, numbers[i].name, n)) {
			*numbers[i].to = v;
			return true;
		}
	if (n != 3 || strncmp(arg, "irq", n) != 0 || set.irqs == IRQS_MAX)
		return false;
	set.irq[set.irqs++] = v;
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
	if (!set.out || !set.runs || !set.begin || !set.end || !set.run) {
		fprintf(stderr, "foldwatch-profile: out, runs, begin, end and run must be given\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
