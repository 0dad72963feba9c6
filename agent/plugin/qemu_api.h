/*
 * qemu_api.h - the part of QEMU's plugin interface that profile.c calls.
 *
 * No Debian package ships qemu-plugin.h, so what is needed of version 1 of the
 * interface (QEMU 6.2 to 8.1; docs/devel/tcg-plugins.rst of its source) is declared here. The
 * functions are QEMU's own, found when it loads the plugin.
 */
#ifndef FOLDWATCH_QEMU_API_H
#define FOLDWATCH_QEMU_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QEMU_API_VERSION 1

struct qemu_plugin_tb;   /* a block of guest code that is being translated */
struct qemu_plugin_insn; /* one instruction of it */

struct qemu_info {
	const char *target_name; /* "aarch64" */
	struct {
		int min, cur;
	} version;
	bool system_emulation;
	struct {
		int smp_vcpus, max_vcpus;
	} system;
};

enum { QEMU_CB_NO_REGS = 0 };

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
                                           void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_atexit_cb(uint64_t id, void (*cb)(uint64_t id, void *arg), void *arg);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                            void (*cb)(unsigned int cpu, void *arg), int flags,
                                            void *arg);

/* What QEMU calls. */
extern int qemu_plugin_version;
int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv);

#endif
