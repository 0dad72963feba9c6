/*
 * board_qemu.c - see board_qemu.h.
 */
#include "agent/board_qemu.h"

#include "agent/step.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/proc.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MACHINE "virt-7.2" /* and in each vector below */

/* What is of the profile, and what a reader may know of it. */
struct profile {
	const char *name;
	const char *metric;
	bool deterministic, emulated;
	const char *words; /* behind the version in the description */
	const char *const *args;
};

/* Every source of chance is named: the device tree's seeds, QEMU's own
 * generator, the clock, a second CPU. sleep=off: idle time passes at once. */
static const char *const deterministic_args[] = {
        "-M",      "virt-7.2,gic-version=3,dtb-randomness=off",
        "-cpu",    "neoverse-n1",
        "-smp",    "1",
        "-accel",  "tcg,thread=single",
        "-icount", "shift=0,sleep=off",
        "-seed",   "1",
        "-rtc",    "base=2024-01-01T00:00:00,clock=vm",
        NULL};
static const char *const tcg_args[] = {
        "-M",     "virt-7.2,gic-version=3", "-cpu", "max,pauth-impdef=on", "-smp", "2",
        "-accel", "tcg,thread=multi",       NULL};
static const char *const kvm_args[] = {
        "-M", "virt-7.2,gic-version=host", "-cpu", "host", "-smp", "2", "-accel", "kvm", NULL};

static const struct profile deterministic = {"deterministic",       "instructions",    true, true,
                                             "neoverse-n1, icount", deterministic_args};
static const struct profile fast_tcg = {"fast",  "ns", false, true, "all features, TCG threads",
                                        tcg_args};
static const struct profile fast_kvm = {"fast", "ns", false, false, "KVM", kvm_args};

bool qemu_has_kvm(void)
{
#ifdef __aarch64__
	return !access("/dev/kvm", R_OK | W_OK);
#else
	return false; /* KVM runs guests of the machine's own kind only */
#endif
}

static const struct profile *profile_of(const struct board_conf *b)
{
	if (b->profile == PROFILE_DETERMINISTIC)
		return &deterministic;
	return qemu_has_kvm() ? &fast_kvm : &fast_tcg;
}

char *qemu_cmdline(const struct qemu_boot *b)
{
	static const char pad[] = "------------"; /* as long as "instructions" */
	size_t n = strlen(b->metric);

	return xasprintf("console=ttyAMA0 nokaslr norandmaps randomize_kstack_offset=off panic=-1 "
	                 "foldwatch.nonce=%s foldwatch.phase=%04" PRId64 " foldwatch.metric=%s%s",
	                 b->nonce, b->phase_pages, b->metric, n < sizeof(pad) - 1 ? pad + n : "");
}

/* An option whose words end in a path. A comma ends a value in QEMU's options; a doubled
 * one is a comma. */
static void add_file(struct argv *a, const char *option, const char *words, const char *path)
{
	struct buf text;

	buf_init(&text, 16384);
	buf_adds(&text, words);
	for (; *path; path++)
		buf_adds(&text, *path == ',' ? ",," : (const char[]){*path, '\0'});
	argv_add(a, option, text.data, NULL);
	buf_release(&text);
}

void qemu_argv(const struct qemu_boot *b, struct argv *a)
{
	char *cmdline = qemu_cmdline(b);

	argv_add(a, b->board->qemu, NULL);
	argv_extend(a, profile_of(b->board)->args);
	argv_add(a, "-m", NULL);
	argv_addf(a, "%" PRId64 "M", (b->memory_bytes + (1 << 20) - 1) >> 20);
	argv_add(a, "-nodefaults", "-no-user-config", "-display", "none", "-nic", "none",
	         "-no-reboot", NULL);
	add_file(a, "-chardev", "file,id=console,path=", b->console);
	argv_add(a, "-serial", "chardev:console", NULL);
	if (b->disk) {
		/* Nobody wants it back after a crash of the host. */
		add_file(a, "-drive", "if=none,id=disk,format=raw,cache=unsafe,file=", b->disk);
		argv_add(a, "-device", "virtio-blk-device,drive=disk", NULL);
	}
	if (b->plugin)
		argv_add(a, "-plugin", b->plugin, NULL);
	/* A file: whoever reads a socket or a pipe changes when the guest goes on,
	 * and with it the counts. */
	add_file(a, "-chardev", "file,id=results,path=", b->result);
	argv_add(a, "-device", "virtio-serial-device", "-device",
	         "virtserialport,chardev=results,name=" QEMU_PORT, "-kernel", b->image, "-initrd",
	         b->initramfs, "-append", cmdline, NULL);
	free(cmdline);
}

json_t *qemu_describe(const struct qemu_boot *b)
{
	struct board_conf board = *b->board;
	struct qemu_boot bare = *b;
	json_t *list = json_array();
	struct argv a = {0};
	size_t i;

	board.qemu = (char *)path_base(b->board->qemu);
	bare.board = &board;
	bare.image = path_base(b->image);
	bare.initramfs = path_base(b->initramfs);
	bare.console = path_base(b->console);
	bare.result = path_base(b->result);
	bare.disk = b->disk ? path_base(b->disk) : NULL;
	bare.plugin = NULL;
	qemu_argv(&bare, &a);
	for (i = 0; i < a.n; i++)
		json_array_append_new(list, json_string(a.v[i]));
	argv_release(&a);
	return list;
}

static enum err ask(const char *program, const char *one, const char *two, struct buf *out,
                    struct why *w)
{
	const char *argv[] = {program, one, two, NULL};
	struct proc_spec spec = {.argv = argv, .timeout_ns = 8 * NS_PER_S};

	return proc_run(&spec, out, w);
}

/* "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)" */
static void read_version(const char *text, struct qemu_version *out)
{
	static const char words[] = "version ";
	const char *at = strstr(text, words);
	size_t n = 0;

	at = at ? at + sizeof(words) - 1 : "";
	while (isalnum((unsigned char)at[n]) || at[n] == '.')
		n++;
	snprintf(out->number, sizeof(out->number), "%.*s", (int)n, at);
	at += n + strspn(at + n, " ");
	if (n && *at == '(')
		snprintf(out->package, sizeof(out->package), "%.*s", (int)strcspn(at + 1, ")\n"),
		         at + 1);
}

enum err qemu_version(const char *program, struct qemu_version *out, struct why *w)
{
	struct buf text;
	enum err e;

	*out = (struct qemu_version){0};
	buf_init(&text, 65536);
	e = ask(program, "--version", NULL, &text, w);
	if (!e)
		read_version(text.data, out);
	if (!e && !out->number[0])
		e = err_set(w, ERR_IO, "\"%s --version\" tells no version", program);
	buf_release(&text);
	return e;
}

static enum err check_machine(const char *program, struct why *w)
{
	struct buf text;
	enum err e;

	buf_init(&text, 1 << 20);
	e = ask(program, "-M", "help", &text, w);
	if (!e && !strstr(text.data, "\n" MACHINE " "))
		e = err_set(w, ERR_UNPROCESSABLE,
		            "\"%s\" has no machine " MACHINE ": QEMU 7.2 or later for arm64 is "
		            "needed",
		            program);
	buf_release(&text);
	return e;
}

enum err board_probe(const struct board_conf *b, json_t **announce, struct why *w)
{
	const struct profile *p = profile_of(b);
	json_t *o, *labels, *can;
	struct qemu_version version;
	char *text;
	size_t i;
	enum err e;

	*announce = NULL;
	e = qemu_version(b->qemu, &version, w);
	if (!e)
		e = check_machine(b->qemu, w);
	if (e)
		return e;
	o = json_object();
	labels = json_array();
	for (i = 0; i < b->labels.count; i++)
		json_array_append_new(labels, json_string(b->labels.items[i]));
	can = json_object();
	json_put_bool(can, "build_id", true);
	json_put_bool(can, "console", true);
	json_put_bool(can, "power", true);
	json_put_bool(can, "phases", p->deterministic);
	json_put_str(o, "name", b->name);
	json_put_str(o, "kind", "qemu");
	json_put_str(o, "profile", p->name);
	json_put(o, "labels", labels);
	json_put_str(o, "metric", p->metric);
	json_put_bool(o, "deterministic", p->deterministic);
	json_put_bool(o, "emulated", p->emulated);
	json_put_bool(o, "untrusted", b->untrusted);
	json_put(o, "capabilities", can);
	text = xasprintf("%s %s, %s", path_base(b->qemu), version.number, p->words);
	json_put_str(o, "description", text);
	free(text);
	*announce = o;
	return OK;
}
