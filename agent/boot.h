/*
 * boot.h - one boot on a virtual board (inside step_boot): staging, running,
 * and what came of it.
 *
 *     JOB/run/console, JOB/run/result.jsonl     what QEMU writes
 *     JOB/run/disk                              where files are exercised
 *     JOB/initramfs.cpio
 *     DIR/images/SHA256/Image                   images from the server, kept
 */
#ifndef FOLDWATCH_BOOT_H
#define FOLDWATCH_BOOT_H

#include "agent/board_qemu.h"
#include "agent/console.h"
#include "agent/result.h"
#include "agent/step.h"
#include "lib/buf.h"
#include "lib/image.h"

#include <stdbool.h>

struct boot_spec {
	int64_t kernel;
	const char *name, *board, *image, *nonce, *plan, *metric;
	const char *vmlinux; /* NULL: this boot is not to be profiled */
	json_t *build_ids;
	int64_t phase, phase_pages, replicate, memory_bytes, timeout_s;
	bool health;
	bool files; /* with a disk, for what exercises files */
};

/* How the machine stopped. */
enum boot_end {
	BOOT_OFF,      /* by itself: power off, or a reset (-no-reboot) */
	BOOT_DIED,     /* QEMU ended with an error or a signal that was not ours */
	BOOT_DEADLINE, /* ended by us, past the deadline */
	BOOT_FATAL,    /* ended by us, some seconds after a fault the kernel does not survive */
	BOOT_LINGERED, /* ended by us: it had said its end, and did not power off */
	BOOT_FLOOD     /* ended by us: console or result grew past their caps */
};

struct boot {
	const struct step *step;
	struct boot_spec spec;
	const struct board_conf *board;
	bool sandboxed;
	struct qemu_version qemu;
	char *vmlinux;                         /* of spec.vmlinux, or NULL */
	const char *plugin;                    /* QEMU's, set before boot_run(), or NULL ... */
	const char *plugin_file, *plugin_runs; /* ... and what it reads, for the sandbox */
	char *run_dir, *image, *initramfs, *console_path, *result_path;
	char *disk;          /* of spec.files, or NULL ... */
	struct why disk_why; /* ... with the reason why it could not be had */
	int hold_fd, hold_vmlinux_fd;
	struct image image_facts;
	struct console console;
	int console_fd;
	enum boot_end end;
	char died[400]; /* BOOT_DIED: how, with QEMU's last words */
	int64_t started_ns, ended_ns, deadline_s;
	bool marked_booted;
	struct buf result_text;
	struct result result;
	enum result_state result_state;
	struct why result_why;
	enum fail_class fail; /* of an error: whose it is */
};

enum err boot_open(struct boot *b, const struct step *s, struct why *w);
void boot_close(struct boot *b);
/* Image and initramfs are there, checked. */
enum err boot_stage(struct boot *b, struct why *w);
/* Start QEMU, watch it to its end, read everything it wrote. OK whatever came
 * of the boot; an error is the agent's. */
enum err boot_run(struct boot *b, struct why *w);
/* Read the result file and check it. */
enum err boot_collect(struct boot *b, struct why *w);

/* What QEMU is told, for the environment. */
void boot_qemu(const struct boot *b, struct qemu_boot *q);

/* The class of the boot and its sentence, from what was seen. FAIL_NONE: the
 * numbers stand. Pure. */
enum fail_class boot_verdict(const struct boot *b, struct why *w);

#endif
