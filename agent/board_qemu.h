/*
 * board_qemu.h - the virtual board: QEMU's "virt" machine in one of two profiles.
 *
 * `deterministic` counts instructions: one CPU under icount, where two boots
 * agree to the last digit. `fast` measures time: threads of TCG, or KVM on an
 * arm64 machine whose /dev/kvm may be used. The machine type is pinned, so that
 * a newer QEMU gives the same guest.
 *
 * Image, initramfs, console and result have fixed names, so that the argument
 * vector is the same on every machine but for the directories, which
 * qemu_describe() leaves out.
 */
#ifndef FOLDWATCH_BOARD_QEMU_H
#define FOLDWATCH_BOARD_QEMU_H

#include "agent/agent_conf.h"
#include "agent/argv.h"
#include "lib/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define QEMU_PORT "org.foldwatch.results" /* name of the virtio-serial port */

struct qemu_boot {
	const struct board_conf *board;
	int64_t memory_bytes;
	const char *nonce;   /* 16 hex digits */
	const char *metric;  /* "instructions" or "ns" */
	int64_t phase_pages; /* 0-9999 */
	/* As QEMU sees them: */
	const char *image, *initramfs, *console, *result;
	const char *disk;   /* a virtio disk; NULL: none */
	const char *plugin; /* with its options; NULL: none. It changes no count: not described */
};

/* The guest's command line; nonce and phase have fixed widths. free() it. */
char *qemu_cmdline(const struct qemu_boot *b);
/* QEMU with its arguments. */
void qemu_argv(const struct qemu_boot *b, struct argv *a);
/* The same vector without the directories of this machine, as a JSON array. */
json_t *qemu_describe(const struct qemu_boot *b);
struct qemu_version {
	char number[32];   /* "7.2.22" */
	char package[128]; /* "Debian 1:7.2+dfsg-7+deb12u18", or "" */
};
/* ERR_IO with the reason why it cannot be run. */
enum err qemu_version(const char *program, struct qemu_version *out, struct why *w);
/* True when the fast profile has hardware to run on. */
bool qemu_has_kvm(void);
/* The smallest and largest memory of a guest, in bytes. */
#define QEMU_MEMORY_MIN (INT64_C(128) << 20)
#define QEMU_MEMORY_MAX (INT64_C(255) << 30) /* what "virt" takes without highmem changes */

#endif
